/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS over TCP (RFC 1035, 4.2.2): two bytes of length before each message, and nothing that says where a segment
 * begins. What of a message a segment did not bring waits for the next one; several may be in one. One source for BPF
 * programs and for user space, as dns.bpf.h.
 *
 * Segments are taken in the order of their bytes: what was seen before is passed over, and where something is missing
 * the message is given up. So is one that is longer than RF_DNS_MESSAGE_MAX or has no room for a header. After that the
 * next segment is taken for the begin of a message. What comes out is bytes and no more: who asked for it decides
 * whether it is believed.
 */
#ifndef RF_BPF_DNS_STREAM_H
#define RF_BPF_DNS_STREAM_H

#include "dns.bpf.h"

/* A message of which a part has come. */
struct rf_dns_stream {
	__u32 next;	/* sequence number of the byte that comes next; where nothing has come, any */
	__u32 have;	/* bytes of the message */
	__u8 n_length;	/* bytes of its length */
	__u8 length[2]; /* network order */
	__u8 pad;
	__u8 byte[RF_DNS_MESSAGE_MAX] __attribute__((aligned(8)));
};

/* What of a segment has not been looked at. */
struct rf_dns_segment {
	__u32 at; /* offsets in the packet */
	__u32 end;
	__u32 sequence; /* number of the byte at @at */
};

#define RF_DNS_STREAM_LOST (-1)

#ifdef __bpf__
#define rf_dns_packet_bytes struct __sk_buff

static __always_inline int rf_dns_bytes_load(rf_dns_packet_bytes *packet, __u32 at, void *to, __u32 n)
{
	return bpf_skb_load_bytes(packet, at, to, n);
}
#else
#define rf_dns_packet_bytes const __u8

static inline int rf_dns_bytes_load(rf_dns_packet_bytes *packet, __u32 at, void *to, __u32 n)
{
	__builtin_memcpy(to, packet + at, n);
	return 0;
}
#endif

static rf_dns_inline void rf_dns_stream_begin(struct rf_dns_stream *s)
{
	s->next = 0;
	s->have = 0;
	s->n_length = 0;
	s->length[0] = 0;
	s->length[1] = 0;
	s->pad = 0;
}

static rf_dns_inline void rf_dns_segment_advance(struct rf_dns_segment *g, __u32 n)
{
	g->at += n;
	g->sequence += n;
}

/* Passes over what a segment repeats. False: bytes are missing before it. */
static rf_dns_inline int rf_dns_segment_follows(struct rf_dns_segment *g, const struct rf_dns_stream *s)
{
	__u32 repeated = s->next - g->sequence, rest = g->end - g->at;

	if (!s->n_length)
		return 1;
	if (repeated >> 31)
		return 0;
	rf_dns_segment_advance(g, repeated < rest ? repeated : rest);
	return 1;
}

/*
 * The length of the message that is now whole, in @s->byte; 0: the segment is at its end; RF_DNS_STREAM_LOST. In BPF
 * there are RF_DNS_MESSAGE_MAX bytes more behind @s, for the verifier, who cannot compare @s->have with a length.
 */
static rf_dns_inline int rf_dns_stream_take(rf_dns_packet_bytes *packet, struct rf_dns_segment *g,
					    struct rf_dns_stream *s)
{
	__u32 len, n;

	if (!rf_dns_segment_follows(g, s))
		return RF_DNS_STREAM_LOST;
	if (s->n_length < 1 && g->at < g->end) {
		if (rf_dns_bytes_load(packet, g->at, &s->length[0], 1))
			return RF_DNS_STREAM_LOST;
		s->n_length = 1;
		rf_dns_segment_advance(g, 1);
		s->next = g->sequence;
	}
	if (s->n_length < 2 && g->at < g->end) {
		if (rf_dns_bytes_load(packet, g->at, &s->length[1], 1))
			return RF_DNS_STREAM_LOST;
		s->n_length = 2;
		rf_dns_segment_advance(g, 1);
		s->next = g->sequence;
	}
	if (s->n_length < 2)
		return 0;
	len = s->length[0] << 8 | s->length[1];
	if (len < RF_DNS_HEADER || len > RF_DNS_MESSAGE_MAX || s->have >= len)
		return RF_DNS_STREAM_LOST;
	n = g->end - g->at;
	if (!n)
		return 0;
	if (n > len - s->have)
		n = len - s->have;
#ifdef __bpf__
	/* What Linux 6.1 believes to be from 1 to the size of the buffer. */
	asm volatile("" : "+r"(n));
	n = ((n - 1) & (RF_DNS_MESSAGE_MAX - 1)) + 1;
#endif
	if (rf_dns_bytes_load(packet, g->at, s->byte + (s->have & (RF_DNS_MESSAGE_MAX - 1)), n))
		return RF_DNS_STREAM_LOST;
	s->have += n;
	rf_dns_segment_advance(g, n);
	s->next = g->sequence;
	return s->have == len ? (int)len : 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few fields of an IP packet that a verdict needs. Packets come from
 * tenants, so every step is bounded: at most RF_EXT_MAX extension headers.
 */
#ifndef RF_BPF_PACKET_H
#define RF_BPF_PACKET_H

#include "common.bpf.h"

#define RF_EXT_MAX 8

/* IPv6 extension headers; these IPPROTO_* are macros of uapi headers. */
#define RF_IPPROTO_HOPOPTS  0
#define RF_IPPROTO_ROUTING  43
#define RF_IPPROTO_FRAGMENT 44
#define RF_IPPROTO_DSTOPTS  60
#define RF_IPPROTO_ICMPV6   58

#define RF_TCP_FLAG_SYN 0x02
#define RF_TCP_FLAG_RST 0x04
#define RF_TCP_FLAG_ACK 0x10

struct rf_packet {
	__u64 source[2]; /* network order, as in struct rf_flow */
	__u64 destination[2];
	__u16 source_port;	/* host order; 0 where there is none or the fragment does not carry it */
	__u16 destination_port; /* of ICMP and ICMPv6 both are RF_ICMP_PORT(), or RF_ICMP_UNREAD */
	__u8 family;
	__u8 protocol;
	__u8 tcp_flags; /* 0 unless TCP */
	__u8 pad;
};

static __always_inline bool rf_protocol_is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == RF_IPPROTO_ICMPV6;
}

/* Ports and flags at @offset, or type and code; 0, or -1 when the packet ends before them. */
static __always_inline int rf_packet_ports(struct __sk_buff *skb, __u32 offset, struct rf_packet *packet)
{
	__u8 transport[14];

	if (packet->protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, offset, transport, 14))
			return -1;
		packet->tcp_flags = transport[13];
	} else if (packet->protocol == IPPROTO_UDP || packet->protocol == IPPROTO_SCTP ||
		   packet->protocol == IPPROTO_UDPLITE || packet->protocol == IPPROTO_DCCP) {
		if (bpf_skb_load_bytes(skb, offset, transport, 4))
			return -1;
	} else if (rf_protocol_is_icmp(packet->protocol)) {
		if (bpf_skb_load_bytes(skb, offset, transport, 2))
			return -1;
		packet->source_port = packet->destination_port = RF_ICMP_PORT(transport[0], transport[1]);
		return 0;
	} else {
		return 0;
	}
	packet->source_port = transport[0] << 8 | transport[1];
	packet->destination_port = transport[2] << 8 | transport[3];
	return 0;
}

/* A later fragment has neither ports nor type: only rules without them match it. */
static __always_inline int rf_packet_later(struct rf_packet *packet)
{
	if (rf_protocol_is_icmp(packet->protocol))
		packet->source_port = packet->destination_port = RF_ICMP_UNREAD;
	return 0;
}

/* The first packet of a TCP flow. */
static __always_inline bool rf_packet_opens(const struct rf_packet *packet)
{
	return (packet->tcp_flags & (RF_TCP_FLAG_SYN | RF_TCP_FLAG_ACK)) == RF_TCP_FLAG_SYN;
}

/* An IPv4-mapped address is judged as the IPv4 address it stands for. */
static __always_inline bool rf_addr_is_mapped(const __u64 addr[2])
{
	return addr[0] == 0 && (__u32)addr[1] == bpf_htonl(0xffff);
}

/* An IPv4 header without options and its transport header in the linear part: nearly every packet, and no copy. */
static __always_inline bool rf_packet_parse4_linear(struct __sk_buff *skb, struct rf_packet *packet)
{
	const struct iphdr *ip = (void *)(long)skb->data;
	const __u8 *transport = (void *)(ip + 1);

	if ((void *)(transport + 14) > (void *)(long)skb->data_end)
		return false;
	if (*(const __u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x1fff))
		return false;
	if (ip->protocol == IPPROTO_TCP)
		packet->tcp_flags = transport[13];
	else if (ip->protocol != IPPROTO_UDP)
		return false;
	packet->family = RF_AF_INET;
	packet->protocol = ip->protocol;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->source_port = bpf_ntohs(*(const __be16 *)transport);
	packet->destination_port = bpf_ntohs(*(const __be16 *)(transport + 2));
	return true;
}

static __always_inline int rf_packet_parse4(struct __sk_buff *skb, struct rf_packet *packet)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return -1;
	packet->family = RF_AF_INET;
	packet->protocol = ip.protocol;
	packet->source[0] = ip.saddr;
	packet->destination[0] = ip.daddr;
	if (ip.frag_off & bpf_htons(0x1fff))
		return rf_packet_later(packet);
	return rf_packet_ports(skb, ip.ihl * 4, packet);
}

/* Likewise without extension headers. */
static __always_inline bool rf_packet_parse6_linear(struct __sk_buff *skb, struct rf_packet *packet)
{
	const struct ipv6hdr *ip = (void *)(long)skb->data;
	const __u8 *transport = (void *)(ip + 1);

	if ((void *)(transport + 14) > (void *)(long)skb->data_end)
		return false;
	if (ip->nexthdr == IPPROTO_TCP)
		packet->tcp_flags = transport[13];
	else if (ip->nexthdr != IPPROTO_UDP)
		return false;
	packet->family = RF_AF_INET6;
	packet->protocol = ip->nexthdr;
	__builtin_memcpy(packet->source, &ip->saddr, 16);
	__builtin_memcpy(packet->destination, &ip->daddr, 16);
	packet->source_port = bpf_ntohs(*(const __be16 *)transport);
	packet->destination_port = bpf_ntohs(*(const __be16 *)(transport + 2));
	return true;
}

static __always_inline int rf_packet_parse6(struct __sk_buff *skb, struct rf_packet *packet)
{
	__u32 offset = sizeof(struct ipv6hdr);
	struct ipv6hdr ip;
	__u8 next, header[4];

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return -1;
	packet->family = RF_AF_INET6;
	__builtin_memcpy(packet->source, &ip.saddr, 16);
	__builtin_memcpy(packet->destination, &ip.daddr, 16);
	next = ip.nexthdr;
	for (int i = 0; i < RF_EXT_MAX; i++) {
		if (next != RF_IPPROTO_HOPOPTS && next != RF_IPPROTO_ROUTING && next != RF_IPPROTO_DSTOPTS &&
		    next != RF_IPPROTO_FRAGMENT && next != IPPROTO_AH) {
			packet->protocol = next;
			return rf_packet_ports(skb, offset, packet);
		}
		if (bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
			return -1;
		if (next == RF_IPPROTO_FRAGMENT) {
			packet->protocol = header[0];
			if (header[2] || (header[3] & 0xf8))
				return rf_packet_later(packet);
			offset += 8;
		} else if (next == IPPROTO_AH) {
			offset += (header[1] + 2) * 4;
		} else {
			offset += (header[1] + 1) * 8;
		}
		next = header[0];
	}
	return -1; /* a longer chain than any honest packet has */
}

/*
 * Options, extension headers, fragments, other protocols. Global, so that the
 * verifier looks at it once and not on every road that leads here; weak, as
 * each object that includes this has its own and the linker keeps one.
 */
__weak __noinline int rf_packet_parse_slow(struct __sk_buff *skb, struct rf_packet *packet)
{
	if (!packet)
		return -1;
	if (skb->protocol == bpf_htons(0x0800))
		return rf_packet_parse4(skb, packet);
	if (skb->protocol == bpf_htons(0x86dd))
		return rf_packet_parse6(skb, packet);
	return -1;
}

/* 0, or -1: too short or too strange to judge. */
static __always_inline int rf_packet_parse(struct __sk_buff *skb, struct rf_packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	if (skb->protocol == bpf_htons(0x0800) && rf_packet_parse4_linear(skb, packet))
		return 0;
	if (skb->protocol == bpf_htons(0x86dd) && rf_packet_parse6_linear(skb, packet))
		return 0;
	return rf_packet_parse_slow(skb, packet);
}

#endif

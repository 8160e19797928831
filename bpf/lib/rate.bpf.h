/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets, and what a packet costs. What passes is paid for: a bucket's time
 * moves on by what it takes at the rate. See include/ringfence/rate_map.h.
 */
#ifndef RF_BPF_RATE_H
#define RF_BPF_RATE_H

#include "identity.bpf.h"

#define RF_NSEC		     1000000000ULL
#define RF_ETH_P_IP	     0x0800
#define RF_UDP_HEADER_BYTES  8
#define RF_TCP_HEADER_BYTES  20
#define RF_IPV4_HEADER_BYTES 20
#define RF_IPV6_HEADER_BYTES 40

struct rf_rate_cost {
	__u64 of[RF_RATE_UNITS];
};

/* The headers that each segment of an offloaded packet will have; an estimate without options where it is odd. */
static __always_inline __u32 rf_segment_header(struct __sk_buff *skb)
{
	__u32 header, network = 0;
	__u8 protocol, byte;

	if (skb->protocol == bpf_htons(RF_ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, &byte, 1) || bpf_skb_load_bytes(skb, 9, &protocol, 1))
			return RF_IPV4_HEADER_BYTES;
		network = (byte & 0xf) * 4;
	} else {
		if (bpf_skb_load_bytes(skb, 6, &protocol, 1))
			return RF_IPV6_HEADER_BYTES;
		network = RF_IPV6_HEADER_BYTES;
	}
	if (protocol == IPPROTO_UDP)
		return network + RF_UDP_HEADER_BYTES;
	header = RF_TCP_HEADER_BYTES;
	if (protocol == IPPROTO_TCP && !bpf_skb_load_bytes(skb, network + 12, &byte, 1))
		header = (byte >> 4) * 4;
	return network + header;
}

/* As it goes over the wire: an offloaded packet is many, each with headers of its own. */
static __always_inline void rf_rate_cost(struct __sk_buff *skb, struct rf_rate_cost *cost)
{
	__u32 segments = skb->gso_segs;

	cost->of[RF_RATE_BYTES] = skb->len;
	cost->of[RF_RATE_PACKETS] = 1;
	if (segments <= 1)
		return;
	cost->of[RF_RATE_BYTES] += (__u64)(segments - 1) * rf_segment_header(skb);
	cost->of[RF_RATE_PACKETS] = segments;
}

/* When the bucket would let a packet go: now or earlier while it holds something. */
static __always_inline __u64 rf_bucket_free_at(const struct rf_rate_bucket *bucket, const struct rf_rate_limit *limit,
					       __u64 now)
{
	__u64 earliest = now > limit->burst_ns ? now - limit->burst_ns : 0;

	return bucket->paid_ns > earliest ? bucket->paid_ns : earliest;
}

static __always_inline void rf_bucket_take(struct rf_rate_bucket *bucket, const struct rf_rate_limit *limit, __u64 now,
					   __u64 units)
{
	__u64 due, rate = limit->per_second;

	if (!rate)
		return;
	due = units * RF_NSEC + bucket->remainder;
	bucket->paid_ns = rf_bucket_free_at(bucket, limit, now) + due / rate;
	bucket->remainder = due % rate;
}

/* The later of the two buckets decides. */
static __always_inline __u64 rf_rate_free_at(const struct rf_rate_bucket *buckets, const struct rf_rate_limit *limits,
					     __u64 now)
{
	__u64 at = 0;

	for (int unit = 0; unit < RF_RATE_UNITS; unit++) {
		__u64 free_at;

		if (!limits[unit].per_second)
			continue;
		free_at = rf_bucket_free_at(&buckets[unit], &limits[unit], now);
		if (free_at > at)
			at = free_at;
	}
	return at;
}

static __always_inline void rf_rate_take(struct rf_rate_bucket *buckets, const struct rf_rate_limit *limits, __u64 now,
					 const struct rf_rate_cost *cost)
{
	for (int unit = 0; unit < RF_RATE_UNITS; unit++)
		rf_bucket_take(&buckets[unit], &limits[unit], now, cost->of[unit]);
}

/* What was taken is given back: another one did not let the packet pass. */
static __always_inline void rf_bucket_give(struct rf_rate_bucket *bucket, const struct rf_rate_limit *limit,
					   __u64 units)
{
	__u64 due, rate = limit->per_second;

	if (!rate)
		return;
	due = units * RF_NSEC;
	if (bucket->remainder < due % rate) {
		bucket->remainder += rate;
		bucket->paid_ns--;
	}
	bucket->remainder -= due % rate;
	bucket->paid_ns -= due / rate;
}

static __always_inline void rf_rate_give(struct rf_rate_bucket *buckets, const struct rf_rate_limit *limits,
					 const struct rf_rate_cost *cost)
{
	for (int unit = 0; unit < RF_RATE_UNITS; unit++)
		rf_bucket_give(&buckets[unit], &limits[unit], cost->of[unit]);
}

static __always_inline struct rf_rate_limits *rf_rate_limits(__u32 rate)
{
	return bpf_map_lookup_elem(&rf_rate_map, &rate);
}

static __always_inline struct rf_rule_rate *rf_rule_rate(__u32 rate, __u8 direction, __u8 tier, __u16 rule)
{
	struct rf_rule_rate_key key = { .rate = rate, .rule = rule, .direction = direction, .tier = tier };

	return bpf_map_lookup_elem(&rf_rule_rate_map, &key);
}

#endif

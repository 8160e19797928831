/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits on TCP connections, of workloads whose bank says RF_BANK_CONNECTIONS,
 * and of those that a rule lets pass (RF_BANK_RULE_CONNECTIONS).
 *
 * A socket is counted once, which its own storage says, when its first packet
 * leaves or when a handshake that came in has made it; and taken off when it
 * closes, by bpf/connection.bpf.c. Connections that were open before there was a
 * limit are counted as they are seen and not cut.
 *
 * What comes in has no socket before the handshake ends: its first and its last
 * packet are let through while there is room, and whoever loses the race for
 * the last place has a socket that carries nothing until there is.
 *
 * Failure: closed. A connection that cannot be counted is denied.
 */
#ifndef RF_BPF_CONNECTION_H
#define RF_BPF_CONNECTION_H

#include "rate.bpf.h"

/* What came of asking: a verdict that must be told, by which rule and tier, and whether the flow may be remembered. */
#define RF_LIMIT_RULE(limited)	  ((__u16)(limited))
#define RF_LIMIT_VERDICT(limited) ((__u8)((limited) >> 16))
#define RF_LIMIT_DENY(rule)	  ((rule) | RF_DENY << 16)
#define RF_LIMIT_WOULD(rule)	  ((rule) | RF_WOULD_DENY << 16)
#define RF_LIMIT_FORGET		  (1u << 31)

/* How often somebody else may be faster. */
#define RF_CONNECTION_TRIES 8
/* So much of a second's connections may come at once after a pause. */
#define RF_CONNECTION_BURST 12

/* In an event: what decided, where it is a limit of @rule's. */
static __always_inline __u16 rf_rule_limited(__u16 limit, __u16 rule)
{
	return rule | (limit == RF_RULE_CONNECTIONS ? RF_RULE_OF_CONNECTIONS : RF_RULE_OF_CONNECTION_RATE);
}

static __always_inline struct rf_connections *rf_connections(__u32 workload)
{
	return bpf_map_lookup_elem(&rf_connections_map, &workload);
}

static __always_inline struct rf_connections *rf_rule_connections(__u64 id)
{
	return bpf_map_lookup_elem(&rf_rule_connections_map, &id);
}

static __always_inline struct rf_connections *rf_seat_connections(enum rf_seats which, __u64 of)
{
	return which == RF_SEAT_WORKLOAD ? rf_connections(of) : rf_rule_connections(of);
}

static __always_inline bool rf_seat_is_taken(const struct rf_seat *seat, __u64 of, const struct rf_connections *c)
{
	return RF_READ_ONCE(seat->of) == of && seat->epoch == c->epoch;
}

/* Takes the socket off the count of whom it was counted for, if that is still the same. */
static __always_inline void rf_seat_leave(struct rf_seat *seat, enum rf_seats which)
{
	__u64 of = __sync_lock_test_and_set(&seat->of, 0);
	struct rf_connections *c;

	if (!of)
		return;
	c = rf_seat_connections(which, of);
	if (c && c->epoch == seat->epoch)
		__sync_fetch_and_sub(&c->open, 1);
}

/* Counts a socket that is not counted. False: the limit is reached. Two CPUs may see the same socket: one counts it. */
static __always_inline bool rf_seat_enter(struct rf_seat *seat, enum rf_seats which, __u64 of, struct rf_connections *c,
					  __u32 limit)
{
	/* It may be counted for another workload that its cgroup was part of, or another rule that let it pass. */
	rf_seat_leave(seat, which);
	for (int i = 0; i < RF_CONNECTION_TRIES; i++) {
		__u32 open = RF_READ_ONCE(c->open);

		if (open >= limit)
			return false;
		if (__sync_val_compare_and_swap(&c->open, open, open + 1) != open)
			continue;
		seat->epoch = c->epoch;
		if (__sync_val_compare_and_swap(&seat->of, 0, of))
			__sync_fetch_and_sub(&c->open, 1);
		seat->refused = 0;
		return true;
	}
	return false;
}

/* A handshake that came in has made the socket. Without a place its packets are denied until there is one. */
static __always_inline void rf_seat_make(struct rf_seat *seat, enum rf_seats which, __u64 of, struct rf_connections *c,
					 __u32 limit)
{
	/* A connect() that met another on its way was counted when it went out. */
	if (!rf_seat_is_taken(seat, of, c) && !rf_seat_enter(seat, which, of, c, limit))
		seat->refused = of;
}

/* The socket ends. After this nobody counts it until it opens again: who comes late sees that it has closed. */
static __always_inline void rf_connection_close(struct rf_socket *socket)
{
	RF_WRITE_ONCE(socket->closed, 1);
	/* An atomic exchange comes next, and keeps the order. */
	for (int i = 0; i < RF_SEATS; i++)
		rf_seat_leave(&socket->seat[i], i);
}

/* A bucket whose burst is a part of a second, and one connection at least. */
static __always_inline bool rf_connection_take(__u64 *paid_ns, __u32 per_second, __u64 now, bool take)
{
	__u64 burst = per_second > RF_CONNECTION_BURST ? RF_NSEC / RF_CONNECTION_BURST : 0;
	__u64 earliest = now > burst ? now - burst : 0;

	if (!per_second)
		return true;
	for (int i = 0; i < RF_CONNECTION_TRIES; i++) {
		__u64 paid = RF_READ_ONCE(*paid_ns), from = paid > earliest ? paid : earliest;

		if (from > now)
			return false;
		if (!take || __sync_val_compare_and_swap(paid_ns, paid, from + RF_NSEC / per_second) == paid)
			return true;
	}
	return false;
}

/* One that opens, with room for it: at what rate, and what would those say that only report? */
static __always_inline __u32 rf_connection_rates(const struct rf_rate_limits *limits, struct rf_connections *c,
						 __u32 open)
{
	__u64 now = bpf_ktime_get_ns();

	if (!rf_connection_take(&c->paid_ns[RF_TIER_ENFORCE], limits->connections_per_second[RF_TIER_ENFORCE], now,
				true))
		return RF_LIMIT_DENY(RF_RULE_CONNECTION_RATE);
	if (open > limits->connections[RF_TIER_AUDIT])
		return RF_LIMIT_WOULD(RF_RULE_CONNECTIONS);
	if (!rf_connection_take(&c->paid_ns[RF_TIER_AUDIT], limits->connections_per_second[RF_TIER_AUDIT], now, true))
		return RF_LIMIT_WOULD(RF_RULE_CONNECTION_RATE);
	return 0;
}

/* connect() asks before there is a packet, so that it fails at once; what it is told is decided by the packet. */
static __always_inline __u32 rf_limit_peek(const struct rf_rate_limits *limits, struct rf_connections *c)
{
	if (!limits || !c)
		return 0;
	if (c->open >= limits->connections[RF_TIER_ENFORCE])
		return RF_LIMIT_DENY(RF_RULE_CONNECTIONS);
	if (!rf_connection_take(&c->paid_ns[RF_TIER_ENFORCE], limits->connections_per_second[RF_TIER_ENFORCE],
				bpf_ktime_get_ns(), false))
		return RF_LIMIT_DENY(RF_RULE_CONNECTION_RATE);
	return 0;
}

static __always_inline __u32 rf_connection_peek(__u32 workload, __u64 version)
{
	struct rf_workload_bank *bank = rf_workload_bank(workload, version);

	return bank ? rf_limit_peek(rf_rate_limits(bank->rate), rf_connections(workload)) : 0;
}

/* The same, of the rule of egress that lets the connection pass. */
static __always_inline __u32 rf_rule_peek(__u32 workload, __u64 version, __u16 rule)
{
	struct rf_workload_bank *bank = rf_workload_bank(workload, version);
	struct rf_rule_rate *rate;
	__u32 limited;

	rate = bank ? rf_rule_rate(bank->rate, RF_EGRESS, RF_TIER_ENFORCE, rule) : NULL;
	limited = rate ? rf_limit_peek(&rate->limits, rf_rule_connections(rate->id)) : 0;
	return limited ? RF_LIMIT_DENY(rf_rule_limited(RF_LIMIT_RULE(limited), rule)) : 0;
}

/* A packet of a handshake that comes in, which the listener gets. */
static __always_inline __u32 rf_connection_knock(const struct rf_rate_limits *limits, struct rf_connections *c,
						 bool opens)
{
	__u32 open = RF_READ_ONCE(c->open);

	if (open >= limits->connections[RF_TIER_ENFORCE])
		return RF_LIMIT_DENY(RF_RULE_CONNECTIONS);
	return RF_LIMIT_FORGET | (opens ? rf_connection_rates(limits, c, open + 1) : 0);
}

/* Whose limits a packet is asked about. */
struct rf_limit_of {
	const struct rf_rate_limits *limits;
	struct rf_connections *connections;
	__u64 of;
	enum rf_seats which;
};

/* A TCP packet that the rules let pass; @opens: the first of a connection. -1: it cannot be counted. */
static __always_inline __s64 rf_limit_ask(struct __sk_buff *skb, const struct rf_limit_of *limit_of, bool outgoing,
					  bool opens)
{
	const struct rf_rate_limits *limits = limit_of->limits;
	struct rf_connections *c = limit_of->connections;
	struct bpf_sock *sk = skb->sk;
	struct rf_socket *socket;
	struct rf_seat *seat;
	__u32 limited, limit;

	if (!sk)
		return -1;
	if (sk->state == BPF_TCP_LISTEN)
		return outgoing ? RF_LIMIT_FORGET : rf_connection_knock(limits, c, opens);
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return RF_LIMIT_FORGET;
	/* Written by hand: nobody would see it close. */
	if (sk->type != SOCK_STREAM)
		return opens ? -1 : RF_LIMIT_FORGET;
	socket = bpf_sk_storage_get(&rf_socket_map, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return -1;
	seat = &socket->seat[limit_of->which];
	if (rf_seat_is_taken(seat, limit_of->of, c))
		return 0;
	if (opens)
		RF_WRITE_ONCE(socket->closed, 0);
	else if (RF_READ_ONCE(socket->closed))
		return RF_LIMIT_FORGET;
	limit = limits->connections[RF_TIER_ENFORCE];
	/* Open since before there was a limit: neither made nor refused under it. */
	if (!opens && seat->refused != limit_of->of && sk->state != BPF_TCP_SYN_RECV)
		limit = RF_CONNECTIONS_ANY;
	if (!rf_seat_enter(seat, limit_of->which, limit_of->of, c, limit))
		return RF_LIMIT_DENY(RF_RULE_CONNECTIONS);
	if (!opens) {
		/* It may have closed meanwhile on another CPU, which then had nothing to take off. */
		if (RF_READ_ONCE(socket->closed))
			rf_seat_leave(seat, limit_of->which);
		return 0;
	}
	limited = rf_connection_rates(limits, c, RF_READ_ONCE(c->open));
	if (RF_LIMIT_VERDICT(limited) == RF_DENY)
		rf_seat_leave(seat, limit_of->which);
	return limited;
}

/* Of a workload with limits. Out of line: a chain of calls has 512 bytes. */
static __noinline __attribute__((unused)) __u32 rf_connection_admit(struct __sk_buff *skb, __u32 workload,
								    __u64 version, __u32 outgoing, __u32 opens)
{
	struct rf_workload_bank *bank = rf_workload_bank(workload, version);
	struct rf_limit_of of = { .of = workload, .which = RF_SEAT_WORKLOAD };
	__s64 limited = -1;

	of.limits = bank ? rf_rate_limits(bank->rate) : NULL;
	of.connections = rf_connections(workload);
	if (of.limits && of.connections)
		limited = rf_limit_ask(skb, &of, outgoing, opens);
	if (limited >= 0)
		return limited;
	rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_CONNECTION_STATE);
	return RF_LIMIT_DENY(RF_RULE_CONNECTIONS);
}

#endif

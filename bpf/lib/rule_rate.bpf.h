/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose rate a packet is under: of the rule that let its flow begin. Asked by
 * the programs of rates alone, and for each tier by itself, so that what is in
 * audit changes nothing of what is enforced.
 *
 * They run before the verdict, and find the rule as it does: a TCP packet's in
 * the direction its connection was opened in; of a protocol without a handshake
 * the first packet tells, and what comes back within two minutes is part of it,
 * if a rule let it begin. (Where none did, each way is asked by itself.) The
 * answer is remembered, and asked for again with every version of the
 * configuration; for protocols without a handshake also from time to time, as a
 * name may have been learnt meanwhile. What the rules deny is not remembered.
 */
#ifndef RF_BPF_RULE_RATE_H
#define RF_BPF_RULE_RATE_H

#include "connection.bpf.h"
#include "packet_flow.bpf.h"
#include "peer.bpf.h"

/* As long as an answer is expected, see RF_REPLY_NS. */
#define RF_RATE_FLOW_NS	      (120 * RF_NSEC)
#define RF_RATE_FLOW_FRESH_NS RF_NSEC
#define RF_RATE_FLOW_ASK_NS   (RF_NSEC / 4)

/* A packet of a workload whose rules of @tier have rates, and what is found of it. */
struct rf_rule_ask {
	struct rf_packet packet;
	__u64 version;
	__u64 cgroup_id;
	__u64 now;
	__u32 workload;
	__u8 outgoing;
	__u8 tier;
	__u8 opens;	/* the first of a TCP connection */
	__u8 direction; /* out: of the rule set */
	__u32 rate;	/* as in its bank */
	__u16 rule;	/* out: RF_RULE_DEFAULT: none */
	__u16 pad;
};

/* The verdict of the rule set of @direction, as rf_ruleset_decide() gives it. Out of line: a chain has 512 bytes. */
static __noinline __u32 rf_rule_decide(struct __sk_buff *skb, const struct rf_rule_ask *ask, __u32 direction,
				       bool lasts)
{
	struct rf_workload_bank *bank = rf_workload_bank(ask->workload, ask->version);
	__u32 ruleset;
	struct rf_flow flow;

	direction &= 1;
	ruleset = bank ? bank->ruleset[direction][ask->tier & 1] : 0;
	if (!bank || !ruleset)
		return RF_RULESET_ALLOW | RF_RULE_DEFAULT;
	rf_flow_of(&flow, &ask->packet, ask->cgroup_id, direction, ask->outgoing);
	flow.lasts = lasts;
	if (bank->flags & RF_BANK_PEERS(direction)) {
		flow.peer = rf_peer_by_address(&flow);
		if (flow.peer == RF_PEER_HOST_ID)
			flow.peer = rf_peer_by_packet(skb, &ask->packet, ask->outgoing);
		flow.self = flow.peer == bank->peer;
	}
	flow.owner = bank->flags & RF_BANK_NAMES ? bank->owner : 0;
	if (bank->flags & (RF_BANK_PEERS(direction) | RF_BANK_NAMES))
		rf_flow_more(ruleset, &flow);
	return rf_ruleset_decide(ruleset, &flow);
}

static __always_inline void rf_rate_flow_key(struct rf_rate_flow_key *key, const struct rf_rule_ask *ask)
{
	const struct rf_packet *packet = &ask->packet;
	const __u64 *remote = ask->outgoing ? packet->destination : packet->source;

	__builtin_memset(key, 0, sizeof(*key));
	key->remote[0] = remote[0];
	key->remote[1] = remote[1];
	key->cgroup_id = ask->cgroup_id;
	key->ports = ask->outgoing ? (__u32)packet->source_port << 16 | packet->destination_port :
				     (__u32)packet->destination_port << 16 | packet->source_port;
	key->protocol = packet->protocol;
	key->tier = ask->tier;
}

/* Only who really opens a connection may change what is known of one, and nobody who writes packets by hand. */
static __always_inline bool rf_packet_is_opening(struct __sk_buff *skb, const struct rf_rule_ask *ask)
{
	struct bpf_sock *sk = skb->sk;

	if (!rf_packet_opens(&ask->packet) || !sk)
		return false;
	return sk->state == (ask->outgoing ? BPF_TCP_SYN_SENT : BPF_TCP_LISTEN);
}

/* 1 + the direction that the flow was opened in, as far as is remembered; else 0. */
static __always_inline __u8 rf_rate_flow_opened(const struct rf_rate_flow *known, const struct rf_rule_ask *ask)
{
	if (!known || ask->opens)
		return 0;
	if (ask->packet.protocol != IPPROTO_TCP && ask->now - known->seen_ns > RF_RATE_FLOW_NS)
		return 0;
	return known->opened;
}

/* True: what is remembered answers, *@rule. */
static __always_inline bool rf_rate_flow_answers(const struct rf_rate_flow *known, const struct rf_rule_ask *ask,
						 __u8 opened)
{
	if (!known || ask->opens || known->version != ask->version)
		return false;
	if (ask->packet.protocol != IPPROTO_TCP && ask->now - known->asked_ns > RF_RATE_FLOW_ASK_NS)
		return false;
	return opened || known->none & 1u << !ask->outgoing;
}

static __always_inline bool rf_rule_lets(__u32 result)
{
	return result & RF_RULESET_ALLOW && (__u16)result != RF_RULE_DEFAULT;
}

/* Out of line, as is what follows, so that a key is on the stack only while it is needed. */
static __noinline struct rf_rate_flow *rf_rate_flow_get(const struct rf_rule_ask *ask)
{
	void *flows = rf_only_chunk(&rf_rate_flow_map);
	struct rf_rate_flow_key key;

	if (!flows)
		return NULL;
	rf_rate_flow_key(&key, ask);
	return bpf_map_lookup_elem(flows, &key);
}

/* What was found of the flow: @opened, else that packets of the directions @none are under no rule. */
static __noinline int rf_rate_flow_learn(const struct rf_rule_ask *ask, __u8 opened, __u8 none)
{
	struct rf_rate_flow flow = {
		.version = ask->version,
		.asked_ns = ask->now,
		.seen_ns = ask->now,
		.rule = ask->rule,
		.opened = opened,
		.none = none,
	};
	void *flows = rf_only_chunk(&rf_rate_flow_map);
	struct rf_rate_flow_key key;

	rf_rate_flow_key(&key, ask);
	if (!flows || bpf_map_update_elem(flows, &key, &flow, BPF_ANY))
		rf_error(ask->outgoing ? RF_HOOK_RATE_EGRESS : RF_HOOK_RATE_INGRESS, RF_ERROR_RATE_FLOW);
	return 0;
}

/* Nothing, or too little, is remembered of the flow. */
static __always_inline void rf_rule_find_slow(struct __sk_buff *skb, struct rf_rule_ask *ask,
					      const struct rf_rate_flow *known, __u8 opened)
{
	__u8 none = known && known->version == ask->version && !ask->opens ? known->none : 0;
	bool tcp = ask->packet.protocol == IPPROTO_TCP, came_in;
	__u32 result;

	if (opened)
		came_in = opened == 1 + RF_INGRESS;
	else if (!tcp || rf_packet_opens(&ask->packet))
		came_in = !ask->outgoing;
	else if (ask->packet.tcp_flags & RF_TCP_FLAG_SYN)
		came_in = ask->outgoing;
	else
		came_in = rf_local_listens(skb, &ask->packet, ask->outgoing);
	result = rf_rule_decide(skb, ask, came_in ? RF_INGRESS : RF_EGRESS, tcp ? !ask->opens : opened);
	if (!tcp && came_in == ask->outgoing && !rf_rule_lets(result)) {
		/* The rule that let it begin is gone. */
		came_in = !came_in;
		result = rf_rule_decide(skb, ask, came_in ? RF_INGRESS : RF_EGRESS, false);
	}
	ask->direction = came_in ? RF_INGRESS : RF_EGRESS;
	if (!(result & RF_RULESET_ALLOW))
		return;
	ask->rule = result;
	if (tcp || rf_rule_lets(result))
		rf_rate_flow_learn(ask, 1 + ask->direction, 0);
	else
		rf_rate_flow_learn(ask, 0, none | 1u << !ask->outgoing);
}

static __always_inline void rf_rule_find(struct __sk_buff *skb, struct rf_rule_ask *ask)
{
	struct rf_rate_flow *known;
	__u8 opened;

	ask->rule = RF_RULE_DEFAULT;
	/* Denied by the verdict. */
	if (rf_packet_parse(skb, &ask->packet))
		return;
	ask->now = bpf_ktime_get_ns();
	ask->opens = rf_packet_is_opening(skb, ask);
	known = rf_rate_flow_get(ask);
	opened = rf_rate_flow_opened(known, ask);
	if (!known || !rf_rate_flow_answers(known, ask, opened)) {
		rf_rule_find_slow(skb, ask, known, opened);
		return;
	}
	if (opened) {
		ask->rule = known->rule;
		ask->direction = opened - 1;
	}
	if (ask->now - known->seen_ns > RF_RATE_FLOW_FRESH_NS)
		known->seen_ns = ask->now;
}

/* Tells of a limit of the rule's. Out of line: the rare road. */
static __noinline int rf_rule_report(const struct rf_rule_ask *ask, __u32 limited)
{
	struct rf_workload_bank *bank = rf_workload_bank(ask->workload, ask->version);
	struct rf_decision decision = {
		.workload = ask->workload,
		.rule = rf_rule_limited(RF_LIMIT_RULE(limited), ask->rule),
		.verdict = RF_LIMIT_VERDICT(limited) & 0x7f,
		.tier = ask->tier,
	};
	struct rf_flow flow;

	if (bank)
		decision.ruleset = bank->ruleset[ask->direction & 1][ask->tier & 1];
	rf_flow_of(&flow, &ask->packet, ask->cgroup_id, ask->direction, ask->outgoing);
	rf_packet_report(&flow, &decision, &ask->packet, ask->outgoing ? RF_HOOK_RATE_EGRESS : RF_HOOK_RATE_INGRESS);
	return 0;
}

/* A TCP packet under a rule with limits on connections. False: they deny. */
static __noinline bool rf_rule_admit(struct __sk_buff *skb, const struct rf_rule_ask *ask,
				     const struct rf_rule_rate *rate)
{
	struct rf_limit_of of = { .limits = &rate->limits, .of = rate->id };
	__s64 limited = -1;

	of.connections = rf_rule_connections(rate->id);
	of.which = RF_SEAT_RULE + (ask->tier & 1);
	if (of.connections)
		limited = rf_limit_ask(skb, &of, ask->outgoing, rf_packet_opens(&ask->packet));
	if (limited < 0) {
		rf_error(ask->outgoing ? RF_HOOK_RATE_EGRESS : RF_HOOK_RATE_INGRESS, RF_ERROR_CONNECTION_STATE);
		/* What only reports denies nothing. */
		limited = ask->tier == RF_TIER_ENFORCE ? RF_LIMIT_DENY(RF_RULE_CONNECTIONS) : 0;
	}
	if (!RF_LIMIT_VERDICT(limited))
		return true;
	rf_rule_report(ask, limited);
	return RF_LIMIT_VERDICT(limited) != RF_DENY;
}

/*
 * Fills in @ask's rule. 0: its limits on connections deny the packet. Global, so that the verifier looks at it once.
 */
__weak __noinline int rf_rule_ask(struct __sk_buff *skb, struct rf_rule_ask *ask)
{
	struct rf_rule_rate *rate;

	if (!ask)
		return 0;
	rf_rule_find(skb, ask);
	if (ask->rule == RF_RULE_DEFAULT || ask->packet.protocol != IPPROTO_TCP)
		return 1;
	rate = rf_rule_rate(ask->rate, ask->direction, ask->tier, ask->rule);
	return !rate || !rate->connections || rf_rule_admit(skb, ask, rate);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet in the flow log: begins the record of its flow, adds to it, ends it.
 * Asked only for workloads whose policy wants flows logged. Nothing here
 * decides; what finds no room is counted (flow_log_full).
 */
#ifndef RF_BPF_LOG_PACKET_H
#define RF_BPF_LOG_PACKET_H

#include "flow.bpf.h"
#include "log.bpf.h"
#include "packet_flow.bpf.h"

/* What the slow road is given, and what it found. */
struct rf_judgement {
	struct rf_packet packet;
	struct rf_flow_id id;
	__u32 workload;
	__u8 outgoing;
	__u8 allowed; /* out: RF_FLOW_*, what may be remembered of the flow */
	__u8 pad[2];
	struct rf_decision decision; /* out */
};

static __always_inline void rf_log_key_of(struct rf_log_key *key, const struct rf_judgement *j)
{
	const struct rf_packet *packet = &j->packet;

	key->cgroup_id = j->id.cgroup_id;
	key->local[0] = j->outgoing ? packet->source[0] : packet->destination[0];
	key->local[1] = j->outgoing ? packet->source[1] : packet->destination[1];
	key->remote[0] = j->id.remote[0];
	key->remote[1] = j->id.remote[1];
	key->ports = j->id.ports;
	key->protocol = packet->protocol;
	key->family = packet->family;
	key->pad[0] = key->pad[1] = 0;
}

/* 1: the flow has begun. One that was denied has not: what there is to tell of it is told at once. Out of line. */
static __noinline int rf_log_begin(struct __sk_buff *skb, const struct rf_log_key *key, const struct rf_judgement *j)
{
	const struct rf_decision *decision = &j->decision;
	struct rf_log log = {};

	log.start_ns = log.last_ns = bpf_ktime_get_boot_ns();
	if (j->outgoing) {
		log.bytes[RF_EGRESS] = skb->len;
		log.packets[RF_EGRESS] = 1;
	} else {
		log.bytes[RF_INGRESS] = skb->len;
		log.packets[RF_INGRESS] = 1;
	}
	log.workload = decision->workload;
	log.ruleset = decision->ruleset;
	log.rule = decision->rule;
	log.verdict = decision->verdict;
	log.tier = decision->tier;
	log.direction = decision->direction;
	log.class = decision->class;
	if (decision->verdict == RF_DENY) {
		rf_log_send(key, &log, RF_REASON_CUT);
		return 0;
	}
	if (!rf_log_has_room(log.workload) || bpf_map_update_elem(&rf_log_map, key, &log, BPF_NOEXIST)) {
		rf_error(j->outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_FLOW_LOG_FULL);
		return 0;
	}
	rf_log_flows_add(log.workload, 1);
	return 1;
}

/* What TCP knows of the connection, for its end. */
static __always_inline void rf_log_tcp(struct __sk_buff *skb, struct rf_log *log)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tcp;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	tcp = sk ? bpf_tcp_sock(sk) : NULL;
	if (!tcp)
		return;
	log->retransmits = tcp->total_retrans;
	log->rtt_us = tcp->srtt_us >> 3;
}

/*
 * A packet of a workload some of whose flows are logged; @judged: its verdict is known, else that it passes. 1: its
 * flow is one of them. A forged reset may end a flow in the log too early: what still comes is another flow then.
 */
static __noinline int rf_log_packet(struct __sk_buff *skb, struct rf_judgement *j, bool judged)
{
	struct rf_workload_bank *bank;
	struct rf_log_key key;
	struct rf_log *log;

	if (judged) {
		bank = rf_workload_bank(j->decision.workload, j->id.version);
		if (!bank || !bank->flow_sample ||
		    !rf_log_is_sampled(j->id.cgroup_id, j->id.remote[0], j->id.remote[1], j->id.ports,
				       j->packet.protocol, bank->flow_sample))
			return 0;
	}
	rf_log_key_of(&key, j);
	log = bpf_map_lookup_elem(&rf_log_map, &key);
	if (!log) {
		if (!judged)
			return 0;
		if (!rf_log_begin(skb, &key, j))
			return 1;
		log = bpf_map_lookup_elem(&rf_log_map, &key);
		if (log)
			rf_log_send(&key, log, RF_REASON_OPEN);
	} else if (judged && j->decision.verdict == RF_DENY) {
		/* What was denied is no part of the flow: it is in the accounts. */
		log->verdict = RF_DENY;
		log->tier = j->decision.tier;
		log->ruleset = j->decision.ruleset;
		log->rule = j->decision.rule;
		rf_log_end(&key, log, RF_REASON_CUT);
		return 1;
	} else {
		log->last_ns = bpf_ktime_get_boot_ns();
		if (j->outgoing) {
			__sync_fetch_and_add(&log->bytes[RF_EGRESS], skb->len);
			__sync_fetch_and_add(&log->packets[RF_EGRESS], 1);
		} else {
			__sync_fetch_and_add(&log->bytes[RF_INGRESS], skb->len);
			__sync_fetch_and_add(&log->packets[RF_INGRESS], 1);
		}
	}
	if (log && j->packet.tcp_flags & RF_TCP_FLAG_RST) {
		rf_log_tcp(skb, log);
		rf_log_end(&key, log, RF_REASON_CLOSED);
	}
	return 1;
}

#endif

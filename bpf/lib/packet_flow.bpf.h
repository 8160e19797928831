/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet to its flow: which way it was opened, what rules are asked
 * about it, and how a denial of it is told.
 */
#ifndef RF_BPF_PACKET_FLOW_H
#define RF_BPF_PACKET_FLOW_H

#include "packet.bpf.h"
#include "submit.bpf.h"
#include "verdict.bpf.h"

/*
 * Counts a denial (or would-be one) and reports it on the audit lane. @process is a constant: packet programs may not
 * ask who current is on every kernel, and often it is nobody in particular.
 */
static __always_inline void rf_flow_report(const struct rf_flow *flow, const struct rf_decision *decision,
					   const struct rf_packet *packet, enum rf_hook hook, bool process)
{
	bool egress = flow->direction == RF_EGRESS, deny = decision->verdict == RF_DENY;
	struct rf_event_flow *event;

	if (egress)
		rf_count(decision->workload, deny ? RF_COUNTER_EGRESS_DENY : RF_COUNTER_EGRESS_WOULD, 1);
	else
		rf_count(decision->workload, deny ? RF_COUNTER_INGRESS_DENY : RF_COUNTER_INGRESS_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_FLOW_DENY, struct rf_event_flow, decision->workload, flow->cgroup_id,
				 process);
	if (!event)
		return;
	event->header.verdict = decision->verdict;
	event->family = flow->family;
	event->protocol = flow->protocol;
	event->direction = flow->direction;
	event->tier = decision->tier;
	__builtin_memset(event->local, 0, sizeof(event->local));
	if (packet) {
		event->local_port = egress ? packet->source_port : packet->destination_port;
		event->remote_port = egress ? packet->destination_port : packet->source_port;
		__builtin_memcpy(event->local, egress ? packet->source : packet->destination, 16);
	} else {
		event->local_port = 0;
		event->remote_port = flow->port;
	}
	__builtin_memcpy(event->remote, flow->addr, 16);
	event->ruleset = decision->ruleset;
	event->rule = decision->rule;
	event->hook = hook;
	rf_audit_submit(event);
}

/* Out of line: the rare road of two programs. */
static __noinline __attribute__((unused)) int rf_packet_report(const struct rf_flow *flow,
							       const struct rf_decision *decision,
							       const struct rf_packet *packet, enum rf_hook hook)
{
	rf_flow_report(flow, decision, packet, hook, false);
	return 0;
}

static __always_inline void rf_flow_of(struct rf_flow *flow, const struct rf_packet *packet, __u64 cgroup_id,
				       enum rf_direction direction, bool outgoing)
{
	const __u64 *peer = outgoing ? packet->destination : packet->source;
	__u16 local = outgoing ? packet->source_port : packet->destination_port;
	__u16 remote = outgoing ? packet->destination_port : packet->source_port;

	__builtin_memset(flow, 0, sizeof(*flow));
	flow->addr[0] = peer[0];
	flow->addr[1] = peer[1];
	flow->family = packet->family;
	if (packet->family == RF_AF_INET6 && rf_addr_is_mapped(peer)) {
		flow->family = RF_AF_INET;
		flow->addr[0] = peer[1] >> 32;
		flow->addr[1] = 0;
	}
	flow->cgroup_id = cgroup_id;
	flow->protocol = packet->protocol;
	flow->direction = direction;
	flow->port = direction == RF_EGRESS ? remote : local;
}

/* Does a socket listen where this flow ends on our side? */
static __noinline __attribute__((unused)) bool rf_local_listens(struct __sk_buff *skb, const struct rf_packet *packet,
								bool outgoing)
{
	const __u64 *local = outgoing ? packet->source : packet->destination;
	const __u64 *remote = outgoing ? packet->destination : packet->source;
	__u16 port = outgoing ? packet->source_port : packet->destination_port;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	bool listens;

	/* No peer has port 0: the lookup passes over the connection itself. */
	if (packet->family == RF_AF_INET) {
		tuple.ipv4.saddr = remote[0];
		tuple.ipv4.daddr = local[0];
		tuple.ipv4.dport = bpf_htons(port);
		sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), RF_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, remote, 16);
		__builtin_memcpy(tuple.ipv6.daddr, local, 16);
		tuple.ipv6.dport = bpf_htons(port);
		sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), RF_CURRENT_NETNS, 0);
	}
	if (!sk)
		return false;
	listens = sk->state == BPF_TCP_LISTEN;
	bpf_sk_release(sk);
	return listens;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who the other end of a flow is. Asked only for rules that choose peers by
 * what they are, once a flow.
 *
 * An address is somebody's (a pod's, a workload's with a network of its own),
 * the host's, or the world's. Behind the host's addresses and loopback are many:
 * there the socket at the other end tells, in the network namespace of the flow.
 */
#ifndef RF_BPF_PEER_H
#define RF_BPF_PEER_H

#include "packet.bpf.h"
#include "verdict.bpf.h"

static __noinline __u32 rf_peer_by_address(const struct rf_flow *flow)
{
	__u32 *found = rf_address_owner(flow->addr[0], flow->addr[1], flow->family);

	if (found)
		return *found;
	return rf_address_is_loopback(flow->addr[0], flow->addr[1], flow->family) ? RF_PEER_HOST_ID : RF_PEER_WORLD_ID;
}

/* A socket of a workload is that workload's; any other one of the host is the host's. */
static __always_inline __u32 rf_peer_of_cgroup(__u64 cgroup_id)
{
	__u32 workload = rf_workload_of(cgroup_id);
	struct rf_workload_bank *bank;

	if (workload < RF_WORKLOAD_FIRST)
		return RF_PEER_HOST_ID;
	bank = rf_workload_bank(workload, RF_READ_ONCE(rf_config.version));
	return bank && bank->peer ? bank->peer : workload;
}

/* What the other end's kernel would look up for the packets that it gets in this flow. */
static __always_inline __u32 rf_peer_tuple(struct bpf_sock_tuple *tuple, const struct rf_packet *packet, bool outgoing)
{
	const __u64 *theirs = outgoing ? packet->destination : packet->source;
	const __u64 *ours = outgoing ? packet->source : packet->destination;
	__be16 their_port = bpf_htons(outgoing ? packet->destination_port : packet->source_port);
	__be16 our_port = bpf_htons(outgoing ? packet->source_port : packet->destination_port);

	if (packet->family == RF_AF_INET) {
		tuple->ipv4.saddr = ours[0];
		tuple->ipv4.daddr = theirs[0];
		tuple->ipv4.sport = our_port;
		tuple->ipv4.dport = their_port;
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, ours, 16);
	__builtin_memcpy(tuple->ipv6.daddr, theirs, 16);
	tuple->ipv6.sport = our_port;
	tuple->ipv6.dport = their_port;
	return sizeof(tuple->ipv6);
}

static __noinline __attribute__((unused)) __u32 rf_peer_by_packet(struct __sk_buff *skb, const struct rf_packet *packet,
								  bool outgoing)
{
	bool v4 = packet->family == RF_AF_INET;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u64 cgroup_id;

	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return RF_PEER_HOST_ID;
	rf_peer_tuple(&tuple, packet, outgoing);
	/* The size must be a constant to the verifier. */
	if (packet->protocol == IPPROTO_TCP)
		sk = v4 ? bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), RF_CURRENT_NETNS, 0) :
			  bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), RF_CURRENT_NETNS, 0);
	else
		sk = v4 ? bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), RF_CURRENT_NETNS, 0) :
			  bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv6), RF_CURRENT_NETNS, 0);
	if (!sk)
		return RF_PEER_HOST_ID;
	cgroup_id = bpf_sk_cgroup_id(sk);
	bpf_sk_release(sk);
	return rf_peer_of_cgroup(cgroup_id);
}

/* connect(): the listener at the other end. Its cgroup is read by CO-RE: this kind of program has no helper for it. */
static __noinline __attribute__((unused)) __u32 rf_peer_by_listener(struct bpf_sock_addr *ctx,
								    const struct rf_flow *flow)
{
	struct bpf_sock_tuple tuple = {};
	struct tcp_sock *tcp;
	struct bpf_sock *sk;
	__u64 cgroup_id = 0;

	if (flow->family == RF_AF_INET) {
		tuple.ipv4.daddr = flow->addr[0];
		tuple.ipv4.dport = bpf_htons(flow->port);
		sk = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), RF_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.daddr, flow->addr, 16);
		tuple.ipv6.dport = bpf_htons(flow->port);
		sk = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), RF_CURRENT_NETNS, 0);
	}
	if (!sk)
		return RF_PEER_HOST_ID;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		cgroup_id = BPF_CORE_READ(tcp, inet_conn.icsk_inet.sk.sk_cgrp_data.cgroup, kn, id);
	bpf_sk_release(sk);
	return rf_peer_of_cgroup(cgroup_id);
}

/* The decision that was put off until the peer is known. */
static __always_inline void rf_peer_decide(struct rf_flow *flow, __u32 peer, __u64 version,
					   struct rf_decision *decision)
{
	flow->peer = peer;
	flow->self = peer == decision->ruleset;
	rf_flow_decide(flow, version, decision);
}

#endif

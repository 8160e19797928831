// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of workloads that have a limit on them, as they come in and as
 * they close. Attached while some workload has one.
 *
 * hook                 decides
 * socket_state         nothing; counts a socket that a handshake has made, and takes off one that closes
 * socket_state_again   the same once more
 *
 * The kernel does not run a tracing program that it has interrupted: a connection that closes in a softirq while
 * socket_state runs for another on this CPU would keep its place for ever. Of two programs only one can be
 * interrupted, and the other one runs. What they do for a socket they do once, whoever comes first.
 *
 * Every TCP socket that was in use ends in TCP_CLOSE, however it ends: closed, reset,
 * refused, timed out, its owner killed. Bound: one look at the socket's storage.
 * Failure: closed; a socket that is not taken off keeps its place.
 */
#include "lib/connection.bpf.h"
#include "lib/packet.bpf.h"

char _license[] SEC("license") = "GPL";

static __always_inline void rf_connection_made(struct sock *sk, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	struct rf_workload_bank *bank;
	struct rf_rate_limits *limits;
	struct rf_connections *c;
	struct rf_socket *socket;
	__u32 workload;

	workload = rf_workload_of(BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id));
	if (workload == RF_WORKLOAD_NONE)
		return;
	rf_hook_seen(hook, workload);
	bank = rf_workload_bank(workload, version);
	if (!bank || !(bank->flags & RF_BANK_CONNECTIONS))
		return;
	limits = rf_rate_limits(bank->rate);
	c = rf_connections(workload);
	socket = bpf_sk_storage_get(&rf_socket_map, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!limits || !c || !socket) {
		rf_error(hook, RF_ERROR_CONNECTION_STATE);
		return;
	}
	rf_seat_make(&socket->seat[RF_SEAT_WORKLOAD], RF_SEAT_WORKLOAD, workload, c,
		     limits->connections[RF_TIER_ENFORCE]);
}

/* The flow as the packets of its handshake were looked up. */
static __always_inline void rf_flow_key_of(struct rf_rate_flow_key *key, struct sock *sk)
{
	struct in6_addr remote;

	__builtin_memset(key, 0, sizeof(*key));
	key->cgroup_id = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	key->ports = (__u32)BPF_CORE_READ(sk, __sk_common.skc_num) << 16 |
		     bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	key->protocol = IPPROTO_TCP;
	BPF_CORE_READ_INTO(&remote, sk, __sk_common.skc_v6_daddr);
	__builtin_memcpy(key->remote, &remote, sizeof(key->remote));
	/* An IPv4 peer of a socket of either family. */
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == RF_AF_INET || rf_addr_is_mapped(key->remote)) {
		key->remote[0] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		key->remote[1] = 0;
	}
}

/*
 * Which rule let it come in is known since the last packet of its handshake, a moment ago; before now the socket had no
 * addresses. Where it is known no more, its first packet counts it, above the limit, if need be.
 */
static __always_inline void rf_connection_made_by_rule(struct sock *sk, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	void *flows = rf_only_chunk(&rf_rate_flow_map);
	struct rf_rate_flow_key key;
	struct rf_workload_bank *bank;
	struct rf_rate_flow *flow;
	struct rf_rule_rate *rate;
	struct rf_connections *c;
	struct rf_socket *socket;
	__u32 workload;

	workload = rf_workload_of(BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id));
	bank = rf_workload_bank(workload, version);
	if (workload == RF_WORKLOAD_NONE || !bank || !(bank->flags & RF_BANK_RULE_CONNECTIONS))
		return;
	rf_flow_key_of(&key, sk);
	for (int tier = 0; tier < RF_TIERS; tier++) {
		if (!(bank->flags & RF_BANK_RULE_RATES(tier)))
			continue;
		key.tier = tier;
		flow = flows ? bpf_map_lookup_elem(flows, &key) : NULL;
		if (!flow || flow->version != version) {
			rf_error(hook, RF_ERROR_CONNECTION_STATE);
			continue;
		}
		if (flow->opened != 1 + RF_INGRESS || flow->rule == RF_RULE_DEFAULT)
			continue;
		rate = rf_rule_rate(bank->rate, RF_INGRESS, tier, flow->rule);
		c = rate ? rf_rule_connections(rate->id) : NULL;
		if (!c)
			continue;
		socket = bpf_sk_storage_get(&rf_socket_map, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (socket)
			rf_seat_make(&socket->seat[RF_SEAT_RULE + tier], RF_SEAT_RULE, rate->id, c,
				     rate->limits.connections[RF_TIER_ENFORCE]);
		else
			rf_error(hook, RF_ERROR_CONNECTION_STATE);
	}
}

/* A socket that is not counted yet may be about to be: then what follows must know that it is too late. */
static __always_inline bool rf_is_limited(struct sock *sk)
{
	__u32 workload = rf_workload_of(BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id));
	struct rf_workload_bank *bank = rf_workload_bank(workload, RF_READ_ONCE(rf_config.version));

	return workload != RF_WORKLOAD_NONE && bank && bank->flags & (RF_BANK_CONNECTIONS | RF_BANK_RULE_CONNECTIONS);
}

static __always_inline void rf_socket_changed(struct sock *sk, int before, int state, enum rf_hook hook)
{
	struct rf_socket *socket;

	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	if (state == BPF_TCP_SYN_RECV) {
		rf_connection_made(sk, hook);
	} else if (state == BPF_TCP_ESTABLISHED && before == BPF_TCP_SYN_RECV) {
		rf_connection_made_by_rule(sk, hook);
	} else if (state == BPF_TCP_CLOSE) {
		socket = bpf_sk_storage_get(&rf_socket_map, sk, NULL,
					    rf_is_limited(sk) ? BPF_SK_STORAGE_GET_F_CREATE : 0);
		if (socket)
			rf_connection_close(socket);
	}
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(rf_socket_state, struct sock *sk, int before, int state)
{
	rf_socket_changed(sk, before, state, RF_HOOK_SOCKET_STATE);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(rf_socket_state_again, struct sock *sk, int before, int state)
{
	rf_socket_changed(sk, before, state, RF_HOOK_SOCKET_AGAIN);
	return 0;
}

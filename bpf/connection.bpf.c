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
	/* A connect() that met another on its way was counted when it went out. */
	if (rf_connection_is_counted(socket, workload, c))
		return;
	/* Without a place its packets are denied until there is one. */
	rf_connection_enter(socket, workload, c, limits->connections[RF_TIER_ENFORCE]);
}

/* A socket that is not counted yet may be about to be: then what follows must know that it is too late. */
static __always_inline bool rf_is_limited(struct sock *sk)
{
	__u32 workload = rf_workload_of(BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id));
	struct rf_workload_bank *bank = rf_workload_bank(workload, RF_READ_ONCE(rf_config.version));

	return workload != RF_WORKLOAD_NONE && bank && bank->flags & RF_BANK_CONNECTIONS;
}

static __always_inline void rf_socket_changed(struct sock *sk, int state, enum rf_hook hook)
{
	struct rf_socket *socket;

	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	if (state == BPF_TCP_SYN_RECV) {
		rf_connection_made(sk, hook);
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
	rf_socket_changed(sk, state, RF_HOOK_SOCKET_STATE);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(rf_socket_state_again, struct sock *sk, int before, int state)
{
	rf_socket_changed(sk, state, RF_HOOK_SOCKET_AGAIN);
	return 0;
}

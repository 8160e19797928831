// SPDX-License-Identifier: GPL-2.0-only
/*
 * What TCP knows of the connections of managed workloads.
 *
 * hook              decides
 * tcp_retransmit    nothing; counts the segments that are sent again
 * tcp_destroy       nothing; takes the round-trip time of a socket that goes, and ends its flow in the log
 *
 * Every TCP socket goes once, whatever its end, with softirqs off: these
 * programs do not interrupt themselves. One that its own side aborts (SO_LINGER
 * with 0 seconds) has forgotten its round-trip time by then. Bound: one look at what this CPU
 * remembers of the flow, else two lookups. Failure: not counted.
 */
#include "lib/account.bpf.h"
#include "lib/flow.bpf.h"
#include "lib/log.bpf.h"

char _license[] SEC("license") = "GPL";

/* The flow's id, as its packets have it. False: it has no other end. */
static __always_inline bool rf_tcp_flow(const struct sock *sk, const struct tcp_sock *tcp, struct rf_flow_id *id)
{
	__u32 remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	const __u64 *v6;

	if (!remote_port)
		return false;
	id->remote[0] = sk->__sk_common.skc_daddr;
	id->remote[1] = 0;
	id->protocol = IPPROTO_TCP;
	/* Not skc_num: a socket that goes has given its port back. */
	id->ports = (__u32)bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport) << 16 | remote_port;
	id->version = RF_READ_ONCE(rf_config.version);
	id->cgroup_id = sk->sk_cgrp_data.cgroup->kn->id;
	if (sk->__sk_common.skc_family != RF_AF_INET6)
		return true;
	v6 = (const __u64 *)&sk->__sk_common.skc_v6_daddr;
	if (!v6[0] && (__u32)v6[1] == bpf_htonl(0xffff))
		return true; /* its packets are IPv4 */
	id->remote[0] = v6[0];
	id->remote[1] = v6[1];
	return true;
}

/* Where the flow is accounted; below RF_PEER_CLASSES: nowhere. *@logged: it may be in the flow log. */
static __always_inline __u32 rf_tcp_row(const struct rf_flow_id *id, __u32 family, bool *logged)
{
	const struct rf_flow_entry *entry = rf_flow_entry(id);
	struct rf_workload_bank *bank;
	__u32 workload;

	if (rf_likely(entry && rf_flow_is(entry, id))) {
		*logged = entry->allowed & RF_FLOW_PASSES << RF_FLOW_LOGGED_SHIFT;
		return entry->row;
	}
	workload = rf_workload_of(id->cgroup_id);
	if (workload == RF_WORKLOAD_NONE)
		return 0;
	bank = rf_workload_bank(workload, id->version);
	*logged = bank && bank->flow_sample;
	return RF_ACCOUNT(workload, rf_class_of(id->remote[0], id->remote[1], family));
}

/* The family of its packets. */
static __always_inline __u32 rf_tcp_family(const struct sock *sk, const struct rf_flow_id *id)
{
	return sk->__sk_common.skc_family == RF_AF_INET6 && (id->remote[1] || id->remote[0] >> 32) ? RF_AF_INET6 :
												     RF_AF_INET;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(rf_tcp_retransmit, const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (const struct tcp_skb_cb *)skb->cb;
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock((struct sock *)sk);
	struct rf_account *account;
	struct rf_flow_id id;
	bool logged = false;
	__u32 row;

	if (!tcp || !rf_tcp_flow(sk, tcp, &id))
		return 0;
	row = rf_tcp_row(&id, rf_tcp_family(sk, &id), &logged);
	if (row < RF_PEER_CLASSES)
		return 0;
	rf_hook_seen_by(RF_HOOK_TCP_RETRANSMIT, row);
	account = rf_account(row);
	if (account)
		__sync_fetch_and_add(&account->retransmits, BPF_CORE_READ(cb, tcp_gso_segs));
	return 0;
}

/* The flow ends in the log with what TCP knows of it. */
static __noinline int rf_tcp_log_end(const struct rf_flow_id *id, struct sock *sk, __u32 family)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct rf_log_key key = { .cgroup_id = id->cgroup_id };
	const __u64 *local = (const __u64 *)&sk->__sk_common.skc_v6_rcv_saddr;
	struct rf_log *log;

	key.local[0] = family == RF_AF_INET6 ? local[0] : sk->__sk_common.skc_rcv_saddr;
	key.local[1] = family == RF_AF_INET6 ? local[1] : 0;
	key.remote[0] = id->remote[0];
	key.remote[1] = id->remote[1];
	key.ports = id->ports;
	key.protocol = IPPROTO_TCP;
	key.family = family;
	log = bpf_map_lookup_elem(&rf_log_map, &key);
	if (!log || !tcp)
		return 0;
	log->retransmits = tcp->total_retrans;
	log->rtt_us = tcp->srtt_us >> 3;
	rf_log_end(&key, log, RF_REASON_CLOSED);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(rf_tcp_destroy, struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct rf_account *account;
	struct rf_flow_id id;
	bool logged = false;
	__u32 row, srtt;

	if (!tcp || !rf_tcp_flow(sk, tcp, &id))
		return 0;
	row = rf_tcp_row(&id, rf_tcp_family(sk, &id), &logged);
	if (row < RF_PEER_CLASSES)
		return 0;
	rf_hook_seen_by(RF_HOOK_TCP_DESTROY, row);
	if (rf_unlikely(logged))
		rf_tcp_log_end(&id, sk, rf_tcp_family(sk, &id));
	srtt = tcp->srtt_us;
	account = rf_account(row);
	if (!account || !srtt)
		return 0; /* without one it was never open */
	/* The kernel keeps eight times the average. */
	__sync_fetch_and_add(&account->rtt_us, srtt >> 3);
	__sync_fetch_and_add(&account->rtt_samples, 1);
	return 0;
}

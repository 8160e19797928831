// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that addresses and ports say nothing of. Each program is attached
 * while some workload has a policy that speaks of its kind.
 *
 * hook                 decides
 * sock_create          whether a raw IPv4 or IPv6 socket is made
 * socket_create        whether a packet, vsock or netlink socket is made (level 1)
 * socket_connect       whether a vsock socket connects, which another cgroup may have made (level 1)
 * unix_stream_connect  whether a Unix stream or packet connection is made between two workloads (level 1)
 * unix_may_send        the same for Unix datagrams: at connect() and with each of them (level 1)
 *
 * The acting end is the cgroup that current is in now, the other end that in
 * which the socket was made. What is in no workload is the host's and passes,
 * and so does what the kernel makes for itself. What is open already stays.
 *
 * Of a connection between tenants each end may have denied it, by network.sockets
 * or by isolation: both are asked.
 *
 * Bound: two lookups, four where there are two ends. Failure: open; an end that
 * is not known is taken for the host's. None of these can be skipped: what a
 * tracing program loses when it is interrupted, these hooks do not.
 */
#include "lib/isolation.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_AF_UNIX    1
#define RF_AF_NETLINK 16
#define RF_AF_PACKET  17
#define RF_AF_VSOCK   40
#define RF_AF_XDP     44

/* An end of what is asked for, and what that is. */
struct rf_socket_case {
	__u64 cgroup_id;
	__u32 workload;
	__u32 peer; /* RF_WORKLOAD_NONE: there is no other end */
	__u32 protocol;
	__u16 family;
	__u16 type;
	enum rf_socket_kind kind;
	enum rf_direction direction;
};

static __always_inline bool rf_socket_is_denied(const struct rf_socket_limits *limits, const struct rf_socket_case *c)
{
	if (!(limits->deny & 1u << c->kind))
		return false;
	return c->kind != RF_SOCKET_NETLINK || c->protocol >= RF_NETLINK_FAMILIES ||
	       !(limits->netlink >> c->protocol & 1);
}

static __always_inline __u16 rf_socket_rule(const struct rf_socket_case *c)
{
	if (c->kind != RF_SOCKET_NETLINK)
		return c->kind;
	return RF_SOCKET_NETLINK + (c->protocol < RF_NETLINK_FAMILIES ? c->protocol : RF_NETLINK_FAMILIES);
}

/* True: denied. */
static __always_inline bool rf_socket_judge(const struct rf_workload_bank *bank, const struct rf_socket_case *c)
{
	bool enforced = rf_socket_is_denied(&bank->sockets[RF_TIER_ENFORCE], c);
	struct rf_event_socket *event;

	if (!enforced && !rf_socket_is_denied(&bank->sockets[RF_TIER_AUDIT], c))
		return false;
	rf_count(c->workload, enforced ? RF_COUNTER_SOCKET_DENY : RF_COUNTER_SOCKET_WOULD, 1);
	/* Where the peer acts, current is not a process of this workload. */
	event = rf_audit_reserve(RF_EVENT_SOCKET_DENY, struct rf_event_socket, c->workload, c->cgroup_id,
				 c->direction == RF_EGRESS);
	if (event) {
		event->header.verdict = enforced ? RF_DENY : RF_WOULD_DENY;
		event->family = c->family;
		event->type = c->type;
		event->protocol = c->protocol;
		event->peer_workload = c->peer;
		event->rule = rf_socket_rule(c);
		event->tier = enforced ? RF_TIER_ENFORCE : RF_TIER_AUDIT;
		event->direction = c->direction;
		rf_audit_submit(event);
	}
	return enforced;
}

/* Current makes or uses a socket of its own. True: denied. */
static __always_inline bool rf_socket_used(struct rf_socket_case *c, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	struct rf_workload_bank *bank;

	c->cgroup_id = bpf_get_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, version);
	if (c->workload == RF_WORKLOAD_NONE)
		return false;
	rf_hook_seen(hook, c->workload);
	bank = rf_workload_bank(c->workload, version);
	return bank && rf_socket_judge(bank, c);
}

/* No policy speaks of it: the self-test alone wants to know that the hook ran. */
static __always_inline void rf_socket_passes(enum rf_hook hook)
{
	if (rf_unlikely(bpf_get_current_cgroup_id() == rf_config.probe_cgroup))
		rf_hook_seen(hook, RF_WORKLOAD_PROBE);
}

SEC("cgroup/sock_create")
int rf_sock_create(struct bpf_sock *ctx)
{
	struct rf_socket_case c = {
		.family = ctx->family, .type = ctx->type, .protocol = ctx->protocol, .kind = RF_SOCKET_RAW
	};

	if (ctx->type != SOCK_RAW) {
		rf_socket_passes(RF_HOOK_SOCK_CREATE);
		return 1;
	}
	return rf_socket_used(&c, RF_HOOK_SOCK_CREATE) ? 0 : 1;
}

SEC("lsm/socket_create")
int BPF_PROG(rf_socket_create, int family, int type, int protocol, int kern, int ret)
{
	struct rf_socket_case c = { .family = family, .type = type, .protocol = protocol };

	if (ret || kern)
		return ret;
	switch (family) {
	case RF_AF_PACKET:
	case RF_AF_XDP:
		c.kind = RF_SOCKET_PACKET;
		break;
	case RF_AF_VSOCK:
		c.kind = RF_SOCKET_VSOCK;
		break;
	case RF_AF_NETLINK:
		c.kind = RF_SOCKET_NETLINK;
		break;
	default:
		rf_socket_passes(RF_HOOK_SOCKET_CREATE);
		return 0;
	}
	return rf_lsm_verdict(rf_socket_used(&c, RF_HOOK_SOCKET_CREATE));
}

SEC("lsm/socket_connect")
int BPF_PROG(rf_socket_connect, struct socket *socket, struct sockaddr *address, int len, int ret)
{
	struct rf_socket_case c = { .family = BPF_CORE_READ(socket, sk, __sk_common.skc_family),
				    .type = BPF_CORE_READ(socket, sk, sk_type),
				    .kind = RF_SOCKET_VSOCK };

	if (ret)
		return ret;
	if (c.family != RF_AF_VSOCK) {
		rf_socket_passes(RF_HOOK_SOCKET_CONNECT);
		return 0;
	}
	return rf_lsm_verdict(rf_socket_used(&c, RF_HOOK_SOCKET_CONNECT));
}

/* Current reaches out to @other. True: one of the two ends denies it. */
static __always_inline bool rf_unix_reached(struct rf_isolation_case *c, struct sock *other, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	struct rf_socket_case ours = { .family = RF_AF_UNIX,
				       .type = BPF_CORE_READ(other, sk_type),
				       .kind = RF_SOCKET_UNIX,
				       .direction = RF_EGRESS },
			      theirs = ours;
	struct rf_workload_bank *bank, *their_bank;

	ours.cgroup_id = rf_current_cgroup_id();
	ours.workload = theirs.peer = rf_workload_of_live(ours.cgroup_id, version);
	rf_hook_seen(hook, ours.workload);
	if (ours.workload < RF_WORKLOAD_FIRST)
		return false;
	theirs.cgroup_id = BPF_CORE_READ(other, sk_cgrp_data.cgroup, kn, id);
	theirs.workload = ours.peer = rf_workload_of_live(theirs.cgroup_id, version);
	if (theirs.workload < RF_WORKLOAD_FIRST || theirs.workload == ours.workload)
		return false;
	/* Of one generation, so that the numbers are of one hand. */
	bank = rf_workload_bank(ours.workload, version);
	their_bank = rf_workload_bank(theirs.workload, version);
	if (!bank || !their_bank || !bank->tenant || !their_bank->tenant)
		return false;
	theirs.direction = RF_INGRESS;
	if (bank->tenant != their_bank->tenant &&
	    (rf_socket_judge(bank, &ours) || rf_socket_judge(their_bank, &theirs)))
		return true;
	c->cgroup_id = ours.cgroup_id;
	c->workload = ours.workload;
	return rf_isolation_ask_banks(c, bank, theirs.cgroup_id, theirs.workload, their_bank, false);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(rf_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *fresh, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(CONNECT);

	if (ret)
		return ret;
	return rf_lsm_verdict(rf_unix_reached(&c, other, RF_HOOK_UNIX_CONNECT));
}

SEC("lsm/unix_may_send")
int BPF_PROG(rf_unix_may_send, struct socket *socket, struct socket *other, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SEND);

	if (ret)
		return ret;
	return rf_lsm_verdict(rf_unix_reached(&c, BPF_CORE_READ(other, sk), RF_HOOK_UNIX_SEND));
}

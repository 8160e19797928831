// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() at level 0, so that what is denied fails at once.
 *
 * hook                decides
 * connect4, connect6  TCP connect(): denies with EPERM
 *
 * Bound: one look at the verdict cache, else two rule sets. Failure: open; the
 * first packet is judged in any case (bpf/network.bpf.c).
 */
#include "lib/connection.bpf.h"
#include "lib/log.bpf.h"
#include "lib/packet_flow.bpf.h"
#include "lib/peer.bpf.h"
#include "lib/verdict.bpf.h"

char _license[] SEC("license") = "GPL";

/* A connect() that was denied, of a workload some of whose flows are logged. */
static __noinline int rf_connect_log(const struct rf_flow *flow, const struct rf_decision *decision)
{
	struct rf_workload_bank *bank = rf_workload_bank(decision->workload, RF_READ_ONCE(rf_config.version));
	struct rf_event_flow_record *event;

	if (!bank || !bank->flow_sample ||
	    !rf_log_is_sampled(flow->cgroup_id, flow->addr[0], flow->addr[1], flow->port, flow->protocol,
			       bank->flow_sample))
		return 0;
	event = rf_telemetry_reserve(RF_EVENT_FLOW_END, struct rf_event_flow_record, decision->workload,
				     flow->cgroup_id, true);
	if (!event)
		return 0;
	__builtin_memset(&event->family, 0, sizeof(*event) - offsetof(struct rf_event_flow_record, family));
	event->header.verdict = RF_DENY;
	event->family = flow->family;
	event->protocol = flow->protocol;
	event->direction = RF_EGRESS;
	event->tier = decision->tier;
	event->remote_port = flow->port;
	__builtin_memcpy(event->remote, flow->addr, 16);
	event->ruleset = decision->ruleset;
	event->rule = decision->rule;
	event->peer_class = decision->class;
	event->reason = RF_REASON_CUT;
	event->start_ns = event->header.time_ns;
	rf_telemetry_submit(event);
	return 0;
}

static __always_inline int rf_connect_denied(const struct rf_flow *flow, const struct rf_decision *decision,
					     enum rf_hook hook)
{
	struct rf_account *account = rf_account(RF_ACCOUNT(decision->workload, decision->class));

	/* There will be no packet to count. */
	if (account)
		__sync_fetch_and_add(&account->traffic[RF_DENY][RF_EGRESS].connections, 1);
	rf_flow_report(flow, decision, NULL, hook, true);
	if (decision->telemetry & RF_DECISION_LOGGED)
		rf_connect_log(flow, decision);
	return 0;
}

/*
 * connect() of a stream socket. Would-be denials are left to the SYN, so that
 * one attempt is counted once. Datagram sockets are judged when they send:
 * resolvers connect() them only to learn a route.
 */
static __always_inline int rf_connect(struct bpf_sock_addr *ctx, struct rf_flow *flow, enum rf_hook hook)
{
	struct rf_decision decision = {};
	struct rf_event_flow *event;
	__u64 version;
	__u32 peer;

	flow->cgroup_id = bpf_get_current_cgroup_id();
	flow->protocol = ctx->protocol;
	flow->direction = RF_EGRESS;
	flow->port = bpf_ntohs((__u16)ctx->user_port);
	if (ctx->type != SOCK_STREAM) {
		rf_hook_seen(hook, rf_workload_of(flow->cgroup_id));
		return 1;
	}
	version = RF_READ_ONCE(rf_config.version);
	rf_flow_decide(flow, version, &decision);
	if (decision.verdict == RF_ASK_PEER) {
		peer = rf_peer_by_address(flow);
		if (peer == RF_PEER_HOST_ID)
			peer = rf_peer_by_listener(ctx, flow);
		rf_peer_decide(flow, peer, version, &decision);
	}
	if (decision.workload == RF_WORKLOAD_NONE)
		return 1;
	rf_hook_seen(hook, decision.workload);
	if (decision.verdict == RF_DENY)
		return rf_connect_denied(flow, &decision, hook);
	if (rf_unlikely(decision.telemetry & (RF_DECISION_LIMITED | RF_DECISION_RULES_LIMITED))) {
		__u32 limited = 0;

		if (decision.telemetry & RF_DECISION_RULES_LIMITED && decision.verdict == RF_ALLOW)
			limited = rf_rule_peek(decision.workload, version, decision.rule);
		if (!limited && decision.telemetry & RF_DECISION_LIMITED) {
			limited = rf_connection_peek(decision.workload, version);
			decision.ruleset = 0;
		}
		if (limited) {
			decision.rule = RF_LIMIT_RULE(limited);
			decision.verdict = RF_DENY;
			decision.tier = RF_TIER_ENFORCE;
			return rf_connect_denied(flow, &decision, hook);
		}
	}
	if (!rf_wants(decision.telemetry, RF_EVENT_CONNECT))
		return 1;
	event = rf_telemetry_reserve(RF_EVENT_CONNECT, struct rf_event_flow, decision.workload, flow->cgroup_id, true);
	if (!event)
		return 1;
	event->family = flow->family;
	event->protocol = flow->protocol;
	event->direction = RF_EGRESS;
	event->tier = RF_TIER_ENFORCE;
	event->local_port = 0;
	event->remote_port = flow->port;
	__builtin_memset(event->local, 0, sizeof(event->local));
	__builtin_memcpy(event->remote, flow->addr, 16);
	event->ruleset = decision.ruleset;
	event->rule = decision.ruleset ? decision.rule : RF_RULE_DEFAULT;
	event->hook = hook;
	rf_telemetry_submit(event);
	return 1;
}

SEC("cgroup/connect4")
int rf_connect4(struct bpf_sock_addr *ctx)
{
	struct rf_flow flow = { .family = RF_AF_INET };

	/* The kernel takes the unspecified address for this host. */
	flow.addr[0] = ctx->user_ip4 ? ctx->user_ip4 : bpf_htonl(0x7f000001);
	return rf_connect(ctx, &flow, RF_HOOK_CONNECT4);
}

SEC("cgroup/connect6")
int rf_connect6(struct bpf_sock_addr *ctx)
{
	struct rf_flow flow = { .family = RF_AF_INET6 };
	__u32 a = ctx->user_ip6[0], b = ctx->user_ip6[1], c = ctx->user_ip6[2], d = ctx->user_ip6[3];

	if (!a && !b && c == bpf_htonl(0xffff)) {
		flow.family = RF_AF_INET;
		flow.addr[0] = d ? d : bpf_htonl(0x7f000001);
	} else if (!a && !b && !c && !d) {
		flow.addr[1] = bpf_cpu_to_be64(1);
	} else {
		flow.addr[0] = (__u64)b << 32 | a;
		flow.addr[1] = (__u64)d << 32 | c;
	}
	return rf_connect(ctx, &flow, RF_HOOK_CONNECT6);
}

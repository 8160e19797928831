// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdict code of the hooks, as a program that BPF_PROG_TEST_RUN can drive:
 * a batch of flows in, a decision of each out. Loaded by test_verdict_run.c with
 * the maps that its engine has pinned; never attached.
 *
 * Of the type of the hooks that decide by packet: a program of type "syscall"
 * may sleep, and those may not look into LPM tries.
 */
#define RF_DEFINE_MAPS
#include "bpf/lib/packet.bpf.h"
#include "bpf/lib/verdict.bpf.h"
#include "tests/bpf/verdict_run.h"

char _license[] SEC("license") = "GPL";

struct verdict_question verdict_questions[VERDICT_BATCH] = {};
struct verdict_answer verdict_answers[VERDICT_BATCH] = {};
__u32 verdict_count = 0;

/* A bpf_loop() callback: 1 ends the loop. */
static int verdict_answer(__u32 index, void *context)
{
	struct rf_decision decision = {};
	struct verdict_question *question;
	struct verdict_answer *answer;
	struct rf_flow flow = {};
	__u64 version;

	(void)context;
	if (index >= VERDICT_BATCH)
		return 1;
	question = &verdict_questions[index];
	answer = &verdict_answers[index];

	__builtin_memcpy(flow.addr, question->addr, sizeof(flow.addr));
	flow.cgroup_id = question->cgroup_id;
	flow.port = question->port;
	flow.protocol = question->protocol;
	flow.direction = question->direction;
	flow.family = question->family;
	flow.peer = question->peer;
	flow.self = question->self;
	/* As rf_flow_of() and rf_connect6() do it. */
	if (flow.family == RF_AF_INET6 && rf_addr_is_mapped(flow.addr)) {
		flow.family = RF_AF_INET;
		flow.addr[0] = flow.addr[1] >> 32;
		flow.addr[1] = 0;
	}

	version = RF_READ_ONCE(rf_config.version);
	answer->kept = rf_flow_kept(&flow, version, &decision);
	rf_flow_decide(&flow, version, &decision);
	answer->workload = decision.workload;
	answer->live = rf_workload_of_live(flow.cgroup_id, version);
	answer->rule = decision.rule;
	answer->verdict = decision.verdict;
	answer->tier = decision.tier;
	return 0;
}

SEC("cgroup_skb/egress")
int verdict_run(struct __sk_buff *skb)
{
	(void)skb;
	bpf_loop(verdict_count, verdict_answer, NULL, 0);
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* One interface of the kernel, asked for by current: what the bank of its workload says, and how that is told. */
#ifndef RF_BPF_KERNEL_H
#define RF_BPF_KERNEL_H

#include "submit.bpf.h"

#define RF_KERNEL_KIND_NONE RF_KERNEL_KIND_COUNT

/* What is asked for, and by whom. */
struct rf_kernel_case {
	__u64 cgroup_id;
	__u32 workload;
	__u16 kind;	  /* enum rf_kernel_kind, or RF_KERNEL_KIND_NONE */
	__u16 other;	  /* another one that covers it, or RF_KERNEL_KIND_NONE */
	__u16 capability; /* or RF_KERNEL_NONE */
	__u16 syscall;	  /* or RF_KERNEL_NONE */
	bool quiet;	  /* denied without a word */
	const char *detail;
	const char *within; /* the directory of @detail */
};

/* Which rule of @limits denies it; RF_KERNEL_RULES: none. */
static __always_inline __u32 rf_kernel_rule(const struct rf_kernel_limits *limits, const struct rf_kernel_case *c)
{
	if (c->kind < RF_KERNEL_KIND_COUNT && limits->deny >> c->kind & 1)
		return c->kind;
	if (c->other < RF_KERNEL_KIND_COUNT && limits->deny >> c->other & 1)
		return c->other;
	if (c->capability < RF_CAPABILITIES && limits->capabilities >> c->capability & 1)
		return RF_KERNEL_RULE_CAPABILITY(c->capability);
	if (c->syscall < RF_SYSCALL_COUNT && limits->syscalls >> c->syscall & 1)
		return RF_KERNEL_RULE_SYSCALL(c->syscall);
	return RF_KERNEL_RULES;
}

/* Half of the place for each, so that the verifier sees that both fit. */
static __always_inline void rf_kernel_detail(struct rf_event_kernel *event, const struct rf_kernel_case *c)
{
	char *name = event->detail;

	__builtin_memset(event->detail, 0, sizeof(event->detail));
	if (c->within) {
		long n = bpf_probe_read_kernel_str(event->detail, RF_KERNEL_DETAIL / 2, c->within);

		if (n > 0) {
			/* Where it ends; never more, and the verifier does not know that. */
			__u32 end = (n - 1) & (RF_KERNEL_DETAIL / 2 - 1);

			event->detail[end] = '/';
			name = event->detail + end + 1;
		}
	}
	if (c->detail && bpf_probe_read_kernel_str(name, RF_KERNEL_DETAIL / 2, c->detail) < 0)
		rf_error(RF_HOOK_CAPABLE, RF_ERROR_PATH_READ);
}

static __always_inline void rf_kernel_tell(const struct rf_kernel_case *c, enum rf_tier tier, __u32 rule)
{
	struct rf_event_kernel *event;

	rf_count(c->workload, tier == RF_TIER_ENFORCE ? RF_COUNTER_KERNEL_DENY : RF_COUNTER_KERNEL_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_KERNEL_DENY, struct rf_event_kernel, c->workload, c->cgroup_id, true);
	if (!event)
		return;
	event->header.verdict = tier == RF_TIER_ENFORCE ? RF_DENY : RF_WOULD_DENY;
	event->rule = rule;
	event->capability = c->capability;
	event->syscall = c->syscall;
	event->tier = tier;
	event->pad = 0;
	rf_kernel_detail(event, c);
	rf_audit_submit(event);
}

/* Who acts, and what is in force for it; NULL: nobody that we know. */
static __always_inline const struct rf_workload_bank *rf_kernel_bank(struct rf_kernel_case *c, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version);

	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, version);
	if (c->workload == RF_WORKLOAD_NONE)
		return NULL;
	rf_hook_seen(hook, c->workload);
	return rf_workload_bank(c->workload, version);
}

/* True: denied. */
static __always_inline bool rf_kernel_judge(const struct rf_workload_bank *bank, const struct rf_kernel_case *c)
{
	__u32 enforced = rf_kernel_rule(&bank->kernel[RF_TIER_ENFORCE], c), audited = RF_KERNEL_RULES;

	if (enforced == RF_KERNEL_RULES)
		audited = rf_kernel_rule(&bank->kernel[RF_TIER_AUDIT], c);
	if (enforced == RF_KERNEL_RULES && audited == RF_KERNEL_RULES)
		return false;
	if (!c->quiet)
		rf_kernel_tell(c, enforced == RF_KERNEL_RULES ? RF_TIER_AUDIT : RF_TIER_ENFORCE,
			       enforced == RF_KERNEL_RULES ? audited : enforced);
	return enforced != RF_KERNEL_RULES;
}

#define RF_KERNEL_CASE(asked)                                                               \
	(struct rf_kernel_case)                                                             \
	{                                                                                   \
		.kind = (asked), .other = RF_KERNEL_KIND_NONE, .capability = RF_KERNEL_NONE \
	}

#endif

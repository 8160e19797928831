/* SPDX-License-Identifier: GPL-2.0-only */
/* What a device set says of a node, and telling of a denial. */
#ifndef RF_BPF_DEVICE_H
#define RF_BPF_DEVICE_H

#include "submit.bpf.h"

#define RF_TYPE_CHAR 2 /* BPF_DEVCG_DEV_CHAR */

/* One node, and who asks for it. */
struct rf_device_case {
	__u64 cgroup_id;
	__u32 workload;
	__u32 type;
	__u32 major;
	__u32 minor;
	__u32 access; /* RF_DEVICE_* that are asked for; 0: nothing but what whoever may open it may do */
	__u32 hook;   /* enum rf_hook */
};

/* NULL: the set has no entry, which denies. */
static __always_inline const struct rf_device_value *rf_device_find(__u32 set, const struct rf_device_case *c)
{
	struct rf_device_key key = { .set = set, .type = c->type, .major = c->major, .minor = c->minor };
	struct rf_device_value *value;

	value = bpf_map_lookup_elem(&rf_device_map, &key);
	if (!value) {
		key.minor = RF_DEVICE_ANY;
		value = bpf_map_lookup_elem(&rf_device_map, &key);
	}
	if (!value) {
		key.major = RF_DEVICE_ANY;
		value = bpf_map_lookup_elem(&rf_device_map, &key);
	}
	if (!value)
		rf_error(c->hook, RF_ERROR_RULESET_MISSING);
	return value;
}

/* The rule of the first bit of @denied. A chain: the verifier follows no index that it does not know. */
static __always_inline __u16 rf_device_rule(const struct rf_device_value *value, __u32 denied)
{
	for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
		if (denied & 1u << bit)
			return value->rule[bit];
	return RF_RULE_DEFAULT;
}

/* Out of line: it is the rare way. */
static __noinline int rf_device_tell(const struct rf_device_case *c, __u32 set, __u32 denied, __u32 tier)
{
	const struct rf_device_value *value = rf_device_find(set, c);
	bool accelerator = value && value->allow & RF_DEVICE_ACCELERATOR, enforced = tier == RF_TIER_ENFORCE;
	struct rf_event_device *event;

	if (accelerator)
		rf_count(c->workload, enforced ? RF_COUNTER_ACCEL_DENY : RF_COUNTER_ACCEL_WOULD, 1);
	else
		rf_count(c->workload, enforced ? RF_COUNTER_DEVICE_DENY : RF_COUNTER_DEVICE_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_DEVICE_DENY, struct rf_event_device, c->workload, c->cgroup_id, true);
	if (!event)
		return 0;
	event->header.verdict = enforced ? RF_DENY : RF_WOULD_DENY;
	event->type = c->type;
	event->access = denied;
	event->major = c->major;
	event->minor = c->minor;
	event->device_set = set;
	event->rule = value ? rf_device_rule(value, denied) : RF_RULE_DEFAULT;
	event->tier = tier;
	event->use = c->access == 0;
	rf_audit_submit(event);
	return 0;
}

/* What of @c->access the set denies. Whoever may open a node neither way may not use it either. */
static __always_inline __u32 rf_device_denied(__u32 set, const struct rf_device_case *c)
{
	const struct rf_device_value *value = rf_device_find(set, c);

	if (!value)
		return c->access ? c->access : RF_DEVICE_READ;
	if (!c->access)
		return value->allow & (RF_DEVICE_READ | RF_DEVICE_WRITE) ? 0 : RF_DEVICE_READ;
	return c->access & ~value->allow;
}

/* True: denied. */
static __always_inline bool rf_device_judge(const struct rf_workload_bank *bank, const struct rf_device_case *c)
{
	__u32 set = bank->device_set[RF_TIER_ENFORCE], denied;

	denied = set ? rf_device_denied(set, c) : 0;
	if (denied) {
		rf_device_tell(c, set, denied, RF_TIER_ENFORCE);
		return true;
	}
	set = bank->device_set[RF_TIER_AUDIT];
	denied = set ? rf_device_denied(set, c) : 0;
	if (denied)
		rf_device_tell(c, set, denied, RF_TIER_AUDIT);
	return false;
}

#endif

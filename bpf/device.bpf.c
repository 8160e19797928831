// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device nodes.
 *
 * hook        decides
 * cgroup/dev  open for reading or writing, and mknod, of a device node, by (type, major, minor)
 *
 * The program sits at the attach point and is ANDed with whatever the runtime
 * or systemd attached below it: theirs change nothing of ours. It does not see
 * file descriptors that were passed, inherited or opened earlier.
 * Bound: six lookups. Failure: a set without an entry denies (closed).
 */
#include "lib/submit.bpf.h"

char _license[] SEC("license") = "GPL";

/* Bits of @access that @set denies; *ret_rule: the rule of the first of them. */
static __always_inline __u32 rf_device_denied(__u32 set, __u32 type, __u32 major, __u32 minor, __u32 access,
					      __u16 *ret_rule)
{
	struct rf_device_key key = { .set = set, .type = type, .major = major, .minor = minor };
	struct rf_device_value *value;
	__u32 denied;

	value = bpf_map_lookup_elem(&rf_device_map, &key);
	if (!value) {
		key.minor = RF_DEVICE_ANY;
		value = bpf_map_lookup_elem(&rf_device_map, &key);
	}
	if (!value) {
		key.major = RF_DEVICE_ANY;
		value = bpf_map_lookup_elem(&rf_device_map, &key);
	}
	if (!value) {
		rf_error(RF_HOOK_DEVICE, RF_ERROR_RULESET_MISSING);
		*ret_rule = RF_RULE_DEFAULT;
		return access;
	}
	denied = access & ~value->allow;
	if (denied & RF_DEVICE_MKNOD)
		*ret_rule = value->rule[0];
	else if (denied & RF_DEVICE_READ)
		*ret_rule = value->rule[1];
	else
		*ret_rule = value->rule[2];
	return denied;
}

SEC("cgroup/dev")
int rf_device(struct bpf_cgroup_dev_ctx *ctx)
{
	__u64 cgroup_id = bpf_get_current_cgroup_id();
	__u32 workload = rf_workload_of(cgroup_id), type, access, denied = 0, set = 0;
	enum rf_tier tier = RF_TIER_ENFORCE;
	struct rf_workload_bank *bank;
	struct rf_event_device *event;
	__u16 rule = 0;

	if (workload == RF_WORKLOAD_NONE)
		return 1;
	rf_hook_seen(RF_HOOK_DEVICE, workload);
	bank = rf_workload_bank(workload, RF_READ_ONCE(rf_config.version));
	if (!bank)
		return 1;
	type = ctx->access_type & 0xffff;
	access = ctx->access_type >> 16;

	set = bank->device_set[RF_TIER_ENFORCE];
	if (set)
		denied = rf_device_denied(set, type, ctx->major, ctx->minor, access, &rule);
	if (!denied && bank->device_set[RF_TIER_AUDIT]) {
		set = bank->device_set[RF_TIER_AUDIT];
		tier = RF_TIER_AUDIT;
		denied = rf_device_denied(set, type, ctx->major, ctx->minor, access, &rule);
	}
	if (!denied)
		return 1;

	if (tier == RF_TIER_ENFORCE)
		rf_count(workload, RF_COUNTER_DEVICE_DENY, 1);
	else
		rf_count(workload, RF_COUNTER_DEVICE_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_DEVICE_DENY, struct rf_event_device, workload, cgroup_id, true);
	if (event) {
		event->header.verdict = tier == RF_TIER_ENFORCE ? RF_DENY : RF_WOULD_DENY;
		event->type = type;
		event->access = denied;
		event->major = ctx->major;
		event->minor = ctx->minor;
		event->device_set = set;
		event->rule = rule;
		event->tier = tier;
		event->pad = 0;
		rf_audit_submit(event);
	}
	return tier == RF_TIER_ENFORCE ? 0 : 1;
}

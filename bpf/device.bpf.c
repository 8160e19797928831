// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device nodes, those of accelerators among them, and how many of a device of those may be open.
 *
 * hook        decides
 * cgroup/dev  open for reading or writing, and mknod, of a device node, by (type, major, minor)
 *
 * The program sits at the attach point and is ANDed with whatever the runtime
 * or systemd attached below it: theirs change nothing of ours. It does not see
 * file descriptors that were passed, inherited or opened earlier; of those of
 * accelerators accel.bpf.c does.
 * Bound: six lookups, and of accelerators what quota.bpf.h says. Failure: a set without an entry denies (closed); a
 * quota whose row has no place is none (open).
 */
#include "lib/device.bpf.h"
#include "lib/quota_tell.bpf.h"

char _license[] SEC("license") = "GPL";

/* Would one more be beyond the quota of open files? */
static __always_inline bool rf_device_is_over(const struct rf_device_case *c, __u64 version)
{
	__u32 slot = rf_accel_slot_of(c->major), at;
	struct rf_quota_answer answer = {};
	struct rf_accel_node *node;
	struct rf_accel_use *use;

	node = slot ? rf_accel_node(c->major, c->minor, slot) : NULL;
	use = node ? rf_accel_use(c->workload, node->device, RF_HOOK_DEVICE, &at) : NULL;
	if (!use)
		return false;
	if (use->quota_version != version + 1)
		rf_quota_refresh(at, version);
	if (!use->quoted || !rf_quota_ask(at, RF_ACCEL_OTHER, &answer))
		return false;
	return rf_quota_over(use, c, &answer);
}

SEC("cgroup/dev")
int rf_device(struct bpf_cgroup_dev_ctx *ctx)
{
	struct rf_device_case c = { .hook = RF_HOOK_DEVICE };
	struct rf_workload_bank *bank;
	__u64 version;

	c.cgroup_id = bpf_get_current_cgroup_id();
	c.workload = rf_workload_of(c.cgroup_id);
	if (c.workload == RF_WORKLOAD_NONE)
		return 1;
	rf_hook_seen(RF_HOOK_DEVICE, c.workload);
	version = RF_READ_ONCE(rf_config.version);
	bank = rf_workload_bank(c.workload, version);
	if (!bank)
		return 1;
	c.type = ctx->access_type & 0xffff;
	c.access = ctx->access_type >> 16;
	c.major = ctx->major;
	c.minor = ctx->minor;
	/* Nothing is asked for: access(2) with F_OK. */
	if (!c.access)
		return 1;
	if (rf_device_judge(bank, &c))
		return 0;
	return c.type == RF_TYPE_CHAR && c.access & (RF_DEVICE_READ | RF_DEVICE_WRITE) &&
			       rf_device_is_over(&c, version) ?
		       0 :
		       1;
}

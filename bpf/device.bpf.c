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

/* Out of line: few ask for it. */
static __noinline int rf_device_opened(const struct rf_device_case *c)
{
	struct rf_event_accel_open *event;

	event = rf_telemetry_reserve(RF_EVENT_ACCEL_OPEN, struct rf_event_accel_open, c->workload, c->cgroup_id, true);
	if (!event)
		return 0;
	event->major = c->major;
	event->minor = c->minor;
	event->access = c->access & (RF_DEVICE_READ | RF_DEVICE_WRITE);
	event->pad = 0;
	rf_telemetry_submit(event);
	return 0;
}

/* Would one more be beyond the quota of open files? */
static __always_inline bool rf_device_is_over(const struct rf_device_case *c, const struct rf_accel_node *node,
					      __u64 version)
{
	struct rf_quota_answer answer = {};
	struct rf_accel_use *use;
	__u32 at;

	use = rf_accel_use(c->workload, node->device, RF_HOOK_DEVICE, &at);
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
	struct rf_accel_node *node;
	__u64 version;
	__u32 slot;

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
	if (c.type != RF_TYPE_CHAR || !(c.access & (RF_DEVICE_READ | RF_DEVICE_WRITE)))
		return 1;
	slot = rf_accel_slot_of(c.major);
	node = slot ? rf_accel_node(c.major, c.minor, slot) : NULL;
	if (!node)
		return 1;
	if (rf_device_is_over(&c, node, version))
		return 0;
	if (rf_wants(bank->telemetry, RF_EVENT_ACCEL_OPEN))
		rf_device_opened(&c);
	return 1;
}

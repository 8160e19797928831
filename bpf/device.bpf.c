// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device nodes, those of accelerators among them.
 *
 * hook        decides
 * cgroup/dev  open for reading or writing, and mknod, of a device node, by (type, major, minor)
 *
 * The program sits at the attach point and is ANDed with whatever the runtime
 * or systemd attached below it: theirs change nothing of ours. It does not see
 * file descriptors that were passed, inherited or opened earlier; of those of
 * accelerators accel.bpf.c does.
 * Bound: six lookups. Failure: a set without an entry denies (closed).
 */
#include "lib/device.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("cgroup/dev")
int rf_device(struct bpf_cgroup_dev_ctx *ctx)
{
	struct rf_device_case c = { .hook = RF_HOOK_DEVICE };
	struct rf_workload_bank *bank;

	c.cgroup_id = bpf_get_current_cgroup_id();
	c.workload = rf_workload_of(c.cgroup_id);
	if (c.workload == RF_WORKLOAD_NONE)
		return 1;
	rf_hook_seen(RF_HOOK_DEVICE, c.workload);
	bank = rf_workload_bank(c.workload, RF_READ_ONCE(rf_config.version));
	if (!bank)
		return 1;
	c.type = ctx->access_type & 0xffff;
	c.access = ctx->access_type >> 16;
	c.major = ctx->major;
	c.minor = ctx->minor;
	/* Nothing is asked for: access(2) with F_OK. */
	if (!c.access)
		return 1;
	return rf_device_judge(bank, &c) ? 0 : 1;
}

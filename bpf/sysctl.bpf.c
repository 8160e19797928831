// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sysctls. Attached while some workload has a denial of them.
 *
 * hook           decides
 * cgroup/sysctl  whether a value below /proc/sys is written
 *
 * Bound: two lookups, and none for one that is read. Failure: open, where there
 * is no bank. A runtime that writes the sysctls of a container from inside its
 * cgroup is judged like the container: this hook cannot ask who is a newcomer.
 */
#include "lib/kernel.bpf.h"

char _license[] SEC("license") = "GPL";

/* Sysctls whose value is the path of a program, which the kernel runs as root outside of every workload. */
static __always_inline bool rf_is_program_sysctl(const char *name)
{
	static const char core[] = "kernel/core_pattern", modprobe[] = "kernel/modprobe",
			  poweroff[] = "kernel/poweroff_cmd", hotplug[] = "kernel/hotplug";

	return __builtin_memcmp(name, core, sizeof(core)) == 0 ||
	       __builtin_memcmp(name, modprobe, sizeof(modprobe)) == 0 ||
	       __builtin_memcmp(name, poweroff, sizeof(poweroff)) == 0 ||
	       __builtin_memcmp(name, hotplug, sizeof(hotplug)) == 0;
}

SEC("cgroup/sysctl")
int rf_kernel_sysctl(struct bpf_sysctl *ctx)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_SYSCTL);
	const struct rf_workload_bank *bank;
	char name[RF_KERNEL_DETAIL / 2] = {};

	if (!ctx->write) {
		rf_hook_seen(RF_HOOK_SYSCTL, rf_workload_of(bpf_get_current_cgroup_id()));
		return 1;
	}
	bank = rf_kernel_bank(&c, RF_HOOK_SYSCTL);
	if (!bank)
		return 1;
	/* A name that does not fit is none of those below. */
	bpf_sysctl_get_name(ctx, name, sizeof(name), 0);
	c.syscall = RF_KERNEL_NONE;
	c.detail = name;
	if (rf_is_program_sysctl(name)) {
		c.kind = RF_KERNEL_CORE_PATTERN;
		c.other = RF_KERNEL_SYSCTL;
	}
	return rf_kernel_judge(bank, &c) ? 0 : 1;
}

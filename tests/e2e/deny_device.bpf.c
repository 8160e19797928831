// SPDX-License-Identifier: GPL-2.0-only
/* What a container runtime attaches below us: a program that denies every device. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("cgroup/dev")
int deny_device(struct bpf_cgroup_dev_ctx *ctx)
{
	(void)ctx;
	return 0;
}

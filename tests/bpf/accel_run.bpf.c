// SPDX-License-Identifier: GPL-2.0-only
/*
 * The accounting of accelerators, as a program that BPF_PROG_TEST_RUN can drive:
 * what a driver would do, at addresses that are made up. Loaded by
 * test_accel_run.c with the maps that its engine has pinned; never attached.
 */
#define RF_DEFINE_MAPS
#include "bpf/lib/accel_file.bpf.h"
#include "bpf/lib/accel_job.bpf.h"
#include "bpf/lib/accel_object.bpf.h"
#include "tests/bpf/accel_run.h"

char _license[] SEC("license") = "GPL";

struct accel_step accel_step = {};

static int opened(__u64 address)
{
	struct rf_accel_use *use;
	__u32 at;

	use = rf_accel_use(accel_step.workload, accel_step.device, RF_HOOK_ACCEL_IOCTL, &at);
	return use ? rf_file_opened(use, at, address, accel_step.tgid) : 0;
}

/* A bpf_loop() callback: 1 ends the loop. */
static int accel_once(__u32 index, void *context)
{
	__u64 address = accel_step.address + (__u64)index * ACCEL_STRIDE;

	(void)context;
	switch (accel_step.what) {
	case ACCEL_QUEUED:
		return rf_job_queued(accel_step.workload, accel_step.device, address);
	case ACCEL_ENDED:
		return rf_job_ended(address, 0, false);
	case ACCEL_MADE:
		return rf_object_made(accel_step.workload, accel_step.device, address, accel_step.size);
	case ACCEL_GONE:
		return rf_object_gone(address);
	case ACCEL_OPENED:
		return opened(address);
	case ACCEL_CLOSED:
		return rf_file_closed(address, false);
	}
	return 1;
}

SEC("cgroup_skb/egress")
int accel_run(struct __sk_buff *skb)
{
	(void)skb;
	bpf_loop(accel_step.count, accel_once, NULL, 0);
	return 1;
}

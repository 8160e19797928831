/* SPDX-License-Identifier: GPL-2.0-only */
/* What test_accel_run.c and its BPF program pass each other. */
#ifndef RF_TEST_ACCEL_RUN_H
#define RF_TEST_ACCEL_RUN_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum accel_what { ACCEL_QUEUED, ACCEL_ENDED, ACCEL_MADE, ACCEL_GONE, ACCEL_OPENED, ACCEL_CLOSED };

/* @count times, ACCEL_STRIDE further each time. */
struct accel_step {
	__u32 what;
	__u32 workload;
	__u32 device;
	__u32 count;
	__u64 address;
	__u64 size;
	__u32 tgid;
	__u32 pad;
};

#define ACCEL_STRIDE 256

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What amdkfd tells of processes with compute queues: /sys/class/kfd/kfd. Their
 * work is rung in by user space itself, so that neither jobs nor fdinfo tell
 * of it; of compute time there is none here either, but that of the copy
 * engines, memory, and how much of the GPU is occupied.
 */
#ifndef RF_COLLECT_KFD_H
#define RF_COLLECT_KFD_H

#include "user/model/accelerator.h"

#define RF_KFD_MAX 4096 /* (process, GPU) */

struct rf_kfd_use {
	uint32_t pid, device;	/* in struct rf_accelerators */
	uint64_t vram;		/* bytes */
	uint64_t sdma_us;	/* that copy engines worked for it; all of these are 0 where not told */
	uint64_t evicted_ms;	/* that its queues were not on the GPU for want of memory */
	uint64_t compute_units; /* that have waves of it now */
};

struct rf_kfd {
	struct rf_kfd_use *uses; /* by pid, then device */
	size_t n;
	size_t left_out; /* for which there was no room, or whose GPU is not known */
};

/* @sys: "/sys". What cannot be read is not there; -ENOMEM alone is an error. */
int rf_kfd_scan(const char *sys, const struct rf_accelerators *a, struct rf_kfd *ret);
void rf_kfd_fini(struct rf_kfd *k);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of ringfence-gpu share. */
#ifndef RF_HELPER_GPU_GPU_H
#define RF_HELPER_GPU_GPU_H

#include "user/helper/gpu/nvml.h"
#include "user/lib/strbuf.h"
#include "user/model/gpu_message.h"

#define GPU_PROCESSES_MAX  4096 /* on one device */
#define GPU_ACCOUNTING_MAX 8192 /* processes that a driver remembers of one device */

struct gpu_pids {
	unsigned int *list; /* ascending */
	size_t n;
};

struct gpu_device {
	nvml_device handle;
	char name[RF_ACCEL_DEVICE_NAME]; /* its PCI address, as sysfs has it */
	uint64_t seen_us;		 /* the end of the last sample of utilization */
	struct gpu_pids present;	 /* in the round before */
	struct gpu_pids accounted;	 /* likewise: those that the driver's accounting knew */
	bool accounting;		 /* it was on then */
};

struct gpu {
	struct nvml nvml;
	struct gpu_device *devices;
	unsigned int n_devices;
	uint64_t interval_ns;
	uint64_t dropped;
	struct rf_strbuf out; /* messages of this round */
};

/* health.c */
void gpu_health(struct gpu *g, const struct gpu_device *d);
/* processes.c: who is on the device, what they took since the last round, and who has ended */
void gpu_processes(struct gpu *g, struct gpu_device *d);
/*
 * limits.c: sets the limits that are asked for on stdin, a struct rf_memory_request a line, and answers each. NULL, or
 * the function that the library lacks for that: nothing was read.
 */
const char *gpu_limits(struct gpu *g);
/* confine.c: gives up every right that asking NVML does not need. 0 or a negative errno. */
int gpu_confine(pid_t parent);
/* From here on it ends with @parent; 0: whoever that is. -ESRCH: it has ended. */
int gpu_end_with(pid_t parent);

/* Puts the message's header before it and the message into @g->out. */
void gpu_send(struct gpu *g, enum rf_gpu_message_type type, union rf_gpu_message *m);
/* Writes all that was put there. 0 or a negative errno. */
int gpu_flush(struct gpu *g);

#endif

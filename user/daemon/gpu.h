/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's devices by NVML: runs ringfence-gpu while there are any, and takes
 * what it says. The helper may hang or crash as often as it likes: one that is
 * silent for too long is killed, and one that ended is started again, later
 * each time. What it says is checked, and the first thing that is no message
 * ends it.
 */
#ifndef RF_DAEMON_GPU_H
#define RF_DAEMON_GPU_H

#include <systemd/sd-event.h>

#include "user/daemon/device_health.h"
#include "user/daemon/gpu_join.h"
#include "user/daemon/registry.h"
#include "user/model/snapshot.h"

struct rf_gpu_options {
	const char *helper;  /* NULL: where it is installed beside the daemon */
	const char *library; /* NULL: NVIDIA's; else it is asked on a host without NVIDIA's devices, too */
};

struct rf_gpu;

int rf_gpu_new(const struct rf_gpu_options *o, sd_event *event, struct rf_registry *r, struct rf_device_health *health,
	       struct rf_gpu **ret);
void rf_gpu_free(struct rf_gpu *g);
RF_DEFINE_CLEANUP(struct rf_gpu, rf_gpu_free)

/* Is there a device of NVIDIA's, or a library that is asked without one? */
bool rf_gpu_wanted(const struct rf_gpu *g, const struct rf_accelerators *known);
/* Once a second. @changed: accelerators have come or gone, which the helper looks for when it starts. */
void rf_gpu_tick(struct rf_gpu *g, const struct rf_accelerators *known, bool changed);
/* An event of the kernel: of a process that ended, for what is told of it later. */
void rf_gpu_event(struct rf_gpu *g, const struct rf_event_header *event);
/* The workload of a process, that has it or had it a moment ago; RF_WORKLOAD_NONE. */
uint32_t rf_gpu_workload(const struct rf_gpu *g, uint32_t pid);
void rf_gpu_each(const struct rf_gpu *g, void (*fn)(const struct rf_gpu_use *use, void *arg), void *arg);
/* As rf_gpu_join_energy(). */
void rf_gpu_energy(struct rf_gpu *g, const char *parent, double joules, uint64_t elapsed_ns, rf_gpu_energy_fn fn,
		   void *arg);
/* 0: NVML is not asked now; else the same as before as long as it is the same driver that is. */
uint64_t rf_gpu_running(const struct rf_gpu *g);
/* Another of the helper, with @option, NULL: none; as rf_helper_start(). */
int rf_gpu_helper_start(const struct rf_gpu *g, const char *option, int in, pid_t *ret_pid, int *ret_fd);
/* Strings of @ret are @g's, until the next turn of the loop. */
void rf_gpu_row(const struct rf_gpu *g, struct rf_gpu_row *ret);

#endif

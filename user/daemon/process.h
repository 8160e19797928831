/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a process is: when it started, and which workload it is of. */
#ifndef RF_DAEMON_PROCESS_H
#define RF_DAEMON_PROCESS_H

#include "user/daemon/gpu_join.h"
#include "user/daemon/registry.h"

/* 0; -ESRCH: there is none of that id, or it has ended. */
int rf_process_identify(const struct rf_registry *r, uint32_t pid, struct rf_gpu_identity *ret);

/* Of /proc/PID/stat, where the process has not ended. */
struct rf_process_stat {
	uint64_t start_ns; /* since the host started; in the kernel's ticks */
	uint64_t size;	   /* of its address space, in bytes */
	char state;	   /* 'R': it runs, or would, had it a processor; proc_pid_stat(5) */
	uint64_t cpu_ns;   /* user's and system's, in ticks */
};

/* Both: 0; -ESRCH: no such process, or it has ended. */
int rf_process_stat_parse(const char *text, long ticks_per_s, struct rf_process_stat *ret);
int rf_process_stat_read(uint32_t pid, struct rf_process_stat *ret);

#endif

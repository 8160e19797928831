/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a process is: when it started, and which workload it is of. */
#ifndef RF_DAEMON_PROCESS_H
#define RF_DAEMON_PROCESS_H

#include "user/daemon/gpu_join.h"
#include "user/daemon/registry.h"

/* 0; -ESRCH: there is none of that id, or it has ended. */
int rf_process_identify(const struct rf_registry *r, uint32_t pid, struct rf_gpu_identity *ret);
/* Field 22 of /proc/PID/stat in ns since the host started, of a process that has not ended; -ESRCH. */
int rf_process_stat_parse(const char *text, long ticks_per_s, uint64_t *ret_start_ns);

#endif

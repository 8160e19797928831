/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What amdkfd tells of processes, charged to their workloads. A process is
 * asked once whose it is, when it comes; what it had taken stays its workload's
 * when it is gone.
 */
#ifndef RF_DAEMON_KFD_H
#define RF_DAEMON_KFD_H

#include "user/daemon/registry.h"
#include "user/lib/hashmap.h"
#include "user/model/snapshot.h"

struct rf_kfd_watch {
	struct rf_hashmap *processes; /* (pid, device) -> struct process */
	struct rf_hashmap *sums;      /* RF_ACCEL_WHOSE() -> struct rf_kfd_sum */
	unsigned int ticks;
};

struct rf_kfd_sum {
	uint64_t whose;
	uint64_t cgroup_id; /* of the workload: its number is used again */
	struct rf_accel_kfd kfd;
};

/* Once a second; looks every few, below @sys. */
void rf_kfd_tick(struct rf_kfd_watch *w, const struct rf_registry *r, const char *sys);
void rf_kfd_end(struct rf_kfd_watch *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose the processes are that NVML tells of: joined on process id, start time
 * and workload, and summed by workload, device and instance of MIG.
 *
 * A process id is told again for another process when the first has ended, so
 * that what is said of one counts for who had it at that moment: who it is is
 * asked when a message comes, and remembered for those that come when it has
 * ended. Nothing is charged twice. A process of which nobody knew is charged to
 * nobody, and counted.
 */
#ifndef RF_DAEMON_GPU_JOIN_H
#define RF_DAEMON_GPU_JOIN_H

#include <stdbool.h>

#include "user/lib/cleanup.h"
#include "user/model/gpu_message.h"

struct rf_gpu_identity {
	uint64_t start_ns; /* CLOCK_BOOTTIME; in the kernel's ticks of 10 ms */
	uint32_t workload; /* RF_WORKLOAD_NONE: nobody's */
	uint64_t cgroup;   /* of the workload: ids of workloads are used again */
};

/* Who has @pid now: 0; -ESRCH: nobody, or it has ended. */
typedef int (*rf_gpu_identify_fn)(uint32_t pid, struct rf_gpu_identity *ret, void *arg);
/* Is @workload still that of @cgroup? */
typedef bool (*rf_gpu_alive_fn)(uint32_t workload, uint64_t cgroup, void *arg);

struct rf_gpu_use {
	char parent[RF_ACCEL_DEVICE_NAME];
	uint32_t gpu_instance, compute_instance;
	uint32_t workload;
	uint32_t processes; /* on it in the last round */
	uint64_t cgroup;
	uint64_t busy_ns;
	uint64_t shared_ns; /* of that, for which energy was shared out */
	uint64_t energy_uj;
	uint64_t bytes, bytes_peak;
};

struct rf_gpu_join_stats {
	uint64_t unjoined; /* messages of processes that nobody knew */
	uint64_t full;	   /* messages that there was no room for */
	uint64_t contexts, uses;
};

struct rf_gpu_join;

int rf_gpu_join_new(rf_gpu_identify_fn identify, void *arg, struct rf_gpu_join **ret);
void rf_gpu_join_free(struct rf_gpu_join *j);
RF_DEFINE_CLEANUP(struct rf_gpu_join, rf_gpu_join_free)

void rf_gpu_join_process(struct rf_gpu_join *j, const struct rf_gpu_process_message *m);
/* @real_to_boot_ns: what to take from the message's time; @known_ns: before that moment nothing was counted. */
void rf_gpu_join_ended(struct rf_gpu_join *j, const struct rf_gpu_ended_message *m, uint64_t real_to_boot_ns,
		       uint64_t known_ns);
/* All that is on the devices was told. */
void rf_gpu_join_round(struct rf_gpu_join *j);
/* Nobody tells any more: what is on the devices is not known. */
void rf_gpu_join_lost(struct rf_gpu_join *j);
/* A process of a workload ended: remembered for what is told of it later. */
void rf_gpu_join_exited(struct rf_gpu_join *j, uint32_t pid, const struct rf_gpu_identity *who, uint64_t end_ns);
/* Drops what workloads had that are gone. */
void rf_gpu_join_sweep(struct rf_gpu_join *j, rf_gpu_alive_fn alive, void *arg);

/* The part of @joules, drawn in @elapsed_ns, of who worked for @busy_ns where all together did for @all_ns; in uJ. */
uint64_t rf_gpu_energy_part(double joules, uint64_t busy_ns, uint64_t all_ns, uint64_t elapsed_ns);
/* Shares out what the device has drawn in @elapsed_ns: who worked has a part, and @fn is told of each. */
typedef void (*rf_gpu_energy_fn)(const struct rf_gpu_use *use, uint64_t microjoules, void *arg);
void rf_gpu_join_energy(struct rf_gpu_join *j, const char *parent, double joules, uint64_t elapsed_ns,
			rf_gpu_energy_fn fn, void *arg);

/* The workload that @pid was of when it was last told of; RF_WORKLOAD_NONE. */
uint32_t rf_gpu_join_workload(const struct rf_gpu_join *j, uint32_t pid);
void rf_gpu_join_each(const struct rf_gpu_join *j, void (*fn)(const struct rf_gpu_use *use, void *arg), void *arg);
void rf_gpu_join_stats(const struct rf_gpu_join *j, struct rf_gpu_join_stats *ret);

#endif

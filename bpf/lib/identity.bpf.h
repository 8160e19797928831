/* SPDX-License-Identifier: GPL-2.0-only */
/* cgroup -> workload -> its bank, its counters. No path is ever looked at. */
#ifndef RF_BPF_IDENTITY_H
#define RF_BPF_IDENTITY_H

#include "errstat.bpf.h"
#include "maps.bpf.h"

/* @cgroup_id: on the stack, where the lookup wants it; a copy would cost eight bytes more of that. */
static __always_inline __u32 rf_workload_at(const __u64 *cgroup_id)
{
	struct rf_cgroup_entry *entry = bpf_map_lookup_elem(&rf_cgroup_map, cgroup_id);

#ifdef RF_TEST_VARIANT /* other programs with the same verdicts: what the upgrade test upgrades to */
	bpf_ktime_get_ns();
#endif
	return entry ? entry->workload : RF_WORKLOAD_NONE;
}

static __always_inline __u32 rf_workload_of(__u64 cgroup_id)
{
	return rf_workload_at(&cgroup_id);
}

_Static_assert(RF_CGROUP_SLOTS >= RF_MAX_WORKLOADS && !(RF_MAX_WORKLOADS & (RF_MAX_WORKLOADS - 1)),
	       "a slot does not tell two cgroups apart");

/*
 * As rf_workload_of(), remembered: for the cgroup of a process or of a socket, whose entry only the daemon changes, who
 * then moves @version on. That is read before this is called. A slot is one word, the workload in its low bits and
 * above them what tells the id and the version; the factor is 2^64 by the golden ratio, of which no multiple below 2^48
 * comes near 0: those are 65,536 changes. Cgroups that share a slot are looked up in turn.
 */
static __always_inline __u32 rf_workload_of_live(__u64 cgroup_id, __u64 version)
{
	__u64 tag = (cgroup_id + (version + 1) * 0x9e3779b97f4a7c15ULL) & -(__u64)RF_MAX_WORKLOADS, seen;
	__u32 slot = cgroup_id & (RF_CGROUP_SLOTS - 1), workload;
	__u64 *word = bpf_map_lookup_elem(&rf_cgroup_cache_map, &slot);

	if (!word)
		return rf_workload_of(cgroup_id);
	seen = RF_READ_ONCE(*word) ^ tag;
	if (rf_likely(seen < RF_MAX_WORKLOADS))
		return seen;
	workload = rf_workload_of(cgroup_id);
	RF_WRITE_ONCE(*word, tag | workload);
	return workload;
}

/* The v2 cgroup of a task that the program was given, whose type the verifier knows: plain loads. */
static __always_inline __u64 rf_given_cgroup_id(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn->id;
}

/*
 * Current's v2 cgroup, where a program of LSM or of a tracepoint runs: four loads instead of a helper that takes and
 * gives back a lock of RCU, 30 instructions less. Such programs do not sleep, which is lock enough.
 */
static __always_inline __u64 rf_current_cgroup_id(void)
{
	return rf_given_cgroup_id(bpf_get_current_task_btf());
}

/* What is in force for @workload in @version; NULL only past the end of the map. */
static __always_inline struct rf_workload_bank *rf_workload_bank(__u32 workload, __u64 version)
{
	struct rf_workload_entry *entry = bpf_map_lookup_elem(&rf_workload_map, &workload);

	if (!entry)
		return NULL;
	rf_barrier_var(entry);
	return &entry->bank[version & 1];
}

static __always_inline struct rf_workload_stats *rf_stats(__u32 workload)
{
	return bpf_map_lookup_elem(&rf_stats_map, &workload);
}

static __always_inline void rf_count(__u32 workload, enum rf_counter counter, __u64 n)
{
	struct rf_workload_stats *stats = rf_stats(workload);

	if (stats)
		__sync_fetch_and_add(&stats->counter[counter], n);
}

/* Of a task that was reached on the way. */
static __always_inline __u64 rf_task_cgroup_id(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

#endif

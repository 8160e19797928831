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

/* The v2 cgroup id of a task other than current. */
static __always_inline __u64 rf_task_cgroup_id(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

#endif

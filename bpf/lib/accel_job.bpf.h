/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs of accelerators between their submission and their end.
 *
 * A row is made by whoever takes its place, by the address of the fence, and ended by whoever takes the time of its
 * submission out of it: two programs that see the same, while a daemon takes over from another and where each has a
 * twin, and a daemon that sweeps, count it once.
 *
 * Failure: what there is no room for is charged by the estimate alone, and is counted (accel_full).
 */
#ifndef RF_BPF_ACCEL_JOB_H
#define RF_BPF_ACCEL_JOB_H

#include "quota.bpf.h"

static __always_inline struct rf_accel_job *rf_job_place(__u64 fence, int way)
{
	__u32 at = RF_ACCEL_JOB_AT(fence, way);

	return bpf_map_lookup_elem(&rf_accel_job_map, &at);
}

/* The row of that fence, whose first place is @home; NULL: it has none. */
static __always_inline struct rf_accel_job *rf_job_find(struct rf_accel_job *home, __u64 fence)
{
	if (RF_READ_ONCE(home->fence) == fence)
		return home;
	if (rf_likely(!RF_READ_ONCE(home->beyond)))
		return NULL;
	for (int way = 1; way < RF_ACCEL_JOB_WAYS; way++) {
		struct rf_accel_job *row = rf_job_place(fence, way);

		if (row && RF_READ_ONCE(row->fence) == fence)
			return row;
	}
	return NULL;
}

/* A place for it; what the last one left there is nobody's. NULL: none is free. */
static __always_inline struct rf_accel_job *rf_job_take(struct rf_accel_job *home, __u64 fence)
{
	if (rf_likely(!__sync_val_compare_and_swap(&home->fence, 0, fence))) {
		RF_WRITE_ONCE(home->queued_ns, 0);
		return home;
	}
	for (int way = 1; way < RF_ACCEL_JOB_WAYS; way++) {
		struct rf_accel_job *row = rf_job_place(fence, way);

		if (!row || RF_READ_ONCE(row->fence) || __sync_val_compare_and_swap(&row->fence, 0, fence))
			continue;
		RF_WRITE_ONCE(row->queued_ns, 0);
		__sync_fetch_and_add(&home->beyond, 1);
		return row;
	}
	return NULL;
}

/* One that was given up before it ran: nothing told of that. */
static __always_inline void rf_job_forget(struct rf_accel_job *row)
{
	struct rf_accel_use *use = rf_accel_use_at(row->use);

	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		rf_quota_ended_one(use, 0, row->charged_ns, use->seen_ns);
		use = rf_accel_above(use);
	}
}

/* One that nobody will see the end of takes what is thought of it; by each of the two that saw it. */
static __noinline int rf_job_unkept(__u32 at, __u32 device)
{
	struct rf_accel_use *use = rf_accel_use_at(at);
	__u64 now = bpf_ktime_get_ns(), estimate;

	rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
	if (!use)
		return 0;
	estimate = RF_READ_ONCE(use->estimate_ns);
	rf_quota_queued(use, at, device, estimate, now);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		rf_quota_ended_one(use, estimate, estimate, now);
		__sync_fetch_and_add(&use->busy_ns, estimate);
		use = rf_accel_above(use);
	}
	return 0;
}

static __always_inline int rf_job_queued(__u32 workload, __u32 device, __u64 fence)
{
	struct rf_accel_job *home = rf_job_place(fence, 0), *row;
	struct rf_accel_use *use;
	__u64 now, queued;
	__u32 at;

	use = rf_accel_use(workload, device, RF_HOOK_ACCEL_IOCTL, &at);
	if (!use || !home)
		return 0;
	row = rf_job_find(home, fence);
	if (!row && (__s64)RF_READ_ONCE(use->under_way) < RF_MAX_ACCEL_JOBS_EACH)
		row = rf_job_take(home, fence);
	if (rf_unlikely(!row))
		return rf_job_unkept(at, device);
	now = bpf_ktime_get_ns();
	queued = RF_READ_ONCE(row->queued_ns);
	if (queued) {
		/* Two of us: one of them counts. */
		if (now - queued < RF_ACCEL_TWICE_NS)
			return 0;
		/* Else the last job at this address. The place of one that the daemon sweeps is lost in a moment. */
		if (queued == RF_ACCEL_JOB_SWEPT || __sync_val_compare_and_swap(&row->queued_ns, queued, now) != queued)
			return rf_job_unkept(at, device);
		rf_job_forget(row);
	}
	/* Nobody else looks at it yet: the scheduler is told of the job after us. */
	row->use = at;
	row->charged_ns = RF_READ_ONCE(use->estimate_ns);
	RF_WRITE_ONCE(row->queued_ns, now);
	rf_quota_queued(use, at, device, row->charged_ns, now);
	return 0;
}

/* Handed to the device at @begun; when it was not, any time before it was submitted. */
static __always_inline int rf_job_ended(__u64 fence, __u64 begun, bool given_up)
{
	struct rf_accel_job *home = rf_job_place(fence, 0), *row;
	__u64 queued, busy, charged, now, estimate;
	struct rf_accel_use *use;

	row = home ? rf_job_find(home, fence) : NULL;
	if (!row)
		return 0;
	/* Whoever is second finds nothing: it is charged once. */
	queued = __sync_lock_test_and_set(&row->queued_ns, 0);
	if (queued <= RF_ACCEL_JOB_SWEPT)
		return 0;
	charged = row->charged_ns;
	use = rf_accel_use_at(row->use);
	RF_WRITE_ONCE(row->fence, 0);
	if (row != home)
		__sync_fetch_and_add(&home->beyond, -1);
	now = bpf_ktime_get_ns();
	if (begun - queued > now - queued)
		begun = now;
	busy = given_up ? 0 : now - begun;
	if (busy > RF_ACCEL_JOB_MAX_NS)
		busy = RF_ACCEL_JOB_MAX_NS;
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		rf_quota_ended_one(use, busy, charged, now);
		if (!given_up) {
			__sync_fetch_and_add(&use->jobs, 1);
			__sync_fetch_and_add(&use->busy_ns, busy);
			__sync_fetch_and_add(&use->queued_ns, begun - queued);
			estimate = RF_READ_ONCE(use->estimate_ns);
			RF_WRITE_ONCE(use->estimate_ns, estimate - estimate / 8 + busy / 8);
		}
		use = rf_accel_above(use);
	}
	return 0;
}

#endif

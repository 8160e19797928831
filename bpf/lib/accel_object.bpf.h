/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers of accelerators, by their address. One whose end was missed is ended by the next at its address.
 *
 * Failure: closed for quotas of memory. What there is no room for is not counted, which accel_full is, and the quota
 * is over for RF_ACCEL_OVER_UNCOUNTED_S; it is, too, of who has RF_MAX_ACCEL_OBJECTS_EACH buffers. Who is asked for no
 * quota of memory is not counted beyond that.
 */
#ifndef RF_BPF_ACCEL_OBJECT_H
#define RF_BPF_ACCEL_OBJECT_H

#include "accel.bpf.h"

static __always_inline bool rf_object_is_limited(struct rf_accel_use *use)
{
	bool limited = false;

	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		limited |= use->quota.memory != 0;
		use = rf_accel_above(use);
	}
	return limited;
}

/* Of @many, its own is so until it has less; of the others nobody would know when. */
static __noinline int rf_object_over(__u32 at, bool many)
{
	__u32 until = bpf_ktime_get_ns() / 1000000000 + RF_ACCEL_OVER_UNCOUNTED_S;
	struct rf_accel_use *use = rf_accel_use_at(at);

	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		if (many && !level)
			RF_WRITE_ONCE(use->memory_over_s, RF_ACCEL_OVER_MANY);
		else if (RF_READ_ONCE(use->memory_over_s) != RF_ACCEL_OVER_MANY)
			RF_WRITE_ONCE(use->memory_over_s, until);
		use = rf_accel_above(use);
	}
	return 0;
}

static __always_inline int rf_object_gone(__u64 key)
{
	struct rf_accel_object *row = bpf_map_lookup_elem(&rf_accel_object_map, &key);
	struct rf_accel_use *use;
	__u64 bytes;

	if (!row)
		return 0;
	bytes = row->bytes;
	use = rf_accel_use_at(row->use);
	/* Whoever is second finds nothing. */
	if (bpf_map_delete_elem(&rf_accel_object_map, &key) < 0 || !use)
		return 0;
	if ((__s64)__sync_add_and_fetch(&use->objects, -1) < RF_MAX_ACCEL_OBJECTS_EACH)
		__sync_val_compare_and_swap(&use->memory_over_s, RF_ACCEL_OVER_MANY, 0);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		__sync_fetch_and_sub(&use->bytes, bytes);
		use = rf_accel_above(use);
	}
	return 0;
}

/* 1: it is kept; 0: by another of us. */
static __always_inline int rf_object_keep(__u64 key, const struct rf_accel_object *row)
{
	struct rf_accel_object *there;

	if (bpf_map_update_elem(&rf_accel_object_map, &key, row, BPF_NOEXIST) == 0)
		return 1;
	there = bpf_map_lookup_elem(&rf_accel_object_map, &key);
	if (!there)
		return -1;
	/* Or one of the same size and owner whose end was missed: then that is counted in its place. */
	if (there->use == row->use && there->bytes == row->bytes)
		return 0;
	rf_object_gone(key);
	return bpf_map_update_elem(&rf_accel_object_map, &key, row, BPF_NOEXIST) == 0 ? 1 : -1;
}

static __always_inline int rf_object_made(__u32 workload, __u32 device, __u64 key, __u64 size)
{
	struct rf_accel_object row = { .bytes = size };
	struct rf_accel_use *use;
	int kept = -1;
	__u64 now;

	use = rf_accel_use(workload, device, RF_HOOK_ACCEL_IOCTL, &row.use);
	if (!use)
		return 0;
	if ((__s64)RF_READ_ONCE(use->objects) < RF_MAX_ACCEL_OBJECTS_EACH || rf_object_is_limited(use))
		kept = rf_object_keep(key, &row);
	if (kept < 0) {
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
		rf_object_over(row.use, false);
	}
	if (kept <= 0)
		return 0;
	if ((__s64)__sync_add_and_fetch(&use->objects, 1) >= RF_MAX_ACCEL_OBJECTS_EACH)
		rf_object_over(row.use, true);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		now = __sync_add_and_fetch(&use->bytes, size);
		if (now > use->bytes_peak)
			use->bytes_peak = now;
		use = rf_accel_above(use);
	}
	return 0;
}

#endif

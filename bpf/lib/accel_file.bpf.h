/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files of accelerators, by their address. One whose end was missed is ended by the next at its address.
 *
 * Failure: open, not counted, and that is (accel_full).
 */
#ifndef RF_BPF_ACCEL_FILE_H
#define RF_BPF_ACCEL_FILE_H

#include "accel.bpf.h"

/* Of one whose end was @missed nobody knows how long it had been open. */
static __always_inline int rf_file_closed(__u64 address, bool missed)
{
	struct rf_accel_file *row = bpf_map_lookup_elem(&rf_accel_file_map, &address);
	struct rf_accel_use *use;
	__u64 held;

	if (!row)
		return 0;
	held = missed ? 0 : bpf_ktime_get_ns() - row->opened_ns;
	use = rf_accel_use_at(row->use);
	/* Whoever is second finds nothing. */
	if (bpf_map_delete_elem(&rf_accel_file_map, &address) < 0)
		return 0;
	__sync_fetch_and_add(&rf_config.accel_files, 1);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		__sync_fetch_and_sub(&use->files, 1);
		__sync_fetch_and_add(&use->held_ns, held);
		use = rf_accel_above(use);
	}
	return 0;
}

/* 1: it is kept; 0: by another of us. */
static __always_inline int rf_file_keep(__u64 address, const struct rf_accel_file *row)
{
	struct rf_accel_file *there;

	if (bpf_map_update_elem(&rf_accel_file_map, &address, row, BPF_NOEXIST) == 0)
		return 1;
	there = bpf_map_lookup_elem(&rf_accel_file_map, &address);
	if (!there)
		return -1;
	if (there->use == row->use && there->tgid == row->tgid && row->opened_ns - there->opened_ns < RF_ACCEL_TWICE_NS)
		return 0;
	rf_file_closed(address, true);
	return bpf_map_update_elem(&rf_accel_file_map, &address, row, BPF_NOEXIST) == 0 ? 1 : -1;
}

static __always_inline int rf_file_opened(struct rf_accel_use *use, __u32 at, __u64 address, __u32 tgid)
{
	struct rf_accel_file row = { .use = at, .opened_ns = bpf_ktime_get_ns(), .tgid = tgid };
	int kept = rf_file_keep(address, &row);

	if (kept < 0)
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
	if (kept <= 0)
		return 0;
	__sync_fetch_and_add(&rf_config.accel_files, 1);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		__sync_fetch_and_add(&use->opens, 1);
		__sync_fetch_and_add(&use->files, 1);
		use = rf_accel_above(use);
	}
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What a workload has taken of an accelerator. */
#ifndef RF_BPF_ACCEL_H
#define RF_BPF_ACCEL_H

#include "identity.bpf.h"

/* Its row, made where there is none yet; NULL: no room, which is counted. */
static __always_inline struct rf_accel_use *rf_accel_use(__u32 workload, __u32 device, enum rf_hook hook)
{
	struct rf_accel_use_key key = { .workload = workload, .device = device };
	struct rf_accel_use *use = bpf_map_lookup_elem(&rf_accel_use_map, &key);

	if (rf_unlikely(!use)) {
		struct rf_accel_use zero = {};

		bpf_map_update_elem(&rf_accel_use_map, &key, &zero, BPF_NOEXIST);
		use = bpf_map_lookup_elem(&rf_accel_use_map, &key);
		if (!use)
			rf_error(hook, RF_ERROR_ACCEL_FULL);
	}
	return use;
}

#endif

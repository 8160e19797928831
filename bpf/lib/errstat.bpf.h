/* SPDX-License-Identifier: GPL-2.0-only */
/* Every helper that can fail has a counter here, and so has every hook's self-test. */
#ifndef RF_BPF_ERRSTAT_H
#define RF_BPF_ERRSTAT_H

#include "maps.bpf.h"

/* Counts @error and, where a hook is to blame, the hook's share. Per CPU: no atomics. */
static __always_inline void rf_error(enum rf_hook hook, enum rf_error error)
{
	__u32 e = error, h = hook;
	__u64 *count = bpf_map_lookup_elem(&rf_error_map, &e);
	struct rf_hook_stats *stats = bpf_map_lookup_elem(&rf_hook_map, &h);

	if (count)
		(*count)++;
	if (stats)
		stats->errors++;
}

/* Proof that a hook runs: counted only on behalf of the self-test's own cgroup. */
static __always_inline void rf_hook_seen(enum rf_hook hook, __u32 workload)
{
	if (rf_unlikely(workload == RF_WORKLOAD_PROBE)) {
		__u32 h = hook;
		struct rf_hook_stats *stats = bpf_map_lookup_elem(&rf_hook_map, &h);

		if (stats)
			stats->probe_hits++;
	}
}

#endif

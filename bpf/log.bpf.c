// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of flows that nobody ends. Run by the daemon about once a second, so
 * that what it ends goes by the same ring and the same fair share as all else.
 *
 * Bound: one look at every flow in the log, of which there are RF_MAX_FLOWS.
 * Failure: a flow stays until the next run.
 */
#include "lib/log.bpf.h"

char _license[] SEC("license") = "GPL";

static long rf_log_look(struct bpf_map *map, struct rf_log_key *key, struct rf_log *log, void *context)
{
	struct rf_workload_bank *bank = rf_workload_bank(log->workload, RF_READ_ONCE(rf_config.version));
	__u64 now = bpf_ktime_get_boot_ns(), last = RF_READ_ONCE(log->last_ns);

	(void)map;
	(void)context;
	if (!bank || !bank->flow_sample)
		rf_log_end(key, log, RF_REASON_STOPPED);
	else if (now > last && now - last >= bank->flow_idle_s * 1000000000ULL)
		rf_log_end(key, log, RF_REASON_IDLE);
	return 0;
}

SEC("syscall")
int rf_log_sweep(void *context)
{
	(void)context;
	bpf_for_each_map_elem(&rf_log_map, rf_log_look, NULL, 0);
	return 0;
}

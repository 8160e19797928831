// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel really does, as opposed to what it lets us load: an LSM
 * program attaches without error on a kernel whose lsm= lacks "bpf" and then
 * never runs. Attached for a moment, before anything else is loaded.
 *
 * hook       decides
 * file_open  nothing; counts, whoever opens: that it runs at all is what is asked
 */
#include "lib/common.bpf.h"

char _license[] SEC("license") = "GPL";

__u64 lsm_hits;

SEC("lsm/file_open")
int BPF_PROG(rf_probe_file_open, struct file *file, int ret)
{
	__sync_fetch_and_add(&lsm_hits, 1);
	return ret; /* an earlier LSM's denial is passed on */
}

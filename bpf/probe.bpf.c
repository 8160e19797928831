// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel really does, as opposed to what it lets us load: an LSM
 * program attaches without error on a kernel whose lsm= lacks "bpf" and then
 * never runs. Attached for a moment each, before anything else is loaded.
 *
 * hook            decides
 * file_open       nothing; counts, whoever opens: that it runs at all is what is asked
 * rw_verify_area  nothing; counts whoever reads
 */
#include "lib/common.bpf.h"

char _license[] SEC("license") = "GPL";

__u64 hits;

SEC("lsm/file_open")
int BPF_PROG(rf_probe_lsm, struct file *file, int ret)
{
	__sync_fetch_and_add(&hits, 1);
	return ret; /* an earlier LSM's denial is passed on */
}

SEC("fexit/rw_verify_area")
int BPF_PROG(rf_probe_trace)
{
	__sync_fetch_and_add(&hits, 1);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel really does, as opposed to what it lets us load: an LSM
 * program attaches without error on a kernel whose lsm= lacks "bpf" and then
 * never runs. Attached for the moment of the self-test only.
 *
 * hook       decides
 * file_open  nothing; counts opens by the self-test's own cgroup
 */
#include "lib/common.bpf.h"

char _license[] SEC("license") = "GPL";

__u64 probe_cgroup; /* set before load */
__u64 lsm_hits;

SEC("lsm/file_open")
int BPF_PROG(rf_probe_file_open, struct file *file, int ret)
{
	if (bpf_get_current_cgroup_id() == probe_cgroup)
		__sync_fetch_and_add(&lsm_hits, 1);
	return ret; /* an earlier LSM's denial is passed on */
}

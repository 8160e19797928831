// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sets a workload up, and is not yet the workload: a container runtime's
 * own process is in the container's cgroup while it mounts, changes its user
 * and drops capabilities, and so is a service manager's. Attached while some
 * workload has denials of the kernel's surface, which they are not asked about.
 *
 * hook                 decides
 * cgroup_attach_task   nothing; a process that somebody outside puts into a workload is a newcomer
 * sched_process_fork   nothing; so is the child of one, and one that is born into another's cgroup
 * bprm_committed_creds nothing; the first program that it executes is the workload (level 1)
 *
 * Nobody makes itself a newcomer: it takes somebody outside who puts it in, and
 * whoever moves itself is judged from there on. Systemd's executor is still the
 * manager's, though it is executed in the service's cgroup.
 *
 * Bound: three lookups. Failure: closed, who is not known as a newcomer is
 * judged; the end of being one is an LSM program's, which cannot be skipped.
 */
#include "lib/newcomer.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_EXECUTOR "systemd-executor"

static __always_inline void rf_newcomer_make(struct task_struct *task, __u32 workload)
{
	struct rf_newcomer *newcomer;

	newcomer = bpf_task_storage_get(&rf_newcomer_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (newcomer)
		newcomer->workload = workload;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(rf_newcomer_move, struct cgroup *to, const char *path, struct task_struct *task, bool threadgroup)
{
	/* The move is done: where the task was nobody tells, where its mover is does. */
	__u32 mover = rf_workload_of(bpf_get_current_cgroup_id()), workload;

	workload = rf_workload_of(rf_task_cgroup_id(task));
	rf_hook_seen(RF_HOOK_NEWCOMER_MOVE, workload);
	if (workload != RF_WORKLOAD_NONE && workload != mover && (__u32)bpf_get_current_pid_tgid() != task->pid)
		rf_newcomer_make(task, workload);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(rf_newcomer_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 workload = rf_workload_of(rf_task_cgroup_id(child));

	if (workload == RF_WORKLOAD_NONE)
		return 0;
	rf_hook_seen(RF_HOOK_NEWCOMER_FORK, workload);
	if (rf_newcomer_is(workload) || rf_workload_of(bpf_get_current_cgroup_id()) != workload)
		rf_newcomer_make(child, workload);
	return 0;
}

/* A program of root's, by that name, where the manager sees the same files: what it put in has not left yet. */
static __always_inline bool rf_is_executor(const struct linux_binprm *bprm, const struct task_struct *task)
{
	char name[sizeof(RF_EXECUTOR)] = {};

	if (BPF_CORE_READ(bprm, file, f_inode, i_uid.val) ||
	    BPF_CORE_READ(task, nsproxy, mnt_ns) != BPF_CORE_READ(task, real_parent, nsproxy, mnt_ns))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(bprm, file, f_path.dentry, d_name.name));
	/* A longer name is cut: what it begins with is no name of anybody else's. */
	return __builtin_memcmp(name, RF_EXECUTOR, sizeof(RF_EXECUTOR) - 1) == 0;
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(rf_newcomer_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_newcomer *newcomer;

	rf_hook_seen(RF_HOOK_NEWCOMER_EXEC, rf_workload_of(bpf_get_current_cgroup_id()));
	newcomer = bpf_task_storage_get(&rf_newcomer_map, task, NULL, 0);
	if (newcomer && newcomer->workload && !rf_is_executor(bprm, task))
		newcomer->workload = RF_WORKLOAD_NONE;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sets a workload up, and is not yet the workload: a container runtime's
 * own process is in the container's cgroup while it mounts, changes its user
 * and drops capabilities, and so is a service manager's. Attached while some
 * policy denies any of the kernel's surface, which they are not asked about.
 *
 * hook                 decides
 * cgroup_attach_task   nothing; a process that somebody outside puts into a cgroup is a newcomer
 * sched_process_fork   nothing; so is the child of one, and one that is born into another cgroup
 * bprm_committed_creds nothing; the first program that it executes is the workload (level 1)
 *
 * The cgroup may have no workload yet: a runtime is faster than the daemon. So
 * outside is who is in no workload, or in another one. Nobody makes itself a
 * newcomer: who moves itself, or is moved by its own workload, is judged.
 * Systemd's executor is still the manager's, though it is executed in the
 * service's cgroup.
 *
 * Bound: two lookups, and none for a fork that stays where it is. Failure:
 * closed, who is not known as a newcomer is judged; the end of being one is an
 * LSM program's, which cannot be skipped.
 */
#include "lib/newcomer.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_EXECUTOR "systemd-executor"

/* Without memory it is none: closed, and counted. */
static __always_inline void rf_newcomer_make(struct task_struct *task, __u64 cgroup_id, enum rf_hook hook)
{
	struct rf_newcomer *newcomer;

	newcomer = bpf_task_storage_get(&rf_newcomer_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (newcomer)
		newcomer->cgroup_id = cgroup_id;
	else
		rf_error(hook, RF_ERROR_NEWCOMER);
}

static __always_inline bool rf_is_outside(__u32 workload, __u32 mover)
{
	return mover == RF_WORKLOAD_NONE || mover != workload;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(rf_newcomer_move, struct cgroup *to, const char *path, struct task_struct *task, bool threadgroup)
{
	/* The move is done: where the task was nobody tells, where its mover is does. */
	__u64 cgroup_id = rf_task_cgroup_id(task);
	__u32 workload = rf_workload_of(cgroup_id);

	rf_hook_seen(RF_HOOK_NEWCOMER_MOVE, workload);
	if ((__u32)bpf_get_current_pid_tgid() != task->pid &&
	    rf_is_outside(workload, rf_workload_of(bpf_get_current_cgroup_id())))
		rf_newcomer_make(task, cgroup_id, RF_HOOK_NEWCOMER_MOVE);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(rf_newcomer_fork, struct task_struct *parent, struct task_struct *child)
{
	__u64 from = rf_current_cgroup_id(), cgroup_id = rf_given_cgroup_id(child);

	if (rf_unlikely(from == rf_config.probe_cgroup))
		rf_hook_seen(RF_HOOK_NEWCOMER_FORK, RF_WORKLOAD_PROBE);
	if (rf_newcomer_is() || (from != cgroup_id && rf_is_outside(rf_workload_of(cgroup_id), rf_workload_of(from))))
		rf_newcomer_make(child, cgroup_id, RF_HOOK_NEWCOMER_FORK);
	return 0;
}

/* A program of root's, by that name, where the manager sees the same files: what it put in has not left yet. */
static __always_inline bool rf_is_executor(const struct linux_binprm *bprm, const struct task_struct *task)
{
	char name[sizeof(RF_EXECUTOR) + 1] = {};

	if (BPF_CORE_READ(bprm, file, f_inode, i_uid.val) ||
	    BPF_CORE_READ(task, nsproxy, mnt_ns) != BPF_CORE_READ(task, real_parent, nsproxy, mnt_ns))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(bprm, file, f_path.dentry, d_name.name));
	return __builtin_memcmp(name, RF_EXECUTOR, sizeof(RF_EXECUTOR)) == 0;
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(rf_newcomer_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (rf_unlikely(rf_current_cgroup_id() == rf_config.probe_cgroup))
		rf_hook_seen(RF_HOOK_NEWCOMER_EXEC, RF_WORKLOAD_PROBE);
	if (rf_newcomer_is() && !rf_is_executor(bprm, task))
		bpf_task_storage_delete(&rf_newcomer_map, task);
	return 0;
}

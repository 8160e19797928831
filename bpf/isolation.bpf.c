// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes of different tenants, or namespaces, or workloads. Attached while
 * some workload is kept apart from another in that way.
 *
 * hook                 decides whether current may
 * task_kill            send a signal
 * ptrace_access_check  trace; read /proc/PID/{mem,environ,maps,root,cwd,fd,ns};
 *                      process_vm_readv, process_madvise, pidfd_getfd, kcmp,
 *                      setns by a pidfd, a performance event on the process
 * ptrace_traceme       be traced by its parent
 * task_setscheduler    set policy, priority or CPU affinity
 * task_setnice         setpriority
 * task_setioprio       ioprio_set
 * task_setrlimit       prlimit that sets
 * task_movememory      move_pages, migrate_pages
 * perf_event_open      open an event on a whole CPU, whoever runs there
 *
 * Bound: two lookups for another process of the same workload, four between
 * two. Failure: open; an end that is not known is taken for the host's. What
 * a kernel sends by itself (a timer, a hang-up, the end of a child) does not
 * come here. Nor does SIGIO by fcntl(F_SETOWN).
 */
#include "lib/isolation.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_PTRACE_MODE_NOAUDIT 0x04 /* linux/ptrace.h */
#define RF_PERF_SECURITY_CPU   1    /* linux/security.h */

static __always_inline int rf_task_asked(struct task_struct *task, enum rf_isolation_operation operation,
					 __u32 argument, enum rf_hook hook, bool quiet)
{
	struct rf_isolation_case c = { .operation = operation, .argument = argument };
	__u64 other;

	if (!rf_isolation_acts(&c, hook))
		return 0;
	other = task->cgroups->dfl_cgrp->kn->id;
	if (other == c.cgroup_id)
		return 0;
	c.peer_tgid = task->tgid;
	return rf_lsm_verdict(rf_isolation_ask(&c, other, quiet));
}

SEC("lsm/task_kill")
int BPF_PROG(rf_task_kill, struct task_struct *task, struct kernel_siginfo *info, int signal, const struct cred *cred,
	     int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_KILL, signal, RF_HOOK_TASK_KILL, false);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(rf_ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	if (ret)
		return ret;
	/* What every reading of /proc/PID/stat asks for is denied without a word. */
	return rf_task_asked(child, RF_OPERATION_ATTACH, mode, RF_HOOK_PTRACE, mode & RF_PTRACE_MODE_NOAUDIT);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(rf_ptrace_traceme, struct task_struct *parent, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(parent, RF_OPERATION_TRACEME, 0, RF_HOOK_TRACEME, false);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(rf_task_setscheduler, struct task_struct *task, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_SCHEDULER, 0, RF_HOOK_TASK_SCHEDULER, false);
}

SEC("lsm/task_setnice")
int BPF_PROG(rf_task_setnice, struct task_struct *task, int nice, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_NICE, nice, RF_HOOK_TASK_NICE, false);
}

SEC("lsm/task_setioprio")
int BPF_PROG(rf_task_setioprio, struct task_struct *task, int ioprio, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_IOPRIO, ioprio, RF_HOOK_TASK_IOPRIO, false);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(rf_task_setrlimit, struct task_struct *task, unsigned int resource, struct rlimit *limit, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_RLIMIT, resource, RF_HOOK_TASK_RLIMIT, false);
}

SEC("lsm/task_movememory")
int BPF_PROG(rf_task_movememory, struct task_struct *task, int ret)
{
	if (ret)
		return ret;
	return rf_task_asked(task, RF_OPERATION_MEMORY, 0, RF_HOOK_TASK_MEMORY, false);
}

/*
 * Up to 6.11 the first argument is a struct perf_event_attr, which from 6.12 is not there: what is no number is one.
 * Behind the arguments stands what an earlier module said.
 */
SEC("lsm/perf_event_open")
int rf_perf_event_open(void *ctx)
{
	struct rf_isolation_case c = { .operation = RF_OPERATION_PERF_CPU, .between = RF_BETWEEN_TENANTS };
	struct rf_workload_bank *bank;
	__u64 arg[3];
	bool attr;

	if (bpf_probe_read_kernel(arg, sizeof(arg), ctx))
		return 0;
	attr = arg[0] >> 32;
	if (!rf_isolation_acts(&c, RF_HOOK_PERF_OPEN) || (attr ? arg[2] : arg[1]))
		return 0;
	if ((__u32)(attr ? arg[1] : arg[0]) != RF_PERF_SECURITY_CPU)
		return 0;
	bank = rf_workload_bank(c.workload, RF_READ_ONCE(rf_config.version));
	if (!bank || !bank->tenant)
		return 0;
	return rf_lsm_verdict(rf_isolation_judge(bank, &c, false));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes of different tenants, or namespaces, or workloads. Attached while
 * some workload is kept apart from another in that way.
 *
 * hook                 decides whether current may
 * task_kill            send a signal
 * file_send_sigiotask  have one sent by what happens to a file, fcntl(F_SETOWN): who asked for that acts,
 *                      whom file_set_fowner remembers
 * ptrace_access_check  trace; read /proc/PID/{mem,environ,maps,root,cwd,fd,ns};
 *                      process_vm_readv, process_madvise, pidfd_getfd, kcmp,
 *                      setns by a pidfd
 * capable              whether CAP_PERFMON and CAP_SYS_ADMIN are enough for process_madvise: from 6.15 on who has one
 *                      of them is not asked whether it may trace
 * ptrace_traceme       be traced by its parent
 * task_setscheduler    set policy, priority or CPU affinity
 * task_setnice         setpriority
 * task_setioprio       ioprio_set
 * task_setrlimit       prlimit that sets
 * task_movememory      move_pages, migrate_pages
 * perf_event_alloc     count or sample a process, or a whole CPU, whoever runs there: uprobes, too
 *
 * Bound: two lookups for another process of the same workload, four between
 * two. Failure: open; an end that is not known is taken for the host's. What
 * a kernel sends by itself (a timer, a hang-up, the end of a child) does not
 * come here. Who asked for the signals of a file before this was attached is not
 * known, nor after RF_MAX_FILE_OWNERS others.
 */
#include "lib/isolation.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_PTRACE_MODE_NOAUDIT 0x04 /* linux/ptrace.h */
#define RF_CAP_SYS_ADMIN       21
#define RF_CAP_PERFMON	       38
#define RF_PROCESS_MADVISE     440  /* of 64-bit and of 32-bit processes */
#define RF_PERF_ATTACH_TASK    0x04 /* linux/perf_event.h */

/* Where struct file has its owner in itself, and where it has not. */
struct file___whole {
	struct fown_struct f_owner;
} __attribute__((preserve_access_index));

struct fown_struct___apart {
	struct file *file;
} __attribute__((preserve_access_index));

static __always_inline int rf_task_asked(struct rf_isolation_case *c, struct task_struct *task, __u32 argument,
					 enum rf_hook hook, bool quiet)
{
	__u64 other;

	if (!rf_isolation_acts(c, hook))
		return 0;
	other = rf_given_cgroup_id(task);
	if (other == c->cgroup_id)
		return 0;
	c->peer_tgid = task->tgid;
	c->argument = argument;
	return rf_lsm_verdict(rf_isolation_ask(c, other, quiet));
}

SEC("lsm/task_kill")
int BPF_PROG(rf_task_kill, struct task_struct *task, struct kernel_siginfo *info, int signal, const struct cred *cred,
	     int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(KILL);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, signal, RF_HOOK_TASK_KILL, false);
}

SEC("lsm/file_set_fowner")
int BPF_PROG(rf_file_owner, struct file *file)
{
	return rf_maker_remember(&rf_owner_map, (__u64)file, RF_HOOK_FILE_OWNER);
}

/* The file that @owner is of: a part of it, until 6.12. */
static __always_inline __u64 rf_file_of_owner(struct fown_struct *owner)
{
	struct fown_struct___apart *apart = (void *)owner;

	if (bpf_core_field_exists(struct fown_struct___apart, file))
		return (__u64)BPF_CORE_READ(apart, file);
	return (__u64)owner - bpf_core_field_offset(struct file___whole, f_owner);
}

/* In no process's name: current is whoever wrote, or an interrupt. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(rf_sigio, struct task_struct *task, struct fown_struct *owner, int signal, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SIGIO);
	__u64 key, other = rf_given_cgroup_id(task);
	struct rf_maker *maker;

	if (ret)
		return ret;
	c.version = RF_READ_ONCE(rf_config.version);
	rf_hook_seen(RF_HOOK_SIGIO, rf_workload_of_live(other, c.version));
	key = rf_file_of_owner(owner);
	maker = bpf_map_lookup_elem(&rf_owner_map, &key);
	if (!maker || maker->cgroup_id == other)
		return 0;
	c.peer_tgid = task->tgid;
	c.argument = signal;
	c.cgroup_id = maker->cgroup_id;
	c.workload = rf_workload_of(c.cgroup_id);
	if (c.workload != RF_WORKLOAD_NONE)
		return rf_lsm_verdict(rf_isolation_ask(&c, other, false));
	/* The file may live longer than the cgroup of who asked for its signals: then whom it would reach is asked. */
	c.cgroup_id = other;
	c.workload = rf_workload_of_live(other, c.version);
	c.peer_tgid = 0;
	return rf_lsm_verdict(rf_isolation_ask_gone(&c, maker, RF_INGRESS));
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(rf_ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(ATTACH);

	if (ret)
		return ret;
	/* What every reading of /proc/PID/stat asks for is denied without a word. */
	return rf_task_asked(&c, child, mode, RF_HOOK_PTRACE, mode & RF_PTRACE_MODE_NOAUDIT);
}

/* Denied without a word: the kernel then asks the hook above, which knows whose memory it is. */
SEC("lsm/capable")
int BPF_PROG(rf_apart_capable, const struct cred *cred, struct user_namespace *ns, int capability, unsigned int opts,
	     int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(ATTACH);
	struct pt_regs *regs;

	if (ret)
		return ret;
	if (capability != RF_CAP_PERFMON && capability != RF_CAP_SYS_ADMIN)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (regs->orig_ax != RF_PROCESS_MADVISE)
		return 0;
	return rf_lsm_verdict(rf_isolation_acts(&c, RF_HOOK_APART_CAPABLE));
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(rf_ptrace_traceme, struct task_struct *parent, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(TRACEME);

	if (ret)
		return ret;
	return rf_task_asked(&c, parent, 0, RF_HOOK_TRACEME, false);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(rf_task_setscheduler, struct task_struct *task, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SCHEDULER);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, 0, RF_HOOK_TASK_SCHEDULER, false);
}

SEC("lsm/task_setnice")
int BPF_PROG(rf_task_setnice, struct task_struct *task, int nice, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(NICE);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, nice, RF_HOOK_TASK_NICE, false);
}

SEC("lsm/task_setioprio")
int BPF_PROG(rf_task_setioprio, struct task_struct *task, int ioprio, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(IOPRIO);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, ioprio, RF_HOOK_TASK_IOPRIO, false);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(rf_task_setrlimit, struct task_struct *task, unsigned int resource, struct rlimit *limit, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(RLIMIT);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, resource, RF_HOOK_TASK_RLIMIT, false);
}

SEC("lsm/task_movememory")
int BPF_PROG(rf_task_movememory, struct task_struct *task, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(MEMORY);

	if (ret)
		return ret;
	return rf_task_asked(&c, task, 0, RF_HOOK_TASK_MEMORY, false);
}

SEC("lsm/perf_event_alloc")
int BPF_PROG(rf_perf_event_alloc, struct perf_event *event, int ret)
{
	struct rf_isolation_case task = RF_ISOLATION_CASE(PERF_TASK), c = RF_ISOLATION_CASE(PERF_CPU);
	struct task_struct *target = event->hw.target;
	struct rf_workload_bank *bank;

	if (ret)
		return ret;
	if (event->attach_state & RF_PERF_ATTACH_TASK && target)
		return rf_task_asked(&task, target, 0, RF_HOOK_PERF_ALLOC, false);
	if (!rf_isolation_acts(&c, RF_HOOK_PERF_ALLOC))
		return 0;
	bank = rf_workload_bank(c.workload, c.version);
	if (!bank || !bank->tenant)
		return 0;
	return rf_lsm_verdict(rf_isolation_judge(bank, &c, false));
}

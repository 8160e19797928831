// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the module to have the caller wait, from every kind of program that
 * may: what is asked for is in the variables, and what was answered comes back
 * in them. Nothing happens before n_asks is set.
 *
 * The hooks of ioctl() take one command from anybody, so that tasks can be
 * made before the programs are loaded; sys_enter takes one call of one process.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ringfence/abi.h"
#include "tests/kmod/throttle.h"

extern int rf_throttle(__u64 delay_ns, __u32 workload, __u32 flags) __ksym;
extern int rf_throttle_stat(void *buf, __u32 buf__sz) __ksym;

__u64 delay_ns[THROTTLE_ASKS];
int returned[THROTTLE_ASKS];
int refusal; /* the last */
__u32 n_asks;
__u32 workload;
__u32 flags;

/* For sys_enter. */
__u32 tgid;
long number;

/* Where nobody can wait: how often it was asked there, was answered, and was answered with this. */
__u64 nobody_asked, nobody_answered, nobody_refused;
int nobody_refusal;
/* What the names of the tasks that are asked begin with. */
char worker[4];

struct rf_throttle_stat stat;
int stat_returned, stat_short_returned, stat_long_returned;

static __always_inline void ask(void)
{
	__u32 i;

	for (i = 0; i < THROTTLE_ASKS; i++) {
		if (i >= n_asks)
			break;
		returned[i] = rf_throttle(delay_ns[i], workload, flags);
		if (returned[i] < 0)
			refusal = returned[i];
	}
}

static __always_inline void ask_nobody(void)
{
	__sync_fetch_and_add(&nobody_asked, 1);
	if (rf_throttle(THROTTLE_MS, 0, 0) == nobody_refusal)
		__sync_fetch_and_add(&nobody_refused, 1);
	__sync_fetch_and_add(&nobody_answered, 1);
}

SEC("lsm/file_ioctl")
int BPF_PROG(from_lsm, struct file *file, unsigned int command, unsigned long arg, int ret)
{
	if (command == THROTTLE_COMMAND)
		ask();
	return ret;
}

SEC("fentry/security_file_ioctl")
int BPF_PROG(from_fentry, struct file *file, unsigned int command)
{
	if (command == THROTTLE_COMMAND)
		ask();
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(from_tracepoint, struct pt_regs *regs, long id)
{
	if (id == number && bpf_get_current_pid_tgid() >> 32 == tgid)
		ask();
	return 0;
}

SEC("syscall")
int from_syscall(void *ctx)
{
	ask();
	return 0;
}

SEC("uprobe")
int from_uprobe(struct pt_regs *ctx)
{
	ask();
	return 0;
}

SEC("tp_btf/workqueue_execute_start")
int BPF_PROG(from_kthread)
{
	ask_nobody();
	return 0;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(from_interrupt)
{
	ask_nobody();
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(from_exit)
{
	if (bpf_get_current_pid_tgid() >> 32 == tgid)
		ask_nobody();
	return 0;
}

/* When it goes to sleep: there is no other place that a worker of whatever kind comes by. */
SEC("tp_btf/sched_switch")
int BPF_PROG(from_worker)
{
	char name[16] = "";

	bpf_get_current_comm(name, sizeof(name));
	if (name[0] == worker[0] && name[1] == worker[1] && name[2] == worker[2] && name[3] == worker[3])
		ask_nobody();
	return 0;
}

SEC("syscall")
int read_stat(void *ctx)
{
	struct {
		struct rf_throttle_stat stat;
		__u64 more;
	} buf = {};

	stat_short_returned = rf_throttle_stat(&buf, sizeof(buf.stat) - 1);
	stat_long_returned = rf_throttle_stat(&buf, sizeof(buf.stat) + 1);
	stat_returned = rf_throttle_stat(&buf, sizeof(buf.stat));
	stat = buf.stat;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0-only */
/* Which system call current is in, of those that a policy can name: from the registers that it entered with. */
#ifndef RF_BPF_SYSCALL_H
#define RF_BPF_SYSCALL_H

#include "common.bpf.h"

#define RF_PF_KTHREAD	   0x00200000
#define RF_PF_USER_WORKER  0x00004000 /* of io_uring, and 6.4 and later of vhost */
#define RF_PF_IO_WORKER	   0x00000010
#define RF_TS_COMPAT	   0x0002
#define RF_X32_SYSCALL_BIT 0x40000000
#define RF_SYSCALL_NUMBERS 512

/* 1 + enum rf_syscall by the number, so that 0 is one that nobody can name. */
static const __u8 rf_syscall_native[RF_SYSCALL_NUMBERS] = {
#define X(name, number) [number] = 1 + RF_SYSCALL_##name,
	RF_SYSCALLS(X)
#undef X
};

static const __u8 rf_syscall_compat[RF_SYSCALL_NUMBERS] = {
#define X(name, number) [number] = 1 + RF_SYSCALL_##name,
	RF_SYSCALLS_COMPAT(X)
#undef X
};

/* enum rf_syscall, or RF_KERNEL_NONE. */
static __always_inline __u16 rf_syscall_of_current(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	__u32 number;
	__u8 place;

	/* They entered with no registers of their own. */
	if (task->flags & (RF_PF_KTHREAD | RF_PF_USER_WORKER | RF_PF_IO_WORKER))
		return RF_KERNEL_NONE;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	number = regs->orig_ax & ~RF_X32_SYSCALL_BIT;
	if (number >= RF_SYSCALL_NUMBERS)
		return RF_KERNEL_NONE;
	/* Again, where the verifier can see it: the compiler has compared a copy. */
	rf_barrier_var(number);
	number &= RF_SYSCALL_NUMBERS - 1;
	place = task->thread_info.status & RF_TS_COMPAT ? rf_syscall_compat[number] : rf_syscall_native[number];
	return place ? place - 1 : RF_KERNEL_NONE;
}

#endif

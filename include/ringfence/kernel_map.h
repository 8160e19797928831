/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's surface: which of its interfaces a workload may use, by kind,
 * by capability and by system call.
 */
#ifndef RINGFENCE_KERNEL_MAP_H
#define RINGFENCE_KERNEL_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* X(enum suffix, word in a policy, what is denied) */
#define RF_KERNEL_KINDS(X)                                                                              \
	X(MODULE, "moduleLoad", "loading and unloading modules, and making the kernel ask for one")     \
	X(BPF, "bpf", "the system call bpf")                                                            \
	X(PERF, "perf", "perf_event_open; writing files of tracefs and debugfs")                        \
	X(KEXEC, "kexec", "loading another kernel")                                                     \
	X(USERFAULTFD, "userfaultfd", "making a userfaultfd")                                           \
	X(IO_URING, "ioUring", "making an io_uring")                                                    \
	X(USER_NAMESPACE, "userNamespaces", "making a user namespace")                                  \
	X(MOUNT, "mount",                                                                               \
	  "mount, umount2, pivot_root, move_mount, fsopen, fspick, fsmount, mount_setattr, and "        \
	  "open_tree and open_tree_attr that clone")                                                    \
	X(PTRACE, "ptrace", "tracing, reading or writing another process, its own ones included")       \
	X(RAW_IO, "rawIO", "what CAP_SYS_RAWIO is for, such as /dev/mem, iopl, MSRs; PCI registers")    \
	X(SYSRQ, "sysrq", "writing /proc/sysrq-trigger")                                                \
	X(SYSCTL, "sysctl", "writing below /proc/sys")                                                  \
	X(CGROUP, "cgroupEscape",                                                                       \
	  "writing files of cgroups outside of the workload, and any of cgroup v1; CLONE_INTO_CGROUP")  \
	X(CORE_PATTERN, "corePattern", "writing the sysctls that name a program for the kernel to run") \
	X(SETUID, "setuid", "changing user or group ids, and programs that would gain them or capabilities")

enum rf_kernel_kind {
#define X(id, word, text) RF_KERNEL_##id,
	RF_KERNEL_KINDS(X)
#undef X
		RF_KERNEL_KIND_COUNT
};

/*
 * System calls that the kernel does not carry out without asking one of our hooks first. What of them asks nobody
 * changes nothing: unshare() of what is no namespace, open_tree() without a clone, a setuid() that is refused anyway.
 * X(name, number on x86-64)
 */
#define RF_SYSCALLS(X)            \
	X(acct, 163)              \
	X(bpf, 321)               \
	X(chroot, 161)            \
	X(delete_module, 176)     \
	X(finit_module, 313)      \
	X(fsmount, 432)           \
	X(fsopen, 430)            \
	X(fspick, 433)            \
	X(init_module, 175)       \
	X(io_uring_setup, 425)    \
	X(ioperm, 173)            \
	X(iopl, 172)              \
	X(kcmp, 312)              \
	X(kexec_file_load, 320)   \
	X(kexec_load, 246)        \
	X(mount, 165)             \
	X(mount_setattr, 442)     \
	X(move_mount, 429)        \
	X(open_by_handle_at, 304) \
	X(open_tree, 428)         \
	X(open_tree_attr, 467)    \
	X(perf_event_open, 298)   \
	X(pidfd_getfd, 438)       \
	X(pivot_root, 155)        \
	X(process_vm_readv, 310)  \
	X(process_vm_writev, 311) \
	X(ptrace, 101)            \
	X(reboot, 169)            \
	X(setdomainname, 171)     \
	X(setfsgid, 123)          \
	X(setfsuid, 122)          \
	X(setgid, 106)            \
	X(setgroups, 116)         \
	X(sethostname, 170)       \
	X(setns, 308)             \
	X(setregid, 114)          \
	X(setresgid, 119)         \
	X(setresuid, 117)         \
	X(setreuid, 113)          \
	X(settimeofday, 164)      \
	X(setuid, 105)            \
	X(swapoff, 168)           \
	X(swapon, 167)            \
	X(umount2, 166)           \
	X(unshare, 272)           \
	X(userfaultfd, 323)       \
	X(vhangup, 153)

/* The same for 32-bit programs, where some have two numbers. */
#define RF_SYSCALLS_COMPAT(X)     \
	X(acct, 51)               \
	X(bpf, 357)               \
	X(chroot, 61)             \
	X(delete_module, 129)     \
	X(finit_module, 350)      \
	X(fsmount, 432)           \
	X(fsopen, 430)            \
	X(fspick, 433)            \
	X(init_module, 128)       \
	X(io_uring_setup, 425)    \
	X(ioperm, 101)            \
	X(iopl, 110)              \
	X(kcmp, 349)              \
	X(kexec_load, 283)        \
	X(mount, 21)              \
	X(mount_setattr, 442)     \
	X(move_mount, 429)        \
	X(open_by_handle_at, 342) \
	X(open_tree, 428)         \
	X(open_tree_attr, 467)    \
	X(perf_event_open, 336)   \
	X(pidfd_getfd, 438)       \
	X(pivot_root, 217)        \
	X(process_vm_readv, 347)  \
	X(process_vm_writev, 348) \
	X(ptrace, 26)             \
	X(reboot, 88)             \
	X(setdomainname, 121)     \
	X(setfsgid, 139)          \
	X(setfsgid, 216)          \
	X(setfsuid, 138)          \
	X(setfsuid, 215)          \
	X(setgid, 46)             \
	X(setgid, 214)            \
	X(setgroups, 81)          \
	X(setgroups, 206)         \
	X(sethostname, 74)        \
	X(setns, 346)             \
	X(setregid, 71)           \
	X(setregid, 204)          \
	X(setresgid, 170)         \
	X(setresgid, 210)         \
	X(setresuid, 164)         \
	X(setresuid, 208)         \
	X(setreuid, 70)           \
	X(setreuid, 203)          \
	X(settimeofday, 79)       \
	X(setuid, 23)             \
	X(setuid, 213)            \
	X(swapoff, 115)           \
	X(swapon, 87)             \
	X(umount2, 52)            \
	X(umount2, 22)            \
	X(unshare, 310)           \
	X(userfaultfd, 374)       \
	X(vhangup, 111)

enum rf_syscall {
#define X(name, number) RF_SYSCALL_##name,
	RF_SYSCALLS(X)
#undef X
		RF_SYSCALL_COUNT
};

#define RF_CAPABILITIES 64 /* bits that the kernel has for them; it names fewer */

/* Of a tier, in struct rf_workload_bank. All zero: no opinion. */
struct rf_kernel_limits {
	__u64 capabilities; /* 1 << CAP_* */
	__u64 syscalls;	    /* 1 << enum rf_syscall */
	__u32 deny;	    /* 1 << enum rf_kernel_kind */
	__u32 pad;
};

/* What stands for a rule in struct rf_event_kernel: a kind, then the capabilities, then the system calls. */
#define RF_KERNEL_RULE_CAPABILITY(n) (RF_KERNEL_KIND_COUNT + (n))
#define RF_KERNEL_RULE_SYSCALL(n)    (RF_KERNEL_KIND_COUNT + RF_CAPABILITIES + (n))
#define RF_KERNEL_RULES		     RF_KERNEL_RULE_SYSCALL(RF_SYSCALL_COUNT)

/* Of a number in struct rf_event_kernel: there is none. */
#define RF_KERNEL_NONE	 0xffff
#define RF_KERNEL_DETAIL 64 /* bytes of its text, NUL included */

#endif

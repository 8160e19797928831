// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a policy asks for which hook. The hooks are the host's: one workload that asks is enough. */
#include "user/engine/internal.h"

#define KIND(id)      (1u << RF_KERNEL_##id)
#define SYSCALL(name) (1ULL << RF_SYSCALL_##name)
#define ANY	      UINT64_MAX

/* System calls, by what the kernel asks about them; those that need a capability first are judged there already. */
#define TRACING                                                                                          \
	(SYSCALL(kcmp) | SYSCALL(pidfd_getfd) | SYSCALL(process_vm_readv) | SYSCALL(process_vm_writev) | \
	 SYSCALL(ptrace))
#define USERS  (SYSCALL(setuid) | SYSCALL(setreuid) | SYSCALL(setresuid) | SYSCALL(setfsuid))
#define GROUPS (SYSCALL(setgid) | SYSCALL(setregid) | SYSCALL(setresgid) | SYSCALL(setfsgid))
#define OTHERS                                                                                          \
	(TRACING | USERS | GROUPS | SYSCALL(bpf) | SYSCALL(perf_event_open) | SYSCALL(io_uring_setup) | \
	 SYSCALL(userfaultfd) | SYSCALL(mount))

static const struct {
	enum rf_section section;
	enum rf_hook hook;
	uint64_t kinds; /* any of these */
} rows[] = {
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCK_CREATE, 1u << RF_SOCKET_RAW },
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCKET_CREATE,
	  1u << RF_SOCKET_PACKET | 1u << RF_SOCKET_VSOCK | 1u << RF_SOCKET_NETLINK },
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCKET_CONNECT, 1u << RF_SOCKET_VSOCK },
	{ RF_SECTION_SOCKETS, RF_HOOK_UNIX_CONNECT, 1u << RF_SOCKET_UNIX },
	{ RF_SECTION_SOCKETS, RF_HOOK_UNIX_SEND, 1u << RF_SOCKET_UNIX },
	{ RF_SECTION_KERNEL, RF_HOOK_CAPABLE, KIND(MODULE) | KIND(MOUNT) | KIND(RAW_IO) },
	{ RF_SECTION_CAPABILITIES, RF_HOOK_CAPABLE, ANY },
	{ RF_SECTION_SYSCALLS, RF_HOOK_CAPABLE, ~OTHERS },
	{ RF_SECTION_KERNEL, RF_HOOK_BPF, KIND(BPF) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_BPF, SYSCALL(bpf) },
	{ RF_SECTION_KERNEL, RF_HOOK_PERF_OPEN, KIND(PERF) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_PERF_OPEN, SYSCALL(perf_event_open) },
	{ RF_SECTION_KERNEL, RF_HOOK_LOAD_DATA, KIND(MODULE) | KIND(KEXEC) },
	{ RF_SECTION_KERNEL, RF_HOOK_READ_FILE, KIND(MODULE) | KIND(KEXEC) },
	{ RF_SECTION_KERNEL, RF_HOOK_MODULE_REQUEST, KIND(MODULE) },
	{ RF_SECTION_KERNEL, RF_HOOK_ANON_INODE, KIND(USERFAULTFD) | KIND(IO_URING) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_ANON_INODE, SYSCALL(userfaultfd) | SYSCALL(io_uring_setup) },
	{ RF_SECTION_KERNEL, RF_HOOK_USERNS, KIND(USER_NAMESPACE) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_USERNS, SYSCALL(unshare) },
	{ RF_SECTION_KERNEL, RF_HOOK_SB_MOUNT, KIND(MOUNT) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_SB_MOUNT, SYSCALL(mount) },
	{ RF_SECTION_KERNEL, RF_HOOK_SB_UMOUNT, KIND(MOUNT) },
	{ RF_SECTION_KERNEL, RF_HOOK_MOVE_MOUNT, KIND(MOUNT) },
	{ RF_SECTION_KERNEL, RF_HOOK_PIVOT_ROOT, KIND(MOUNT) },
	{ RF_SECTION_KERNEL, RF_HOOK_KERNEL_PTRACE, KIND(PTRACE) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_KERNEL_PTRACE, TRACING },
	{ RF_SECTION_KERNEL, RF_HOOK_TRACEME, KIND(PTRACE) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_TRACEME, SYSCALL(ptrace) },
	{ RF_SECTION_KERNEL, RF_HOOK_LOCKED_DOWN, KIND(RAW_IO) },
	{ RF_SECTION_KERNEL, RF_HOOK_KERNEL_OPEN, KIND(SYSRQ) | KIND(CGROUP) },
	{ RF_SECTION_KERNEL, RF_HOOK_KERNEL_FORK, KIND(CGROUP) },
	{ RF_SECTION_KERNEL, RF_HOOK_FIX_SETUID, KIND(SETUID) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_FIX_SETUID, USERS },
	{ RF_SECTION_KERNEL, RF_HOOK_FIX_SETGID, KIND(SETUID) },
	{ RF_SECTION_SYSCALLS, RF_HOOK_FIX_SETGID, GROUPS },
	{ RF_SECTION_KERNEL, RF_HOOK_FIX_SETGROUPS, KIND(SETUID) },
	{ RF_SECTION_KERNEL, RF_HOOK_KERNEL_EXEC, KIND(SETUID) },
	{ RF_SECTION_KERNEL, RF_HOOK_SYSCTL, KIND(SYSCTL) | KIND(CORE_PATTERN) },
	{ RF_SECTION_NEWCOMERS, RF_HOOK_NEWCOMER_MOVE, ANY },
	{ RF_SECTION_NEWCOMERS, RF_HOOK_NEWCOMER_FORK, ANY },
	{ RF_SECTION_NEWCOMERS, RF_HOOK_NEWCOMER_EXEC, ANY },
};

int rf_engine_hooks_want(struct rf_engine *e, const struct rf_asked *asked, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].kinds & asked->kinds[rows[i].section])
			r = rf_hook_want(e, rows[i].hook, ret_error);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What workloads may do to one another: how far apart two of them are, and
 * which ways across are closed at that distance.
 */
#ifndef RINGFENCE_ISOLATION_MAP_H
#define RINGFENCE_ISOLATION_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* X(enum suffix, word in policies, what it stands for) */
#define RF_ISOLATION_KINDS(X)                                                                                     \
	X(SIGNAL, "signal", "signals")                                                                            \
	X(PTRACE, "ptrace", "tracing, memory, descriptors and namespaces of processes, /proc/PID/{mem,fd,ns...}") \
	X(SCHEDULE, "schedule", "scheduling, priorities, limits and memory placement of processes")               \
	X(IPC, "ipc", "System V and POSIX message queues, semaphores and shared memory")                          \
	X(UNIX, "unix", "Unix sockets, and descriptors of them")                                                  \
	X(PERF, "perf", "performance events on processes, and on whole CPUs, which see every tenant")             \
	X(KEYS, "keys", "keys of the kernel's keyrings")

enum rf_isolation_kind {
#define X(id, word, text) RF_ISOLATION_##id,
	RF_ISOLATION_KINDS(X)
#undef X
		RF_ISOLATION_KIND_COUNT
};

#define RF_ISOLATION_ALL ((1u << RF_ISOLATION_KIND_COUNT) - 1)

/* What of two workloads differs first: each distance is in those above it. */
enum rf_between { RF_BETWEEN_TENANTS, RF_BETWEEN_NAMESPACES, RF_BETWEEN_WORKLOADS, RF_BETWEENS };

/* Of a tier, in struct rf_workload_bank. All zero: no opinion. */
struct rf_isolation_limits {
	__u16 deny[RF_BETWEENS + 1]; /* 1 << enum rf_isolation_kind; the last is 0: any two bits are an index */
};

/* What was tried. X(enum suffix, kind, name in events, what the argument is; "": nothing) */
#define RF_ISOLATION_OPERATIONS(X)                        \
	X(KILL, SIGNAL, "kill", "signal")                 \
	X(SIGIO, SIGNAL, "sigio", "signal")               \
	X(ATTACH, PTRACE, "ptrace", "mode")               \
	X(PROC, PTRACE, "proc", "")                       \
	X(TRACEME, PTRACE, "traceme", "")                 \
	X(SCHEDULER, SCHEDULE, "setscheduler", "")        \
	X(NICE, SCHEDULE, "setpriority", "nice")          \
	X(IOPRIO, SCHEDULE, "ioprio_set", "ioprio")       \
	X(RLIMIT, SCHEDULE, "prlimit", "resource")        \
	X(MEMORY, SCHEDULE, "move_pages", "")             \
	X(SYSV, IPC, "sysv-ipc", "id")                    \
	X(SYSV_CONTROL, IPC, "sysv-ipc-control", "id")    \
	X(SHARED, IPC, "posix-ipc", "")                   \
	X(SHARED_PASSED, IPC, "receive-posix-ipc", "")    \
	X(CONNECT, UNIX, "connect", "")                   \
	X(SEND, UNIX, "send", "")                         \
	X(PASSED, UNIX, "receive-socket", "")             \
	X(PERF_TASK, PERF, "perf_event_open", "")         \
	X(PERF_CPU, PERF, "perf_event_open of a CPU", "") \
	X(KEY, KEYS, "key", "serial")

enum rf_isolation_operation {
#define X(id, kind, name, argument) RF_OPERATION_##id,
	RF_ISOLATION_OPERATIONS(X)
#undef X
		RF_OPERATION_COUNT
};

/*
 * Who made a thing that outlives its maker's processes. rf_maker_map: hash; key
 * the kernel's address of a System V object, from when a workload makes it
 * until it is freed. rf_shared_map: inode storage of POSIX ones. rf_key_map:
 * LRU hash, key the address of a key. rf_owner_map: LRU hash, key the address of
 * an open file; who had signals of it sent to somebody.
 */
struct rf_maker {
	__u64 cgroup_id; /* 0: not a workload */
	__u32 workload;
	__u32 tenant; /* as they were then: what is left when the cgroup has gone */
	__u32 namespace;
	__u32 pad;
};

#endif

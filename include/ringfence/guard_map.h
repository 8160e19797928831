/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lock on ourselves: what is protected, from whom, and the way out.
 *
 * While it is locked, everything outside the daemon's own cgroup is refused
 * what would end or change enforcement. Two ways lead out, both by the token in
 * a file that only root can read: the daemon is asked (ringfence unlock), or
 * where none runs, rf_guard_claim is called by the next one.
 */
#ifndef RINGFENCE_GUARD_MAP_H
#define RINGFENCE_GUARD_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define RF_GUARD_TOKEN	   32 /* bytes */
#define RF_GUARD_ANCESTORS 16 /* cgroups above the daemon's that are protected, too */
#define RF_GUARD_DEPTH	   8  /* directories between a pin and ours, at most */

/* What was refused; X(enum suffix, name, what it is) */
#define RF_GUARD_OPERATIONS(X)                                       \
	X(KILL, "kill", "a signal to the daemon")                    \
	X(TRACE, "trace", "ptrace of the daemon")                    \
	X(MAP, "map", "one of our maps, for writing")                \
	X(PROGRAM, "program", "one of our programs")                 \
	X(LINK, "link", "one of our links")                          \
	X(LSM_LOAD, "lsm-load", "another program of BPF LSM")        \
	X(UNPIN, "unpin", "a pin of ours, or its directory")         \
	X(UMOUNT, "umount", "the bpf file system that has our pins") \
	X(MOUNT_OVER, "mount-over", "a mount over our pins")         \
	X(MODULE, "module", "unloading ringfence.ko")                \
	X(CGROUP, "cgroup", "the daemon's cgroup: who is in it, its kill, its freezer")

enum rf_guard_operation {
#define X(id, name, help) RF_GUARD_##id,
	RF_GUARD_OPERATIONS(X)
#undef X
		RF_GUARD_COUNT
};

/* rf_guard_map: the one value. All zero: not locked. */
struct rf_guard {
	__u32 locked;
	__u32 tgid;			     /* of the daemon */
	__u64 start_ns;			     /* its start_boottime: a later process of that number is another */
	__u64 cgroup;			     /* the daemon's */
	__u64 open_until;		     /* CLOCK_BOOTTIME: unlocked until then */
	__u64 directory;		     /* inode of the directory of the pins */
	__u32 device;			     /* s_dev of its file system */
	__u32 mount_ns;			     /* inode number of the daemon's mount namespace */
	__u32 claim;			     /* id of the program rf_guard_claim */
	__u32 secret;			     /* id of rf_guard_map itself */
	__u64 ancestors[RF_GUARD_ANCESTORS]; /* the daemon's cgroup and those above it; 0 ends them */
	__u64 refused[RF_GUARD_COUNT];
	__u64 token[RF_GUARD_TOKEN / 8];
};

/* rf_guard_object_map: hash, key RF_GUARD_OBJECT(kind, id), value 1. Our maps, programs and links. */
enum rf_guard_kind { RF_GUARD_IS_MAP, RF_GUARD_IS_PROGRAM, RF_GUARD_IS_LINK };
#define RF_GUARD_OBJECT(kind, id) ((__u64)(kind) << 32 | (id))
#define RF_GUARD_OBJECTS	  65536 /* allocated as used */

/* The context of rf_guard_claim. It returns 0, or 1 where the token is another. */
struct rf_guard_claim {
	__u64 token[RF_GUARD_TOKEN / 8];
	__u64 open_ns; /* 0: the caller becomes the daemon; else it is open for so long */
};

#endif

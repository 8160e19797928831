/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files by the labelled tree that they lie in.
 *
 * A zone is a path that a label or a file rule names, with all that lies below
 * it and in no zone further in. It begins at inodes, not at names: whatever
 * mount, name or descriptor a file is reached by, its directories are walked up
 * until an inode is found where a zone begins. Which zones these are is a part
 * of a generation, like everything that is decided by them.
 */
#ifndef RINGFENCE_FILE_MAP_H
#define RINGFENCE_FILE_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"

/* X(enum suffix, word in policies and events) */
#define RF_FILE_ACCESSES(X)  \
	X(READ, "read")      \
	X(WRITE, "write")    \
	X(EXEC, "exec")      \
	X(CREATE, "create")  \
	X(DELETE, "delete")  \
	X(RENAME, "rename")  \
	X(LINK, "link")      \
	X(MMAP, "mmap-exec") \
	X(CHMOD, "chmod")    \
	X(CHOWN, "chown")    \
	X(XATTR, "xattr")    \
	X(MOUNT, "mount")

enum rf_file_access {
#define X(id, name) RF_FILE_##id,
	RF_FILE_ACCESSES(X)
#undef X
		RF_FILE_ACCESS_COUNT
};

#define RF_FILE_ALL ((1u << RF_FILE_ACCESS_COUNT) - 1)

#define RF_ZONE_NONE	 0u
/* Not known: a file without a place among directories (opened by a handle), or one past RF_MAX_FILE_DEPTH. */
#define RF_ZONE_UNPLACED 0xffffffffu

/* rf_tree_map: hash. */
struct rf_tree_key {
	__u64 inode;
	__u32 device; /* s_dev of the file system: major << 20 | minor */
	__u32 pad;
};

/* Which of 64 bits stands for a file system, as struct rf_tree_key has it. */
#define RF_DEVICE_BIT(device) (1ULL << ((__u32)((device) * 0x9e3779b1u) >> 26))

struct rf_tree_value {
	__u32 zone[2]; /* that begins here, by bank; RF_ZONE_NONE: none does */
};

/* rf_file_map: hash; value __u32, the 1 << enum rf_file_access that are denied. No entry: nothing is. */
struct rf_file_key {
	__u32 set;
	__u32 zone;
};

/* rf_zone_storage: inode storage; the zone that the file was found in, and under what. */
struct rf_zone_cache {
	__u64 check; /* of the zone, the directory above, the generation and the epoch */
	__u32 zone;
	__u32 pad;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What workloads read of labelled trees and wrote, counted where the kernel
 * does it: nothing depends on an event arriving.
 *
 * There are two banks of rows. Programs add to the one that rf_config.lineage
 * names; the daemon turns to the other, waits until no program adds to the
 * first any more, takes its rows into the store and deletes them.
 */
#ifndef RINGFENCE_LINEAGE_MAP_H
#define RINGFENCE_LINEAGE_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"

#define RF_LINEAGE_PROCESS 16 /* bytes of a process's name (comm), NUL included */

#define RF_LABEL_NONE 0ULL

/*
 * rf_lineage_map: hash. What is read is told by label; what is written by file as well, labelled or not. The row with
 * neither file nor process is that of all there was no room for.
 */
struct rf_lineage_key {
	__u64 label; /* rf_label_id() of its name; RF_LABEL_NONE */
	__u64 inode; /* of what is written; else 0 */
	__u64 cgroup_id;
	__u32 device; /* as struct rf_tree_key has it */
	__u32 bank;
	char process[RF_LINEAGE_PROCESS];
};

struct rf_lineage_value {
	__u64 read_bytes;
	__u64 write_bytes;
	__u64 map_bytes;	 /* mapped: what of it is read nobody tells */
	__u64 share_bytes;	 /* mapped so that what is written goes to the file */
	__u64 changes;		 /* names that a file was given in the tree, by rename or link */
	__u64 first_ns, last_ns; /* CLOCK_BOOTTIME */
	__u32 workload;
	__u32 tgid, uid; /* of the last who did */
	__u32 path_length;
	char path[RF_PATH_MAX]; /* of what is written; of a long one the end */
};

/* rf_lineage_state_map: array by workload. */
struct rf_lineage_state {
	__u32 rows[2]; /* by bank */
	__u32 reads;   /* it has read of a labelled tree: what it writes is followed */
	__u32 pad;
};

/* rf_label_map: array; value __u64, the label's id; the index is RF_LABEL_AT(). */
#define RF_LABEL_AT(bank, zone) (((bank) & 1) * (RF_MAX_ZONES + 1) + (zone))

/* rf_place_map: per-CPU array of RF_PLACE_SLOTS struct rf_zone_cache, whose @check has the inode in it as well. */

#endif

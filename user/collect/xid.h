/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of NVIDIA's devices in the kernel's log:
 *
 *	NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=python, GPU has fallen off the bus.
 *	NVRM: Xid (PCI:0000:01:00 GPU-I:05 GPU-CI:02): 94, pid=7194, Contained: ...
 *	NVRM: Xid (PCI:0000:cb:00): 13, pid='<unknown>', name=<unknown>, Graphics SM Warp Exception ...
 *	NVRM: Xid (0000:03:00): 14, Channel 00000001
 *
 * and the form of a record of /dev/kmsg, Documentation/ABI/testing/dev-kmsg. Names of processes are their owners'
 * choice, and may hold anything. Pure.
 */
#ifndef RF_COLLECT_XID_H
#define RF_COLLECT_XID_H

#include <stddef.h>
#include <stdint.h>

#include "ringfence/accel_map.h"

#define RF_XID_COMM	16
#define RF_XID_TEXT	96
#define RF_XID_INSTANCE UINT32_MAX /* no instance of MIG */

struct rf_xid {
	char parent[RF_ACCEL_DEVICE_NAME]; /* "0000:3b:00.0" */
	uint32_t code;
	uint32_t pid; /* 0: it is not told */
	uint32_t gpu_instance, compute_instance;
	char comm[RF_XID_COMM]; /* "" */
	char text[RF_XID_TEXT]; /* what else it says, cut */
};

/* @line without its end. 0, or -ENOENT: it tells of none. */
int rf_xid_parse(const char *line, size_t len, struct rf_xid *ret);

struct rf_kmsg {
	uint64_t sequence;
	const char *text; /* in the record: its first line */
	size_t len;
};

/* 0; -ENOENT: it is no record of the kernel's own; -EBADMSG: it is none. */
int rf_kmsg_parse(const char *record, size_t len, struct rf_kmsg *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What test_verdict_run.c and its BPF program pass each other. */
#ifndef RF_TEST_VERDICT_RUN_H
#define RF_TEST_VERDICT_RUN_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define VERDICT_BATCH 4096 /* questions a run */

/* A flow as a socket sees it: an IPv4-mapped address is still an IPv6 one. */
struct verdict_question {
	__u64 cgroup_id;
	__u8 addr[16]; /* network order; IPv4 in the first four bytes, the rest zero */
	__u16 port;    /* host order */
	__u8 protocol;
	__u8 direction;
	__u8 family;
	__u8 self; /* the peer is the workload itself */
	__u8 pad[2];
	__u32 peer; /* as in struct rf_flow, and known */
	__u32 pad2;
};

struct verdict_answer {
	__u32 workload;
	__u32 live; /* the same, as the hooks of processes find it */
	__u16 rule;
	__u8 verdict;
	__u8 tier;
	__u8 kept; /* the verdict cache had it */
	__u8 pad[3];
};

#endif

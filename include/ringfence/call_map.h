/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of the libraries by which programs hand work to accelerators without a
 * system call: CUDA, HIP, OpenCL. What is a library's symbol is a cookie here,
 * made by user/model/calls.c; the programs know no names but those that a
 * program asks cuGetProcAddress() for.
 */
#ifndef RINGFENCE_CALL_MAP_H
#define RINGFENCE_CALL_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"

/* X(enum suffix, name) */
#define RF_CALL_KINDS_X(X)       \
	X(LAUNCH, "launch")      \
	X(GRAPH, "graph_launch") \
	X(COPY, "copy")          \
	X(ALLOC, "alloc")        \
	X(SYNC, "synchronize")

enum rf_call_kind {
#define X(id, name) RF_CALL_##id,
	RF_CALL_KINDS_X(X)
#undef X
		RF_CALL_KINDS
};

/* A cookie: what a call is, what of its arguments is a size, counted from 1, and how it ends. */
#define RF_CALL(kind, size, flags) ((__u64)(kind) | (__u64)(size) << 4 | (flags))
#define RF_CALL_KIND(cookie)	   ((__u32)(cookie) & 0xf)
#define RF_CALL_SIZE(cookie)	   ((__u32)((cookie) >> 4) & 0xf)
#define RF_CALL_POLLS		   (1ULL << 8)	/* what it returns is 0, or that the work goes on: no failure */
#define RF_CALL_BLOCKS		   (1ULL << 9)	/* when it has returned 0, what was handed over before is done */
#define RF_CALL_MAY_BLOCK	   (1ULL << 10) /* likewise, when its third argument is not 0 */
#define RF_CALL_POINTER		   (1ULL << 11) /* returns a pointer, and none on failure */
#define RF_CALL_RESOLVES	   (1ULL << 12) /* (name, pointer to a function's address, ...): it is no call itself */

#define RF_CALL_GIVEN (1ULL << 13) /* always: no cookie is 0 */

/* Of a place that programs were told of: which call it is says rf_call_site_map, for those that it was told to. */
#define RF_CALL_TOLD	      (1ULL << 14)
#define RF_CALL_AT(place)     (RF_CALL_GIVEN | RF_CALL_TOLD | (place) << 16)
#define RF_CALL_PLACE(cookie) ((cookie) >> 16)

/* A place in a file that is mapped, in 48 bits; @device as the kernel has it. */
static inline __u64 rf_call_place(__u64 inode, __u32 device, __u64 offset)
{
	__u64 place = (inode * 0x9e3779b97f4a7c15ULL ^ device) * 0x9e3779b97f4a7c15ULL ^ offset;

	return place * 0x9e3779b97f4a7c15ULL >> 16;
}

/* Latency: calls that took less than 1 us << 2 * bucket; the last has the rest. */
#define RF_CALL_BUCKETS		 12
#define RF_CALL_BUCKET_NS(index) (1000ULL << (2 * (index)))

/* rf_call_map: hash; what the threads of a workload have called, outermost calls alone. */
struct rf_call_key {
	__u32 workload;
	__u32 kind; /* enum rf_call_kind */
};

struct rf_call_use {
	__u64 calls; /* that returned */
	__u64 failures;
	__u64 ns; /* in all of them, without what a quota made them wait */
	__u64 bytes;
	__u64 bucket[RF_CALL_BUCKETS];
};

/* rf_call_thread_map: storage of a task; the call that it is in. */
struct rf_call_thread {
	__u64 begun_ns;
	__u64 cookie;
	__u64 stack;   /* where its stack was: a call that is never seen to return is not waited for */
	__u64 size;    /* bytes */
	__u64 pointer; /* RF_CALL_RESOLVES: where the address goes */
	__u64 name;    /* and where the name is of what is asked for; 0: none is */
	__u64 held_ns; /* that it was made to wait before it began */
	__u32 depth;   /* 0: in none */
	__u32 blocks;  /* 1: when it returns, all is done */
};

/*
 * rf_call_process_map: LRU hash by tgid. A process works, as far as is known from outside, from when it hands something
 * over until it has waited for it.
 */
struct rf_call_process {
	__u64 begun_ns;	 /* CLOCK_MONOTONIC; 0: it does not */
	__u64 frozen_ns; /* for how long it had been frozen until then */
	__u64 held_ns;	 /* that launches were made to wait since */
	__u32 use;	 /* place of its row */
	__u32 pad;
};

/* Who has worked for so long without waiting for it is charged for that, with the next launch. */
#define RF_CALL_SETTLE_NS     100000000ULL
/* Who owes so much is frozen where it cannot be made to wait: some launches in a row are measured undisturbed. */
#define RF_CALL_FREEZE_NS     200000000ULL
#define RF_CALL_FREEZE_MAX_NS 10000000000ULL /* then it is let go on, and frozen again with its next launch */
#define RF_CALL_THAW_GRACE_NS 1000000000ULL  /* that the daemon may be late by until its child thaws */
#define RF_CALL_FROZEN_MAX_NS (RF_CALL_FREEZE_MAX_NS + RF_CALL_THAW_GRACE_NS)

/* rf_call_name_map: hash, by the name of a function, zero padded; value its cookie. */
#define RF_CALL_NAME 48

struct rf_call_name {
	char name[RF_CALL_NAME];
};

/*
 * rf_call_site_map: hash; addresses that programs were given for names of ours. They stay as long as the file is
 * probed: a program asks once, and another daemon must know them, too. A program may say what it likes: what it says
 * holds for its own workload, and a probe is put where the daemon finds that a function begins.
 */
struct rf_call_site_key {
	__u64 place; /* rf_call_place() */
	__u32 workload;
	__u32 pad;
};

struct rf_call_site {
	__u64 cookie;
	__u64 inode;
	__u64 offset;  /* in the file */
	__u64 address; /* in @tgid, which has it mapped there */
	__u32 device;  /* as the kernel has it, of the file that is mapped */
	__u32 tgid;
	__u32 seen;  /* by the daemon, which has found it right */
	__u32 tries; /* of the daemon's, that @tgid kept from ending */
};

#define RF_CALL_SITE_TRIES 8

#endif

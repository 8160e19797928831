/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which programs a workload may run, as the kernel reads it.
 *
 * A set holds texts of three kinds: a whole path ("/usr/bin/true"), all below
 * a directory ("/usr/bin/", a tree), and what begins like that in the same
 * directory ("/usr/bin/python", a stem). A path is hashed byte by byte; at each
 * slash that some tree of the set ends with, at each place in the last
 * component that some stem ends at, and at the end, the map is asked. Of what
 * is found the smallest rule decides. What it costs is bound by the path's
 * length and by where texts of the set end, not by how many there are.
 *
 * The hash only finds the entry: the text itself is compared.
 *
 * A rule by label speaks of the zones of include/ringfence/file_map.h that have
 * the label: an entry for each of them, without a text, asked once with the
 * zone that the file lies in.
 */
#ifndef RINGFENCE_EXEC_MAP_H
#define RINGFENCE_EXEC_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"

enum rf_exec_kind {
	RF_EXEC_FILE, /* the whole path */
	RF_EXEC_TREE, /* all below; the text ends with '/' */
	RF_EXEC_STEM, /* what begins like this, in the same directory */
	RF_EXEC_ZONE, /* what lies in it, whatever its path */
	RF_EXEC_KINDS
};

/* What a file is to be. A rule's "path" speaks of both of the first, its "interpreter" of the second. */
enum rf_exec_role {
	RF_EXEC_PROGRAM,     /* what execve() was given */
	RF_EXEC_INTERPRETER, /* what the "#!" of that names, or binfmt_misc */
	RF_EXEC_ROLES,
	RF_EXEC_LIBRARY = RF_EXEC_ROLES /* mapped to be executed; no rule speaks of it */
};

/* What decided. The first two are what struct rf_exec_limits denies. */
enum rf_exec_reason {
	RF_EXEC_MEMFD, /* it has no name: a memfd, or deleted */
	RF_EXEC_DRIFT, /* it did not come with the image */
	RF_EXEC_RULE,
	RF_EXEC_DEFAULT,
	RF_EXEC_UNREADABLE, /* its path is longer or deeper than can be judged, or its set is not there */
	RF_EXEC_REASONS
};
#define RF_EXEC_LIMITS (RF_EXEC_DRIFT + 1)

/* Of a tier, in struct rf_workload_bank. All zero: no opinion. */
struct rf_exec_limits {
	__u32 set;  /* in rf_exec_set_map; 0: none */
	__u32 deny; /* 1 << RF_EXEC_MEMFD, RF_EXEC_DRIFT */
};

/* rf_exec_set_map: hash, key __u32 number of the set. */
struct rf_exec_set {
	__u64 stems; /* 1 << length of the last component of some stem */
	__u32 trees; /* 1 << components of some tree */
	__u32 default_allow;
	__u32 zones; /* how many have rules; 0: where the file lies is not looked at */
	__u32 pad;
};

/* rf_exec_map: hash. */
struct rf_exec_key {
	__u64 hash; /* of the text; of RF_EXEC_ZONE the zone */
	__u32 set;
	__u16 length;
	__u8 kind; /* enum rf_exec_kind */
	__u8 pad;
};

struct rf_exec_value {
	__u16 rule[RF_EXEC_ROLES]; /* the first with this text; RF_RULE_DEFAULT: none */
	__u8 allow[RF_EXEC_ROLES];
	__u8 pad[2];
	char text[RF_EXEC_TEXT_MAX]; /* zero padded */
};

/* FNV-1a. */
#define RF_EXEC_HASH_INIT  0xcbf29ce484222325ULL
#define RF_EXEC_HASH_PRIME 0x100000001b3ULL

/* A path on its way through a set. */
struct rf_exec_walk {
	__u64 hash;
	__u32 length;
	__u32 depth; /* slashes passed */
	__u32 last;  /* where the last component begins */
	__u32 pad;
};

static inline void rf_exec_walk_init(struct rf_exec_walk *walk, __u32 last)
{
	walk->hash = RF_EXEC_HASH_INIT;
	walk->length = walk->depth = 0;
	walk->last = last;
	walk->pad = 0;
}

/* Takes in the next byte, and says which kinds of text may end behind it: 1 << RF_EXEC_TREE, RF_EXEC_STEM. */
static inline __u32 rf_exec_walk_step(struct rf_exec_walk *walk, const struct rf_exec_set *set, char byte)
{
	__u32 asks = 0;

	walk->hash = (walk->hash ^ (__u8)byte) * RF_EXEC_HASH_PRIME;
	walk->length++;
	if (byte == '/') {
		if (walk->depth < RF_EXEC_DEPTH_MAX && set->trees >> walk->depth & 1)
			asks |= 1u << RF_EXEC_TREE;
		walk->depth++;
	}
	if (walk->length >= walk->last) {
		__u32 in_last = walk->length - walk->last;

		if (in_last <= RF_EXEC_STEM_MAX && set->stems >> in_last & 1)
			asks |= 1u << RF_EXEC_STEM;
	}
	return asks;
}

#endif

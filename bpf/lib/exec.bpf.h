/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A path against a set of programs, and what a file is besides its path. The
 * walk over the bytes is that of include/ringfence/exec_map.h, which user space
 * runs, too.
 */
#ifndef RF_BPF_EXEC_H
#define RF_BPF_EXEC_H

#include "errstat.bpf.h"
#include "label.bpf.h"
#include "path.bpf.h"

/* s_magic, linux/magic.h */
#define RF_OVERLAYFS_MAGIC 0x794c7630
#define RF_TMPFS_MAGIC	   0x01021994
#define RF_RAMFS_MAGIC	   0x858458f6
#define RF_HUGETLBFS_MAGIC 0x958458f6

/* On the stack, because older kernels take no other context for bpf_loop(). */
struct rf_exec_ask {
	const struct rf_path_slot *slot;
	struct rf_exec_set set;
	struct rf_exec_walk walk;
	__u32 id;
	__u32 role;
	__u32 rule; /* the smallest so far */
	__u32 allow;
};

/* The entry's text is zero padded, the path goes on: of its last word only what belongs to the text is compared. */
static __noinline bool rf_exec_text_is(const struct rf_path_slot *slot, const struct rf_exec_value *value, __u32 length)
{
	const __u64 *path = (const __u64 *)slot->text, *text = (const __u64 *)value->text;

	for (__u32 i = 0; i < RF_EXEC_TEXT_MAX / sizeof(*path); i++) {
		__u64 differ = path[i] ^ text[i];
		__u32 left = length - i * sizeof(*path);

		if (left < sizeof(*path))
			return !(differ & ((1ULL << left * 8) - 1));
		if (differ)
			return false;
	}
	return false;
}

static __noinline long rf_exec_find(struct rf_exec_ask *ask, __u32 kind)
{
	struct rf_exec_key key = { .hash = ask->walk.hash, .set = ask->id, .length = ask->walk.length, .kind = kind };
	const struct rf_exec_value *value;
	__u32 role = ask->role & 1;

	if (ask->walk.length >= RF_EXEC_TEXT_MAX)
		return 0;
	value = bpf_map_lookup_elem(&rf_exec_map, &key);
	if (!value || value->rule[role] >= ask->rule || !rf_exec_text_is(ask->slot, value, ask->walk.length))
		return 0;
	ask->rule = value->rule[role];
	ask->allow = value->allow[role];
	return 0;
}

static __noinline long rf_exec_find_zone(struct rf_exec_ask *ask, __u32 zone)
{
	struct rf_exec_key key = { .hash = zone, .set = ask->id, .kind = RF_EXEC_ZONE };
	const struct rf_exec_value *value = bpf_map_lookup_elem(&rf_exec_map, &key);
	__u32 role = ask->role & 1;

	if (!value || value->rule[role] >= ask->rule)
		return 0;
	ask->rule = value->rule[role];
	ask->allow = value->allow[role];
	return 0;
}

static long rf_exec_byte(__u32 i, struct rf_exec_ask *ask)
{
	__u32 asks = rf_exec_walk_step(&ask->walk, &ask->set, ask->slot->text[i & (RF_EXEC_PATH_MAX - 1)]);

	if (asks & 1u << RF_EXEC_TREE)
		rf_exec_find(ask, RF_EXEC_TREE);
	if (asks & 1u << RF_EXEC_STEM)
		rf_exec_find(ask, RF_EXEC_STEM);
	return 0;
}

struct rf_exec_verdict {
	enum rf_exec_reason reason;
	__u16 rule;
	bool denied;
};

/* One word, as a function that the verifier looks at by itself returns it. */
#define RF_EXEC_VERDICT(reason, rule, denied) ((__u64)(denied) << 32 | (__u64)(rule) << 16 | (reason))
#define RF_EXEC_CANNOT_TELL		      RF_EXEC_VERDICT(RF_EXEC_UNREADABLE, RF_RULE_DEFAULT, 1)

static __always_inline __u64 rf_exec_set_ask(struct rf_exec_ask *ask, enum rf_path_state state, struct dentry *dentry,
					     __u64 version, enum rf_hook hook)
{
	if (ask->set.zones) {
		__u32 zone = rf_zone_of(dentry, version);

		if (zone == RF_ZONE_UNPLACED) {
			rf_error(hook, RF_ERROR_FILE_UNPLACED);
			return RF_EXEC_CANNOT_TELL;
		}
		if (zone != RF_ZONE_NONE)
			rf_exec_find_zone(ask, zone);
	}
	if (state == RF_PATH_WHOLE) {
		rf_exec_walk_init(&ask->walk, ask->slot->last);
		bpf_loop(ask->slot->length, rf_exec_byte, ask, 0);
		rf_exec_find(ask, RF_EXEC_FILE);
	}
	return RF_EXEC_VERDICT(ask->rule == RF_RULE_DEFAULT ? RF_EXEC_DEFAULT : RF_EXEC_RULE, ask->rule, !ask->allow);
}

#define RF_EXEC_HOW(state, role, hook) ((state) | (role) << 8 | (hook) << 16)

/*
 * What set @id says of the file of the dentry at @address, whose path is in the slot @at; @how is RF_EXEC_HOW(). Cannot
 * be told: denied. The zone is found by the walk, not remembered in the inode as file rules have it: not every program
 * may ask for that, what is run is run seldom, and so no hook must be there that notices directories being renamed.
 */
RF_GLOBAL __u64 rf_exec_set_judge(__u32 id, __u32 at, __u32 how, __u64 address, __u64 version)
{
	const struct rf_exec_set *set = bpf_map_lookup_elem(&rf_exec_set_map, &id);
	const struct rf_path_slot *slot = bpf_map_lookup_elem(&rf_path_map, &at);
	struct rf_exec_ask ask = { .slot = slot, .id = id, .role = how >> 8 & 0xff, .rule = RF_RULE_DEFAULT };
	enum rf_path_state state = how & 0xff;
	enum rf_hook hook = how >> 16;

	if (!set || !slot) {
		rf_error(hook, RF_ERROR_EXEC_SET_MISSING);
		return RF_EXEC_CANNOT_TELL;
	}
	if (state == RF_PATH_TOO_LONG) {
		rf_error(hook, RF_ERROR_EXEC_PATH);
		return RF_EXEC_CANNOT_TELL;
	}
	ask.set = *set;
	ask.allow = set->default_allow;
	return rf_exec_set_ask(&ask, state, (struct dentry *)address, version, hook);
}

static __always_inline struct rf_exec_verdict rf_exec_verdict_of(__u64 word)
{
	return (struct rf_exec_verdict){ .reason = word & 0xffff, .rule = word >> 16, .denied = word >> 32 & 1 };
}

/*
 * A file of overlayfs that has been written, or made, above the image has an
 * upper dentry. struct ovl_inode belongs to a module that may not be loaded
 * yet; in all kernels the pointer is what follows its struct inode.
 */
static __always_inline bool rf_overlay_is_upper(struct inode *inode)
{
	void *upper = NULL;

	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper;
}

/* What holds of the file besides its path, of what is @asked: 1 << RF_EXEC_MEMFD, RF_EXEC_DRIFT. */
static __always_inline __u32 rf_exec_traits(struct dentry *dentry, __u32 asked)
{
	struct inode *inode;
	__u32 traits = 0;
	__u64 magic;

	if (!asked)
		return 0;
	inode = BPF_CORE_READ(dentry, d_inode);
	if (!BPF_CORE_READ(inode, i_nlink))
		traits = 1u << RF_EXEC_MEMFD | 1u << RF_EXEC_DRIFT;
	else if (asked & 1u << RF_EXEC_DRIFT) {
		magic = BPF_CORE_READ(inode, i_sb, s_magic);
		if (magic == RF_OVERLAYFS_MAGIC ?
			    rf_overlay_is_upper(inode) :
			    magic == RF_TMPFS_MAGIC || magic == RF_RAMFS_MAGIC || magic == RF_HUGETLBFS_MAGIC)
			traits = 1u << RF_EXEC_DRIFT;
	}
	return traits & asked;
}

#endif

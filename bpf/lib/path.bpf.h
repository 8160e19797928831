/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of a file as its own mount namespace has it: symbolic links
 * resolved, from the root of the namespace, whatever the process's own root
 * (chroot) is.
 *
 * The walk takes no lock. The file keeps its own dentry and those above it; a
 * rename at the same time gives a path with a part of before and a part of
 * after, which nobody can use who may not write to both places.
 *
 * A file that is on no mount of the caller's namespace (a memfd, a detached
 * mount, a descriptor from elsewhere) has no path.
 */
#ifndef RF_BPF_PATH_H
#define RF_BPF_PATH_H

#include "maps.bpf.h"

#define RF_PATH_STEPS 64 /* components and mounts that are walked */
#define RF_PATH_TRIES 4	 /* programs of a CPU that may be preempted with a path in hand */

enum rf_path_state {
	RF_PATH_TOO_LONG, /* or too deep, or unreadable */
	RF_PATH_NONE,	  /* it has none */
	RF_PATH_WHOLE
};

/* On the stack, because older kernels take no other context for bpf_loop(). */
struct rf_path_walk {
	struct rf_path_slot *slot;
	struct dentry *dentry;
	struct dentry *root; /* of @mount */
	struct mount *mount;
	enum rf_path_state state;
};

/* NULL: all are taken. @ret_at: where it is in the map. */
static __always_inline struct rf_path_slot *rf_path_slot_take(__u32 *ret_at)
{
	__u32 first = bpf_get_smp_processor_id() * RF_PATH_TRIES;
	struct rf_path_slot *slot;

	for (__u32 i = 0; i < RF_PATH_TRIES; i++) {
		*ret_at = (first + i) & (RF_PATH_SLOTS - 1);
		slot = bpf_map_lookup_elem(&rf_path_map, ret_at);
		if (slot && __sync_val_compare_and_swap(&slot->taken, 0, 1) == 0)
			return slot;
	}
	return NULL;
}

static __always_inline void rf_path_slot_give(struct rf_path_slot *slot)
{
	rf_barrier();
	RF_WRITE_ONCE(slot->taken, 0);
}

static long rf_path_up(__u32 step, struct rf_path_walk *walk)
{
	struct rf_path_slot *slot = walk->slot;
	struct dentry *dentry = walk->dentry, *parent;
	struct mount *mount = walk->mount, *above;
	__u32 n;

	if (dentry == walk->root) {
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount) {
			struct task_struct *task = (struct task_struct *)bpf_get_current_task();

			walk->state = BPF_CORE_READ(above, mnt_ns) == BPF_CORE_READ(task, nsproxy, mnt_ns) ?
					      RF_PATH_WHOLE :
					      RF_PATH_NONE;
			return 1;
		}
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		walk->root = BPF_CORE_READ(above, mnt.mnt_root);
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry) {
		walk->state = RF_PATH_NONE;
		return 1;
	}
	n = slot->n;
	if (n >= RF_EXEC_DEPTH_MAX)
		return 1;
	rf_barrier_var(n);
	slot->dentry[n & (RF_EXEC_DEPTH_MAX - 1)] = (__u64)dentry;
	slot->n = n + 1;
	walk->dentry = parent;
	return 0;
}

/* Puts one more name behind the text. */
static __always_inline bool rf_path_add(struct rf_path_slot *slot, struct dentry *dentry)
{
	struct qstr name;
	__u32 at = slot->length, length;

	if (BPF_CORE_READ_INTO(&name, dentry, d_name))
		return false;
	length = name.len;
	if (length > 255 || at + 1 + length >= RF_EXEC_PATH_MAX)
		return false;
	rf_barrier_var(at);
	at &= RF_EXEC_PATH_MAX - 1;
	slot->text[at] = '/';
	if (bpf_probe_read_kernel(&slot->text[at + 1], length & 255, name.name))
		return false;
	slot->last = at + 1;
	slot->length = at + 1 + length;
	return true;
}

static long rf_path_down(__u32 i, struct rf_path_walk *walk)
{
	struct rf_path_slot *slot = walk->slot;
	__u32 at = slot->n - 1 - i;

	if (at >= RF_EXEC_DEPTH_MAX)
		return 1;
	rf_barrier_var(at);
	if (rf_path_add(slot, (struct dentry *)slot->dentry[at & (RF_EXEC_DEPTH_MAX - 1)]))
		return 0;
	walk->state = RF_PATH_TOO_LONG;
	return 1;
}

/* Fills @slot. Where there is no path, its text is a slash and the name. */
static __always_inline enum rf_path_state rf_path_read(struct rf_path_slot *slot, struct vfsmount *mnt,
						       struct dentry *dentry)
{
	struct rf_path_walk walk = { .slot = slot, .dentry = dentry, .state = RF_PATH_TOO_LONG };

	walk.mount = (struct mount *)((void *)mnt - bpf_core_field_offset(struct mount, mnt));
	walk.root = BPF_CORE_READ(mnt, mnt_root);
	slot->n = slot->length = slot->last = 0;
	bpf_loop(RF_PATH_STEPS, rf_path_up, &walk, 0);
	if (walk.state == RF_PATH_NONE) {
		slot->length = 0;
		if (!rf_path_add(slot, dentry))
			return RF_PATH_TOO_LONG;
	} else {
		/* Of one that is too deep, the end: it is told of, not judged. */
		bpf_loop(slot->n, rf_path_down, &walk, 0);
	}
	slot->text[slot->length & (RF_EXEC_PATH_MAX - 1)] = '\0';
	return walk.state;
}

#endif

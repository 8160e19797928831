/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The zone that a file lies in: include/ringfence/file_map.h.
 *
 * Found by walking up the directories, and remembered in the file's inode with
 * the directory above it: what is renamed has another, and for directories that
 * are renamed the epoch moves on. Only a file that a hook was given can be asked
 * for its storage, an inode that was reached on the way cannot.
 *
 * A mount does not end a zone: what is mounted inside one is entered in
 * rf_tree_map by the daemon. Of a file that an overlay opens for itself an older
 * kernel tells the overlay's name and the inode below; then any name of that
 * inode is taken.
 */
#ifndef RF_BPF_LABEL_H
#define RF_BPF_LABEL_H

#include "identity.bpf.h"

#define RF_DCACHE_DISCONNECTED 0x20

/* The union that older kernels have a name for. */
struct dentry___named {
	union {
		struct hlist_node d_alias;
	} d_u;
} __attribute__((preserve_access_index));

struct dentry___unnamed {
	struct hlist_node d_alias;
} __attribute__((preserve_access_index));

struct rf_walk {
	__u64 dentry; /* what is looked at next */
	__u32 device;
	__u32 bank;
	__u32 zone;
	__u32 pad;
};

/* Is @file on a file system of @devices, a member of rf_config? Asked before who asks: most are not. */
static __always_inline bool rf_may_lie_in(struct file *file, const __u64 devices[2])
{
	__u64 version = RF_READ_ONCE(rf_config.version);

	return devices[version & 1] & RF_DEVICE_BIT(file->f_inode->i_sb->s_dev);
}

static __always_inline __u32 rf_zone_at(struct inode *inode, __u32 device, __u32 bank)
{
	struct rf_tree_key key = { .inode = BPF_CORE_READ(inode, i_ino), .device = device };
	struct rf_tree_value *value = bpf_map_lookup_elem(&rf_tree_map, &key);

	return value ? value->zone[bank & 1] : RF_ZONE_NONE;
}

/* 1: the walk has ended. */
static long rf_walk_step(__u32 i, struct rf_walk *walk)
{
	struct dentry *dentry = (struct dentry *)walk->dentry, *parent;

	walk->zone = rf_zone_at(BPF_CORE_READ(dentry, d_inode), walk->device, walk->bank);
	if (walk->zone)
		return 1;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry) {
		/* The top of a file system, or of a file that was made without one. */
		if (BPF_CORE_READ(dentry, d_flags) & RF_DCACHE_DISCONNECTED)
			walk->zone = RF_ZONE_UNPLACED;
		return 1;
	}
	walk->dentry = (__u64)parent;
	walk->zone = RF_ZONE_UNPLACED;
	return 0;
}

static __always_inline struct dentry *rf_any_name(struct inode *inode)
{
	__u64 first = (__u64)BPF_CORE_READ(inode, i_dentry.first), offset;

	if (!first)
		return NULL;
	if (bpf_core_field_exists(struct dentry___named, d_u.d_alias))
		offset = bpf_core_field_offset(struct dentry___named, d_u.d_alias);
	else
		offset = bpf_core_field_offset(struct dentry___unnamed, d_alias);
	return (struct dentry *)(first - offset);
}

/* @dentry: a name that has an inode, or a directory. Out of line: hooks ask for several. Bound: RF_MAX_FILE_DEPTH. */
static __noinline __attribute__((unused)) __u32 rf_zone_walk(struct dentry *dentry, struct inode *inode, __u32 bank)
{
	struct rf_walk walk = { .dentry = (__u64)dentry, .bank = bank, .zone = RF_ZONE_UNPLACED };

	walk.device = BPF_CORE_READ(inode, i_sb, s_dev);
	if (BPF_CORE_READ(dentry, d_inode) != inode)
		walk.dentry = (__u64)rf_any_name(inode);
	if (walk.dentry)
		bpf_loop(RF_MAX_FILE_DEPTH, rf_walk_step, &walk, 0);
	return walk.zone;
}

static __always_inline __u32 rf_zone_of(struct dentry *dentry, __u64 version)
{
	return rf_zone_walk(dentry, BPF_CORE_READ(dentry, d_inode), version & 1);
}

static __always_inline __u64 rf_zone_check(__u64 parent, __u64 version, __u32 zone)
{
	return (version << 32 | RF_READ_ONCE(rf_config.file_epoch)) ^ parent ^ zone * 0x9e3779b97f4a7c15ULL;
}

/*
 * The zone of @file by what @cache remembers, or found and remembered there. @who tells files that share a cache apart.
 * Written by others in between, zone and check do not fit: it is looked for again.
 */
static __always_inline __u32 rf_zone_remembered(struct rf_zone_cache *cache, struct file *file, __u64 who,
						__u64 version)
{
	struct dentry *dentry = file->f_path.dentry;
	__u64 parent = dentry->d_parent->d_inode->i_ino, check;
	__u32 zone;

	if (cache) {
		zone = cache->zone;
		if (RF_READ_ONCE(cache->check) == (rf_zone_check(parent, version, zone) ^ who))
			return zone;
	}
	/* What changes from here on makes what is remembered wrong, not what was there before. */
	check = rf_zone_check(parent, version, 0) ^ who;
	zone = rf_zone_walk(dentry, file->f_inode, version & 1);
	if (cache && zone != RF_ZONE_UNPLACED) {
		cache->zone = zone;
		RF_WRITE_ONCE(cache->check, check ^ zone * 0x9e3779b97f4a7c15ULL);
	}
	return zone;
}

/* The zone of a file that the hook was given, remembered in its inode. */
static __always_inline __u32 rf_zone_of_file(struct file *file, __u64 version, enum rf_hook hook)
{
	struct rf_zone_cache *cache =
		bpf_inode_storage_get(&rf_zone_storage, file->f_inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!cache)
		rf_error(hook, RF_ERROR_FILE_CACHE);
	return rf_zone_remembered(cache, file, 0, version);
}

/* Directories have moved: what was remembered of the files below may be wrong. */
static __always_inline void rf_zones_forget(void)
{
	__sync_fetch_and_add(&rf_config.file_epoch, 1);
}

#endif

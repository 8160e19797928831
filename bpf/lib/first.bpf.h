/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs that a workload has run: one that is not in the map is told of.
 * A program is its inode as it last changed, which no time stamp that users
 * may set says.
 */
#ifndef RF_BPF_FIRST_H
#define RF_BPF_FIRST_H

#include "path.bpf.h"
#include "submit.bpf.h"

/* The time of the last change has had three forms. */
struct inode___until_6_5 {
	struct timespec64 i_ctime;
} __attribute__((preserve_access_index));

struct inode___6_6 {
	struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));

struct inode___since_6_11 {
	time64_t i_ctime_sec;
	u32 i_ctime_nsec;
} __attribute__((preserve_access_index));

/* 7.2 has the digest in a table that only the file system asks: there is none then. */
struct fsverity_info___rf {
	struct merkle_tree_params___rf {
		unsigned int digest_size;
	} tree_params;
	u8 file_digest[64];
} __attribute__((preserve_access_index));

struct inode___verity {
	struct fsverity_info___rf *i_verity_info;
} __attribute__((preserve_access_index));

static __always_inline __u64 rf_inode_changed(struct inode *inode)
{
	if (bpf_core_field_exists(struct inode___since_6_11, i_ctime_sec)) {
		struct inode___since_6_11 *i = (void *)inode;

		return BPF_CORE_READ(i, i_ctime_sec) * 1000000000ULL + BPF_CORE_READ(i, i_ctime_nsec);
	}
	if (bpf_core_field_exists(struct inode___6_6, __i_ctime)) {
		struct inode___6_6 *i = (void *)inode;

		return BPF_CORE_READ(i, __i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(i, __i_ctime.tv_nsec);
	}
	if (bpf_core_field_exists(struct inode___until_6_5, i_ctime)) {
		struct inode___until_6_5 *i = (void *)inode;

		return BPF_CORE_READ(i, i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(i, i_ctime.tv_nsec);
	}
	return 0;
}

static __always_inline bool rf_first_verity(struct rf_event_exec_first *event, struct inode *inode)
{
	struct inode___verity *i = (void *)inode;
	struct fsverity_info___rf *info;
	__u32 length;

	if (!bpf_core_field_exists(struct inode___verity, i_verity_info))
		return false;
	info = BPF_CORE_READ(i, i_verity_info);
	if (!info)
		return false;
	length = BPF_CORE_READ(info, tree_params.digest_size);
	if (length > RF_DIGEST_MAX || bpf_core_read(event->digest, sizeof(event->digest), &info->file_digest))
		return false;
	event->digest_len = length;
	event->digest_of = RF_DIGEST_VERITY;
	return true;
}

/* What rf_exec_digest() has found, a moment ago. */
static __always_inline void rf_first_ima(struct rf_event_exec_first *event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_digest_value *found = bpf_task_storage_get(&rf_digest_map, task, NULL, 0);

	if (!found)
		return;
	event->digest_len = found->len;
	event->digest_of = RF_DIGEST_IMA;
	__builtin_memcpy(event->digest, found->digest, sizeof(event->digest));
	bpf_task_storage_delete(&rf_digest_map, task);
}

static __always_inline void rf_first_digest(struct rf_event_exec_first *event, struct inode *inode)
{
	__builtin_memset(event->digest, 0, sizeof(event->digest));
	event->digest_len = 0;
	event->digest_of = RF_DIGEST_NONE;
	if (!rf_first_verity(event, inode))
		rf_first_ima(event);
}

static __always_inline void rf_first_key_of(struct rf_first_key *key, struct inode *inode, __u32 owner)
{
	key->inode = BPF_CORE_READ(inode, i_ino);
	key->changed_ns = rf_inode_changed(inode);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	key->owner = owner;
}

/* @file was run by current. */
static __always_inline void rf_first_tell(__u32 workload, __u64 cgroup_id, __u32 owner, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct rf_event_exec_first *event;
	struct rf_first_key key;
	struct rf_path_slot *slot;
	enum rf_path_state state;
	__u32 seen = 1, bare, at;

	rf_first_key_of(&key, inode, owner);
	/* Two that run it first at the same time: one of them adds it. */
	if (bpf_map_lookup_elem(&rf_first_map, &key) || bpf_map_update_elem(&rf_first_map, &key, &seen, BPF_NOEXIST))
		return;
	event = rf_telemetry_reserve(RF_EVENT_EXEC_FIRST, struct rf_event_exec_first, workload, cgroup_id, true);
	if (!event)
		return;
	event->inode = key.inode;
	event->device = key.device;
	rf_first_digest(event, inode);
	__builtin_memset(event->path, 0, sizeof(event->path));
	event->path_len = 0;
	slot = rf_path_slot_take(&at);
	if (slot) {
		state = rf_path_read(slot, BPF_CORE_READ(file, f_path.mnt), dentry);
		bare = state == RF_PATH_NONE;
		if (bpf_probe_read_kernel_str(event->path, sizeof(event->path), &slot->text[bare]) > 0)
			event->path_len = slot->length - bare;
		rf_path_slot_give(slot);
	}
	if (!event->path_len)
		rf_error(RF_HOOK_EXEC, RF_ERROR_PATH_READ);
	rf_telemetry_submit(event);
}

#endif

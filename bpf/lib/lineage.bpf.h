/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of the lineage: include/ringfence/lineage_map.h. */
#ifndef RF_BPF_LINEAGE_H
#define RF_BPF_LINEAGE_H

#include "label.bpf.h"
#include "path.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_LINEAGE_ROWS);
	__type(key, struct rf_lineage_key);
	__type(value, struct rf_lineage_value);
} rf_lineage_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_lineage_state);
} rf_lineage_state_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_LABEL_AT(1, RF_MAX_ZONES) + 1);
	__type(key, __u32);
	__type(value, __u64);
} rf_label_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_PLACE_SLOTS);
	__type(key, __u32);
	__type(value, struct rf_zone_cache);
} rf_place_map SEC(".maps");

/* What a task is in the middle of; a value of another turn was left by programs that were detached since. */
struct rf_copying {
	__u32 turn;
	__u32 what; /* enum rf_copy */
};

enum rf_copy { RF_COPY_NONE, RF_COPY_SENDFILE, RF_COPY_RANGE };

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_copying);
} rf_copying_map SEC(".maps");

static const volatile struct rf_lineage_value rf_lineage_empty = {};

/* Who does it, and what with. */
struct rf_lineage_case {
	__u64 cgroup_id;
	__u64 version;
	__u32 workload;
	enum rf_hook hook;
	bool copied; /* by the kernel itself: by the end of that, not in between */
};

static __always_inline void rf_copy_set(struct rf_lineage_case *c, enum rf_copy what)
{
	struct rf_copying *copying = bpf_task_storage_get(&rf_copying_map, bpf_get_current_task_btf(), NULL,
							  what ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);

	if (copying) {
		copying->turn = rf_config.lineage_turn;
		copying->what = what;
	} else if (what) {
		rf_error(c->hook, RF_ERROR_LINEAGE_COPY);
	}
}

static __always_inline enum rf_copy rf_copy_get(void)
{
	struct rf_copying *copying = bpf_task_storage_get(&rf_copying_map, bpf_get_current_task_btf(), NULL, 0);

	return copying && copying->turn == rf_config.lineage_turn ? copying->what : RF_COPY_NONE;
}

/* What is done: one of these is not 0. */
struct rf_lineage_deed {
	__u64 read, written, mapped, shared, changes;
};

/* False: nobody whose lineage is kept. */
static __always_inline bool rf_lineage_begin(struct rf_lineage_case *c, enum rf_hook hook)
{
	c->hook = hook;
	c->copied = false;
	c->version = RF_READ_ONCE(rf_config.version);
	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, c->version);
	if (c->workload == RF_WORKLOAD_NONE)
		return false;
	rf_hook_seen(hook, c->workload);
	return true;
}

/* Not what has no content of its own: pipes, sockets, devices, directories. */
static __always_inline bool rf_is_regular(struct file *file)
{
	return (file->f_inode->i_mode & 0170000) == 0100000;
}

static __always_inline bool rf_may_be_labelled(struct file *file)
{
	return rf_may_lie_in(file, rf_config.label_devices);
}

/* As rf_zone_of_file(), which only LSM programs can ask: remembered by this CPU, in a slot of several files. */
static __always_inline __u32 rf_place_of(struct file *file, __u64 version)
{
	struct inode *inode = file->f_inode;
	__u64 who = inode->i_ino * 0x9e3779b97f4a7c15ULL ^ (__u64)inode->i_sb->s_dev << 40;
	__u32 slot = who >> 40 & (RF_PLACE_SLOTS - 1);

	return rf_zone_remembered(bpf_map_lookup_elem(&rf_place_map, &slot), file, who, version);
}

static __always_inline __u64 rf_label_of(__u32 zone, __u64 version)
{
	__u32 at = RF_LABEL_AT((__u32)version, zone);
	__u64 *label;

	if (zone > RF_MAX_ZONES)
		return RF_LABEL_NONE;
	label = bpf_map_lookup_elem(&rf_label_map, &at);
	return label ? *label : RF_LABEL_NONE;
}

/* Files that are none: what the kernel shows of itself. */
static __always_inline bool rf_is_of_kernel(struct inode *inode)
{
	switch (inode->i_sb->s_magic) {
	case 0x9fa0:	 /* proc */
	case 0x62656572: /* sysfs */
	case 0x63677270: /* cgroup2 */
	case 0x27e0eb:	 /* cgroup */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x73636673: /* securityfs */
	case 0xcafe4a11: /* bpf */
		return true;
	default:
		return false;
	}
}

/* The path of @file, of a long one the end. */
static __always_inline void rf_lineage_name(struct rf_lineage_value *row, struct vfsmount *mnt, struct dentry *dentry,
					    enum rf_hook hook)
{
	__u32 from = 0, length, at;
	struct rf_path_slot *slot = rf_path_slot_take(&at);

	if (!slot) {
		rf_error(hook, RF_ERROR_PATH_READ);
		return;
	}
	rf_path_read(slot, mnt, dentry);
	length = slot->length;
	if (length > RF_PATH_MAX - 1)
		from = length - (RF_PATH_MAX - 1);
	rf_barrier_var(from);
	from &= RF_EXEC_PATH_MAX - 1;
	if (bpf_probe_read_kernel_str(row->path, sizeof(row->path), &slot->text[from]) < 0)
		rf_error(hook, RF_ERROR_PATH_READ);
	row->path_length = length;
	rf_path_slot_give(slot);
}

/* The row of @key, made if it is not there; *@fresh: it was not. NULL: the map is full. */
static __always_inline struct rf_lineage_value *rf_lineage_row_make(const struct rf_lineage_case *c,
								    const struct rf_lineage_key *key, bool *fresh)
{
	struct rf_lineage_value *row;

	*fresh = bpf_map_update_elem(&rf_lineage_map, key, (const void *)&rf_lineage_empty, BPF_NOEXIST) == 0;
	row = bpf_map_lookup_elem(&rf_lineage_map, key);
	if (*fresh && row) {
		row->workload = c->workload;
		row->first_ns = bpf_ktime_get_boot_ns();
	}
	return row;
}

/* A new row if the workload may have one more; NULL: there is no room. */
static __always_inline struct rf_lineage_value *
rf_lineage_row_new(const struct rf_lineage_case *c, const struct rf_lineage_key *key, struct rf_lineage_state *state)
{
	struct rf_lineage_value *row;
	bool fresh;

	if (RF_READ_ONCE(state->rows[key->bank & 1]) >= RF_LINEAGE_SHARE)
		return NULL;
	row = rf_lineage_row_make(c, key, &fresh);
	if (fresh)
		__sync_fetch_and_add(&state->rows[key->bank & 1], 1);
	return row;
}

/* The row of what there is no room for. */
static __always_inline struct rf_lineage_value *rf_lineage_row_rest(const struct rf_lineage_case *c,
								    struct rf_lineage_key *key)
{
	struct rf_lineage_value *row;
	bool fresh;

	rf_count(c->workload, RF_COUNTER_LINEAGE_MERGED, 1);
	key->inode = 0;
	key->device = 0;
	__builtin_memset(key->process, 0, sizeof(key->process));
	row = bpf_map_lookup_elem(&rf_lineage_map, key);
	if (!row)
		row = rf_lineage_row_make(c, key, &fresh);
	if (!row)
		rf_error(c->hook, RF_ERROR_LINEAGE_FULL);
	return row;
}

static __always_inline void rf_lineage_add(struct rf_lineage_value *row, const struct rf_lineage_deed *deed)
{
	if (deed->read)
		__sync_fetch_and_add(&row->read_bytes, deed->read);
	if (deed->written)
		__sync_fetch_and_add(&row->write_bytes, deed->written);
	if (deed->mapped)
		__sync_fetch_and_add(&row->map_bytes, deed->mapped);
	if (deed->shared)
		__sync_fetch_and_add(&row->share_bytes, deed->shared);
	if (deed->changes)
		__sync_fetch_and_add(&row->changes, deed->changes);
	row->last_ns = bpf_ktime_get_boot_ns();
	row->tgid = bpf_get_current_pid_tgid() >> 32;
	row->uid = bpf_get_current_uid_gid();
}

/* @mnt: NULL where only the name is known. Out of line: hooks do it for two files. */
static __noinline int rf_lineage_note(const struct rf_lineage_case *c, __u64 label, struct dentry *dentry,
				      struct vfsmount *mnt, const struct rf_lineage_deed *deed)
{
	struct rf_lineage_state *state = bpf_map_lookup_elem(&rf_lineage_state_map, &c->workload);
	struct rf_lineage_key key = { .label = label, .cgroup_id = c->cgroup_id };
	bool made = deed->written || deed->shared || deed->changes;
	struct rf_lineage_value *row;

	if (!state)
		return 0;
	if (label && !made && !state->reads)
		RF_WRITE_ONCE(state->reads, 1);
	key.bank = RF_READ_ONCE(rf_config.lineage) & 1;
	if (made) {
		key.inode = BPF_CORE_READ(dentry, d_inode, i_ino);
		key.device = BPF_CORE_READ(dentry, d_sb, s_dev);
	}
	bpf_get_current_comm(key.process, sizeof(key.process));
	row = bpf_map_lookup_elem(&rf_lineage_map, &key);
	if (!row) {
		row = rf_lineage_row_new(c, &key, state);
		if (!row)
			row = rf_lineage_row_rest(c, &key);
		else if (made && mnt)
			rf_lineage_name(row, mnt, dentry, c->hook);
		else if (made)
			bpf_probe_read_kernel_str(row->path, sizeof(row->path), BPF_CORE_READ(dentry, d_name.name));
	}
	if (row)
		rf_lineage_add(row, deed);
	return 0;
}

/* Is what this workload writes to files without a label followed? */
static __always_inline bool rf_lineage_follows(const struct rf_lineage_case *c)
{
	struct rf_lineage_state *state = bpf_map_lookup_elem(&rf_lineage_state_map, &c->workload);

	return state && state->reads;
}

/* Of a file: by its label, and what is written without one where the workload has read of some. */
static __always_inline void rf_lineage_file(const struct rf_lineage_case *c, struct file *file,
					    const struct rf_lineage_deed *deed)
{
	__u64 label = RF_LABEL_NONE;

	if (!deed->read && !deed->written && !deed->mapped && !deed->shared)
		return;
	if (rf_may_be_labelled(file))
		label = rf_label_of(rf_place_of(file, c->version), c->version);
	if (!label && ((!deed->written && !deed->shared) || !rf_lineage_follows(c) || rf_is_of_kernel(file->f_inode)))
		return;
	if (!c->copied && rf_copy_get() != RF_COPY_NONE)
		return;
	rf_lineage_note(c, label, file->f_path.dentry, file->f_path.mnt, deed);
}

#endif

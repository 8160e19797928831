// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock on ourselves, attached while the daemon is started with --lock.
 *
 * hook                 refuses, to everything outside the daemon's cgroup
 * task_kill            signals to the daemon but 0 and SIGHUP, which reloads
 * ptrace_access_check  attaching to the daemon
 * bpf                  descriptors of our links by id; changing or detaching one by descriptor; another LSM program
 * bpf_map              our maps, for writing, however they are reached
 * bpf_prog             our programs, but for the one that takes the token
 * inode_unlink, inode_rmdir, inode_rename  our pins and their directories
 * sb_umount, sb_mount, move_mount          in the daemon's mount namespace, the bpf file system of our pins
 * capable              CAP_SYS_MODULE where it is asked for delete_module("ringfence")
 * file_open            cgroup.procs, cgroup.threads, cgroup.kill and cgroup.freeze of the daemon's cgroup, kill and
 *                      freeze of those above it
 *
 * Bound: one lookup where nothing is locked or it is not about us; walks of at most 16 cgroups and 8 directories.
 * Failure: open, and the daemon puts back what it finds gone. A link reached by a descriptor is found in the
 * caller's table, which another of its threads may change after the look: that, too, is put back and reported.
 */
#include "lib/lsm.bpf.h"
#include "lib/submit.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_SIGHUP	     1
#define RF_PTRACE_ATTACH     0x02
#define RF_CAP_SYS_MODULE    16
#define RF_FMODE_WRITE	     0x2
#define RF_CGROUP2_MAGIC     0x63677270
#define RF_BPF_PROG_TYPE_LSM 29
#ifdef __TARGET_ARCH_x86
#define RF_NR_DELETE_MODULE 176
#define rf_syscall_of(regs) ((regs)->orig_ax)
#else
#define RF_NR_DELETE_MODULE 106
#define rf_syscall_of(regs) ((regs)->syscallno)
#endif

/* What is locked, where it is and current is not of the daemon; else NULL. */
static __always_inline struct rf_guard *rf_guard_against(enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cgroup = rf_current_cgroup_id();
	struct rf_guard *guard;
	__u32 zero = 0;

	rf_hook_seen(hook, rf_workload_of_live(cgroup, version));
	guard = bpf_map_lookup_elem(&rf_guard_map, &zero);
	if (!guard || !guard->locked || guard->cgroup == cgroup)
		return NULL;
	if (guard->open_until && bpf_ktime_get_boot_ns() < guard->open_until)
		return NULL;
	return guard;
}

/* Counted and reported; what our hooks return. */
static __always_inline int rf_guard_refuse(struct rf_guard *guard, enum rf_guard_operation operation, __u32 target)
{
	__u64 cgroup_id = bpf_get_current_cgroup_id();
	__u32 workload = rf_workload_of(cgroup_id);
	struct rf_event_guard *event;

	__sync_fetch_and_add(&guard->refused[operation], 1);
	event = rf_audit_reserve(RF_EVENT_GUARD_DENY, struct rf_event_guard, workload, cgroup_id, true);
	if (event) {
		event->header.verdict = RF_DENY;
		event->operation = operation;
		event->target = target;
		rf_audit_submit(event);
	}
	return rf_lsm_verdict(true);
}

static __always_inline bool rf_guard_is_object(enum rf_guard_kind kind, __u32 id)
{
	__u64 key = RF_GUARD_OBJECT(kind, id);

	return bpf_map_lookup_elem(&rf_guard_object_map, &key);
}

static __always_inline bool rf_guard_is_daemon(const struct rf_guard *guard, struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid) == guard->tgid &&
	       BPF_CORE_READ(task, group_leader, start_boottime) == guard->start_ns;
}

SEC("lsm/task_kill")
int BPF_PROG(rf_guard_kill, struct task_struct *task, struct kernel_siginfo *info, int signal, const struct cred *cred,
	     int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_KILL);

	if (ret)
		return ret;
	if (!guard || !signal || signal == RF_SIGHUP || !rf_guard_is_daemon(guard, task))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_KILL, signal);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(rf_guard_trace, struct task_struct *child, unsigned int mode, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_TRACE);

	if (ret)
		return ret;
	if (!guard || !(mode & RF_PTRACE_ATTACH) || !rf_guard_is_daemon(guard, child))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_TRACE, guard->tgid);
}

/* The id of the link that descriptor @fd of current is; anything for what is no link. */
static __always_inline __u32 rf_guard_link_of(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
	struct bpf_link *link;

	if (fd >= BPF_CORE_READ(table, max_fds) || bpf_probe_read_kernel(&file, sizeof(file), &files[fd]) || !file)
		return 0;
	link = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(link, id);
}

/*
 * No "ret": newer kernels pass one more argument before it, and where another program has denied, this one does not
 * run at all.
 */
SEC("lsm/bpf")
int BPF_PROG(rf_guard_bpf, int command, union bpf_attr *attr, unsigned int size)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_BPF);
	__u32 id;

	if (!guard)
		return 0;
	switch (command) {
	case BPF_PROG_LOAD:
		if (attr->prog_type == RF_BPF_PROG_TYPE_LSM)
			return rf_guard_refuse(guard, RF_GUARD_LSM_LOAD, 0);
		return 0;
	case BPF_LINK_GET_FD_BY_ID:
		id = attr->link_id;
		break;
	case BPF_LINK_UPDATE:
		id = rf_guard_link_of(attr->link_update.link_fd);
		break;
	case BPF_LINK_DETACH:
		id = rf_guard_link_of(attr->link_detach.link_fd);
		break;
	default:
		return 0;
	}
	if (!rf_guard_is_object(RF_GUARD_IS_LINK, id))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_LINK, id);
}

SEC("lsm/bpf_map")
int BPF_PROG(rf_guard_bpf_map, struct bpf_map *map, fmode_t mode, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_MAP);

	if (ret)
		return ret;
	if (!guard)
		return 0;
	/* The one with the token is not even read. */
	if (map->id != guard->secret && (!(mode & RF_FMODE_WRITE) || !rf_guard_is_object(RF_GUARD_IS_MAP, map->id)))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_MAP, map->id);
}

SEC("lsm/bpf_prog")
int BPF_PROG(rf_guard_bpf_prog, struct bpf_prog *program, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_PROGRAM);
	__u32 id;

	if (ret)
		return ret;
	if (!guard)
		return 0;
	id = program->aux->id;
	if (id == guard->claim || !rf_guard_is_object(RF_GUARD_IS_PROGRAM, id))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_PROGRAM, id);
}

/* Our directory, or below it. */
static __always_inline bool rf_guard_is_pin(const struct rf_guard *guard, struct dentry *dentry)
{
	if (BPF_CORE_READ(dentry, d_sb, s_dev) != guard->device)
		return false;
	for (int i = 0; i < RF_GUARD_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (BPF_CORE_READ(dentry, d_inode, i_ino) == guard->directory)
			return true;
		if (parent == dentry)
			return false;
		dentry = parent;
	}
	return false;
}

static __always_inline int rf_guard_unpin(enum rf_hook hook, struct dentry *dentry, struct dentry *other)
{
	struct rf_guard *guard = rf_guard_against(hook);

	if (!guard || (!rf_guard_is_pin(guard, dentry) && (!other || !rf_guard_is_pin(guard, other))))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_UNPIN, 0);
}

SEC("lsm/inode_unlink")
int BPF_PROG(rf_guard_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : rf_guard_unpin(RF_HOOK_GUARD_UNLINK, dentry, NULL);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(rf_guard_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : rf_guard_unpin(RF_HOOK_GUARD_RMDIR, dentry, NULL);
}

SEC("lsm/inode_rename")
int BPF_PROG(rf_guard_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry, int ret)
{
	return ret ? ret : rf_guard_unpin(RF_HOOK_GUARD_RENAME, old_dentry, new_dentry);
}

/* Other mount namespaces have mounts of the same file system, and their ends are nobody's loss. */
static __always_inline bool rf_guard_is_mount(const struct rf_guard *guard, struct vfsmount *vfsmount)
{
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	return BPF_CORE_READ(vfsmount, mnt_sb, s_dev) == guard->device &&
	       BPF_CORE_READ(mount, mnt_ns, ns.inum) == guard->mount_ns;
}

SEC("lsm/sb_umount")
int BPF_PROG(rf_guard_umount, struct vfsmount *mount, int flags, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_UMOUNT);

	if (ret)
		return ret;
	if (!guard || !rf_guard_is_mount(guard, mount))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_UMOUNT, 0);
}

SEC("lsm/sb_mount")
int BPF_PROG(rf_guard_mount, const char *device, const struct path *path, const char *type, unsigned long flags,
	     void *data, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_MOUNT);

	if (ret)
		return ret;
	if (!guard || !rf_guard_is_mount(guard, BPF_CORE_READ(path, mnt)))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_MOUNT_OVER, 0);
}

SEC("lsm/move_mount")
int BPF_PROG(rf_guard_move, const struct path *from, const struct path *to, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_MOVE);

	if (ret)
		return ret;
	if (!guard)
		return 0;
	if (!rf_guard_is_mount(guard, BPF_CORE_READ(to, mnt)) && !rf_guard_is_mount(guard, BPF_CORE_READ(from, mnt)))
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_MOUNT_OVER, 0);
}

/* The name is where the caller can change it: one that cannot be read now is taken for ours. */
SEC("lsm/capable")
int BPF_PROG(rf_guard_capable, const struct cred *cred, struct user_namespace *ns, int capability, unsigned int options,
	     int ret)
{
	struct rf_guard *guard;
	struct pt_regs *regs;
	char name[16] = {};

	if (ret)
		return ret;
	if (capability != RF_CAP_SYS_MODULE)
		return 0;
	guard = rf_guard_against(RF_HOOK_GUARD_CAPABLE);
	if (!guard)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (rf_syscall_of(regs) != RF_NR_DELETE_MODULE)
		return 0;
	if (bpf_probe_read_user_str(name, sizeof(name), (void *)PT_REGS_PARM1_CORE_SYSCALL(regs)) > 0 &&
	    __builtin_memcmp(name, "ringfence", sizeof("ringfence")) != 0)
		return 0;
	return rf_guard_refuse(guard, RF_GUARD_MODULE, 0);
}

/* Bit 0: of the daemon's own cgroup it is protected; bit 1: of those above it, too. */
static __always_inline __u32 rf_guard_file_of(const char *name)
{
	char text[16] = {};

	bpf_probe_read_kernel_str(text, sizeof(text), name);
	if (__builtin_memcmp(text, "cgroup.kill", sizeof("cgroup.kill")) == 0 ||
	    __builtin_memcmp(text, "cgroup.freeze", sizeof("cgroup.freeze")) == 0)
		return 3;
	if (__builtin_memcmp(text, "cgroup.procs", sizeof("cgroup.procs")) == 0 ||
	    __builtin_memcmp(text, "cgroup.threads", sizeof("cgroup.threads")) == 0)
		return 1;
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(rf_guard_open, struct file *file, int ret)
{
	struct rf_guard *guard = rf_guard_against(RF_HOOK_GUARD_OPEN);
	struct kernfs_node *node;
	__u32 protected;
	__u64 cgroup;

	if (ret)
		return ret;
	if (!guard || !(file->f_mode & RF_FMODE_WRITE) || file->f_inode->i_sb->s_magic != RF_CGROUP2_MAGIC)
		return 0;
	node = BPF_CORE_READ(file, f_path.dentry, d_inode, i_private);
	protected = rf_guard_file_of((const char *)BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (!protected || !node)
		return 0;
	/* A file's directory, by the dentry: how a kernfs node has its parent differs. */
	node = BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode, i_private);
	cgroup = BPF_CORE_READ(node, id);
	for (int i = 0; i < RF_GUARD_ANCESTORS; i++) {
		if (!guard->ancestors[i])
			break;
		if (guard->ancestors[i] == cgroup && (i == 0 || protected & 2))
			return rf_guard_refuse(guard, RF_GUARD_CGROUP, 0);
	}
	return 0;
}

/*
 * Run by a root that has read the token: the next daemon, which becomes the one that is let through, or one that
 * opens the lock for a while.
 */
SEC("syscall")
int rf_guard_claim(struct rf_guard_claim *claim)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_guard *guard;
	__u64 differs;
	__u32 zero = 0;

	guard = bpf_map_lookup_elem(&rf_guard_map, &zero);
	if (!guard)
		return 1;
	/* By fixed offsets: the verifier allows no others into a context. */
	differs = (claim->token[0] ^ guard->token[0]) | (claim->token[1] ^ guard->token[1]) |
		  (claim->token[2] ^ guard->token[2]) | (claim->token[3] ^ guard->token[3]);
	if (differs)
		return 1;
	if (claim->open_ns) {
		guard->open_until = bpf_ktime_get_boot_ns() + claim->open_ns;
		return 0;
	}
	guard->tgid = task->tgid;
	guard->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	guard->cgroup = bpf_get_current_cgroup_id();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What workloads reach by name: System V objects, POSIX shared memory and
 * message queues, keys. Each belongs to the workload that made it. Attached
 * while some workload is kept apart from another in that way; what was made
 * before is the host's.
 *
 * hook                             does
 * {shm,sem,msg_queue}_alloc        remembers who makes a System V object
 * {shm,sem,msg_queue}_free         forgets it
 * ipc_permission                   decides whether current attaches to, reads or writes one
 * shm_shmctl, sem_semctl, msgctl   decides whether it removes or changes one
 * file_open                        remembers who makes a file below a tmpfs that is mounted at a directory "shm", or
 *                                  a message queue; decides whether current opens one, or what shows the memory of
 *                                  a process: /proc/PID/{environ,auxv,maps,smaps,numa_maps,pagemap}
 * file_receive                     decides whether current is passed one, or a Unix socket of another
 * key_alloc                        remembers who makes a key
 * key_permission                   decides whether current uses one
 *
 * The keyrings that the kernel makes for a user are shared by all who run as
 * that user, and stay so: what lies in them is judged by itself. What the
 * kernel does for itself under other credentials (NFS, DNS) is not judged.
 *
 * Bound: two lookups for one's own, five between two workloads. Failure: open;
 * without room to remember a maker the object is the host's, and that is
 * counted (maker_full).
 */
#include "lib/isolation.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_TMPFS_MAGIC	 0x01021994 /* linux/magic.h */
#define RF_MQUEUE_MAGIC	 0x19800202 /* ipc/mqueue.c */
#define RF_PROC_MAGIC	 0x9fa0
#define RF_SOCKFS_MAGIC	 0x534f434b
#define RF_AF_UNIX	 1
#define RF_FMODE_CREATED 0x100000 /* linux/fs.h */
#define RF_O_CREAT	 0100

/* ---- System V ---- */

static __always_inline int rf_ipc_made(struct kern_ipc_perm *object, enum rf_hook hook)
{
	return rf_maker_remember(&rf_maker_map, (__u64)object, hook);
}

static __always_inline int rf_ipc_gone(struct kern_ipc_perm *object)
{
	__u64 key = (__u64)object;

	bpf_map_delete_elem(&rf_maker_map, &key);
	return 0;
}

static __always_inline int rf_ipc_asked(struct rf_isolation_case *c, struct kern_ipc_perm *object, enum rf_hook hook)
{
	__u64 key = (__u64)object;
	struct rf_maker *maker;

	if (!rf_isolation_acts(c, hook) || !key)
		return 0;
	maker = bpf_map_lookup_elem(&rf_maker_map, &key);
	if (!maker)
		return 0;
	c->argument = object->id;
	return rf_lsm_verdict(rf_isolation_ask_maker(c, maker));
}

SEC("lsm/shm_alloc_security")
int BPF_PROG(rf_shm_alloc, struct kern_ipc_perm *object, int ret)
{
	return ret ? ret : rf_ipc_made(object, RF_HOOK_SHM_ALLOC);
}

SEC("lsm/sem_alloc_security")
int BPF_PROG(rf_sem_alloc, struct kern_ipc_perm *object, int ret)
{
	return ret ? ret : rf_ipc_made(object, RF_HOOK_SEM_ALLOC);
}

SEC("lsm/msg_queue_alloc_security")
int BPF_PROG(rf_msg_queue_alloc, struct kern_ipc_perm *object, int ret)
{
	return ret ? ret : rf_ipc_made(object, RF_HOOK_MSG_ALLOC);
}

SEC("lsm/shm_free_security")
int BPF_PROG(rf_shm_free, struct kern_ipc_perm *object)
{
	return rf_ipc_gone(object);
}

SEC("lsm/sem_free_security")
int BPF_PROG(rf_sem_free, struct kern_ipc_perm *object)
{
	return rf_ipc_gone(object);
}

SEC("lsm/msg_queue_free_security")
int BPF_PROG(rf_msg_queue_free, struct kern_ipc_perm *object)
{
	return rf_ipc_gone(object);
}

SEC("lsm/ipc_permission")
int BPF_PROG(rf_ipc_permission, struct kern_ipc_perm *object, short flag, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SYSV);

	return ret ? ret : rf_ipc_asked(&c, object, RF_HOOK_IPC_PERMISSION);
}

SEC("lsm/shm_shmctl")
int BPF_PROG(rf_shm_control, struct kern_ipc_perm *object, int command, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SYSV_CONTROL);

	return ret ? ret : rf_ipc_asked(&c, object, RF_HOOK_SHM_CONTROL);
}

SEC("lsm/sem_semctl")
int BPF_PROG(rf_sem_control, struct kern_ipc_perm *object, int command, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SYSV_CONTROL);

	return ret ? ret : rf_ipc_asked(&c, object, RF_HOOK_SEM_CONTROL);
}

SEC("lsm/msg_queue_msgctl")
int BPF_PROG(rf_msg_queue_control, struct kern_ipc_perm *object, int command, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SYSV_CONTROL);

	return ret ? ret : rf_ipc_asked(&c, object, RF_HOOK_MSG_CONTROL);
}

/* ---- POSIX ---- */

/* Is @file on a mount at a directory of the name that shm_open() looks below? */
static __always_inline bool rf_mount_is_shared(struct file *file)
{
	struct vfsmount *at = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)at - bpf_core_field_offset(struct mount, mnt);
	const unsigned char *name = BPF_CORE_READ(mount, mnt_mountpoint, d_name.name);
	char word[4] = {};

	bpf_probe_read_kernel(word, sizeof(word), name);
	return word[0] == 's' && word[1] == 'h' && word[2] == 'm' && !word[3];
}

/* ---- processes, by what shows their memory ---- */

/*
 * Newer kernels (7.2, not yet 6.12) let whoever has CAP_PERFMON read these although tracing was denied, so that a
 * denial in ptrace_access_check is not enough. The first seven letters tell them apart.
 */
static __always_inline bool rf_shows_memory(struct file *file)
{
	union {
		char text[8];
		__u64 word;
	} name = {},
	  known[] = { { "environ" }, { "auxv" }, { "maps" }, { "smaps" }, { "smaps_r" }, { "numa_ma" }, { "pagemap" } };

	bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	for (int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (name.word == known[i].word)
			return true;
	return false;
}

static __always_inline int rf_process_opened(struct file *file)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(PROC);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct proc_inode *proc;
	struct hlist_node *first;
	struct task_struct *task;
	__u64 other;

	if (!rf_isolation_acts(&c, RF_HOOK_APART_OPEN) || !rf_shows_memory(file))
		return 0;
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	first = BPF_CORE_READ(proc, pid, tasks[0].first);
	if (!first)
		return 0;
	task = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
	other = rf_task_cgroup_id(task);
	if (other == c.cgroup_id)
		return 0;
	c.peer_tgid = BPF_CORE_READ(task, tgid);
	return rf_lsm_verdict(rf_isolation_ask(&c, other, false));
}

SEC("lsm/file_open")
int BPF_PROG(rf_apart_open, struct file *file, int ret)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(SHARED);
	__u64 magic = file->f_inode->i_sb->s_magic;
	struct rf_maker *maker;
	bool made;

	if (ret)
		return ret;
	if (magic == RF_PROC_MAGIC)
		return rf_process_opened(file);
	if (rf_likely(magic != RF_TMPFS_MAGIC && magic != RF_MQUEUE_MAGIC))
		return 0;
	if (!rf_isolation_acts(&c, RF_HOOK_APART_OPEN)) {
		/* The host's own, which must not become that of the first workload that opens it. */
		if (magic == RF_MQUEUE_MAGIC)
			bpf_inode_storage_get(&rf_shared_map, file->f_inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		return 0;
	}
	maker = bpf_inode_storage_get(&rf_shared_map, file->f_inode, NULL, 0);
	if (maker)
		return rf_lsm_verdict(rf_isolation_ask_maker(&c, maker));
	/* mq_open() opens what it makes before anybody else can, and says no more than O_CREAT. */
	made = magic == RF_MQUEUE_MAGIC ? file->f_flags & RF_O_CREAT :
					  file->f_mode & RF_FMODE_CREATED && rf_mount_is_shared(file);
	if (!made)
		return 0;
	maker = bpf_inode_storage_get(&rf_shared_map, file->f_inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (maker)
		rf_maker_fill(maker, c.cgroup_id, c.workload);
	else
		rf_error(RF_HOOK_APART_OPEN, RF_ERROR_MAKER_FULL);
	return 0;
}

SEC("lsm/file_receive")
int BPF_PROG(rf_apart_receive, struct file *file, int ret)
{
	struct rf_isolation_case memory = RF_ISOLATION_CASE(SHARED_PASSED), c = RF_ISOLATION_CASE(PASSED);
	__u64 magic = file->f_inode->i_sb->s_magic;
	struct rf_maker *maker;
	struct socket *socket;
	struct sock *sock;

	if (ret)
		return ret;
	if (!rf_isolation_acts(&c, RF_HOOK_APART_RECEIVE))
		return 0;
	if (magic == RF_TMPFS_MAGIC || magic == RF_MQUEUE_MAGIC) {
		maker = bpf_inode_storage_get(&rf_shared_map, file->f_inode, NULL, 0);
		memory.cgroup_id = c.cgroup_id;
		memory.workload = c.workload;
		memory.version = c.version;
		return rf_lsm_verdict(maker && rf_isolation_ask_maker(&memory, maker));
	}
	if (magic != RF_SOCKFS_MAGIC)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sock = BPF_CORE_READ(socket, sk);
	if (!sock || BPF_CORE_READ(sock, __sk_common.skc_family) != RF_AF_UNIX)
		return 0;
	return rf_lsm_verdict(rf_isolation_ask(&c, BPF_CORE_READ(sock, sk_cgrp_data.cgroup, kn, id), false));
}

/* ---- keys ---- */

/* The kernel acts for itself: it has put on other credentials. */
static __always_inline bool rf_is_overridden(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->cred != task->real_cred;
}

SEC("lsm/key_alloc")
int BPF_PROG(rf_key_alloc, struct key *key, const struct cred *cred, unsigned long flags, int ret)
{
	struct rf_isolation_case c = {};
	struct rf_maker maker = {};
	__u64 at = (__u64)key;
	char first = 0;

	if (ret)
		return ret;
	bpf_probe_read_kernel(&first, sizeof(first), key->description);
	/* The kernel's own names begin so: "_uid.0", ".request_key_auth". */
	if (rf_isolation_acts(&c, RF_HOOK_KEY_ALLOC) && !rf_is_overridden() && first != '_' && first != '.')
		rf_maker_fill(&maker, c.cgroup_id, c.workload);
	if (!maker.workload)
		bpf_map_delete_elem(&rf_key_map, &at);
	else if (bpf_map_update_elem(&rf_key_map, &at, &maker, BPF_ANY) < 0)
		rf_error(RF_HOOK_KEY_ALLOC, RF_ERROR_MAKER_FULL);
	return 0;
}

/* By number: what a key reference is, the types do not say. */
SEC("lsm/key_permission")
int rf_key_permission(void *ctx)
{
	struct rf_isolation_case c = RF_ISOLATION_CASE(KEY);
	struct rf_maker *maker;
	__u64 at;

	if (!rf_isolation_acts(&c, RF_HOOK_KEY_PERMISSION) || rf_is_overridden() ||
	    bpf_probe_read_kernel(&at, sizeof(at), ctx))
		return 0;
	at &= ~1ULL; /* the bit that says "possessed" */
	maker = bpf_map_lookup_elem(&rf_key_map, &at);
	if (!maker)
		return 0;
	bpf_probe_read_kernel(&c.argument, sizeof(c.argument), &((struct key *)at)->serial);
	return rf_lsm_verdict(rf_isolation_ask_maker(&c, maker));
}

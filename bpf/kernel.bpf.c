// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's surface: interfaces that a workload may have no need of. Each
 * program is attached while some workload has a denial that it decides.
 *
 * hook                      decides (kind; and for the system calls that get there, their names)
 * capable                   capabilities; mount, where nothing else is asked; delete_module; CAP_SYS_RAWIO
 * bpf                       bpf
 * perf_event_open           perf
 * kernel_load_data          moduleLoad, kexec: from memory
 * kernel_read_file          moduleLoad, kexec: from a file
 * kernel_module_request     moduleLoad: what makes the kernel itself ask for a module
 * inode_init_security_anon  userfaultfd, ioUring
 * userns_create             userNamespaces
 * sb_mount, sb_umount, move_mount, sb_pivotroot   mount
 * ptrace_access_check, ptrace_traceme             ptrace
 * locked_down               rawIO: what asks for no capability
 * file_open                 sysrq, cgroupEscape, perf: when opened for writing
 * task_alloc                cgroupEscape: a process that is to be born in another cgroup
 * task_fix_setuid, task_fix_setgid, task_fix_setgroups, bprm_creds_from_file   setuid
 *
 * All are BPF LSM (level 1). The acting end is the cgroup that current is in
 * now. What was opened before stays open.
 *
 * Bound: one lookup for the unmanaged, two for the managed. Failure: open, where
 * what is asked for cannot be told. None of these can be skipped.
 */
#include "lib/kernel.bpf.h"
#include "lib/lsm.bpf.h"
#include "lib/newcomer.bpf.h"
#include "lib/syscall.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_CAP_SYS_MODULE 16
#define RF_CAP_SYS_RAWIO  17
#define RF_CAP_SYS_ADMIN  21
#define RF_CAP_NOAUDIT	  2 /* CAP_OPT_NOAUDIT: the kernel only wants to know, nothing fails */

#define RF_FMODE_WRITE	      0x2
#define RF_PROC_MAGIC	      0x9fa0
#define RF_CGROUP_MAGIC	      0x27e0eb
#define RF_CGROUP2_MAGIC      0x63677270
#define RF_TRACEFS_MAGIC      0x74726163
#define RF_DEBUGFS_MAGIC      0x64626720
#define RF_PTRACE_MODE_ATTACH 2
#define RF_CLONE_INTO_CGROUP  0x200000000ULL

/* Out of line, once for all LSM hooks. True: denied. */
static __noinline bool rf_kernel_asked(struct rf_kernel_case *c, enum rf_hook hook)
{
	const struct rf_workload_bank *bank = rf_kernel_bank(c, hook);
	bool by_syscall;

	if (!bank)
		return false;
	by_syscall = bank->kernel[RF_TIER_ENFORCE].syscalls | bank->kernel[RF_TIER_AUDIT].syscalls;
	c->syscall = by_syscall ? rf_syscall_of_current() : RF_KERNEL_NONE;
	if (rf_kernel_rule(&bank->kernel[RF_TIER_ENFORCE], c) == RF_KERNEL_RULES &&
	    rf_kernel_rule(&bank->kernel[RF_TIER_AUDIT], c) == RF_KERNEL_RULES)
		return false;
	if (!by_syscall)
		c->syscall = rf_syscall_of_current();
	return !rf_newcomer_is() && rf_kernel_judge(bank, c);
}

/* Asked for one kind and nothing else. */
static __always_inline int rf_kernel_kind_asked(enum rf_kernel_kind kind, const char *detail, enum rf_hook hook)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(kind);

	c.detail = detail;
	return rf_lsm_verdict(rf_kernel_asked(&c, hook));
}

/* Of the system calls that ask for CAP_SYS_ADMIN and for nothing else of ours. */
static __always_inline bool rf_syscall_is_mount(__u16 syscall)
{
	return syscall == RF_SYSCALL_fsopen || syscall == RF_SYSCALL_fspick || syscall == RF_SYSCALL_fsmount ||
	       syscall == RF_SYSCALL_open_tree || syscall == RF_SYSCALL_open_tree_attr ||
	       syscall == RF_SYSCALL_mount_setattr;
}

SEC("lsm/capable")
int BPF_PROG(rf_kernel_capable, const struct cred *cred, struct user_namespace *ns, int capability, unsigned int opts,
	     int ret)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);

	if (ret)
		return ret;
	c.capability = capability;
	c.quiet = opts & RF_CAP_NOAUDIT;
	if (capability == RF_CAP_SYS_RAWIO)
		c.kind = RF_KERNEL_RAW_IO;
	else if (capability == RF_CAP_SYS_ADMIN && rf_syscall_is_mount(rf_syscall_of_current()))
		c.kind = RF_KERNEL_MOUNT;
	else if (capability == RF_CAP_SYS_MODULE && rf_syscall_of_current() == RF_SYSCALL_delete_module)
		c.kind = RF_KERNEL_MODULE;
	return rf_lsm_verdict(rf_kernel_asked(&c, RF_HOOK_CAPABLE));
}

/* Where kernels differ in what comes before it, @ret is left out: it is 0, as an earlier denial asks nobody else. */
SEC("lsm/bpf")
int BPF_PROG(rf_kernel_bpf, int command)
{
	return rf_kernel_kind_asked(RF_KERNEL_BPF, NULL, RF_HOOK_BPF);
}

SEC("lsm/perf_event_open")
int BPF_PROG(rf_kernel_perf)
{
	return rf_kernel_kind_asked(RF_KERNEL_PERF, NULL, RF_HOOK_PERF_OPEN);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(rf_kernel_load_data, enum kernel_load_data_id id, bool contents, int ret)
{
	if (ret)
		return ret;
	if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return rf_kernel_kind_asked(RF_KERNEL_MODULE, NULL, RF_HOOK_LOAD_DATA);
	if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE))
		return rf_kernel_kind_asked(RF_KERNEL_KEXEC, NULL, RF_HOOK_LOAD_DATA);
	return 0;
}

/* Also under 6.1 and 6.12, whose types do not have it. */
enum kernel_read_file_id___compressed { READING_MODULE_COMPRESSED___compressed = 7 };

static __always_inline bool rf_reads_module(enum kernel_read_file_id id)
{
	if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
		return true;
	return bpf_core_enum_value_exists(enum kernel_read_file_id___compressed,
					  READING_MODULE_COMPRESSED___compressed) &&
	       id == bpf_core_enum_value(enum kernel_read_file_id___compressed, READING_MODULE_COMPRESSED___compressed);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(rf_kernel_read_file, struct file *file, enum kernel_read_file_id id, bool contents, int ret)
{
	const char *name;

	if (ret)
		return ret;
	name = (const char *)BPF_CORE_READ(file, f_path.dentry, d_name.name);
	if (rf_reads_module(id))
		return rf_kernel_kind_asked(RF_KERNEL_MODULE, name, RF_HOOK_READ_FILE);
	if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE))
		return rf_kernel_kind_asked(RF_KERNEL_KEXEC, name, RF_HOOK_READ_FILE);
	return 0;
}

SEC("lsm/kernel_module_request")
int BPF_PROG(rf_kernel_module_request, char *name, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_MODULE, name, RF_HOOK_MODULE_REQUEST);
}

/* Both are made as files without a directory, which have nothing but a name to tell them by. */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(rf_kernel_anon_inode, struct inode *inode, const struct qstr *name, const struct inode *context, int ret)
{
	static const char ring[] = "[io_uring]", fault[] = "[userfaultfd]";
	const char *text = (const char *)BPF_CORE_READ(name, name);
	char kind[sizeof(fault)] = {};

	if (ret)
		return ret;
	bpf_probe_read_kernel_str(kind, sizeof(kind), text);
	if (__builtin_memcmp(kind, ring, sizeof(ring)) == 0)
		return rf_kernel_kind_asked(RF_KERNEL_IO_URING, NULL, RF_HOOK_ANON_INODE);
	if (__builtin_memcmp(kind, fault, sizeof(fault)) == 0)
		return rf_kernel_kind_asked(RF_KERNEL_USERFAULTFD, NULL, RF_HOOK_ANON_INODE);
	return 0;
}

SEC("lsm/userns_create")
int BPF_PROG(rf_kernel_userns, const struct cred *cred, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_USER_NAMESPACE, NULL, RF_HOOK_USERNS);
}

SEC("lsm/sb_mount")
int BPF_PROG(rf_kernel_mount, const char *device, const struct path *path, const char *type, unsigned long flags,
	     void *data, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_MOUNT, type, RF_HOOK_SB_MOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(rf_kernel_umount, struct vfsmount *mount, int flags, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_MOUNT, NULL, RF_HOOK_SB_UMOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(rf_kernel_move_mount, const struct path *from, const struct path *to, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_MOUNT, NULL, RF_HOOK_MOVE_MOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(rf_kernel_pivot_root, const struct path *old_path, const struct path *new_path, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_MOUNT, NULL, RF_HOOK_PIVOT_ROOT);
}

/* To look at another process (its environment, its descriptors) is no tracing; a system call may be denied all the
 * same. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(rf_kernel_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);

	if (ret)
		return ret;
	if (mode & RF_PTRACE_MODE_ATTACH)
		c.kind = RF_KERNEL_PTRACE;
	c.detail = child->comm;
	return rf_lsm_verdict(rf_kernel_asked(&c, RF_HOOK_KERNEL_PTRACE));
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(rf_kernel_traceme, struct task_struct *parent, int ret)
{
	if (ret)
		return ret;
	return rf_kernel_kind_asked(RF_KERNEL_PTRACE, parent->comm, RF_HOOK_KERNEL_TRACEME);
}

SEC("lsm/locked_down")
int BPF_PROG(rf_kernel_locked_down, enum lockdown_reason what, int ret)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);

	if (ret)
		return ret;
	/* What asks for CAP_SYS_RAWIO as well is denied there. */
	if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_PCI_ACCESS) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_EFI_TEST) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_ACPI_TABLES) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_MMIOTRACE))
		c.kind = RF_KERNEL_RAW_IO;
	return rf_lsm_verdict(rf_kernel_asked(&c, RF_HOOK_LOCKED_DOWN));
}

static __always_inline bool rf_is_sysrq(struct dentry *dentry)
{
	static const char trigger[] = "sysrq-trigger";
	char name[sizeof(trigger) + 1] = {};

	if (BPF_CORE_READ(dentry, d_parent) != BPF_CORE_READ(dentry, d_sb, s_root))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
	return __builtin_memcmp(name, trigger, sizeof(trigger)) == 0;
}

/* Most opens are for reading, or of other file systems: nothing is looked up for them. */
SEC("lsm/file_open")
int BPF_PROG(rf_kernel_open, struct file *file, int ret)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);
	struct dentry *dentry;
	unsigned long magic;

	if (ret)
		return ret;
	if (!(file->f_mode & RF_FMODE_WRITE))
		return 0;
	magic = file->f_inode->i_sb->s_magic;
	if (magic != RF_PROC_MAGIC && magic != RF_CGROUP_MAGIC && magic != RF_CGROUP2_MAGIC &&
	    magic != RF_TRACEFS_MAGIC && magic != RF_DEBUGFS_MAGIC)
		return 0;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	c.detail = (const char *)BPF_CORE_READ(dentry, d_name.name);
	if (magic == RF_PROC_MAGIC) {
		if (rf_is_sysrq(dentry))
			c.kind = RF_KERNEL_SYSRQ;
		else if (bpf_get_current_cgroup_id() != rf_config.probe_cgroup)
			return 0;
	} else if (magic == RF_TRACEFS_MAGIC || magic == RF_DEBUGFS_MAGIC) {
		/* Probes of the kernel and of others, as perf_event_open() makes them. */
		c.kind = RF_KERNEL_PERF;
	} else {
		__u64 directory = BPF_CORE_READ(dentry, d_parent, d_inode, i_ino);

		c.within = (const char *)BPF_CORE_READ(dentry, d_parent, d_name.name);
		/* On 64-bit machines a cgroup's number is that of its directory; of v1 we know no numbers. */
		if (magic == RF_CGROUP2_MAGIC &&
		    rf_workload_of(directory) == rf_workload_of(bpf_get_current_cgroup_id()))
			return 0;
		c.kind = RF_KERNEL_CGROUP;
	}
	return rf_lsm_verdict(rf_kernel_asked(&c, RF_HOOK_KERNEL_OPEN));
}

/* Into which cgroup is looked up later, where no hook is: any is denied. */
SEC("lsm/task_alloc")
int BPF_PROG(rf_kernel_fork, struct task_struct *task, unsigned long flags, int ret)
{
	if (ret)
		return ret;
	if (flags & RF_CLONE_INTO_CGROUP)
		return rf_kernel_kind_asked(RF_KERNEL_CGROUP, NULL, RF_HOOK_KERNEL_FORK);
	if (rf_unlikely(rf_current_cgroup_id() == rf_config.probe_cgroup))
		rf_hook_seen(RF_HOOK_KERNEL_FORK, RF_WORKLOAD_PROBE);
	return 0;
}

static __always_inline bool rf_ids_changed(const struct cred *new, const struct cred *old)
{
	return BPF_CORE_READ(new, uid.val) != BPF_CORE_READ(old, uid.val) ||
	       BPF_CORE_READ(new, euid.val) != BPF_CORE_READ(old, euid.val) ||
	       BPF_CORE_READ(new, suid.val) != BPF_CORE_READ(old, suid.val) ||
	       BPF_CORE_READ(new, fsuid.val) != BPF_CORE_READ(old, fsuid.val) ||
	       BPF_CORE_READ(new, gid.val) != BPF_CORE_READ(old, gid.val) ||
	       BPF_CORE_READ(new, egid.val) != BPF_CORE_READ(old, egid.val) ||
	       BPF_CORE_READ(new, sgid.val) != BPF_CORE_READ(old, sgid.val) ||
	       BPF_CORE_READ(new, fsgid.val) != BPF_CORE_READ(old, fsgid.val);
}

static __always_inline int rf_ids_asked(bool changed, enum rf_hook hook)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);

	if (changed)
		c.kind = RF_KERNEL_SETUID;
	return rf_lsm_verdict(rf_kernel_asked(&c, hook));
}

SEC("lsm/task_fix_setuid")
int BPF_PROG(rf_kernel_setuid, struct cred *new, const struct cred *old, int flags, int ret)
{
	if (ret)
		return ret;
	return rf_ids_asked(rf_ids_changed(new, old), RF_HOOK_FIX_SETUID);
}

SEC("lsm/task_fix_setgid")
int BPF_PROG(rf_kernel_setgid, struct cred *new, const struct cred *old, int flags, int ret)
{
	if (ret)
		return ret;
	return rf_ids_asked(rf_ids_changed(new, old), RF_HOOK_FIX_SETGID);
}

/* The list itself is not compared: to set it is to change it. */
SEC("lsm/task_fix_setgroups")
int BPF_PROG(rf_kernel_setgroups, struct cred *new, const struct cred *old, int ret)
{
	if (ret)
		return ret;
	return rf_ids_asked(true, RF_HOOK_FIX_SETGROUPS);
}

/* 6.1 has it as two words, later kernels as one; on a little-endian machine they are the same. */
static __always_inline __u64 rf_permitted(const struct cred *cred)
{
	__u64 permitted = 0;

	bpf_core_read(&permitted, sizeof(permitted), &cred->cap_permitted);
	return permitted;
}

/* Before the point from which an execve() cannot go back. Root is given what it has at every execve(). */
SEC("lsm/bprm_creds_from_file")
int BPF_PROG(rf_kernel_exec, struct linux_binprm *bprm, struct file *file, int ret)
{
	struct rf_kernel_case c = RF_KERNEL_CASE(RF_KERNEL_KIND_NONE);
	const struct cred *old, *new;

	if (ret)
		return ret;
	old = bpf_get_current_task_btf()->cred;
	new = bprm->cred;
	c.detail = (const char *)bprm->file->f_path.dentry->d_name.name;
	if (new->euid.val != old->euid.val || new->egid.val != old->egid.val ||
	    (old->uid.val && rf_permitted(new) & ~rf_permitted(old)))
		c.kind = RF_KERNEL_SETUID;
	return rf_lsm_verdict(rf_kernel_asked(&c, RF_HOOK_KERNEL_EXEC));
}

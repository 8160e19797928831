// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of labelled trees. All of it needs level 1, and each program is attached
 * while some workload has a rule that it is needed for.
 *
 * hook                 decides
 * file_open            read, write and exec: of what is opened, by whatever name; a program and its interpreters too
 * file_receive         read and write: of a descriptor that another process passes
 * mmap_file            mmap-exec of what may be read, but for what exec itself maps
 * mmap_backing_file    the same of the file below an overlay
 * file_mprotect        the same of what was mapped before
 * inode_create, inode_mkdir, inode_mknod, inode_symlink    create, in the directory's zone
 * inode_unlink, inode_rmdir                                delete
 * inode_rename         rename; delete of what it replaces; create in another zone
 * inode_link           link; create in another zone
 * inode_setattr        chmod, chown, and a change of length: write
 * inode_setxattr, inode_removexattr, inode_set_acl, inode_remove_acl    xattr
 * sb_mount, move_mount mount: on a directory of the zone
 * path_notify          read: of whom inotify or fanotify would tell what others do there
 *
 * What leaves its zone by rename or link leaves its rules behind, so that only
 * who is denied nothing there may do that. What is open stays open: reads and
 * writes are not looked at.
 *
 * Bound: nothing is looked up for a file on a file system where no zone begins; else
 * three lookups and the file's own storage; what is not remembered, and
 * all hooks but those of files, walk up to RF_MAX_FILE_DEPTH directories.
 * Failure: closed where the walk does not come to an end; open where the
 * workload or its rules are not known.
 */
#include "lib/label.bpf.h"
#include "lib/lsm.bpf.h"
#include "lib/submit.bpf.h"

char _license[] SEC("license") = "GPL";

/* Macros of kernel headers. */
#define RF_FMODE_READ	  0x1
#define RF_FMODE_WRITE	  0x2
#define RF_FMODE_EXEC	  0x20 /* in f_flags: opened by exec; no system call can ask for it */
#define RF_PROT_EXEC	  0x4
#define RF_VM_EXEC	  0x4
#define RF_S_IFMT	  0170000
#define RF_S_IFDIR	  0040000
#define RF_ATTR_MODE	  (1 << 0)
#define RF_ATTR_OWNER	  (1 << 1 | 1 << 2)
#define RF_ATTR_SIZE	  (1 << 3)
#define RF_ATTR_BY_KERNEL (1 << 9 | 1 << 11 | 1 << 12) /* forced, or privileges that a write takes away */

#define RF_FILE(access) (1u << RF_FILE_##access)

/* Where inode_setattr has its dentry: kernels from 6.9 on pass an id map before it. */
const volatile __u32 rf_setattr_has_idmap;

/* Who asks. */
struct rf_file_case {
	__u64 cgroup_id;
	__u64 version;
	__u32 workload;
	enum rf_hook hook;
	__u32 set[RF_TIERS];
};

static __always_inline bool rf_may_be_in_zone(struct file *file)
{
	return rf_may_lie_in(file, rf_config.zone_devices);
}

/* False: nobody with file rules. */
static __always_inline bool rf_file_begin(struct rf_file_case *c, enum rf_hook hook)
{
	struct rf_workload_bank *bank;

	c->hook = hook;
	c->version = RF_READ_ONCE(rf_config.version);
	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, c->version);
	if (c->workload == RF_WORKLOAD_NONE)
		return false;
	rf_hook_seen(hook, c->workload);
	bank = rf_workload_bank(c->workload, c->version);
	if (!bank)
		return false;
	c->set[RF_TIER_ENFORCE] = bank->file_set[RF_TIER_ENFORCE];
	c->set[RF_TIER_AUDIT] = bank->file_set[RF_TIER_AUDIT];
	return c->set[RF_TIER_ENFORCE] || c->set[RF_TIER_AUDIT];
}

static __always_inline __u32 rf_file_denied(__u32 set, __u32 zone)
{
	struct rf_file_key key = { .set = set, .zone = zone };
	__u32 *deny;

	if (!set)
		return 0;
	if (zone == RF_ZONE_UNPLACED)
		return RF_FILE_ALL;
	deny = bpf_map_lookup_elem(&rf_file_map, &key);
	return deny ? *deny : 0;
}

/* Out of line: it is the rare way. */
static __noinline int rf_file_tell(const struct rf_file_case *c, struct dentry *dentry, __u32 zone, __u32 access,
				   __u32 denied)
{
	bool enforced = denied >> 31;
	struct rf_event_file *event;

	rf_count(c->workload, enforced ? RF_COUNTER_FILE_DENY : RF_COUNTER_FILE_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_FILE_DENY, struct rf_event_file, c->workload, c->cgroup_id, true);
	if (!event)
		return 0;
	event->header.verdict = enforced ? RF_DENY : RF_WOULD_DENY;
	event->inode = BPF_CORE_READ(dentry, d_inode, i_ino);
	event->device = BPF_CORE_READ(dentry, d_sb, s_dev);
	event->zone = zone;
	event->access = access;
	event->denied = denied;
	event->tier = enforced ? RF_TIER_ENFORCE : RF_TIER_AUDIT;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	__builtin_memset(event->name, 0, sizeof(event->name));
	if (bpf_probe_read_kernel_str(event->name, sizeof(event->name), BPF_CORE_READ(dentry, d_name.name)) < 0)
		event->name[0] = '\0';
	rf_audit_submit(event);
	return 0;
}

/* A copy is told of: whose address nobody takes, the case itself need not lie in memory until something is denied. */
static __always_inline void rf_file_report(const struct rf_file_case *c, struct dentry *dentry, __u32 zone,
					   __u32 access, __u32 denied)
{
	struct rf_file_case told = *c;

	rf_file_tell(&told, dentry, zone, access, denied);
}

/* True: denied. @needs: all that must be allowed for @access. */
static __always_inline bool rf_file_judge(const struct rf_file_case *c, struct dentry *dentry, __u32 zone, __u32 access,
					  __u32 needs)
{
	__u32 denied;

	if (zone == RF_ZONE_NONE)
		return false;
	if (zone == RF_ZONE_UNPLACED)
		rf_error(c->hook, RF_ERROR_FILE_UNPLACED);
	denied = rf_file_denied(c->set[RF_TIER_ENFORCE], zone) & needs;
	if (denied) {
		rf_file_report(c, dentry, zone, access, denied | 1u << 31);
		return true;
	}
	denied = rf_file_denied(c->set[RF_TIER_AUDIT], zone) & needs;
	if (denied)
		rf_file_report(c, dentry, zone, access, denied);
	return false;
}

/* Of an open file, by how it was opened. */
static __always_inline __u32 rf_file_modes(struct file *file)
{
	__u32 mode = file->f_mode, access = 0;

	if (file->f_flags & RF_FMODE_EXEC)
		return RF_FILE(EXEC);
	if (mode & RF_FMODE_READ)
		access |= RF_FILE(READ);
	if (mode & RF_FMODE_WRITE)
		access |= RF_FILE(WRITE);
	/* For ioctl alone: the kernel wants both rights for it. */
	return access ? access : RF_FILE(READ) | RF_FILE(WRITE);
}

static __always_inline bool rf_file_used(struct file *file, __u32 access, const struct rf_file_case *c)
{
	__u32 zone = rf_zone_of_file(file, c->version, c->hook);

	return rf_file_judge(c, file->f_path.dentry, zone, access, access);
}

SEC("lsm/file_open")
int BPF_PROG(rf_files_open, struct file *file, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	if (!rf_may_be_in_zone(file) || !rf_file_begin(&c, RF_HOOK_FILES_OPEN))
		return 0;
	return rf_lsm_verdict(rf_file_used(file, rf_file_modes(file), &c));
}

SEC("lsm/file_receive")
int BPF_PROG(rf_files_receive, struct file *file, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	if (!rf_may_be_in_zone(file) || !rf_file_begin(&c, RF_HOOK_FILES_RECEIVE))
		return 0;
	return rf_lsm_verdict(rf_file_used(file, rf_file_modes(file), &c));
}

SEC("lsm/mmap_file")
int BPF_PROG(rf_files_mmap, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	/* Most of what is mapped is not to be executed: before it is asked who maps it. */
	if (!(prot & RF_PROT_EXEC) || !file || file->f_flags & RF_FMODE_EXEC || !rf_may_be_in_zone(file) ||
	    !rf_file_begin(&c, RF_HOOK_FILES_MMAP))
		return 0;
	return rf_lsm_verdict(rf_file_used(file, RF_FILE(MMAP), &c));
}

SEC("lsm/mmap_backing_file")
int BPF_PROG(rf_files_backing, struct vm_area_struct *vma, struct file *backing, struct file *user, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	if (!(vma->vm_flags & RF_VM_EXEC) || user->f_flags & RF_FMODE_EXEC || !rf_may_be_in_zone(backing) ||
	    !rf_file_begin(&c, RF_HOOK_FILES_BACKING))
		return 0;
	return rf_lsm_verdict(rf_file_used(backing, RF_FILE(MMAP), &c));
}

/* Of a file that the hook was not given itself: without what is remembered. */
static __always_inline bool rf_file_mapped(struct file *file, struct rf_file_case *c)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || BPF_CORE_READ(file, f_flags) & RF_FMODE_EXEC)
		return false;
	return rf_file_judge(c, dentry, rf_zone_walk(dentry, inode, c->version & 1), RF_FILE(MMAP), RF_FILE(MMAP));
}

SEC("lsm/file_mprotect")
int BPF_PROG(rf_files_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot, int ret)
{
	struct rf_file_case c;
	struct file *file;

	if (ret)
		return ret;
	if (!(prot & RF_PROT_EXEC) || !rf_file_begin(&c, RF_HOOK_FILES_MPROTECT))
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	return rf_lsm_verdict(file && rf_file_mapped(file, &c));
}

/* @dentry is the new name. */
static __always_inline bool rf_file_made(struct dentry *dentry, enum rf_hook hook)
{
	struct rf_file_case c;

	if (!rf_file_begin(&c, hook))
		return false;
	return rf_file_judge(&c, dentry, rf_zone_of(dentry->d_parent, c.version), RF_FILE(CREATE), RF_FILE(CREATE));
}

SEC("lsm/inode_create")
int BPF_PROG(rf_files_create, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_made(dentry, RF_HOOK_FILES_CREATE));
}

SEC("lsm/inode_mkdir")
int BPF_PROG(rf_files_mkdir, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_made(dentry, RF_HOOK_FILES_MKDIR));
}

SEC("lsm/inode_mknod")
int BPF_PROG(rf_files_mknod, struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_made(dentry, RF_HOOK_FILES_MKNOD));
}

SEC("lsm/inode_symlink")
int BPF_PROG(rf_files_symlink, struct inode *dir, struct dentry *dentry, const char *to, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_made(dentry, RF_HOOK_FILES_SYMLINK));
}

/* What is there already, by its name. */
static __always_inline bool rf_file_changed(struct dentry *dentry, __u32 access, enum rf_hook hook)
{
	struct rf_file_case c;

	if (!rf_file_begin(&c, hook) || !access)
		return false;
	return rf_file_judge(&c, dentry, rf_zone_of(dentry, c.version), access, access);
}

SEC("lsm/inode_unlink")
int BPF_PROG(rf_files_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(DELETE), RF_HOOK_FILES_UNLINK));
}

SEC("lsm/inode_rmdir")
int BPF_PROG(rf_files_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(DELETE), RF_HOOK_FILES_RMDIR));
}

/* A name of @dentry's file comes to be in @into. @access is rename or link. True: denied. */
static __always_inline bool rf_file_placed(const struct rf_file_case *c, struct dentry *dentry, struct dentry *fresh,
					   __u32 access)
{
	__u32 from = rf_zone_of(dentry, c->version), to = rf_zone_of(fresh->d_parent, c->version), needs = access;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	/*
	 * Where a zone begins at the file itself, another name of it is in the zone as well. Renamed it would be, too,
	 * until the daemon looks for its path again.
	 */
	if (from != to &&
	    (access != RF_FILE(LINK) || from != rf_zone_at(inode, BPF_CORE_READ(inode, i_sb, s_dev), c->version)))
		needs = RF_FILE_ALL;
	if (rf_file_judge(c, dentry, from, access, needs))
		return true;
	return from != to && rf_file_judge(c, fresh, to, RF_FILE(CREATE), RF_FILE(CREATE));
}

SEC("lsm/inode_rename")
int BPF_PROG(rf_files_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	if (rf_file_begin(&c, RF_HOOK_FILES_RENAME)) {
		if (rf_file_placed(&c, old_dentry, new_dentry, RF_FILE(RENAME)))
			return -RF_EPERM;
		if (new_dentry->d_inode &&
		    rf_file_judge(&c, new_dentry, rf_zone_of(new_dentry, c.version), RF_FILE(DELETE), RF_FILE(DELETE)))
			return -RF_EPERM;
	}
	/* Whoever moves it. */
	if (old_dir != new_dir && (BPF_CORE_READ(old_dentry, d_inode, i_mode) & RF_S_IFMT) == RF_S_IFDIR)
		rf_zones_forget();
	return 0;
}

SEC("lsm/inode_link")
int BPF_PROG(rf_files_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry, int ret)
{
	struct rf_file_case c;

	if (ret)
		return ret;
	if (!rf_file_begin(&c, RF_HOOK_FILES_LINK))
		return 0;
	return rf_lsm_verdict(rf_file_placed(&c, old_dentry, new_dentry, RF_FILE(LINK)));
}

static __always_inline __u32 rf_setattr_access(__u32 valid)
{
	__u32 access = 0;

	if (valid & RF_ATTR_MODE && !(valid & RF_ATTR_BY_KERNEL))
		access |= RF_FILE(CHMOD);
	if (valid & RF_ATTR_OWNER)
		access |= RF_FILE(CHOWN);
	if (valid & RF_ATTR_SIZE)
		access |= RF_FILE(WRITE);
	return access;
}

static __always_inline int rf_setattr(struct dentry *dentry, struct iattr *attr, int ret)
{
	if (ret)
		return ret;
	return rf_lsm_verdict(rf_file_changed(dentry, rf_setattr_access(attr->ia_valid), RF_HOOK_FILES_SETATTR));
}

SEC("lsm/inode_setattr")
int rf_files_setattr(unsigned long long *ctx)
{
	/* The verifier leaves out the way that this kernel does not take. */
	if (rf_setattr_has_idmap)
		return rf_setattr((void *)ctx[1], (void *)ctx[2], ctx[3]);
	return rf_setattr((void *)ctx[0], (void *)ctx[1], ctx[2]);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(rf_files_setxattr, void *idmap, struct dentry *dentry, const char *name, const void *value, size_t size,
	     int flags, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(XATTR), RF_HOOK_FILES_SETXATTR));
}

SEC("lsm/inode_removexattr")
int BPF_PROG(rf_files_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(XATTR), RF_HOOK_FILES_RMXATTR));
}

SEC("lsm/inode_set_acl")
int BPF_PROG(rf_files_set_acl, void *idmap, struct dentry *dentry, const char *name, struct posix_acl *acl, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(XATTR), RF_HOOK_FILES_SET_ACL));
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(rf_files_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(dentry, RF_FILE(XATTR), RF_HOOK_FILES_RM_ACL));
}

SEC("lsm/sb_mount")
int BPF_PROG(rf_files_mount, const char *device, const struct path *path, const char *type, unsigned long flags,
	     void *data, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(path->dentry, RF_FILE(MOUNT), RF_HOOK_FILES_MOUNT));
}

SEC("lsm/move_mount")
int BPF_PROG(rf_files_move_mount, const struct path *from, const struct path *to, int ret)
{
	return ret ? ret : rf_lsm_verdict(rf_file_changed(to->dentry, RF_FILE(MOUNT), RF_HOOK_FILES_MOVE));
}

/* A mark on a mount or a file system may tell of any tree there. */
SEC("lsm/path_notify")
int BPF_PROG(rf_files_notify, const struct path *path, __u64 mask, unsigned int type, int ret)
{
	struct dentry *dentry = path->dentry;
	struct rf_file_case c;
	__u32 zone;

	if (ret)
		return ret;
	if (!rf_file_begin(&c, RF_HOOK_FILES_NOTIFY))
		return 0;
	zone = type == FSNOTIFY_OBJ_TYPE_INODE ? rf_zone_of(dentry, c.version) : RF_ZONE_UNPLACED;
	return rf_lsm_verdict(rf_file_judge(&c, dentry, zone, RF_FILE(READ), RF_FILE(READ)));
}

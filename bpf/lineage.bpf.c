// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data lineage: what workloads read of labelled trees, and what those that did
 * write. Attached while there is a label.
 *
 * hook                 counts
 * rw_verify_area       what is read or written by whatever call: read, pread, readv, io_uring, aio, exec, splice
 * vm_mmap_pgoff        what is mapped
 * do_sendfile, do_splice_direct, vfs_copy_file_range, vfs_clone_file_range    what the kernel copies itself
 * vfs_rename, vfs_link what is given a name in a labelled tree
 *
 * The first two are asked before anything is moved or mapped. Of a read they know
 * how many bytes there are up to the end of the file; of a write, how many were meant;
 * what is denied at a later moment counts as it was meant. While
 * the kernel copies it is asked more than once for the same bytes, so what a
 * task copies is counted by what came of it, at the end.
 *
 * No hook decides. Bound: four lookups; of a file that was not met lately a walk
 * up to RF_MAX_FILE_DEPTH directories, of a row that is new one of
 * RF_PATH_STEPS. Failure: open, nothing is denied; what is lost is counted.
 */
#include "lib/lineage.bpf.h"

char _license[] SEC("license") = "GPL";

/* Macros of kernel headers. */
#define RF_WRITE      1
#define RF_MAP_SHARED 0x01
#define RF_PROT_WRITE 0x2
#define RF_PAGE_SHIFT 12

/* Of @count bytes from @position on, those that a file has. */
static __always_inline __u64 rf_there(struct file *file, __u64 position, __u64 count)
{
	__u64 size = file->f_inode->i_size;

	if (position >= size)
		return 0;
	return count < size - position ? count : size - position;
}

/* At its beginning, which is cheaper than its end. */
SEC("fentry/rw_verify_area")
int BPF_PROG(rf_lineage_io, int read_write, struct file *file, const loff_t *ppos, size_t count)
{
	struct rf_lineage_deed deed = {};
	struct rf_lineage_case c;
	loff_t position = 0;

	if (read_write != RF_WRITE && !rf_may_be_labelled(file))
		return 0;
	if (!rf_lineage_begin(&c, RF_HOOK_LINEAGE_IO) || !rf_is_regular(file))
		return 0;
	if (read_write == RF_WRITE) {
		deed.written = count;
	} else {
		if (ppos)
			bpf_probe_read_kernel(&position, sizeof(position), ppos);
		deed.read = rf_there(file, position, count);
	}
	rf_lineage_file(&c, file, &deed);
	return 0;
}

SEC("fentry/vm_mmap_pgoff")
int BPF_PROG(rf_lineage_mmap, struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flag, unsigned long pgoff)
{
	bool shared = flag & RF_MAP_SHARED && prot & RF_PROT_WRITE;
	struct rf_lineage_deed deed = {};
	struct rf_lineage_case c;

	if (!file || (!shared && !rf_may_be_labelled(file)) || !rf_lineage_begin(&c, RF_HOOK_LINEAGE_MMAP) ||
	    !rf_is_regular(file))
		return 0;
	deed.mapped = rf_there(file, (__u64)pgoff << RF_PAGE_SHIFT, len);
	if (shared)
		deed.shared = deed.mapped;
	rf_lineage_file(&c, file, &deed);
	return 0;
}

/* What was copied; each end is one file's row. */
static __always_inline void rf_lineage_copied(struct rf_lineage_case *c, struct file *in, struct file *out, __s64 bytes)
{
	struct rf_lineage_deed read = { .read = bytes }, written = { .written = bytes };

	if (bytes <= 0)
		return;
	c->copied = true;
	if (rf_is_regular(in))
		rf_lineage_file(c, in, &read);
	if (rf_is_regular(out))
		rf_lineage_file(c, out, &written);
}

SEC("fentry/do_sendfile")
int BPF_PROG(rf_lineage_sendfile)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_SENDFILE))
		rf_copy_set(&c, RF_COPY_SENDFILE);
	return 0;
}

SEC("fexit/do_splice_direct")
int BPF_PROG(rf_lineage_splice, struct file *in, loff_t *ppos, struct file *out, loff_t *opos, size_t len,
	     unsigned int flags, ssize_t ret)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_SPLICE) && rf_copy_get() == RF_COPY_SENDFILE)
		rf_lineage_copied(&c, in, out, ret);
	return 0;
}

SEC("fexit/do_sendfile")
int BPF_PROG(rf_lineage_sent)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_SENT))
		rf_copy_set(&c, RF_COPY_NONE);
	return 0;
}

SEC("fentry/vfs_copy_file_range")
int BPF_PROG(rf_lineage_copy)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_COPY))
		rf_copy_set(&c, RF_COPY_RANGE);
	return 0;
}

SEC("fexit/vfs_copy_file_range")
int BPF_PROG(rf_lineage_copied_range, struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, size_t len,
	     unsigned int flags, ssize_t ret)
{
	struct rf_lineage_case c;

	if (!rf_lineage_begin(&c, RF_HOOK_LINEAGE_COPIED))
		return 0;
	rf_copy_set(&c, RF_COPY_NONE);
	rf_lineage_copied(&c, in, out, ret);
	return 0;
}

SEC("fexit/vfs_clone_file_range")
int BPF_PROG(rf_lineage_clone, struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len,
	     unsigned int flags, loff_t ret)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_CLONE))
		rf_lineage_copied(&c, in, out, ret);
	return 0;
}

/* @dentry has its name by now. */
static __always_inline void rf_lineage_placed(struct rf_lineage_case *c, struct dentry *dentry)
{
	struct rf_lineage_deed deed = { .changes = 1 };
	__u64 label = rf_label_of(rf_zone_of(dentry, c->version), c->version);

	if (label)
		rf_lineage_note(c, label, dentry, NULL, &deed);
}

/* Not all kernels have the directories in the same members; the name is in the same. */
SEC("fexit/vfs_rename")
int BPF_PROG(rf_lineage_rename, struct renamedata *rd, int ret)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_RENAME) && !ret)
		rf_lineage_placed(&c, BPF_CORE_READ(rd, old_dentry));
	return 0;
}

SEC("fexit/vfs_link")
int BPF_PROG(rf_lineage_link, struct dentry *old_dentry, void *idmap, struct inode *dir, struct dentry *new_dentry,
	     struct inode **delegated, int ret)
{
	struct rf_lineage_case c;

	if (rf_lineage_begin(&c, RF_HOOK_LINEAGE_LINK) && !ret)
		rf_lineage_placed(&c, new_dentry);
	return 0;
}

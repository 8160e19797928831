/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: whole reads with a bound, atomic writes, directories. 0 or a negative errno. */
#ifndef RF_LIB_FS_H
#define RF_LIB_FS_H

#include <stdint.h>
#include <sys/types.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

/*
 * Reads all of @path (relative to @dirfd, AT_FDCWD for none) into a new NUL-terminated buffer.
 * -EFBIG when it holds more than @max bytes. Works on /proc and /sys. Regular files, or what procfs gives: a FIFO or
 * device is refused with -EINVAL (opened non-blocking, so that it cannot hang).
 */
int rf_fs_read(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len);
/* Writes beside the target, fsyncs, renames over it, fsyncs the directory. */
int rf_fs_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode);
/* One write() to an existing file (cgroup and sysctl files). */
int rf_fs_write_control(int dirfd, const char *path, const char *value);
/* The number of a device of stat(), as the kernel has it inside, in mountinfo and in the maps of programs. */
uint32_t rf_fs_kernel_device(dev_t device);
/* mkdir -p; what exists is kept. */
int rf_fs_mkdir_p(const char *path, mode_t mode);
/* rm -r of what @path names, never following a symbolic link, never crossing a mount. 0 when absent. */
int rf_fs_remove_tree(const char *path);
/* Sorted names of the directory's entries (no "." or ".."); at most @max, else -E2BIG. Free with rf_fs_names_free(). */
int rf_fs_list(int dirfd, const char *path, size_t max, char ***ret_names, size_t *ret_n);
void rf_fs_names_free(char **names, size_t n);
/* cgroup id of a cgroup v2 directory (its file handle, which is its inode number on 64-bit). */
int rf_fs_cgroup_id(int dirfd, const char *path, unsigned long long *ret_id);

#endif

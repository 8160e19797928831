// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A descriptor with O_PATH asks the file system nothing, and statx() says by it
 * which mount it is of without asking either; what is opened then is that file,
 * whatever the process maps there meanwhile.
 */
#include "user/daemon/library_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define INIT 1

/* Not the layers of an overlay that a process may have mounted itself. */
static int mount_check(const struct rf_library_files *f, const struct rf_mount_point *mount, const char **ret_why)
{
	const char *type;

	if (!mount) {
		*ret_why = "the mount that it is on cannot be told";
		return -ENOTSUP;
	}
	if (rf_mount_is_local(mount->type))
		return 0;
	type = rf_streq(mount->type, "overlay") ? rf_mounts_type(&f->host, mount->device) : NULL;
	if (type && rf_streq(type, "overlay"))
		return 0;
	*ret_why = rf_streq(mount->type, "overlay") ?
			   "it lies on an overlay that is not among the host's mounts" :
			   "it lies in a file system that a program or a server serves (FUSE, NFS, ...)";
	return -ENOTSUP;
}

int rf_library_open(struct rf_library_files *f, pid_t pid, int at, const char **ret_why)
{
	_cleanup_(rf_mounts_fini) struct rf_mounts own = { 0 };
	const struct rf_mount_point *mount;
	char path[32];
	struct statx st;
	int r, fd;

	if (statx(at, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &st) < 0)
		return -errno;
	if (!S_ISREG(st.stx_mode))
		return -EINVAL;
	if (!f->known) {
		r = rf_mounts_read(INIT, &f->host);
		if (r < 0)
			return r;
		f->known = true;
	}
	r = rf_mounts_read(pid, &own);
	if (r < 0)
		return r;
	mount = rf_mounts_find(&own, st.stx_mnt_id);
	r = mount_check(f, mount ? mount : rf_mounts_find(&f->host, st.stx_mnt_id), ret_why);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void rf_library_files_forget(struct rf_library_files *f)
{
	rf_mounts_fini(&f->host);
	f->known = false;
}

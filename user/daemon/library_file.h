/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what a process has mapped, where nobody can make the daemon wait for
 * it: the file system that it is on is looked at before it is asked anything.
 */
#ifndef RF_DAEMON_LIBRARY_FILE_H
#define RF_DAEMON_LIBRARY_FILE_H

#include "user/collect/mountinfo.h"

struct rf_library_files {
	struct rf_mounts host; /* as the host's first process sees them */
	bool known;
};

/*
 * A descriptor to read what @at is, which has O_PATH, and which @pid has mapped. -ENOTSUP, and @ret_why (of static
 * storage): it is on a file system that a server or a program serves, or on an overlay that the host knows nothing of,
 * whose layers may be. Another negative errno.
 */
int rf_library_open(struct rf_library_files *f, pid_t pid, int at, const char **ret_why);
/* The host's mounts are read again when they are needed. */
void rf_library_files_forget(struct rf_library_files *f);

#endif

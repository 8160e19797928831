/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where cgroup v2 is mounted. */
#ifndef RF_COLLECT_MOUNTINFO_H
#define RF_COLLECT_MOUNTINFO_H

#include <stddef.h>

/*
 * Pure, over the text of /proc/<pid>/mountinfo: a cgroup2 mount of the whole hierarchy that no other mount covers;
 * /sys/fs/cgroup is preferred, then /sys/fs/cgroup/unified, then the first. -ENOENT: none. A line that is not one is
 * passed over. Caller frees.
 */
int rf_cgroup2_mount_parse(const char *text, size_t len, char **ret);
/* The same for this process. */
int rf_cgroup2_mount_find(char **ret);

#endif

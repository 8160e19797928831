/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start-up walk over the cgroups that exist already. */
#ifndef RF_COLLECT_CGROUP_SCAN_H
#define RF_COLLECT_CGROUP_SCAN_H

#include <stdint.h>

#define RF_CGROUP_SCAN_MAX (1024 * 1024) /* directories, far above RF_MAX_CGROUPS: what bounds a hostile tree */

/*
 * Calls @fn for every directory below @root_fd (the root itself is not among them), a parent before its children; @path
 * is relative to the root and starts with '/'. A directory that vanishes meanwhile is passed over; symbolic links and
 * other mounts are not entered. Events of cgroups made meanwhile are the caller's: attach first, scan second.
 *
 * Ends with what @fn returned when that is not 0. What cannot be visited does not end the walk but is its result, the
 * first of: -ENAMETOOLONG (a path past PATH_MAX), or the errno of a directory that could not be read. -E2BIG past
 * RF_CGROUP_SCAN_MAX, which does end it.
 */
int rf_cgroup_scan(int root_fd, int (*fn)(uint64_t id, uint64_t parent_id, const char *path, void *arg), void *arg);

#endif

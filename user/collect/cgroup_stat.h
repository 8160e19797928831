/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a cgroup holds and has used, from its own files: for the command line
 * and small hosts, and where no BPF iterator can tell all at once.
 */
#ifndef RF_COLLECT_CGROUP_STAT_H
#define RF_COLLECT_CGROUP_STAT_H

#include <stdint.h>

#include "user/model/snapshot.h"

/* Each RF_UNKNOWN where its controller is off here, as in the root. */
struct rf_cgroup_stat {
	uint64_t tasks;	       /* threads, with everything below; without the pids controller: own processes alone */
	uint64_t cpu_usec;     /* with everything below */
	uint64_t memory_bytes; /* with everything below */
};

/* @path is relative to @root_fd and starts with '/'. -ENOENT: no such cgroup (it may just have gone). -EBADMSG. */
int rf_cgroup_stat_read(int root_fd, const char *path, struct rf_cgroup_stat *ret);

#endif

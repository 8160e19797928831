/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries of accelerators that workloads have mapped, in whatever mount
 * namespace: those of workloads that ask for it are probed while a process of
 * theirs has them (spec.accelerators.userModeSubmission).
 */
#ifndef RF_DAEMON_LIBRARIES_H
#define RF_DAEMON_LIBRARIES_H

#include "user/daemon/library_file.h"
#include "user/daemon/library_reader.h"
#include "user/daemon/registry.h"

struct rf_library;
struct rf_library_process;

struct rf_libraries {
	struct rf_library *list; /* n */
	size_t n;
	struct rf_hashmap *processes;	 /* pid -> what it has mapped, owned */
	struct rf_library_process *pids; /* of this round, n_pids; looked at up to @at */
	size_t n_pids, at;
	uint64_t round;
	uint8_t late[RF_MAX_WORKLOADS / 8]; /* one of theirs kept something from being read in this round */
	struct rf_library_files files;
	struct rf_library_reader reader;
	uint32_t refused[16]; /* devices of file systems that were told of; the last ones of n_refused */
	size_t n_refused;
	bool settled, full_told;
};

/* Once a second; looks at some of the processes, and at all of them in a round. */
void rf_libraries_tick(struct rf_libraries *l, struct rf_registry *r);
void rf_libraries_stop(struct rf_libraries *l);

#endif

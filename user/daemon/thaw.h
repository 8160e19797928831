/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process that thaws what the daemon does not: all that is frozen when
 * the daemon dies, and what is frozen for longer than was meant, for a daemon
 * that hangs dies late or never.
 *
 * Invariant: nothing is frozen that is not in the child's book.
 */
#ifndef RF_DAEMON_THAW_H
#define RF_DAEMON_THAW_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#define RF_THAW_MAX 256 /* frozen at a time */

/* So that a note fits into a pipe's one write. */
#define RF_THAW_PATH (PATH_MAX - 8)

struct rf_thaw_note;

struct rf_thaw {
	int root; /* borrowed; paths are below it */
	int pipe; /* to the child; -1: there is none yet */
	pid_t pid;
	struct rf_thaw_note *book; /* RF_THAW_MAX, as the child has them */
};

int rf_thaw_start(struct rf_thaw *t, int root);
/*
 * Before @path, a cgroup.freeze, is written: at @until_ns (CLOCK_MONOTONIC) and RF_CALL_THAW_GRACE_NS the child thaws
 * it. -ENOSPC, or why there is no child: then nothing may be frozen. A child that died or hangs is replaced.
 */
int rf_thaw_note(struct rf_thaw *t, const char *path, uint64_t until_ns);
/* After it has been thawed, or where it could not be frozen. */
void rf_thaw_forget(struct rf_thaw *t, const char *path);
/* What is in the book is thawed. */
void rf_thaw_stop(struct rf_thaw *t);

#endif

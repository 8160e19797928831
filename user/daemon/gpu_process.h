/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A helper as a process: started with a pipe as its standard output, killed, and waited for without waiting. */
#ifndef RF_DAEMON_GPU_PROCESS_H
#define RF_DAEMON_GPU_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "user/lib/cleanup.h"

/* @argv[0] is its path. @in: what it reads, -1: nothing. @ret_fd: what it writes, not blocking. */
int rf_helper_start(char *const argv[], int in, pid_t *ret_pid, int *ret_fd);
/* Has @pid ended? Then it is no process of ours any more, and @ret_status is what wait(2) says. */
bool rf_helper_ended(pid_t pid, int *ret_status);
/* Where a helper of that name lies: beside the daemon's program, or where it is installed. NULL: nowhere. */
char *rf_helper_find(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the threads of a process, and of those that it has begun (a loader of
 * data), wait for: a connection that it opened itself to somewhere else, or a
 * server of files (NFS), is the network. One that another opened is not: who
 * waits on that waits for its users. Of what waits by poll(), select(), epoll or
 * io_uring, nothing is said: on what, stands in its memory, and who reads that
 * may have to wait for it (a page of a file that a program serves).
 */
#ifndef RF_COLLECT_TASK_WAIT_H
#define RF_COLLECT_TASK_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/collect/socket_table.h"

#define RF_TASK_WAIT_THREADS   32 /* of a process: those that began first */
#define RF_TASK_WAIT_CHILDREN  8  /* likewise: of its first thread */
/*
 * What looks may take together: bytes read, and for each file as much as RF_TASK_WAIT_FILE more, of a table of sockets
 * RF_TASK_WAIT_TABLE: it costs a millisecond to walk the host's sockets, however few are of the namespace.
 */
#define RF_TASK_WAIT_ROOM      (1U << 20)
#define RF_TASK_WAIT_FILE      512U
#define RF_TASK_WAIT_TABLE     (1U << 17)
#define RF_TASK_WAIT_TABLE_MAX (1U << 18) /* some 1,700 sockets; of what is not in so much, nothing is said */
#define RF_TASK_WAIT_SEEN      64

enum rf_task_wait { RF_TASK_WAIT_OTHER, RF_TASK_WAIT_NETWORK, RF_TASK_WAIT_RUNS };

struct rf_task_call {
	bool runs;   /* or would, had it a processor */
	long number; /* of the call it is blocked in; -1: none, or none that can be told */
	uint32_t fd; /* its first argument */
};

/* What looks share. */
struct rf_task_waits {
	struct rf_port_range given;
	size_t room; /* left */
	/* What tables said of sockets, at the place that an inode gives; its owner forgets it now and then. */
	struct {
		uint64_t inode;
		bool opened;
	} seen[RF_TASK_WAIT_SEEN];
};

/* Pure: of /proc/PID/task/TID/children, or its beginning: as many as @max; how many. */
size_t rf_task_children_parse(const char *text, size_t len, pid_t *ret, size_t max);
/* Pure: of /proc/PID/task/TID/syscall. -EBADMSG; @ret untouched. */
int rf_task_call_parse(const char *text, size_t len, struct rf_task_call *ret);
/* Pure: does it send, receive or connect, if its descriptor is a socket? */
bool rf_task_call_is_socket(const struct rf_task_call *call);
/* Pure: of wchan; what the name of the function says where a thread sleeps. */
bool rf_task_sleeps_for_files(const char *function);
bool rf_task_is_stopped(const char *function);

/*
 * OTHER where no thread of them runs and none waits for the network. -ESRCH: the process is gone; -ENOBUFS: there is no
 * room any more; another negative errno: it cannot be told. @ret untouched then.
 */
int rf_task_wait_look(struct rf_task_waits *waits, pid_t pid, enum rf_task_wait *ret);

#endif

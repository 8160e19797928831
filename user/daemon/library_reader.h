/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what a process has mapped, by a child. Both of the kernel's files that
 * tell it take the lock of the process's memory, which one of its threads may
 * hold for as long as it likes (a page of a file that it serves itself): who
 * waits for that is killed, and the daemon goes on.
 */
#ifndef RF_DAEMON_LIBRARY_READER_H
#define RF_DAEMON_LIBRARY_READER_H

#include <stddef.h>
#include <sys/types.h>

#include "user/collect/process_maps.h"
#include "user/daemon/child.h"

#define RF_LIBRARY_READER_MAX	  (16 * 1024 * 1024) /* bytes of a list of mappings */
#define RF_LIBRARY_READER_WAIT_MS 50 /* then it is looked whether it waits, or has had no processor yet */
#define RF_LIBRARY_READER_LOOKS	  40

/* All 0: there is no child yet. */
struct rf_library_reader {
	struct rf_child child;
	int memory;   /* where it leaves what it has read */
	size_t kills; /* so far */
};

/* -ETIMEDOUT: it had to wait; -EBUSY: the one that did is not gone yet. Another negative errno. Caller frees @ret. */
int rf_library_reader_maps(struct rf_library_reader *r, pid_t pid, char **ret, size_t *ret_len);
/* A descriptor with O_PATH of what is mapped there; likewise. */
int rf_library_reader_open(struct rf_library_reader *r, pid_t pid, const struct rf_process_map *map);
void rf_library_reader_stop(struct rf_library_reader *r);

#endif

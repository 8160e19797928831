/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Libraries of accelerators that are probed: what the two that find them, and places in them, share. */
#ifndef RF_DAEMON_LIBRARY_H
#define RF_DAEMON_LIBRARY_H

#include "user/daemon/libraries.h"

struct rf_library {
	uint64_t device, inode;
	uint64_t told_inode; /* as sites have it, and its device; 0: there was none yet */
	uint32_t told_device;
	uint32_t workload; /* who had it first */
	uint64_t seen;	   /* round */
	char name[48];
	bool failed; /* told, and not tried again */
};

struct rf_library_process {
	pid_t pid;
	uint32_t workload;
};

/* What is looked at now. */
struct rf_library_look {
	struct rf_libraries *l;
	struct rf_engine *e;
	struct rf_library_process process;
	uint64_t until_ns;
};

/* NULL: there is none. */
struct rf_library *rf_library_find(const struct rf_libraries *l, uint64_t device, uint64_t inode);
/* The library that @fd is, probed; NULL: it is no file that can be. */
struct rf_library *rf_library_get(struct rf_library_look *look, int fd, const char *path);
/* One more function of it. */
void rf_library_probe(struct rf_library_look *look, struct rf_library *library, int fd,
		      const struct rf_call_probe *probe);
bool rf_library_is_told_of(const struct rf_library *library, const struct rf_call_site *site);

/* Of what @at is, which has O_PATH; @device is 0 where it is not known. -1: it cannot be read, or is not. */
int rf_library_file_open(struct rf_library_look *look, int at, uint32_t device, const char *path);
/* Likewise, of what the process that is looked at has mapped. -EAGAIN: it keeps that from being read now. */
int rf_library_mapped_open(struct rf_library_look *look, const struct rf_process_map *map, const char *path);

/* Looks at what programs were told where functions are, since the last time. */
void rf_library_sites_look(struct rf_library_look *look);

#endif

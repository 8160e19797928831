/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process has mapped: lines of /proc/<pid>/maps (Documentation/filesystems/proc.rst, 1.1). */
#ifndef RF_COLLECT_PROCESS_MAPS_H
#define RF_COLLECT_PROCESS_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/lib/span.h"

struct rf_process_map {
	uint64_t start, end, offset; /* @offset: in the file */
	uint64_t inode;
	uint32_t device; /* major << 20 | minor: of the file system that is mapped, which may be one below what stat()
			    says */
	bool executable;
	struct rf_span path; /* as it stands there: "\012" for a newline, " (deleted)" behind what was unlinked */
};

/* Pure: takes the next line that is one off @text, and passes over what is none. False: there is no more. */
bool rf_process_maps_next(struct rf_span *text, struct rf_process_map *ret);

/* The link to what is mapped there, whatever mount namespace and name it has. 64 bytes will do. */
void rf_process_map_link(pid_t pid, const struct rf_process_map *map, char *ret, size_t size);

#endif

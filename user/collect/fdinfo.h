/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a DRM driver tells of an open file: /proc/PID/fdinfo/FD, whose keys are
 * in the kernel's Documentation/gpu/drm-usage-stats.rst.
 */
#ifndef RF_COLLECT_FDINFO_H
#define RF_COLLECT_FDINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_FDINFO_NAME 32

struct rf_fdinfo {
	char driver[RF_FDINFO_NAME]; /* "": it is no file of a DRM driver */
	char pdev[RF_FDINFO_NAME];   /* "": not told */
	bool has_client;
	uint64_t client; /* one for all descriptors of an open file */
	/* Sums over engines; what engines there are is the driver's matter. */
	unsigned int engines; /* that told their time */
	uint64_t engine_ns;
	unsigned int counters; /* that told their cycles */
	uint64_t cycles, total_cycles;
	/* Sums over regions, in bytes; of a region that is told by its old name alone, by that. */
	unsigned int regions;
	uint64_t resident;
	unsigned int skipped; /* lines of these keys that make no sense, or regions for which there is no room */
};

/* Pure and total: any text gives some answer. */
void rf_fdinfo_parse(const char *text, size_t len, struct rf_fdinfo *ret);

/*
 * Opens it below @proc ("/proc"). The descriptor is of that process and of no later one with its number, and of
 * whatever the process has open under @fd when it is read.
 */
int rf_fdinfo_open(const char *proc, uint32_t tgid, uint32_t fd);
/* -ESRCH, -ENOENT: the process, or what it had open there, is gone. */
int rf_fdinfo_read(int fd, struct rf_fdinfo *ret);

#endif

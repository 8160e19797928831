/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure stall information of a cgroup: cpu.pressure, io.pressure (Documentation/accounting/psi.rst). */
#ifndef RF_COLLECT_PRESSURE_H
#define RF_COLLECT_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

/* Pure: the total of the line "some", in ns. -EBADMSG; @ret untouched. */
int rf_pressure_parse(const char *text, size_t len, uint64_t *ret);
/* Of @file in the cgroup @path, which is relative to @root_fd and starts with '/'. Where there is none, -ENOENT. */
int rf_pressure_read(int root_fd, const char *path, const char *file, uint64_t *ret);

#endif

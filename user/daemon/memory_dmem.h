/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits of memory_limits.h that the kernel keeps by its dmem controller, and what both files use. */
#ifndef RF_DAEMON_MEMORY_DMEM_H
#define RF_DAEMON_MEMORY_DMEM_H

#include "user/daemon/memory_limits.h"

/* Sets what @c should have, and takes away what it should not; its limits of that method say so. */
void rf_memory_dmem_look(struct rf_memory_limits *m, struct rf_memory_cgroup *c);

/* ---- memory_limits.c ---- */

/* What should be set for it. */
uint64_t rf_memory_wanted(const struct rf_memory_cgroup *c);
/* Is there a limit of ours, by that name of a region or a device? */
bool rf_memory_has_claim(const struct rf_memory_cgroup *c, const char *name);
/* What could not be done is counted, and told where it is another failure than the last. */
void rf_memory_fail(struct rf_memory_limits *m, enum rf_memory_method method, const struct rf_memory_cgroup *c,
		    int error);
/* So that the next daemon knows what is ours. */
void rf_memory_claims_keep(struct rf_memory_limits *m, const struct rf_memory_cgroup *c);

#endif

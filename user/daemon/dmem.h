/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the kernel's dmem controller, and what is kept with a cgroup of
 * the limits that we have set for it: an extended attribute, which is gone when
 * the cgroup is. @root is the directory of the v2 hierarchy, a path begins with
 * '/' and is below it.
 */
#ifndef RF_DAEMON_DMEM_H
#define RF_DAEMON_DMEM_H

#include "user/model/memory_limit.h"

#define RF_DMEM_CLAIMS "trusted.ringfence.memory"

/* What devices have. -ENOENT: this kernel has no such controller, or it is not to be used here. */
int rf_dmem_capacity(int root, struct rf_dmem *ret);
/* @file of a cgroup: "dmem.max", "dmem.current". -ENOENT: it is not enabled for that cgroup. */
int rf_dmem_read(int root, const char *path, const char *file, struct rf_dmem *ret);
/* Has the controller work for it, in all that it is in. -EBUSY: there are processes in one of those. */
int rf_dmem_enable(int root, const char *path);
int rf_dmem_write(int root, const char *path, const char *region, uint64_t bytes);

/* None: 0, and none is returned. */
int rf_dmem_claims_load(int root, const char *path, struct rf_memory_claims *ret);
int rf_dmem_claims_store(int root, const char *path, const struct rf_memory_claims *claims);

#endif

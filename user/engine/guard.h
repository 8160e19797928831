/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock on ourselves; include/ringfence/guard_map.h says what it is. */
#ifndef RF_ENGINE_GUARD_H
#define RF_ENGINE_GUARD_H

#include "ringfence/guard_map.h"
#include "user/engine/engine.h"

/*
 * Before the engine is made: what an earlier daemon locked lets this process through, or is open for @open_ns. 1; 0
 * where nothing is locked; -EACCES: the token is not the one that locked.
 */
int rf_guard_claim(const char *bpffs, const uint8_t token[static RF_GUARD_TOKEN], uint64_t open_ns);

/*
 * Locks, or says anew what is ours: after every change of links, maps and programs. The hooks are asked for like those
 * of policies, see RF_SECTION_GUARD. @cgroup_mount: where cgroup v2 is mounted. -ENOTSUP: no BPF LSM runs here.
 */
int rf_engine_lock(struct rf_engine *e, const char *cgroup_mount, const uint8_t token[static RF_GUARD_TOKEN],
		   char **ret_error);
/* Open for so long; 0: locked again now. -ENOENT: it was not locked. */
int rf_engine_lock_open(struct rf_engine *e, uint64_t open_ns);
/* For good: also what an earlier daemon left locked and was claimed. */
int rf_engine_unlock(struct rf_engine *e);
/* As in struct rf_guard_row. */
int rf_engine_guard_get(const struct rf_engine *e, struct rf_guard_row *ret);

#endif

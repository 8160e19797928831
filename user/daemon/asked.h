/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hooks the workloads of a plan ask for. */
#ifndef RF_DAEMON_ASKED_H
#define RF_DAEMON_ASKED_H

#include "user/daemon/registry.h"

/* Of the plan of @set, before it is put in force; after that, rf_engine_hooks_trim(). */
int rf_asked_attach(struct rf_registry *r, const struct rf_policy_set *set, struct rf_cgroup *const *cgroups, size_t n,
		    char **ret_error);
/* Of one that was planned later. */
int rf_asked_attach_one(struct rf_registry *r, const struct rf_cgroup *c, char **ret_error);

#endif

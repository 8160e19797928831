/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policies each cgroup has, and the steps that put it in force. */
#ifndef RF_DAEMON_PLAN_H
#define RF_DAEMON_PLAN_H

#include "user/daemon/registry.h"

/* Classifies one new cgroup under the set in force. */
int rf_plan_one(struct rf_registry *r, struct rf_cgroup *c, char **ret_error);
void rf_plan_tables_free(struct rf_registry *r);

/* The kernel has made @c, which a scan had found before: what it then wrote is looked at again. */
int rf_plan_sync(struct rf_registry *r, struct rf_cgroup *c);

/* registry.c, for plan.c */
int rf_workload_new(struct rf_registry *r, struct rf_cgroup *c, struct rf_workload **ret);
/* An earlier daemon's workload that cgroups still go by and nobody has taken over. */
bool rf_workload_is_left_over(const struct rf_registry *r, uint32_t id);
struct rf_workload *rf_workload_adopt(struct rf_registry *r, struct rf_cgroup *c);
void rf_workload_drop(struct rf_registry *r, struct rf_workload *w);

#endif

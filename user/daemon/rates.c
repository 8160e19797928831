// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that is attached to a cgroup runs for all below it, and a workload
 * below one with a rate has that rate, too (a policy selects a cgroup with all
 * that is in it). So only the topmost are attached to: twice would be charged
 * twice.
 */
#include "user/daemon/rates.h"

static bool is_shaped(const struct rf_cgroup *c)
{
	return c && c->image && c->image->rates && (c->image->rates->shaped || c->image->rates->n_rules);
}

int rf_rates_attach_one(struct rf_registry *r, const struct rf_cgroup *c, char **ret_error)
{
	int error = 0;

	if (!c->is_root || !c->image || !c->image->rates)
		return 0;
	if (c->image->rates->connections || c->image->rates->rule_connections)
		error = rf_engine_connections_watch(r->engine, ret_error);
	if (error < 0 || !is_shaped(c) || is_shaped(rf_hashmap_get64(r->cgroups, c->parent_id)))
		return error;
	return rf_engine_rates_add(r->engine, c->id, c->path + strlen(r->prefix), ret_error);
}

int rf_rates_attach(struct rf_registry *r, struct rf_cgroup *const *cgroups, size_t n, char **ret_error)
{
	int error = 0;

	rf_engine_rates_begin(r->engine);
	for (size_t i = 0; error >= 0 && i < n; i++)
		error = rf_rates_attach_one(r, cgroups[i], ret_error);
	return error;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The hooks are the host's, not a cgroup's: one workload that asks is enough. */
#include "user/daemon/sockets.h"

static uint32_t kinds_of(const struct rf_cgroup *c)
{
	const struct rf_sockets_image *sockets = c->is_root && c->image ? c->image->sockets : NULL;
	uint32_t kinds = 0;

	for (int tier = 0; sockets && tier < RF_TIERS; tier++)
		kinds |= sockets->limits[tier].deny;
	return kinds;
}

int rf_sockets_attach_one(struct rf_registry *r, const struct rf_cgroup *c, char **ret_error)
{
	return rf_engine_sockets_want(r->engine, kinds_of(c), ret_error);
}

int rf_sockets_attach(struct rf_registry *r, struct rf_cgroup *const *cgroups, size_t n, char **ret_error)
{
	uint32_t kinds = 0;

	rf_engine_hooks_begin(r->engine);
	for (size_t i = 0; i < n; i++)
		kinds |= kinds_of(cgroups[i]);
	return rf_engine_sockets_want(r->engine, kinds, ret_error);
}

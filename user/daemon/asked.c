// SPDX-License-Identifier: GPL-2.0-or-later
/* What the images of a plan ask for, both tiers: what only reports must run, too. */
#include "user/daemon/asked.h"

static void asked_add(struct rf_asked *asked, const struct rf_cgroup *c)
{
	const struct rf_image *image = c->is_root ? c->image : NULL;

	for (int tier = 0; image && tier < RF_TIERS; tier++) {
		if (image->sockets)
			asked->kinds[RF_SECTION_SOCKETS] |= image->sockets->limits[tier].deny;
		if (image->process && (image->process->exec[tier] || image->process->deny[tier]))
			asked->kinds[RF_SECTION_EXEC] |= RF_EXEC_ASKED_RULES;
		if (image->process && image->process->deny[tier] & 1u << RF_EXEC_DRIFT)
			asked->kinds[RF_SECTION_EXEC] |= RF_EXEC_ASKED_DRIFT;
	}
}

int rf_asked_attach_one(struct rf_registry *r, const struct rf_cgroup *c, char **ret_error)
{
	struct rf_asked asked = { 0 };

	asked_add(&asked, c);
	return rf_engine_hooks_want(r->engine, &asked, ret_error);
}

int rf_asked_attach(struct rf_registry *r, struct rf_cgroup *const *cgroups, size_t n, char **ret_error)
{
	struct rf_asked asked = { 0 };

	rf_engine_hooks_begin(r->engine);
	for (size_t i = 0; i < n; i++)
		asked_add(&asked, cgroups[i]);
	return rf_engine_hooks_want(r->engine, &asked, ret_error);
}

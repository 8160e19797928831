/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers by country: looked up when policies are applied, and again when the database file changes. */
#ifndef RF_DAEMON_GEO_H
#define RF_DAEMON_GEO_H

#include <sys/stat.h>

#include "user/collect/geo.h"
#include "user/daemon/sources.h"
#include "user/lib/hashmap.h"

struct rf_geo_state {
	struct rf_geo *geo;	      /* NULL: not open */
	struct stat file;	      /* what was read */
	struct stat tried;	      /* the last that was looked at, broken or not */
	struct rf_hashmap *countries; /* "DE,FR" -> struct rf_cidr_list, one reference each */
	bool wanted;		      /* some policy in force has peers by country */
};

/*
 * Fills in the prefixes of every peer by country of @set. -EINVAL with @diags when a policy that does not skip them has
 * no database, or one that is too old, or names a country that it does not have.
 */
int rf_geo_resolve(struct rf_geo_state *state, const char *path, struct rf_policy_set *set,
		   const struct rf_sources *sources, struct rf_diags *diags);
/* Is there another file than the one that was read, while policies want one? */
bool rf_geo_changed(const struct rf_geo_state *state, const char *path);
void rf_geo_state_fini(struct rf_geo_state *state);

#endif

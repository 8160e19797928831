/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy set, indexed so that the policies of one cgroup are found without trying them all. */
#ifndef RF_DAEMON_SELECTION_H
#define RF_DAEMON_SELECTION_H

#include "user/daemon/registry.h"

struct rf_tables {
	struct rf_hashmap *images;  /* policy indices -> struct rf_image, one reference each */
	struct rf_hashmap *by_path; /* literal selectors: path -> list of indices */
	uint32_t *general;	    /* policies that must be tried on every cgroup */
	size_t n_general;
};

int rf_tables_make(const struct rf_policy_set *set, struct rf_tables *t);
void rf_tables_fini(struct rf_tables *t);
/* The indices of the policies that select @c itself, appended to @list, not sorted. */
int rf_tables_select(const struct rf_policy_set *set, const struct rf_tables *t, const struct rf_cgroup *c,
		     uint32_t **list, size_t *n);
/* Appends @index unless it is the last one already. */
int rf_index_append(uint32_t **list, size_t *n, uint32_t index);

#endif

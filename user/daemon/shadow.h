/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a policy set would give to whom, without putting it in force: the same
 * selection and the same compiler as in plan.c, for cgroups that may be gone.
 */
#ifndef RF_DAEMON_SHADOW_H
#define RF_DAEMON_SHADOW_H

#include "user/daemon/selection.h"

struct rf_shadow;

/*
 * @set is borrowed and sorted. @prefix: path of the attach point, above which nothing is selected. @live: path ->
 * struct rf_identity of cgroups that are there (borrowed; NULL: none); of others only the path tells who they are.
 */
int rf_shadow_new(const struct rf_policy_set *set, const char *prefix, const struct rf_hashmap *live,
		  struct rf_shadow **ret);
void rf_shadow_free(struct rf_shadow *s);
RF_DEFINE_CLEANUP(struct rf_shadow, rf_shadow_free)
#define _cleanup_shadow_ _cleanup_(rf_shadow_freep)

/* The image of the cgroup that @identity is of, NULL where nothing selects it. Borrowed from @s. */
int rf_shadow_image(struct rf_shadow *s, const struct rf_identity *identity, struct rf_diags *diags,
		    const struct rf_image **ret);

#endif

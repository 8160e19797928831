/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The zones of a set of policies: which paths there are, and which lies in which. Pure. */
#ifndef RF_POLICY_ZONES_H
#define RF_POLICY_ZONES_H

#include "user/policy/diag.h"

/* A path without symbolic links, that of a document where there is none on this host yet; NULL: no memory. */
typedef char *(*rf_path_resolve_fn)(const char *path, void *arg);

/* *ret is NULL (and 0 returned) where @set has no labels and no file rules. -E2BIG with @diags past RF_MAX_ZONES. */
int rf_zones_make(const struct rf_policy_set *set, rf_path_resolve_fn resolve, void *arg, struct rf_diags *diags,
		  struct rf_zones **ret);

/* The zone that begins at @path, as a document has it; RF_ZONE_NONE. */
uint32_t rf_zone_named(const struct rf_zones *zones, const char *path);
/* The innermost zone that @path, without symbolic links, lies in; RF_ZONE_NONE. @zones may be NULL. */
uint32_t rf_zone_around(const struct rf_zones *zones, const char *path);
/* @zone is one of @zones; @label may be NULL: no. */
bool rf_zone_has_label(const struct rf_zones *zones, uint32_t zone, const char *label);
/* Is @zone the same as @outer, or below it? */
bool rf_zone_is_below(const struct rf_zones *zones, uint32_t zone, uint32_t outer);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The isolation of several policies -> how far one workload is kept apart. Of
 * those that have the section, what any denies is denied. Where none of a tier
 * has it, the default holds: everything between tenants.
 */
#ifndef RF_POLICY_COMPILE_ISOLATION_H
#define RF_POLICY_COMPILE_ISOLATION_H

#include "user/lib/strbuf.h"
#include "user/policy/compile.h"

struct rf_isolation_image {
	/* RF_TIER_AUDIT: of all policies, or zero where none is in audit. */
	struct rf_isolation_limits limits[RF_TIERS];
	struct rf_rule_ref *refs;
	/* Into @refs; NULL: not denied. */
	const struct rf_rule_ref *ref[RF_TIERS][RF_BETWEENS][RF_ISOLATION_KIND_COUNT];
};

/* *ret_image is NULL (and 0 returned) when nothing is denied: of no policies, or of one that allows all. */
int rf_isolation_compile(const struct rf_policy *const *policies, size_t n, struct rf_isolation_image **ret_image);
void rf_isolation_image_free(struct rf_isolation_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_isolation_image, rf_isolation_image_free)
#define _cleanup_isolation_image_ _cleanup_(rf_isolation_image_freep)

/* The kinds that @image denies at some distance, of either tier: 1 << enum rf_isolation_kind. */
uint32_t rf_isolation_kinds(const struct rf_isolation_image *image);

/* What decided, by what is in an event; NULL when nothing of @image did. */
const struct rf_rule_ref *rf_isolation_ref(const struct rf_isolation_image *image, enum rf_tier tier,
					   unsigned int between, unsigned int operation);

/* For people: at each distance what is denied, and whose it is. */
void rf_isolation_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel sections of several policies -> what one workload may ask of the
 * kernel. What any of them denies is denied; their order matters for whose
 * denial is named.
 */
#ifndef RF_POLICY_COMPILE_KERNEL_H
#define RF_POLICY_COMPILE_KERNEL_H

#include "user/lib/strbuf.h"
#include "user/policy/compile.h"

struct rf_kernel_image {
	struct rf_kernel_limits limits[RF_TIERS]; /* RF_TIER_AUDIT: of all policies, or zero where none is in audit */
	struct rf_rule_ref *refs;
	const struct rf_rule_ref *ref[RF_TIERS][RF_KERNEL_RULES]; /* into @refs; NULL: not denied */
};

/* *ret_image is NULL (and 0 returned) when no policy denies anything. */
int rf_kernel_compile(const struct rf_policy *const *policies, size_t n, struct rf_kernel_image **ret_image);
void rf_kernel_image_free(struct rf_kernel_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_kernel_image, rf_kernel_image_free)
#define _cleanup_kernel_image_ _cleanup_(rf_kernel_image_freep)

/* What decided, by the rule in an event; NULL when nothing of @image did. */
const struct rf_rule_ref *rf_kernel_ref(const struct rf_kernel_image *image, enum rf_tier tier, uint16_t rule);

/* For people: each denial, and whose it is. */
void rf_kernel_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas of accelerators: what the policies of one workload give, for it and for what it is in. */
#ifndef RF_POLICY_COMPILE_QUOTAS_H
#define RF_POLICY_COMPILE_QUOTAS_H

#include "user/policy/compile.h"

struct rf_quotas_image {
	struct rf_accelerator_quota quota[RF_ACCEL_LEVELS];
	uint32_t flags[RF_ACCEL_LEVELS];		/* RF_QUOTA_*; 0: no policy gives one */
	const struct rf_rule_ref *ref[RF_ACCEL_LEVELS]; /* of the first policy that does */
	struct rf_rule_ref *refs;
};

/* Policies in audit mode have a say where no other gives a quota of that level. NULL: there is none. */
int rf_quotas_compile(const struct rf_policy *const *policies, size_t n, struct rf_quotas_image **ret);
void rf_quotas_image_free(struct rf_quotas_image *image);
RF_DEFINE_CLEANUP(struct rf_quotas_image, rf_quotas_image_free)
#define _cleanup_quotas_image_ _cleanup_(rf_quotas_image_freep)

/* NULL: no policy of this image's does. */
const struct rf_rule_ref *rf_quotas_ref(const struct rf_quotas_image *image, unsigned int level);

/* The strictest of each value of the two goes to @to. */
void rf_quota_merge(struct rf_accelerator_quota *to, const struct rf_accelerator_quota *quota);

/*
 * Does it bound what nothing tells of NVIDIA's devices, of which @known has one? Their driver has work handed over
 * without a system call: unless launches are counted, a quota of memory alone holds there.
 */
bool rf_quota_is_idle(const struct rf_accelerator_section *a, unsigned int level, const struct rf_accelerators *known);

/* As "policy show" tells them. */
void rf_quotas_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

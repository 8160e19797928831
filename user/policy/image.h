/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that one combination of policies compiles to. Workloads that are
 * selected by the same policies share one image. Immutable and counted.
 */
#ifndef RF_POLICY_IMAGE_H
#define RF_POLICY_IMAGE_H

#include "user/policy/compile.h"
#include "user/policy/compile_rates.h"
#include "user/policy/compile_sockets.h"

struct rf_image {
	unsigned int refs;
	struct rf_ruleset_image *ruleset[RF_DIRECTIONS][RF_TIERS]; /* NULL: no opinion */
	struct rf_device_image *device[RF_TIERS];
	struct rf_dns_image dns;
	struct rf_rates_image *rates;	  /* NULL: no limits */
	struct rf_sockets_image *sockets; /* NULL: nothing denied */
	uint32_t telemetry;
	char **policies; /* full names, in merge order */
	size_t n_policies;
	const char *mode; /* static: enforce, audit, mixed, none */
};

int rf_image_compile(const struct rf_policy *const *policies, size_t n, rf_device_resolve_fn resolve, void *arg,
		     struct rf_diags *diags, struct rf_image **ret);
struct rf_image *rf_image_ref(struct rf_image *image);
void rf_image_unref(struct rf_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_image, rf_image_unref)
#define _cleanup_image_ _cleanup_(rf_image_unrefp)

#endif

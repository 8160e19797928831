/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rates of several policies -> the limits of one workload. Of each value
 * the strictest wins, whatever the order of the policies. What policies in mode
 * enforce say is enforced; what those in mode audit say is only counted, where
 * it is stricter than what is enforced.
 */
#ifndef RF_POLICY_COMPILE_RATES_H
#define RF_POLICY_COMPILE_RATES_H

#include "ringfence/rate_map.h"
#include "user/lib/strbuf.h"
#include "user/policy/compile.h"

struct rf_rates_image {
	struct rf_rate_limits limits;
	bool shaped;	  /* has a limit on bytes or packets, of either tier */
	bool connections; /* has one on connections */
	struct rf_rule_ref *refs;
	const struct rf_rule_ref *connections_ref[RF_TIERS], *connection_rate_ref[RF_TIERS]; /* into @refs, or NULL */
};

/* *ret_image is NULL (and 0 returned) when no policy limits anything. */
int rf_rates_compile(const struct rf_policy *const *policies, size_t n, struct rf_rates_image **ret_image);
void rf_rates_image_free(struct rf_rates_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_rates_image, rf_rates_image_free)
#define _cleanup_rates_image_ _cleanup_(rf_rates_image_freep)

/* What decided, by the rule in an event (RF_RULE_CONNECTIONS, ...); NULL when no limit of @image did. */
const struct rf_rule_ref *rf_rates_ref(const struct rf_rates_image *image, enum rf_tier tier, uint16_t rule);

/* For people: each value, and whose it is. */
void rf_rates_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

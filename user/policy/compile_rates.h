/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rates of several policies -> the limits of one workload. Of each value
 * the strictest wins, whatever the order of the policies. What policies in mode
 * enforce say is enforced; what those in mode audit say is only counted, where
 * it is stricter than what is enforced.
 *
 * The rate of a rule is that rule's alone: it holds in the rule set where the
 * rule decides, beside what the workload has.
 */
#ifndef RF_POLICY_COMPILE_RATES_H
#define RF_POLICY_COMPILE_RATES_H

#include "ringfence/rate_map.h"
#include "user/lib/strbuf.h"
#include "user/policy/compile.h"

/* A rule that has one, by its place in a rule set. */
struct rf_rule_rate_image {
	enum rf_direction direction;
	enum rf_tier tier; /* of its policy: limits of the other tier there are none */
	uint16_t rule;
	bool connections; /* has a limit on connections */
	uint64_t digest;  /* of policy and rule, by their names: the same in every image */
	struct rf_rate_limits limits;
	char *text;							 /* as people read it */
	const struct rf_rule_ref *connections_ref, *connection_rate_ref; /* NULL without that limit */
};

struct rf_rates_image {
	struct rf_rate_limits limits;
	bool shaped;	  /* has a limit on bytes or packets, of either tier */
	bool connections; /* has one on connections */
	struct rf_rule_ref *refs;
	const struct rf_rule_ref *connections_ref[RF_TIERS], *connection_rate_ref[RF_TIERS]; /* into @refs, or NULL */
	struct rf_rule_rate_image *rules; /* by direction, tier, and their order there */
	size_t n_rules;
	bool rule_connections; /* some rule has a limit on connections */
	struct rf_rule_ref *rule_refs;
};

/*
 * *ret_image is NULL (and 0 returned) when no policy limits anything. -E2BIG with a diagnostic past RF_MAX_RULE_RATES.
 */
int rf_rates_compile(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
		     struct rf_rates_image **ret_image);
void rf_rates_image_free(struct rf_rates_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_rates_image, rf_rates_image_free)
#define _cleanup_rates_image_ _cleanup_(rf_rates_image_freep)

/* What decided, by the rule in an event (RF_RULE_CONNECTIONS, ...); NULL when no limit of @image did. */
const struct rf_rule_ref *rf_rates_ref(const struct rf_rates_image *image, enum rf_tier tier, uint16_t rule);

/* The rate of a rule of the image's rule set; NULL: it has none. */
const struct rf_rule_rate_image *rf_rates_rule(const struct rf_rates_image *image, enum rf_direction direction,
					       enum rf_tier tier, uint16_t rule);
/* Of an event where a limit of a rule decided (RF_RULE_OF_CONNECTIONS, ...). */
const struct rf_rule_ref *rf_rates_rule_ref(const struct rf_rates_image *image, enum rf_direction direction,
					    enum rf_tier tier, uint16_t rule);
/* By what number the kernel finds the state that @rule has for a workload; never 0. */
uint64_t rf_rule_rate_state_id(const struct rf_rule_rate_image *rule, uint32_t workload, uint32_t owner);
/* "bytesPerSecond 1000000, connections 5"; nothing where nothing is limited. */
void rf_rule_rate_show(const struct rf_rates *rate, struct rf_strbuf *out);

/* compile_rule_rates.c: fills in the rules of @image */
int rf_rule_rates_compile(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
			  struct rf_rates_image *image);
void rf_rule_rates_fini(struct rf_rates_image *image);
/* Of one way; 0: not given. */
void rf_rate_limit_make(struct rf_rate_limit limit[RF_RATE_UNITS], enum rf_direction direction, uint64_t bytes,
			uint64_t packets, uint64_t burst);

/* For people: each value, and whose it is. */
void rf_rates_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

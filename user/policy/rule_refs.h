/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two compilers share: which policies a tier takes, and where a compiled rule came from. */
#ifndef RF_POLICY_RULE_REFS_H
#define RF_POLICY_RULE_REFS_H

#include "user/policy/compile.h"

#define RF_RULE_DEFAULT_NAME "default"

static inline bool rf_tier_takes(enum rf_tier tier, const struct rf_policy *p)
{
	return tier == RF_TIER_AUDIT || p->mode == RF_MODE_ENFORCE;
}

/* The sections that one compilation merges, counted first. */
struct rf_merge {
	bool present; /* some policy of the tier has the section */
	bool audit;   /* one of those is in audit mode */
	size_t n_rules;
	const struct rf_policy *dflt; /* the policy that set the default */
	enum rf_action dflt_action;
	uint32_t dflt_line;
};

/* One policy of the tier that has the section. Deny wins; the first that says so is the one to name. */
static inline void rf_merge_add(struct rf_merge *m, const struct rf_policy *p, enum rf_action dflt, struct rf_mark mark,
				size_t n_rules)
{
	m->n_rules += n_rules;
	m->audit |= p->mode == RF_MODE_AUDIT;
	if (!m->present || (dflt == RF_ACTION_DENY && m->dflt_action == RF_ACTION_ALLOW)) {
		m->dflt = p;
		m->dflt_action = dflt;
		m->dflt_line = mark.line;
	}
	m->present = true;
}

/* Nothing to compile: no section, or nothing that the enforced tier does not say already. */
static inline bool rf_merge_idle(const struct rf_merge *m, enum rf_tier tier)
{
	return !m->present || (tier == RF_TIER_AUDIT && !m->audit);
}

struct rf_rule_source {
	const struct rf_policy *policy;
	const char *rule;
	uint32_t line;
	enum rf_action action;
};

static inline struct rf_rule_source rf_merge_default(const struct rf_merge *m)
{
	return (struct rf_rule_source){ m->dflt, RF_RULE_DEFAULT_NAME, m->dflt_line, m->dflt_action };
}

/* The @n references and all their strings in one block, to be freed as one. */
int rf_rule_refs_new(const struct rf_rule_source *sources, size_t n, struct rf_rule_ref **ret);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Requirements of policies against what the self-test found. */
#include "user/daemon/require.h"

#include <errno.h>

int rf_require_check(const struct rf_engine *e, struct rf_policy_set *set, const struct rf_sources *sources,
		     struct rf_diags *diags)
{
	int r = 0;

	for (size_t i = 0; i < set->n; i++) {
		struct rf_policy *p = set->policies[i];

		for (size_t k = 0; k < p->n_requirements; k++) {
			enum rf_feature feature = p->requirements[k].feature;
			_cleanup_free_ char *why = NULL;
			const struct rf_source *source;
			const char *text;
			size_t len;

			if (rf_engine_support(e, feature) != RF_SUPPORT_UNAVAILABLE)
				continue;
			source = rf_sources_find(sources, p->file);
			text = source ? source->text : NULL;
			len = source ? source->len : 0;
			why = rf_engine_support_why(e, feature);
			if (!why)
				return -ENOMEM;
			if (p->unsupported_audit) {
				p->mode = RF_MODE_AUDIT;
				rf_diags_add(diags, RF_SEVERITY_WARNING, p->file, p->requirements[k].mark, 0, text, len,
					     "ifUnsupported: audit is set: the whole policy only reports",
					     "%s is not available on this host: %s", rf_feature_name(feature), why);
				continue;
			}
			rf_diags_add(diags, RF_SEVERITY_ERROR, p->file, p->requirements[k].mark, 0, text, len,
				     "ifUnsupported: audit loads the policy in mode audit instead; \"ringfence "
				     "status\" shows what this host can do",
				     "policy %s needs %s (%s), which is not available on this host: %s", p->name,
				     rf_feature_name(feature), rf_feature_section(feature), why);
			r = -EOPNOTSUPP;
		}
	}
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Requirements of policies against what the self-test found. */
#include "user/daemon/require.h"

#include <errno.h>

#include "user/policy/compile_accelerators.h"
#include "user/policy/compile_quotas.h"

/* Without file rules a label denies nothing, unless it keeps other tenants out. */
static int labels_check(const struct rf_engine *e, const struct rf_policy_set *set, const struct rf_sources *sources,
			struct rf_diags *diags)
{
	_cleanup_free_ char *why = NULL;
	int r = 0;

	if (rf_engine_support(e, RF_FEATURE_FILES) != RF_SUPPORT_UNAVAILABLE)
		return 0;
	why = rf_engine_support_why(e, RF_FEATURE_FILES);
	if (!why)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_labels; i++) {
		const struct rf_file_label *label = set->labels[i];
		const struct rf_source *source = rf_sources_find(sources, label->file);

		if (!label->is_private)
			continue;
		rf_diags_add(diags, RF_SEVERITY_ERROR, label->file, (struct rf_mark){ label->line, label->column }, 0,
			     source ? source->text : NULL, source ? source->len : 0,
			     "spec.access: policy makes a label that denies nothing by itself",
			     "label %s needs %s (spec.access: tenant), which is not available on this host: %s",
			     label->name, rf_feature_name(RF_FEATURE_FILES), why);
		r = -EOPNOTSUPP;
	}
	return r;
}

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
	return r < 0 ? r : labels_check(e, set, sources, diags);
}

static void rules_check(const struct rf_accelerators *known, const struct rf_policy *p, const struct rf_source *source,
			struct rf_diags *diags)
{
	for (size_t k = 0; k < p->accelerators.n_rules; k++) {
		const struct rf_accelerator_rule *rule = &p->accelerators.rules[k];
		_cleanup_strbuf_ struct rf_strbuf what = RF_STRBUF_INIT;

		if (!rf_accelerator_rule_is_idle(rule, known, &what))
			continue;
		rf_diags_add(diags, RF_SEVERITY_WARNING, p->file, rule->mark, 0, source ? source->text : NULL,
			     source ? source->len : 0,
			     "it holds once one comes; \"ringfence accel\" shows what is here",
			     "rule \"%s\" of policy %s matches no accelerator of this host (%s)", rule->name, p->name,
			     rf_strbuf_str(&what));
	}
}

static void quotas_check(const struct rf_accelerators *known, const struct rf_policy *p, const struct rf_source *source,
			 struct rf_diags *diags)
{
	for (unsigned int level = 0; level < RF_ACCEL_LEVELS; level++)
		if (rf_quota_is_idle(&p->accelerators, level, known))
			rf_diags_add(diags, RF_SEVERITY_WARNING, p->file, p->accelerators.quota[level].mark, 0,
				     source ? source->text : NULL, source ? source->len : 0,
				     "userModeSubmission: true has the launches of CUDA, HIP and OpenCL counted, and "
				     "the quota holds for them",
				     "of NVIDIA's devices this quota of policy %s bounds the memory at most", p->name);
}

void rf_require_accelerators(const struct rf_accelerators *known, const struct rf_policy_set *set,
			     const struct rf_sources *sources, struct rf_diags *diags)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct rf_policy *p = set->policies[i];
		const struct rf_source *source = rf_sources_find(sources, p->file);

		rules_check(known, p, source, diags);
		quotas_check(known, p, source, diags);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging quotas of accelerators, and telling them. */
#include "user/policy/compile_quotas.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "user/policy/rule_refs.h"

/* The smaller one; 0 is no limit. */
static uint64_t stricter(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* What of the limit is for a moment; 0 is no limit. */
static double rate_of(uint64_t limit, uint64_t window_ns)
{
	return limit ? (double)limit / (double)window_ns : INFINITY;
}

/* Two windows are not one: of two budgets, the one that who takes evenly spends first, and the harder end of both. */
static void budget_merge(struct rf_accelerator_budget *to, const struct rf_accelerator_budget *budget)
{
	enum rf_when_spent when_spent = MAX(to->when_spent, budget->when_spent);
	double time, time_to, energy, energy_to;

	if (!budget->window_ns)
		return;
	if (!to->window_ns) {
		*to = *budget;
		return;
	}
	time = rate_of(budget->time_ns, budget->window_ns);
	time_to = rate_of(to->time_ns, to->window_ns);
	energy = rate_of(budget->joules, budget->window_ns);
	energy_to = rate_of(to->joules, to->window_ns);
	if (time < time_to || (time == time_to && energy < energy_to))
		*to = *budget;
	to->when_spent = when_spent;
}

static void budget_show(const struct rf_accelerator_budget *b, struct rf_strbuf *out)
{
	if (!b->window_ns)
		return;
	rf_strbuf_adds(out, " budget");
	if (b->time_ns)
		rf_strbuf_addf(out, " %.3f s", (double)b->time_ns / 1e9);
	if (b->joules)
		rf_strbuf_addf(out, " %" PRIu64 " J", b->joules);
	rf_strbuf_addf(out, " in %" PRIu64 " s, then %s", b->window_ns / 1000000000,
		       rf_when_spent_names[b->when_spent]);
}

bool rf_quota_is_idle(const struct rf_accelerator_section *a, unsigned int level, const struct rf_accelerators *known)
{
	const struct rf_accelerator_quota *q = &a->quota[level];

	return q->given && !a->calls && rf_accelerators_has_nvml(known) &&
	       (q->share || q->percent || q->submissions || q->contexts != RF_ACCEL_CONTEXTS_ANY ||
		q->budget.window_ns);
}

void rf_quota_merge(struct rf_accelerator_quota *to, const struct rf_accelerator_quota *quota)
{
	if (!quota->given)
		return;
	if (!to->given) {
		*to = *quota;
		return;
	}
	to->share = stricter(to->share, quota->share);
	to->percent = stricter(to->percent, quota->percent);
	to->burst_ns = stricter(to->burst_ns, quota->burst_ns);
	to->not_conserving |= quota->not_conserving;
	to->memory = stricter(to->memory, quota->memory);
	to->submissions = stricter(to->submissions, quota->submissions);
	to->contexts = MIN(to->contexts, quota->contexts);
	budget_merge(&to->budget, &quota->budget);
}

/* Returns the first policy of the mode that gives one; NULL: none does. */
static const struct rf_policy *mode_merge(const struct rf_policy *const *policies, size_t n, enum rf_mode mode,
					  enum rf_accel_level level, struct rf_accelerator_quota *ret,
					  uint32_t *ret_flags)
{
	enum rf_over_quota over = RF_OVER_WAIT;
	const struct rf_policy *first = NULL;
	bool full = false;

	*ret = (struct rf_accelerator_quota){ 0 };
	for (size_t i = 0; i < n; i++) {
		const struct rf_accelerator_section *a = &policies[i]->accelerators;

		if (policies[i]->mode != mode || !a->quota[level].given)
			continue;
		first = first ? first : policies[i];
		over = MAX(over, a->over);
		full |= a->over_memory_full;
		rf_quota_merge(ret, &a->quota[level]);
	}
	*ret_flags = RF_QUOTA_GIVEN | (mode == RF_MODE_AUDIT ? RF_QUOTA_AUDIT : 0) |
		     (over == RF_OVER_WAIT ? RF_QUOTA_WAIT : 0) | (over == RF_OVER_EDQUOT ? RF_QUOTA_EDQUOT : 0) |
		     (full ? RF_QUOTA_ENOMEM : 0);
	return first;
}

static const struct rf_policy *level_merge(const struct rf_policy *const *policies, size_t n, enum rf_accel_level level,
					   struct rf_accelerator_quota *ret, uint32_t *ret_flags)
{
	const struct rf_policy *first = mode_merge(policies, n, RF_MODE_ENFORCE, level, ret, ret_flags);

	return first ? first : mode_merge(policies, n, RF_MODE_AUDIT, level, ret, ret_flags);
}

int rf_quotas_compile(const struct rf_policy *const *policies, size_t n, struct rf_quotas_image **ret)
{
	_cleanup_quotas_image_ struct rf_quotas_image *image = calloc(1, sizeof(*image));
	struct rf_rule_source sources[RF_ACCEL_LEVELS];
	const struct rf_rule_ref **places[RF_ACCEL_LEVELS];
	size_t count = 0;
	int r;

	*ret = NULL;
	if (!image)
		return -ENOMEM;
	for (int level = 0; level < RF_ACCEL_LEVELS; level++) {
		const struct rf_policy *first =
			level_merge(policies, n, level, &image->quota[level], &image->flags[level]);

		if (!first) {
			image->flags[level] = 0;
			continue;
		}
		places[count] = &image->ref[level];
		sources[count++] = (struct rf_rule_source){ first, "quota", first->accelerators.quota[level].mark.line,
							    RF_ACTION_DENY };
	}
	if (!count)
		return 0;
	r = rf_rule_refs_new(sources, count, &image->refs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		*places[i] = &image->refs[i];
	*ret = TAKE_PTR(image);
	return 0;
}

void rf_quotas_image_free(struct rf_quotas_image *image)
{
	if (!image)
		return;
	free(image->refs);
	free(image);
}

const struct rf_rule_ref *rf_quotas_ref(const struct rf_quotas_image *image, unsigned int level)
{
	return image && level < RF_ACCEL_LEVELS ? image->ref[level] : NULL;
}

static void values_show(const struct rf_accelerator_quota *q, struct rf_strbuf *out)
{
	if (q->share)
		rf_strbuf_addf(out, " share %u%s", q->share, q->not_conserving ? " and no more" : "");
	if (q->percent)
		rf_strbuf_addf(out, " limitPercent %u", q->percent);
	if (q->burst_ns)
		rf_strbuf_addf(out, " burst %.3f ms", (double)q->burst_ns / 1e6);
	if (q->memory)
		rf_strbuf_addf(out, " memory %" PRIu64, q->memory);
	if (q->submissions)
		rf_strbuf_addf(out, " submissionsPerSecond %u", q->submissions);
	if (q->contexts != RF_ACCEL_CONTEXTS_ANY)
		rf_strbuf_addf(out, " contexts %u", q->contexts);
	budget_show(&q->budget, out);
}

static void calls_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!policies[i]->accelerators.calls)
			continue;
		rf_strbuf_addf(out,
			       "\ncalls of accelerators' libraries are counted, and quotas hold for them  (%s, %s)\n",
			       policies[i]->name, policies[i]->file);
		return;
	}
}

void rf_quotas_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	bool any = false;

	for (int level = 0; level < RF_ACCEL_LEVELS; level++) {
		struct rf_accelerator_quota quota;
		const struct rf_policy *first;
		uint32_t flags;

		first = level_merge(policies, n, level, &quota, &flags);
		if (!first)
			continue;
		rf_strbuf_adds(out, any ? "" : "\nquotas of accelerators:\n");
		any = true;
		rf_strbuf_addf(out, "  %s%s:", flags & RF_QUOTA_AUDIT ? "in audit, " : "", rf_accel_level_name(level));
		values_show(&quota, out);
		rf_strbuf_addf(out, "  (%s, %s:%u)\n", first->name, first->file,
			       first->accelerators.quota[level].mark.line);
	}
	calls_show(policies, n, out);
}

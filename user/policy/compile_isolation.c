// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling isolation, and telling it. */
#include "user/policy/compile_isolation.h"

#include <errno.h>

#include "user/model/isolation.h"
#include "user/policy/rule_refs.h"

static const struct rf_isolation_limits dflt = { .deny = { [RF_BETWEEN_TENANTS] = RF_ISOLATION_ALL } };

/* Does some policy of @tier say how its workload is kept apart? */
static bool is_said(const struct rf_policy *const *policies, size_t n, enum rf_tier tier)
{
	for (size_t i = 0; i < n; i++)
		if (rf_tier_takes(tier, policies[i]) && policies[i]->isolation.present)
			return true;
	return false;
}

/* What @p contributes to @tier; NULL: nothing. */
static const struct rf_isolation_limits *limits_of(const struct rf_policy *p, enum rf_tier tier, bool said)
{
	if (!rf_tier_takes(tier, p) || (said && !p->isolation.present))
		return NULL;
	return said ? &p->isolation.limits : &dflt;
}

/* The audited tier has something to say where a policy in mode audit contributes. */
static struct rf_isolation_limits tier_merge(const struct rf_policy *const *policies, size_t n, enum rf_tier tier)
{
	bool said = is_said(policies, n, tier), audit = false;
	struct rf_isolation_limits all = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct rf_isolation_limits *limits = limits_of(policies[i], tier, said);

		if (!limits)
			continue;
		audit |= policies[i]->mode == RF_MODE_AUDIT;
		for (int between = 0; between < RF_BETWEENS; between++)
			all.deny[between] |= limits->deny[between];
	}
	if (tier == RF_TIER_AUDIT && !audit)
		return (struct rf_isolation_limits){ 0 };
	return all;
}

/* The first that denies @kind at that distance. */
static const struct rf_policy *denier(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
				      unsigned int between, unsigned int kind)
{
	bool said = is_said(policies, n, tier);

	for (size_t i = 0; i < n; i++) {
		const struct rf_isolation_limits *limits = limits_of(policies[i], tier, said);

		if (limits && limits->deny[between] & 1u << kind)
			return policies[i];
	}
	return NULL;
}

static struct rf_mark mark_of(const struct rf_policy *p)
{
	return p->isolation.present ? p->isolation.mark : p->mark;
}

static int refs_make(const struct rf_policy *const *policies, size_t n, struct rf_isolation_image *image)
{
	struct rf_rule_source sources[RF_TIERS * RF_BETWEENS * RF_ISOLATION_KIND_COUNT];
	const struct rf_rule_ref **places[ARRAY_SIZE(sources)];
	size_t count = 0;
	int r;

	for (unsigned int i = 0; i < ARRAY_SIZE(sources); i++) {
		unsigned int kind = i % RF_ISOLATION_KIND_COUNT, between = i / RF_ISOLATION_KIND_COUNT % RF_BETWEENS;
		enum rf_tier tier = i / RF_ISOLATION_KIND_COUNT / RF_BETWEENS;
		const struct rf_policy *p;

		if (!(image->limits[tier].deny[between] & 1u << kind))
			continue;
		p = denier(policies, n, tier, between, kind);
		places[count] = &image->ref[tier][between][kind];
		sources[count++] =
			(struct rf_rule_source){ p, rf_isolation_rule_name(kind), mark_of(p).line, RF_ACTION_DENY };
	}
	r = rf_rule_refs_new(sources, count, &image->refs);
	for (size_t i = 0; r >= 0 && i < count; i++)
		*places[i] = &image->refs[i];
	return r;
}

uint32_t rf_isolation_kinds(const struct rf_isolation_image *image)
{
	uint32_t kinds = 0;

	for (int tier = 0; image && tier < RF_TIERS; tier++)
		for (int between = 0; between < RF_BETWEENS; between++)
			kinds |= image->limits[tier].deny[between];
	return kinds;
}

int rf_isolation_compile(const struct rf_policy *const *policies, size_t n, struct rf_isolation_image **ret_image)
{
	_cleanup_isolation_image_ struct rf_isolation_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	for (int tier = 0; tier < RF_TIERS; tier++)
		image->limits[tier] = tier_merge(policies, n, tier);
	if (!rf_isolation_kinds(image)) {
		*ret_image = NULL;
		return 0;
	}
	r = refs_make(policies, n, image);
	if (r < 0)
		return r;
	*ret_image = TAKE_PTR(image);
	return 0;
}

void rf_isolation_image_free(struct rf_isolation_image *image)
{
	if (!image)
		return;
	free(image->refs);
	free(image);
}

const struct rf_rule_ref *rf_isolation_ref(const struct rf_isolation_image *image, enum rf_tier tier,
					   unsigned int between, unsigned int operation)
{
	enum rf_isolation_kind kind = rf_isolation_operation_kind(operation);

	if (!image || (unsigned int)tier >= RF_TIERS || between >= RF_BETWEENS || kind >= RF_ISOLATION_KIND_COUNT)
		return NULL;
	return image->ref[tier][between][kind];
}

/* Whoever has a part in what @tier denies at that distance. */
static void origins_show(const struct rf_policy *const *policies, size_t n, enum rf_tier tier, unsigned int between,
			 struct rf_strbuf *out)
{
	bool said = is_said(policies, n, tier);
	const char *comma = said ? "  (" : "  (default of ";

	for (size_t i = 0; i < n; i++) {
		const struct rf_isolation_limits *limits = limits_of(policies[i], tier, said);

		if (!limits || !limits->deny[between])
			continue;
		rf_strbuf_addf(out, "%s%s, %s:%u", comma, policies[i]->name, policies[i]->file,
			       mark_of(policies[i]).line);
		comma = "; ";
	}
	rf_strbuf_adds(out, ")\n");
}

void rf_isolation_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct rf_isolation_limits limits[RF_TIERS];
	bool any = false;

	rf_strbuf_adds(out, "\nisolation:");
	for (int tier = 0; tier < RF_TIERS; tier++)
		limits[tier] = tier_merge(policies, n, tier);
	for (int between = 0; between < RF_BETWEENS; between++) {
		for (int tier = 0; tier < RF_TIERS; tier++) {
			uint16_t denied = limits[tier].deny[between];

			/* What only reports is shown where it is more than what is enforced. */
			if (!denied || (tier == RF_TIER_AUDIT && !(denied & ~limits[RF_TIER_ENFORCE].deny[between])))
				continue;
			rf_strbuf_addf(out, "%s  %sfrom other %s: deny", any ? "" : "\n",
				       tier == RF_TIER_AUDIT ? "in audit, " : "", rf_between_names[between]);
			for (int kind = 0; kind < RF_ISOLATION_KIND_COUNT; kind++)
				if (denied & 1u << kind)
					rf_strbuf_addf(out, " %s", rf_isolation_kind_names[kind]);
			origins_show(policies, n, tier, between, out);
			any = true;
		}
	}
	if (!any)
		rf_strbuf_adds(out, " from nobody\n");
}

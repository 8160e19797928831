// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling file rules, and telling them. */
#include "user/policy/compile_files.h"

#include <errno.h>

#include "user/policy/rule_refs.h"

/* A rule, and the zone that its path names. */
struct rule {
	const struct rf_file_rule *rule;
	const struct rf_policy *policy;
	uint32_t zone; /* RF_ZONE_NONE: it names a label */
};

struct build {
	const struct rf_zones *zones;
	const char *tenant;
	enum rf_mode mode; /* of labels, which have none: they deny where one of the workload's policies does */
	struct rule *rules;
	uint32_t n;
	/* Those of private labels follow, each where its first zone says. */
	struct rf_rule_source *sources;
	uint32_t n_sources;
	uint32_t *label_source;	     /* by zone */
	struct rf_policy *stand_ins; /* for labels: what a reference has of a policy */
};

static void build_fini(struct build *b)
{
	free(b->rules);
	free(b->stand_ins);
	free(b->sources);
	free(b->label_source);
}

static bool label_denies(const struct build *b, const struct rf_file_label *label)
{
	return label && label->is_private && !rf_streq(label->tenant, b->tenant);
}

static int rule_add(struct build *b, const struct rf_policy *p, const struct rf_file_rule *rule, struct rf_diags *diags)
{
	if (b->n == RF_MAX_FILE_RULES) {
		rf_diags_add(diags, RF_SEVERITY_ERROR, p->file, rule->mark, 0, NULL, 0, NULL,
			     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d file rules for one workload",
			     rule->name, p->tenant, p->namespace, p->name, RF_MAX_FILE_RULES);
		return -E2BIG;
	}
	b->rules[b->n++] = (struct rule){ rule, p, rule->path ? rf_zone_named(b->zones, rule->path) : RF_ZONE_NONE };
	b->sources[b->n_sources++] = (struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	return 0;
}

static void label_add(struct build *b, uint32_t i)
{
	const struct rf_file_label *label = b->zones->list[i].label;

	b->stand_ins[i] = (struct rf_policy){
		.tenant = label->tenant, .namespace = "label", .name = label->name, .file = label->file, .mode = b->mode
	};
	b->label_source[i] = b->n_sources;
	b->sources[b->n_sources++] =
		(struct rf_rule_source){ &b->stand_ins[i], "access: tenant", label->line, RF_ACTION_DENY };
}

static int rules_collect(struct build *b, const struct rf_policy *const *policies, size_t n, struct rf_diags *diags)
{
	int r = 0;

	b->tenant = policies[0]->tenant;
	b->mode = RF_MODE_AUDIT;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct rf_policy *p = policies[i];

		b->mode = p->mode == RF_MODE_ENFORCE ? RF_MODE_ENFORCE : b->mode;
		for (size_t k = 0; r >= 0 && k < p->files.n_rules; k++)
			r = rule_add(b, p, &p->files.rules[k], diags);
	}
	for (uint32_t i = 0; r >= 0 && i < b->zones->n; i++)
		if (b->zones->list[i].first && label_denies(b, b->zones->list[i].label))
			label_add(b, i);
	return r;
}

static bool rule_matches(const struct build *b, const struct rule *rule, uint32_t zone)
{
	if (rule->zone)
		return rf_zone_is_below(b->zones, zone, rule->zone);
	return rf_zone_has_label(b->zones, zone, rule->rule->label);
}

static void entry_deny(struct rf_file_entry *entry, uint32_t access, uint32_t source)
{
	entry->deny |= access;
	for (int bit = 0; bit < RF_FILE_ACCESS_COUNT; bit++)
		if (access & 1u << bit)
			entry->rule[bit] = source;
}

/* Where a label's denial is told: at the first zone of the label, which is no later than any other. */
static uint32_t label_source(const struct build *b, uint32_t zone)
{
	const struct rf_file_label *label = b->zones->list[zone - 1].label;

	while (!b->zones->list[zone - 1].first || b->zones->list[zone - 1].label != label)
		zone--;
	return b->label_source[zone - 1];
}

static struct rf_file_entry zone_fold(const struct build *b, enum rf_tier tier, uint32_t zone)
{
	struct rf_file_entry entry = { .zone = zone };
	uint32_t open = RF_FILE_ALL;

	for (uint32_t i = 0; i < b->n && open; i++) {
		const struct rule *rule = &b->rules[i];
		uint32_t decided = open & rule->rule->access;

		if (!decided || !rf_tier_takes(tier, rule->policy) || !rule_matches(b, rule, zone))
			continue;
		open &= ~decided;
		if (rule->rule->action == RF_ACTION_DENY)
			entry_deny(&entry, decided, i);
	}
	if (open && label_denies(b, b->zones->list[zone - 1].label) &&
	    (tier == RF_TIER_AUDIT || b->mode == RF_MODE_ENFORCE))
		entry_deny(&entry, open, label_source(b, zone));
	return entry;
}

static int set_make(const struct build *b, enum rf_tier tier, struct rf_file_set *set)
{
	bool audit = b->mode == RF_MODE_AUDIT;

	for (uint32_t i = 0; i < b->n; i++)
		audit |= b->rules[i].policy->mode == RF_MODE_AUDIT;
	if (!b->n_sources || (tier == RF_TIER_AUDIT && !audit))
		return 0;
	set->entries = calloc(b->zones->n, sizeof(*set->entries));
	if (!set->entries)
		return -ENOMEM;
	for (uint32_t zone = 1; zone <= b->zones->n; zone++) {
		struct rf_file_entry entry = zone_fold(b, tier, zone);

		if (!entry.deny)
			continue;
		set->entries[set->n++] = entry;
		/* What may not be opened to be read cannot be mapped. */
		set->asked |= entry.deny & 1u << RF_FILE_READ ? entry.deny & ~(1u << RF_FILE_MMAP) : entry.deny;
	}
	return 0;
}

int rf_files_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		     struct rf_diags *diags, struct rf_files_image **ret_image)
{
	_cleanup_files_image_ struct rf_files_image *image = NULL;
	_cleanup_(build_fini) struct build b = { .zones = zones };
	size_t room = zones ? zones->n : 0;
	int r;

	*ret_image = NULL;
	if (!room || !n)
		return 0;
	for (size_t i = 0; i < n; i++)
		room += policies[i]->files.n_rules;
	image = calloc(1, sizeof(*image));
	b.rules = calloc(room, sizeof(*b.rules));
	b.sources = calloc(room, sizeof(*b.sources));
	b.stand_ins = calloc(zones->n, sizeof(*b.stand_ins));
	b.label_source = calloc(zones->n, sizeof(*b.label_source));
	if (!image || !b.rules || !b.sources || !b.stand_ins || !b.label_source)
		return -ENOMEM;
	r = rules_collect(&b, policies, n, diags);
	for (int tier = 0; r >= 0 && tier < RF_TIERS; tier++)
		r = set_make(&b, tier, &image->set[tier]);
	if (r < 0 || (!image->set[RF_TIER_ENFORCE].n && !image->set[RF_TIER_AUDIT].n))
		return r;
	r = rf_rule_refs_new(b.sources, b.n_sources, &image->refs);
	if (r < 0)
		return r;
	*ret_image = TAKE_PTR(image);
	return 0;
}

void rf_files_image_free(struct rf_files_image *image)
{
	if (!image)
		return;
	for (int tier = 0; tier < RF_TIERS; tier++)
		free(image->set[tier].entries);
	free(image->refs);
	free(image);
}

bool rf_file_set_equal(const struct rf_file_set *a, const struct rf_file_set *b)
{
	if (a->n != b->n || a->asked != b->asked)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->entries[i].zone != b->entries[i].zone || a->entries[i].deny != b->entries[i].deny)
			return false;
	return true;
}

const struct rf_rule_ref *rf_files_ref(const struct rf_files_image *image, enum rf_tier tier, uint32_t zone,
				       uint32_t denied)
{
	if (!image || (unsigned int)tier >= RF_TIERS)
		return NULL;
	for (uint32_t i = 0; i < image->set[tier].n; i++) {
		const struct rf_file_entry *entry = &image->set[tier].entries[i];

		if (entry->zone != zone)
			continue;
		denied &= entry->deny;
		return denied ? &image->refs[entry->rule[__builtin_ctz(denied)]] : NULL;
	}
	return NULL;
}

void rf_files_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	char access[RF_FILE_ACCESS_TEXT];
	unsigned int number = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		for (size_t k = 0; k < p->files.n_rules; k++) {
			const struct rf_file_rule *rule = &p->files.rules[k];

			rf_strbuf_adds(out, number ? "" : "\nfiles:\n");
			rf_strbuf_addf(out, "  %3u. %-5s %s%s %s", ++number, rf_action_name(rule->action),
				       rule->label ? "label " : "", rule->label ? rule->label : rule->path,
				       rule->access == RF_FILE_ALL ? "any" : rf_file_access_text(rule->access, access));
			rf_strbuf_addf(out, "  (%s%s, %s:%u)\n", rule->name, p->mode == RF_MODE_AUDIT ? ", audit" : "",
				       p->file, rule->mark.line);
		}
	}
	if (number)
		rf_strbuf_adds(out, "  else allow, but what a label keeps to another tenant\n");
	else
		rf_strbuf_adds(
			out, "\nfiles: no policy speaks of them: allowed, but what a label keeps to another tenant\n");
}

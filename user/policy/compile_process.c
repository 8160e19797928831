// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling the rules of programs. Of several rules with the same text the first is the one that counts. */
#include "user/policy/compile_process.h"

#include <errno.h>

#include "user/policy/digest.h"
#include "user/policy/rule_refs.h"

static void exec_image_free(struct rf_exec_image *image)
{
	if (!image)
		return;
	free(image->refs);
	free(image->entries);
	free(image);
}

RF_DEFINE_CLEANUP(struct rf_exec_image, exec_image_free)

void rf_process_image_free(struct rf_process_image *image)
{
	if (!image)
		return;
	for (int tier = 0; tier < RF_TIERS; tier++)
		exec_image_free(image->exec[tier]);
	free(image->refs);
	free(image);
}

static uint64_t text_hash(const char *text, size_t length)
{
	const struct rf_exec_set none = { 0 };
	struct rf_exec_walk walk;

	rf_exec_walk_init(&walk, 0);
	for (size_t i = 0; i < length; i++)
		(void)rf_exec_walk_step(&walk, &none, text[i]);
	return walk.hash;
}

static int entry_compare(const void *a, const void *b)
{
	return memcmp(&((const struct rf_exec_entry *)a)->key, &((const struct rf_exec_entry *)b)->key,
		      sizeof(struct rf_exec_key));
}

/* What a rule says, of a text or a zone that is filled in by the caller. */
static void entry_fill(const struct rf_exec_rule *rule, uint16_t index, struct rf_exec_entry *ret)
{
	for (int role = 0; role < RF_EXEC_ROLES; role++) {
		bool speaks = role == RF_EXEC_INTERPRETER || !rule->interpreter;

		ret->value.rule[role] = speaks ? index : RF_RULE_DEFAULT;
		ret->value.allow[role] = speaks && rule->action == RF_ACTION_ALLOW;
	}
}

static void text_fill(const struct rf_exec_rule *rule, uint16_t index, struct rf_exec_entry *ret)
{
	*ret = (struct rf_exec_entry){
		.key = { .hash = text_hash(rule->pattern, rule->length), .length = rule->length, .kind = rule->kind },
	};
	memcpy(ret->value.text, rule->pattern, rule->length);
	entry_fill(rule, index, ret);
}

/* Takes what @from says where it comes before. */
static void entry_merge(struct rf_exec_entry *into, const struct rf_exec_entry *from)
{
	for (int role = 0; role < RF_EXEC_ROLES; role++) {
		if (from->value.rule[role] >= into->value.rule[role])
			continue;
		into->value.rule[role] = from->value.rule[role];
		into->value.allow[role] = from->value.allow[role];
	}
}

/* -EEXIST: two texts have one hash, which no two paths that people write have. */
static int entries_sort(struct rf_exec_image *image)
{
	uint32_t kept = 0;

	if (!image->n_entries)
		return 0;
	qsort(image->entries, image->n_entries, sizeof(*image->entries), entry_compare);
	for (uint32_t i = 1; i < image->n_entries; i++) {
		if (entry_compare(&image->entries[kept], &image->entries[i])) {
			image->entries[++kept] = image->entries[i];
			continue;
		}
		if (memcmp(image->entries[kept].value.text, image->entries[i].value.text, RF_EXEC_TEXT_MAX) != 0)
			return -EEXIST;
		entry_merge(&image->entries[kept], &image->entries[i]);
	}
	image->n_entries = kept + 1;
	return 0;
}

static uint64_t image_digest(const struct rf_exec_image *image)
{
	uint64_t digest = rf_digest_add(RF_DIGEST_INIT, (uint64_t)image->n_rules << 32 | image->n_entries);

	digest = rf_digest_add(digest, image->set.stems);
	digest = rf_digest_add(digest, (uint64_t)image->set.trees << 32 | image->set.default_allow);
	digest = rf_digest_add(digest, image->set.zones);
	for (uint32_t i = 0; i < image->n_entries; i++) {
		const struct rf_exec_entry *e = &image->entries[i];

		digest = rf_digest_add(digest, e->key.hash);
		digest = rf_digest_add(digest, (uint64_t)e->key.length << 8 | e->key.kind);
		for (int role = 0; role < RF_EXEC_ROLES; role++)
			digest = rf_digest_add(digest, (uint64_t)e->value.rule[role] << 8 | e->value.allow[role]);
	}
	return digest ? digest : 1;
}

/* The first rule that names its label is all that is asked of a zone: such a rule speaks of every role. */
static void zones_add(const struct rf_zones *zones, const struct rf_exec_rule *rule, uint16_t index,
		      struct rf_exec_image *image, bool *seen)
{
	for (uint32_t zone = 1; zones && zone <= zones->n; zone++) {
		struct rf_exec_entry *entry;

		if (seen[zone - 1] || !rf_zone_has_label(zones, zone, rule->label))
			continue;
		seen[zone - 1] = true;
		entry = &image->entries[image->n_entries++];
		entry->key = (struct rf_exec_key){ .hash = zone, .kind = RF_EXEC_ZONE };
		entry_fill(rule, index, entry);
		image->set.zones++;
	}
}

static int rules_add(const struct rf_policy *p, const struct rf_zones *zones, struct rf_rule_source *sources,
		     struct rf_exec_image *image, bool *seen, struct rf_diags *diags)
{
	for (size_t k = 0; k < p->process.n_rules; k++) {
		const struct rf_exec_rule *rule = &p->process.rules[k];

		if (image->n_rules == RF_MAX_RULES) {
			rf_diags_add(diags, RF_SEVERITY_ERROR, p->file, rule->mark, 0, NULL, 0, NULL,
				     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d exec rules for one "
				     "workload",
				     rule->name, p->tenant, p->namespace, p->name, RF_MAX_RULES);
			return -E2BIG;
		}
		if (rule->kind == RF_EXEC_TREE)
			image->set.trees |= 1u << rule->in_last;
		if (rule->kind == RF_EXEC_STEM)
			image->set.stems |= 1ULL << rule->in_last;
		if (rule->kind == RF_EXEC_ZONE)
			zones_add(zones, rule, image->n_rules, image, seen);
		else
			text_fill(rule, image->n_rules, &image->entries[image->n_entries++]);
		sources[image->n_rules++] = (struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	}
	return 0;
}

static int exec_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
			enum rf_tier tier, struct rf_diags *diags, struct rf_exec_image **ret)
{
	_cleanup_(exec_image_freep) struct rf_exec_image *image = NULL;
	_cleanup_free_ struct rf_rule_source *sources = NULL;
	_cleanup_free_ bool *seen = NULL;
	size_t room, n_zones = zones ? zones->n : 0;
	struct rf_merge merge = { 0 };
	struct rf_exec_entry *fitted;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_process *process = &policies[i]->process;

		if (process->present && rf_tier_takes(tier, policies[i]))
			rf_merge_add(&merge, policies[i], process->default_action, process->mark, process->n_rules);
	}
	if (rf_merge_idle(&merge, tier))
		return 0;
	room = MIN(merge.n_rules, (size_t)RF_MAX_RULES) + 1;
	image = calloc(1, sizeof(*image));
	sources = calloc(room, sizeof(*sources));
	seen = calloc(n_zones + 1, sizeof(*seen));
	if (!image || !sources || !seen)
		return -ENOMEM;
	image->entries = calloc(room + n_zones, sizeof(*image->entries));
	if (!image->entries)
		return -ENOMEM;
	image->set.default_allow = merge.dflt_action == RF_ACTION_ALLOW;
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (policies[i]->process.present && rf_tier_takes(tier, policies[i]))
			r = rules_add(policies[i], zones, sources, image, seen, diags);
	if (r < 0)
		return r;
	sources[image->n_rules] = rf_merge_default(&merge);
	r = rf_rule_refs_new(sources, (size_t)image->n_rules + 1, &image->refs);
	if (r < 0)
		return r;
	r = entries_sort(image);
	if (r < 0)
		return r;
	/* There was room for every zone. */
	fitted = reallocarray(image->entries, image->n_entries + 1, sizeof(*fitted));
	if (fitted)
		image->entries = fitted;
	image->digest = image_digest(image);
	*ret = TAKE_PTR(image);
	return 0;
}

/* What a policy in mode audit denies, and what any reports, is only told of. */
static bool limit_is(const struct rf_policy *p, enum rf_tier tier, int which)
{
	bool deny = p->process.limits[which].deny, report = p->process.limits[which].report;

	if (tier == RF_TIER_ENFORCE)
		return deny && p->mode == RF_MODE_ENFORCE;
	return report || (deny && p->mode == RF_MODE_AUDIT);
}

static const struct rf_policy *limiter(const struct rf_policy *const *policies, size_t n, enum rf_tier tier, int which)
{
	for (size_t i = 0; i < n; i++)
		if (limit_is(policies[i], tier, which))
			return policies[i];
	return NULL;
}

static int limits_compile(const struct rf_policy *const *policies, size_t n, struct rf_process_image *image)
{
	static const char *const names[] = { [RF_EXEC_MEMFD] = "process.memfd", [RF_EXEC_DRIFT] = "process.drift" };
	struct rf_rule_source sources[RF_TIERS * RF_EXEC_LIMITS];
	const struct rf_rule_ref **places[RF_TIERS * RF_EXEC_LIMITS];
	size_t count = 0;
	int r;

	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int which = 0; which < RF_EXEC_LIMITS; which++) {
			const struct rf_policy *p = limiter(policies, n, tier, which);

			if (!p)
				continue;
			image->deny[tier] |= 1u << which;
			places[count] = &image->ref[tier][which];
			sources[count++] = (struct rf_rule_source){ p, names[which], p->process.limits[which].mark.line,
								    RF_ACTION_DENY };
		}
	}
	if (!count)
		return 0;
	r = rf_rule_refs_new(sources, count, &image->refs);
	for (size_t i = 0; r >= 0 && i < count; i++)
		*places[i] = &image->refs[i];
	return r;
}

int rf_process_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		       struct rf_diags *diags, struct rf_process_image **ret_image)
{
	_cleanup_process_image_ struct rf_process_image *image = calloc(1, sizeof(*image));
	bool any;
	int r;

	if (!image)
		return -ENOMEM;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		r = exec_compile(policies, n, zones, tier, diags, &image->exec[tier]);
		if (r < 0)
			return r;
	}
	r = limits_compile(policies, n, image);
	if (r < 0)
		return r;
	any = image->exec[RF_TIER_ENFORCE] || image->exec[RF_TIER_AUDIT] || image->refs;
	*ret_image = any ? TAKE_PTR(image) : NULL;
	return 0;
}

bool rf_exec_image_equal(const struct rf_exec_image *a, const struct rf_exec_image *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->digest != b->digest || a->n_rules != b->n_rules || a->n_entries != b->n_entries ||
	    memcmp(&a->set, &b->set, sizeof(a->set)) != 0)
		return false;
	return !a->n_entries || memcmp(a->entries, b->entries, a->n_entries * sizeof(*a->entries)) == 0;
}

/* The first rule with the text that @walk has come to the end of, if it is before *@ret_rule. */
static void entry_ask(const struct rf_exec_image *image, const struct rf_exec_walk *walk, enum rf_exec_kind kind,
		      enum rf_exec_role role, const char *path, uint32_t *ret_rule)
{
	struct rf_exec_entry wanted = { .key = { .hash = walk->hash, .length = walk->length, .kind = kind } };
	const struct rf_exec_entry *found;

	if (walk->length >= RF_EXEC_TEXT_MAX || !image->n_entries)
		return;
	found = bsearch(&wanted, image->entries, image->n_entries, sizeof(wanted), entry_compare);
	if (found && found->value.rule[role] < *ret_rule && memcmp(found->value.text, path, walk->length) == 0)
		*ret_rule = found->value.rule[role];
}

/* The same of a zone, which may be RF_ZONE_NONE: no entry has that. */
static void zone_ask(const struct rf_exec_image *image, uint32_t zone, enum rf_exec_role role, uint32_t *ret_rule)
{
	struct rf_exec_entry wanted = { .key = { .hash = zone, .kind = RF_EXEC_ZONE } };
	const struct rf_exec_entry *found;

	if (!image->set.zones)
		return;
	found = bsearch(&wanted, image->entries, image->n_entries, sizeof(wanted), entry_compare);
	if (found && found->value.rule[role] < *ret_rule)
		*ret_rule = found->value.rule[role];
}

bool rf_exec_evaluate(const struct rf_exec_image *image, enum rf_exec_role role, const char *path, uint32_t zone,
		      uint32_t *ret_rule)
{
	const char *slash = strrchr(path, '/');
	struct rf_exec_walk walk;
	uint32_t rule = RF_RULE_DEFAULT;

	*ret_rule = 0;
	if (!image)
		return true;
	rf_exec_walk_init(&walk, slash ? slash + 1 - path : 0);
	for (const char *c = path; *c; c++) {
		uint32_t asks = rf_exec_walk_step(&walk, &image->set, *c);

		for (int kind = RF_EXEC_TREE; kind <= RF_EXEC_STEM; kind++)
			if (asks & 1u << kind)
				entry_ask(image, &walk, kind, role, path, &rule);
	}
	entry_ask(image, &walk, RF_EXEC_FILE, role, path, &rule);
	zone_ask(image, zone, role, &rule);
	*ret_rule = rule == RF_RULE_DEFAULT ? image->n_rules : rule;
	return image->refs[*ret_rule].action == RF_ACTION_ALLOW;
}

const struct rf_rule_ref *rf_process_ref(const struct rf_process_image *image, enum rf_tier tier,
					 enum rf_exec_reason reason, uint16_t rule)
{
	const struct rf_exec_image *exec;

	if (!image || (unsigned int)tier >= RF_TIERS)
		return NULL;
	if ((unsigned int)reason < RF_EXEC_LIMITS)
		return image->ref[tier][reason];
	exec = image->exec[tier];
	if (!exec || reason == RF_EXEC_UNREADABLE)
		return NULL;
	if (rule == RF_RULE_DEFAULT)
		return &exec->refs[exec->n_rules];
	return rule < exec->n_rules ? &exec->refs[rule] : NULL;
}

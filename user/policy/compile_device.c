// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device rules -> the entries of a hash. The kernel stops at the first entry it
 * finds, exact before (major, any) before (any, any), so every entry holds the
 * outcome of all rules that are at least as wide as itself, in their order.
 */
#include <assert.h>
#include <errno.h>

#include "user/policy/digest.h"
#include "user/policy/rule_refs.h"

#define ACCESS_BITS 3 /* mknod, read, write */
#define TYPES	    2 /* block 1, char 2 */

/* A rule with its path looked up. */
struct device_rule {
	uint32_t type; /* 0: the device is not there; matches nothing */
	uint32_t major;
	uint32_t minor;
	uint32_t access;
	enum rf_action action;
};

struct build {
	enum rf_tier tier;
	rf_device_resolve_fn resolve;
	void *arg;
	struct rf_diags *diags;
	struct rf_rule_source *sources; /* every rule, then the default */
	struct device_rule *rules;
	uint32_t n_rules;
};

static void build_fini(struct build *b)
{
	free(b->sources);
	free(b->rules);
}

#define _cleanup_build_ _cleanup_(build_fini)

void rf_device_image_free(struct rf_device_image *image)
{
	if (!image)
		return;
	free(image->refs); /* with their strings */
	free(image->entries);
	free(image);
}

static int rule_resolve(struct build *b, const struct rf_policy *p, const struct rf_device_rule *rule,
			struct device_rule *ret)
{
	struct device_rule resolved = { rule->type, rule->major, rule->minor, rule->access, rule->action };
	int r = -ENOENT;

	if (!rule->path) {
		*ret = resolved;
		return 0;
	}
	if (b->resolve)
		r = b->resolve(rule->path, &resolved.type, &resolved.major, &resolved.minor, b->arg);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT) {
		resolved.type = 0;
		/* The rules of a policy in enforce mode are in both tiers; the first has said it. */
		if (b->tier == RF_TIER_ENFORCE || p->mode == RF_MODE_AUDIT)
			rf_diags_add(
				b->diags, RF_SEVERITY_WARNING, p->file, rule->mark, 0, NULL, 0, NULL,
				"device \"%s\" is not on this host: rule \"%s\" of policy \"%s/%s/%s\" matches nothing",
				rule->path, rule->name, p->tenant, p->namespace, p->name);
	}
	*ret = resolved;
	return 0;
}

static int rule_add(struct build *b, const struct rf_policy *p, const struct rf_device_rule *rule)
{
	struct device_rule *resolved = &b->rules[b->n_rules];
	int r;

	if (b->n_rules == RF_MAX_DEVICE_RULES) {
		rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, rule->mark, 0, NULL, 0, NULL,
			     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d device rules for one workload",
			     rule->name, p->tenant, p->namespace, p->name, RF_MAX_DEVICE_RULES);
		return -E2BIG;
	}
	r = rule_resolve(b, p, rule, resolved);
	if (r < 0)
		return r;
	/* The policy checker refuses it: there is no entry between exact and (major, any) that could hold it. */
	assert(resolved->type == 0 || resolved->major != RF_DEVICE_ANY || resolved->minor == RF_DEVICE_ANY);
	b->sources[b->n_rules++] = (struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	return 0;
}

/* Does @rule match every device of @entry? */
static bool rule_covers(const struct device_rule *rule, const struct rf_device_entry *entry)
{
	return rule->type == entry->type && (rule->major == RF_DEVICE_ANY || rule->major == entry->major) &&
	       (rule->minor == RF_DEVICE_ANY || rule->minor == entry->minor);
}

static struct rf_device_entry entry_fold(const struct build *b, enum rf_action dflt, uint32_t type, uint32_t major,
					 uint32_t minor)
{
	struct rf_device_entry entry = { .type = type, .major = major, .minor = minor };
	uint32_t open = (1u << ACCESS_BITS) - 1;

	for (int i = 0; i < ACCESS_BITS; i++)
		entry.rule[i] = RF_RULE_DEFAULT;
	for (uint32_t i = 0; i < b->n_rules && open; i++) {
		uint32_t decided = open & b->rules[i].access;

		if (!decided || !rule_covers(&b->rules[i], &entry))
			continue;
		open &= ~decided;
		if (b->rules[i].action == RF_ACTION_ALLOW)
			entry.allow |= decided;
		for (int bit = 0; bit < ACCESS_BITS; bit++)
			if (decided & 1u << bit)
				entry.rule[bit] = i;
	}
	if (dflt == RF_ACTION_ALLOW)
		entry.allow |= open;
	return entry;
}

static bool same_outcome(const struct rf_device_entry *a, const struct rf_device_entry *b)
{
	return a->allow == b->allow && !memcmp(a->rule, b->rule, sizeof(a->rule));
}

static int number_compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int entry_compare(const void *a, const void *b)
{
	const struct rf_device_entry *x = a, *y = b;
	int r = number_compare(x->type, y->type);

	if (!r)
		r = number_compare(x->major, y->major);
	return r ? r : number_compare(x->minor, y->minor);
}

/* Sorted; an entry that says what the next wider one says is left out; the (any, any) of block and char come last. */
static int entries_make(const struct build *b, enum rf_action dflt, struct rf_device_entry **ret, uint32_t *ret_n)
{
	_cleanup_free_ struct rf_device_entry *list = calloc(2 * (size_t)b->n_rules + TYPES, sizeof(*list));
	uint32_t n = 0, kept = 0;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->n_rules; i++) {
		const struct device_rule *rule = &b->rules[i];

		if ((rule->type != 1 && rule->type != 2) || rule->major == RF_DEVICE_ANY)
			continue;
		list[n++] =
			(struct rf_device_entry){ .type = rule->type, .major = rule->major, .minor = RF_DEVICE_ANY };
		if (rule->minor != RF_DEVICE_ANY)
			list[n++] = (struct rf_device_entry){ .type = rule->type,
							      .major = rule->major,
							      .minor = rule->minor };
	}
	if (n)
		qsort(list, n, sizeof(*list), entry_compare);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t type = list[i].type, major = list[i].major, minor = list[i].minor;
		struct rf_device_entry entry, wider;

		if (i + 1 < n && !entry_compare(&list[i], &list[i + 1]))
			continue; /* kept <= i: what is written below has been read */
		entry = entry_fold(b, dflt, type, major, minor);
		wider = entry_fold(b, dflt, type, minor == RF_DEVICE_ANY ? RF_DEVICE_ANY : major, RF_DEVICE_ANY);
		if (!same_outcome(&entry, &wider))
			list[kept++] = entry;
	}
	for (uint32_t type = 1; type <= TYPES; type++)
		list[kept++] = entry_fold(b, dflt, type, RF_DEVICE_ANY, RF_DEVICE_ANY);
	*ret = TAKE_PTR(list);
	*ret_n = kept;
	return 0;
}

static uint64_t image_digest(const struct rf_device_image *image)
{
	uint64_t digest = rf_digest_add(RF_DIGEST_INIT, (uint64_t)image->n_rules << 32 | image->n_entries);

	for (uint32_t i = 0; i < image->n_entries; i++) {
		const struct rf_device_entry *e = &image->entries[i];

		digest = rf_digest_add(digest, (uint64_t)e->type << 32 | e->major);
		digest = rf_digest_add(digest, (uint64_t)e->minor << 32 | (uint64_t)e->allow << 16 | e->rule[0]);
		digest = rf_digest_add(digest, (uint64_t)e->rule[1] << 16 | e->rule[2]);
	}
	return digest ? digest : 1;
}

static int image_make(struct build *b, const struct rf_merge *merge, struct rf_device_image **ret)
{
	_cleanup_device_image_ struct rf_device_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	image->n_rules = b->n_rules;
	b->sources[b->n_rules] = rf_merge_default(merge);
	r = rf_rule_refs_new(b->sources, (size_t)b->n_rules + 1, &image->refs);
	if (r == 0)
		r = entries_make(b, merge->dflt_action, &image->entries, &image->n_entries);
	if (r < 0)
		return r;
	image->digest = image_digest(image);
	*ret = TAKE_PTR(image);
	return 0;
}

int rf_device_compile(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
		      rf_device_resolve_fn resolve, void *arg, struct rf_diags *diags,
		      struct rf_device_image **ret_image)
{
	_cleanup_build_ struct build b = { .tier = tier, .resolve = resolve, .arg = arg, .diags = diags };
	struct rf_merge merge = { 0 };
	size_t room;
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		if (d->present && rf_tier_takes(tier, policies[i]))
			rf_merge_add(&merge, policies[i], d->default_action, d->mark, d->n_rules);
	}
	if (rf_merge_idle(&merge, tier)) {
		*ret_image = NULL;
		return 0;
	}
	room = MIN(merge.n_rules, (size_t)RF_MAX_DEVICE_RULES) + 1;
	b.sources = calloc(room, sizeof(*b.sources));
	b.rules = calloc(room, sizeof(*b.rules));
	if (!b.sources || !b.rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		if (!d->present || !rf_tier_takes(tier, policies[i]))
			continue;
		for (size_t j = 0; j < d->n_rules; j++) {
			r = rule_add(&b, policies[i], &d->rules[j]);
			if (r < 0)
				return r;
		}
	}
	return image_make(&b, &merge, ret_image);
}

/* The entry that the kernel would use; NULL: none, as for a type that does not exist. */
static const struct rf_device_entry *entry_find(const struct rf_device_image *image, uint32_t type, uint32_t major,
						uint32_t minor)
{
	struct rf_device_entry key = { .type = type, .major = major, .minor = minor };
	uint32_t narrow = image->n_entries - TYPES;
	const struct rf_device_entry *found;

	found = bsearch(&key, image->entries, narrow, sizeof(key), entry_compare);
	if (!found) {
		key.minor = RF_DEVICE_ANY;
		found = bsearch(&key, image->entries, narrow, sizeof(key), entry_compare);
	}
	if (!found && type >= 1 && type <= TYPES)
		found = &image->entries[narrow + type - 1];
	return found;
}

bool rf_device_evaluate(const struct rf_device_image *image, uint32_t type, uint32_t major, uint32_t minor,
			uint32_t access, uint32_t *ret_rule)
{
	const struct rf_device_entry *entry;
	uint16_t rule;

	if (!image) {
		*ret_rule = 0;
		return true;
	}
	entry = entry_find(image, type, major, minor);
	if (!entry) {
		*ret_rule = image->n_rules;
		return false;
	}
	rule = entry->rule[access & RF_DEVICE_MKNOD ? 0 : access & RF_DEVICE_READ ? 1 : 2];
	*ret_rule = rule == RF_RULE_DEFAULT ? image->n_rules : rule;
	return entry->allow & access;
}

bool rf_device_image_equal(const struct rf_device_image *a, const struct rf_device_image *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->digest != b->digest || a->n_rules != b->n_rules || a->n_entries != b->n_entries)
		return false;
	for (uint32_t i = 0; i < a->n_entries; i++)
		if (entry_compare(&a->entries[i], &b->entries[i]) || !same_outcome(&a->entries[i], &b->entries[i]))
			return false;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device rules -> the entries of a hash. The kernel stops at the first entry it
 * finds, exact before (major, any) before (any, any), so every entry holds the
 * outcome of all rules that are at least as wide as itself, in their order, and
 * of the accelerators' where it is a node of one.
 */
#include <assert.h>
#include <errno.h>

#include "user/policy/compile_accelerators.h"
#include "user/policy/digest.h"
#include "user/policy/rule_refs.h"

#define TYPES 2 /* block 1, char 2 */
#define CHAR  2
#define ALL   (RF_DEVICE_OPEN | RF_DEVICE_IOCTLS)

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
	const struct rf_device_host *host;
	struct rf_diags *diags;
	struct rf_merge devices, accelerators; /* the sections */
	struct rf_rule_source *sources;	       /* every rule, of devices first, then the default of each */
	struct device_rule *rules;
	uint32_t n_rules; /* of devices */
	struct rf_accelerator_rules accelerator;
};

static void build_fini(struct build *b)
{
	free(b->sources);
	free(b->rules);
	free(b->accelerator.rules);
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
	if (b->host->resolve)
		r = b->host->resolve(rule->path, &resolved.type, &resolved.major, &resolved.minor, b->host->arg);
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

static int too_many(struct build *b, const struct rf_policy *p, const char *name, struct rf_mark mark, const char *what)
{
	rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, mark, 0, NULL, 0, NULL,
		     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d %s rules for one workload", name,
		     p->tenant, p->namespace, p->name, RF_MAX_DEVICE_RULES, what);
	return -E2BIG;
}

static int rule_add(struct build *b, const struct rf_policy *p, const struct rf_device_rule *rule)
{
	struct device_rule *resolved = &b->rules[b->n_rules];
	int r;

	if (b->n_rules == RF_MAX_DEVICE_RULES)
		return too_many(b, p, rule->name, rule->mark, "device");
	r = rule_resolve(b, p, rule, resolved);
	if (r < 0)
		return r;
	/* The policy checker refuses it: there is no entry between exact and (major, any) that could hold it. */
	assert(resolved->type == 0 || resolved->major != RF_DEVICE_ANY || resolved->minor == RF_DEVICE_ANY);
	b->sources[b->n_rules++] = (struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	return 0;
}

/* After those of devices. */
static int accelerator_rule_add(struct build *b, const struct rf_policy *p, const struct rf_accelerator_rule *rule)
{
	if (b->accelerator.n == RF_MAX_DEVICE_RULES)
		return too_many(b, p, rule->name, rule->mark, "accelerator");
	b->sources[b->n_rules + b->accelerator.n] =
		(struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	b->accelerator.rules[b->accelerator.n++] = rule;
	return 0;
}

/* Does @rule match every device of @entry? */
static bool rule_covers(const struct device_rule *rule, const struct rf_device_entry *entry)
{
	return rule->type == entry->type && (rule->major == RF_DEVICE_ANY || rule->major == entry->major) &&
	       (rule->minor == RF_DEVICE_ANY || rule->minor == entry->minor);
}

/* What spec.devices says; without it, all is allowed. */
static void devices_fold(const struct build *b, struct rf_device_entry *entry)
{
	uint32_t open = RF_DEVICE_OPEN;

	for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
		entry->rule[bit] = RF_RULE_DEFAULT;
	entry->allow = RF_DEVICE_IOCTLS;
	for (uint32_t i = 0; i < b->n_rules && open; i++) {
		uint32_t decided = open & b->rules[i].access;

		if (!decided || !rule_covers(&b->rules[i], entry))
			continue;
		open &= ~decided;
		if (b->rules[i].action == RF_ACTION_ALLOW)
			entry->allow |= decided;
		for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
			if (decided & 1u << bit)
				entry->rule[bit] = i;
	}
	if (!b->devices.present || b->devices.dflt_action == RF_ACTION_ALLOW)
		entry->allow |= open;
}

/*
 * And what spec.accelerators says: a denial of either is one, and the devices' is the one that is named. Of ioctls
 * those have nothing to say.
 */
static void accelerators_fold(const struct build *b, struct rf_device_entry *entry)
{
	uint16_t allow, rule[RF_DEVICE_BITS];

	if (!b->accelerators.present || entry->type != CHAR ||
	    !rf_accelerator_judge(&b->accelerator, entry->major, entry->minor, &allow, rule))
		return;
	for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
		if (!b->devices.present || ((RF_DEVICE_IOCTLS | (entry->allow & ~allow)) & 1u << bit))
			entry->rule[bit] = rule[bit] == RF_RULE_ACCELERATOR_DEFAULT ? rule[bit] :
										      b->n_rules + rule[bit];
	entry->allow = (entry->allow & allow) | RF_DEVICE_ACCELERATOR;
}

static struct rf_device_entry entry_fold(const struct build *b, uint32_t type, uint32_t major, uint32_t minor)
{
	struct rf_device_entry entry = { .type = type, .major = major, .minor = minor };

	devices_fold(b, &entry);
	accelerators_fold(b, &entry);
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

/* Every entry that some rule or some accelerator's node asks for, unsorted, some twice. */
static uint32_t entries_list(const struct build *b, struct rf_device_entry *list)
{
	const struct rf_accelerators *known = b->accelerators.present ? b->host->accelerators : NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n_rules; i++) {
		const struct device_rule *rule = &b->rules[i];

		if ((rule->type != 1 && rule->type != CHAR) || rule->major == RF_DEVICE_ANY)
			continue;
		list[n++] =
			(struct rf_device_entry){ .type = rule->type, .major = rule->major, .minor = RF_DEVICE_ANY };
		if (rule->minor != RF_DEVICE_ANY)
			list[n++] = (struct rf_device_entry){ .type = rule->type,
							      .major = rule->major,
							      .minor = rule->minor };
	}
	for (size_t i = 0; known && i < known->n_nodes; i++) {
		list[n++] = (struct rf_device_entry){ .type = CHAR,
						      .major = known->nodes[i].major,
						      .minor = RF_DEVICE_ANY };
		list[n++] = (struct rf_device_entry){ .type = CHAR,
						      .major = known->nodes[i].major,
						      .minor = known->nodes[i].minor };
	}
	return n;
}

/* Sorted; an entry that says what the next wider one says is left out; the (any, any) of block and char come last. */
static int entries_make(const struct build *b, struct rf_device_entry **ret, uint32_t *ret_n)
{
	size_t nodes = b->host->accelerators ? b->host->accelerators->n_nodes : 0;
	_cleanup_free_ struct rf_device_entry *list = calloc(2 * (b->n_rules + nodes) + TYPES, sizeof(*list));
	uint32_t n, kept = 0;

	if (!list)
		return -ENOMEM;
	n = entries_list(b, list);
	if (n)
		qsort(list, n, sizeof(*list), entry_compare);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t type = list[i].type, major = list[i].major, minor = list[i].minor;
		struct rf_device_entry entry, wider;

		if (i + 1 < n && !entry_compare(&list[i], &list[i + 1]))
			continue; /* kept <= i: what is written below has been read */
		entry = entry_fold(b, type, major, minor);
		wider = entry_fold(b, type, minor == RF_DEVICE_ANY ? RF_DEVICE_ANY : major, RF_DEVICE_ANY);
		if (!same_outcome(&entry, &wider))
			list[kept++] = entry;
	}
	for (uint32_t type = 1; type <= TYPES; type++)
		list[kept++] = entry_fold(b, type, RF_DEVICE_ANY, RF_DEVICE_ANY);
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
		digest = rf_digest_add(digest, (uint64_t)e->minor << 32 | e->allow);
		for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
			digest = rf_digest_add(digest, e->rule[bit]);
	}
	return digest ? digest : 1;
}

static int image_make(struct build *b, struct rf_device_image **ret)
{
	const struct rf_merge *devices = b->devices.present ? &b->devices : &b->accelerators;
	const struct rf_merge *accelerators = b->accelerators.present ? &b->accelerators : &b->devices;
	_cleanup_device_image_ struct rf_device_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	image->n_rules = b->n_rules + b->accelerator.n;
	image->accelerators = b->accelerators.present;
	b->sources[image->n_rules] = rf_merge_default(devices);
	b->sources[image->n_rules + 1] = rf_merge_default(accelerators);
	r = rf_rule_refs_new(b->sources, (size_t)image->n_rules + 2, &image->refs);
	if (r == 0)
		r = entries_make(b, &image->entries, &image->n_entries);
	if (r < 0)
		return r;
	image->digest = image_digest(image);
	*ret = TAKE_PTR(image);
	return 0;
}

static int rules_add(struct build *b, const struct rf_policy *const *policies, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		for (size_t j = 0; r >= 0 && rf_tier_takes(b->tier, policies[i]) && j < d->n_rules; j++)
			r = rule_add(b, policies[i], &d->rules[j]);
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct rf_accelerator_section *a = &policies[i]->accelerators;

		for (size_t j = 0; r >= 0 && rf_tier_takes(b->tier, policies[i]) && j < a->n_rules; j++)
			r = accelerator_rule_add(b, policies[i], &a->rules[j]);
	}
	return r;
}

int rf_device_compile(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
		      const struct rf_device_host *host, struct rf_diags *diags, struct rf_device_image **ret_image)
{
	_cleanup_build_ struct build b = { .tier = tier, .host = host, .diags = diags };
	size_t devices, accelerators;
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct rf_accelerator_section *a = &policies[i]->accelerators;
		const struct rf_devices *d = &policies[i]->devices;

		if (d->present && rf_tier_takes(tier, policies[i]))
			rf_merge_add(&b.devices, policies[i], d->default_action, d->mark, d->n_rules);
		if (a->present && rf_tier_takes(tier, policies[i]))
			rf_merge_add(&b.accelerators, policies[i], a->default_action, a->mark, a->n_rules);
	}
	if (rf_merge_idle(&b.devices, tier) && rf_merge_idle(&b.accelerators, tier)) {
		*ret_image = NULL;
		return 0;
	}
	devices = MIN(b.devices.n_rules, (size_t)RF_MAX_DEVICE_RULES);
	accelerators = MIN(b.accelerators.n_rules, (size_t)RF_MAX_DEVICE_RULES);
	b.sources = calloc(devices + accelerators + 2, sizeof(*b.sources));
	b.rules = calloc(devices + 1, sizeof(*b.rules));
	b.accelerator.rules = calloc(accelerators + 1, sizeof(*b.accelerator.rules));
	if (!b.sources || !b.rules || !b.accelerator.rules)
		return -ENOMEM;
	b.accelerator.known = host->accelerators;
	b.accelerator.dflt = b.accelerators.dflt_action;
	r = rules_add(&b, policies, n);
	return r < 0 ? r : image_make(&b, ret_image);
}

const struct rf_rule_ref *rf_device_image_ref(const struct rf_device_image *image, uint16_t rule)
{
	if (rule == RF_RULE_DEFAULT)
		return &image->refs[image->n_rules];
	if (rule == RF_RULE_ACCELERATOR_DEFAULT)
		return &image->refs[image->n_rules + 1];
	return rule < image->n_rules ? &image->refs[rule] : NULL;
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
	rule = entry->rule[__builtin_ctz(access)];
	*ret_rule = rf_device_image_ref(image, rule) - image->refs;
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

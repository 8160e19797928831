// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rates of rules. A rule has its place in the rule set of its policy's mode: of
 * what is enforced, or of all (see rf_ruleset_compile()). In the second only
 * rules in audit have a rate; the others' is enforced already.
 */
#include <errno.h>
#include <inttypes.h>

#include "user/policy/compile_rates.h"
#include "user/policy/digest.h"
#include "user/policy/rule_refs.h"

struct build {
	struct rf_diags *diags;
	struct rf_rates_image *image;
	struct rf_rule_source *sources; /* two at most for each rule of the image */
	size_t n_sources;
	char **names; /* of the sources */
};

static const struct {
	const char *name;
	unsigned int kind;
} shown[] = {
	{ "bytesPerSecond", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BYTES) },
	{ "packetsPerSecond", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_PACKETS) },
	{ "burst", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BURST) },
	{ "connectionsPerSecond", RF_RATE_KIND_CONNECTION_RATE },
	{ "connections", RF_RATE_KIND_CONNECTIONS },
};

void rf_rule_rate_show(const struct rf_rates *rate, struct rf_strbuf *out)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (!rate->of[shown[i].kind].given)
			continue;
		rf_strbuf_addf(out, "%s%s %" PRIu64, any ? ", " : "", shown[i].name, rate->of[shown[i].kind].value);
		any = true;
	}
}

static bool rate_is_empty(const struct rf_rates *rate)
{
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (rate->of[shown[i].kind].given)
			return false;
	return true;
}

static uint64_t text_add(uint64_t digest, const char *text)
{
	digest = rf_digest_add(digest, strlen(text));
	for (; *text; text++)
		digest = rf_digest_add(digest, (unsigned char)*text);
	return digest;
}

/* Rules of one name are told apart by their order. */
static uint64_t rule_digest(const struct rf_policy *p, enum rf_direction direction, size_t index)
{
	const struct rf_network_rule *rules = p->network[direction].rules;
	uint64_t digest = RF_DIGEST_INIT, before = 0;

	for (size_t i = 0; i < index; i++)
		before += rules[i].rate && rf_streq(rules[i].name, rules[index].name);
	digest = text_add(digest, p->tenant);
	digest = text_add(digest, p->namespace);
	digest = text_add(digest, p->name);
	digest = rf_digest_add(digest, (uint64_t)direction << 32 | before);
	return text_add(digest, rules[index].name);
}

uint64_t rf_rule_rate_state_id(const struct rf_rule_rate_image *rule, uint32_t workload, uint32_t owner)
{
	uint64_t id = rf_digest_add(rule->digest, (uint64_t)workload << 32 | owner);

	return id ? id : 1;
}

static int source_add(struct build *b, const struct rf_policy *p, const struct rf_network_rule *rule, unsigned int kind,
		      const char *what)
{
	char *name;

	if (!rule->rate->of[kind].given)
		return 0;
	if (asprintf(&name, "%s.rate.%s", rule->name, what) < 0)
		return -ENOMEM;
	b->names[b->n_sources] = name;
	b->sources[b->n_sources++] = (struct rf_rule_source){ p, name, rule->rate->of[kind].mark.line, RF_ACTION_DENY };
	return 0;
}

static void limits_make(const struct rf_rates *rate, enum rf_tier tier, struct rf_rate_limits *limits)
{
	*limits = (struct rf_rate_limits){ .connections = { RF_CONNECTIONS_ANY, RF_CONNECTIONS_ANY } };
	for (int direction = 0; direction < RF_DIRECTIONS; direction++)
		rf_rate_limit_make(limits->limit[direction][tier], direction,
				   rate->of[RF_RATE_KIND(direction, RF_RATE_KIND_BYTES)].value,
				   rate->of[RF_RATE_KIND(direction, RF_RATE_KIND_PACKETS)].value,
				   rate->of[RF_RATE_KIND(direction, RF_RATE_KIND_BURST)].value);
	if (rate->of[RF_RATE_KIND_CONNECTIONS].given)
		limits->connections[tier] = rate->of[RF_RATE_KIND_CONNECTIONS].value;
	limits->connections_per_second[tier] = rate->of[RF_RATE_KIND_CONNECTION_RATE].value;
}

static int rule_add(struct build *b, const struct rf_policy *p, enum rf_direction direction, enum rf_tier tier,
		    size_t index, uint16_t place)
{
	const struct rf_network_rule *rule = &p->network[direction].rules[index];
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	struct rf_rule_rate_image *to;
	int r;

	if (b->image->n_rules == RF_MAX_RULE_RATES) {
		rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, rule->mark, 0, NULL, 0,
			     "put peers and ports that share a rate into one rule",
			     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d rules with a rate for one "
			     "workload",
			     rule->name, p->tenant, p->namespace, p->name, RF_MAX_RULE_RATES);
		return -E2BIG;
	}
	to = &b->image->rules[b->image->n_rules];
	to->direction = direction;
	to->tier = tier;
	to->rule = place;
	to->connections = rule->rate->of[RF_RATE_KIND_CONNECTIONS].given ||
			  rule->rate->of[RF_RATE_KIND_CONNECTION_RATE].given;
	to->digest = rule_digest(p, direction, index);
	limits_make(rule->rate, tier, &to->limits);
	rf_rule_rate_show(rule->rate, &text);
	to->text = rf_strbuf_take(&text);
	if (!to->text)
		return -ENOMEM;
	b->image->n_rules++;
	b->image->rule_connections |= to->connections;
	r = source_add(b, p, rule, RF_RATE_KIND_CONNECTIONS, "connections");
	return r < 0 ? r : source_add(b, p, rule, RF_RATE_KIND_CONNECTION_RATE, "connectionsPerSecond");
}

static int rules_add(struct build *b, const struct rf_policy *const *policies, size_t n, enum rf_direction direction,
		     enum rf_tier tier)
{
	enum rf_mode mode = tier == RF_TIER_AUDIT ? RF_MODE_AUDIT : RF_MODE_ENFORCE;
	size_t place = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (!d->present || !rf_tier_takes(tier, policies[i]))
			continue;
		for (size_t k = 0; k < d->n_rules; k++, place++) {
			int r;

			if (policies[i]->mode != mode || d->rules[k].action != RF_ACTION_ALLOW || !d->rules[k].rate ||
			    rate_is_empty(d->rules[k].rate))
				continue;
			r = rule_add(b, policies[i], direction, tier, k, place);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* In the order in which they were added. */
static int refs_make(struct build *b)
{
	size_t at = 0;
	int r;

	if (!b->n_sources)
		return 0;
	r = rf_rule_refs_new(b->sources, b->n_sources, &b->image->rule_refs);
	for (size_t i = 0; r >= 0 && i < b->image->n_rules; i++) {
		struct rf_rule_rate_image *rule = &b->image->rules[i];

		if (rule->limits.connections[rule->tier] != RF_CONNECTIONS_ANY)
			rule->connections_ref = &b->image->rule_refs[at++];
		if (rule->limits.connections_per_second[rule->tier])
			rule->connection_rate_ref = &b->image->rule_refs[at++];
	}
	return r;
}

/* As many as there may be at most; one past the limit is told where it stands. */
static size_t rules_count(const struct rf_policy *const *policies, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (int direction = 0; direction < RF_DIRECTIONS; direction++)
			for (size_t k = 0; k < policies[i]->network[direction].n_rules; k++)
				count += policies[i]->network[direction].rules[k].rate != NULL;
	return MIN(count, (size_t)RF_MAX_RULE_RATES);
}

int rf_rule_rates_compile(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
			  struct rf_rates_image *image)
{
	struct build b = { .diags = diags, .image = image };
	size_t count = rules_count(policies, n);
	int r = 0;

	if (!count)
		return 0;
	image->rules = calloc(count, sizeof(*image->rules));
	b.sources = calloc(2 * count, sizeof(*b.sources));
	b.names = calloc(2 * count, sizeof(*b.names));
	if (!image->rules || !b.sources || !b.names)
		r = -ENOMEM;
	for (int direction = 0; direction < RF_DIRECTIONS; direction++)
		for (int tier = 0; r >= 0 && tier < RF_TIERS; tier++)
			r = rules_add(&b, policies, n, direction, tier);
	if (r >= 0)
		r = refs_make(&b);
	for (size_t i = 0; i < b.n_sources; i++)
		free(b.names[i]);
	free(b.names);
	free(b.sources);
	return r;
}

void rf_rule_rates_fini(struct rf_rates_image *image)
{
	for (size_t i = 0; i < image->n_rules; i++)
		free(image->rules[i].text);
	free(image->rules);
	free(image->rule_refs);
}

const struct rf_rule_rate_image *rf_rates_rule(const struct rf_rates_image *image, enum rf_direction direction,
					       enum rf_tier tier, uint16_t rule)
{
	for (size_t i = 0; image && i < image->n_rules; i++) {
		const struct rf_rule_rate_image *r = &image->rules[i];

		if (r->direction == direction && r->tier == tier && r->rule == rule)
			return r;
	}
	return NULL;
}

const struct rf_rule_ref *rf_rates_rule_ref(const struct rf_rates_image *image, enum rf_direction direction,
					    enum rf_tier tier, uint16_t rule)
{
	bool open = rule & RF_RULE_OF_CONNECTIONS;
	const struct rf_rule_rate_image *r;

	rule &= ~(open ? RF_RULE_OF_CONNECTIONS : RF_RULE_OF_CONNECTION_RATE);
	r = rf_rates_rule(image, direction, tier, rule);
	return !r ? NULL : open ? r->connections_ref : r->connection_rate_ref;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates of rules of several policies: the place of each in its rule set, its tier, whose state it has, how many fit. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_rates.h"

#define SEC    1000000000ULL
#define EGRESS "  network:\n    egress:\n      rules:\n"
#define AUDIT  "  mode: audit\n"

struct compiled {
	struct parsed parsed;
	struct rf_rates_image *image;
	int r;
};

static void compiled_fini(struct compiled *c)
{
	rf_rates_image_free(c->image);
	parsed_fini(&c->parsed);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text) };

	assert_right(&c.parsed);
	c.r = rf_rates_compile((const struct rf_policy *const *)c.parsed.set->policies, c.parsed.set->n,
			       &c.parsed.diags, &c.image);
	return c;
}

static const struct rf_rule_rate_image *rule_at(const struct compiled *c, enum rf_direction direction,
						enum rf_tier tier, uint16_t rule)
{
	const struct rf_rule_rate_image *found = rf_rates_rule(c->image, direction, tier, rule);

	assert_non_null(found);
	return found;
}

static void without_rates_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD EGRESS "        - rate: {}\n        - {}\n");

	(void)state;
	assert_int_equal(c.r, 0);
	assert_null(c.image);
	assert_null(rf_rates_rule(c.image, RF_EGRESS, RF_TIER_ENFORCE, 0));
}

static void a_rate_is_that_of_its_rule_each_way(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD EGRESS "        - {}\n"
					  "        - {name: b, rate: {bytesPerSecond: 1M, packetsPerSecond: 1000}}\n"
					  "        - {name: c, rate: {connections: 5, connectionsPerSecond: 7}}\n");
	const struct rf_rule_rate_image *bytes, *connections;

	(void)state;
	assert_int_equal(c.image->n_rules, 2);
	assert_false(c.image->shaped);
	assert_false(c.image->connections);
	assert_true(c.image->rule_connections);
	assert_null(rf_rates_rule(c.image, RF_EGRESS, RF_TIER_ENFORCE, 0));
	assert_null(rf_rates_rule(c.image, RF_INGRESS, RF_TIER_ENFORCE, 1));
	bytes = rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 1);
	for (int way = 0; way < RF_DIRECTIONS; way++) {
		const struct rf_rate_limit *limit = bytes->limits.limit[way][RF_TIER_ENFORCE];

		assert_int_equal(limit[RF_RATE_BYTES].per_second, 1000000);
		assert_int_equal(limit[RF_RATE_PACKETS].per_second, 1000);
		assert_int_equal(limit[RF_RATE_PACKETS].burst_ns, way == RF_EGRESS ? 45 * SEC / 1000 : SEC / 4);
		assert_int_equal(bytes->limits.limit[way][RF_TIER_AUDIT][RF_RATE_BYTES].per_second, 0);
	}
	assert_false(bytes->connections);
	assert_int_equal(bytes->limits.connections[RF_TIER_ENFORCE], RF_CONNECTIONS_ANY);
	assert_string_equal(bytes->text, "bytesPerSecond 1000000, packetsPerSecond 1000");
	connections = rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 2);
	assert_true(connections->connections);
	assert_int_equal(connections->limits.connections[RF_TIER_ENFORCE], 5);
	assert_int_equal(connections->limits.connections[RF_TIER_AUDIT], RF_CONNECTIONS_ANY);
	assert_int_equal(connections->limits.connections_per_second[RF_TIER_ENFORCE], 7);
	assert_int_equal(connections->limits.limit[RF_EGRESS][RF_TIER_ENFORCE][RF_RATE_BYTES].per_second, 0);
}

static void a_limit_that_decides_is_told_by_rule_and_line(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD EGRESS "        - rate: {connectionsPerSecond: 1}\n"
					  "        - {name: b, rate: {connections: 5, connectionsPerSecond: 7}}\n");
	const struct rf_rule_ref *ref;

	(void)state;
	assert_null(rf_rates_rule_ref(c.image, RF_EGRESS, RF_TIER_ENFORCE, 0 | RF_RULE_OF_CONNECTIONS));
	ref = rf_rates_rule_ref(c.image, RF_EGRESS, RF_TIER_ENFORCE, 0 | RF_RULE_OF_CONNECTION_RATE);
	assert_string_equal(ref->rule, "egress[0].rate.connectionsPerSecond");
	ref = rf_rates_rule_ref(c.image, RF_EGRESS, RF_TIER_ENFORCE, 1 | RF_RULE_OF_CONNECTIONS);
	assert_string_equal(ref->rule, "b.rate.connections");
	assert_string_equal(ref->policy, "t/default/x");
	assert_int_equal(ref->line, 11);
	assert_int_equal(ref->action, RF_ACTION_DENY);
	ref = rf_rates_rule_ref(c.image, RF_EGRESS, RF_TIER_ENFORCE, 1 | RF_RULE_OF_CONNECTION_RATE);
	assert_string_equal(ref->rule, "b.rate.connectionsPerSecond");
	assert_null(rf_rates_rule_ref(c.image, RF_INGRESS, RF_TIER_ENFORCE, 1 | RF_RULE_OF_CONNECTIONS));
	assert_null(rf_rates_rule_ref(NULL, RF_EGRESS, RF_TIER_ENFORCE, 1 | RF_RULE_OF_CONNECTIONS));
}

static void each_rule_of_several_policies_keeps_its_own(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("late") "  priority: 9\n" EGRESS "        - {name: a, rate: {connections: 2}}\n---\n" //
		HEAD_OF("early") "  priority: 1\n" EGRESS
				 "        - {}\n        - {name: a, rate: {connections: 1}}\n");

	(void)state;
	assert_int_equal(c.image->n_rules, 2);
	assert_int_equal(rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 1)->limits.connections[RF_TIER_ENFORCE], 1);
	assert_int_equal(rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 2)->limits.connections[RF_TIER_ENFORCE], 2);
	assert_int_not_equal(rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 1)->digest,
			     rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 2)->digest);
}

static void rules_in_audit_have_their_place_among_all(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") AUDIT EGRESS "        - {}\n        - {rate: {connections: 1}}\n---\n" //
			      HEAD_OF("b") EGRESS "        - {rate: {connections: 2}}\n");
	const struct rf_rule_rate_image *audited;

	(void)state;
	assert_int_equal(c.image->n_rules, 2);
	audited = rule_at(&c, RF_EGRESS, RF_TIER_AUDIT, 1);
	assert_int_equal(audited->limits.connections[RF_TIER_AUDIT], 1);
	assert_int_equal(audited->limits.connections[RF_TIER_ENFORCE], RF_CONNECTIONS_ANY);
	assert_int_equal(rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, 0)->limits.connections[RF_TIER_ENFORCE], 2);
	assert_null(rf_rates_rule(c.image, RF_EGRESS, RF_TIER_AUDIT, 2));
}

static uint64_t digest_of(const char *text, uint16_t rule)
{
	_cleanup_compiled_ struct compiled c = compiled_from(text);

	return rule_at(&c, RF_EGRESS, RF_TIER_ENFORCE, rule)->digest;
}

static void state_belongs_to_policy_and_name(void **state)
{
	uint64_t a = digest_of(HEAD EGRESS "        - {name: a, rate: {connections: 1}}\n", 0);

	(void)state;
	/* Another place, another value, another peer. */
	assert_int_equal(a, digest_of(HEAD EGRESS "        - {name: b, rate: {connections: 1}}\n"
						  "        - {name: a, to: [{host: true}], rate: {connections: 9}}\n",
				      1));
	assert_int_not_equal(a, digest_of(HEAD EGRESS "        - {name: b, rate: {connections: 1}}\n", 0));
	assert_int_not_equal(a, digest_of(HEAD_OF("y") EGRESS "        - {name: a, rate: {connections: 1}}\n", 0));
	/* Two of one name. */
	assert_int_not_equal(a, digest_of(HEAD EGRESS "        - {name: a, rate: {connections: 1}}\n"
						      "        - {name: a, rate: {connections: 1}}\n",
					  1));
}

static struct compiled compiled_many(int n)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_adds(&text, HEAD EGRESS);
	for (int i = 0; i < n; i++)
		rf_strbuf_addf(&text, "        - {name: r%d, rate: {connections: %d}}\n", i, i);
	return compiled_from(rf_strbuf_str(&text));
}

static void as_many_as_the_limit_fit_and_one_more_is_told(void **state)
{
	_cleanup_compiled_ struct compiled fits = compiled_many(RF_MAX_RULE_RATES);
	_cleanup_compiled_ struct compiled past = compiled_many(RF_MAX_RULE_RATES + 1);
	_cleanup_strbuf_ struct rf_strbuf said = RF_STRBUF_INIT;

	(void)state;
	assert_int_equal(fits.r, 0);
	assert_int_equal(fits.image->n_rules, RF_MAX_RULE_RATES);
	assert_int_equal(
		rule_at(&fits, RF_EGRESS, RF_TIER_ENFORCE, RF_MAX_RULE_RATES - 1)->limits.connections[RF_TIER_ENFORCE],
		RF_MAX_RULE_RATES - 1);
	assert_int_equal(past.r, -E2BIG);
	assert_null(past.image);
	rf_diags_print(&past.parsed.diags, &said, false);
	assert_non_null(strstr(rf_strbuf_str(&said),
			       "rule \"r256\" of policy \"t/default/x\" is past the limit of 256 rules with a rate"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rates_there_is_no_image),
		cmocka_unit_test(a_rate_is_that_of_its_rule_each_way),
		cmocka_unit_test(a_limit_that_decides_is_told_by_rule_and_line),
		cmocka_unit_test(each_rule_of_several_policies_keeps_its_own),
		cmocka_unit_test(rules_in_audit_have_their_place_among_all),
		cmocka_unit_test(state_belongs_to_policy_and_name),
		cmocka_unit_test(as_many_as_the_limit_fit_and_one_more_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

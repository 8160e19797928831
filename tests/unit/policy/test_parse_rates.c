// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates of a workload and of rules: quantities, ranges at each limit and one past it. */
#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"
#include "user/policy/check.h"

#define RATES "  network:\n    rates:\n"

static const struct rf_rates *rates_of(const struct parsed *p)
{
	assert_right(p);
	return &p->set->policies[0]->rates;
}

static void assert_value(const char *rates, unsigned int kind, uint64_t value)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text, "%s%s", HEAD RATES, rates);
	_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

	assert_true(rates_of(&p)->of[kind].given);
	assert_int_equal(rates_of(&p)->of[kind].value, value);
	assert_int_equal(rates_of(&p)->of[kind].mark.line, 9);
}

static void quantities_become_numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "100", 0, 100 },
		{ "100k", 0, 100000 },
		{ "100M", 0, 100000000 },
		{ "1.5Gi", 0, 1610612736 },
		{ "0.1Ki", 0, 102 },
		{ "2Ti", 0, 2199023255552 },
		{ "1500m", 0, 1 },
		{ "0.000000001G", 0, 1 },
		{ "999999999999999", 0, 999999999999999 },
		{ "1000000000000000", -ERANGE, 0 },
		{ "999999999999999T", -ERANGE, 0 },
		{ "0.0000000001G", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "1.M", -EINVAL, 0 },
		{ "1.5.5", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1 M", -EINVAL, 0 },
		{ "1kb", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 77;

		if (rf_scalar_quantity(rows[i].text, &value) != rows[i].r || value != (rows[i].r ? 77 : rows[i].value))
			fail_msg("\"%s\" became %llu", rows[i].text, (unsigned long long)value);
	}
}

static void every_value_finds_its_place(void **state)
{
	(void)state;
	assert_value("      egress: {bytesPerSecond: 100M}\n", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BYTES), 100000000);
	assert_value("      ingress: {bytesPerSecond: 1.5Gi}\n", RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BYTES),
		     1610612736);
	assert_value("      egress: {packetsPerSecond: 1000}\n", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_PACKETS), 1000);
	assert_value("      ingress: {packetsPerSecond: 7, burst: 64Ki}\n",
		     RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BURST), 65536);
	assert_value("      connectionsPerSecond: 5\n", RF_RATE_KIND_CONNECTION_RATE, 5);
	assert_value("      connections: 0\n", RF_RATE_KIND_CONNECTIONS, 0);
}

static void what_is_not_said_is_not_limited(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD RATES "      connections: 3\n");

	(void)state;
	for (unsigned int kind = 0; kind < RF_RATE_KINDS; kind++)
		assert_int_equal(rates_of(&p)->of[kind].given, kind == RF_RATE_KIND_CONNECTIONS);
}

static void each_limit_holds_and_one_past_it_does_not(void **state)
{
	static const struct {
		const char *rates, *said;
	} rows[] = {
		{ "egress: {bytesPerSecond: 8Ki}", NULL },
		{ "egress: {bytesPerSecond: 8191}", "bytesPerSecond: \"8191\" is too little" },
		{ "egress: {bytesPerSecond: 0}", "8Ki or more: less cannot pass packets of 64 KiB" },
		{ "ingress: {bytesPerSecond: 1T}", NULL },
		{ "ingress: {bytesPerSecond: 1000000000001}", "1T or less" },
		{ "egress: {packetsPerSecond: 1}", NULL },
		{ "egress: {packetsPerSecond: 0}", "packetsPerSecond" },
		{ "egress: {packetsPerSecond: 1000000000}", NULL },
		{ "egress: {packetsPerSecond: 1000000001}", "packetsPerSecond" },
		{ "egress: {bytesPerSecond: 1M, burst: 65536}", NULL },
		{ "egress: {bytesPerSecond: 1M, burst: 65535}", "64Ki or more" },
		{ "egress: {bytesPerSecond: 1M, burst: 16Gi}", NULL },
		{ "egress: {bytesPerSecond: 1M, burst: 17Gi}", "16Gi or less" },
		{ "egress: {burst: 1M}", "a burst without a rate" },
		{ "connectionsPerSecond: 1", NULL },
		{ "connectionsPerSecond: 0", "connectionsPerSecond" },
		{ "connectionsPerSecond: 1000000", NULL },
		{ "connectionsPerSecond: 1000001", "connectionsPerSecond" },
		{ "connections: 1000000", NULL },
		{ "connections: 1000001", "connections" },
		{ "connections: -1", "connections" },
		{ "egress: {bytesPerSecond: fast}", "\"fast\" is no quantity" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s      %s\n", RATES, rows[i].rates);
		assert_text(rf_strbuf_str(&text), rows[i].said);
	}
}

#define RULES "  network:\n    egress:\n      rules:\n"

static void a_rules_values_hold_for_each_way(void **state)
{
	static const unsigned int kinds[] = { RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BYTES),
					      RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BYTES),
					      RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BURST),
					      RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BURST) };
	_cleanup_parsed_ struct parsed p = parsed_text(
		HEAD RULES "        - rate: {bytesPerSecond: 1M, burst: 1M, connections: 0}\n        - {}\n");
	const struct rf_network_rule *rules;

	(void)state;
	assert_right(&p);
	rules = p.set->policies[0]->network[RF_EGRESS].rules;
	assert_non_null(rules[0].rate);
	assert_null(rules[1].rate);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(rules[0].rate->of[kinds[i]].given);
		assert_int_equal(rules[0].rate->of[kinds[i]].value, 1000000);
		assert_int_equal(rules[0].rate->of[kinds[i]].mark.line, 10);
	}
	assert_false(rules[0].rate->of[RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_PACKETS)].given);
	assert_true(rules[0].rate->of[RF_RATE_KIND_CONNECTIONS].given);
	assert_false(rules[0].rate->of[RF_RATE_KIND_CONNECTION_RATE].given);
}

static void a_rules_limits_hold_and_one_past_them_does_not(void **state)
{
	static const struct {
		const char *rule, *said;
	} rows[] = {
		{ "rate: {bytesPerSecond: 8Ki}", NULL },
		{ "rate: {bytesPerSecond: 8191}", "bytesPerSecond: \"8191\" is too little" },
		{ "rate: {packetsPerSecond: 1000000000}", NULL },
		{ "rate: {packetsPerSecond: 1000000001}", "packetsPerSecond" },
		{ "rate: {bytesPerSecond: 1M, burst: 65535}", "64Ki or more" },
		{ "rate: {burst: 1M}", "a burst without a rate" },
		{ "rate: {connections: 1000000}", NULL },
		{ "rate: {connections: 1000001}", "connections" },
		{ "rate: {connectionsPerSecond: 0}", "connectionsPerSecond" },
		{ "rate: {egress: {}}", "egress" },
		{ "rate: 5", "mapping" },
		{ "{action: allow, rate: {connections: 1}}", NULL },
		{ "{action: deny, rate: {connections: 1}}", "a rate of a rule that denies: it lets no flows pass" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s        - %s\n", RULES, rows[i].rule);
		assert_text(rf_strbuf_str(&text), rows[i].said);
	}
}

static bool
	requires(const struct rf_policy *p, enum rf_feature feature)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return true;
	return false;
}

static void rates_of_workloads_and_of_rules_need_different_features(void **state)
{
	_cleanup_parsed_ struct parsed workload = parsed_text(HEAD RATES "      connections: 3\n"),
				       rule = parsed_text(HEAD "  network:\n    egress:\n      rules:\n"
							       "        - rate: {bytesPerSecond: 1M}\n");

	(void)state;
	assert_right(&workload);
	assert_right(&rule);
	assert_true(requires(workload.set->policies[0], RF_FEATURE_NETWORK_RATES));
	assert_false(requires(workload.set->policies[0], RF_FEATURE_NETWORK_RULE_RATES));
	assert_true(requires(rule.set->policies[0], RF_FEATURE_NETWORK_RULE_RATES));
	assert_false(requires(rule.set->policies[0], RF_FEATURE_NETWORK_RATES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_become_numbers),
		cmocka_unit_test(every_value_finds_its_place),
		cmocka_unit_test(what_is_not_said_is_not_limited),
		cmocka_unit_test(each_limit_holds_and_one_past_it_does_not),
		cmocka_unit_test(a_rules_values_hold_for_each_way),
		cmocka_unit_test(a_rules_limits_hold_and_one_past_them_does_not),
		cmocka_unit_test(rates_of_workloads_and_of_rules_need_different_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates of several policies: the strictest of each value wins, audit only where it is stricter, bursts, and whose. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_rates.h"

#define SEC 1000000000ULL

struct compiled {
	struct parsed parsed;
	struct rf_rates_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_rates_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define RATES		   "  network:\n    rates:\n"
#define AUDIT		   "  mode: audit\n"

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_rates_compile(policies, c.parsed.set->n, &c.parsed.diags, &c.image), 0);
	rf_rates_show(policies, c.parsed.set->n, &c.shown);
	return c;
}

static void assert_limit(const struct compiled *c, enum rf_direction direction, enum rf_tier tier,
			 enum rf_rate_unit unit, uint64_t per_second, uint64_t burst_ns)
{
	const struct rf_rate_limit *limit = &c->image->limits.limit[direction][tier][unit];

	assert_int_equal(limit->per_second, per_second);
	assert_int_equal(limit->burst_ns, burst_ns);
}

static void assert_says(const struct compiled *c, const char *said)
{
	if (!strstr(rf_strbuf_str(&c->shown), said))
		fail_msg("\"%s\" is not said in: %s", said, rf_strbuf_str(&c->shown));
}

static void without_rates_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD RATES "      egress: {}\n");

	(void)state;
	assert_null(c.image);
	assert_says(&c, "rates: no policy limits the workload as a whole\n");
}

static void one_policy_is_taken_as_it_is(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RATES "      egress: {bytesPerSecond: 1M, burst: 500k}\n"
					 "      ingress: {packetsPerSecond: 1000}\n      connections: 0\n");

	(void)state;
	assert_true(c.image->shaped);
	assert_true(c.image->connections);
	assert_limit(&c, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_BYTES, 1000000, SEC / 2);
	assert_limit(&c, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_PACKETS, 0, 0);
	assert_limit(&c, RF_INGRESS, RF_TIER_ENFORCE, RF_RATE_PACKETS, 1000, SEC / 4);
	assert_limit(&c, RF_EGRESS, RF_TIER_AUDIT, RF_RATE_BYTES, 0, 0);
	assert_int_equal(c.image->limits.connections[RF_TIER_ENFORCE], 0);
	assert_int_equal(c.image->limits.connections[RF_TIER_AUDIT], RF_CONNECTIONS_ANY);
	assert_int_equal(c.image->limits.connections_per_second[RF_TIER_ENFORCE], 0);
	assert_says(&c, "\nrates:\n  egress bytesPerSecond 1000000  (x, t.yaml:9)\n"
			"  egress burst 500000  (x, t.yaml:9)\n"
			"  ingress packetsPerSecond 1000  (x, t.yaml:10)\n  connections 0  (x, t.yaml:11)\n");
}

static void a_burst_passes_a_large_packet_and_fits_its_way(void **state)
{
	_cleanup_compiled_ struct compiled slow =
		compiled_from(HEAD RATES "      egress: {bytesPerSecond: 65536, packetsPerSecond: 45}\n");
	_cleanup_compiled_ struct compiled fast = compiled_from(
		HEAD RATES "      egress: {bytesPerSecond: 100M}\n      ingress: {bytesPerSecond: 100M}\n");

	(void)state;
	assert_limit(&slow, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_BYTES, 65536, SEC);
	assert_limit(&slow, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_PACKETS, 45, SEC);
	assert_limit(&fast, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_BYTES, 100000000, RF_RATE_BURST_EGRESS_MS * SEC / 1000);
	assert_limit(&fast, RF_INGRESS, RF_TIER_ENFORCE, RF_RATE_BYTES, 100000000,
		     RF_RATE_BURST_INGRESS_MS * SEC / 1000);
}

static void the_strictest_of_each_value_wins(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") "  priority: 1\n" RATES
					   "      egress: {bytesPerSecond: 2M, packetsPerSecond: 50, burst: 1M}\n"
					   "      connections: 9\n      connectionsPerSecond: 4\n---\n" //
			      HEAD_OF("b") "  priority: 2\n" RATES
					   "      egress: {bytesPerSecond: 1M, packetsPerSecond: 60, burst: 2M}\n"
					   "      connections: 8\n      connectionsPerSecond: 5\n");

	(void)state;
	assert_limit(&c, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_BYTES, 1000000, SEC);
	assert_limit(&c, RF_EGRESS, RF_TIER_ENFORCE, RF_RATE_PACKETS, 50, 666 * SEC / 50);
	assert_int_equal(c.image->limits.connections[RF_TIER_ENFORCE], 8);
	assert_int_equal(c.image->limits.connections_per_second[RF_TIER_ENFORCE], 4);
	assert_string_equal(rf_rates_ref(c.image, RF_TIER_ENFORCE, RF_RULE_CONNECTIONS)->policy, "t/default/b");
	assert_string_equal(rf_rates_ref(c.image, RF_TIER_ENFORCE, RF_RULE_CONNECTIONS)->rule, "connections");
	assert_string_equal(rf_rates_ref(c.image, RF_TIER_ENFORCE, RF_RULE_CONNECTION_RATE)->policy, "t/default/a");
	assert_int_equal(rf_rates_ref(c.image, RF_TIER_ENFORCE, RF_RULE_CONNECTION_RATE)->line, 12);
	assert_null(rf_rates_ref(c.image, RF_TIER_AUDIT, RF_RULE_CONNECTIONS));
	assert_null(rf_rates_ref(c.image, RF_TIER_ENFORCE, RF_RULE_DEFAULT));
	assert_null(rf_rates_ref(NULL, RF_TIER_ENFORCE, RF_RULE_CONNECTIONS));
	assert_says(&c, "connections 8  (b, ");
}

static void audit_reports_only_what_is_stricter_than_what_is_enforced(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") RATES "      egress: {bytesPerSecond: 2M}\n      connections: 5\n---\n" //
			      HEAD_OF("b") AUDIT RATES "      egress: {bytesPerSecond: 1M, packetsPerSecond: 100}\n"
						       "      connections: 5\n");

	(void)state;
	assert_int_equal(c.image->limits.limit[RF_EGRESS][RF_TIER_ENFORCE][RF_RATE_BYTES].per_second, 2000000);
	assert_int_equal(c.image->limits.limit[RF_EGRESS][RF_TIER_AUDIT][RF_RATE_BYTES].per_second, 1000000);
	assert_int_equal(c.image->limits.limit[RF_EGRESS][RF_TIER_ENFORCE][RF_RATE_PACKETS].per_second, 0);
	assert_int_equal(c.image->limits.limit[RF_EGRESS][RF_TIER_AUDIT][RF_RATE_PACKETS].per_second, 100);
	assert_int_equal(c.image->limits.connections[RF_TIER_ENFORCE], 5);
	assert_int_equal(c.image->limits.connections[RF_TIER_AUDIT], RF_CONNECTIONS_ANY);
	assert_says(&c, "in audit, egress bytesPerSecond 1000000  (b, ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rates_there_is_no_image),
		cmocka_unit_test(one_policy_is_taken_as_it_is),
		cmocka_unit_test(a_burst_passes_a_large_packet_and_fits_its_way),
		cmocka_unit_test(the_strictest_of_each_value_wins),
		cmocka_unit_test(audit_reports_only_what_is_stricter_than_what_is_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

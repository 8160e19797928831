// SPDX-License-Identifier: GPL-2.0-or-later
/* spec.isolation: how far, what is let through, where it stands, and what it needs of the host. */
#include "tests/unit/policy/parsed.h"

#define ISOLATION(what) "  isolation: " what "\n"

static const struct rf_policy *policy_of(const struct parsed *p)
{
	assert_right(p);
	return p->set->policies[0];
}

static void assert_denied(const struct rf_policy *p, uint16_t tenants, uint16_t namespaces, uint16_t workloads)
{
	assert_int_equal(p->isolation.limits.deny[RF_BETWEEN_TENANTS], tenants);
	assert_int_equal(p->isolation.limits.deny[RF_BETWEEN_NAMESPACES], namespaces);
	assert_int_equal(p->isolation.limits.deny[RF_BETWEEN_WORKLOADS], workloads);
}

static void a_distance_closes_the_wider_ones_too(void **state)
{
	_cleanup_parsed_ struct parsed tenants = parsed_text(HEAD ISOLATION("{between: tenants}")),
				       namespaces = parsed_text(HEAD ISOLATION("{between: Namespaces}")),
				       workloads = parsed_text(HEAD ISOLATION("{between: workloads}"));

	(void)state;
	assert_denied(policy_of(&tenants), RF_ISOLATION_ALL, 0, 0);
	assert_denied(policy_of(&namespaces), RF_ISOLATION_ALL, RF_ISOLATION_ALL, 0);
	assert_denied(policy_of(&workloads), RF_ISOLATION_ALL, RF_ISOLATION_ALL, RF_ISOLATION_ALL);
}

static void an_empty_section_is_the_default_written_out(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD ISOLATION("{}"));

	(void)state;
	assert_true(policy_of(&p)->isolation.present);
	assert_denied(policy_of(&p), RF_ISOLATION_ALL, 0, 0);
	assert_int_equal(policy_of(&p)->isolation.mark.line, 7);
	assert_int_equal(policy_of(&p)->n_requirements, 1);
	assert_int_equal(policy_of(&p)->requirements[0].feature, RF_FEATURE_ISOLATION);
	assert_int_equal(policy_of(&p)->requirements[0].mark.line, 7);
}

static void what_is_allowed_is_allowed_at_every_distance(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text(HEAD ISOLATION("{between: namespaces, allow: [signal, UNIX, signal]}"));
	uint16_t rest = RF_ISOLATION_ALL & ~(1u << RF_ISOLATION_SIGNAL | 1u << RF_ISOLATION_UNIX);

	(void)state;
	assert_denied(policy_of(&p), rest, rest, 0);
}

static void without_the_section_nothing_is_needed(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD);

	(void)state;
	assert_false(policy_of(&p)->isolation.present);
	assert_int_equal(policy_of(&p)->n_requirements, 0);
}

static void what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *isolation, *said;
	} rows[] = {
		{ "{between: tenant}", "did you mean \"tenants\"?" },
		{ "{between: [tenants]}", "spec.isolation.between: expected a word, found a list" },
		{ "{allow: [signals]}", "did you mean \"signal\"?" },
		{ "{allow: ptrace}", "expected a list of words" },
		{ "{deny: [ptrace]}", "unknown key \"deny\" in spec.isolation" },
		{ "tenants", "expected a mapping" },
		{ "", "expected a mapping, found nothing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "  isolation: %s\n", rows[i].isolation);
		assert_text(rf_strbuf_str(&text), rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_distance_closes_the_wider_ones_too),
		cmocka_unit_test(an_empty_section_is_the_default_written_out),
		cmocka_unit_test(what_is_allowed_is_allowed_at_every_distance),
		cmocka_unit_test(without_the_section_nothing_is_needed),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

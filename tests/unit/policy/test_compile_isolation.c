// SPDX-License-Identifier: GPL-2.0-or-later
/* Isolation of several policies: the default and when it holds, the union of denials, the tiers, and whose. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_isolation.h"

struct compiled {
	struct parsed parsed;
	struct rf_isolation_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_isolation_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define ISOLATION(what)	   "  isolation: {" what "}\n"
#define AUDIT		   "  mode: audit\n"
#define BIT(kind)	   (1u << RF_ISOLATION_##kind)
#define EVERYTHING	   "allow: [signal, ptrace, schedule, ipc, unix, perf, keys]"
#define ALL_WORDS	   "signal ptrace schedule ipc unix perf keys"

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_isolation_compile(policies, c.parsed.set->n, &c.image), 0);
	rf_isolation_show(policies, c.parsed.set->n, &c.shown);
	return c;
}

static void assert_limits(const struct compiled *c, enum rf_tier tier, uint16_t tenants, uint16_t namespaces,
			  uint16_t workloads)
{
	assert_non_null(c->image);
	assert_int_equal(c->image->limits[tier].deny[RF_BETWEEN_TENANTS], tenants);
	assert_int_equal(c->image->limits[tier].deny[RF_BETWEEN_NAMESPACES], namespaces);
	assert_int_equal(c->image->limits[tier].deny[RF_BETWEEN_WORKLOADS], workloads);
	/* What the kernel reads past the last distance. */
	assert_int_equal(c->image->limits[tier].deny[RF_BETWEENS], 0);
}

static void assert_whose(const struct compiled *c, enum rf_tier tier, enum rf_between between,
			 enum rf_isolation_operation operation, const char *policy, const char *name, uint32_t line)
{
	const struct rf_rule_ref *ref = rf_isolation_ref(c->image, tier, between, operation);

	assert_non_null(ref);
	assert_string_equal(ref->policy, policy);
	assert_string_equal(ref->rule, name);
	assert_string_equal(ref->file, "t.yaml");
	assert_int_equal(ref->line, line);
}

static void without_the_section_tenants_are_apart(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD);

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, RF_ISOLATION_ALL, 0, 0);
	assert_limits(&c, RF_TIER_AUDIT, 0, 0, 0);
	assert_int_equal(rf_isolation_kinds(c.image), RF_ISOLATION_ALL);
	assert_whose(&c, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_KILL, "t/default/x", "isolation[signal]", 1);
	assert_null(rf_isolation_ref(c.image, RF_TIER_ENFORCE, RF_BETWEEN_NAMESPACES, RF_OPERATION_KILL));
	assert_null(rf_isolation_ref(c.image, RF_TIER_AUDIT, RF_BETWEEN_TENANTS, RF_OPERATION_KILL));
	assert_null(rf_isolation_ref(c.image, RF_TIERS, RF_BETWEEN_TENANTS, RF_OPERATION_KILL));
	assert_null(rf_isolation_ref(c.image, RF_TIER_ENFORCE, RF_BETWEENS, RF_OPERATION_KILL));
	assert_null(rf_isolation_ref(c.image, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_COUNT));
	assert_string_equal(rf_strbuf_str(&c.shown),
			    "\nisolation:\n  from other tenants: deny " ALL_WORDS "  (default of x, t.yaml:1)\n");
}

static void what_allows_everything_has_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD ISOLATION(EVERYTHING));

	(void)state;
	assert_null(c.image);
	assert_int_equal(rf_isolation_kinds(c.image), 0);
	assert_null(rf_isolation_ref(c.image, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_KILL));
	assert_string_equal(rf_strbuf_str(&c.shown), "\nisolation: from nobody\n");
}

static void a_section_is_heard_over_the_default_of_others(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") "---\n" HEAD_OF("b") ISOLATION("allow: [signal]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, RF_ISOLATION_ALL & ~BIT(SIGNAL), 0, 0);
	assert_whose(&c, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_KEY, "t/default/b", "isolation[keys]", 14);
}

static void denials_of_sections_are_united(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") ISOLATION("between: namespaces, allow: [signal, unix]") "---\n" //
			      HEAD_OF("b") ISOLATION("allow: [signal, ptrace]"));
	uint16_t a = RF_ISOLATION_ALL & ~(BIT(SIGNAL) | BIT(UNIX));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, RF_ISOLATION_ALL & ~BIT(SIGNAL), a, 0);
	/* The first in the order of precedence that denies is named. */
	assert_whose(&c, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_NICE, "t/default/a", "isolation[schedule]",
		     7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_SEND, "t/default/b", "isolation[unix]", 15);
	assert_null(rf_isolation_ref(c.image, RF_TIER_ENFORCE, RF_BETWEEN_TENANTS, RF_OPERATION_KILL));
	assert_string_equal(
		rf_strbuf_str(&c.shown),
		"\nisolation:\n"
		"  from other tenants: deny ptrace schedule ipc unix perf keys  (a, t.yaml:7; b, t.yaml:15)\n"
		"  from other namespaces: deny ptrace schedule ipc perf keys  (a, t.yaml:7)\n");
}

static void audit_enforces_nothing_and_reports_all(void **state)
{
	_cleanup_compiled_ struct compiled alone = compiled_from(HEAD AUDIT),
					   both = compiled_from(HEAD_OF("a") "---\n" HEAD_OF("b")
									AUDIT ISOLATION("between: workloads"));

	(void)state;
	assert_limits(&alone, RF_TIER_ENFORCE, 0, 0, 0);
	assert_limits(&alone, RF_TIER_AUDIT, RF_ISOLATION_ALL, 0, 0);
	assert_limits(&both, RF_TIER_ENFORCE, RF_ISOLATION_ALL, 0, 0);
	assert_limits(&both, RF_TIER_AUDIT, RF_ISOLATION_ALL, RF_ISOLATION_ALL, RF_ISOLATION_ALL);
	assert_whose(&both, RF_TIER_AUDIT, RF_BETWEEN_WORKLOADS, RF_OPERATION_KILL, "t/default/b", "isolation[signal]",
		     15);
	assert_string_equal(rf_strbuf_str(&both.shown),
			    "\nisolation:\n  from other tenants: deny " ALL_WORDS "  (default of a, t.yaml:1)\n"
			    "  in audit, from other namespaces: deny " ALL_WORDS "  (b, t.yaml:15)\n"
			    "  in audit, from other workloads: deny " ALL_WORDS "  (b, t.yaml:15)\n");
}

static void no_policies_deny_nothing(void **state)
{
	struct rf_isolation_image *image = NULL;

	(void)state;
	assert_int_equal(rf_isolation_compile(NULL, 0, &image), 0);
	assert_null(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_section_tenants_are_apart),
		cmocka_unit_test(what_allows_everything_has_no_image),
		cmocka_unit_test(a_section_is_heard_over_the_default_of_others),
		cmocka_unit_test(denials_of_sections_are_united),
		cmocka_unit_test(audit_enforces_nothing_and_reports_all),
		cmocka_unit_test(no_policies_deny_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

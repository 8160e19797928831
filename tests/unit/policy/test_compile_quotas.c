// SPDX-License-Identifier: GPL-2.0-or-later
/* Quotas of accelerators: what a policy gives, what is wrong in it, what of several policies wins, and whose. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_quotas.h"

#define MS		      1000000ULL
#define ACCELERATORS(section) "  accelerators: {" section "}\n"
#define AUDIT		      "  mode: audit\n"

struct compiled {
	struct parsed parsed;
	struct rf_quotas_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_quotas_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_quotas_compile(policies, c.parsed.set->n, &c.image), 0);
	rf_quotas_show(policies, c.parsed.set->n, &c.shown);
	return c;
}

static void without_quotas_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD ACCELERATORS("default: allow"));

	(void)state;
	assert_null(c.image);
	assert_string_equal(rf_strbuf_str(&c.shown), "");
}

static void one_policy_is_taken_as_it_is(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD ACCELERATORS(
		"quota: {share: 20, limitPercent: 50, burst: 5ms, memory: 2Gi, submissionsPerSecond: 7, "
		"contexts: 0, workConserving: false, budget: {deviceTime: 1m}}, tenantQuota: {memory: 4k}, "
		"overMemory: ENOMEM"));
	const struct rf_accelerator_quota *q;

	(void)state;
	assert_non_null(c.image);
	q = &c.image->quota[RF_ACCEL_WORKLOAD];
	assert_int_equal(q->share, 20);
	assert_int_equal(q->percent, 50);
	assert_int_equal(q->burst_ns, 5 * MS);
	assert_int_equal(q->memory, 2ULL << 30);
	assert_int_equal(q->submissions, 7);
	assert_int_equal(q->contexts, 0);
	assert_true(q->not_conserving);
	assert_int_equal(c.image->flags[RF_ACCEL_WORKLOAD], RF_QUOTA_GIVEN | RF_QUOTA_WAIT | RF_QUOTA_ENOMEM);
	assert_int_equal(c.image->flags[RF_ACCEL_NAMESPACE], 0);
	assert_null(rf_quotas_ref(c.image, RF_ACCEL_NAMESPACE));
	assert_int_equal(c.image->quota[RF_ACCEL_TENANT].memory, 4000);
	assert_int_equal(c.image->quota[RF_ACCEL_TENANT].contexts, RF_ACCEL_CONTEXTS_ANY);
	assert_string_equal(rf_quotas_ref(c.image, RF_ACCEL_TENANT)->policy, "t/default/x");
	assert_string_equal(rf_strbuf_str(&c.shown),
			    "\nquotas of accelerators:\n"
			    "  workload: share 20 and no more limitPercent 50 burst 5.000 ms memory 2147483648 "
			    "submissionsPerSecond 7 contexts 0 budget 60.000 s in 86400 s, then deny  (x, t.yaml:7)\n"
			    "  tenant: memory 4000  (x, t.yaml:7)\n");
}

static void a_section_of_quotas_alone_says_nothing_of_access(void **state)
{
	_cleanup_compiled_ struct compiled alone = compiled_from(HEAD ACCELERATORS("quota: {share: 1}"));
	_cleanup_compiled_ struct compiled both = compiled_from(HEAD ACCELERATORS("quota: {share: 1}, default: deny"));

	(void)state;
	assert_false(alone.parsed.set->policies[0]->accelerators.present);
	assert_true(both.parsed.set->policies[0]->accelerators.present);
}

static void the_strictest_of_each_value_wins(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("a") "  priority: 1\n" ACCELERATORS("quota: {share: 9, memory: 8Gi, contexts: 3}") "---\n" //
		HEAD_OF("b") "  priority: 2\n" ACCELERATORS(
			"quota: {share: 10, limitPercent: 10, memory: 4Gi, contexts: 4}, overQuota: EAGAIN"));
	const struct rf_accelerator_quota *q = &c.image->quota[RF_ACCEL_WORKLOAD];

	(void)state;
	assert_int_equal(q->share, 9);
	assert_int_equal(q->percent, 10);
	assert_int_equal(q->memory, 4ULL << 30);
	assert_int_equal(q->contexts, 3);
	assert_int_equal(c.image->flags[RF_ACCEL_WORKLOAD], RF_QUOTA_GIVEN);
}

static void audit_has_a_say_where_nothing_is_enforced(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("a") AUDIT ACCELERATORS("quota: {memory: 1Gi}, namespaceQuota: {share: 5}") "---\n" //
		HEAD_OF("b") ACCELERATORS("quota: {memory: 4Gi}, overQuota: EDQUOT"));

	(void)state;
	assert_int_equal(c.image->quota[RF_ACCEL_WORKLOAD].memory, 4ULL << 30);
	assert_int_equal(c.image->flags[RF_ACCEL_WORKLOAD], RF_QUOTA_GIVEN | RF_QUOTA_EDQUOT);
	assert_int_equal(c.image->quota[RF_ACCEL_NAMESPACE].share, 5);
	assert_int_equal(c.image->flags[RF_ACCEL_NAMESPACE], RF_QUOTA_GIVEN | RF_QUOTA_AUDIT | RF_QUOTA_WAIT);
	assert_non_null(strstr(rf_strbuf_str(&c.shown), "in audit, namespace: share 5"));
}

static void of_nvidias_driver_what_launches_alone_tell_is_idle_without_them(void **state)
{
	static const struct {
		const char *section;
		bool idle;
	} rows[] = {
		{ "quota: {share: 2}", true },
		{ "quota: {limitPercent: 20}", true },
		{ "quota: {submissionsPerSecond: 5}", true },
		{ "quota: {contexts: 0}", true },
		{ "quota: {budget: {joules: 5}}", true },
		{ "quota: {memory: 1Gi, share: 2}", true },
		{ "quota: {memory: 1Gi}", false },
		{ "quota: {share: 2}, userModeSubmission: true", false },
		{ "userModeSubmission: true", false },
		{ "tenantQuota: {share: 2}", false },
	};
	struct rf_accelerator device = { .driver = "nvidia", .classes = 1u << RF_ACCELERATOR_NVIDIA };
	struct rf_accelerators known = { .devices = &device, .n_devices = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "  accelerators: {%s}\n", rows[i].section);
		_cleanup_parsed_ struct parsed p = parsed_text(text);
		const struct rf_accelerator_section *a;

		assert_right(&p);
		a = &p.set->policies[0]->accelerators;
		device.driver = "nvidia";
		assert_int_equal(rf_quota_is_idle(a, RF_ACCEL_WORKLOAD, &known), rows[i].idle);
		device.driver = "nouveau";
		assert_false(rf_quota_is_idle(a, RF_ACCEL_WORKLOAD, &known));
		assert_false(rf_quota_is_idle(a, RF_ACCEL_WORKLOAD, &(struct rf_accelerators){ 0 }));
	}
}

static void what_is_wrong_is_told_with_a_hint(void **state)
{
	static const struct {
		const char *section, *said;
	} rows[] = {
		{ "quota: {share: 0}", "share" },
		{ "quota: {share: 10001}", "share" },
		{ "quota: {limitPercent: 101}", "limitPercent" },
		{ "quota: {burst: 1ms}", "a burst of nothing" },
		{ "quota: {share: 1, burst: 2m}", "burst: \"2m\" is out of range" },
		{ "quota: {memory: 0}", "memory: \"0\" is out of range" },
		{ "quota: {workConserving: false}", "nothing that workConserving could speak of" },
		{ "quota: {contexts: 65537}", "contexts" },
		{ "quota: {budget: {}}", "budget" },
		{ "quota: {budget: {joules: 0}}", "joules" },
		{ "quota: {budget: {deviceTime: 0s}}", "deviceTime" },
		{ "quota: {budget: {deviceTime: 367d}}", "deviceTime" },
		{ "quota: {budget: {deviceTime: 1s, window: 59s}}", "window" },
		{ "overQuota: EAGAIN", "there is no quota to be over" },
		{ "quota: {share: 1}, overQuota: EPERM", "overQuota" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "  accelerators: {%s}\n", rows[i].section);
		_cleanup_parsed_ struct parsed p = parsed_text(text);

		if (!strstr(rf_strbuf_str(&p.said), "t.yaml:7:") || !strstr(rf_strbuf_str(&p.said), rows[i].said))
			fail_msg("%s: %s", rows[i].section, rf_strbuf_str(&p.said));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_quotas_there_is_no_image),
		cmocka_unit_test(one_policy_is_taken_as_it_is),
		cmocka_unit_test(a_section_of_quotas_alone_says_nothing_of_access),
		cmocka_unit_test(the_strictest_of_each_value_wins),
		cmocka_unit_test(audit_has_a_say_where_nothing_is_enforced),
		cmocka_unit_test(of_nvidias_driver_what_launches_alone_tell_is_idle_without_them),
		cmocka_unit_test(what_is_wrong_is_told_with_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

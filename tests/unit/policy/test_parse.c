// SPDX-License-Identifier: GPL-2.0-or-later
/* The language: defaults, limits at the limit and one past it, and what a policy comes out as. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ringfence/event.h"
#include "ringfence/policy_map.h"
#include "ringfence/workload_map.h"
#include "user/policy/check.h"
#include "user/policy/parse.h"

#define HEAD "apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: x}\nspec:\n  select: [{cgroup: /a}]\n"

/* Parses @text; *ret_errors: how many errors it has. The caller frees. */
static struct rf_policy_set *parse_text(const char *text, size_t *ret_errors)
{
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_policy_set *set = calloc(1, sizeof(*set));
	int r;

	assert_non_null(set);
	r = rf_policy_parse("t.yaml", text, strlen(text), set, &diags);
	if (r == 0)
		r = rf_policy_set_finish(set, &diags);
	assert_int_equal(r, diags.n_errors ? -EINVAL : 0);
	*ret_errors = diags.n_errors;
	return set;
}

static size_t errors_of(const char *text)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	size_t errors;

	set = parse_text(text, &errors);
	return errors;
}

static void the_flow_log_is_off_unless_asked_for(void **state)
{
	static const struct {
		const char *text;
		uint32_t sample, idle_s;
		size_t errors;
	} cases[] = {
		{ "", 0, 0, 0 },
		{ "  telemetry: {events: []}\n", 0, 0, 0 },
		{ "  telemetry: {flows: {}}\n", 1, RF_FLOW_IDLE_S, 0 },
		{ "  telemetry: {flows: {sample: 65535, idle: 1h}}\n", RF_FLOW_SAMPLE_MAX, RF_FLOW_IDLE_S_MAX, 0 },
		{ "  telemetry: {flows: {sample: 1, idle: 1s}}\n", 1, 1, 0 },
		{ "  telemetry: {flows: {sample: 65536}}\n", 0, 0, 1 },
		{ "  telemetry: {flows: {sample: 0}}\n", 0, 0, 1 },
		{ "  telemetry: {flows: {idle: 3601s}}\n", 0, 0, 1 },
		{ "  telemetry: {flows: {idle: 999ms}}\n", 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		_cleanup_policy_set_ struct rf_policy_set *set = NULL;
		size_t errors;

		rf_strbuf_addf(&text, "%s%s", HEAD, cases[i].text);
		set = parse_text(rf_strbuf_str(&text), &errors);
		assert_int_equal(errors, cases[i].errors);
		if (errors)
			continue;
		assert_int_equal(set->policies[0]->flows.sample, cases[i].sample);
		assert_int_equal(set->policies[0]->flows.idle_s, cases[i].idle_s);
	}
}

static void what_is_left_out_has_the_documented_default(void **state)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	const struct rf_policy *p;
	size_t errors;

	(void)state;
	set = parse_text(HEAD "  network: {egress: {rules: [{ports: [{port: 80}]}]}}\n  devices: {}\n", &errors);
	assert_int_equal(errors, 0);
	assert_int_equal(set->n, 1);
	p = set->policies[0];
	assert_string_equal(p->tenant, "default");
	assert_string_equal(p->namespace, "default");
	assert_int_equal(p->priority, 100);
	assert_int_equal(p->mode, RF_MODE_ENFORCE);
	assert_false(p->unsupported_audit);
	assert_int_equal(p->telemetry, 1u << RF_EVENT_EXEC);
	assert_true(p->network[RF_EGRESS].present);
	assert_false(p->network[RF_INGRESS].present);
	assert_int_equal(p->network[RF_EGRESS].default_action, RF_ACTION_DENY);
	assert_int_equal(p->network[RF_EGRESS].rules[0].action, RF_ACTION_ALLOW);
	assert_string_equal(p->network[RF_EGRESS].rules[0].name, "egress[0]");
	assert_int_equal(p->network[RF_EGRESS].rules[0].ports[0].protocol, IPPROTO_TCP);
	assert_int_equal(p->network[RF_EGRESS].rules[0].ports[0].first, 80);
	assert_int_equal(p->network[RF_EGRESS].rules[0].ports[0].last, 80);
	assert_true(p->devices.present);
	assert_int_equal(p->devices.default_action, RF_ACTION_DENY);
}

static void a_section_says_which_feature_it_needs(void **state)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	size_t errors;

	(void)state;
	set = parse_text(HEAD "  files: {}\n", &errors);
	assert_int_equal(errors, 0);
	assert_int_equal(set->policies[0]->n_requirements, 1);
	assert_int_equal(set->policies[0]->requirements[0].feature, RF_FEATURE_FILES);
	assert_int_equal(set->policies[0]->requirements[0].mark.line, 6);
}

/* HEAD, then @before, @n times @item, @after. */
static size_t errors_of_many(const char *before, const char *item, unsigned int n, const char *after)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_adds(&text, HEAD);
	rf_strbuf_adds(&text, before);
	for (unsigned int i = 0; i < n; i++)
		rf_strbuf_adds(&text, item);
	rf_strbuf_adds(&text, after);
	return errors_of(rf_strbuf_str(&text));
}

static void lists_are_taken_at_their_limit_and_refused_one_past_it(void **state)
{
	static const struct {
		const char *before, *item, *after;
		unsigned int limit;
	} lists[] = {
		{ "  network: {egress: {rules: [", "{action: deny},", "]}}\n", RF_MAX_RULES },
		{ "  network: {egress: {rules: [{to: [", "{cidr: 10.0.0.0/8},", "]}]}}\n", RF_MAX_PEERS_PER_RULE },
		{ "  network: {egress: {rules: [{ports: [", "{port: 1},", "]}]}}\n", RF_MAX_PORTS_PER_RULE },
		{ "  network: {egress: {rules: [{to: [{cidr: 10.0.0.0/8, except: [", "10.1.0.0/16,", "]}]}]}}\n",
		  RF_MAX_EXCEPTS },
		{ "  devices: {rules: [", "{path: /dev/null},", "]}\n", RF_MAX_DEVICE_RULES },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		assert_int_equal(errors_of_many(lists[i].before, lists[i].item, lists[i].limit, lists[i].after), 0);
		assert_int_equal(errors_of_many(lists[i].before, lists[i].item, lists[i].limit + 1, lists[i].after), 1);
	}
}

static void selectors_are_taken_at_their_limit_and_refused_one_past_it(void **state)
{
	(void)state;
	for (unsigned int n = RF_MAX_SELECTORS; n <= RF_MAX_SELECTORS + 1; n++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_adds(
			&text,
			"apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: x}\nspec:\n  select:\n");
		for (unsigned int i = 0; i < n; i++)
			rf_strbuf_addf(&text, "    - cgroup: /c%u\n", i);
		assert_int_equal(errors_of(rf_strbuf_str(&text)), n > RF_MAX_SELECTORS);
	}
}

static void strings_and_nesting_are_bounded(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	(void)state;
	assert_int_equal(errors_of_many("  network: {egress: {rules: [{name: ", "x", RF_STRING_MAX, "}]}}\n"), 0);
	assert_int_equal(errors_of_many("  network: {egress: {rules: [{name: ", "x", RF_STRING_MAX + 1, "}]}}\n"), 1);
	for (int i = 0; i < RF_YAML_DEPTH_MAX + 1; i++)
		rf_strbuf_addc(&text, '[');
	for (int i = 0; i < RF_YAML_DEPTH_MAX + 1; i++)
		rf_strbuf_addc(&text, ']');
	assert_int_equal(errors_of(rf_strbuf_str(&text)), 1);
	assert_int_equal(errors_of_many("  workload: ", "x", RF_NAME_MAX, "\n"), 0);
	assert_int_equal(errors_of_many("  workload: ", "x", RF_NAME_MAX + 1, "\n"), 1);
}

static void a_cidr_is_what_it_says_or_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint8_t family, prefix;
	} cidrs[] = {
		{ "10.0.0.0/8", 0, AF_INET, 8 },
		{ "10.0.0.1", 0, AF_INET, 32 },
		{ "0.0.0.0/0", 0, AF_INET, 0 },
		{ "::/0", 0, AF_INET6, 0 },
		{ "2001:db8::1", 0, AF_INET6, 128 },
		{ "::ffff:10.0.0.0/104", 0, AF_INET, 8 },
		{ "::ffff:0:0/95", -ERANGE, AF_INET6, 95 },
		{ "10.0.0.1/8", -ERANGE, AF_INET, 8 },
		{ "10.0.0.0/33", -EINVAL, 0, 0 },
		{ "10.0.0/8", -EINVAL, 0, 0 },
		{ "010.0.0.0/8", -EINVAL, 0, 0 },
		{ "10.0.0.0/08", -EINVAL, 0, 0 },
		{ "10.0.0.0/", -EINVAL, 0, 0 },
		{ "2001:db8::/129", -EINVAL, 0, 0 },
		{ "fe80::1%lo", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cidrs); i++) {
		struct rf_cidr cidr = { 0 };

		assert_int_equal(rf_scalar_cidr(cidrs[i].text, &cidr), cidrs[i].r);
		assert_int_equal(cidr.family, cidrs[i].family);
		assert_int_equal(cidr.prefix, cidrs[i].prefix);
	}
}

static void integers_are_decimal_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "", "-", "0x10", "010", "1.0", " 1", "1 ", "+1", "9223372036854775808" };
	int64_t value = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(rf_scalar_integer(wrong[i], &value), -EINVAL);
	assert_int_equal(value, 42);
	assert_int_equal(rf_scalar_integer("-7", &value), 0);
	assert_int_equal(value, -7);
}

static void a_file_with_an_error_adds_nothing(void **state)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	size_t errors;

	(void)state;
	set = parse_text(HEAD "---\n" HEAD "  mode: no\n", &errors);
	assert_int_equal(errors, 1);
	assert_int_equal(set->n, 0);
}

static void documents_are_sorted_in_merge_order(void **state)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	size_t errors;

	(void)state;
	set = parse_text(
		"apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: b}\nspec: {select: [{cgroup: /a}]}\n"
		"---\n# an empty document is no policy\n---\n"
		"apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: c}\n"
		"spec: {priority: 5, select: [{cgroup: /a}]}\n---\n"
		"apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: a}\nspec: {select: [{cgroup: /a}]}\n",
		&errors);
	assert_int_equal(errors, 0);
	assert_int_equal(set->n, 3);
	assert_string_equal(set->policies[0]->name, "c");
	assert_string_equal(set->policies[1]->name, "a");
	assert_string_equal(set->policies[2]->name, "b");
}

static void any_bytes_that_are_no_yaml_are_one_error(void **state)
{
	static const char *const wrong[] = { "\xff\xfe", "\x01", "a: 'b", "{", "- a\nb", "a: b: c", "\"\\q\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_true(errors_of(wrong[i]) >= 1);
	assert_int_equal(errors_of(""), 0);
	assert_int_equal(errors_of("# only a comment\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_has_the_documented_default),
		cmocka_unit_test(the_flow_log_is_off_unless_asked_for),
		cmocka_unit_test(a_section_says_which_feature_it_needs),
		cmocka_unit_test(lists_are_taken_at_their_limit_and_refused_one_past_it),
		cmocka_unit_test(selectors_are_taken_at_their_limit_and_refused_one_past_it),
		cmocka_unit_test(strings_and_nesting_are_bounded),
		cmocka_unit_test(a_cidr_is_what_it_says_or_refused),
		cmocka_unit_test(integers_are_decimal_and_nothing_else),
		cmocka_unit_test(a_file_with_an_error_adds_nothing),
		cmocka_unit_test(documents_are_sorted_in_merge_order),
		cmocka_unit_test(any_bytes_that_are_no_yaml_are_one_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* spec.accelerators: what a rule says, what stands for what is left out, and where it is wrong. */
#include "tests/unit/policy/parsed.h"

#define RULE(rule) "  accelerators: {rules: [" rule "]}\n"

static const struct rf_accelerator_rule *rule_of(const struct parsed *p)
{
	assert_right(p);
	assert_int_equal(p->set->policies[0]->accelerators.n_rules, 1);
	return &p->set->policies[0]->accelerators.rules[0];
}

static void a_rule_is_what_it_gives(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text(HEAD RULE("{name: one, action: deny, class: NVIDIA, index: 255, pci: 0000:3f:1a.7, "
				      "uuid: GPU-x, mig: 255/0, operations: [submit, ADMIN]}"));
	const struct rf_accelerator_rule *rule = rule_of(&p);

	(void)state;
	assert_string_equal(rule->name, "one");
	assert_int_equal(rule->action, RF_ACTION_DENY);
	assert_int_equal(rule->class, RF_ACCELERATOR_NVIDIA);
	assert_int_equal(rule->index, 255);
	assert_string_equal(rule->pci, "0000:3f:1a.7");
	assert_string_equal(rule->uuid, "GPU-x");
	assert_int_equal(rule->gpu_instance, 255);
	assert_int_equal(rule->compute_instance, 0);
	assert_int_equal(rule->operations, RF_DEVICE_SUBMIT | RF_DEVICE_ADMIN);
	assert_int_equal(rule->mark.line, 7);
}

static void what_is_left_out_is_anything_and_allowed(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD RULE("{}"));
	const struct rf_accelerator_rule *rule = rule_of(&p);

	(void)state;
	assert_string_equal(rule->name, "accelerators[0]");
	assert_int_equal(rule->action, RF_ACTION_ALLOW);
	assert_int_equal(rule->class, RF_ACCELERATOR_CLASS_COUNT);
	assert_int_equal(rule->index, RF_ACCELERATOR_ANY);
	assert_null(rule->pci);
	assert_null(rule->uuid);
	assert_int_equal(rule->gpu_instance, RF_MIG_NONE);
	assert_int_equal(rule->compute_instance, RF_MIG_NONE);
	assert_int_equal(rule->operations, 0);
	assert_int_equal(p.set->policies[0]->accelerators.default_action, RF_ACTION_DENY);
}

static void an_empty_section_denies_and_none_has_no_opinion(void **state)
{
	_cleanup_parsed_ struct parsed empty = parsed_text(HEAD "  accelerators: {}\n"), none = parsed_text(HEAD),
				       open = parsed_text(HEAD "  accelerators: {default: allow}\n");

	(void)state;
	assert_right(&empty);
	assert_right(&none);
	assert_right(&open);
	assert_true(empty.set->policies[0]->accelerators.present);
	assert_int_equal(empty.set->policies[0]->accelerators.default_action, RF_ACTION_DENY);
	assert_int_equal(empty.set->policies[0]->accelerators.mark.line, 7);
	assert_int_equal(open.set->policies[0]->accelerators.default_action, RF_ACTION_ALLOW);
	assert_false(none.set->policies[0]->accelerators.present);
}

static void a_class_and_an_operation_have_a_number_each(void **state)
{
	static const struct {
		const char *word;
		uint32_t bit;
	} operations[] = {
		{ "submit", RF_DEVICE_SUBMIT },
		{ "alloc", RF_DEVICE_ALLOC },
		{ "map", RF_DEVICE_MAP },
		{ "admin", RF_DEVICE_ADMIN },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		snprintf(text, sizeof(text), HEAD RULE("{operations: [%s]}"), operations[i].word);
		_cleanup_parsed_ struct parsed p = parsed_text(text);

		assert_int_equal(rule_of(&p)->operations, operations[i].bit);
	}
	for (int class = 0; class < RF_ACCELERATOR_CLASS_COUNT; class ++) {
		snprintf(text, sizeof(text), HEAD RULE("{class: %s}"), rf_accelerator_class_names[class]);
		_cleanup_parsed_ struct parsed p = parsed_text(text);

		assert_int_equal(rule_of(&p)->class, class);
	}
}

static bool needs(const struct parsed *p, enum rf_feature feature)
{
	assert_right(p);
	for (size_t i = 0; i < p->set->policies[0]->n_requirements; i++)
		if (p->set->policies[0]->requirements[i].feature == feature)
			return true;
	return false;
}

static void operations_alone_need_the_hooks_of_ioctls(void **state)
{
	_cleanup_parsed_ struct parsed with = parsed_text(HEAD RULE("{operations: [submit]}")),
				       without = parsed_text(HEAD RULE("{class: amd}"));

	(void)state;
	assert_true(needs(&with, RF_FEATURE_ACCELERATOR_IOCTLS));
	assert_false(needs(&without, RF_FEATURE_ACCELERATOR_IOCTLS));
	assert_true(needs(&without, RF_FEATURE_ACCELERATORS));
}

static void a_quota_of_memory_needs_no_ioctls_and_others_do(void **state)
{
	_cleanup_parsed_ struct parsed memory = parsed_text(HEAD "  accelerators: {quota: {memory: 1Gi}}\n"),
				       both = parsed_text(HEAD "  accelerators: {quota: {memory: 1Gi, share: 2}}\n"),
				       tenant = parsed_text(HEAD "  accelerators: {tenantQuota: {memory: 1Gi}}\n");

	(void)state;
	assert_true(needs(&memory, RF_FEATURE_ACCELERATOR_MEMORY));
	assert_false(needs(&memory, RF_FEATURE_ACCELERATOR_QUOTAS));
	assert_true(needs(&both, RF_FEATURE_ACCELERATOR_MEMORY));
	assert_true(needs(&both, RF_FEATURE_ACCELERATOR_QUOTAS));
	/* It has no cgroup that anybody could limit. */
	assert_true(needs(&tenant, RF_FEATURE_ACCELERATOR_QUOTAS));
}

static void what_is_wrong_is_told_where_it_stands_and_with_a_hint(void **state)
{
	/* The rule begins in column 26 of line 7. */
	static const struct {
		const char *rule, *said, *hint;
	} rows[] = {
		{ "{mig: x}", "t.yaml:7:32: error: \"x\" is no MIG instance", "the GPU instance's number, and after" },
		{ "{mig: 1/}", "7:32: error: \"1/\" is no MIG", "" },
		{ "{mig: /1}", "7:32: error: \"/1\" is no MIG", "" },
		{ "{mig: 1/0/0}", "7:32: error: \"1/0/0\" is no MIG", "" },
		{ "{mig: -1}", "7:32: error: \"-1\" is no MIG", "" },
		{ "{mig: \" 1\"}", "error: \" 1\" is no MIG", "" },
		{ "{mig: 256}", "7:32: error: \"256\" is no MIG", "" },
		{ "{mig: 0/256}", "7:32: error: \"0/256\" is no MIG", "" },
		{ "{mig: 99999999999999999999}", "is no MIG instance", "" },
		{ "{mig: [1]}", "7:32: error: spec.accelerators.rules[0].mig: expected a string, found a list", "" },
		{ "{pci: 3f:1a.0}", "7:32: error: \"3f:1a.0\" is no PCI address", "such as 0000:03:00.0" },
		{ "{pci: 0000:03:00.8}", "7:32: error: \"0000:03:00.8\" is no PCI address", "" },
		{ "{pci: 0000:3F:00.0}", "7:32: error: \"0000:3F:00.0\" is no PCI address", "" },
		{ "{pci: 0000:03:00.00}", "7:32: error: \"0000:03:00.00\" is no PCI address", "" },
		{ "{pci: 0000:03:00}", "7:32: error: \"0000:03:00\" is no PCI address", "" },
		{ "{index: 0}", "7:34: error: an index without a class", "class, of which index is the number" },
		{ "{class: drm, index: 256}", "7:46: error: 256 is out of range", "an integer from 0 to 255" },
		{ "{class: drm, index: -1}", "7:46: error: -1 is out of range", "an integer from 0 to 255" },
		{ "{class: nvdia}", "7:34: error: \"nvdia\" is not known here", "did you mean \"nvidia\"?" },
		{ "{operations: [sumbit]}", "7:40: error: \"sumbit\" is not known here", "did you mean \"submit\"?" },
		{ "{operations: [other]}", "7:40: error: \"other\" is not known", "one of: submit, alloc, map, admin" },
		{ "{operations: submit}", "7:39: error:", "expected a list of words" },
		{ "{operations: []}", "7:39: error: a rule of no operation", "speaks of all and of opening" },
		{ "{action: log}", "7:35: error: \"log\" is not known here", "one of: allow, deny" },
		{ "{device: x}", "7:27: error: unknown key \"device\"", "expected one of: name, action, class, index" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), RULE("%s"), rows[i].rule);
		assert_text(text, rows[i].said);
		assert_text(text, rows[i].hint);
	}
}

static void what_is_nearly_wrong_is_right(void **state)
{
	static const char *const rules[] = { "{mig: 0}",
					     "{mig: \"255/255\"}",
					     "{pci: ffff:ff:1f.7}",
					     "{class: drm, index: 255}",
					     "{class: drm, index: 0}",
					     "{operations: [map, map, map, map, map, map, map, map]}" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		snprintf(text, sizeof(text), RULE("%s"), rules[i]);
		assert_text(text, NULL);
	}
}

static void rules_are_taken_up_to_the_limit(void **state)
{
	(void)state;
	for (size_t n = RF_MAX_DEVICE_RULES; n <= RF_MAX_DEVICE_RULES + 1; n++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_adds(&text, "  accelerators:\n    rules:\n");
		for (size_t i = 0; i < n; i++)
			rf_strbuf_adds(&text, "      - {class: amd}\n");
		assert_text(rf_strbuf_str(&text), n > RF_MAX_DEVICE_RULES ? "at most 256" : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_what_it_gives),
		cmocka_unit_test(what_is_left_out_is_anything_and_allowed),
		cmocka_unit_test(an_empty_section_denies_and_none_has_no_opinion),
		cmocka_unit_test(a_class_and_an_operation_have_a_number_each),
		cmocka_unit_test(operations_alone_need_the_hooks_of_ioctls),
		cmocka_unit_test(a_quota_of_memory_needs_no_ioctls_and_others_do),
		cmocka_unit_test(what_is_wrong_is_told_where_it_stands_and_with_a_hint),
		cmocka_unit_test(what_is_nearly_wrong_is_right),
		cmocka_unit_test(rules_are_taken_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* spec.process: what a pattern is taken apart into, what cannot be matched, and what the section needs of the host. */
#include "tests/unit/policy/parsed.h"

#define EXEC(rule) "  process:\n    exec:\n      - " rule "\n"

static const struct rf_process *process_of(const struct parsed *p)
{
	assert_right(p);
	return &p->set->policies[0]->process;
}

static void assert_pattern(const char *path, enum rf_exec_kind kind, size_t length, size_t in_last)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text, HEAD EXEC("{path: \"%s\"}"), path);
	_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));
	const struct rf_exec_rule *rule = &process_of(&p)->rules[0];

	assert_string_equal(rule->pattern, path);
	assert_int_equal(rule->kind, kind);
	assert_int_equal(rule->length, length);
	assert_int_equal(rule->in_last, in_last);
	assert_false(rule->interpreter);
}

static void a_pattern_is_a_text_and_a_kind(void **state)
{
	(void)state;
	assert_pattern("/bin/x", RF_EXEC_FILE, 6, 1);
	assert_pattern("/**", RF_EXEC_TREE, 1, 0);
	assert_pattern("/a/b/**", RF_EXEC_TREE, 5, 2);
	assert_pattern("/*", RF_EXEC_STEM, 1, 0);
	assert_pattern("/a/*", RF_EXEC_STEM, 3, 0);
	assert_pattern("/a/python*", RF_EXEC_STEM, 9, 6);
	assert_pattern("/...", RF_EXEC_FILE, 4, 3);
}

static void a_rule_has_a_name_an_action_and_a_place(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text(HEAD EXEC("{path: /a}") "      - {name: n, action: deny, interpreter: /b}\n");
	const struct rf_process *process = process_of(&p);

	(void)state;
	assert_true(process->present);
	assert_int_equal(process->n_rules, 2);
	assert_string_equal(process->rules[0].name, "exec[0]");
	assert_int_equal(process->rules[0].action, RF_ACTION_ALLOW);
	assert_int_equal(process->rules[0].mark.line, 9);
	assert_string_equal(process->rules[1].name, "n");
	assert_int_equal(process->rules[1].action, RF_ACTION_DENY);
	assert_true(process->rules[1].interpreter);
	assert_int_equal(process->default_action, RF_ACTION_ALLOW);
	assert_int_equal(p.set->policies[0]->n_requirements, 1);
	assert_int_equal(p.set->policies[0]->requirements[0].feature, RF_FEATURE_PROCESS);
}

static void memfd_and_drift_are_no_opinion_on_paths(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD "  process: {memfd: deny, drift: report}\n");
	const struct rf_process *process = process_of(&p);

	(void)state;
	assert_false(process->present);
	assert_true(process->limits[RF_EXEC_MEMFD].deny);
	assert_false(process->limits[RF_EXEC_MEMFD].report);
	assert_true(process->limits[RF_EXEC_DRIFT].report);
	assert_false(process->limits[RF_EXEC_DRIFT].deny);
	assert_int_equal(process->limits[RF_EXEC_DRIFT].mark.line, 7);
}

static void allow_is_nothing(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD "  process: {memfd: allow, drift: allow}\n");
	const struct rf_process *process = process_of(&p);

	(void)state;
	for (int which = 0; which < RF_EXEC_LIMITS; which++)
		assert_false(process->limits[which].deny || process->limits[which].report);
}

static void what_cannot_be_matched_is_refused(void **state)
{
	(void)state;
	assert_text(EXEC("{path: bin/x}"), "\"bin/x\" is no absolute path");
	assert_text(EXEC("{path: /a/}"), "\"/a/\" cannot be matched: it ends with /");
	assert_text(EXEC("{path: /a//b}"), "it has an empty component");
	assert_text(EXEC("{path: \"//**\"}"), "it has an empty component");
	assert_text(EXEC("{path: /a/../b}"), "it has a component . or ..");
	assert_text(EXEC("{path: /a/.}"), "it has a component . or ..");
	assert_text(EXEC("{path: \"/a/*/b\"}"), "only its end may be open");
	assert_text(EXEC("{path: \"/a/*b\"}"), "only its end may be open");
	assert_text(EXEC("{path: \"/a/b**\"}"), "only its end may be open");
	assert_text(EXEC("{path: \"/a/[bc]\"}"), "only its end may be open");
	assert_text(EXEC("{path: \"/a/b?\"}"), "only its end may be open");
	assert_text(EXEC("{interpreter: \"/a/?\"}"), "only its end may be open");
}

static void a_rule_names_one_thing(void **state)
{
	(void)state;
	assert_text(EXEC("{action: deny}"), "the rule names no program");
	assert_text(EXEC("{path: /a, interpreter: /b}"), "a path and an interpreter together");
	assert_text(EXEC("{path: /a, label: models}"), "a label and a path together");
	assert_text(EXEC("{interpreter: /a, label: models}"), "a label and an interpreter together");
}

static void a_label_must_be_there(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(
		HEAD EXEC("{action: deny, label: tools}") "---\napiVersion: ringfence/v1\nkind: Label\n"
							  "metadata: {name: tools}\nspec: {paths: [/opt/tools]}\n");
	const struct rf_exec_rule *rule = &process_of(&p)->rules[0];

	(void)state;
	assert_string_equal(rule->label, "tools");
	assert_null(rule->pattern);
	assert_int_equal(rule->kind, RF_EXEC_ZONE);
	assert_int_equal(rule->place.line, 9);
	assert_text(EXEC("{label: tolos}"), "t.yaml:9:17: error: there is no label \"tolos\" (rule \"exec[0]\"");
	assert_text(EXEC("{label: [tools]}"), "expected a name, found a list");
}

/* @components of one letter, then @rest. */
static void assert_deep(size_t components, const char *rest, const char *said)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_adds(&text, "  process: {exec: [{path: \"");
	for (size_t i = 0; i < components; i++)
		rf_strbuf_adds(&text, "/a");
	rf_strbuf_addf(&text, "%s\"}]}\n", rest);
	assert_text(rf_strbuf_str(&text), said);
}

static void assert_long(size_t length, const char *rest, const char *said)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_adds(&text, "  process: {exec: [{path: \"/");
	for (size_t i = 1; i < length; i++)
		rf_strbuf_addc(&text, 'a');
	rf_strbuf_addf(&text, "%s\"}]}\n", rest);
	assert_text(rf_strbuf_str(&text), said);
}

static void limits_hold_and_one_past_them_is_refused(void **state)
{
	(void)state;
	assert_deep(RF_EXEC_DEPTH_MAX, "", NULL);
	assert_deep(RF_EXEC_DEPTH_MAX + 1, "", "deeper than the 32 components");
	assert_deep(RF_EXEC_DEPTH_MAX - 1, "/**", NULL);
	assert_deep(RF_EXEC_DEPTH_MAX, "/**", "deeper than the 32 components");
	assert_long(RF_EXEC_TEXT_MAX - 1, "", NULL);
	assert_long(RF_EXEC_TEXT_MAX, "", "it is longer than 255 bytes");
	assert_long(1 + RF_EXEC_STEM_MAX, "*", NULL);
	assert_long(2 + RF_EXEC_STEM_MAX, "*", "more than 63 bytes of a name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_is_a_text_and_a_kind),
		cmocka_unit_test(a_rule_has_a_name_an_action_and_a_place),
		cmocka_unit_test(memfd_and_drift_are_no_opinion_on_paths),
		cmocka_unit_test(allow_is_nothing),
		cmocka_unit_test(what_cannot_be_matched_is_refused),
		cmocka_unit_test(a_rule_names_one_thing),
		cmocka_unit_test(a_label_must_be_there),
		cmocka_unit_test(limits_hold_and_one_past_them_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

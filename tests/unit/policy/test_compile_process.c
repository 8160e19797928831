// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of several policies: order, defaults, tiers, whose rule it was; and
 * the walk over a path, which is the kernel's, against globs tried one by one.
 */
#include <stdlib.h>

#include "tests/unit/policy/parsed.h"
#include "user/model/selector.h"
#include "user/policy/compile_process.h"

struct compiled {
	struct parsed parsed;
	struct rf_process_image *image;
};

static void compiled_fini(struct compiled *c)
{
	rf_process_image_free(c->image);
	parsed_fini(&c->parsed);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define PROCESS(what)	   "  process: {" what "}\n"
#define AUDIT		   "  mode: audit\n"

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text) };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_process_compile(policies, c.parsed.set->n, &c.parsed.diags, &c.image), 0);
	return c;
}

static void assert_verdict(const struct compiled *c, enum rf_tier tier, enum rf_exec_role role, const char *path,
			   bool allowed, const char *rule)
{
	const struct rf_exec_image *exec;
	uint32_t index;

	assert_non_null(c->image);
	exec = c->image->exec[tier];
	assert_non_null(exec);
	assert_int_equal(rf_exec_evaluate(exec, role, path, &index), allowed);
	assert_string_equal(exec->refs[index].rule, rule);
}

static void without_the_section_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled none = compiled_from(HEAD);
	_cleanup_compiled_ struct compiled allow = compiled_from(HEAD PROCESS("memfd: allow, drift: allow"));

	(void)state;
	assert_null(none.image);
	assert_null(allow.image);
}

static void the_first_that_matches_decides(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD PROCESS(
		"default: deny, exec: [{name: a, action: deny, path: /opt/x}, {name: b, path: \"/opt/**\"},"
		"{name: c, action: deny, path: \"/opt/y*\"}, {name: d, path: /opt/x},"
		"{name: e, path: \"/usr/bin/py*\"}]"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/opt/x", false, "a");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/opt/y", true, "b");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/opt/z/x", true, "b");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/optional", false, "default");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/usr/bin/python3", true, "e");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/usr/bin/python3/x", false, "default");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/usr/bin/perl", false, "default");
}

static void an_interpreter_is_asked_by_both_kinds_of_rules(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD PROCESS("exec: [{name: as, interpreter: /bin/a}, {name: no, action: deny, path: \"/bin/**\"},"
			     "{name: never, action: deny, interpreter: /opt/b}]"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/bin/a", false, "no");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_INTERPRETER, "/bin/a", true, "as");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_INTERPRETER, "/bin/c", false, "no");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/opt/b", true, "default");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_INTERPRETER, "/opt/b", false, "never");
}

static void policies_come_one_after_the_other(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("b") "  priority: 1\n" PROCESS("exec: [{name: first, path: /a}]") "---\n" HEAD_OF("a") PROCESS(
			"default: deny, exec: [{name: second, action: deny, path: /a}, {name: third, path: /b}]"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/a", true, "first");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/b", true, "third");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/c", false, "default");
	assert_string_equal(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_DEFAULT, RF_RULE_DEFAULT)->policy,
			    "t/default/a");
	assert_null(c.image->exec[RF_TIER_AUDIT]);
}

static void what_is_audited_is_told_apart(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD_OF("a") PROCESS(
		"exec: [{path: /a}], memfd: deny") "---\n" HEAD_OF("b") AUDIT PROCESS("default: deny, drift: deny"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/b", true, "default");
	assert_verdict(&c, RF_TIER_AUDIT, RF_EXEC_PROGRAM, "/a", true, "exec[0]");
	assert_verdict(&c, RF_TIER_AUDIT, RF_EXEC_PROGRAM, "/b", false, "default");
	assert_int_equal(c.image->deny[RF_TIER_ENFORCE], 1u << RF_EXEC_MEMFD);
	assert_int_equal(c.image->deny[RF_TIER_AUDIT], 1u << RF_EXEC_DRIFT);
	assert_string_equal(rf_process_ref(c.image, RF_TIER_AUDIT, RF_EXEC_DRIFT, RF_RULE_DEFAULT)->rule,
			    "process.drift");
	assert_string_equal(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_MEMFD, RF_RULE_DEFAULT)->policy,
			    "t/default/a");
	assert_null(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_DRIFT, RF_RULE_DEFAULT));
}

static void report_is_for_the_audited_tier_whatever_the_mode(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD PROCESS("memfd: report"));

	(void)state;
	assert_int_equal(c.image->deny[RF_TIER_ENFORCE], 0);
	assert_int_equal(c.image->deny[RF_TIER_AUDIT], 1u << RF_EXEC_MEMFD);
	assert_null(c.image->exec[RF_TIER_ENFORCE]);
}

static void references_outside_of_an_image_are_none(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD PROCESS("exec: [{path: /a}]"));

	(void)state;
	assert_non_null(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_RULE, 0));
	assert_null(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_RULE, 1));
	assert_null(rf_process_ref(c.image, RF_TIER_AUDIT, RF_EXEC_RULE, 0));
	assert_null(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_UNREADABLE, 0));
	assert_null(rf_process_ref(NULL, RF_TIER_ENFORCE, RF_EXEC_RULE, 0));
}

static void images_of_the_same_rules_are_equal(void **state)
{
	_cleanup_compiled_ struct compiled a = compiled_from(HEAD PROCESS("exec: [{path: /a}, {path: /b}]")),
					   b = compiled_from(HEAD PROCESS("exec: [{path: /a}, {path: /b}]")),
					   c = compiled_from(HEAD PROCESS("exec: [{path: /b}, {path: /a}]"));

	(void)state;
	assert_true(rf_exec_image_equal(a.image->exec[0], b.image->exec[0]));
	assert_false(rf_exec_image_equal(a.image->exec[0], c.image->exec[0]));
	assert_false(rf_exec_image_equal(a.image->exec[0], NULL));
}

/* ---- against a slow reading of the same rules ---- */

static const char *const names[] = { "a", "b", "ab", "aba", "abc", "bin" };

/* One to four components; as a pattern it may be open at its end. */
static void random_path(char path[static 64], bool pattern)
{
	unsigned int components = 1 + (unsigned int)rand() % 4;
	char *end = path;

	for (unsigned int i = 0; i < components; i++)
		end += sprintf(end, "/%s", names[(unsigned int)rand() % ARRAY_SIZE(names)]);
	if (!pattern)
		return;
	switch (rand() % 4) {
	case 0:
		strcpy(end, "/**");
		break;
	case 1:
		strcpy(end, "*");
		break;
	case 2:
		strcpy(end, "/*");
		break;
	}
}

static uint32_t slow_rule(const struct rf_process *process, enum rf_exec_role role, const char *path)
{
	for (size_t i = 0; i < process->n_rules; i++)
		if ((role == RF_EXEC_INTERPRETER || !process->rules[i].interpreter) &&
		    rf_glob_match(process->rules[i].pattern, path, '/'))
			return i;
	return process->n_rules;
}

static void any_rules_decide_as_their_globs_one_by_one(void **state)
{
	unsigned int seed = 20261121, matched = 0, asked = 0;

	(void)state;
	srand(seed);
	for (int round = 0; round < 300; round++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		char path[64];

		rf_strbuf_addf(&text, "%s  process:\n    default: %s\n    exec:\n", HEAD, round & 1 ? "deny" : "allow");
		for (int i = 0; i <= rand() % 30; i++) {
			random_path(path, true);
			rf_strbuf_addf(&text, "      - {action: %s, %s: \"%s\"}\n", rand() & 1 ? "deny" : "allow",
				       rand() % 4 ? "path" : "interpreter", path);
		}
		_cleanup_compiled_ struct compiled c = compiled_from(rf_strbuf_str(&text));
		const struct rf_exec_image *exec = c.image->exec[RF_TIER_ENFORCE];
		const struct rf_process *process = &c.parsed.set->policies[0]->process;

		for (int i = 0; i < 100; i++) {
			enum rf_exec_role role = rand() & 1 ? RF_EXEC_PROGRAM : RF_EXEC_INTERPRETER;
			uint32_t rule, slow;

			random_path(path, false);
			slow = slow_rule(process, role, path);
			(void)rf_exec_evaluate(exec, role, path, &rule);
			if (rule != slow)
				fail_msg("seed %u round %d: %s as %d: rule %u, slowly %u of\n%s", seed, round, path,
					 role, rule, slow, rf_strbuf_str(&text));
			asked++;
			matched += rule < exec->n_rules;
		}
	}
	/* Neither all nor nothing was compared. */
	assert_in_range(matched, asked / 10, asked - asked / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_section_there_is_no_image),
		cmocka_unit_test(the_first_that_matches_decides),
		cmocka_unit_test(an_interpreter_is_asked_by_both_kinds_of_rules),
		cmocka_unit_test(policies_come_one_after_the_other),
		cmocka_unit_test(what_is_audited_is_told_apart),
		cmocka_unit_test(report_is_for_the_audited_tier_whatever_the_mode),
		cmocka_unit_test(references_outside_of_an_image_are_none),
		cmocka_unit_test(images_of_the_same_rules_are_equal),
		cmocka_unit_test(any_rules_decide_as_their_globs_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

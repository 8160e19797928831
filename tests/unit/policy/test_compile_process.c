// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of several policies: order, defaults, tiers, whose rule it was; and
 * the walk over a path, which is the kernel's, against globs and labels tried
 * one by one.
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
#define LABEL(name, paths) \
	"---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: " name "}\nspec: {paths: [" paths "]}\n"

static char *resolve(const char *path, void *arg)
{
	(void)arg;
	return strdup(path);
}

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text) };
	const struct rf_policy *const *policies;
	struct rf_policy_set *set = c.parsed.set;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)set->policies;
	assert_int_equal(rf_zones_make(set, resolve, NULL, &c.parsed.diags, &set->zones), 0);
	assert_int_equal(rf_process_compile(policies, set->n, set->zones, &c.parsed.diags, &c.image), 0);
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
	assert_int_equal(rf_exec_evaluate(exec, role, path, rf_zone_around(c->parsed.set->zones, path), &index),
			 allowed);
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

static void a_label_is_a_rule_among_the_others(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD PROCESS(
		"default: deny, exec: [{name: one, action: deny, path: /srv/x}, {name: tools, label: tools},"
		"{name: never, action: deny, path: /srv/y}, {name: again, action: deny, label: tools},"
		"{name: as, interpreter: /bin/a}, {name: in, action: deny, label: inner}]") LABEL("tools", "/srv, /opt")
								     LABEL("inner", "/srv/in"));

	(void)state;
	for (int role = 0; role < RF_EXEC_ROLES; role++) {
		assert_verdict(&c, RF_TIER_ENFORCE, role, "/srv/x", false, "one");
		assert_verdict(&c, RF_TIER_ENFORCE, role, "/srv/y", true, "tools");
		assert_verdict(&c, RF_TIER_ENFORCE, role, "/opt/y/z", true, "tools");
		assert_verdict(&c, RF_TIER_ENFORCE, role, "/srv/in/y", false, "in");
		assert_verdict(&c, RF_TIER_ENFORCE, role, "/srvy", false, "default");
	}
	/* Three zones, an entry each. */
	assert_int_equal(c.image->exec[RF_TIER_ENFORCE]->set.zones, 3);
	assert_string_equal(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_RULE, 1)->rule, "tools");
	assert_int_equal(rf_process_ref(c.image, RF_TIER_ENFORCE, RF_EXEC_RULE, 1)->line, 7);
}

static void a_zone_of_a_file_rule_has_the_label_around_it(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD "  files: {rules: [{action: deny, path: /srv/a}]}\n" PROCESS(
			"exec: [{name: no, action: deny, label: tools}]") LABEL("tools", "/srv"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/srv/a/x", false, "no");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/srv/b", false, "no");
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/b", true, "default");
}

static void labels_in_audit_are_told_apart(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("a") PROCESS("exec: [{path: /srv/x}]") "---\n" HEAD_OF("b")
			AUDIT PROCESS("exec: [{name: no, action: deny, label: tools}]") LABEL("tools", "/srv"));

	(void)state;
	assert_verdict(&c, RF_TIER_ENFORCE, RF_EXEC_PROGRAM, "/srv/y", true, "default");
	assert_verdict(&c, RF_TIER_AUDIT, RF_EXEC_PROGRAM, "/srv/x", true, "exec[0]");
	assert_verdict(&c, RF_TIER_AUDIT, RF_EXEC_PROGRAM, "/srv/y", false, "no");
	assert_int_equal(c.image->exec[RF_TIER_ENFORCE]->set.zones, 0);
}

static void a_label_elsewhere_is_another_image(void **state)
{
	_cleanup_compiled_ struct compiled a = compiled_from(HEAD PROCESS("exec: [{label: tools}]") LABEL("tools", "/b")
								     LABEL("inner", "/a")),
					   b = compiled_from(HEAD PROCESS("exec: [{label: tools}]") LABEL("tools", "/b")
								     LABEL("inner", "/a")),
					   c = compiled_from(HEAD PROCESS("exec: [{label: tools}]") LABEL("tools", "/b")
								     LABEL("inner", "/c"));

	(void)state;
	assert_true(rf_exec_image_equal(a.image->exec[0], b.image->exec[0]));
	assert_false(rf_exec_image_equal(a.image->exec[0], c.image->exec[0]));
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

#define RANDOM_LABELS LABEL("one", "/a/b, /bin") LABEL("two", "/a, /a/b/ab, /abc")

/* The longest of the paths of labels that @path is below. */
static const char *slow_label(const char *path)
{
	static const char *const paths[][2] = {
		{ "/a/b/ab", "two" }, { "/a/b", "one" }, { "/bin", "one" }, { "/abc", "two" }, { "/a", "two" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (rf_file_path_is_below(path, paths[i][0]))
			return paths[i][1];
	return "";
}

static bool slow_matches(const struct rf_exec_rule *rule, enum rf_exec_role role, const char *path)
{
	if (rule->label)
		return strcmp(rule->label, slow_label(path)) == 0;
	return (role == RF_EXEC_INTERPRETER || !rule->interpreter) && rf_glob_match(rule->pattern, path, '/');
}

static uint32_t slow_rule(const struct rf_process *process, enum rf_exec_role role, const char *path)
{
	for (size_t i = 0; i < process->n_rules; i++)
		if (slow_matches(&process->rules[i], role, path))
			return i;
	return process->n_rules;
}

static void any_rules_decide_as_their_globs_one_by_one(void **state)
{
	unsigned int seed = 20261121, matched = 0, by_label = 0, asked = 0;

	(void)state;
	srand(seed);
	for (int round = 0; round < 300; round++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		char path[64];

		rf_strbuf_addf(&text, "%s  process:\n    default: %s\n    exec:\n", HEAD, round & 1 ? "deny" : "allow");
		for (int i = 0; i <= rand() % 30; i++) {
			random_path(path, true);
			rf_strbuf_addf(&text, "      - {action: %s, ", rand() & 1 ? "deny" : "allow");
			if (rand() % 8)
				rf_strbuf_addf(&text, "%s: \"%s\"}\n", rand() % 4 ? "path" : "interpreter", path);
			else
				rf_strbuf_addf(&text, "label: %s}\n", rand() & 1 ? "one" : "two");
		}
		rf_strbuf_adds(&text, RANDOM_LABELS);
		_cleanup_compiled_ struct compiled c = compiled_from(rf_strbuf_str(&text));
		const struct rf_exec_image *exec = c.image->exec[RF_TIER_ENFORCE];
		const struct rf_process *process = &c.parsed.set->policies[0]->process;

		for (int i = 0; i < 100; i++) {
			enum rf_exec_role role = rand() & 1 ? RF_EXEC_PROGRAM : RF_EXEC_INTERPRETER;
			uint32_t rule, slow;

			random_path(path, false);
			slow = slow_rule(process, role, path);
			(void)rf_exec_evaluate(exec, role, path, rf_zone_around(c.parsed.set->zones, path), &rule);
			if (rule != slow)
				fail_msg("seed %u round %d: %s as %d: rule %u, slowly %u of\n%s", seed, round, path,
					 role, rule, slow, rf_strbuf_str(&text));
			asked++;
			matched += rule < exec->n_rules;
			by_label += rule < exec->n_rules && process->rules[rule].label;
		}
	}
	/* Neither all nor nothing was compared. */
	assert_in_range(matched, asked / 10, asked - asked / 10);
	assert_in_range(by_label, asked / 50, asked - asked / 10);
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
		cmocka_unit_test(a_label_is_a_rule_among_the_others),
		cmocka_unit_test(a_zone_of_a_file_rule_has_the_label_around_it),
		cmocka_unit_test(labels_in_audit_are_told_apart),
		cmocka_unit_test(a_label_elsewhere_is_another_image),
		cmocka_unit_test(any_rules_decide_as_their_globs_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

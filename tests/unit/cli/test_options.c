// SPDX-License-Identifier: GPL-2.0-or-later
/* The option parser: every type, every spelling, every limit, and what a misspelt word was meant to be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/options.h"

struct values {
	bool follow;
	const char *workload;
	unsigned int number, confirm;
	struct rf_list kinds;
};

#define ARGS(...)                 \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}

static int parse(struct values *v, char **argv, int *ret_n, struct rf_strbuf *error)
{
	const struct rf_option options[] = {
		{ "follow", 'f', NULL, "go on", RF_OPTION_FLAG, &v->follow, 0, 0 },
		{ "workload", 'w', "GLOB", "which", RF_OPTION_STRING, &v->workload, 0, 0 },
		{ "number", 'n', "N", "how many", RF_OPTION_NUMBER, &v->number, 1, 100 },
		{ "confirm", 0, "TIME", "undo", RF_OPTION_DURATION, &v->confirm, 1, 86400 },
		{ "kind", 'k', "KIND", "only", RF_OPTION_LIST, &v->kinds, 0, 0 },
	};
	int argc = 0;

	while (argv[argc])
		argc++;
	return rf_options_parse(options, ARRAY_SIZE(options), argc, argv, ret_n, error);
}

static void every_spelling_is_taken(void **state)
{
	static const char expected[] = "acme/*";
	char **spellings[] = {
		ARGS("--follow", "--workload", "acme/*", "--number", "7", "x", "y"),
		ARGS("x", "--workload=acme/*", "y", "-fn7"),
		ARGS("-f", "-n", "7", "x", "-w", "acme/*", "y"),
		ARGS("-fn7", "-wacme/*", "--", "x", "y"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
		struct values v = { 0 };
		int n = -1;

		assert_int_equal(parse(&v, spellings[i], &n, &error), 0);
		assert_true(v.follow);
		assert_string_equal(v.workload, expected);
		assert_int_equal(v.number, 7);
		assert_int_equal(n, 2);
		assert_string_equal(spellings[i][0], "x");
		assert_string_equal(spellings[i][1], "y");
	}
}

static void what_follows_two_dashes_is_no_option(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
	char **argv = ARGS("-", "--", "--follow", "-n");
	struct values v = { 0 };
	int n;

	(void)state;
	assert_int_equal(parse(&v, argv, &n, &error), 0);
	assert_int_equal(n, 3);
	assert_string_equal(argv[0], "-");
	assert_string_equal(argv[1], "--follow");
	assert_string_equal(argv[2], "-n");
	assert_false(v.follow);
}

static void help_is_asked_for_anywhere(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
	struct values v = { 0 };
	int n;

	(void)state;
	assert_int_equal(parse(&v, ARGS("x", "--help", "--nonsense"), &n, &error), 1);
	assert_int_equal(parse(&v, ARGS("-fh"), &n, &error), 1);
}

static void a_list_grows_to_its_limit(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
	char *argv[RF_LIST_MAX + 2] = { NULL }, one[] = "-kexec";
	struct values v = { 0 };
	int n;

	(void)state;
	for (size_t i = 0; i < RF_LIST_MAX; i++)
		argv[i] = one;
	assert_int_equal(parse(&v, argv, &n, &error), 0);
	assert_int_equal(v.kinds.n, RF_LIST_MAX);
	assert_string_equal(v.kinds.values[RF_LIST_MAX - 1], "exec");
	v.kinds.n = 0;
	argv[RF_LIST_MAX] = one;
	assert_int_equal(parse(&v, argv, &n, &error), -EINVAL);
	assert_string_equal(rf_strbuf_str(&error), "--kind may be given 32 times");
}

static void numbers_and_times_have_limits(void **state)
{
	static const struct {
		const char *word;
		int result;
		unsigned int value;
	} cases[] = {
		{ "--number=1", 0, 1 },
		{ "--number=100", 0, 100 },
		{ "--number=0", -EINVAL, 0 },
		{ "--number=101", -EINVAL, 0 },
		{ "--number=-1", -EINVAL, 0 },
		{ "--number=", -EINVAL, 0 },
		{ "--number=7x", -EINVAL, 0 },
		{ "--number= 7", -EINVAL, 0 },
		{ "--number=99999999999999999999", -EINVAL, 0 },
		{ "--confirm=1s", 0, 1 },
		{ "--confirm=60s", 0, 60 },
		{ "--confirm=10m", 0, 600 },
		{ "--confirm=1d", 0, 86400 },
		{ "--confirm=86401s", -EINVAL, 0 },
		{ "--confirm=0s", -EINVAL, 0 },
		{ "--confirm=60", -EINVAL, 0 },
		{ "--confirm=1500ms", -EINVAL, 0 },
		{ "--confirm=soon", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
		struct values v = { 0 };
		int n;

		assert_int_equal(parse(&v, ARGS((char *)cases[i].word), &n, &error), cases[i].result);
		assert_int_equal(v.number + v.confirm, cases[i].value);
		assert_int_equal(error.len > 0, cases[i].result != 0);
	}
}

static void a_wrong_option_is_named(void **state)
{
	static const struct {
		const char *word, *error;
	} cases[] = {
		{ "--folow", "unknown option \"--folow\"; did you mean \"--follow\"?" },
		{ "--work", "unknown option \"--work\"; did you mean \"--workload\"?" },
		{ "--hlep", "unknown option \"--hlep\"; did you mean \"--help\"?" },
		{ "--nonsense", "unknown option \"--nonsense\"" },
		{ "--nmuber=7", "unknown option \"--nmuber\"; did you mean \"--number\"?" },
		{ "-x", "unknown option \"-x\"" },
		{ "--\033[2J", "unknown option \"--\\x1b[2J\"" },
		{ "--follow=yes", "--follow takes no value" },
		{ "--workload", "--workload needs GLOB" },
		{ "-n", "--number needs N" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
		struct values v = { 0 };
		int n;

		assert_int_equal(parse(&v, ARGS((char *)cases[i].word), &n, &error), -EINVAL);
		assert_string_equal(rf_strbuf_str(&error), cases[i].error);
	}
}

static void the_nearest_name_is_near(void **state)
{
	static const char *const names[] = { "status", "workloads", "top", "events", "policy", "apply" };
	static const struct {
		const char *word, *near;
	} cases[] = {
		{ "stauts", "status" }, { "sta", "status" },  { "workload", "workloads" }, { "tpo", "top" },
		{ "apply", "apply" },	{ "aplly", "apply" }, { "policies", NULL },	   { "polcy", "policy" },
		{ "x", NULL },		{ "", NULL },	      { "restart", NULL },
	};
	char longest[66];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *near = rf_word_nearest(cases[i].word, names, ARRAY_SIZE(names));

		if (cases[i].near)
			assert_string_equal(near, cases[i].near);
		else
			assert_null(near);
	}
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_null(rf_word_nearest(longest, names, ARRAY_SIZE(names)));
	longest[64] = '\0';
	assert_null(rf_word_nearest(longest, names, ARRAY_SIZE(names)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_taken),	 cmocka_unit_test(what_follows_two_dashes_is_no_option),
		cmocka_unit_test(help_is_asked_for_anywhere),	 cmocka_unit_test(a_list_grows_to_its_limit),
		cmocka_unit_test(numbers_and_times_have_limits), cmocka_unit_test(a_wrong_option_is_named),
		cmocka_unit_test(the_nearest_name_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths as text, and the words for what is done with files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/label.h"

static void expect_normal(const char *path, const char *want)
{
	_cleanup_free_ char *got = rf_file_path_normal(path);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void a_path_has_one_form(void **state)
{
	(void)state;
	expect_normal("/", "/");
	expect_normal("//", "/");
	expect_normal("/.", "/");
	expect_normal("/a", "/a");
	expect_normal("/a/", "/a");
	expect_normal("//a//b/./c//", "/a/b/c");
	expect_normal("/a/...", "/a/...");
	expect_normal("/.a/b.", "/.a/b.");
}

static void what_goes_up_or_does_not_start_at_the_top_has_none(void **state)
{
	(void)state;
	expect_normal("/a/../b", NULL);
	expect_normal("/..", NULL);
	expect_normal("a/b", NULL);
	expect_normal("", NULL);
}

static void below_is_by_components(void **state)
{
	(void)state;
	assert_true(rf_file_path_is_below("/a", "/a"));
	assert_true(rf_file_path_is_below("/a/b", "/a"));
	assert_true(rf_file_path_is_below("/a", "/"));
	assert_true(rf_file_path_is_below("/", "/"));
	assert_false(rf_file_path_is_below("/ab", "/a"));
	assert_false(rf_file_path_is_below("/", "/a"));
	assert_false(rf_file_path_is_below("/a", "/a/b"));
}

static void an_access_has_a_word(void **state)
{
	char text[RF_FILE_ACCESS_TEXT];

	(void)state;
	for (int i = 0; i < RF_FILE_ACCESS_COUNT; i++)
		assert_int_equal(rf_file_access_parse(rf_file_access_names[i]), i);
	assert_null(rf_file_access_names[RF_FILE_ACCESS_COUNT]);
	assert_int_equal(rf_file_access_parse("READ"), RF_FILE_READ);
	assert_int_equal(rf_file_access_parse("mmap"), -EINVAL);
	assert_string_equal(rf_file_access_text(0, text), "nothing");
	assert_string_equal(rf_file_access_text(1u << RF_FILE_READ | 1u << RF_FILE_MMAP, text), "read, mmap-exec");
	assert_true(strlen(rf_file_access_text(RF_FILE_ALL, text)) < RF_FILE_ACCESS_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_has_one_form),
		cmocka_unit_test(what_goes_up_or_does_not_start_at_the_top_has_none),
		cmocka_unit_test(below_is_by_components),
		cmocka_unit_test(an_access_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

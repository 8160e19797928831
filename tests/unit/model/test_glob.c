// SPDX-License-Identifier: GPL-2.0-or-later
/* Globs: what they match, against a matcher too simple to be wrong, and how long they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ringfence/limits.h"
#include "user/lib/clock.h"
#include "user/lib/util.h"
#include "user/model/selector.h"

#define matches(p, t)	   assert_true(rf_glob_match(p, t, 0))
#define misses(p, t)	   assert_false(rf_glob_match(p, t, 0))
#define path_matches(p, t) assert_true(rf_glob_match(p, t, '/'))
#define path_misses(p, t)  assert_false(rf_glob_match(p, t, '/'))

static void literals_match_themselves(void **state)
{
	(void)state;
	matches("", "");
	misses("", "a");
	misses("a", "");
	matches("abc", "abc");
	misses("abc", "ab");
	misses("ab", "abc");
	misses("abc", "aBc");
	matches("\xc3\xa9", "\xc3\xa9");
}

static void a_star_matches_any_run(void **state)
{
	(void)state;
	matches("*", "");
	matches("*", "a/b");
	matches("a*c", "ac");
	matches("a*c", "abcbc");
	misses("a*c", "abcb");
	matches("*a*b*", "xaxxbx");
	misses("*a*b*", "xbxxax");
	matches("***", "x");
}

static void a_question_mark_matches_one_byte(void **state)
{
	(void)state;
	matches("a?c", "abc");
	misses("a?c", "ac");
	misses("?", "");
	matches("??", "\xc3\xa9");
}

static void a_class_matches_one_of_its_bytes(void **state)
{
	(void)state;
	matches("[abc]", "b");
	misses("[abc]", "d");
	misses("[abc]", "");
	matches("[a-c]x", "cx");
	misses("[a-c]", "d");
	matches("[!a-c]", "d");
	misses("[!a-c]", "b");
	matches("[]a]", "]");
	matches("[!]a]", "b");
	misses("[!]a]", "]");
	matches("[a-]", "-");
	matches("[-a]", "-");
	matches("[\\]]", "]");
	matches("[\\!a]", "!");
	matches("[a\\-c]", "-");
	misses("[a\\-c]", "b");
	matches("[\x80-\xff]", "\xc3");
	misses("[\x80-\xff]", "a");
	matches("[*?]", "*");
}

static void a_backslash_quotes(void **state)
{
	(void)state;
	matches("\\*", "*");
	misses("\\*", "a");
	matches("\\[a]", "[a]");
	matches("\\\\", "\\");
	matches("\\a", "a");
}

static void one_star_stays_in_a_component_and_two_cross(void **state)
{
	(void)state;
	path_matches("/a/*", "/a/b");
	path_misses("/a/*", "/a/b/c");
	path_matches("/a/**", "/a/b/c");
	path_misses("/a/**", "/a");
	path_matches("/a/**/c", "/a/x/y/c");
	path_misses("/a/**/c", "/a/c");
	path_matches("**", "");
	path_matches("**/x*z/c", "/x/y/xyz/c");
	path_misses("**/x*z/c", "/x/y/z/c");
	path_misses("/a?b", "/a/b");
	path_misses("/a[!x]b", "/a/b");
	path_misses("/a[/]b", "/a/b");
	path_matches("/a\\/b", "/a/b");
	path_matches("***", "/a/b");
	/* The first place where "**" could end is not the right one. */
	path_matches("**/a*/c", "/ab/x/ab/c");
}

static void what_is_wrong_with_a_pattern_is_said_and_it_matches_nothing(void **state)
{
	static const char *const wrong[] = {
		"[", "[a", "[!", "[]", "[!]", "a[b-", "[b-a]", "\\", "a\\", "[\\", "[a-\\"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_non_null(rf_glob_check(wrong[i]));
		misses(wrong[i], wrong[i]);
		misses(wrong[i], "a");
		misses(wrong[i], "");
	}
	assert_string_equal(rf_glob_check("[b-a]"), "a range that ends before it begins");
	assert_string_equal(rf_glob_check("x\\"), "'\\' at the end");
	assert_string_equal(rf_glob_check("[x"), "'[' without a ']'");
}

static void what_is_right_passes_the_check(void **state)
{
	static const char *const right[] = { "", "*", "**", "a?b", "[a]", "[]]", "[!]]", "[a-a]", "\\\\", "[a-]", "]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++)
		assert_null(rf_glob_check(right[i]));
}

static void the_longest_pattern_matches_and_one_longer_does_not(void **state)
{
	char pattern[RF_STRING_MAX + 2], text[RF_STRING_MAX + 2];

	(void)state;
	memset(pattern, '?', sizeof(pattern));
	memset(text, 'x', sizeof(text));
	pattern[RF_STRING_MAX] = '\0';
	text[RF_STRING_MAX] = '\0';
	assert_null(rf_glob_check(pattern));
	matches(pattern, text);
	memset(pattern, '*', RF_STRING_MAX);
	matches(pattern, text);
	path_matches(pattern, text);
	pattern[RF_STRING_MAX] = '*';
	pattern[RF_STRING_MAX + 1] = '\0';
	assert_non_null(rf_glob_check(pattern));
	misses(pattern, text);
}

/* By the definition, with all the time in the world. Letters, '/', '*' and '?' only. */
static bool reference(const char *p, const char *t, char separator)
{
	bool crosses = p[0] == '*' && (p[1] == '*' || !separator);

	if (!*p)
		return !*t;
	if (*p == '*') {
		const char *rest = p + (p[1] == '*' ? 2 : 1);

		return reference(rest, t, separator) ||
		       (*t && (crosses || *t != separator) && reference(p, t + 1, separator));
	}
	if (*p == '?')
		return *t && *t != separator && reference(p + 1, t + 1, separator);
	return *t == *p && reference(p + 1, t + 1, separator);
}

static void it_agrees_with_the_definition(void **state)
{
	static const char pattern_bytes[] = "ab/*?*", text_bytes[] = "ab/a";
	uint32_t random = 1, hits = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char p[9] = "", t[11] = "";
		bool want;

		for (size_t k = 0; k < 8; k++) {
			random = random * 1664525 + 1013904223;
			p[k] = pattern_bytes[(random >> 24) % 6];
			if (random >> 20 & 1 && (random >> 16 & 7) == 0)
				p[k] = '\0';
		}
		for (size_t k = 0; k < 10; k++) {
			random = random * 1664525 + 1013904223;
			t[k] = text_bytes[random >> 30];
			if ((random >> 16 & 7) == 0)
				t[k] = '\0';
		}
		want = reference(p, t, i & 1 ? '/' : 0);
		hits += want;
		if (rf_glob_match(p, t, i & 1 ? '/' : 0) != want)
			fail_msg("\"%s\" on \"%s\", separator %d: should be %d", p, t, i & 1, want);
	}
	/* Enough of both kinds to mean something. */
	assert_true(hits > 2000 && hits < 198000);
}

static void a_hostile_pattern_takes_no_more_than_its_bound(void **state)
{
	char pattern[RF_STRING_MAX + 1], text[RF_STRING_MAX + 1];
	uint64_t start = rf_clock_monotonic();

	(void)state;
	/* "*a*a*a...b" on "aaaa...": a matcher that backtracks would not end in this universe. */
	for (size_t i = 0; i + 1 < RF_STRING_MAX; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[RF_STRING_MAX - 1] = 'b';
	pattern[RF_STRING_MAX] = '\0';
	memset(text, 'a', RF_STRING_MAX);
	text[RF_STRING_MAX] = '\0';
	misses(pattern, text);
	path_misses(pattern, text);
	/* 2 * 4096 * 4096 steps; the limit allows for a sanitizer and a slow machine. */
	assert_true(rf_clock_monotonic() - start < 30 * RF_NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_match_themselves),
		cmocka_unit_test(a_star_matches_any_run),
		cmocka_unit_test(a_question_mark_matches_one_byte),
		cmocka_unit_test(a_class_matches_one_of_its_bytes),
		cmocka_unit_test(a_backslash_quotes),
		cmocka_unit_test(one_star_stays_in_a_component_and_two_cross),
		cmocka_unit_test(what_is_wrong_with_a_pattern_is_said_and_it_matches_nothing),
		cmocka_unit_test(what_is_right_passes_the_check),
		cmocka_unit_test(the_longest_pattern_matches_and_one_longer_does_not),
		cmocka_unit_test(it_agrees_with_the_definition),
		cmocka_unit_test(a_hostile_pattern_takes_no_more_than_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

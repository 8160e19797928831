// SPDX-License-Identifier: GPL-2.0-or-later
/* The JSON reader: what it refuses and where, and getters that always answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "user/lib/json_in.h"

static struct rf_jin *parse(const char *text)
{
	struct rf_jin *root = NULL;

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	return root;
}

static void expect_refusal_n(const char *text, size_t len, size_t at)
{
	struct rf_jin *root = (struct rf_jin *)text;
	size_t offset = 999;

	assert_int_equal(rf_jin_parse(text, len, &root, &offset), -EBADMSG);
	assert_int_equal(offset, at);
	assert_ptr_equal(root, text);
	assert_int_equal(rf_jin_parse(text, len, &root, NULL), -EBADMSG);
}

static void expect_refusal(const char *text, size_t at)
{
	expect_refusal_n(text, strlen(text), at);
}

static void what_is_not_json_is_refused_with_the_place(void **state)
{
	(void)state;
	expect_refusal("", 0);
	expect_refusal("{\"a\":}", 5);
	expect_refusal("{\"a\":1", 6);
	expect_refusal("[1,]", 3);
	expect_refusal("{'a':1}", 1);
	expect_refusal("[1] x", 4);
	expect_refusal("{} {}", 3);
	expect_refusal_n("{}\0{}", 5, 2);
	expect_refusal_n("{}\0", 3, 2);
	expect_refusal("[\"\xff\"]", 2);
	expect_refusal("[\"\\\xff\"]", 3);
	expect_refusal("[\"\\\xc3\xa9\"]", 3);
}

/* The library underneath takes these, each version some. */
static void what_is_nearly_json_is_refused(void **state)
{
	(void)state;
	expect_refusal("{\"k\":'a'}", 5);
	expect_refusal("[NaN]", 1);
	expect_refusal("[-Infinity]", 2);
	expect_refusal("[1.]", 2);
	expect_refusal("[\"a\nb\"]", 3);
	expect_refusal("[/**/1]", 1);
	expect_refusal("null", 4);
}

static void quotes_escape_and_letters_are_free_inside_strings(void **state)
{
	_cleanup_jin_ struct rf_jin *root = parse("{\"it's\":\"N. \\\" I. '\",\"x\":1.5}");

	(void)state;
	assert_string_equal(rf_jin_string(root, "it's", ""), "N. \" I. '");
	assert_true(rf_jin_double(root, "x", 0) == 1.5);
}

/* json-c before 0.18 takes such numbers, later ones refuse the text: both are right, a wrong number is not. */
static void a_number_past_its_type_is_refused_or_no_other_number(void **state)
{
	static const char integer[] = "{\"i\":99999999999999999999}", real[] = "{\"d\":1e400}";
	_cleanup_jin_ struct rf_jin *i = NULL;
	_cleanup_jin_ struct rf_jin *d = NULL;

	(void)state;
	if (rf_jin_parse(integer, strlen(integer), &i, NULL) == 0)
		assert_true(rf_jin_i64(i, "i", 0) == INT64_MAX);
	if (rf_jin_parse(real, strlen(real), &d, NULL) == 0)
		assert_true(rf_jin_double(d, "d", 2) == 2);
}

static void trailing_white_space_is_no_trailing_byte(void **state)
{
	_cleanup_jin_ struct rf_jin *root = parse(" {} \t\r\n");

	(void)state;
	assert_true(rf_jin_is_object(root));
}

static void a_bare_number_ends_with_the_text(void **state)
{
	_cleanup_jin_ struct rf_jin *root = parse("42");

	(void)state;
	assert_int_equal(rf_jin_as_i64(root, 0), 42);
}

static void only_the_length_given_is_read(void **state)
{
	_cleanup_jin_ struct rf_jin *root = NULL;

	(void)state;
	assert_int_equal(rf_jin_parse("123456", 3, &root, NULL), 0);
	assert_int_equal(rf_jin_as_i64(root, 0), 123);
}

static void nested(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
}

static void nesting_is_bounded(void **state)
{
	char text[2 * RF_JIN_DEPTH + 3];
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_jin *none = NULL;

	(void)state;
	nested(text, RF_JIN_DEPTH - 1);
	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	nested(text, RF_JIN_DEPTH + 1);
	assert_int_equal(rf_jin_parse(text, strlen(text), &none, NULL), -EBADMSG);
	assert_null(none);
}

static void getters_give_what_is_there(void **state)
{
	_cleanup_jin_ struct rf_jin *root =
		parse("{\"s\":\"x\",\"i\":-7,\"d\":1.5,\"b\":true,\"o\":{\"k\":1},\"a\":[\"y\",3],"
		      "\"max\":9223372036854775807}");
	const struct rf_jin *a;

	(void)state;
	assert_string_equal(rf_jin_string(root, "s", NULL), "x");
	assert_int_equal(rf_jin_i64(root, "i", 0), -7);
	assert_true(rf_jin_double(root, "d", 0) == 1.5);
	assert_true(rf_jin_double(root, "i", 0) == -7);
	assert_true(rf_jin_bool(root, "b", false));
	assert_true(rf_jin_is_object(rf_jin_get(root, "o")));
	assert_true(rf_jin_i64(root, "max", 0) == INT64_MAX);
	a = rf_jin_get(root, "a");
	assert_true(rf_jin_is_array(a));
	assert_int_equal(rf_jin_len(a), 2);
	assert_string_equal(rf_jin_as_string(rf_jin_at(a, 0), ""), "y");
	assert_int_equal(rf_jin_as_i64(rf_jin_at(a, 1), 0), 3);
}

static void another_type_or_nothing_gives_the_default(void **state)
{
	_cleanup_jin_ struct rf_jin *root = parse("{\"s\":\"5\",\"i\":1,\"n\":null,\"z\":\"a\\u0000b\",\"d\":1.5}");

	(void)state;
	assert_int_equal(rf_jin_i64(root, "s", 9), 9);
	assert_int_equal(rf_jin_i64(root, "d", 9), 9);
	assert_null(rf_jin_string(root, "i", NULL));
	assert_true(rf_jin_bool(root, "i", true));
	assert_false(rf_jin_bool(root, "i", false));
	assert_true(rf_jin_double(root, "s", 2) == 2);
	assert_string_equal(rf_jin_string(root, "n", "d"), "d");
	assert_string_equal(rf_jin_string(root, "gone", "d"), "d");
	/* A string with a NUL in it would be read as another one. */
	assert_string_equal(rf_jin_string(root, "z", "d"), "d");
	assert_null(rf_jin_get(NULL, "x"));
	assert_null(rf_jin_get(rf_jin_get(root, "s"), "x"));
	assert_null(rf_jin_at(root, 0));
	assert_null(rf_jin_at(NULL, 0));
	assert_int_equal(rf_jin_len(root), 0);
	assert_int_equal(rf_jin_len(NULL), 0);
	assert_false(rf_jin_is_object(NULL));
	assert_false(rf_jin_is_array(NULL));
}

struct seen {
	char keys[16];
	int stop_after;
};

static int see(const char *key, const struct rf_jin *value, void *arg)
{
	struct seen *seen = arg;

	(void)value;
	strcat(seen->keys, key);
	return --seen->stop_after == 0 ? -EINTR : 0;
}

static void each_member_is_visited_until_told_to_stop(void **state)
{
	_cleanup_jin_ struct rf_jin *root = parse("{\"a\":1,\"b\":null,\"c\":3}");
	struct seen all = { "", 0 }, two = { "", 2 }, none = { "", 0 };

	(void)state;
	assert_int_equal(rf_jin_each(root, see, &all), 0);
	assert_string_equal(all.keys, "abc");
	assert_int_equal(rf_jin_each(root, see, &two), -EINTR);
	assert_string_equal(two.keys, "ab");
	assert_int_equal(rf_jin_each(rf_jin_get(root, "a"), see, &none), 0);
	assert_int_equal(rf_jin_each(NULL, see, &none), 0);
	assert_string_equal(none.keys, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_json_is_refused_with_the_place),
		cmocka_unit_test(what_is_nearly_json_is_refused),
		cmocka_unit_test(quotes_escape_and_letters_are_free_inside_strings),
		cmocka_unit_test(a_number_past_its_type_is_refused_or_no_other_number),
		cmocka_unit_test(trailing_white_space_is_no_trailing_byte),
		cmocka_unit_test(a_bare_number_ends_with_the_text),
		cmocka_unit_test(only_the_length_given_is_read),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(getters_give_what_is_there),
		cmocka_unit_test(another_type_or_nothing_gives_the_default),
		cmocka_unit_test(each_member_is_visited_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

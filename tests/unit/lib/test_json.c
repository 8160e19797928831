// SPDX-License-Identifier: GPL-2.0-or-later
/* The JSON writer: commas, escapes, and text that parses whatever bytes it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "user/lib/json.h"
#include "user/lib/json_in.h"

static void commas_stand_between_members_only(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	rf_json_init(&j, &b);
	rf_json_object(&j, NULL);
	rf_json_object(&j, "empty");
	rf_json_object_end(&j);
	rf_json_array(&j, "list");
	rf_json_u64(&j, NULL, 1);
	rf_json_array(&j, NULL);
	rf_json_array_end(&j);
	rf_json_object(&j, NULL);
	rf_json_bool(&j, "b", true);
	rf_json_object_end(&j);
	rf_json_array_end(&j);
	rf_json_null(&j, "n");
	rf_json_bool(&j, "f", false);
	rf_json_object_end(&j);
	assert_string_equal(rf_strbuf_str(&b), "{\"empty\":{},\"list\":[1,[],{\"b\":true}],\"n\":null,\"f\":false}");
}

static void numbers_are_exact_at_their_limits(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	rf_json_init(&j, &b);
	rf_json_array(&j, NULL);
	rf_json_u64(&j, NULL, UINT64_MAX);
	rf_json_i64(&j, NULL, INT64_MIN);
	rf_json_double(&j, NULL, 0.1);
	rf_json_double(&j, NULL, 1.0 / 3);
	rf_json_double(&j, NULL, -0.0);
	rf_json_double(&j, NULL, 1e300);
	rf_json_array_end(&j);
	assert_string_equal(rf_strbuf_str(&b),
			    "[18446744073709551615,-9223372036854775808,0.1,0.33333333333333331,-0,1e+300]");
}

static void a_double_that_is_no_number_is_null(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	rf_json_init(&j, &b);
	rf_json_array(&j, NULL);
	rf_json_double(&j, NULL, NAN);
	rf_json_double(&j, NULL, INFINITY);
	rf_json_double(&j, NULL, -INFINITY);
	rf_json_array_end(&j);
	assert_string_equal(rf_strbuf_str(&b), "[null,null,null]");
}

/* One string as a value, without the quotes. */
static void check_string(const char *value, size_t len, const char *want)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT, quoted = RF_STRBUF_INIT;
	struct rf_json j;

	rf_json_init(&j, &b);
	rf_json_stringn(&j, NULL, value, len);
	rf_strbuf_addf(&quoted, "\"%s\"", want);
	assert_string_equal(rf_strbuf_str(&b), rf_strbuf_str(&quoted));
}

static void quotes_and_control_characters_are_escaped(void **state)
{
	(void)state;
	check_string("a\"b\\c/", 6, "a\\\"b\\\\c/");
	check_string("\n\t\r\x1f", 4, "\\n\\t\\u000d\\u001f");
	check_string("a\0b", 3, "a\\u0000b");
	check_string("\x7f", 1, "\\u007f");
	check_string("\xc2\x9b", 2, "\\u009b");
}

static void valid_utf8_passes(void **state)
{
	(void)state;
	check_string("\xc2\xa0", 2, "\xc2\xa0");
	check_string("\xc3\xa9", 2, "\xc3\xa9");
	check_string("\xe2\x82\xac", 3, "\xe2\x82\xac");
	check_string("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
	check_string("\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf");
	check_string("\xed\x9f\xbf", 3, "\xed\x9f\xbf");
}

#define REPLACED "\xef\xbf\xbd"

static void invalid_utf8_is_replaced_byte_by_byte(void **state)
{
	(void)state;
	check_string("a\xff", 2, "a" REPLACED);
	check_string("\x80", 1, REPLACED);
	check_string("\xc3", 1, REPLACED);
	check_string("\xc3(", 2, REPLACED "(");
	check_string("\xc0\x80", 2, REPLACED REPLACED); /* overlong */
	check_string("\xe0\x80\x80", 3, REPLACED REPLACED REPLACED);
	check_string("\xed\xa0\x80", 3, REPLACED REPLACED REPLACED);		  /* a surrogate */
	check_string("\xf4\x90\x80\x80", 4, REPLACED REPLACED REPLACED REPLACED); /* past U+10FFFF */
	check_string("\xe2\x82", 2, REPLACED REPLACED);				  /* cut */
}

static void every_byte_gives_text_that_parses(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
		_cleanup_jin_ struct rf_jin *root = NULL;
		const char bytes[2] = { (char)(i >> 8), (char)i };
		struct rf_json j;

		rf_json_init(&j, &b);
		rf_json_array(&j, NULL);
		rf_json_stringn(&j, NULL, bytes, sizeof(bytes));
		rf_json_array_end(&j);
		assert_int_equal(rf_jin_parse(b.data, b.len, &root, NULL), 0);
	}
}

static void a_missing_string_is_null_and_a_format_is_escaped(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	rf_json_init(&j, &b);
	rf_json_object(&j, NULL);
	rf_json_string(&j, "s", NULL);
	rf_json_stringf(&j, "f\"", "%d\"%s", 1, "x");
	rf_json_object_end(&j);
	assert_string_equal(rf_strbuf_str(&b), "{\"s\":null,\"f\\\"\":\"1\\\"x\"}");
}

static void sixty_three_levels_nest(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	rf_json_init(&j, &b);
	for (int i = 0; i < 63; i++)
		rf_json_array(&j, NULL);
	rf_json_u64(&j, NULL, 1);
	rf_json_u64(&j, NULL, 2);
	for (int i = 0; i < 63; i++)
		rf_json_array_end(&j);
	assert_int_equal(b.len, 63 + 3 + 63);
	assert_int_equal(j.depth, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_members_only),
		cmocka_unit_test(numbers_are_exact_at_their_limits),
		cmocka_unit_test(a_double_that_is_no_number_is_null),
		cmocka_unit_test(quotes_and_control_characters_are_escaped),
		cmocka_unit_test(valid_utf8_passes),
		cmocka_unit_test(invalid_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(every_byte_gives_text_that_parses),
		cmocka_unit_test(a_missing_string_is_null_and_a_format_is_escaped),
		cmocka_unit_test(sixty_three_levels_nest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

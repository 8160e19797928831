// SPDX-License-Identifier: GPL-2.0-or-later
/* Escaping, numbers, durations and tables, at 80 columns and without a limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/render.h"
#include "user/cli/table.h"

#define assert_escaped(in, lines, expected)                        \
	do {                                                       \
		struct rf_strbuf _b = RF_STRBUF_INIT;              \
		rf_render_escape(&_b, in, lines);                  \
		assert_string_equal(rf_strbuf_str(&_b), expected); \
		rf_strbuf_fini(&_b);                               \
	} while (0)

static void plain_text_is_not_escaped(void **state)
{
	(void)state;
	assert_escaped("acme/prod/web-1", false, "acme/prod/web-1");
	assert_escaped("", false, "");
	assert_escaped("na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac", false, "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac");
	assert_escaped("a\\b", false, "a\\b");
}

static void what_could_drive_a_terminal_is_escaped(void **state)
{
	(void)state;
	assert_escaped("\033[2Jx", false, "\\x1b[2Jx");
	assert_escaped("a\nb\tc\rd", false, "a\\x0ab\\x09c\\x0dd");
	assert_escaped("a\nb\tc\rd", true, "a\nb\tc\\x0dd");
	assert_escaped("\x7f", false, "\\x7f");
	assert_escaped("\xc2\x9b"
		       "31m",
		       false, "\\xc2\\x9b31m"); /* CSI as one character */
	assert_escaped("\xe2\x80\xae"
		       "gpj",
		       true, "\\xe2\\x80\\xaegpj");		    /* right-to-left override */
	assert_escaped("a\xe2\x80\x8b", false, "a\\xe2\\x80\\x8b"); /* zero width */
}

static void invalid_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	assert_escaped("\xff", false, "\\xff");
	assert_escaped("\xc3", false, "\\xc3");				   /* cut at the end */
	assert_escaped("\xc0\xaf", false, "\\xc0\\xaf");		   /* overlong */
	assert_escaped("\xed\xa0\x80", false, "\\xed\\xa0\\x80");	   /* surrogate */
	assert_escaped("\xf4\x90\x80\x80", false, "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
}

static void json_stays_the_same_json(void **state)
{
	static const char in[] = "{\"a\":\"\xc2\x9b \xe2\x80\xae \x7f \xf3\xa0\x81\x81 \xc3\xa4 \\n\xff\"}";
	struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	rf_render_escape_json(&b, in, sizeof(in) - 1);
	assert_string_equal(rf_strbuf_str(&b),
			    "{\"a\":\"\\u009b \\u202e \\u007f \\udb40\\udc41 \xc3\xa4 \\n\\ufffd\"}");
	rf_strbuf_fini(&b);
}

static void widths_count_columns(void **state)
{
	(void)state;
	assert_int_equal(rf_render_width(""), 0);
	assert_int_equal(rf_render_width("abc"), 3);
	assert_int_equal(rf_render_width("\xc3\xa4"), 1);
	assert_int_equal(rf_render_width("\xe6\x97\xa5"), 2);
	assert_int_equal(rf_render_width("e\xcc\x81"), 1); /* combining */
}

static void bytes_are_rounded_within_their_unit(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 10 * 1024, "10 KiB" },
		{ 1048575, "1.0 MiB" },
		{ 1048576, "1.0 MiB" },
		{ 1ULL << 30, "1.0 GiB" },
		{ 12ULL << 40, "12 TiB" },
		{ UINT64_MAX, "16 EiB" },
	};
	char out[RF_RENDER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rf_render_bytes(out, cases[i].n);
		assert_string_equal(out, cases[i].text);
	}
}

static void short_numbers_fit_five_columns(void **state)
{
	static const struct {
		double n;
		unsigned int base;
		const char *text;
	} cases[] = {
		{ 0, 1000, "0" },
		{ 0.04, 1000, "0" },
		{ 0.25, 1000, "0.2" },
		{ 7, 1000, "7" },
		{ 99.94, 1000, "99.9" },
		{ 99.96, 1000, "100" },
		{ 999, 1000, "999" },
		{ 999.6, 1000, "1.0k" },
		{ 1234, 1000, "1.2k" },
		{ 99960, 1000, "100k" },
		{ 123456789, 1000, "123M" },
		{ 1024, 1024, "1.0K" },
		{ 1.5 * 1048576, 1024, "1.5M" },
		{ NAN, 1000, "-" },
		{ INFINITY, 1000, "-" },
		{ -1, 1000, "0" },
		{ 1e30, 1000, "999E" },
	};
	char out[RF_RENDER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rf_render_short(out, cases[i].n, cases[i].base);
		assert_string_equal(out, cases[i].text);
		assert_true(strlen(out) <= 5);
	}
}

static void durations_show_two_units(void **state)
{
	static const struct {
		uint64_t s;
		const char *text;
	} cases[] = {
		{ 0, "0s" },	   { 59, "59s" },	 { 60, "1m 0s" },    { 3599, "59m 59s" },
		{ 3600, "1h 0m" }, { 86399, "23h 59m" }, { 86400, "1d 0h" }, { 273600, "3d 4h" },
	};
	char out[RF_RENDER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rf_render_duration(out, cases[i].s);
		assert_string_equal(out, cases[i].text);
	}
}

static const struct rf_column columns[] = {
	{ "NAME", RF_FIT_CUT },
	{ "COUNT", RF_FIT_RIGHT },
	{ "WHY", RF_FIT_WRAP },
};

static void assert_table(struct rf_table *t, unsigned int width, bool color, const char *expected)
{
	struct rf_strbuf out = RF_STRBUF_INIT;

	rf_table_print(t, &out, width, color);
	assert_int_equal(rf_strbuf_error(&out), 0);
	assert_string_equal(rf_strbuf_str(&out), expected);
	rf_strbuf_fini(&out);
}

static void a_table_is_aligned_without_trailing_space(void **state)
{
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	rf_table_add(&t, RF_COLOR_NONE, "alpha");
	rf_table_addf(&t, RF_COLOR_NONE, "%d", 7);
	rf_table_add(&t, RF_COLOR_NONE, "because");
	rf_table_add(&t, RF_COLOR_NONE, "b");
	rf_table_addf(&t, RF_COLOR_NONE, "%d", 1234567);
	rf_table_add(&t, RF_COLOR_NONE, "");
	assert_table(&t, 0, false,
		     "NAME     COUNT  WHY\n"
		     "alpha        7  because\n"
		     "b      1234567\n");
}

static void a_table_without_rows_is_its_titles(void **state)
{
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	assert_table(&t, 0, false, "NAME  COUNT  WHY\n");
}

static void cells_are_escaped_and_colours_do_not_count(void **state)
{
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	rf_table_add(&t, RF_COLOR_RED, "\033]0;x");
	rf_table_add(&t, RF_COLOR_GREEN, NULL);
	rf_table_add(&t, RF_COLOR_NONE, "two\nlines");
	assert_table(&t, 0, true,
		     "\033[1mNAME\033[0m      \033[1mCOUNT\033[0m  \033[1mWHY\033[0m\n"
		     "\033[31m\\x1b]0;x\033[0m      \033[32m-\033[0m  two\\x0alines\n");
	assert_table(&t, 0, false,
		     "NAME      COUNT  WHY\n"
		     "\\x1b]0;x      -  two\\x0alines\n");
}

static void wide_characters_keep_the_columns_aligned(void **state)
{
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	rf_table_add(&t, RF_COLOR_NONE, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"); /* three characters, six columns */
	rf_table_add(&t, RF_COLOR_NONE, "1");
	rf_table_add(&t, RF_COLOR_NONE, "x");
	rf_table_add(&t, RF_COLOR_NONE, "abcdef");
	rf_table_add(&t, RF_COLOR_NONE, "1");
	rf_table_add(&t, RF_COLOR_NONE, "x");
	assert_table(&t, 0, false,
		     "NAME    COUNT  WHY\n"
		     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e      1  x\n"
		     "abcdef      1  x\n");
}

static void a_table_is_cut_and_wrapped_to_its_width(void **state)
{
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	rf_table_add(&t, RF_COLOR_NONE, "a-name-of-twenty-four-ch");
	rf_table_add(&t, RF_COLOR_NONE, "12345");
	rf_table_add(&t, RF_COLOR_NONE, "this reason is long");
	assert_table(&t, 40, false,
		     "NAME             COUNT  WHY\n"
		     "a-name-of-twe..  12345  this reason is\n"
		     "                        long\n");
}

static void no_line_of_a_table_is_wider_than_80(void **state)
{
	static const char *const words[] = { "a", "spec.network.egress", "12345678901234567890",
					     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac" };
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT, text = RF_STRBUF_INIT;
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	for (size_t row = 0; row < 40; row++) {
		rf_strbuf_reset(&text);
		for (size_t i = 0; i <= row; i++)
			rf_strbuf_addf(&text, "%s%s", words[(row + i) % ARRAY_SIZE(words)], row % 3 ? " " : "");
		rf_table_add(&t, RF_COLOR_NONE, rf_strbuf_str(&text));
		rf_table_addf(&t, RF_COLOR_NONE, "%zu", row * 1000003);
		rf_table_add(&t, RF_COLOR_NONE, rf_strbuf_str(&text));
	}
	rf_table_print(&t, &out, 80, false);
	for (char *save = NULL, *line = strtok_r(out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		assert_true(rf_render_width(line) <= 80);
}

static void a_table_is_never_narrower_than_readable(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	(void)state;
	rf_table_add(&t, RF_COLOR_NONE, "a-rather-long-name");
	rf_table_add(&t, RF_COLOR_NONE, "1");
	rf_table_add(&t, RF_COLOR_NONE, "a-rather-long-reason");
	assert_table(&t, 1, false,
		     "NAME      COUNT  WHY\n"
		     "a-rath..      1  a-rather\n"
		     "                 -long-re\n"
		     "                 ason\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_is_not_escaped),
		cmocka_unit_test(what_could_drive_a_terminal_is_escaped),
		cmocka_unit_test(invalid_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(json_stays_the_same_json),
		cmocka_unit_test(widths_count_columns),
		cmocka_unit_test(bytes_are_rounded_within_their_unit),
		cmocka_unit_test(short_numbers_fit_five_columns),
		cmocka_unit_test(durations_show_two_units),
		cmocka_unit_test(a_table_is_aligned_without_trailing_space),
		cmocka_unit_test(a_table_without_rows_is_its_titles),
		cmocka_unit_test(cells_are_escaped_and_colours_do_not_count),
		cmocka_unit_test(wide_characters_keep_the_columns_aligned),
		cmocka_unit_test(a_table_is_cut_and_wrapped_to_its_width),
		cmocka_unit_test(no_line_of_a_table_is_wider_than_80),
		cmocka_unit_test(a_table_is_never_narrower_than_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

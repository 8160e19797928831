// SPDX-License-Identifier: GPL-2.0-or-later
/* Diagnostics: the format, the caret, what is kept, and that no text reaches a terminal raw. */
#include "tests/unit/policy/parsed.h"

static const char source[] = "first\n\tx: bad\nthird é: bad\r\nlast";

static void add(struct rf_diags *d, uint32_t line, uint32_t column, unsigned int length, const char *hint)
{
	rf_diags_add(d, RF_SEVERITY_ERROR, "t.yaml", (struct rf_mark){ line, column }, length, source,
		     sizeof(source) - 1, hint, "wrong");
}

static void assert_printed(struct rf_diags *d, const char *expected)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_diags_print(d, &out, false);
	assert_string_equal(rf_strbuf_str(&out), expected);
}

static void a_diagnostic_shows_place_line_caret_and_hint(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;

	(void)state;
	add(&d, 1, 2, 3, "expected better");
	assert_printed(&d, "t.yaml:1:2: error: wrong\n"
			   "    1 | first\n"
			   "      |  ^~~\n"
			   "   expected better\n"
			   "1 error, 0 warnings\n");
}

static void a_tab_keeps_the_caret_under_its_word(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;

	(void)state;
	add(&d, 2, 5, 3, NULL);
	assert_printed(&d, "t.yaml:2:5: error: wrong\n"
			   "    2 | \tx: bad\n"
			   "      | \t   ^~~\n"
			   "1 error, 0 warnings\n");
}

static void a_character_of_several_bytes_is_one_column(void **state)
{
	_cleanup_diags_ struct rf_diags before = RF_DIAGS_INIT, within = RF_DIAGS_INIT;

	(void)state;
	add(&before, 3, 10, 3, NULL);
	assert_printed(&before, "t.yaml:3:10: error: wrong\n"
				"    3 | third \u00e9: bad\n"
				"      |          ^~~\n"
				"1 error, 0 warnings\n");
	add(&within, 3, 7, 2, NULL);
	assert_printed(&within, "t.yaml:3:7: error: wrong\n"
				"    3 | third \u00e9: bad\n"
				"      |       ^~\n"
				"1 error, 0 warnings\n");
}

static void the_underline_ends_with_the_line(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;

	(void)state;
	add(&d, 4, 3, 100, NULL);
	assert_printed(&d, "t.yaml:4:3: error: wrong\n"
			   "    4 | last\n"
			   "      |   ^~\n"
			   "1 error, 0 warnings\n");
}

static void a_place_outside_the_file_has_no_line(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;

	(void)state;
	add(&d, 99, 1, 1, NULL);
	add(&d, 0, 0, 0, NULL);
	assert_printed(&d, "t.yaml:99:1: error: wrong\n"
			   "t.yaml: error: wrong\n"
			   "2 errors, 0 warnings\n");
}

static void a_warning_is_no_error(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;

	(void)state;
	rf_diags_add(&d, RF_SEVERITY_WARNING, "t.yaml", (struct rf_mark){ 0, 0 }, 0, NULL, 0, NULL, "odd");
	assert_int_equal(d.n_errors, 0);
	assert_int_equal(d.n_warnings, 1);
	assert_printed(&d, "t.yaml: warning: odd\n0 errors, 1 warning\n");
}

static void what_is_past_the_limit_is_counted(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;
	_cleanup_strbuf_ struct rf_strbuf at = RF_STRBUF_INIT, past = RF_STRBUF_INIT;

	(void)state;
	for (int i = 0; i < RF_MAX_DIAGS; i++)
		add(&d, 1, 1, 0, NULL);
	rf_diags_print(&d, &at, false);
	assert_non_null(strstr(rf_strbuf_str(&at), "200 errors, 0 warnings\n"));
	add(&d, 1, 1, 0, NULL);
	assert_int_equal(d.n, RF_MAX_DIAGS);
	assert_int_equal(d.n_errors, RF_MAX_DIAGS + 1);
	rf_diags_print(&d, &past, false);
	assert_non_null(strstr(rf_strbuf_str(&past), "201 errors, 0 warnings (1 not shown)\n"));
}

static void a_control_byte_reaches_no_terminal(void **state)
{
	static const char hostile[] = "\x1b[2J\x07\x7f\xc2\x9b\xc2\x80: 1";
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	(void)state;
	rf_diags_add(&d, RF_SEVERITY_ERROR, "a\x1b.yaml", (struct rf_mark){ 1, 1 }, 0, hostile, sizeof(hostile) - 1,
		     "\x1b[1m", "\x1b]0;%s",
		     "\xc2\x9b"
		     "1m");
	rf_diags_print(&d, &out, false);
	for (const char *s = rf_strbuf_str(&out); *s; s++)
		assert_true(((unsigned char)*s >= 0x20 && *s != '\xc2') || *s == '\n');
	assert_non_null(strstr(rf_strbuf_str(&out), "?[2J????: 1"));
}

static void colour_is_only_where_it_is_asked_for(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;
	_cleanup_strbuf_ struct rf_strbuf plain = RF_STRBUF_INIT, coloured = RF_STRBUF_INIT;

	(void)state;
	add(&d, 1, 1, 1, NULL);
	rf_diags_print(&d, &plain, false);
	rf_diags_print(&d, &coloured, true);
	assert_null(strchr(rf_strbuf_str(&plain), '\033'));
	assert_non_null(strstr(rf_strbuf_str(&coloured), "\033[1;31merror"));
}

static void json_has_every_member(void **state)
{
	_cleanup_diags_ struct rf_diags d = RF_DIAGS_INIT;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_json j;

	(void)state;
	add(&d, 1, 2, 3, NULL);
	rf_json_init(&j, &out);
	rf_json_object(&j, NULL);
	rf_diags_json(&d, &j, "diags");
	rf_json_object_end(&j);
	assert_string_equal(rf_strbuf_str(&out), "{\"diags\":[{\"severity\":\"error\",\"file\":\"t.yaml\",\"line\":1,"
						 "\"column\":2,\"message\":\"wrong\",\"hint\":null}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_diagnostic_shows_place_line_caret_and_hint),
		cmocka_unit_test(a_tab_keeps_the_caret_under_its_word),
		cmocka_unit_test(a_character_of_several_bytes_is_one_column),
		cmocka_unit_test(the_underline_ends_with_the_line),
		cmocka_unit_test(a_place_outside_the_file_has_no_line),
		cmocka_unit_test(a_warning_is_no_error),
		cmocka_unit_test(what_is_past_the_limit_is_counted),
		cmocka_unit_test(a_control_byte_reaches_no_terminal),
		cmocka_unit_test(colour_is_only_where_it_is_asked_for),
		cmocka_unit_test(json_has_every_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

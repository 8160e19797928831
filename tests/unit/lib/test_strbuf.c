// SPDX-License-Identifier: GPL-2.0-or-later
/* The growing string: contents, memory, and the error that is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "user/lib/strbuf.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	assert_string_equal(rf_strbuf_str(&b), "");
	assert_int_equal(rf_strbuf_error(&b), 0);
}

static void appends_follow_one_another(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	rf_strbuf_adds(&b, "a");
	rf_strbuf_addc(&b, 'b');
	rf_strbuf_add(&b, "cd-", 2);
	rf_strbuf_addf(&b, "%d%s", 5, "e");
	rf_strbuf_add(&b, NULL, 0);
	assert_string_equal(rf_strbuf_str(&b), "abcd5e");
	assert_int_equal(b.len, 6);
}

static void a_nul_byte_is_kept(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	rf_strbuf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
}

static void it_grows_past_every_capacity(void **state)
{
	(void)state;
	/* Around the first capacity and its doubles, where one byte too few would show. */
	for (size_t len = 0; len <= 300; len++) {
		_cleanup_strbuf_ struct rf_strbuf formatted = RF_STRBUF_INIT, added = RF_STRBUF_INIT;
		char text[301];

		memset(text, 'x', len);
		text[len] = '\0';
		rf_strbuf_addf(&formatted, "%s", text);
		assert_string_equal(rf_strbuf_str(&formatted), text);
		assert_int_equal(formatted.len, len);
		for (size_t i = 0; i < len; i++)
			rf_strbuf_addc(&added, 'x');
		assert_string_equal(rf_strbuf_str(&added), text);
		assert_true(added.capacity > added.len || len == 0);
	}
}

static void an_error_stops_appends_and_keeps_what_was_there(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	rf_strbuf_adds(&b, "kept");
	rf_strbuf_add(&b, "", SIZE_MAX - 2);
	assert_int_equal(rf_strbuf_error(&b), -ENOMEM);
	rf_strbuf_adds(&b, "not added");
	rf_strbuf_addf(&b, "%d", 1);
	assert_string_equal(rf_strbuf_str(&b), "kept");
	assert_null(rf_strbuf_take(&b));
	assert_int_equal(rf_strbuf_error(&b), 0);
}

static void a_reset_clears_the_error_and_keeps_the_memory(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	const char *data;

	(void)state;
	rf_strbuf_adds(&b, "kept");
	rf_strbuf_add(&b, "", SIZE_MAX - 2);
	data = b.data;
	rf_strbuf_reset(&b);
	assert_string_equal(rf_strbuf_str(&b), "");
	rf_strbuf_adds(&b, "new");
	assert_ptr_equal(b.data, data);
	assert_string_equal(rf_strbuf_str(&b), "new");
}

static void a_taken_string_is_the_callers(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	_cleanup_free_ char *empty = NULL, *full = NULL;

	(void)state;
	empty = rf_strbuf_take(&b);
	assert_string_equal(empty, "");
	rf_strbuf_adds(&b, "x");
	full = rf_strbuf_take(&b);
	assert_string_equal(full, "x");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_string),
		cmocka_unit_test(appends_follow_one_another),
		cmocka_unit_test(a_nul_byte_is_kept),
		cmocka_unit_test(it_grows_past_every_capacity),
		cmocka_unit_test(an_error_stops_appends_and_keeps_what_was_there),
		cmocka_unit_test(a_reset_clears_the_error_and_keeps_the_memory),
		cmocka_unit_test(a_taken_string_is_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

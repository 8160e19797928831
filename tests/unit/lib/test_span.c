// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines, words and numbers of a text that somebody else owns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/lib/span.h"

static struct rf_span span(const char *text)
{
	return (struct rf_span){ text, strlen(text) };
}

static void a_text_is_cut_into_its_lines_the_last_may_have_no_end(void **state)
{
	struct rf_span text = span("one\n\ntwo"), line;

	(void)state;
	assert_true(rf_span_next_line(&text, &line));
	assert_true(rf_span_eq(line, "one"));
	assert_true(rf_span_next_line(&text, &line));
	assert_int_equal(line.n, 0);
	assert_true(rf_span_next_line(&text, &line));
	assert_true(rf_span_eq(line, "two"));
	assert_false(rf_span_next_line(&text, &line));
}

static void blanks_end_words(void **state)
{
	struct rf_span text = span(" \tone  two\t"), word;

	(void)state;
	assert_true(rf_span_take_word(&text, &word));
	assert_true(rf_span_eq(word, "one"));
	assert_true(rf_span_take_word(&text, &word));
	assert_true(rf_span_eq(word, "two"));
	assert_false(rf_span_take_word(&text, &word));
	assert_int_equal(text.n, 0);
}

static void a_number_is_all_of_its_digits_and_no_more_than_64_bits(void **state)
{
	struct rf_span text = span("18446744073709551615 ns");
	uint64_t value = 7;

	(void)state;
	assert_true(rf_span_take_u64(&text, &value));
	assert_true(value == UINT64_MAX);
	assert_true(rf_span_eq(text, " ns"));
	value = 7;
	assert_false(rf_span_u64(span("18446744073709551616"), &value));
	assert_false(rf_span_u64(span(""), &value));
	assert_false(rf_span_u64(span("-1"), &value));
	assert_false(rf_span_u64(span("1k"), &value));
	assert_int_equal(value, 7);
	assert_true(rf_span_u64(span("0010"), &value));
	assert_int_equal(value, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_cut_into_its_lines_the_last_may_have_no_end),
		cmocka_unit_test(blanks_end_words),
		cmocka_unit_test(a_number_is_all_of_its_digits_and_no_more_than_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

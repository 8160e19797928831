// SPDX-License-Identifier: GPL-2.0-or-later
/* The allocator of rule vectors: shared by content, freed by the last reference. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ringfence/limits.h"
#include "user/engine/words.h"

#define WORDS 64

static uint64_t map[WORDS];

static int setup(void **state)
{
	struct rf_words *w = NULL;

	memset(map, 0, sizeof(map));
	if (rf_words_new(map, WORDS, &w) < 0)
		return -1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	rf_words_free(*state);
	return 0;
}

static void the_same_content_is_stored_once(void **state)
{
	const uint64_t content[2] = { 1, 2 };
	uint32_t a, b, used;

	assert_int_equal(rf_words_get(*state, content, 2, &a), 0);
	used = rf_words_used(*state);
	assert_int_equal(rf_words_get(*state, content, 2, &b), 0);
	assert_int_equal(a, b);
	assert_int_equal(rf_words_used(*state), used);
	assert_memory_equal(&map[a], content, sizeof(content));
}

static void equal_words_of_another_length_are_other_content(void **state)
{
	const uint64_t content[2] = { 1, 0 };
	uint32_t a, b;

	assert_int_equal(rf_words_get(*state, content, 1, &a), 0);
	assert_int_equal(rf_words_get(*state, content, 2, &b), 0);
	assert_int_not_equal(a, b);
}

static void the_last_reference_frees(void **state)
{
	const uint64_t content = 7;
	uint32_t a, used = rf_words_used(*state);

	assert_int_equal(rf_words_get(*state, &content, 1, &a), 0);
	assert_int_equal(rf_words_get(*state, &content, 1, &a), 0);
	rf_words_put(*state, a);
	assert_int_equal(rf_words_used(*state), used + 1);
	rf_words_put(*state, a);
	assert_int_equal(rf_words_used(*state), used);
}

static void the_empty_vector_at_offset_0_is_never_given_out(void **state)
{
	for (uint64_t i = 1; i <= WORDS - RF_RULE_WORDS; i++) {
		uint32_t offset;

		assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
		assert_true(offset >= RF_RULE_WORDS);
	}
}

static void a_full_map_is_told_and_one_freed_word_is_found_again(void **state)
{
	uint32_t offset = 0, last = 0;
	uint64_t i;

	for (i = 1; i <= WORDS - RF_RULE_WORDS; i++)
		assert_int_equal(rf_words_get(*state, &i, 1, &last), 0);
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), -ENOSPC);
	assert_int_equal(offset, 0);
	rf_words_put(*state, last);
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
	assert_int_equal(offset, last);
}

static void adopted_words_are_shared_and_not_overwritten(void **state)
{
	const uint64_t theirs = 99, ours = 5;
	uint32_t offset;

	map[20] = theirs;
	assert_int_equal(rf_words_adopt(*state, 20, 1), 0);
	assert_int_equal(rf_words_get(*state, &theirs, 1, &offset), 0);
	assert_int_equal(offset, 20);
	for (int i = 0; i < 10; i++) {
		uint64_t content = ours + i;

		assert_int_equal(rf_words_get(*state, &content, 1, &offset), 0);
		assert_int_not_equal(offset, 20);
	}
	assert_int_equal(map[20], theirs);
}

static void adopting_outside_the_map_is_refused(void **state)
{
	assert_int_equal(rf_words_adopt(*state, WORDS - 1, 1), 0);
	assert_int_equal(rf_words_adopt(*state, WORDS - 1, 2), -EINVAL);
	assert_int_equal(rf_words_adopt(*state, WORDS, 1), -EINVAL);
	assert_int_equal(rf_words_adopt(*state, 0, 1), -EINVAL);
	assert_int_equal(rf_words_adopt(*state, 20, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_content_is_stored_once, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_words_of_another_length_are_other_content, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_reference_frees, setup, teardown),
		cmocka_unit_test_setup_teardown(the_empty_vector_at_offset_0_is_never_given_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_map_is_told_and_one_freed_word_is_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(adopted_words_are_shared_and_not_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(adopting_outside_the_map_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

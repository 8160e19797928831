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
#define CHUNK 32

static uint64_t map[WORDS];
static uint32_t needed; /* words below it were asked for */

static int need(void *arg, uint32_t word)
{
	uint32_t *room = arg;

	if (word >= *room)
		return -ENOMEM;
	needed = needed > word ? needed : (word / CHUNK + 1) * CHUNK;
	return 0;
}

static uint32_t room;

static int setup(void **state)
{
	struct rf_words *w = NULL;

	memset(map, 0, sizeof(map));
	needed = 0;
	room = WORDS;
	if (rf_words_new(map, WORDS, CHUNK, need, &room, &w) < 0)
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

static void no_more_memory_is_asked_for_than_runs_take(void **state)
{
	uint32_t offset = 0, first = 0;
	uint64_t i;

	for (i = 1; i <= CHUNK - RF_RULE_WORDS; i++)
		assert_int_equal(rf_words_get(*state, &i, 1, i == 1 ? &first : &offset), 0);
	assert_int_equal(needed, CHUNK);
	/* A word in the middle is free again: it is found before the next chunk is. */
	rf_words_put(*state, first);
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
	assert_int_equal(offset, first);
	assert_int_equal(needed, CHUNK);
	i++;
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
	assert_int_equal(offset, CHUNK);
	assert_int_equal(needed, WORDS);
}

static void a_run_lies_in_one_chunk(void **state)
{
	const uint64_t content[3] = { 101, 102, 103 };
	uint32_t offset = 0;

	for (uint64_t i = 1; i <= CHUNK - RF_RULE_WORDS - 2; i++)
		assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
	assert_int_equal(offset, CHUNK - 3);
	assert_int_equal(rf_words_get(*state, content, 3, &offset), 0);
	assert_int_equal(offset, CHUNK);
	assert_int_equal(rf_words_adopt(*state, CHUNK - 1, 2), -EINVAL);
}

static void memory_that_is_not_there_is_told(void **state)
{
	uint32_t offset = 0;
	uint64_t i;

	room = CHUNK;
	for (i = 1; i <= CHUNK - RF_RULE_WORDS; i++)
		assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
	offset = 0;
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), -ENOMEM);
	assert_int_equal(offset, 0);
	room = WORDS;
	assert_int_equal(rf_words_get(*state, &i, 1, &offset), 0);
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
		cmocka_unit_test_setup_teardown(no_more_memory_is_asked_for_than_runs_take, setup, teardown),
		cmocka_unit_test_setup_teardown(a_run_lies_in_one_chunk, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_is_not_there_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(adopted_words_are_shared_and_not_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(adopting_outside_the_map_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

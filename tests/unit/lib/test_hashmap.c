// SPDX-License-Identifier: GPL-2.0-or-later
/* The hash map: who owns what, and that it holds what a plain array says it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "user/lib/hashmap.h"

static struct rf_hashmap *map(void (*free_value)(void *))
{
	struct rf_hashmap *m = NULL;

	assert_int_equal(rf_hashmap_new(free_value, &m), 0);
	return m;
}

static void an_empty_map_has_nothing(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;

	(void)state;
	assert_int_equal(rf_hashmap_size(m), 0);
	assert_null(rf_hashmap_gets(m, "x"));
	assert_false(rf_hashmap_remove(m, "x", 1));
	assert_null(rf_hashmap_take(m, "x", 1));
	assert_false(rf_hashmap_next(m, &it, NULL, NULL, NULL));
}

static void a_second_put_changes_nothing(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	int a, b;

	(void)state;
	assert_int_equal(rf_hashmap_put(m, "k", 1, &a), 0);
	assert_int_equal(rf_hashmap_put(m, "k", 1, &b), -EEXIST);
	assert_ptr_equal(rf_hashmap_gets(m, "k"), &a);
	assert_int_equal(rf_hashmap_size(m), 1);
}

static void keys_are_bytes_and_copied(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	char key[] = "a\0b";
	int a, b, c;

	(void)state;
	assert_int_equal(rf_hashmap_put(m, key, 3, &a), 0);
	assert_int_equal(rf_hashmap_put(m, key, 1, &b), 0);
	assert_int_equal(rf_hashmap_put(m, NULL, 0, &c), 0);
	key[0] = 'z';
	assert_ptr_equal(rf_hashmap_get(m, "a\0b", 3), &a);
	assert_ptr_equal(rf_hashmap_get(m, "a", 1), &b);
	assert_ptr_equal(rf_hashmap_get(m, "", 0), &c);
	assert_null(rf_hashmap_get(m, "a\0c", 3));
}

static void a_set_frees_the_value_it_replaces(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(free);
	char *second = strdup("second");

	(void)state;
	assert_int_equal(rf_hashmap_set(m, "k", 1, strdup("first")), 0);
	assert_int_equal(rf_hashmap_set(m, "k", 1, second), 0);
	/* The same value again must not be freed under its own feet. */
	assert_int_equal(rf_hashmap_set(m, "k", 1, second), 0);
	assert_string_equal(rf_hashmap_gets(m, "k"), "second");
	assert_int_equal(rf_hashmap_size(m), 1);
}

static void a_taken_value_is_the_callers(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(free);
	_cleanup_free_ char *value = NULL;

	(void)state;
	assert_int_equal(rf_hashmap_put(m, "k", 1, strdup("v")), 0);
	value = rf_hashmap_take(m, "k", 1);
	assert_string_equal(value, "v");
	assert_null(rf_hashmap_take(m, "k", 1));
	assert_int_equal(rf_hashmap_size(m), 0);
}

#define KEYS 1000

/* A few thousand puts, sets and removes, against an array that cannot be wrong. */
static void it_agrees_with_an_array(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	static int values[2];
	void *want[KEYS] = { NULL };
	uint32_t random = 12345;
	size_t size = 0;

	(void)state;
	for (int step = 0; step < 50000; step++) {
		uint64_t key;
		void *value;

		random = random * 1664525 + 1013904223;
		key = random >> 8 & 0xffff;
		key %= KEYS;
		value = &values[random >> 30 & 1];
		switch (random >> 28 & 3) {
		case 0:
			assert_int_equal(rf_hashmap_put(m, &key, sizeof(key), value), want[key] ? -EEXIST : 0);
			if (!want[key]) {
				want[key] = value;
				size++;
			}
			break;
		case 1:
			assert_int_equal(rf_hashmap_set(m, &key, sizeof(key), value), 0);
			size += !want[key];
			want[key] = value;
			break;
		default:
			assert_int_equal(rf_hashmap_remove(m, &key, sizeof(key)), want[key] != NULL);
			size -= want[key] != NULL;
			want[key] = NULL;
			break;
		}
		assert_int_equal(rf_hashmap_size(m), size);
	}
	for (uint64_t key = 0; key < KEYS; key++)
		assert_ptr_equal(rf_hashmap_get64(m, key), want[key]);
}

static void an_iterator_visits_each_entry_once(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	unsigned char seen[KEYS] = { 0 };
	const void *key;
	void *value;
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(rf_hashmap_put(m, &i, sizeof(i), &seen[i]), 0);
	while (rf_hashmap_next(m, &it, &key, &len, &value)) {
		uint64_t i;

		assert_int_equal(len, sizeof(i));
		memcpy(&i, key, sizeof(i));
		assert_ptr_equal(value, &seen[i]);
		seen[i]++;
	}
	for (size_t i = 0; i < KEYS; i++)
		assert_int_equal(seen[i], 1);
}

static void the_entry_just_returned_may_be_removed(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(free);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	size_t visited = 0, len;
	const void *key;
	void *value;

	(void)state;
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(rf_hashmap_put(m, &i, sizeof(i), malloc(1)), 0);
	while (rf_hashmap_next(m, &it, &key, &len, &value)) {
		uint64_t i;

		memcpy(&i, key, sizeof(i));
		visited++;
		if (i % 3)
			assert_true(rf_hashmap_remove(m, key, len));
	}
	assert_int_equal(visited, KEYS);
	assert_int_equal(rf_hashmap_size(m), (KEYS + 2) / 3);
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(rf_hashmap_get64(m, i) != NULL, i % 3 == 0);
}

static void a_long_life_of_churn_needs_no_more_memory(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *m = map(NULL);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	int value;

	(void)state;
	/* Graves that were never cleared would fill the table, and a probe would not end. */
	for (uint64_t i = 0; i < 100000; i++) {
		assert_int_equal(rf_hashmap_put(m, &i, sizeof(i), &value), 0);
		if (i >= 8) {
			uint64_t old = i - 8;

			assert_true(rf_hashmap_remove(m, &old, sizeof(old)));
		}
	}
	assert_int_equal(rf_hashmap_size(m), 8);
	while (rf_hashmap_next(m, &it, NULL, NULL, NULL))
		;
	assert_true(it.position <= 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(a_second_put_changes_nothing),
		cmocka_unit_test(keys_are_bytes_and_copied),
		cmocka_unit_test(a_set_frees_the_value_it_replaces),
		cmocka_unit_test(a_taken_value_is_the_callers),
		cmocka_unit_test(it_agrees_with_an_array),
		cmocka_unit_test(an_iterator_visits_each_entry_once),
		cmocka_unit_test(the_entry_just_returned_may_be_removed),
		cmocka_unit_test(a_long_life_of_churn_needs_no_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Gaps in a lane's numbers: found once, never for numbers that are only late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/engine/gap.h"

struct seen {
	struct rf_gap gap[256];
	unsigned int n;
};

static void keep(const struct rf_gap *gap, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < 256);
	seen->gap[seen->n++] = *gap;
}

static void flush_twice(struct rf_gaps *g, struct seen *seen)
{
	rf_gaps_flush(g, g->next - 1, 0, keep, seen);
	rf_gaps_flush(g, g->next - 1, 0, keep, seen);
}

static void consecutive_numbers_leave_no_gap(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	for (uint64_t i = 1; i <= 10000; i++)
		rf_gaps_feed(&g, i, i, keep, &seen);
	flush_twice(&g, &seen);
	assert_int_equal(seen.n, 0);
	assert_int_equal(g.total_lost, 0);
}

static void what_was_last_and_lost_is_missed(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	rf_gaps_feed(&g, 1, 100, keep, &seen);
	rf_gaps_flush(&g, 4, 1000, keep, &seen);
	assert_int_equal(seen.n, 0); /* may be on its way */
	rf_gaps_feed(&g, 2, 200, keep, &seen);
	rf_gaps_flush(&g, 6, 2000, keep, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.gap[0].first, 3);
	assert_int_equal(seen.gap[0].last, 4);
	assert_int_equal(seen.gap[0].after_time_ns, 200);
	assert_int_equal(seen.gap[0].before_time_ns, 2000);
	rf_gaps_feed(&g, 7, 700, keep, &seen);
	rf_gaps_flush(&g, 7, 3000, keep, &seen);
	rf_gaps_flush(&g, 7, 4000, keep, &seen);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.gap[1].first, 5);
	assert_int_equal(seen.gap[1].last, 6);
	assert_int_equal(g.total_lost, 4);
}

static void a_missing_run_is_reported_with_its_neighbours(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	rf_gaps_feed(&g, 1, 100, keep, &seen);
	rf_gaps_feed(&g, 5, 500, keep, &seen);
	rf_gaps_flush(&g, g.next - 1, 0, keep, &seen);
	assert_int_equal(seen.n, 0); /* could still be late */
	rf_gaps_flush(&g, g.next - 1, 0, keep, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.gap[0].first, 2);
	assert_int_equal(seen.gap[0].last, 4);
	assert_int_equal(seen.gap[0].after_time_ns, 100);
	assert_int_equal(seen.gap[0].before_time_ns, 500);
	assert_int_equal(g.total_lost, 3);
}

static void neighbours_in_the_wrong_order_are_no_gap(void **state)
{
	static const uint64_t order[] = { 1, 3, 2, 6, 4, 5, 7 };
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		rf_gaps_feed(&g, order[i], i + 1, keep, &seen);
	flush_twice(&g, &seen);
	assert_int_equal(seen.n, 0);
	assert_int_equal(g.late, 0);
}

static void a_late_number_inside_a_gap_splits_it(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	rf_gaps_feed(&g, 10, 1, keep, &seen);
	rf_gaps_feed(&g, 5, 2, keep, &seen);
	flush_twice(&g, &seen);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.gap[0].first, 1);
	assert_int_equal(seen.gap[0].last, 4);
	assert_int_equal(seen.gap[1].first, 6);
	assert_int_equal(seen.gap[1].last, 9);
	assert_int_equal(g.total_lost, 8);
}

static void a_gap_is_written_down_once_the_window_has_passed(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	for (uint64_t i = 2; i <= 1 + RF_GAP_WINDOW; i++)
		rf_gaps_feed(&g, i, i, keep, &seen);
	assert_int_equal(seen.n, 0); /* at the window */
	rf_gaps_feed(&g, 2 + RF_GAP_WINDOW, 1, keep, &seen);
	assert_int_equal(seen.n, 1); /* one past it */
	rf_gaps_feed(&g, 1, 1, keep, &seen);
	assert_int_equal(g.late, 1);
	assert_int_equal(g.total_lost, 1);
}

static void more_gaps_than_are_kept_open_are_closed_not_lost(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 0);
	for (uint64_t i = 0; i < RF_GAP_OPEN_MAX + 10; i++)
		rf_gaps_feed(&g, 2 * i + 2, i, keep, &seen);
	flush_twice(&g, &seen);
	assert_int_equal(seen.n, RF_GAP_OPEN_MAX + 10);
	assert_int_equal(g.total_lost, RF_GAP_OPEN_MAX + 10);
}

static void starting_behind_an_earlier_reader_counts_what_was_lost_meanwhile(void **state)
{
	struct seen seen = { .n = 0 };
	struct rf_gaps g;

	(void)state;
	rf_gaps_init(&g, 100);
	rf_gaps_feed(&g, 101, 1, keep, &seen);
	rf_gaps_feed(&g, 103, 1, keep, &seen);
	flush_twice(&g, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.gap[0].first, 102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consecutive_numbers_leave_no_gap),
		cmocka_unit_test(what_was_last_and_lost_is_missed),
		cmocka_unit_test(a_missing_run_is_reported_with_its_neighbours),
		cmocka_unit_test(neighbours_in_the_wrong_order_are_no_gap),
		cmocka_unit_test(a_late_number_inside_a_gap_splits_it),
		cmocka_unit_test(a_gap_is_written_down_once_the_window_has_passed),
		cmocka_unit_test(more_gaps_than_are_kept_open_are_closed_not_lost),
		cmocka_unit_test(starting_behind_an_earlier_reader_counts_what_was_lost_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

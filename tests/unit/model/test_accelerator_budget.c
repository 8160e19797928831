// SPDX-License-Identifier: GPL-2.0-or-later
/* The windows of budgets: each begins once, however often policies are applied in it and whenever that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ringfence/accel_map.h"
#include "user/lib/clock.h"
#include "user/lib/util.h"

#define SECOND RF_NSEC_PER_SEC
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* 2026-11-22 00:00:00 UTC, a Sunday; the host was started at 20:11:07 of the day before. */
#define SUNDAY	(1795305600 * SECOND)
#define STARTED (SUNDAY - 4 * HOUR + 11 * MINUTE + 7 * SECOND)

/* What is in force of a budget, and of its row what the programs keep. */
struct host {
	uint64_t from, length;
	uint64_t window;
	unsigned int begun;
};

/* At @real, by CLOCK_REALTIME. */
static void apply(struct host *h, uint64_t real)
{
	h->from = RF_ACCEL_WINDOW_FROM(real - STARTED, real);
}

/* As a submission does. Returns how many windows had begun by then. */
static unsigned int submit(struct host *h, uint64_t real)
{
	uint64_t now = real - STARTED, window = RF_ACCEL_WINDOW_AT(now, h->from, h->length) + 1;

	if (window != h->window) {
		h->window = window;
		h->begun++;
	}
	return h->begun;
}

static void a_window_of_a_week_ends_however_often_policies_are_applied(void **state)
{
	struct host h = { .length = 7 * DAY };

	(void)state;
	apply(&h, SUNDAY);
	assert_int_equal(submit(&h, SUNDAY + HOUR), 1);
	/* Weeks begin on Thursdays: 1970-01-01 was one. */
	for (int day = 1; day < 4; day++) {
		apply(&h, SUNDAY + day * DAY + 5 * HOUR);
		assert_int_equal(submit(&h, SUNDAY + day * DAY + 6 * HOUR), 1);
	}
	assert_int_equal(submit(&h, SUNDAY + 4 * DAY - 1), 1);
	for (int day = 4; day < 11; day++) {
		assert_int_equal(submit(&h, SUNDAY + day * DAY), 2);
		apply(&h, SUNDAY + day * DAY + 5 * HOUR);
		assert_int_equal(submit(&h, SUNDAY + day * DAY + 6 * HOUR), 2);
	}
	assert_int_equal(submit(&h, SUNDAY + 11 * DAY), 3);
}

static void a_day_begins_at_midnight_and_not_again_when_policies_are_applied(void **state)
{
	struct host h = { .length = DAY };

	(void)state;
	apply(&h, STARTED + MINUTE);
	assert_int_equal(submit(&h, STARTED + HOUR), 1);
	assert_int_equal(submit(&h, SUNDAY - 1), 1);
	assert_int_equal(submit(&h, SUNDAY), 2);
	apply(&h, SUNDAY + 8 * HOUR);
	assert_int_equal(submit(&h, SUNDAY + 8 * HOUR + 1), 2);
	apply(&h, SUNDAY + 9 * HOUR);
	assert_int_equal(submit(&h, SUNDAY + DAY - 1), 2);
	assert_int_equal(submit(&h, SUNDAY + DAY), 3);
}

static void an_hour_begins_with_each_and_not_again_in_the_next_day(void **state)
{
	struct host h = { .length = HOUR };

	(void)state;
	apply(&h, SUNDAY - HOUR);
	assert_int_equal(submit(&h, SUNDAY - HOUR), 1);
	assert_int_equal(submit(&h, SUNDAY - 1), 1);
	assert_int_equal(submit(&h, SUNDAY), 2);
	apply(&h, SUNDAY + 1);
	assert_int_equal(submit(&h, SUNDAY + HOUR - 1), 2);
	assert_int_equal(submit(&h, SUNDAY + HOUR), 3);
}

static void a_host_whose_clock_says_1970_has_windows_too(void **state)
{
	const uint64_t from = RF_ACCEL_WINDOW_FROM(90 * SECOND, 30 * SECOND);

	(void)state;
	assert_int_equal(RF_ACCEL_WINDOW_AT(60 * SECOND, from, MINUTE), 0);
	assert_int_equal(RF_ACCEL_WINDOW_AT(120 * SECOND - 1, from, MINUTE), 0);
	assert_int_equal(RF_ACCEL_WINDOW_AT(120 * SECOND, from, MINUTE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_of_a_week_ends_however_often_policies_are_applied),
		cmocka_unit_test(a_day_begins_at_midnight_and_not_again_when_policies_are_applied),
		cmocka_unit_test(an_hour_begins_with_each_and_not_again_in_the_next_day),
		cmocka_unit_test(a_host_whose_clock_says_1970_has_windows_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

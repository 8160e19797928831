// SPDX-License-Identifier: GPL-2.0-or-later
/* When an accelerator is called held for nothing, and when its workload starves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/detect/accelerator_hold.h"
#include "user/lib/util.h"

#define SECOND RF_NSEC_PER_SEC
#define BEGIN  (1000 * SECOND)

/* Held by one process, doing nothing, of a host without pressure figures. */
static struct rf_hold_sample sample(uint64_t seconds)
{
	return (struct rf_hold_sample){ .now_ns = BEGIN + seconds * SECOND,
					.files = 1,
					.holders = 1,
					.cpu_stalled_ns = RF_UNKNOWN,
					.io_stalled_ns = RF_UNKNOWN };
}

static void step(struct rf_hold *h, uint64_t seconds)
{
	struct rf_hold_sample s = sample(seconds);

	rf_hold_step(h, &s);
}

static void what_is_held_for_long_is_idle_since_it_was_opened(void **state)
{
	struct rf_hold h = { 0 };

	(void)state;
	for (uint64_t s = 0; s < 300; s += 5) {
		step(&h, s);
		assert_int_equal(h.finding, RF_HOLD_NONE);
	}
	step(&h, 300);
	assert_int_equal(h.finding, RF_HOLD_IDLE);
	assert_true(h.since_ns == BEGIN);
	assert_true(rf_hold_idle_ns(&h, BEGIN + 310 * SECOND) == 310 * SECOND);
	step(&h, 305);
	assert_true(h.since_ns == BEGIN);
	assert_string_equal(rf_hold_finding_name(h.finding), "idle");
}

static void any_work_ends_that(void **state)
{
	struct rf_hold h = { 0 };
	struct rf_hold_sample s;

	(void)state;
	step(&h, 0);
	step(&h, 400);
	assert_int_equal(h.finding, RF_HOLD_IDLE);
	s = sample(405);
	s.work = 1;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_NONE);
	assert_true(h.since_ns == 0);
	assert_true(rf_hold_idle_ns(&h, s.now_ns) == 0);
	s.now_ns += 299 * SECOND;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_NONE);
	s.now_ns += SECOND;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_IDLE);
	assert_true(h.since_ns == BEGIN + 405 * SECOND);
}

static void a_job_under_way_is_work(void **state)
{
	struct rf_hold h = { 0 };

	(void)state;
	for (uint64_t t = 0; t < 1000; t += 5) {
		struct rf_hold_sample s = sample(t);

		s.under_way = 1;
		rf_hold_step(&h, &s);
		assert_int_equal(h.finding, RF_HOLD_NONE);
	}
}

static void what_nobody_has_is_told_apart(void **state)
{
	struct rf_hold h = { 0 };
	struct rf_hold_sample s;

	(void)state;
	step(&h, 0);
	s = sample(300);
	s.holders = 0;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_NO_PROCESS);
	/* Where holders are not known, that is not claimed. */
	s.holders = RF_UNKNOWN;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_IDLE);
}

static void what_is_closed_is_forgotten(void **state)
{
	struct rf_hold h = { 0 };
	struct rf_hold_sample s;

	(void)state;
	step(&h, 0);
	step(&h, 400);
	s = sample(405);
	s.files = 0;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_NONE);
	assert_true(rf_hold_idle_ns(&h, BEGIN + 500 * SECOND) == 0);
	step(&h, 500);
	step(&h, 799);
	assert_int_equal(h.finding, RF_HOLD_NONE);
}

/* Windows of a minute in which the device worked for @busy and tasks stood still for these parts, in percent. */
static enum rf_hold_finding after_windows(int n, uint64_t busy, uint64_t cpu, uint64_t io, uint64_t *ret_since)
{
	struct rf_hold h = { 0 };

	for (int i = 0; i <= n; i++) {
		struct rf_hold_sample s = sample(i * 60);

		s.work = s.busy_ns = i * 60 * SECOND / 100 * busy;
		s.cpu_stalled_ns = cpu == RF_UNKNOWN ? RF_UNKNOWN : i * 60 * SECOND / 100 * cpu;
		s.io_stalled_ns = io == RF_UNKNOWN ? RF_UNKNOWN : i * 60 * SECOND / 100 * io;
		rf_hold_step(&h, &s);
	}
	*ret_since = h.since_ns;
	return h.finding;
}

static void work_that_waits_for_something_else_is_starved(void **state)
{
	uint64_t since;

	(void)state;
	assert_int_equal(after_windows(1, 10, 5, 60, &since), RF_HOLD_IO);
	assert_true(since == BEGIN);
	assert_int_equal(after_windows(3, 10, 60, 5, &since), RF_HOLD_CPU);
	assert_true(since == BEGIN);
	assert_int_equal(after_windows(9, 0, 0, 90, &since), RF_HOLD_IO);
}

static void the_thresholds_are_where_they_say(void **state)
{
	uint64_t since;

	(void)state;
	assert_int_equal(after_windows(1, 49, 33, 0, &since), RF_HOLD_CPU);
	assert_int_equal(after_windows(1, 50, 33, 0, &since), RF_HOLD_NONE);
	assert_int_equal(after_windows(1, 49, 32, 32, &since), RF_HOLD_NONE);
	assert_int_equal(after_windows(1, 49, RF_UNKNOWN, RF_UNKNOWN, &since), RF_HOLD_NONE);
	assert_int_equal(after_windows(0, 0, 100, 100, &since), RF_HOLD_NONE);
}

static void counters_that_go_back_are_no_stall(void **state)
{
	struct rf_hold h = { 0 };
	struct rf_hold_sample s = sample(0);

	(void)state;
	s.cpu_stalled_ns = 900 * SECOND;
	rf_hold_step(&h, &s);
	s.now_ns += 60 * SECOND;
	s.cpu_stalled_ns = 0;
	rf_hold_step(&h, &s);
	assert_int_equal(h.finding, RF_HOLD_NONE);
}

/* A minute in which the device worked for @busy percent, @looks were taken, and in @waits of them it waited. */
static enum rf_hold_finding after_looks(uint64_t busy, uint64_t looks, uint64_t waits, uint64_t io)
{
	struct rf_hold h = { 0 };
	struct rf_hold_sample s = sample(0);

	/* What was counted before the window does not matter. */
	s.network_looks = s.network_waits = 1000;
	s.io_stalled_ns = io == RF_UNKNOWN ? RF_UNKNOWN : 0;
	rf_hold_step(&h, &s);
	s = sample(60);
	s.work = s.busy_ns = 60 * SECOND / 100 * busy;
	s.network_looks = 1000 + looks;
	s.network_waits = 1000 + waits;
	s.io_stalled_ns = io == RF_UNKNOWN ? RF_UNKNOWN : 60 * SECOND / 100 * io;
	rf_hold_step(&h, &s);
	return h.finding;
}

static void work_that_waits_for_other_hosts_is_starved_too(void **state)
{
	(void)state;
	assert_int_equal(after_looks(10, 12, 12, RF_UNKNOWN), RF_HOLD_NETWORK);
	assert_string_equal(rf_hold_finding_name(RF_HOLD_NETWORK), "waits-for-network");
	/* Nothing was told, or it never waited. */
	assert_int_equal(after_looks(10, 0, 0, RF_UNKNOWN), RF_HOLD_NONE);
	assert_int_equal(after_looks(10, 12, 0, RF_UNKNOWN), RF_HOLD_NONE);
	/* IO over the network is both. */
	assert_int_equal(after_looks(10, 12, 12, 60), RF_HOLD_IO);
	assert_int_equal(after_looks(10, 12, 12, 32), RF_HOLD_NETWORK);
}

static void half_of_the_looks_and_four_make_it(void **state)
{
	(void)state;
	assert_int_equal(after_looks(49, 12, 6, 0), RF_HOLD_NETWORK);
	assert_int_equal(after_looks(50, 12, 6, 0), RF_HOLD_NONE);
	assert_int_equal(after_looks(49, 12, 5, 0), RF_HOLD_NONE);
	assert_int_equal(after_looks(0, 4, 4, 0), RF_HOLD_NETWORK);
	assert_int_equal(after_looks(0, 3, 3, 0), RF_HOLD_NONE);
}

static void what_waits_for_other_hosts_is_not_idle(void **state)
{
	struct rf_hold h = { 0 };

	(void)state;
	for (uint64_t t = 0; t <= 600; t += 5) {
		struct rf_hold_sample s = sample(t);

		s.network_looks = s.network_waits = t / 5;
		rf_hold_step(&h, &s);
		assert_int_equal(h.finding, t < 60 ? RF_HOLD_NONE : RF_HOLD_NETWORK);
	}
	assert_true(h.since_ns == BEGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_for_long_is_idle_since_it_was_opened),
		cmocka_unit_test(any_work_ends_that),
		cmocka_unit_test(a_job_under_way_is_work),
		cmocka_unit_test(what_nobody_has_is_told_apart),
		cmocka_unit_test(what_is_closed_is_forgotten),
		cmocka_unit_test(work_that_waits_for_something_else_is_starved),
		cmocka_unit_test(the_thresholds_are_where_they_say),
		cmocka_unit_test(work_that_waits_for_other_hosts_is_starved_too),
		cmocka_unit_test(half_of_the_looks_and_four_make_it),
		cmocka_unit_test(what_waits_for_other_hosts_is_not_idle),
		cmocka_unit_test(counters_that_go_back_are_no_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* When devices are asked: by a clock that goes on by what asking them takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "user/daemon/health_sysfs.h"
#include "user/lib/util.h"

#define MS     RF_NSEC_PER_MSEC
#define SEC    RF_NSEC_PER_SEC
#define N      4
#define MINUTE 60

static char names[N][2] = { "a", "b", "c", "d" };
static struct rf_accelerator devices[N];
static struct rf_accelerators all;
static struct rf_device_health told;
static struct rf_health_sysfs h;
static uint64_t now, longest, busy, takes[N];
static unsigned int asked[N];

static uint64_t clock_now(void)
{
	return now;
}

static int device_read(const struct rf_accelerator *device, struct rf_accel_health *ret)
{
	size_t i = (size_t)(device->parent[0] - 'a');

	asked[i]++;
	busy += takes[i];
	now += takes[i];
	rf_accel_health_init(ret);
	snprintf(ret->parent, sizeof(ret->parent), "%s", device->parent);
	ret->value[RF_HEALTH_TEMPERATURE] = 40;
	return 0;
}

static const struct rf_health_reader reader = { clock_now, device_read };

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		devices[i].parent = names[i];
		takes[i] = MS;
		asked[i] = 0;
	}
	all = (struct rf_accelerators){ .devices = devices, .n_devices = N };
	h = (struct rf_health_sysfs){ .reader = &reader };
	now = 1000 * SEC;
	longest = busy = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rf_health_sysfs_fini(&h);
	rf_device_health_fini(&told);
	return 0;
}

/* As the loop does, a tick a second after the one before. */
static void run(unsigned int seconds)
{
	for (uint64_t end = now + seconds * SEC; now < end; now += SEC) {
		uint64_t begin = now;

		rf_health_sysfs_tick(&h, &all, &told);
		longest = MAX(longest, now - begin);
	}
}

static bool knows(const char *parent)
{
	return rf_device_health_find(&told, parent, now) != NULL;
}

static void quick_ones_are_asked_every_other_second(void **state)
{
	(void)state;
	run(MINUTE);
	for (size_t i = 0; i < N; i++) {
		assert_in_range(asked[i], 20, 30);
		assert_true(knows(devices[i].parent));
	}
}

/* Two seconds a file, of ten: what firmware that hangs takes. */
static void one_that_hangs_has_a_twentieth_of_the_time_and_the_others_are_known(void **state)
{
	uint64_t began = now;

	(void)state;
	takes[0] = 20 * SEC;
	run(30 * MINUTE);
	assert_in_range(asked[0], 3, 5);
	assert_true(longest < 21 * SEC);
	assert_true(busy * 20 < now - began + 20 * longest);
	assert_false(knows("a"));
	for (size_t i = 1; i < N; i++)
		assert_true(knows(devices[i].parent));
}

static void several_that_hang_have_no_more_together_and_one_is_asked_at_a_time(void **state)
{
	uint64_t begun;

	(void)state;
	for (size_t i = 0; i < N; i++)
		takes[i] = 2 * SEC;
	run(MINUTE);
	begun = now;
	busy = 0;
	run(30 * MINUTE);
	assert_true(longest == 2 * SEC);
	assert_true(busy * 20 <= now - begun);
	for (size_t i = 0; i < N; i++)
		assert_in_range(asked[i], 8, 14);
}

static void many_that_are_not_so_quick_have_a_twentieth_too(void **state)
{
	uint64_t begun = now;

	(void)state;
	for (size_t i = 0; i < N; i++)
		takes[i] = 90 * MS;
	run(10 * MINUTE);
	assert_true(busy * 20 < now - begun + 20 * SEC);
	assert_true(busy * 25 > now - begun);
}

static void one_that_goes_on_is_known_again(void **state)
{
	(void)state;
	takes[1] = 3 * SEC;
	run(MINUTE);
	assert_false(knows("b"));
	takes[1] = MS;
	run(MINUTE + 10);
	assert_true(knows("b"));
	assert_true(asked[1] > 2);
}

static void one_that_comes_does_not_give_the_others_another_turn(void **state)
{
	(void)state;
	takes[1] = 3 * SEC;
	all.n_devices = 2;
	run(10);
	assert_int_equal(asked[1], 1);
	all.n_devices = N;
	run(10);
	assert_int_equal(asked[1], 1);
	assert_true(knows("d"));
	/* Nor does one that goes. */
	all = (struct rf_accelerators){ .devices = devices + 1, .n_devices = N - 1 };
	run(10);
	assert_int_equal(asked[1], 1);
	assert_false(knows("a"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(quick_ones_are_asked_every_other_second),
		TEST(one_that_hangs_has_a_twentieth_of_the_time_and_the_others_are_known),
		TEST(several_that_hang_have_no_more_together_and_one_is_asked_at_a_time),
		TEST(many_that_are_not_so_quick_have_a_twentieth_too),
		TEST(one_that_goes_on_is_known_again),
		TEST(one_that_comes_does_not_give_the_others_another_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices are asked by children, which wait as long as a device says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "user/daemon/health_sysfs.h"
#include "user/lib/util.h"

#define N	   6
#define PATIENCE_S 30 /* on a busy host */

/* What the children see, too. */
static struct {
	atomic_uint asked[N];
	atomic_bool hangs[N], dies[N];
} *shared;

static char names[N][2] = { "a", "b", "c", "d", "e", "f" };
static struct rf_accelerator devices[N];
static struct rf_accelerators all;
static struct rf_device_health told;
static struct rf_health_sysfs h;
static sd_event *event;

static int device_read(const struct rf_accelerator *device, struct rf_accel_health *ret)
{
	const struct timespec moment = { .tv_nsec = RF_NSEC_PER_MSEC };
	size_t i = (size_t)(device->parent[0] - 'a');

	atomic_fetch_add(&shared->asked[i], 1);
	while (shared->hangs[i])
		(void)nanosleep(&moment, NULL);
	if (atomic_exchange(&shared->dies[i], false))
		raise(SIGKILL);
	rf_accel_health_init(ret);
	snprintf(ret->parent, sizeof(ret->parent), "%s", device->parent);
	ret->value[RF_HEALTH_TEMPERATURE] = 40;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		devices[i] = (struct rf_accelerator){
			.name = names[i], .driver = names[i], .parent = names[i], .classes = 1 << RF_ACCELERATOR_DRM
		};
	all = (struct rf_accelerators){ .devices = devices, .n_devices = N };
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || sd_event_new(&event) < 0)
		return -1;
	rf_health_sysfs_start(&h, event, &told, device_read);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rf_health_sysfs_stop(&h);
	rf_device_health_fini(&told);
	event = sd_event_unref(event);
	return munmap(shared, sizeof(*shared));
}

static bool knows(size_t i)
{
	return rf_device_health_find(&told, names[i], rf_clock_monotonic()) != NULL;
}

static bool knows_all_from(size_t first)
{
	for (size_t i = first; i < all.n_devices; i++)
		if (!knows(i))
			return false;
	return true;
}

static uint64_t longest; /* that a tick took */

/* As the loop does, ten times as often. */
static void turn(void)
{
	uint64_t begin = rf_clock_monotonic(), end;

	rf_health_sysfs_tick(&h, &all);
	end = rf_clock_monotonic();
	longest = MAX(longest, end - begin);
	while (rf_clock_monotonic() < end + 100 * RF_NSEC_PER_MSEC)
		(void)sd_event_run(event, 10 * 1000);
}

static bool comes(bool (*what)(size_t), size_t of)
{
	uint64_t end = rf_clock_monotonic() + PATIENCE_S * RF_NSEC_PER_SEC;

	while (!what(of) && rf_clock_monotonic() < end)
		turn();
	return what(of);
}

static bool asked_twice(size_t i)
{
	return shared->asked[i] >= 2;
}

static size_t children(void)
{
	size_t n = 0;

	for (size_t i = 0; i < RF_HEALTH_READERS; i++)
		n += h.readers[i].child.pid != 0;
	return n;
}

static void quick_ones_are_all_asked_by_one_child_again_and_again(void **state)
{
	(void)state;
	/* Else a busy host might make them slow. */
	h.slow_ns = PATIENCE_S * RF_NSEC_PER_SEC;
	assert_true(comes(knows_all_from, 0));
	for (size_t i = 0; i < N; i++)
		assert_true(comes(asked_twice, i));
	assert_int_equal(children(), 1);
}

static void one_that_hangs_keeps_nobody_waiting(void **state)
{
	(void)state;
	shared->hangs[0] = true;
	longest = 0;
	assert_true(comes(knows_all_from, 1));
	assert_true(comes(asked_twice, 1));
	assert_false(knows(0));
	assert_int_equal(shared->asked[0], 1);
	/* It waits until it is told not to: a daemon that waited for it would not be here. */
	assert_true(longest < 5 * RF_NSEC_PER_SEC);
	shared->hangs[0] = false;
	assert_true(comes(knows_all_from, 0));
}

static void more_than_there_are_children_for_are_waited_for_and_known_then(void **state)
{
	(void)state;
	for (size_t i = 0; i < N - 1; i++)
		shared->hangs[i] = true;
	all.n_devices = N - 1;
	for (int i = 0; i < 40; i++)
		turn();
	assert_int_equal(children(), RF_HEALTH_READERS);
	for (size_t i = 0; i < N - 1; i++)
		assert_int_equal(shared->asked[i], i < RF_HEALTH_READERS);
	all.n_devices = N;
	for (size_t i = 0; i < N - 1; i++)
		shared->hangs[i] = false;
	assert_true(comes(knows_all_from, 0));
}

static void a_child_that_dies_is_replaced(void **state)
{
	pid_t first;

	(void)state;
	assert_true(comes(knows_all_from, 0));
	first = h.readers[0].child.pid;
	shared->dies[2] = true;
	rf_device_health_fini(&told);
	assert_true(comes(knows_all_from, 0));
	assert_false(shared->dies[2]);
	assert_true(h.readers[0].child.pid != first || h.readers[1].child.pid);
}

static void devices_that_come_and_go_are_followed(void **state)
{
	(void)state;
	all.n_devices = 2;
	assert_true(comes(knows_all_from, 0));
	assert_int_equal(shared->asked[2], 0);
	all.n_devices = N;
	assert_true(comes(knows_all_from, 0));
	/* One that goes while it is asked: what it says then is nobody's. */
	rf_device_health_fini(&told);
	shared->hangs[0] = true;
	assert_true(comes(asked_twice, 0));
	all = (struct rf_accelerators){ .devices = devices + 1, .n_devices = N - 1 };
	turn();
	shared->hangs[0] = false;
	assert_true(comes(knows_all_from, 1));
	while (*h.readers[0].parent || *h.readers[1].parent)
		turn();
	assert_false(knows(0));
}

static void nvidia_s_are_not_asked(void **state)
{
	(void)state;
	devices[1].classes = 1 << RF_ACCELERATOR_NVIDIA;
	devices[1].driver = "nvidia";
	assert_true(comes(asked_twice, 2));
	assert_true(comes(asked_twice, 0));
	assert_int_equal(shared->asked[1], 0);
	/* The same device, by another driver. */
	devices[1].driver = "nouveau";
	assert_true(comes(asked_twice, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(quick_ones_are_all_asked_by_one_child_again_and_again),
		TEST(one_that_hangs_keeps_nobody_waiting),
		TEST(more_than_there_are_children_for_are_waited_for_and_known_then),
		TEST(a_child_that_dies_is_replaced),
		TEST(devices_that_come_and_go_are_followed),
		TEST(nvidia_s_are_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

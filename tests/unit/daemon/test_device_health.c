// SPDX-License-Identifier: GPL-2.0-or-later
/* What a device said last, until nobody has said anything for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "user/daemon/device_health.h"

#define NOW (100 * RF_NSEC_PER_SEC)

static struct rf_accel_health told(const char *parent, double temperature)
{
	struct rf_accel_health h;

	rf_accel_health_init(&h);
	snprintf(h.parent, sizeof(h.parent), "%s", parent);
	h.value[RF_HEALTH_TEMPERATURE] = temperature;
	return h;
}

static void the_last_word_of_a_device_is_what_is_known(void **state)
{
	struct rf_device_health t = { 0 };
	struct rf_accel_health a = told("0000:3b:00.0", 41), b = told("0000:86:00.0", 50),
			       again = told("0000:3b:00.0", 43);

	(void)state;
	assert_null(rf_device_health_find(&t, a.parent, NOW));
	assert_int_equal(rf_device_health_set(&t, &a, NOW), 0);
	assert_int_equal(rf_device_health_set(&t, &b, NOW), 0);
	assert_int_equal(rf_device_health_set(&t, &again, NOW), 0);
	assert_int_equal(t.n, 2);
	assert_true(rf_device_health_find(&t, a.parent, NOW)->value[RF_HEALTH_TEMPERATURE] == 43);
	assert_true(rf_device_health_find(&t, b.parent, NOW)->value[RF_HEALTH_TEMPERATURE] == 50);
	assert_null(rf_device_health_find(&t, "0000:00:00.0", NOW));
	rf_device_health_fini(&t);
}

static void what_nobody_has_told_for_a_while_is_not_known_and_leaves_its_place(void **state)
{
	struct rf_device_health t = { 0 };
	struct rf_accel_health a = told("a", 1), b = told("b", 2);

	(void)state;
	assert_int_equal(rf_device_health_set(&t, &a, NOW), 0);
	assert_non_null(rf_device_health_find(&t, "a", NOW + RF_DEVICE_HEALTH_AGE_NS));
	assert_null(rf_device_health_find(&t, "a", NOW + RF_DEVICE_HEALTH_AGE_NS + 1));
	assert_int_equal(rf_device_health_set(&t, &b, NOW + RF_DEVICE_HEALTH_AGE_NS + 1), 0);
	assert_int_equal(t.n, 1);
	rf_device_health_fini(&t);
}

static void a_host_has_so_many_devices_and_no_more(void **state)
{
	struct rf_device_health t = { 0 };
	struct rf_accel_health h;
	char name[RF_ACCEL_DEVICE_NAME];

	(void)state;
	for (int i = 0; i < RF_DEVICE_HEALTH_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		h = told(name, i);
		assert_int_equal(rf_device_health_set(&t, &h, NOW), 0);
	}
	h = told("one more", 1);
	assert_int_equal(rf_device_health_set(&t, &h, NOW), -ENOSPC);
	h = told("7", 70);
	assert_int_equal(rf_device_health_set(&t, &h, NOW), 0);
	assert_true(rf_device_health_find(&t, "7", NOW)->value[RF_HEALTH_TEMPERATURE] == 70);
	rf_device_health_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_of_a_device_is_what_is_known),
		cmocka_unit_test(what_nobody_has_told_for_a_while_is_not_known_and_leaves_its_place),
		cmocka_unit_test(a_host_has_so_many_devices_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

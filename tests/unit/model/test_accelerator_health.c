// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of readings, what is known, and what somebody should look at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/accelerator_health.h"

static void a_device_that_tells_nothing_has_no_findings(void **state)
{
	const char *list[RF_HEALTH_FINDINGS];
	struct rf_accel_health h;

	(void)state;
	rf_accel_health_init(&h);
	assert_false(rf_health_any_known(&h));
	assert_int_equal(rf_health_findings(&h, list), 0);
	h.value[RF_HEALTH_PCIE_WIDTH] = 8; /* of how many, nobody tells */
	h.value[RF_HEALTH_ECC_UNCORRECTED] = 0;
	assert_true(rf_health_any_known(&h));
	assert_int_equal(rf_health_findings(&h, list), 0);
}

static void what_somebody_should_look_at_is_told_in_a_word_each(void **state)
{
	const char *list[RF_HEALTH_FINDINGS];
	struct rf_accel_health h;

	(void)state;
	rf_accel_health_init(&h);
	h.value[RF_HEALTH_THROTTLE_THERMAL] = 1;
	h.value[RF_HEALTH_PCIE_WIDTH] = 8;
	h.value[RF_HEALTH_PCIE_WIDTH_MAX] = 16;
	/* Idle links are slower. */
	h.value[RF_HEALTH_PCIE_GENERATION] = 1;
	h.value[RF_HEALTH_PCIE_GENERATION_MAX] = 5;
	assert_int_equal(rf_health_findings(&h, list), 2);
	assert_string_equal(list[0], "throttled-thermal");
	assert_string_equal(list[1], "pcie-narrow");
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		h.value[i] = i == RF_HEALTH_PCIE_WIDTH ? 1 : 2;
	assert_int_equal(rf_health_findings(&h, list), 7);
}

static void every_reading_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(rf_health_name(i), rf_health_name(k));
	assert_string_equal(rf_health_name(RF_HEALTH_COUNT), "unknown");
	assert_string_equal(rf_health_dcgm_name(RF_HEALTH_POWER), "DCGM_FI_DEV_POWER_USAGE");
	assert_string_equal(rf_health_dcgm_name(RF_HEALTH_COUNT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_tells_nothing_has_no_findings),
		cmocka_unit_test(what_somebody_should_look_at_is_told_in_a_word_each),
		cmocka_unit_test(every_reading_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

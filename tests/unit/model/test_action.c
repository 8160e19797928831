// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of the shared enums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/action.h"

static void actions_modes_and_supports_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(rf_action_name(RF_ACTION_ALLOW), "allow");
	assert_string_equal(rf_action_name(RF_ACTION_DENY), "deny");
	assert_string_equal(rf_mode_name(RF_MODE_ENFORCE), "enforce");
	assert_string_equal(rf_mode_name(RF_MODE_AUDIT), "audit");
	assert_string_equal(rf_support_name(RF_SUPPORT_UNAVAILABLE), "unavailable");
	assert_string_equal(rf_support_name(RF_SUPPORT_BEST_EFFORT), "best effort");
	assert_string_equal(rf_support_name(RF_SUPPORT_ENFORCED), "enforced");
}

static void every_feature_has_a_name_of_its_own_and_a_section(void **state)
{
	(void)state;
	for (enum rf_feature i = 0; i < RF_FEATURE_COUNT; i++) {
		assert_true(*rf_feature_name(i) && *rf_feature_section(i));
		for (enum rf_feature j = 0; j < i; j++)
			assert_string_not_equal(rf_feature_name(i), rf_feature_name(j));
	}
	assert_string_equal(rf_feature_name(RF_FEATURE_DEVICES), "devices");
	assert_string_equal(rf_feature_section(RF_FEATURE_DEVICES), "spec.devices");
}

static void a_value_out_of_range_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(rf_action_name(RF_ACTIONS), "unknown");
	assert_string_equal(rf_mode_name(RF_MODES), "unknown");
	assert_string_equal(rf_support_name(RF_SUPPORT_ENFORCED + 1), "unknown");
	assert_string_equal(rf_feature_name(RF_FEATURE_COUNT), "unknown");
	assert_string_equal(rf_feature_section(RF_FEATURE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_modes_and_supports_have_their_names),
		cmocka_unit_test(every_feature_has_a_name_of_its_own_and_a_section),
		cmocka_unit_test(a_value_out_of_range_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

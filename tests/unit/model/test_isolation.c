// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of isolation: every one that a policy can write is read back, and what is out of range is unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "user/model/isolation.h"

static void every_kind_is_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < RF_ISOLATION_KIND_COUNT; i++)
		assert_int_equal(rf_isolation_kind_parse(rf_isolation_kind_names[i]), i);
	assert_null(rf_isolation_kind_names[RF_ISOLATION_KIND_COUNT]);
	assert_int_equal(rf_isolation_kind_parse("SIGnal"), RF_ISOLATION_SIGNAL);
	assert_int_equal(rf_isolation_kind_parse("signals"), -EINVAL);
	assert_int_equal(rf_isolation_kind_parse(""), -EINVAL);
}

static void every_distance_is_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < RF_BETWEENS; i++)
		assert_int_equal(rf_between_parse(rf_between_names[i]), i);
	assert_null(rf_between_names[RF_BETWEENS]);
	assert_int_equal(rf_between_parse("tenant"), -EINVAL);
}

static void operations_have_kinds_and_arguments(void **state)
{
	(void)state;
	assert_int_equal(rf_isolation_operation_kind(RF_OPERATION_KILL), RF_ISOLATION_SIGNAL);
	assert_int_equal(rf_isolation_operation_kind(RF_OPERATION_KEY), RF_ISOLATION_KEYS);
	assert_int_equal(rf_isolation_operation_kind(RF_OPERATION_COUNT), RF_ISOLATION_KIND_COUNT);
	assert_string_equal(rf_isolation_operation_name(RF_OPERATION_ATTACH), "ptrace");
	assert_string_equal(rf_isolation_operation_name(RF_OPERATION_COUNT), "unknown");
	assert_string_equal(rf_isolation_argument_name(RF_OPERATION_KILL), "signal");
	assert_null(rf_isolation_argument_name(RF_OPERATION_TRACEME));
	assert_null(rf_isolation_argument_name(RF_OPERATION_COUNT));
	assert_string_equal(rf_isolation_rule_name(RF_ISOLATION_IPC), "isolation[ipc]");
	assert_string_equal(rf_isolation_rule_name(RF_ISOLATION_KIND_COUNT), "isolation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read_back),
		cmocka_unit_test(every_distance_is_read_back),
		cmocka_unit_test(operations_have_kinds_and_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

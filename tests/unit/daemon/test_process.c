// SPDX-License-Identifier: GPL-2.0-or-later
/* When a process started, how large it is and what it took, whatever it calls itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "user/daemon/process.h"

#define REST " 1 2 2 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8675 4096 2 3"

static void the_start_is_behind_the_name(void **state)
{
	struct rf_process_stat stat = { 0 };

	(void)state;
	assert_int_equal(rf_process_stat_parse("42 (cat) S" REST, 100, &stat), 0);
	assert_int_equal(stat.start_ns, 86750000000);
	assert_int_equal(stat.size, 4096);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.cpu_ns, 110000000);
	assert_int_equal(rf_process_stat_parse("42 (a) Z 1 (b) R" REST, 100, &stat), 0);
	assert_int_equal(stat.start_ns, 86750000000);
	assert_int_equal(rf_process_stat_parse("42 () R" REST, 1000, &stat), 0);
	assert_int_equal(stat.start_ns, 8675000000);
}

static void who_has_ended_or_cannot_be_read_is_nobody(void **state)
{
	struct rf_process_stat stat = { 7, 7, '7', 7 };

	(void)state;
	assert_int_equal(rf_process_stat_parse("42 (cat) Z" REST, 100, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("42 (cat) X" REST, 100, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("", 100, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("42 (cat", 100, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("42 (cat) S 1 2 3", 100, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("42 (cat) S" REST, 0, &stat), -ESRCH);
	assert_int_equal(rf_process_stat_parse("42 (cat) S 1 2 2 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8675", 100,
					       &stat),
			 -ESRCH);
	assert_int_equal(stat.start_ns, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_is_behind_the_name),
		cmocka_unit_test(who_has_ended_or_cannot_be_read_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What samples of utilization stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/gpu_samples.h"

#define SECOND 1000000ULL /* in us */
#define AT(ms) (1000 * SECOND + (ms) * 1000ULL)
#define MAX_US (2 * SECOND)

static uint64_t sum(const struct rf_gpu_sample *s, size_t n, uint32_t pid)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i].pid == pid)
			ns += s[i].busy_ns;
	return ns;
}

static void each_sample_stands_for_the_time_since_the_one_before(void **state)
{
	/* As the driver may give them: in no order. */
	struct rf_gpu_sample s[] = {
		{ AT(1000), 7, 50, 0 }, { AT(500), 9, 20, 0 }, { AT(250), 7, 100, 0 }, { AT(500), 7, 0, 0 }
	};
	uint64_t seen = AT(0);

	(void)state;
	rf_gpu_samples_charge(s, ARRAY_SIZE(s), MAX_US, &seen);
	/* 250 ms of all of it, 250 ms of nothing, 500 ms of half. */
	assert_int_equal(sum(s, ARRAY_SIZE(s), 7), 500000000);
	assert_int_equal(sum(s, ARRAY_SIZE(s), 9), 100000000);
	assert_int_equal(seen, AT(1000));
}

static void a_sample_is_charged_once(void **state)
{
	struct rf_gpu_sample s[] = { { AT(1000), 7, 100, 0 }, { AT(1000), 7, 100, 0 } };
	uint64_t seen = AT(0);

	(void)state;
	rf_gpu_samples_charge(s, ARRAY_SIZE(s), MAX_US, &seen);
	assert_int_equal(sum(s, ARRAY_SIZE(s), 7), 1000000000);
	rf_gpu_samples_charge(s, ARRAY_SIZE(s), MAX_US, &seen);
	assert_int_equal(sum(s, ARRAY_SIZE(s), 7), 0);
	assert_int_equal(seen, AT(1000));
}

static void after_a_pause_no_more_than_the_limit_is_charged(void **state)
{
	struct rf_gpu_sample s[] = { { AT(60000), 7, 100, 0 } };
	uint64_t seen = AT(0);

	(void)state;
	rf_gpu_samples_charge(s, ARRAY_SIZE(s), MAX_US, &seen);
	assert_int_equal(s[0].busy_ns, 2000000000);
}

static void nobody_uses_more_than_all_of_it(void **state)
{
	struct rf_gpu_sample s[] = { { AT(1000), 7, UINT32_MAX, 0 } };
	uint64_t seen = AT(0);

	(void)state;
	rf_gpu_samples_charge(s, ARRAY_SIZE(s), MAX_US, &seen);
	assert_int_equal(s[0].busy_ns, 1000000000);
	rf_gpu_samples_charge(NULL, 0, MAX_US, &seen);
	assert_int_equal(seen, AT(1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sample_stands_for_the_time_since_the_one_before),
		cmocka_unit_test(a_sample_is_charged_once),
		cmocka_unit_test(after_a_pause_no_more_than_the_limit_is_charged),
		cmocka_unit_test(nobody_uses_more_than_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates between two replies to "accelerators": what is known, what is not, and the order. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/accel_rates.h"

#define _cleanup_accel_sample_ _cleanup_(rf_accel_sample_fini)

static struct rf_accel_sample sample(const char *text)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_accel_sample s = { 0 };

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	assert_int_equal(rf_accel_sample_parse(root, &s), 0);
	return s;
}

static void refused(const char *text)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_accel_sample s = { .time_ns = 42 };

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	assert_int_equal(rf_accel_sample_parse(root, &s), -EBADMSG);
	assert_int_equal(s.time_ns, 42);
}

#define REPLY(time, uses) "{\"ok\":true,\"time_ns\":" #time ",\"uses\":[" uses "]}"
#define USE(workload, device, busy, waited, jobs, bytes)                                                        \
	"{\"workload\":\"" workload "\",\"device\":\"" device "\",\"busy_ns\":" #busy ",\"waited_ns\":" #waited \
	",\"jobs\":" #jobs ",\"bytes\":" #bytes ",\"under_way\":1,\"quota\":{\"share\":20}}"

static const char first[] = REPLY(1000000000, USE("a", "x", 0, 0, 0, 5) "," USE("b", "x", 1000000000, 500, 7, 9));
static const char second[] =
	REPLY(3000000000, USE("b", "x", 1500000000, 500, 17, 4) "," USE("a", "x", 1000000000, 4000000000, 2,
									5) ","
									   "{\"workload\":\"a\",\"device\":\"y\"}");

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void rates_are_differences_over_the_time_between(void **state)
{
	_cleanup_accel_sample_ struct rf_accel_sample before = sample(first), now = sample(second);
	_cleanup_free_ struct rf_accel_rate *r = NULL;

	(void)state;
	assert_int_equal(now.n, 3);
	assert_int_equal(rf_accel_rates_compute(&before, &now, RF_ACCEL_SORT_BUSY, &r), 0);
	assert_string_equal(r[0].row->workload, "a");
	assert_near(r[0].busy_percent, 50);
	assert_near(r[0].waited, 2);
	assert_near(r[0].jobs, 1);
	assert_int_equal(r[0].row->share, 20);
	assert_string_equal(r[1].row->workload, "b");
	assert_near(r[1].busy_percent, 25);
	assert_near(r[1].waited, 0);
	assert_near(r[1].jobs, 5);
}

static void what_is_not_told_or_new_is_not_known(void **state)
{
	_cleanup_accel_sample_ struct rf_accel_sample before = sample(first), now = sample(second), none = { 0 };
	_cleanup_free_ struct rf_accel_rate *r = NULL, *alone = NULL;

	(void)state;
	assert_int_equal(rf_accel_rates_compute(&before, &now, RF_ACCEL_SORT_BUSY, &r), 0);
	assert_string_equal(r[2].row->device, "y");
	assert_true(isnan(r[2].busy_percent) && isnan(r[2].jobs) && isnan(r[2].waited));
	assert_true(r[2].row->bytes == RF_UNKNOWN && r[2].row->share == RF_UNKNOWN);
	assert_int_equal(rf_accel_rates_compute(&none, &now, RF_ACCEL_SORT_BUSY, &alone), 0);
	assert_true(isnan(alone[0].busy_percent));
}

static void a_counter_that_went_backwards_is_not_known(void **state)
{
	_cleanup_accel_sample_ struct rf_accel_sample before = sample(second), now = sample(first);
	_cleanup_free_ struct rf_accel_rate *r = NULL;

	(void)state;
	now.time_ns = before.time_ns + 1;
	assert_int_equal(rf_accel_rates_compute(&before, &now, RF_ACCEL_SORT_NAME, &r), 0);
	assert_string_equal(r[0].row->workload, "a");
	assert_true(isnan(r[0].busy_percent) && isnan(r[0].jobs));
}

static void every_order_puts_the_most_first(void **state)
{
	_cleanup_accel_sample_ struct rf_accel_sample before = sample(first), now = sample(second);
	static const struct {
		enum rf_accel_sort sort;
		const char *order[3];
	} rows[] = {
		{ RF_ACCEL_SORT_BUSY, { "ax", "bx", "ay" } },
		{ RF_ACCEL_SORT_WAIT, { "ax", "bx", "ay" } },
		{ RF_ACCEL_SORT_MEMORY, { "ax", "bx", "ay" } },
		{ RF_ACCEL_SORT_NAME, { "ax", "ay", "bx" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ struct rf_accel_rate *r = NULL;

		assert_int_equal(rf_accel_rates_compute(&before, &now, rows[i].sort, &r), 0);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(r[k].row->workload[0], rows[i].order[k][0]);
			assert_int_equal(r[k].row->device[0], rows[i].order[k][1]);
		}
		assert_int_equal(rf_accel_sort_parse(rf_accel_sort_name(rows[i].sort)), rows[i].sort);
	}
	assert_int_equal(rf_accel_sort_parse("cpu"), -EINVAL);
}

static void what_is_no_reply_is_refused(void **state)
{
	(void)state;
	refused("{\"ok\":true}");
	refused("{\"uses\":[]}");
	refused("{\"time_ns\":1,\"uses\":{}}");
	refused("{\"time_ns\":1,\"uses\":[{\"device\":\"x\"}]}");
	refused("{\"time_ns\":1,\"uses\":[{\"workload\":\"a\",\"device\":\"x\"},3]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_differences_over_the_time_between),
		cmocka_unit_test(what_is_not_told_or_new_is_not_known),
		cmocka_unit_test(a_counter_that_went_backwards_is_not_known),
		cmocka_unit_test(every_order_puts_the_most_first),
		cmocka_unit_test(what_is_no_reply_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums over the rows of the reply to "accelerators". */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/cli/accel_sums.h"

#define USE(workload, device, n)                                                                       \
	"{\"workload\":\"" workload "\",\"device\":\"" device "\",\"jobs\":" #n ",\"busy_ns\":" #n "0" \
	",\"queued_ns\":" #n "1,\"waited_ns\":" #n "2,\"bytes\":" #n "3,\"fdinfo\":{\"engine_ns\":" #n "4}}"

static const char uses[] = "[" USE("acme/prod/a", "x", 1) "," USE("acme/dev/b", "x", 2) "," USE(
	"acme/prod/a", "y", 4) "," USE("acme2/prod/a", "", 8) ",{\"workload\":\"acme/dev/b\",\"device\":\"y\"}]";

struct sums {
	struct rf_accel_sum *list;
	size_t n;
};

static struct sums compute(const char *text, enum rf_accel_sum_by by)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct sums s = { NULL, 0 };

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	assert_int_equal(rf_accel_sums_compute(root, by, &s.list, &s.n), 0);
	return s;
}

static void is(const struct sums *s, size_t i, const char *name, int64_t rows, int64_t jobs)
{
	assert_true(i < s->n);
	assert_string_equal(s->list[i].name, name);
	assert_int_equal(s->list[i].rows, rows);
	assert_int_equal(s->list[i].jobs, jobs);
}

static void each_row_is_in_one_sum(void **state)
{
	(void)state;
	for (int by = 0; by < RF_ACCEL_BY_COUNT; by++) {
		struct sums s = compute(uses, by);
		int64_t jobs = 0, rows = 0;

		for (size_t i = 0; i < s.n; i++) {
			jobs += s.list[i].jobs;
			rows += s.list[i].rows;
		}
		assert_int_equal(jobs, 15);
		assert_int_equal(rows, 5);
		rf_accel_sums_free(s.list, s.n);
	}
}

static void a_tenant_is_what_stands_before_the_first_slash(void **state)
{
	struct sums s = compute(uses, RF_ACCEL_BY_TENANT);

	(void)state;
	assert_int_equal(s.n, 2);
	is(&s, 0, "acme", 4, 7);
	is(&s, 1, "acme2", 1, 8);
	assert_int_equal(s.list[0].busy_ns, 70);
	assert_int_equal(s.list[0].queued_ns, 73);
	assert_int_equal(s.list[0].waited_ns, 76);
	assert_int_equal(s.list[0].bytes, 79);
	assert_int_equal(s.list[0].engine_ns, 82);
	rf_accel_sums_free(s.list, s.n);
}

static void devices_and_workloads_are_whole_names(void **state)
{
	struct sums s = compute(uses, RF_ACCEL_BY_DEVICE);

	(void)state;
	assert_int_equal(s.n, 3);
	is(&s, 0, "x", 2, 3);
	is(&s, 1, "y", 2, 4);
	is(&s, 2, "", 1, 8);
	rf_accel_sums_free(s.list, s.n);
	s = compute(uses, RF_ACCEL_BY_WORKLOAD);
	assert_int_equal(s.n, 3);
	is(&s, 0, "acme/prod/a", 2, 5);
	is(&s, 1, "acme/dev/b", 2, 2);
	rf_accel_sums_free(s.list, s.n);
}

static void nothing_has_no_sums(void **state)
{
	struct sums s = compute("[]", RF_ACCEL_BY_TENANT);

	(void)state;
	assert_int_equal(s.n, 0);
	rf_accel_sums_free(s.list, s.n);
}

static void words_are_their_own(void **state)
{
	(void)state;
	for (int by = 0; by < RF_ACCEL_BY_COUNT; by++)
		assert_int_equal(rf_accel_sum_by_parse(rf_accel_sum_by_name(by)), by);
	assert_int_equal(rf_accel_sum_by_parse("tenants"), -EINVAL);
	assert_int_equal(rf_accel_sum_by_parse(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_in_one_sum),
		cmocka_unit_test(a_tenant_is_what_stands_before_the_first_slash),
		cmocka_unit_test(devices_and_workloads_are_whole_names),
		cmocka_unit_test(nothing_has_no_sums),
		cmocka_unit_test(words_are_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

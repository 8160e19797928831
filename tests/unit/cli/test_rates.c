// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates between two replies to "workloads": what is known, what is not, and the order. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/rates.h"

static struct rf_sample sample(const char *text)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_sample s = RF_SAMPLE_INIT;

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	assert_int_equal(rf_sample_parse(root, &s), 0);
	return s;
}

static void refused(const char *text)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_sample s = { .time_ns = 42 };

	assert_int_equal(rf_jin_parse(text, strlen(text), &root, NULL), 0);
	assert_int_equal(rf_sample_parse(root, &s), -EBADMSG);
	assert_int_equal(s.time_ns, 42);
}

#define COUNTERS(tx, rx, connect, accept, deny)                                                                \
	"\"counters\":{\"tx_bytes\":" #tx ",\"rx_bytes\":" #rx ",\"connect\":" #connect ",\"accept\":" #accept \
	",\"egress_deny\":" #deny ",\"ingress_deny\":1,\"device_deny\":0,\"egress_would\":0,"                  \
	"\"ingress_would\":0,\"device_would\":0,\"socket_deny\":0,\"socket_would\":0,"                         \
	"\"isolation_deny\":0,\"isolation_would\":0,\"kernel_deny\":0,\"kernel_would\":0,"                     \
	"\"file_deny\":0,\"file_would\":0,\"exec_deny\":0,\"exec_would\":0}"

static const char first[] =
	"{\"ok\":true,\"time_ns\":1000000000,\"workloads\":["
	"{\"id\":3,\"name\":\"t/n/b\",\"tasks\":2,\"cpu_usec\":1000000,\"memory_bytes\":4096," COUNTERS(
		1000, 500, 10, 5,
		0) "},"
		   "{\"id\":2,\"name\":\"t/n/a\",\"tasks\":null,\"cpu_usec\":null,\"memory_bytes\":null," COUNTERS(
			   0, 0, 0, 0, 0) "}]}";

static const char second[] =
	"{\"ok\":true,\"time_ns\":3000000000,\"workloads\":["
	"{\"id\":2,\"name\":\"t/n/a\",\"tasks\":null,\"cpu_usec\":null,\"memory_bytes\":null," COUNTERS(
		8000, 0, 0, 0,
		0) "},"
		   "{\"id\":3,\"name\":\"t/n/b\",\"tasks\":2,\"cpu_usec\":2000000,\"memory_bytes\":8192," COUNTERS(
			   3000, 700, 14, 7, 8) "}]}";

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void rates_are_differences_over_the_time_between(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(first), now = sample(second);
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	assert_int_equal(now.n, 2);
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_CPU, &r), 0);
	assert_string_equal(r[0].row->name, "t/n/b");
	assert_near(r[0].cpu_percent, 50);
	assert_near(r[0].tx_bytes, 1000);
	assert_near(r[0].rx_bytes, 100);
	assert_near(r[0].connections, 3);
	assert_near(r[0].denies, 4);
	assert_near(r[0].would_denies, 0);
	assert_int_equal(r[0].row->memory_bytes, 8192);
	assert_int_equal(r[0].row->tasks, 2);
}

static void what_the_host_does_not_tell_is_not_known(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(first), now = sample(second);
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_CPU, &r), 0);
	assert_true(isnan(r[1].cpu_percent));
	assert_near(r[1].tx_bytes, 4000);
	assert_true(r[1].row->tasks == RF_UNKNOWN);
	assert_true(r[1].row->memory_bytes == RF_UNKNOWN);
}

static void the_first_sample_has_no_rates(void **state)
{
	_cleanup_sample_ struct rf_sample none = RF_SAMPLE_INIT, now = sample(first);
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	assert_int_equal(rf_rates_compute(&none, &now, RF_SORT_CPU, &r), 0);
	for (size_t i = 0; i < now.n; i++) {
		assert_true(isnan(r[i].cpu_percent));
		assert_true(isnan(r[i].tx_bytes));
		assert_true(isnan(r[i].denies));
	}
}

static void a_counter_that_went_backwards_is_not_known(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(second), now = sample(first);
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	now.time_ns = before.time_ns + 1000000000;
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_NAME, &r), 0);
	assert_string_equal(r[1].row->name, "t/n/b");
	assert_true(isnan(r[1].cpu_percent));
	assert_true(isnan(r[1].tx_bytes));
	assert_true(isnan(r[1].denies));
}

static void no_time_between_gives_no_rate(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(first), now = sample(second);
	_cleanup_free_ struct rf_rate *same = NULL, *back = NULL;

	(void)state;
	now.time_ns = before.time_ns;
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_CPU, &same), 0);
	assert_true(isnan(same[0].tx_bytes));
	now.time_ns = before.time_ns - 1;
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_CPU, &back), 0);
	assert_true(isnan(back[0].tx_bytes));
}

static void an_id_given_to_another_workload_begins_anew(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(first), now = sample(second);
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	free(before.rows[1].name);
	before.rows[1].name = strdup("t/n/other");
	assert_int_equal(rf_rates_compute(&before, &now, RF_SORT_NAME, &r), 0);
	assert_near(r[0].tx_bytes, 4000);
	assert_string_equal(r[1].row->name, "t/n/b");
	assert_true(isnan(r[1].tx_bytes));
}

static void every_order_puts_the_most_first(void **state)
{
	_cleanup_sample_ struct rf_sample before = sample(first), now = sample(second);
	static const struct {
		enum rf_sort sort;
		const char *name;
	} cases[] = {
		{ RF_SORT_CPU, "t/n/b" },    { RF_SORT_MEMORY, "t/n/b" }, { RF_SORT_NETWORK, "t/n/a" },
		{ RF_SORT_DENIES, "t/n/b" }, { RF_SORT_NAME, "t/n/a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ struct rf_rate *r = NULL;

		assert_int_equal(rf_rates_compute(&before, &now, cases[i].sort, &r), 0);
		assert_string_equal(r[0].row->name, cases[i].name);
		assert_int_equal(rf_sort_parse(rf_sort_name(cases[i].sort)), cases[i].sort);
	}
	assert_int_equal(rf_sort_parse("size"), -EINVAL);
	assert_null(rf_sort_name(RF_SORTS));
}

static void no_workload_gives_no_rate(void **state)
{
	_cleanup_sample_ struct rf_sample now = sample("{\"time_ns\":1,\"workloads\":[]}");
	_cleanup_free_ struct rf_rate *r = NULL;

	(void)state;
	assert_int_equal(rf_rates_compute(&now, &now, RF_SORT_CPU, &r), 0);
	assert_int_equal(now.n, 0);
}

static void what_is_no_reply_is_refused(void **state)
{
	(void)state;
	refused("{}");
	refused("{\"time_ns\":1}");
	refused("{\"workloads\":[]}");
	refused("{\"time_ns\":1,\"workloads\":{}}");
	refused("{\"time_ns\":1,\"workloads\":[{\"id\":2,\"name\":\"a\"},{\"id\":3}]}");
	refused("{\"time_ns\":1,\"workloads\":[{\"id\":-1,\"name\":\"a\"}]}");
	refused("{\"time_ns\":1,\"workloads\":[{\"id\":4294967296,\"name\":\"a\"}]}");
	refused("{\"time_ns\":1,\"workloads\":[7]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_differences_over_the_time_between),
		cmocka_unit_test(what_the_host_does_not_tell_is_not_known),
		cmocka_unit_test(the_first_sample_has_no_rates),
		cmocka_unit_test(a_counter_that_went_backwards_is_not_known),
		cmocka_unit_test(no_time_between_gives_no_rate),
		cmocka_unit_test(an_id_given_to_another_workload_begins_anew),
		cmocka_unit_test(every_order_puts_the_most_first),
		cmocka_unit_test(no_workload_gives_no_rate),
		cmocka_unit_test(what_is_no_reply_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

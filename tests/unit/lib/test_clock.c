// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks, times as text, durations at their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "user/lib/clock.h"

static void clocks_run_forward(void **state)
{
	uint64_t boot = rf_clock_boot(), monotonic = rf_clock_monotonic(), real = rf_clock_real();

	(void)state;
	assert_true(rf_clock_boot() >= boot);
	assert_true(rf_clock_monotonic() >= monotonic);
	/* 2020: a wall clock in seconds or milliseconds would be far below. */
	assert_true(real > 1577836800 * RF_NSEC_PER_SEC);
}

static void a_boot_time_is_shown_by_the_wall_clock(void **state)
{
	uint64_t before = rf_clock_real(), boot = rf_clock_boot(), shown = rf_clock_boot_to_real(boot);
	uint64_t earlier = rf_clock_boot_to_real(boot - RF_NSEC_PER_SEC);

	(void)state;
	/* A tenth of a second is far more than the clocks drift apart between the calls. */
	assert_true(shown + RF_NSEC_PER_SEC / 10 > before && shown < before + RF_NSEC_PER_SEC);
	assert_true(shown - earlier > RF_NSEC_PER_SEC * 9 / 10 && shown - earlier < RF_NSEC_PER_SEC * 11 / 10);
}

static void a_boot_time_out_of_range_does_not_wrap(void **state)
{
	(void)state;
	assert_true(rf_clock_boot_to_real(UINT64_MAX) == UINT64_MAX);
	assert_true(rf_clock_boot_to_real(0) < rf_clock_real());
}

static void expect_format(uint64_t ns, const char *want)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	rf_clock_format(&b, ns);
	assert_string_equal(rf_strbuf_str(&b), want);
}

static void times_are_rfc_3339_in_utc(void **state)
{
	(void)state;
	setenv("TZ", "America/New_York", 1);
	expect_format(0, "1970-01-01T00:00:00.000Z");
	expect_format(951782400 * RF_NSEC_PER_SEC, "2000-02-29T00:00:00.000Z");
	expect_format(1795235448 * RF_NSEC_PER_SEC + 123999999, "2026-11-21T04:30:48.123Z");
	expect_format(UINT64_MAX, "2554-07-21T23:34:33.709Z");
}

static void expect_duration(const char *s, uint64_t want)
{
	uint64_t ns = 1;

	assert_int_equal(rf_duration_parse(s, UINT64_MAX, &ns), 0);
	assert_true(ns == want);
}

static void durations_have_a_number_and_a_unit(void **state)
{
	(void)state;
	expect_duration("500ms", 500 * RF_NSEC_PER_MSEC);
	expect_duration("60s", 60 * RF_NSEC_PER_SEC);
	expect_duration("10m", 600 * RF_NSEC_PER_SEC);
	expect_duration("1h", 3600 * RF_NSEC_PER_SEC);
	expect_duration("7d", 7 * 86400 * RF_NSEC_PER_SEC);
	expect_duration("0s", 0);
	expect_duration("007s", 7 * RF_NSEC_PER_SEC);
}

static void anything_else_is_no_duration(void **state)
{
	static const char *const not[] = { "",	    "5",    "s",   "5 s",  " 5s",
					   "5s ",   "-5s",  "+5s", "5S",   "5w",
					   "1h30m", "1.5s", "5us", "5mss", "99999999999999999999" };
	uint64_t ns = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(not); i++)
		assert_int_equal(rf_duration_parse(not[i], UINT64_MAX, &ns), -EINVAL);
	assert_true(ns == 77);
}

static void a_duration_ends_at_its_limit(void **state)
{
	uint64_t ns = 77;

	(void)state;
	assert_int_equal(rf_duration_parse("61s", 60 * RF_NSEC_PER_SEC, &ns), -ERANGE);
	assert_int_equal(rf_duration_parse("60001ms", 60 * RF_NSEC_PER_SEC, &ns), -ERANGE);
	assert_true(ns == 77);
	assert_int_equal(rf_duration_parse("60s", 60 * RF_NSEC_PER_SEC, &ns), 0);
	assert_true(ns == 60 * RF_NSEC_PER_SEC);
	/* Past 64 bits, in the digits, in their last step and in the unit. */
	assert_int_equal(rf_duration_parse("99999999999999999999s", UINT64_MAX, &ns), -ERANGE);
	assert_int_equal(rf_duration_parse("18446744073709551616ms", UINT64_MAX, &ns), -ERANGE);
	assert_int_equal(rf_duration_parse("213504d", UINT64_MAX, &ns), -ERANGE);
	assert_int_equal(rf_duration_parse("213503d", UINT64_MAX, &ns), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_run_forward),
		cmocka_unit_test(a_boot_time_is_shown_by_the_wall_clock),
		cmocka_unit_test(a_boot_time_out_of_range_does_not_wrap),
		cmocka_unit_test(times_are_rfc_3339_in_utc),
		cmocka_unit_test(durations_have_a_number_and_a_unit),
		cmocka_unit_test(anything_else_is_no_duration),
		cmocka_unit_test(a_duration_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

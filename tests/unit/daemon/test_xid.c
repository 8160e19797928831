// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting errors of devices: all of them, in a table that does not grow, and a few as events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "user/daemon/xid.h"
#include "user/lib/clock.h"

#define S RF_NSEC_PER_SEC

static struct rf_xid xid(unsigned int bus, uint32_t code)
{
	struct rf_xid x = { .code = code };

	snprintf(x.parent, sizeof(x.parent), "0000:%02x:00.0", bus);
	return x;
}

static void every_error_is_counted_and_a_few_a_second_are_told(void **state)
{
	struct rf_xid_counts *c = calloc(1, sizeof(*c));
	struct rf_xid a = xid(1, 79), b = xid(1, 31), other = xid(2, 79);

	(void)state;
	assert_non_null(c);
	for (int i = 0; i < RF_XID_TOLD_MAX; i++)
		assert_true(rf_xid_count(c, &a, 10 * S));
	assert_false(rf_xid_count(c, &a, 10 * S));
	assert_false(rf_xid_count(c, &a, 11 * S - 1));
	assert_true(rf_xid_count(c, &b, 10 * S));
	assert_true(rf_xid_count(c, &other, 10 * S));
	assert_true(rf_xid_count(c, &a, 11 * S));
	assert_int_equal(c->n_devices, 2);
	assert_int_equal(c->devices[0].codes[0].count, RF_XID_TOLD_MAX + 3);
	assert_int_equal(c->devices[0].codes[1].count, 1);
	assert_int_equal(c->devices[1].codes[0].count, 1);
	free(c);
}

static void codes_beyond_the_limit_are_counted_together(void **state)
{
	struct rf_xid_counts *c = calloc(1, sizeof(*c));

	(void)state;
	assert_non_null(c);
	for (uint32_t code = 0; code < RF_XID_CODES + 5; code++) {
		struct rf_xid x = xid(1, code);

		(void)rf_xid_count(c, &x, 10 * S);
	}
	assert_int_equal(c->devices[0].n_codes, RF_XID_CODES + 1);
	assert_int_equal(c->devices[0].codes[RF_XID_CODES].code, RF_XID_OTHER);
	assert_int_equal(c->devices[0].codes[RF_XID_CODES].count, 5);
	assert_int_equal(c->devices[0].codes[RF_XID_CODES - 1].count, 1);
	free(c);
}

static void devices_beyond_the_limit_are_counted_as_such(void **state)
{
	struct rf_xid_counts *c = calloc(1, sizeof(*c));

	(void)state;
	assert_non_null(c);
	for (unsigned int bus = 0; bus < RF_XID_DEVICES + 1; bus++) {
		struct rf_xid x = xid(bus, 79);

		assert_int_equal(rf_xid_count(c, &x, 10 * S), bus < RF_XID_DEVICES);
	}
	assert_int_equal(c->uncounted, 1);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_counted_and_a_few_a_second_are_told),
		cmocka_unit_test(codes_beyond_the_limit_are_counted_together),
		cmocka_unit_test(devices_beyond_the_limit_are_counted_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

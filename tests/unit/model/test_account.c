// SPDX-License-Identifier: GPL-2.0-or-later
/* What a workload's rows add up to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/model/account.h"

static void what_passed_is_what_was_allowed_and_what_would_have_been_denied(void **state)
{
	struct rf_account rows[RF_PEER_CLASSES] = { 0 };

	(void)state;
	rows[RF_CLASS_HOST].traffic[RF_ALLOW][RF_EGRESS] = (struct rf_traffic){ 100, 10, 1 };
	rows[RF_CLASS_PUBLIC].traffic[RF_WOULD_DENY][RF_EGRESS] = (struct rf_traffic){ 200, 20, 2 };
	rows[RF_CLASS_PUBLIC].traffic[RF_DENY][RF_EGRESS] = (struct rf_traffic){ 4000, 400, 40 };
	rows[RF_CLASS_PUBLIC].traffic[RF_ALLOW][RF_INGRESS] = (struct rf_traffic){ 7, 6, 5 };
	assert_int_equal(rf_account_sum(rows, RF_SUM_TX_BYTES), 300);
	assert_int_equal(rf_account_sum(rows, RF_SUM_TX_PACKETS), 30);
	assert_int_equal(rf_account_sum(rows, RF_SUM_CONNECT), 3);
	assert_int_equal(rf_account_sum(rows, RF_SUM_RX_BYTES), 7);
	assert_int_equal(rf_account_sum(rows, RF_SUM_RX_PACKETS), 6);
	assert_int_equal(rf_account_sum(rows, RF_SUM_ACCEPT), 5);
	assert_int_equal(rf_account_sum(NULL, RF_SUM_TX_BYTES), 0);
}

static void every_sum_is_of_every_class(void **state)
{
	struct rf_account rows[RF_PEER_CLASSES] = { 0 };

	(void)state;
	for (unsigned int class = 0; class < RF_PEER_CLASSES; class ++) {
		rows[class].retransmits = 1;
		rows[class].rtt_us = 2;
		rows[class].rtt_samples = 3;
		rows[class].dns_queries = 4;
		rows[class].dns_answers = 5;
		rows[class].dns_refused = 6;
	}
	for (unsigned int i = 0; RF_SUM_RETRANSMITS + i < RF_SUM_COUNT; i++)
		assert_int_equal(rf_account_sum(rows, RF_SUM_RETRANSMITS + i), (i + 1) * RF_PEER_CLASSES);
	assert_int_equal(rf_account_sum(rows, RF_SUM_COUNT), 0);
	assert_string_equal(rf_account_sum_key(RF_SUM_RTT_US), "rtt_us");
	assert_string_equal(rf_account_sum_key(RF_SUM_COUNT), "unknown");
}

static void one_count_anywhere_makes_a_row_used(void **state)
{
	struct rf_account row = { 0 }, sum = { 0 };
	__u64 *counter = (__u64 *)&row;

	(void)state;
	assert_false(rf_account_used(&row));
	for (size_t i = 0; i < sizeof(row) / sizeof(*counter); i++) {
		memset(&row, 0, sizeof(row));
		counter[i] = 1;
		assert_true(rf_account_used(&row));
		rf_account_add(&sum, &row);
	}
	for (size_t i = 0; i < sizeof(row) / sizeof(*counter); i++)
		assert_int_equal(((__u64 *)&sum)[i], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passed_is_what_was_allowed_and_what_would_have_been_denied),
		cmocka_unit_test(every_sum_is_of_every_class),
		cmocka_unit_test(one_count_anywhere_makes_a_row_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

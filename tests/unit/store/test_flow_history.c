// SPDX-License-Identifier: GPL-2.0-or-later
/* The flow history: what is merged, what goes when there is too much, and what comes back after a restart. */
#include <sys/stat.h>

#include "tests/unit/store/flow_fixture.h"

static void one_flow_is_one_row_with_all_of_it(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	struct rf_flow_seen seen = seen_of(1);
	const struct rf_flow *flow;

	(void)state;
	add(h, &seen);
	seen.time_ns = NOW + 5;
	seen.verdict = RF_DENY;
	add(h, &seen);
	/* The other lane was read later, but is of before. */
	seen.time_ns = NOW - 5;
	seen.verdict = RF_ALLOW;
	add(h, &seen);
	seen.times = 0;
	seen.tx_bytes = 100;
	seen.rx_bytes = 1000;
	seen.name = "api.example.com";
	add(h, &seen);
	assert_int_equal(rows_of(h), 1);
	flow = find(h, 1, NULL);
	assert_int_equal(flow->times, 3);
	assert_int_equal(flow->verdict, RF_DENY);
	assert_int_equal(flow->tx_bytes, 100);
	assert_int_equal(flow->rx_bytes, 1000);
	assert_int_equal(flow->first_ns, NOW - 5);
	assert_int_equal(flow->last_ns, NOW + 5);
	assert_string_equal(flow->name, "api.example.com");
	assert_string_equal(flow->subject->workload, "t/n/app");
}

static void an_end_whose_start_was_not_seen_is_a_flow(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	struct rf_flow_seen seen = seen_of(1);

	(void)state;
	seen.times = 0;
	add(h, &seen);
	assert_int_equal(find(h, 1, NULL)->times, 1);
	add(h, &seen);
	assert_int_equal(find(h, 1, NULL)->times, 1);
}

static void what_differs_in_anything_is_another_row(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	struct rf_flow_seen seen = seen_of(1);

	(void)state;
	add(h, &seen);
	seen.key.direction = RF_INGRESS;
	add(h, &seen);
	seen.key.protocol = 17;
	add(h, &seen);
	seen.key.port = 80;
	add(h, &seen);
	seen.key.family = AF_INET6;
	add(h, &seen);
	seen.workload = "t/n/other";
	add(h, &seen);
	seen.below = "/deep";
	add(h, &seen);
	assert_int_equal(rows_of(h), 7);
	add(h, &seen);
	assert_int_equal(rows_of(h), 7);
}

static void an_address_that_changes_hands_is_another_row(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	struct rf_flow_seen seen = seen_of(1);

	(void)state;
	add(h, &seen);
	seen.peer = "t/n/db-1"; /* whoever it was, it is this one */
	add(h, &seen);
	assert_int_equal(rows_of(h), 1);
	seen.peer = "t/n/db-2";
	add(h, &seen);
	assert_int_equal(rows_of(h), 2);
	seen.peer = NULL; /* not known any more: the newest one's */
	add(h, &seen);
	assert_int_equal(find(h, 1, "t/n/db-1")->times, 2);
	assert_int_equal(find(h, 1, "t/n/db-2")->times, 2);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 2);
	seen.peer = "t/n/db-1";
	add(h, &seen);
	assert_int_equal(find(h, 1, "t/n/db-1")->times, 3);
}

static void at_the_limit_all_stay_and_one_past_it_the_one_unseen_longest_goes(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(RF_MAX_FLOW_HISTORY);
	int turns = 0;

	(void)state;
	for (unsigned int i = 0; i < RF_MAX_FLOW_HISTORY; i++)
		add_n(h, i);
	assert_int_equal(rows_of(h), RF_MAX_FLOW_HISTORY);
	assert_int_equal(stats_of(h).dropped, 0);
	add_n(h, 0); /* seen again: now the second is the one unseen longest */
	/* As many turns as it takes, and the one that finds nothing more. */
	while (sync_at(h, NOW, NULL) > 0)
		turns++;
	assert_int_equal(turns, RF_MAX_FLOW_HISTORY / RF_FLOW_HISTORY_BATCH - 1);
	add_n(h, RF_MAX_FLOW_HISTORY);
	assert_int_equal(rows_of(h), RF_MAX_FLOW_HISTORY);
	assert_int_equal(stats_of(h).dropped, 1);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(RF_MAX_FLOW_HISTORY);
	written(h);
	assert_int_equal(rows_of(h), RF_MAX_FLOW_HISTORY);
	add_n(h, 0);
	assert_int_equal(rows_of(h), RF_MAX_FLOW_HISTORY);
	assert_int_equal(stats_of(h).dropped, 0);
	add_n(h, 1); /* the one that went is new again */
	assert_int_equal(stats_of(h).dropped, 1);
	print_message("%u rows take %llu bytes on disk\n", RF_MAX_FLOW_HISTORY, (unsigned long long)stats_of(h).bytes);
}

static void the_file_has_what_memory_has(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(3);
	struct rf_flow_seen seen = seen_of(1);
	const struct rf_flow *flow;
	struct stat st;

	(void)state;
	seen.peer = "t/n/db";
	seen.name = "db.example.com";
	seen.verdict = RF_WOULD_DENY;
	seen.tx_bytes = 5;
	seen.rx_bytes = 6;
	seen.below = "/deep";
	add(h, &seen);
	add_n(h, 2);
	written(h);
	assert_true(stats_of(h).stored);
	assert_true(stats_of(h).bytes > 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	add_n(h, 3);
	add_n(h, 4);
	seen.time_ns = NOW + 1;
	add(h, &seen); /* the third, now: the first went for the fourth */
	written(h);
	rf_flow_history_free(TAKE_PTR(h));

	h = history_new(3);
	written(h);
	assert_int_equal(rows_of(h), 3);
	assert_null(find(h, 2, NULL));
	flow = find(h, 1, NULL);
	assert_string_equal(flow->peer, "t/n/db");
	assert_string_equal(flow->name, "db.example.com");
	assert_string_equal(flow->subject->below, "/deep");
	assert_non_null(strstr(flow->subject->identity, "\"path\":\"/system.slice/app.service\""));
	assert_int_equal(flow->verdict, RF_WOULD_DENY);
	assert_int_equal(flow->tx_bytes, 5);
	assert_int_equal(flow->rx_bytes, 6);
	assert_int_equal(flow->key.port, 443);
	assert_int_equal(flow->first_ns, NOW); /* as late as the clock says it can have been */
}

static void a_day_is_kept_and_no_more(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	const uint64_t day = RF_FLOW_HISTORY_S * SECOND;

	(void)state;
	add_n(h, 1);
	assert_int_equal(sync_at(h, NOW + day, NULL), 0);
	assert_int_equal(rows_of(h), 1);
	assert_int_equal(sync_at(h, NOW + day + 1, NULL), 0);
	assert_int_equal(rows_of(h), 0);
	assert_int_equal(stats_of(h).dropped, 0);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 0);
}

static void a_clock_that_was_ahead_makes_no_row_that_never_goes(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);

	(void)state;
	add_n(h, 1);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10);
	assert_int_equal(sync_at(h, NOW - SECOND, NULL), 0);
	assert_int_equal(find(h, 1, NULL)->last_ns, NOW - SECOND);
}

static void a_workload_that_starts_again_is_who_it_is_now(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	const struct rf_identity other = { .path = (char *)"/system.slice/app2.service" };
	struct rf_flow_seen seen = seen_of(1);

	(void)state;
	seen.identity = NULL; /* gone before anything was known of it */
	assert_int_equal(rf_flow_history_add(h, &seen), -ENOENT);
	assert_int_equal(stats_of(h).lost, 1);
	add_n(h, 1);
	seen.identity = &other;
	seen.cgroup_id = 8;
	add(h, &seen);
	seen.identity = NULL; /* gone: what is known of it stays */
	seen.cgroup_id = 0;
	add(h, &seen);
	assert_int_equal(rows_of(h), 1);
	assert_non_null(strstr(find(h, 1, NULL)->subject->identity, "app2.service"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_flow_is_one_row_with_all_of_it),
		TEST(an_end_whose_start_was_not_seen_is_a_flow),
		TEST(what_differs_in_anything_is_another_row),
		TEST(an_address_that_changes_hands_is_another_row),
		TEST(at_the_limit_all_stay_and_one_past_it_the_one_unseen_longest_goes),
		TEST(the_file_has_what_memory_has),
		TEST(a_day_is_kept_and_no_more),
		TEST(a_clock_that_was_ahead_makes_no_row_that_never_goes),
		TEST(a_workload_that_starts_again_is_who_it_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

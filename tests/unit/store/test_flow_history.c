// SPDX-License-Identifier: GPL-2.0-or-later
/* The flow history: what is merged, what goes when there is too much, and every way its file can be of no use. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ringfence/limits.h"
#include "user/lib/fs.h"
#include "user/lib/strbuf.h"
#include "user/store/flow_db.h"
#include "user/store/flow_history.h"

#define SECOND 1000000000ULL
#define NOW    (1700000000ULL * SECOND)

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/rf-flows-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/flows.db", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	umount2(dir, MNT_DETACH);
	return rf_fs_remove_tree(dir);
}

static const struct rf_identity identity = { .manager = RF_MANAGER_SYSTEMD,
					     .path = (char *)"/system.slice/app.service",
					     .unit = (char *)"app.service" };

/* A flow to 10.x.y.z, which @n counts up. */
static struct rf_flow_seen seen_of(unsigned int n)
{
	return (struct rf_flow_seen){
		.workload = "t/n/app",
		.below = "",
		.cgroup_id = 7,
		.identity = &identity,
		.key = { .direction = RF_EGRESS,
			 .protocol = 6,
			 .family = AF_INET,
			 .port = 443,
			 .address = { 10, n >> 16, n >> 8, n } },
		.verdict = RF_ALLOW,
		.time_ns = NOW,
		.times = 1,
	};
}

static struct rf_flow_history *history_new(size_t max)
{
	struct rf_flow_history *h = NULL;

	assert_int_equal(rf_flow_history_new(max, path, &h), 0);
	return h;
}

static void add(struct rf_flow_history *h, const struct rf_flow_seen *seen)
{
	assert_int_equal(rf_flow_history_add(h, seen), 0);
}

static void add_n(struct rf_flow_history *h, unsigned int n)
{
	const struct rf_flow_seen seen = seen_of(n);

	add(h, &seen);
}

static int sync_at(struct rf_flow_history *h, uint64_t now, const char *said)
{
	_cleanup_free_ char *error = NULL;
	int r = rf_flow_history_sync(h, now, &error);

	if (r < 0 && !said)
		fail_msg("%s", error);
	if (said) {
		assert_non_null(error);
		if (!strstr(error, said) || !strstr(error, path))
			fail_msg("\"%s\" does not say \"%s\"", error, said);
	}
	return r;
}

static void written(struct rf_flow_history *h)
{
	assert_int_equal(sync_at(h, NOW, NULL), 0);
}

static size_t rows_of(const struct rf_flow_history *h)
{
	struct rf_flow_history_stats stats;

	rf_flow_history_stats(h, &stats);
	return stats.rows;
}

static struct rf_flow_history_stats stats_of(const struct rf_flow_history *h)
{
	struct rf_flow_history_stats stats;

	rf_flow_history_stats(h, &stats);
	return stats;
}

struct found {
	const struct rf_flow *flow;
	uint8_t last;	  /* byte of the address */
	const char *peer; /* NULL: any */
};

static void find_one(const struct rf_flow *flow, void *arg)
{
	struct found *found = arg;

	if (flow->key.address[3] == found->last && (!found->peer || (flow->peer && !strcmp(flow->peer, found->peer))))
		found->flow = flow;
}

static const struct rf_flow *find(const struct rf_flow_history *h, uint8_t last, const char *peer)
{
	struct found found = { NULL, last, peer };

	rf_flow_history_each(h, find_one, &found);
	return found.flow;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	sqlite3_close(db);
}

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

static void broken(void)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	_cleanup_free_ char *before = NULL, *after = NULL;
	size_t len, len_after;

	assert_int_equal(rf_fs_read(AT_FDCWD, path, 1 << 24, &before, &len), 0);
	add_n(h, 1);
	assert_int_equal(sync_at(h, NOW, "it is broken; remove it"), -EUCLEAN);
	assert_false(stats_of(h).stored);
	assert_int_equal(rows_of(h), 1);
	add_n(h, 2);
	assert_int_equal(sync_at(h, NOW, "it is broken; remove it"), -EUCLEAN);
	assert_int_equal(rf_fs_read(AT_FDCWD, path, 1 << 24, &after, &len_after), 0);
	assert_int_equal(len, len_after);
	assert_memory_equal(before, after, len);
	/* An admin removes it: it begins anew, with what is in memory. */
	assert_int_equal(unlink(path), 0);
	written(h);
	assert_true(stats_of(h).stored);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 2);
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	static char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, path, text, sizeof(text), 0600), 0);
	broken();
}

static void a_page_that_is_overwritten_is_found(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(1000);
	_cleanup_close_ int fd = -1;
	static char zeroes[4096];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		add_n(h, i);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, zeroes, sizeof(zeroes), 5 * 4096), sizeof(zeroes));
	broken();
}

static void a_table_that_is_another_is_found(void **state)
{
	(void)state;
	run_sql("PRAGMA journal_mode = WAL; CREATE TABLE flow (x); PRAGMA user_version = 1");
	broken();
}

static void rows_that_make_no_sense_are_passed_over_and_counted(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);

	(void)state;
	add_n(h, 1);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	run_sql("INSERT INTO subject VALUES (90, NULL, '', '{}');"
		"INSERT INTO subject VALUES (91, 't/n/app', '', '{}');"
		"INSERT INTO subject VALUES (92, 't/n/none', '', '{}');"
		/* each with one thing wrong */
		"CREATE TEMP TABLE good AS SELECT * FROM flow;"
		"INSERT INTO flow SELECT 100, subject, 2, protocol, family, port, address, verdict, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 101, subject, direction, 256, family, port, address, verdict, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 102, subject, direction, protocol, 3, port, address, verdict, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 103, subject, direction, protocol, family, 65536, address, verdict, peer, name,"
		" times, tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 104, subject, direction, protocol, family, port, x'0a', verdict, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 105, subject, direction, protocol, family, port, address, 3, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 106, subject, direction, protocol, family, port, address, verdict, x'00', name,"
		" times, tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 107, subject, direction, protocol, family, port, address, verdict, peer, name, -1,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 108, 4711, direction, protocol, family, port, address, verdict, peer, name, times,"
		" tx_bytes, rx_bytes, first_ns, last_ns FROM good;"
		"INSERT INTO flow SELECT 109, subject, direction, protocol, family, port, address, verdict, peer, name,"
		" NULL, tx_bytes, rx_bytes, first_ns, last_ns FROM good;");
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 1);
	assert_int_equal(stats_of(h).refused, 12);
	add_n(h, 2);
	written(h);
}

static void a_file_of_an_older_version_begins_anew(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);

	(void)state;
	run_sql("CREATE TABLE flow (other INTEGER); INSERT INTO flow VALUES (1); PRAGMA user_version = 0");
	add_n(h, 1);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 1);
}

static void a_file_of_a_newer_version_is_left_alone(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	char sql[64];

	(void)state;
	snprintf(sql, sizeof(sql), "CREATE TABLE flow (other); PRAGMA user_version = %d", RF_FLOW_DB_VERSION + 1);
	run_sql(sql);
	add_n(h, 1);
	assert_int_equal(sync_at(h, NOW, "a newer ringfenced wrote it"), -EPROTONOSUPPORT);
	assert_int_equal(rows_of(h), 1);
	run_sql("INSERT INTO flow VALUES (1)");
}

static void a_file_that_somebody_holds_is_used_when_it_is_free(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);
	struct rf_flow_seen seen = seen_of(1);
	sqlite3 *db;

	(void)state;
	add(h, &seen);
	add_n(h, 2);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	h = history_new(10);
	seen.verdict = RF_DENY;
	seen.time_ns = NOW + 1;
	add(h, &seen);
	assert_int_equal(sync_at(h, NOW + 1, "another process has it open"), -EBUSY);
	assert_int_equal(rows_of(h), 1);
	sqlite3_close(db);
	/* What it holds and what was seen meanwhile become one. */
	assert_int_equal(sync_at(h, NOW + 1, NULL), 0);
	assert_int_equal(rows_of(h), 2);
	assert_int_equal(find(h, 1, NULL)->times, 2);
	assert_int_equal(find(h, 1, NULL)->verdict, RF_DENY);
	assert_int_equal(find(h, 2, NULL)->times, 1);
}

static void a_full_disk_costs_nothing_but_the_file(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = NULL;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=128k") < 0) {
		print_message("skipped: mounting a small tmpfs: %s\n", geteuid() ? "needs root" : strerror(errno));
		skip();
	}
	h = history_new(10000);
	for (unsigned int i = 0; i < 4000; i++)
		add_n(h, i);
	assert_int_equal(sync_at(h, NOW, "there is no room on its disk"), -ENOSPC);
	assert_false(stats_of(h).stored);
	assert_int_equal(rows_of(h), 4000);
	assert_int_equal(sync_at(h, NOW, "there is no room on its disk"), -ENOSPC);
	assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=16m"), 0);
	written(h);
	assert_true(stats_of(h).stored);
	rf_flow_history_free(TAKE_PTR(h));
	h = history_new(10000);
	written(h);
	assert_int_equal(rows_of(h), 4000);
}

static void without_a_directory_memory_goes_on(void **state)
{
	_cleanup_flow_history_ struct rf_flow_history *h = NULL;

	(void)state;
	snprintf(path, sizeof(path), "%s/none/flows.db", dir);
	h = history_new(10);
	add_n(h, 1);
	assert_int_equal(sync_at(h, NOW, "it cannot be opened"), -EACCES);
	assert_int_equal(rows_of(h), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(a_file_that_is_no_database_is_left_alone),
		TEST(a_page_that_is_overwritten_is_found),
		TEST(a_table_that_is_another_is_found),
		TEST(rows_that_make_no_sense_are_passed_over_and_counted),
		TEST(a_file_of_an_older_version_begins_anew),
		TEST(a_file_of_a_newer_version_is_left_alone),
		TEST(a_file_that_somebody_holds_is_used_when_it_is_free),
		TEST(a_full_disk_costs_nothing_but_the_file),
		TEST(without_a_directory_memory_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

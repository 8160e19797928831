// SPDX-License-Identifier: GPL-2.0-or-later
/* Every way in which the file of the flow history can be of no use. */
#include <fcntl.h>
#include <sched.h>

#include <sqlite3.h>

#include "tests/unit/store/flow_fixture.h"
#include "user/store/flow_db.h"

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	sqlite3_close(db);
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
	static const char *const wrong[] = {
		"direction = 2",   "protocol = 256", "family = 3",     "port = 65536",
		"address = x'0a'", "verdict = 3",    "peer = x'00'",   "name = 'a' || char(0) || 'b'",
		"times = -1",	   "times = NULL",   "subject = 4711", "last_ns = 'x'"
	};
	char sql[512];
	_cleanup_flow_history_ struct rf_flow_history *h = history_new(10);

	(void)state;
	add_n(h, 1);
	written(h);
	rf_flow_history_free(TAKE_PTR(h));
	run_sql("INSERT INTO subject VALUES (90, NULL, '', '{}'), (91, 't/n/app', '', '{}'),"
		" (92, 't/n/none', '', '{}')");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(sql, sizeof(sql),
			 "CREATE TEMP TABLE one AS SELECT * FROM flow WHERE id = 1; UPDATE one SET id = %zu, %s;"
			 "INSERT INTO flow SELECT * FROM one",
			 100 + i, wrong[i]);
		run_sql(sql);
	}
	h = history_new(10);
	written(h);
	assert_int_equal(rows_of(h), 1);
	assert_int_equal(stats_of(h).refused, ARRAY_SIZE(wrong) + 2);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* The child that thaws: of a daemon that dies, hangs or thaws itself. With files in the place of cgroups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "ringfence/call_map.h"
#include "user/daemon/thaw.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

#define LONG_NS	 (1000 * RF_NSEC_PER_SEC)
#define WAITS_NS (60 * RF_NSEC_PER_SEC)

static char dir[64];
static int root;
static struct rf_thaw t;

static void freeze(const char *name)
{
	assert_int_equal(rf_fs_write_atomic(root, name, "1", 1, 0600), 0);
}

static bool is_frozen(const char *name)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(rf_fs_read(root, name, 16, &text, NULL), 0);
	return *text == '1';
}

static void await_thawed(const char *name)
{
	uint64_t end = rf_clock_monotonic() + WAITS_NS;

	while (is_frozen(name)) {
		assert_true(rf_clock_monotonic() < end);
		(void)poll(NULL, 0, 5);
	}
}

static uint64_t later(uint64_t ns)
{
	return rf_clock_monotonic() + ns;
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	snprintf(dir, sizeof(dir), "/tmp/thaw-XXXXXX");
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(rf_thaw_start(&t, root), 0);
	freeze("a");
	freeze("b");
	freeze("c");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rf_thaw_stop(&t);
	close(root);
	return rf_fs_remove_tree(dir);
}

static void what_is_frozen_for_too_long_is_thawed_by_itself(void **state)
{
	uint64_t began = rf_clock_monotonic();

	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), 0);
	assert_int_equal(rf_thaw_note(&t, "b", later(RF_NSEC_PER_MSEC)), 0);
	await_thawed("b");
	assert_true(rf_clock_monotonic() - began >= RF_CALL_THAW_GRACE_NS);
	assert_true(is_frozen("a"));
	assert_true(is_frozen("c"));
}

static void the_last_note_of_a_cgroup_holds(void **state)
{
	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(1)), 0);
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), 0);
	assert_int_equal(rf_thaw_note(&t, "b", later(1)), 0);
	await_thawed("b");
	assert_true(is_frozen("a"));
}

static void what_was_thawed_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(1)), 0);
	assert_int_equal(rf_thaw_note(&t, "b", later(1)), 0);
	rf_thaw_forget(&t, "a");
	await_thawed("b");
	rf_thaw_stop(&t);
	assert_true(is_frozen("a"));
}

/* A daemon that is killed, as the test's own child. */
static void all_is_thawed_when_the_daemon_is_killed(void **state)
{
	int ready[2];
	pid_t daemon;
	char c;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	daemon = fork();
	if (daemon == 0) {
		c = rf_thaw_note(&t, "a", later(LONG_NS)) == 0 && rf_thaw_note(&t, "b", later(LONG_NS)) == 0;
		(void)!write(ready[1], &c, 1);
		for (;;)
			(void)pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	assert_int_equal(c, 1);
	assert_true(is_frozen("a"));
	assert_int_equal(kill(daemon, SIGKILL), 0);
	assert_int_equal(waitpid(daemon, NULL, 0), daemon);
	await_thawed("a");
	await_thawed("b");
	assert_true(is_frozen("c"));
}

static void a_child_that_died_is_replaced_and_knows_all(void **state)
{
	pid_t first;

	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), 0);
	first = t.pid;
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)first, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_true(is_frozen("a"));
	assert_int_equal(rf_thaw_note(&t, "b", later(LONG_NS)), 0);
	assert_int_not_equal(t.pid, first);
	/* It was waited for. */
	assert_true(waitpid(first, NULL, WNOHANG) < 0 && errno == ECHILD);
	rf_thaw_stop(&t);
	assert_false(is_frozen("a"));
	assert_false(is_frozen("b"));
}

static void one_that_does_not_read_is_replaced(void **state)
{
	pid_t first;

	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), 0);
	first = t.pid;
	assert_int_equal(kill(first, SIGSTOP), 0);
	for (int i = 0; i < 100000 && t.pid == first; i++)
		assert_int_equal(rf_thaw_note(&t, "b", later(LONG_NS)), 0);
	assert_int_not_equal(t.pid, first);
	rf_thaw_stop(&t);
	assert_false(is_frozen("a"));
	assert_false(is_frozen("b"));
}

/* What systemd sends to all processes of a service that hangs, and what it ends one with. */
static void signals_do_not_end_it(void **state)
{
	static const int signals[] = { SIGABRT, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1 };

	(void)state;
	assert_int_equal(rf_thaw_note(&t, "a", later(1)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		assert_int_equal(kill(t.pid, signals[i]), 0);
	await_thawed("a");
	assert_int_equal(waitpid(t.pid, NULL, WNOHANG), 0);
}

static void so_many_fit_and_one_more_is_refused(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < RF_THAW_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(rf_thaw_note(&t, name, later(LONG_NS)), 0);
	}
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), -ENOSPC);
	/* One that is there already is no more. */
	assert_int_equal(rf_thaw_note(&t, "n7", later(LONG_NS)), 0);
	rf_thaw_forget(&t, "n7");
	assert_int_equal(rf_thaw_note(&t, "a", later(LONG_NS)), 0);
	rf_thaw_stop(&t);
	assert_false(is_frozen("a"));
}

static void nothing_is_started_for_nothing(void **state)
{
	(void)state;
	rf_thaw_forget(&t, "a");
	assert_true(t.pipe < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_frozen_for_too_long_is_thawed_by_itself),
		TEST(the_last_note_of_a_cgroup_holds),
		TEST(what_was_thawed_is_left_alone),
		TEST(all_is_thawed_when_the_daemon_is_killed),
		TEST(a_child_that_died_is_replaced_and_knows_all),
		TEST(one_that_does_not_read_is_replaced),
		TEST(signals_do_not_end_it),
		TEST(so_many_fit_and_one_more_is_refused),
		TEST(nothing_is_started_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process has mapped, read by a child that may be stuck. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/daemon/library_reader.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

/* The first mapping of a file that is executed: of this program. */
static bool own_find(struct rf_library_reader *r, struct rf_process_map *ret)
{
	_cleanup_free_ char *text = NULL;
	struct rf_span rest;
	size_t len;

	if (rf_library_reader_maps(r, getpid(), &text, &len) < 0)
		return false;
	assert_int_equal(text[len], '\0');
	rest = (struct rf_span){ text, len };
	while (rf_process_maps_next(&rest, ret)) {
		if (!ret->executable || !ret->path.n || *ret->path.s != '/')
			continue;
		/* The text goes. */
		ret->path = (struct rf_span){ NULL, 0 };
		return true;
	}
	return false;
}

static void mappings_are_read_and_opened(void **state)
{
	struct rf_library_reader r = { 0 };
	struct rf_process_map map;
	struct stat own, opened;

	(void)state;
	for (int i = 0; i < 3; i++) {
		_cleanup_close_ int at = -1;

		assert_true(own_find(&r, &map));
		at = rf_library_reader_open(&r, getpid(), &map);
		if (at == -EPERM) /* the links are not for everybody */
			skip();
		assert_true(at >= 0);
		assert_int_equal(stat("/proc/self/exe", &own), 0);
		assert_int_equal(fstat(at, &opened), 0);
		assert_int_equal(own.st_ino, opened.st_ino);
	}
	assert_int_equal(r.kills, 0);
	rf_library_reader_stop(&r);
	assert_int_equal(r.child.pid, 0);
}

static void what_is_not_there_is_an_error_and_no_end(void **state)
{
	struct rf_library_reader r = { 0 };
	struct rf_process_map map = { .start = 4096, .end = 8192 };
	char *text = NULL;
	size_t len;
	pid_t gone = fork();

	(void)state;
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(rf_library_reader_maps(&r, gone, &text, &len), -ENOENT);
	assert_null(text);
	assert_int_equal(rf_library_reader_open(&r, getpid(), &map), -ENOENT);
	assert_int_equal(r.kills, 0);
	assert_true(own_find(&r, &map));
	rf_library_reader_stop(&r);
}

static void one_that_has_to_wait_is_killed_and_replaced(void **state)
{
	struct rf_library_reader r = { 0 };
	struct rf_process_map map;
	char *text = NULL;
	bool again = false;
	size_t len;
	pid_t first;

	(void)state;
	assert_true(own_find(&r, &map));
	first = r.child.pid;
	assert_int_equal(kill(first, SIGSTOP), 0);
	assert_int_equal(rf_library_reader_maps(&r, getpid(), &text, &len), -ETIMEDOUT);
	assert_int_equal(r.kills, 1);
	for (int i = 0; i < 1000 && !again; i++) {
		again = own_find(&r, &map);
		(void)poll(NULL, 0, 1);
	}
	assert_true(again);
	assert_true(r.child.pid != first);
	/* One that has died by itself is, too. */
	assert_int_equal(kill(r.child.pid, SIGKILL), 0);
	again = false;
	for (int i = 0; i < 1000 && !again; i++) {
		again = own_find(&r, &map);
		(void)poll(NULL, 0, 1);
	}
	assert_true(again);
	rf_library_reader_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_are_read_and_opened),
		cmocka_unit_test(what_is_not_there_is_an_error_and_no_end),
		cmocka_unit_test(one_that_has_to_wait_is_killed_and_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

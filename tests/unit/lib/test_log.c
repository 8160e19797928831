// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines, read back from a pipe or socket that stands for stderr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "user/lib/cleanup.h"
#include "user/lib/log.h"

static int stderr_fd = -1;
static int read_fd = -1;

/* A socket pair: the journal's stream is a socket, too. */
static int capture(void **state)
{
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (stderr_fd < 0 || dup2(fds[1], STDERR_FILENO) < 0)
		return -1;
	close(fds[1]);
	read_fd = fds[0];
	unsetenv("JOURNAL_STREAM");
	rf_log_set_level(RF_LOG_INFO);
	return 0;
}

static int release(void **state)
{
	(void)state;
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	close(read_fd);
	return 0;
}

/* What was logged since the last call; the lines are written before rf_log() returns. */
static const char *logged(void)
{
	static char text[8192];
	ssize_t n = recv(read_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void name_the_journal(unsigned long long ino_offset)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + ino_offset);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void a_line_ends_with_one_newline(void **state)
{
	(void)state;
	rf_info("hello %d", 5);
	assert_string_equal(logged(), "hello 5\n");
	rf_info("hello\n");
	assert_string_equal(logged(), "hello\n");
	rf_info("%s", "");
	assert_string_equal(logged(), "\n");
}

static void lines_above_the_level_are_dropped(void **state)
{
	(void)state;
	rf_debug("x");
	assert_string_equal(logged(), "");
	rf_info("x");
	assert_string_equal(logged(), "x\n");
	rf_log_set_level(RF_LOG_ERR);
	rf_warn("x");
	assert_string_equal(logged(), "");
	rf_err("x");
	assert_string_equal(logged(), "x\n");
	rf_log_set_level(RF_LOG_DEBUG);
	rf_debug("x");
	assert_string_equal(logged(), "x\n");
}

static void the_journal_gets_a_priority_on_every_line(void **state)
{
	(void)state;
	name_the_journal(0);
	rf_warn("two\nlines\n");
	assert_string_equal(logged(), "<4>two\n<4>lines\n");
}

static void another_stream_than_the_journals_gets_none(void **state)
{
	(void)state;
	name_the_journal(1);
	rf_warn("x");
	assert_string_equal(logged(), "x\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	rf_warn("x");
	assert_string_equal(logged(), "x\n");
}

static void control_bytes_are_shown_and_not_sent(void **state)
{
	(void)state;
	rf_info("a\x1b[31mb\tc\x7f\r");
	assert_string_equal(logged(), "a\\x1b[31mb\tc\\x7f\\x0d\n");
}

static void an_error_says_what_failed_and_is_returned(void **state)
{
	(void)state;
	errno = EBUSY;
	assert_int_equal(rf_err_r(-ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(logged(), "open x: No such file or directory\n");
	assert_int_equal(errno, EBUSY);
}

static void levels_are_parsed_by_their_exact_names(void **state)
{
	enum rf_log_level level = RF_LOG_NOTICE;

	(void)state;
	assert_int_equal(rf_log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(rf_log_level_parse("", &level), -EINVAL);
	assert_int_equal(rf_log_level_parse("ERR", &level), -EINVAL);
	assert_int_equal(level, RF_LOG_NOTICE);
	assert_int_equal(rf_log_level_parse("err", &level), 0);
	assert_int_equal(level, RF_LOG_ERR);
	assert_int_equal(rf_log_level_parse("warning", &level), 0);
	assert_int_equal(level, RF_LOG_WARNING);
	assert_int_equal(rf_log_level_parse("notice", &level), 0);
	assert_int_equal(level, RF_LOG_NOTICE);
	assert_int_equal(rf_log_level_parse("info", &level), 0);
	assert_int_equal(level, RF_LOG_INFO);
	assert_int_equal(rf_log_level_parse("debug", &level), 0);
	assert_int_equal(level, RF_LOG_DEBUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_ends_with_one_newline, capture, release),
		cmocka_unit_test_setup_teardown(lines_above_the_level_are_dropped, capture, release),
		cmocka_unit_test_setup_teardown(the_journal_gets_a_priority_on_every_line, capture, release),
		cmocka_unit_test_setup_teardown(another_stream_than_the_journals_gets_none, capture, release),
		cmocka_unit_test_setup_teardown(control_bytes_are_shown_and_not_sent, capture, release),
		cmocka_unit_test_setup_teardown(an_error_says_what_failed_and_is_returned, capture, release),
		cmocka_unit_test(levels_are_parsed_by_their_exact_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

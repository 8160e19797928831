// SPDX-License-Identifier: GPL-2.0-or-later
/* The client's end of the control socket, over a socket pair whose other end the test holds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "user/cli/client.h"

static struct rf_client client_of(int *ret_other)
{
	struct rf_client c = RF_CLIENT_INIT;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	c.fd = fds[0];
	*ret_other = fds[1];
	return c;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_line(struct rf_client *c, const char *expected)
{
	const char *line;
	size_t len;

	assert_int_equal(rf_client_next(c, 1000, &line, &len), 1);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(line, expected);
}

static void lines_come_one_by_one(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);
	const char *line;
	size_t len;

	(void)state;
	say(other, "one\ntwo\n\nfour\n");
	rf_closep(&other);
	assert_line(&c, "one");
	assert_line(&c, "two");
	assert_line(&c, "");
	assert_line(&c, "four");
	assert_int_equal(rf_client_next(&c, 1000, &line, &len), 0);
	assert_int_equal(rf_client_next(&c, 1000, &line, &len), 0);
}

static void a_line_may_come_in_pieces(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);
	const char *line;
	size_t len;

	(void)state;
	say(other, "first\nse");
	assert_line(&c, "first");
	assert_int_equal(rf_client_next(&c, 0, &line, &len), -ETIMEDOUT);
	say(other, "co");
	assert_int_equal(rf_client_next(&c, 0, &line, &len), -ETIMEDOUT);
	say(other, "nd\nthird\n");
	assert_line(&c, "second");
	assert_line(&c, "third");
}

static void an_end_inside_a_line_is_told_apart(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);
	const char *line;
	size_t len;

	(void)state;
	say(other, "whole\nhal");
	rf_closep(&other);
	assert_line(&c, "whole");
	assert_int_equal(rf_client_next(&c, 1000, &line, &len), -EPROTO);
}

static void a_request_ends_with_a_newline(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);
	char got[16] = "";

	(void)state;
	assert_int_equal(rf_client_send(&c, "{}", 2), 0);
	assert_int_equal(recv(other, got, sizeof(got), MSG_WAITALL | MSG_DONTWAIT), 3);
	assert_memory_equal(got, "{}\n", 3);
}

static void sending_to_a_closed_daemon_is_an_error_and_no_signal(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);

	(void)state;
	rf_closep(&other);
	assert_int_equal(rf_client_send(&c, "{}", 2), -EPIPE);
}

static void a_line_longer_than_a_control_line_is_read(void **state)
{
	_cleanup_close_ int other = -1;
	_cleanup_client_ struct rf_client c = client_of(&other);
	size_t size = RF_CONTROL_LINE_MAX + 4096, len;
	_cleanup_free_ char *text = malloc(size);
	const char *line;
	pid_t pid;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size - 1] = '\n';
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		for (size_t done = 0; done < size;) {
			ssize_t n = write(other, text + done, size - done);

			if (n <= 0)
				_exit(1);
			done += (size_t)n;
		}
		_exit(0);
	}
	rf_closep(&other);
	assert_int_equal(rf_client_next(&c, 10000, &line, &len), 1);
	assert_int_equal(len, size - 1);
	assert_memory_equal(line, text, size - 1);
}

static void nobody_listening_is_told_apart(void **state)
{
	char path[] = "/tmp/ringfence-test-client-XXXXXX", socket_path[64], longest[200];
	_cleanup_client_ struct rf_client c = RF_CLIENT_INIT;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int listener = -1;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", path);
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	assert_int_equal(rf_client_connect(&c, socket_path), -ENOENT);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(rf_client_connect(&c, socket_path), -ECONNREFUSED);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(rf_client_connect(&c, socket_path), 0);
	assert_true(c.fd >= 0);
	unlink(socket_path);
	rmdir(path);

	/* a socket's path holds 107 bytes */
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(address.sun_path) - 1] = '\0';
	rf_client_fini(&c);
	assert_int_equal(rf_client_connect(&c, longest), -ENOENT);
	longest[sizeof(address.sun_path) - 1] = 'a';
	longest[sizeof(address.sun_path)] = '\0';
	assert_int_equal(rf_client_connect(&c, longest), -ENAMETOOLONG);
}

static void the_socket_is_option_then_environment_then_default(void **state)
{
	(void)state;
	unsetenv(RF_CONTROL_SOCKET_ENV);
	assert_string_equal(rf_client_socket(NULL), RF_CONTROL_SOCKET);
	setenv(RF_CONTROL_SOCKET_ENV, "", 1);
	assert_string_equal(rf_client_socket(NULL), RF_CONTROL_SOCKET);
	setenv(RF_CONTROL_SOCKET_ENV, "/run/other", 1);
	assert_string_equal(rf_client_socket(NULL), "/run/other");
	assert_string_equal(rf_client_socket("/run/given"), "/run/given");
	unsetenv(RF_CONTROL_SOCKET_ENV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(a_line_may_come_in_pieces),
		cmocka_unit_test(an_end_inside_a_line_is_told_apart),
		cmocka_unit_test(a_request_ends_with_a_newline),
		cmocka_unit_test(sending_to_a_closed_daemon_is_an_error_and_no_signal),
		cmocka_unit_test(a_line_longer_than_a_control_line_is_read),
		cmocka_unit_test(nobody_listening_is_told_apart),
		cmocka_unit_test(the_socket_is_option_then_environment_then_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

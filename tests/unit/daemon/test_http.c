// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The listener on a real loopback port, driven by a poll loop as the daemon
 * drives it: the descriptor and the timeout alone say when to run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "user/daemon/http.h"
#include "user/lib/clock.h"

#define DEADLINE_NS (20 * RF_NSEC_PER_SEC)

struct fixture {
	struct rf_http *http;
	unsigned int renders[RF_METRICS_FORMATS];
	int metrics_error, health_error;
	const char *reason;
	size_t size; /* of the exposition, where it is to be long */
};

static int metrics(enum rf_metrics_format format, struct rf_strbuf *out, void *arg)
{
	struct fixture *f = arg;

	f->renders[format]++;
	if (f->metrics_error)
		return f->metrics_error;
	rf_strbuf_adds(out, format == RF_METRICS_OPENMETRICS ? "# EOF\n" : "up 1\n");
	while (out->len < f->size)
		rf_strbuf_addf(out, "line %zu of a long exposition\n", out->len);
	return 0;
}

static int health(struct rf_strbuf *reason, void *arg)
{
	struct fixture *f = arg;

	if (f->reason)
		rf_strbuf_adds(reason, f->reason);
	return f->health_error;
}

static void start(struct fixture *f, const char *listen, uint64_t max_age_ns)
{
	struct rf_http_handler handler = {
		.metrics = metrics, .health = health, .arg = f, .metrics_max_age_ns = max_age_ns
	};

	assert_int_equal(rf_http_start(listen, &handler, &f->http), 0);
	assert_int_not_equal(rf_http_port(f->http), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	start(f, "127.0.0.1:0", 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rf_http_free(f->http);
	free(f);
	return 0;
}

static int try_connect(const char *address, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return TAKE_FD(fd);
}

static int dial(struct fixture *f)
{
	int fd = try_connect("127.0.0.1", rf_http_port(f->http));

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* One turn of the daemon's loop; false when nothing is to be done now and nothing came from @fd. */
static bool turn(struct fixture *f, int fd, bool wait)
{
	struct pollfd p[] = { { .fd = rf_http_fd(f->http), .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	uint64_t timeout = rf_http_timeout_ns(f->http);
	int ms = !wait ? 0 : timeout < RF_NSEC_PER_SEC ? (int)(timeout / RF_NSEC_PER_MSEC) : 1000;
	int n = poll(p, 2, ms);

	assert_true(n >= 0);
	if (p[0].revents || timeout == 0)
		assert_int_equal(rf_http_run(f->http), 0);
	return n > 0 || timeout == 0;
}

/* Serves until nothing is left to do. */
static void settle(struct fixture *f)
{
	uint64_t deadline = rf_clock_monotonic() + DEADLINE_NS;

	while (turn(f, -1, false))
		assert_true(rf_clock_monotonic() < deadline);
}

/* Reads what the server sends until it closes, or until @end has come. False: the connection broke. */
static bool receive(struct fixture *f, int fd, const char *end, struct rf_strbuf *out)
{
	uint64_t deadline = rf_clock_monotonic() + DEADLINE_NS;

	for (;;) {
		char buffer[65536];
		ssize_t n = read(fd, buffer, sizeof(buffer));

		assert_true(rf_clock_monotonic() < deadline);
		if (n > 0)
			rf_strbuf_add(out, buffer, (size_t)n);
		else if (n == 0)
			return true;
		else if (errno != EAGAIN)
			return false;
		if (end && strstr(rf_strbuf_str(out), end))
			return true;
		turn(f, fd, n < 0);
	}
}

static char *ask(struct fixture *f, const char *method, const char *path, const char *headers)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT, request = RF_STRBUF_INIT;
	_cleanup_close_ int fd = dial(f);
	char *text;

	rf_strbuf_addf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, path,
		       headers);
	say(fd, rf_strbuf_str(&request));
	receive(f, fd, NULL, &out);
	text = rf_strbuf_take(&out);
	assert_non_null(text);
	return text;
}

static void assert_status(const char *reply, int status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (!rf_strprefix(reply, line))
		fail_msg("expected %d, got: %s", status, reply);
}

static const char *body(const char *reply)
{
	const char *at = strstr(reply, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

/* ---- what is served ---- */

static void metrics_are_text_by_default(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "GET", "/metrics", "");

	assert_status(reply, 200);
	assert_non_null(strstr(reply, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_string_equal(body(reply), "up 1\n");
}

static void metrics_are_openmetrics_when_asked(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "GET", "/metrics",
					 "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");

	assert_status(reply, 200);
	assert_non_null(
		strstr(reply, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	assert_string_equal(body(reply), "# EOF\n");
}

static void a_query_does_not_change_the_path(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "GET", "/metrics?x=y", "");

	assert_status(reply, 200);
}

static void head_has_the_header_without_the_body(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "HEAD", "/metrics", "");

	assert_status(reply, 200);
	assert_non_null(strstr(reply, "\r\nContent-Length: 5\r\n"));
	assert_string_equal(body(reply), "");
}

static void a_failed_rendering_is_a_500(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *bad = NULL, *good = NULL;

	f->metrics_error = -ENOMEM;
	bad = ask(f, "GET", "/metrics", "");
	assert_status(bad, 500);
	f->metrics_error = 0;
	good = ask(f, "GET", "/metrics", "");
	assert_status(good, 200);
}

static void healthy_is_200_ok(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "GET", "/healthz", "");

	assert_status(reply, 200);
	assert_string_equal(body(reply), "ok\n");
}

static void unhealthy_is_503_with_the_reason(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *with = NULL, *without = NULL;

	f->health_error = -EIO;
	f->reason = "hook connect4 is not attached";
	with = ask(f, "GET", "/healthz", "");
	assert_status(with, 503);
	assert_string_equal(body(with), "hook connect4 is not attached\n");
	f->reason = NULL;
	without = ask(f, "GET", "/healthz", "");
	assert_status(without, 503);
	assert_string_equal(body(without), "not healthy\n");
}

static void the_index_names_the_paths(void **state)
{
	_cleanup_free_ char *reply = ask(*state, "GET", "/", "");

	assert_status(reply, 200);
	assert_non_null(strstr(body(reply), "/metrics"));
	assert_non_null(strstr(body(reply), "/healthz"));
}

static void other_paths_are_404(void **state)
{
	static const char *const paths[] = { "/metrics/",   "/metric",	  "//metrics",
					     "/../metrics", "/healthz/x", "/Metrics" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *reply = ask(*state, "GET", paths[i], "");

		assert_status(reply, 404);
	}
}

static void other_methods_are_405(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		_cleanup_free_ char *reply = ask(*state, methods[i], "/metrics", "Content-Length: 0\r\n");

		assert_status(reply, 405);
		assert_non_null(strstr(reply, "\r\nAllow: GET, HEAD\r\n"));
	}
	assert_int_equal(((struct fixture *)*state)->renders[RF_METRICS_TEXT], 0);
}

/* The connection ends with the answer, though the client said that more would come. */
static void a_body_is_not_read(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{ "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nabc", 405 },
		{ "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nabc", 200 },
		{ "GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", 200 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
		_cleanup_close_ int fd = dial(f);

		say(fd, cases[i].request);
		receive(f, fd, NULL, &out);
		assert_status(rf_strbuf_str(&out), cases[i].status);
	}
}

static void a_connection_takes_several_requests(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = dial(f);

	for (int i = 0; i < 3; i++) {
		_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

		say(fd, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
		assert_true(receive(f, fd, "up 1\n", &out));
		assert_status(rf_strbuf_str(&out), 200);
	}
}

static void a_long_exposition_arrives_whole(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct rf_strbuf expected = RF_STRBUF_INIT;
	_cleanup_free_ char *reply = NULL;

	f->size = 8 * 1024 * 1024;
	reply = ask(f, "GET", "/metrics", "");
	assert_status(reply, 200);
	metrics(RF_METRICS_TEXT, &expected, f);
	assert_true(expected.len >= f->size);
	assert_int_equal(strlen(body(reply)), expected.len);
	assert_memory_equal(body(reply), rf_strbuf_str(&expected), expected.len);
}

/* ---- bounds ---- */

static void young_metrics_are_sent_again(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	start(&f, "127.0.0.1:0", UINT64_MAX);
	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *text = ask(&f, "GET", "/metrics", "");
		_cleanup_free_ char *om = ask(&f, "GET", "/metrics", "Accept: application/openmetrics-text\r\n");

		assert_string_equal(body(text), "up 1\n");
		assert_string_equal(body(om), "# EOF\n");
	}
	assert_int_equal(f.renders[RF_METRICS_TEXT], 1);
	assert_int_equal(f.renders[RF_METRICS_OPENMETRICS], 1);
	rf_http_free(f.http);
}

static void a_rendering_is_let_go_when_it_is_old(void **state)
{
	struct fixture f = { 0 };
	_cleanup_free_ char *first = NULL, *second = NULL;
	uint64_t deadline = rf_clock_monotonic() + DEADLINE_NS;

	(void)state;
	start(&f, "127.0.0.1:0", 20 * RF_NSEC_PER_MSEC);
	first = ask(&f, "GET", "/metrics", "");
	assert_true(rf_http_timeout_ns(f.http) <= 20 * RF_NSEC_PER_MSEC);
	while (rf_http_timeout_ns(f.http) != RF_HTTP_TIMEOUT_NONE) {
		assert_true(rf_clock_monotonic() < deadline);
		turn(&f, -1, true);
	}
	second = ask(&f, "GET", "/metrics", "");
	assert_status(second, 200);
	assert_int_equal(f.renders[RF_METRICS_TEXT], 2);
	rf_http_free(f.http);
}

static void old_metrics_are_rendered_anew(void **state)
{
	struct fixture *f = *state; /* the age allowed is 0 */

	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *reply = ask(f, "GET", "/metrics", "");

		assert_status(reply, 200);
	}
	assert_int_equal(f->renders[RF_METRICS_TEXT], 3);
}

static void a_header_past_the_memory_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *filler = calloc(1, 2 * RF_HTTP_CONNECTION_MEMORY), *good = NULL;
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT, out = RF_STRBUF_INIT;
	_cleanup_close_ int fd = dial(f);

	assert_non_null(filler);
	memset(filler, 'a', 2 * RF_HTTP_CONNECTION_MEMORY - 1);
	rf_strbuf_addf(&request, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", filler);
	say(fd, rf_strbuf_str(&request));
	receive(f, fd, NULL, &out);
	assert_false(rf_strprefix(rf_strbuf_str(&out), "HTTP/1.1 200"));
	assert_int_equal(f->renders[RF_METRICS_TEXT], 0);
	/* Half of it is fine, and the next client notices nothing. */
	filler[RF_HTTP_CONNECTION_MEMORY / 2] = '\0';
	rf_strbuf_reset(&request);
	rf_strbuf_addf(&request, "X: %s\r\n", filler);
	good = ask(f, "GET", "/metrics", rf_strbuf_str(&request));
	assert_status(good, 200);
}

static void one_connection_past_the_limit_waits_for_a_place(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct rf_strbuf at_limit = RF_STRBUF_INIT, past = RF_STRBUF_INIT;
	int fds[RF_HTTP_CONNECTIONS_MAX];
	_cleanup_close_ int waiting = -1;
	char c;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(f);
	say(fds[ARRAY_SIZE(fds) - 1], "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_true(receive(f, fds[ARRAY_SIZE(fds) - 1], "ok\n", &at_limit));

	waiting = dial(f);
	say(waiting, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	settle(f);
	assert_int_equal(read(waiting, &c, 1), -1);
	assert_int_equal(errno, EAGAIN);

	close(fds[0]);
	assert_true(receive(f, waiting, "ok\n", &past));
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void an_idle_connection_has_a_time_limit(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = -1;

	settle(f);
	assert_true(rf_http_timeout_ns(f->http) == RF_HTTP_TIMEOUT_NONE);
	fd = dial(f);
	say(fd, "GET /metrics HTTP/1.1\r\n");
	settle(f);
	assert_true(rf_http_timeout_ns(f->http) <= RF_HTTP_IDLE_S * RF_NSEC_PER_SEC);
}

static void stopping_closes_open_connections(void **state)
{
	struct fixture f = { 0 };
	_cleanup_close_ int fd = -1;
	uint16_t port;
	char c;

	(void)state;
	start(&f, "127.0.0.1:0", 0);
	port = rf_http_port(f.http);
	fd = dial(&f);
	settle(&f);
	rf_http_free(f.http);
	assert_int_equal(read(fd, &c, 1), 0);
	assert_int_equal(try_connect("127.0.0.1", port), -ECONNREFUSED);
}

/* ---- where it listens ---- */

static void a_port_in_use_is_eaddrinuse_and_a_freed_one_is_not(void **state)
{
	struct rf_http_handler handler = { .metrics = metrics, .health = health };
	struct fixture f = { 0 };
	struct rf_http *second = NULL;
	_cleanup_close_ int fd = -1;
	char listen[32];

	(void)state;
	start(&f, "127.0.0.1:0", 0);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", rf_http_port(f.http));
	assert_int_equal(rf_http_start(listen, &handler, &second), -EADDRINUSE);
	assert_null(second);
	/* A connection that the server closes leaves TIME_WAIT behind, which must not be in the way. */
	fd = dial(&f);
	settle(&f);
	rf_http_free(f.http);
	assert_int_equal(rf_http_start(listen, &handler, &second), 0);
	rf_http_free(second);
}

static void without_a_host_it_is_loopback(void **state)
{
	static const char *const forms[] = { "0", ":0", "localhost:0", "127.0.0.1:0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct fixture f = { 0 };
		_cleanup_free_ char *reply = NULL;

		start(&f, forms[i], 0);
		reply = ask(&f, "GET", "/healthz", "");
		assert_status(reply, 200);
		/* Another address of this host, which a listener on all of them would answer. */
		assert_int_equal(try_connect("127.0.0.2", rf_http_port(f.http)), -ECONNREFUSED);
		rf_http_free(f.http);
	}
}

static void with_a_host_it_is_where_told(void **state)
{
	struct fixture f = { 0 };
	_cleanup_close_ int fd = -1;

	(void)state;
	start(&f, "0.0.0.0:0", 0);
	fd = try_connect("127.0.0.2", rf_http_port(f.http));
	assert_true(fd >= 0);
	rf_http_free(f.http);
}

static void ipv6_is_in_brackets(void **state)
{
	struct rf_http_handler handler = { .metrics = metrics, .health = health };
	struct rf_http *http = NULL;
	int r = rf_http_start("[::1]:0", &handler, &http);

	(void)state;
	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		skip(); /* this host has no IPv6 */
	assert_int_equal(r, 0);
	rf_http_free(http);
}

static void what_is_no_address_is_einval(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"x",
		"1.2.3.4",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:1x",
		"127.0.0.1:000001",
		"example.org:80",
		"localhosts:80",
		"local:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1:80",
		"[]:80",
		"[127.0.0.1]:80",
		"[localhost]:80",
		"256.0.0.1:80",
		"*:80",
	};
	struct rf_http_handler handler = { .metrics = metrics, .health = health };
	struct rf_http *http = NULL;

	(void)state;
	assert_int_equal(rf_http_start(NULL, &handler, &http), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (rf_http_start(bad[i], &handler, &http) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_null(http);
}

static void an_address_of_another_host_is_refused(void **state)
{
	struct rf_http_handler handler = { .metrics = metrics, .health = health };
	struct rf_http *http = NULL;

	(void)state;
	assert_int_equal(rf_http_start("192.0.2.1:0", &handler, &http), -EADDRNOTAVAIL);
	assert_null(http);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(metrics_are_text_by_default),
		SERVED(metrics_are_openmetrics_when_asked),
		SERVED(a_query_does_not_change_the_path),
		SERVED(head_has_the_header_without_the_body),
		SERVED(a_failed_rendering_is_a_500),
		SERVED(healthy_is_200_ok),
		SERVED(unhealthy_is_503_with_the_reason),
		SERVED(the_index_names_the_paths),
		SERVED(other_paths_are_404),
		SERVED(other_methods_are_405),
		SERVED(a_body_is_not_read),
		SERVED(a_connection_takes_several_requests),
		SERVED(a_long_exposition_arrives_whole),
		cmocka_unit_test(young_metrics_are_sent_again),
		cmocka_unit_test(a_rendering_is_let_go_when_it_is_old),
		SERVED(old_metrics_are_rendered_anew),
		SERVED(a_header_past_the_memory_limit_is_refused),
		SERVED(one_connection_past_the_limit_waits_for_a_place),
		SERVED(an_idle_connection_has_a_time_limit),
		cmocka_unit_test(stopping_closes_open_connections),
		cmocka_unit_test(a_port_in_use_is_eaddrinuse_and_a_freed_one_is_not),
		cmocka_unit_test(without_a_host_it_is_loopback),
		cmocka_unit_test(with_a_host_it_is_where_told),
		cmocka_unit_test(ipv6_is_in_brackets),
		cmocka_unit_test(what_is_no_address_is_einval),
		cmocka_unit_test(an_address_of_another_host_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

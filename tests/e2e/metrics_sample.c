// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serves the sample snapshot over HTTP, for test_metrics_lint.sh.
 *
 *	metrics_sample
 *
 * prints two ports of 127.0.0.1 and runs until it is killed. The first is the
 * listener itself. The second relays to it but always asks for text, because
 * a Prometheus before 2.49 cannot be told to prefer it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "tests/unit/export/sample_snapshot.h"
#include "user/daemon/http.h"
#include "user/export/prometheus.h"

static int metrics(enum rf_metrics_format format, struct rf_strbuf *out, void *arg)
{
	return rf_prometheus_render(arg, format, out);
}

static int health(struct rf_strbuf *reason, void *arg)
{
	(void)reason;
	(void)arg;
	return 0;
}

static int copy(int from, int to)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, w; done < n; done += w)
			if ((w = write(to, buffer + done, (size_t)(n - done))) <= 0)
				return -EIO;
	return n ? -errno : 0;
}

/* One request a connection; the client's header is read and thrown away. */
static void relay_one(int client, uint16_t port)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
				      "Accept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int server = -1;
	char header[8192];
	size_t len = 0;
	ssize_t n;

	do {
		n = read(client, header + len, sizeof(header) - 1 - len);
		if (n <= 0)
			return;
		len += (size_t)n;
		header[len] = '\0';
	} while (!strstr(header, "\r\n\r\n") && len < sizeof(header) - 1);
	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || connect(server, (struct sockaddr *)&to, sizeof(to)) ||
	    write(server, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
		return;
	copy(server, client);
}

static int listen_any(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		return -errno;
	*ret_port = ntohs(address.sin_port);
	return TAKE_FD(fd);
}

static void relay(int fd, uint16_t port)
{
	for (;;) {
		_cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0)
			relay_one(client, port);
		else if (errno != EINTR && errno != ECONNABORTED)
			_exit(1);
	}
}

int main(void)
{
	static struct sample sample;
	struct rf_http_handler handler = { .metrics = metrics, .health = health, .arg = &sample.snapshot };
	_cleanup_http_ struct rf_http *http = NULL;
	_cleanup_close_ int relay_fd = -1;
	uint16_t relay_port = 0;
	pid_t parent = getpid();
	int r;

	sample_fill(&sample);
	signal(SIGPIPE, SIG_IGN);
	r = rf_http_start("127.0.0.1:0", &handler, &http);
	if (r) {
		fprintf(stderr, "metrics_sample: cannot listen: %s\n", strerror(-r));
		return 1;
	}
	relay_fd = listen_any(&relay_port);
	if (relay_fd < 0) {
		fprintf(stderr, "metrics_sample: cannot listen: %s\n", strerror(-relay_fd));
		return 1;
	}
	switch (fork()) {
	case -1:
		perror("metrics_sample: fork");
		return 1;
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			relay(relay_fd, rf_http_port(http));
		_exit(0);
	}
	printf("%u %u\n", rf_http_port(http), relay_port);
	fflush(stdout);
	for (;;) {
		struct pollfd p = { .fd = rf_http_fd(http), .events = POLLIN };
		uint64_t timeout = rf_http_timeout_ns(http);

		if (poll(&p, 1, timeout < 1000000000ULL ? (int)(timeout / 1000000) : 1000) < 0 && errno != EINTR)
			return 1;
		if (rf_http_run(http))
			return 1;
	}
}

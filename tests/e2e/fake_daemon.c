// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for ringfenced: fake_daemon SOCKET DIR serves canned replies, so
 * that the command line is tested without BPF and without root.
 *
 * A request for "status" is answered with the bytes of DIR/status.1 the first
 * time, DIR/status.2 the second, ... else of DIR/status. Each request is
 * appended to DIR/requests. "ready" on stdout says that it listens; it ends when
 * its stdin does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536

static int die(const char *what)
{
	perror(what);
	return 1;
}

static void append(const char *dir, const char *line)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/requests", dir);
	f = fopen(path, "ae");
	if (!f)
		return;
	fputs(line, f);
	fclose(f);
}

static void copy(int to, int from)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		if (send(to, chunk, (size_t)n, MSG_NOSIGNAL) != n)
			return;
}

static void answer(int client, const char *dir, const char *line, unsigned int count)
{
	static const char none[] = "{\"ok\":false,\"errno\":2,\"error\":\"no canned reply\"}\n";
	const char *start = strstr(line, "\"cmd\":\"");
	char path[512];
	int length, fd;

	if (!start)
		return;
	start += strlen("\"cmd\":\"");
	length = (int)strcspn(start, "\"/");
	snprintf(path, sizeof(path), "%s/%.*s.%u", dir, length, start, count);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/%.*s", dir, length, start);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0) {
		if (send(client, none, sizeof(none) - 1, MSG_NOSIGNAL) < 0)
			perror("send");
		return;
	}
	copy(client, fd);
	close(fd);
}

static void serve(int client, const char *dir, unsigned int count)
{
	static char line[LINE_MAX_BYTES];
	size_t len = 0;

	while (len < sizeof(line) - 1) {
		ssize_t n = read(client, line + len, sizeof(line) - 1 - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		line[len] = '\0';
		if (strchr(line, '\n'))
			break;
	}
	append(dir, line);
	answer(client, dir, line, count);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned int count = 0;
	int listener;

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: fake_daemon SOCKET DIR\n");
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return die("socket");
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0)
		return die(argv[1]);
	if (listen(listener, 8) < 0)
		return die("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p[] = { { .fd = listener, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
		int client;

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return die("poll");
		}
		if (p[1].revents)
			return 0;
		client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		serve(client, argv[2], ++count);
		close(client);
	}
}

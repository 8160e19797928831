// SPDX-License-Identifier: GPL-2.0-or-later
/* The client's end of the control protocol. */
#include "user/cli/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CHUNK 16384

const char *rf_client_socket(const char *option)
{
	const char *env = getenv(RF_CONTROL_SOCKET_ENV);

	if (option)
		return option;
	return env && *env ? env : RF_CONTROL_SOCKET;
}

int rf_client_connect(struct rf_client *c, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	c->fd = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		/* the daemon may refuse and close before it has read all of it; that is no reason to die */
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int rf_client_send(struct rf_client *c, const char *line, size_t len)
{
	int r = send_all(c->fd, line, len);

	return r < 0 ? r : send_all(c->fd, "\n", 1);
}

static int fill(struct rf_client *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char chunk[CHUNK];
	ssize_t n;
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	do
		n = recv(c->fd, chunk, sizeof(chunk), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0) {
		c->end = true;
		return 0;
	}
	if (c->buffer.len - c->consumed + (size_t)n > RF_CLIENT_REPLY_MAX)
		return -EMSGSIZE;
	rf_strbuf_add(&c->buffer, chunk, (size_t)n);
	return rf_strbuf_error(&c->buffer);
}

/* Moves what is left to the front, so that a stream of events does not grow the buffer. */
static void compact(struct rf_client *c)
{
	if (!c->consumed)
		return;
	memmove(c->buffer.data, c->buffer.data + c->consumed, c->buffer.len - c->consumed);
	c->buffer.len -= c->consumed;
	c->buffer.data[c->buffer.len] = '\0';
	c->consumed = 0;
}

int rf_client_next(struct rf_client *c, int timeout_ms, const char **ret_line, size_t *ret_len)
{
	for (;;) {
		size_t left = c->buffer.len - c->consumed;
		char *start = left ? c->buffer.data + c->consumed : NULL;
		char *newline = left > c->scanned ? memchr(start + c->scanned, '\n', left - c->scanned) : NULL;
		int r;

		if (newline) {
			*newline = '\0';
			*ret_line = start;
			*ret_len = (size_t)(newline - start);
			c->consumed += *ret_len + 1;
			c->scanned = 0;
			return 1;
		}
		if (c->end)
			return left ? -EPROTO : 0;
		c->scanned = left;
		compact(c);
		r = fill(c, timeout_ms);
		if (r < 0)
			return r;
	}
}

void rf_client_fini(struct rf_client *c)
{
	rf_closep(&c->fd);
	rf_strbuf_fini(&c->buffer);
	c->consumed = c->scanned = 0;
	c->end = false;
}

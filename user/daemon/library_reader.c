// SPDX-License-Identifier: GPL-2.0-or-later
/* One request at a time, by a socket; what is long is left in a file in memory that both have. */
#include "user/daemon/library_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "user/daemon/process.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

struct request {
	pid_t pid;
	bool open; /* else all mappings are read */
	struct rf_process_map map;
};

struct answer {
	int result; /* a negative errno */
	size_t len;
};

/* ---- the child ---- */

static int maps_copy(pid_t pid, int memory, size_t *ret_len)
{
	static char buffer[1 << 16];
	_cleanup_close_ int fd = -1;
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (*ret_len = 0; (n = read(fd, buffer, sizeof(buffer))) > 0; *ret_len += (size_t)n) {
		if (*ret_len + (size_t)n > RF_LIBRARY_READER_MAX)
			return -EFBIG;
		if (pwrite(memory, buffer, (size_t)n, (off_t)*ret_len) != n)
			return -EIO;
	}
	return n < 0 ? -errno : 0;
}

/* With the descriptor where there is one. */
static void answer_send(int socket, const struct answer *answer, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { (void *)(uintptr_t)answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void child_run(int socket, int memory, void *arg)
{
	struct request request;

	(void)arg;
	while (TEMP_FAILURE_RETRY(recv(socket, &request, sizeof(request), 0)) == sizeof(request)) {
		struct answer answer = { .result = 0 };
		_cleanup_close_ int fd = -1;
		char link[64];

		if (request.open) {
			rf_process_map_link(request.pid, &request.map, link, sizeof(link));
			fd = open(link, O_PATH | O_CLOEXEC);
			answer.result = fd < 0 ? -errno : 0;
		} else {
			answer.result = maps_copy(request.pid, memory, &answer.len);
		}
		answer_send(socket, &answer, fd);
	}
}

/* ---- the daemon ---- */

static int child_need(struct rf_library_reader *r)
{
	int result = rf_child_reap(&r->child);

	if (result < 0 || r->child.pid)
		return result;
	r->memory = memfd_create("ringfence-maps", MFD_CLOEXEC);
	if (r->memory < 0)
		return -errno;
	result = rf_child_start(&r->child, "ringfence-maps", r->memory, child_run, NULL);
	if (result < 0)
		close(r->memory);
	return result;
}

static void child_kill(struct rf_library_reader *r)
{
	rf_child_kill(&r->child);
	close(r->memory);
	r->kills++;
}

/* It sleeps, where it should read. */
static bool is_stuck(pid_t pid)
{
	struct rf_process_stat now;

	return rf_process_stat_read((uint32_t)pid, &now) < 0 || now.state != 'R';
}

static int answer_await(const struct rf_library_reader *r)
{
	struct pollfd wait = { .fd = r->child.socket, .events = POLLIN };
	int stuck = 0;

	/* It may wait for a page of a disk for a moment. */
	for (int i = 0; i < RF_LIBRARY_READER_LOOKS && stuck < 2; i++) {
		if (TEMP_FAILURE_RETRY(poll(&wait, 1, RF_LIBRARY_READER_WAIT_MS)) == 1)
			return 0;
		stuck += is_stuck(r->child.pid);
	}
	return -ETIMEDOUT;
}

static int answer_receive(struct rf_library_reader *r, struct answer *ret, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { ret, sizeof(*ret) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int result = answer_await(r);

	if (result < 0)
		return result;
	if (recvmsg(r->child.socket, &message, MSG_CMSG_CLOEXEC) != sizeof(*ret))
		return -EIO;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(&control.header), sizeof(*ret_fd));
	return 0;
}

static int ask(struct rf_library_reader *r, const struct request *request, struct answer *ret, int *ret_fd)
{
	int result = child_need(r);

	if (result < 0)
		return result;
	if (send(r->child.socket, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		result = -EIO;
	else
		result = answer_receive(r, ret, ret_fd);
	/* What it has not answered it might answer to the next request. */
	if (result < 0)
		child_kill(r);
	return result < 0 ? result : ret->result;
}

int rf_library_reader_maps(struct rf_library_reader *r, pid_t pid, char **ret, size_t *ret_len)
{
	struct request request = { .pid = pid };
	struct answer answer;
	int fd = -1, result = ask(r, &request, &answer, &fd);
	char *text;

	if (result < 0)
		return result;
	text = malloc(answer.len + 1);
	if (!text)
		return -ENOMEM;
	if (answer.len > RF_LIBRARY_READER_MAX || pread(r->memory, text, answer.len, 0) != (ssize_t)answer.len) {
		free(text);
		return -EIO;
	}
	text[answer.len] = '\0';
	*ret = text;
	*ret_len = answer.len;
	return 0;
}

int rf_library_reader_open(struct rf_library_reader *r, pid_t pid, const struct rf_process_map *map)
{
	struct request request = { .pid = pid, .open = true, .map = *map };
	struct answer answer;
	int fd = -1, result = ask(r, &request, &answer, &fd);

	if (result < 0)
		return result;
	return fd < 0 ? -EIO : fd;
}

void rf_library_reader_stop(struct rf_library_reader *r)
{
	if (r->child.pid && !r->child.killed)
		child_kill(r);
	rf_child_stop(&r->child);
	*r = (struct rf_library_reader){ 0 };
}

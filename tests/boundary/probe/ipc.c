// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways to what a process of another tenant shares: sockets, memory, queues. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

static int connect_try(int type, const char *path, const char *abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	if (path)
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	else
		len = offsetof(struct sockaddr_un, sun_path) + 1 +
		      snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", abstract);
	r = rf_result(connect(fd, (struct sockaddr *)&address, len));
	close(fd);
	return r;
}

static int cross_abstract(const struct rf_victim *v)
{
	return connect_try(SOCK_STREAM, NULL, v->name);
}

static int cross_path(const struct rf_victim *v)
{
	return connect_try(SOCK_STREAM, v->socket, NULL);
}

static int cross_datagram(const struct rf_victim *v)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", v->datagram);
	r = rf_result(sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	/* Earlier ones that nobody has read. */
	return r == -EAGAIN ? 0 : r;
}

static int cross_shmat(const struct rf_victim *v)
{
	void *at = shmat(v->shm, NULL, SHM_RDONLY);

	if (at == (void *)-1)
		return -errno;
	shmdt(at);
	return 0;
}

static int cross_shmctl(const struct rf_victim *v)
{
	struct shmid_ds info;

	return rf_result(shmctl(v->shm, IPC_STAT, &info));
}

static int cross_semop(const struct rf_victim *v)
{
	struct sembuf operation = { 0, 1, IPC_NOWAIT };

	return rf_result(semop(v->sem, &operation, 1));
}

static int cross_msgsnd(const struct rf_victim *v)
{
	struct {
		long type;
		char text[1];
	} message = { 1, "x" };
	int r = rf_result(msgsnd(v->msg, &message, sizeof(message.text), IPC_NOWAIT));

	return r == -EAGAIN ? 0 : r;
}

static int cross_msgrcv(const struct rf_victim *v)
{
	struct {
		long type;
		char text[8];
	} message;
	int r = rf_result(msgrcv(v->msg, &message, sizeof(message.text), 7777, IPC_NOWAIT));

	return r == -ENOMSG ? 0 : r;
}

static int cross_posix_shm(const struct rf_victim *v)
{
	char name[80];
	int fd, r;

	snprintf(name, sizeof(name), "/%s", v->name);
	fd = shm_open(name, O_RDWR, 0);
	r = rf_result(fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static int cross_queue(const struct rf_victim *v)
{
	char name[80];
	mqd_t queue;

	snprintf(name, sizeof(name), "/%s", v->name);
	queue = mq_open(name, O_RDONLY | O_NONBLOCK);
	if (queue == (mqd_t)-1)
		return errno == ENOSYS ? RF_ABSENT : -errno;
	mq_close(queue);
	return 0;
}

#define MAN(page) "man7.org: " page

const struct rf_probe rf_probes_ipc[] = {
	{ "unix-abstract", "tenant", "CVE-2020-15257", cross_abstract, NULL },
	{ "unix-path", "tenant", MAN("unix(7)"), cross_path, NULL },
	{ "unix-datagram", "tenant", MAN("unix(7)"), cross_datagram, NULL },
	{ "sysv-shm-attach", "tenant", MAN("shmop(2)"), cross_shmat, NULL },
	{ "sysv-shm-stat", "tenant", MAN("shmctl(2)"), cross_shmctl, NULL },
	{ "sysv-sem", "tenant", MAN("semop(2)"), cross_semop, NULL },
	{ "sysv-msg-send", "tenant", MAN("msgop(2)"), cross_msgsnd, NULL },
	{ "sysv-msg-receive", "tenant", MAN("msgop(2)"), cross_msgrcv, NULL },
	{ "posix-shm", "tenant", MAN("shm_overview(7)"), cross_posix_shm, NULL },
	{ "posix-queue", "tenant", MAN("mq_overview(7)"), cross_queue, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

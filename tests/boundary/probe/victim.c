// SPDX-License-Identifier: GPL-2.0-or-later
/* The other side: a process with one of each thing that can be shared, open to everybody as far as modes go. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

#ifndef PR_SET_PTRACER_ANY
#define PR_SET_PTRACER_ANY ((unsigned long)-1)
#endif

static int unix_listen(int type, const char *path, const char *abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (path)
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	else
		len = offsetof(struct sockaddr_un, sun_path) + 1 +
		      snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", abstract);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || (type == SOCK_STREAM && listen(fd, 128) < 0))
		return -errno;
	return path ? rf_result(chmod(path, 0666)) : 0;
}

static int key_make(const char *name)
{
	int key = syscall(SYS_add_key, "user", name, "secret", 6, -3 /* KEY_SPEC_SESSION_KEYRING */);

	if (key < 0)
		return 0;
	/* Everything to everybody. */
	syscall(SYS_keyctl, 5 /* KEYCTL_SETPERM */, key, 0x3f3f3f3f);
	return key;
}

static int shared_make(struct rf_victim *v)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	char name[80];
	mode_t mask = umask(0);
	int fd;

	snprintf(name, sizeof(name), "/%s", v->name);
	v->shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
	v->sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0666);
	v->msg = msgget(IPC_PRIVATE, IPC_CREAT | 0666);
	if (v->shm < 0 || v->sem < 0 || v->msg < 0)
		return -errno;
	fd = shm_open(name, O_CREAT | O_RDWR, 0666);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -errno;
	v->fd = fd;
	(void)!mq_open(name, O_CREAT | O_RDWR, 0666, &attr);
	umask(mask);
	return 0;
}

static void shared_remove(const struct rf_victim *v)
{
	char name[80];

	snprintf(name, sizeof(name), "/%s", v->name);
	shmctl(v->shm, IPC_RMID, NULL);
	semctl(v->sem, 0, IPC_RMID);
	msgctl(v->msg, IPC_RMID, NULL);
	/* Else the next one of that name would be this one, with another payload. */
	if (v->key)
		syscall(SYS_keyctl, 3 /* KEYCTL_REVOKE */, v->key);
	shm_unlink(name);
	mq_unlink(name);
	unlink(v->socket);
	unlink(v->datagram);
}

/* Its own cgroup, as a directory. */
static void cgroup_find(char path[256])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[256] = "";

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "0::", 3) == 0)
			break;
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, 256, "/sys/fs/cgroup%.200s", line + 3);
}

static int tell(const char *path, const struct rf_victim *v)
{
	char fresh[300];
	FILE *f;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	f = fopen(fresh, "we");
	if (!f)
		return -errno;
	fprintf(f,
		"pid=%d\nbyte=%lu\nfd=%d\nshm=%d\nsem=%d\nmsg=%d\nkey=%d\nname=%s\nsocket=%s\n"
		"datagram=%s\ncgroup=%s\nsecret=%s\n",
		v->pid, v->byte, v->fd, v->shm, v->sem, v->msg, v->key, v->name, v->socket, v->datagram, v->cgroup,
		v->secret);
	fclose(f);
	return rf_result(rename(fresh, path));
}

static void stop(int signal)
{
	(void)signal;
}

int rf_victim_run(const char *path, const char *name, const char *secret)
{
	static char page[8192];
	struct sigaction action = { .sa_handler = stop };
	struct rf_victim v = { .pid = getpid() };
	char byte;
	int r;

	v.byte = (unsigned long)page + 4096;
	page[4096] = 's';
	snprintf(v.name, sizeof(v.name), "%s", name);
	snprintf(v.secret, sizeof(v.secret), "%s", secret);
	snprintf(v.socket, sizeof(v.socket), "/tmp/%s.stream", v.name);
	snprintf(v.datagram, sizeof(v.datagram), "/tmp/%s.datagram", v.name);
	cgroup_find(v.cgroup);
	/* Ends the read below, as the end of the input does. */
	sigaction(SIGTERM, &action, NULL);
	/* Where Yama is in force: nobody is kept out by it. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	r = rf_result(unshare(CLONE_NEWUTS));
	if (!r)
		r = shared_make(&v);
	if (!r)
		r = unix_listen(SOCK_STREAM, v.socket, NULL);
	if (!r)
		r = unix_listen(SOCK_DGRAM, v.datagram, NULL);
	if (!r)
		r = unix_listen(SOCK_STREAM, NULL, v.name);
	v.key = key_make(v.name);
	if (!r)
		r = tell(path, &v);
	if (!r) {
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	shared_remove(&v);
	return r;
}

static void word_read(struct rf_victim *v, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *text;
		size_t size;
		int *number;
	} words[] = {
		{ "pid", NULL, 0, &v->pid },
		{ "fd", NULL, 0, &v->fd },
		{ "shm", NULL, 0, &v->shm },
		{ "sem", NULL, 0, &v->sem },
		{ "msg", NULL, 0, &v->msg },
		{ "key", NULL, 0, &v->key },
		{ "name", v->name, sizeof(v->name), NULL },
		{ "socket", v->socket, sizeof(v->socket), NULL },
		{ "datagram", v->datagram, sizeof(v->datagram), NULL },
		{ "cgroup", v->cgroup, sizeof(v->cgroup), NULL },
		{ "secret", v->secret, sizeof(v->secret), NULL },
	};

	if (strcmp(name, "byte") == 0)
		v->byte = strtoul(value, NULL, 10);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(name, words[i].name) != 0)
			continue;
		if (words[i].number)
			*words[i].number = atoi(value);
		else
			snprintf(words[i].text, words[i].size, "%s", value);
	}
}

int rf_victim_read(const char *path, struct rf_victim *ret)
{
	FILE *f = fopen(path, "re");
	char line[512], *value;

	if (!f)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		word_read(ret, line, value);
	}
	fclose(f);
	return ret->pid > 0 ? 0 : -EINVAL;
}

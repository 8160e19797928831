// SPDX-License-Identifier: GPL-2.0-or-later
/* What the probes share, and the ordinary things beside them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

int rf_result(long r)
{
	return r < 0 ? -errno : 0;
}

int rf_try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600), r;
	/* Some of these are read by records alone. */
	char record[8192];

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV || errno == ENXIO ? RF_ABSENT : -errno;
	r = flags & (O_WRONLY | O_PATH | O_DIRECTORY) ? 0 : rf_result(read(fd, record, sizeof(record)));
	close(fd);
	return r == -EAGAIN ? 0 : r;
}

int rf_try_proc(const struct rf_victim *victim, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", victim->pid, name);
	return rf_try_open(path, flags);
}

int rf_twin_read(const struct rf_victim *victim)
{
	(void)victim;
	return rf_try_open("/proc/self/status", O_RDONLY);
}

int rf_twin_write(const struct rf_victim *victim)
{
	char path[] = "/tmp/rf-twin-XXXXXX";
	int fd = mkstemp(path), r;

	(void)victim;
	if (fd < 0)
		return -errno;
	r = rf_result(write(fd, "x", 1));
	close(fd);
	unlink(path);
	return r;
}

int rf_twin_exec(const struct rf_victim *victim)
{
	int status;
	pid_t pid = fork();

	(void)victim;
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int rf_twin_tcp(const struct rf_victim *victim)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), r;

	(void)victim;
	r = rf_result(bind(server, (struct sockaddr *)&address, len));
	if (!r)
		r = rf_result(listen(server, 1));
	if (!r)
		r = rf_result(getsockname(server, (struct sockaddr *)&address, &len));
	if (!r)
		r = rf_result(connect(client, (struct sockaddr *)&address, len));
	close(server);
	close(client);
	return r;
}

int rf_twin_memory(const struct rf_victim *victim)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)victim;
	if (page == MAP_FAILED)
		return -errno;
	*(volatile char *)page = 1;
	munmap(page, 4096);
	return 0;
}

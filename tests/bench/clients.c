// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many processes, some of them clients of an accelerator; and what finding
 * these by a walk of /proc costs.
 *
 *   clients hold PROCESSES CLIENTS NODE FIFO
 *       the first CLIENTS processes open NODE and have a job done; prints "ready"; then each line from FIFO is another
 *       job of the first of them, answered by "done"; at its end all are killed
 *   clients walk ROUNDS
 *       reads every /proc/PID/fdinfo/FD; prints how many there were, of how many DRM clients, and the least CPU time
 *   clients reads N
 *       reads fdinfo of an epoll instance N times, from N descriptors; prints the least CPU time
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringfence/testaccel.h"

#define STACK	    16384
#define EPOLL_LINES 7

static const char *node;
static volatile int opened;

static void job_do(int fd)
{
	struct rf_testaccel_submit job = { .duration_us = 10, .flags = RF_TESTACCEL_WAIT };

	if (ioctl(fd, RF_TESTACCEL_IOC_SUBMIT, &job) < 0)
		err(1, "submit");
}

/* Shares its memory with the parent, and nothing else. */
static int child(void *arg)
{
	if (arg) {
		int fd = open(node, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			err(1, "%s", node);
		job_do(fd);
		__atomic_fetch_add(&opened, 1, __ATOMIC_SEQ_CST);
	}
	for (;;)
		syscall(SYS_pause);
}

static int hold(long processes, long clients, const char *fifo)
{
	char *stacks = mmap(NULL, processes * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t *pids = calloc(processes, sizeof(*pids));
	char line[16];
	FILE *orders;
	int own;

	if (stacks == MAP_FAILED || !pids)
		err(1, "memory");
	for (long i = 0; i < processes; i++) {
		pids[i] = clone(child, stacks + (i + 1) * STACK, CLONE_VM | SIGCHLD, i < clients ? pids : NULL);
		if (pids[i] < 0)
			err(1, "clone %ld", i);
		/* One after another: jobs wait for their turn. */
		while (i < clients && opened <= i)
			sched_yield();
	}
	own = open(node, O_RDWR | O_CLOEXEC);
	if (own < 0)
		err(1, "%s", node);
	puts("ready");
	fflush(stdout);
	orders = fopen(fifo, "re");
	while (orders && fgets(line, sizeof(line), orders)) {
		job_do(own);
		puts("done");
		fflush(stdout);
	}
	for (long i = 0; i < processes; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fdinfo_read(int dir, const char *name, unsigned long *files, unsigned long *clients)
{
	char text[4096];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n > 0) {
		text[n] = '\0';
		++*files;
		*clients += strstr(text, "drm-client-id:") != NULL;
	}
	if (fd >= 0)
		close(fd);
}

static int walk(long rounds)
{
	unsigned long files, clients;
	uint64_t least = UINT64_MAX;

	for (long round = 0; round < rounds; round++) {
		uint64_t begin = cpu_ns();
		DIR *proc = opendir("/proc");
		struct dirent *process, *file;

		files = clients = 0;
		while (proc && (process = readdir(proc))) {
			char path[300];
			DIR *fds;

			if (!isdigit((unsigned char)*process->d_name))
				continue;
			snprintf(path, sizeof(path), "/proc/%s/fdinfo", process->d_name);
			fds = opendir(path);
			while (fds && (file = readdir(fds)))
				if (*file->d_name != '.')
					fdinfo_read(dirfd(fds), file->d_name, &files, &clients);
			if (fds)
				closedir(fds);
		}
		closedir(proc);
		if (cpu_ns() - begin < least)
			least = cpu_ns() - begin;
	}
	printf("%lu %lu %lu\n", files, clients, (unsigned long)least);
	return 0;
}

/*
 * The same work without a device: reading fdinfo of a file of many lines, from descriptors that stay open. What it
 * takes in instructions there and in time here says what the instructions of a look are in time.
 */
static int reads(long n)
{
	int *fds = calloc(n, sizeof(*fds)), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct rlimit limit = { n + 64, n + 64 };
	uint64_t least = UINT64_MAX;
	char text[4096], path[64];

	if (!fds || epoll < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "descriptors");
	for (int i = 0; i < EPOLL_LINES; i++) {
		struct epoll_event e = { .events = EPOLLIN };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd(0, EFD_CLOEXEC), &e) < 0)
			err(1, "eventfd");
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	for (long i = 0; i < n; i++) {
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			err(1, "%s", path);
	}
	for (int round = 0; round < 20; round++) {
		uint64_t begin = cpu_ns();

		for (long i = 0; i < n; i++)
			if (pread(fds[i], text, sizeof(text), 0) <= 0)
				err(1, "%s", path);
		if (cpu_ns() - begin < least)
			least = cpu_ns() - begin;
	}
	printf("%lu\n", (unsigned long)least);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "hold")) {
		node = argv[4];
		return hold(atol(argv[2]), atol(argv[3]), argv[5]);
	}
	if (argc == 3 && !strcmp(argv[1], "walk"))
		return walk(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "reads"))
		return reads(atol(argv[2]));
	errx(2, "usage: clients hold PROCESSES CLIENTS NODE FIFO | walk ROUNDS | reads N");
}

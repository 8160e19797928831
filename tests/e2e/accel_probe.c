// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uses a test accelerator, step by step, and prints what came of each:
 *
 *   accel_probe NODE STEP...
 *
 *   submit:US[:N]  N jobs of US microseconds, one without N       wait:US[:N]  each waited for: EINTR leaves it queued
 *   alloc:BYTES    a buffer                                       free         the last one
 *   map            the last one is mapped and written             info         what the device has counted
 *   fdinfo         drm-* lines of it                              reset        the running job is ended
 *   raw:CMD        an ioctl by number, on nothing                 pause        until a line comes on standard input
 *   keep:US:MS[:P] jobs of US, each waited for, until MS have passed, with P us between them; how many, and how often
 *                  EAGAIN came
 *   alarm:US       a signal every US from here on, whose handler does nothing
 *   until:N        until N jobs of this open file have ended
 *   give:SOCKET    hands the open file over                       fork         the rest is a child's, waited for
 *   exec           the rest is done by this program, run anew       dup        goes on by another number of it
 *   leave          as fork, but nobody waits for the child: its parent ends
 *   crowd:N:R      R times: N threads open it at the same moment; how many had it open at most, with it open already,
 *                  how often that was more than one, and how often a job and a buffer were had then, and else were not
 *
 * NODE may be take:SOCKET: the open file is one that is handed over; or fd:N: it is that descriptor. A step prints its
 * name and "ok" or the errno; what fails does not end the run. Exits with 0 unless it was called wrongly.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringfence/testaccel.h"

#define GEM_CLOSE _IOW(DRM_IOCTL_BASE, 0x09, struct gem_close)

struct gem_close {
	uint32_t handle;
	uint32_t pad;
};

struct probe {
	int fd;
	const char *node;
	struct rf_testaccel_alloc buffer;
};

static void say(const char *step, int r)
{
	printf("%s %s\n", step, r < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

static unsigned long long number(const char *text, char **ret_end)
{
	unsigned long long value;

	errno = 0;
	value = strtoull(text, ret_end, 0);
	if (errno || *ret_end == text || (**ret_end && **ret_end != ':'))
		errx(2, "'%s' is no number", text);
	return value;
}

static void submit(struct probe *p, const char *step, const char *arg, uint32_t flags)
{
	struct rf_testaccel_submit job = { .flags = flags };
	unsigned long long n = 1;
	char *end;
	int r = 0;

	job.duration_us = number(arg, &end);
	if (*end == ':')
		n = number(end + 1, &end);
	for (unsigned long long i = 0; i < n && !r; i++)
		r = ioctl(p->fd, RF_TESTACCEL_IOC_SUBMIT, &job);
	say(step, r);
}

static void alarmed(int signal)
{
	(void)signal;
}

static int alarm_start(unsigned long long us)
{
	const struct sigaction action = { .sa_handler = alarmed };
	struct itimerval each = { .it_interval.tv_usec = (suseconds_t)us, .it_value.tv_usec = (suseconds_t)us };

	return sigaction(SIGALRM, &action, NULL) < 0 ? -1 : setitimer(ITIMER_REAL, &each, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void keep(struct probe *p, const char *arg)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };
	struct rf_testaccel_submit job = { .flags = RF_TESTACCEL_WAIT };
	unsigned long long jobs = 0, again = 0, pause_us = 0;
	uint64_t until;
	char *end;
	int r = 0;

	job.duration_us = number(arg, &end);
	if (*end != ':')
		errx(2, "keep:US:MS[:P]");
	until = now_ns() + number(end + 1, &end) * 1000000;
	if (*end == ':')
		pause_us = number(end + 1, &end);
	while (now_ns() < until) {
		r = ioctl(p->fd, RF_TESTACCEL_IOC_SUBMIT, &job);
		if (r < 0 && errno != EAGAIN)
			break;
		if (r < 0) {
			again++;
			nanosleep(&nap, NULL);
			r = 0;
			continue;
		}
		jobs++;
		if (pause_us)
			usleep((useconds_t)pause_us);
	}
	printf("keep jobs=%llu again=%llu ", jobs, again);
	say("keep", r);
}

static int map(struct probe *p)
{
	struct rf_testaccel_map where = { .handle = p->buffer.handle };
	void *at;

	if (ioctl(p->fd, RF_TESTACCEL_IOC_MAP, &where) < 0)
		return -1;
	at = mmap(NULL, p->buffer.size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, (off_t)where.offset);
	if (at == MAP_FAILED)
		return -1;
	memset(at, 1, p->buffer.size);
	return munmap(at, p->buffer.size);
}

static void info(struct probe *p)
{
	struct rf_testaccel_info i;

	if (ioctl(p->fd, RF_TESTACCEL_IOC_INFO, &i) < 0) {
		say("info", -1);
		return;
	}
	printf("info jobs=%llu busy_ns=%llu queued_ns=%llu bytes=%llu device_jobs=%llu device_busy_ns=%llu\n", i.jobs,
	       i.busy_ns, i.queued_ns, i.bytes, i.device_jobs, i.device_busy_ns);
	fflush(stdout);
}

static void until(struct probe *p, uint64_t jobs)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };
	struct rf_testaccel_info i;
	int r;

	do {
		r = ioctl(p->fd, RF_TESTACCEL_IOC_INFO, &i);
		if (r == 0 && i.jobs < jobs)
			nanosleep(&nap, NULL);
	} while (r == 0 && i.jobs < jobs);
	say("until", r);
}

static void fdinfo(struct probe *p)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", p->fd);
	file = fopen(path, "re");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "drm-", 4))
			printf("fdinfo %s", line);
	fclose(file);
	fflush(stdout);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	return address;
}

/* One byte, and with @fd the open file. */
static int give(int fd, const char *path)
{
	struct sockaddr_un address = address_of(path);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (socket_fd < 0 || connect(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	r = sendmsg(socket_fd, &message, 0) == 1 ? 0 : -1;
	close(socket_fd);
	return r;
}

/* The open file that comes; -1 when the message came without it. */
static int take(const char *path)
{
	struct sockaddr_un address = address_of(path);
	char data, control[CMSG_SPACE(sizeof(int))];
	struct iovec byte = { &data, 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer, fd = -1;
	struct cmsghdr *header;

	unlink(path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		err(1, "%s", path);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0 || recvmsg(peer, &message, MSG_CMSG_CLOEXEC) != 1)
		err(1, "%s", path);
	header = CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	close(peer);
	close(listener);
	errno = EPERM; /* what the kernel leaves out, it does not say why */
	return fd;
}

static void pause_here(void)
{
	char byte;

	say("pause", 0);
	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		;
}

/* Returns only when it fails. */
static void run_anew(const struct probe *p, char **rest)
{
	char node[32], *args[64] = { "accel_probe", node };
	size_t n = 2;

	snprintf(node, sizeof(node), "fd:%d", p->fd);
	while (*rest && n < sizeof(args) / sizeof(*args) - 1)
		args[n++] = *rest++;
	if (fcntl(p->fd, F_SETFD, 0) == 0)
		execv("/proc/self/exe", args);
	say("exec", -1);
}

static int node_open(const char *node)
{
	if (!strncmp(node, "take:", 5))
		return take(node + 5);
	return strncmp(node, "fd:", 3) ? open(node, O_RDWR | O_CLOEXEC) : atoi(node + 3);
}

#define CROWD_MAX 64

struct crowd {
	const char *node;
	pthread_barrier_t ready;
};

/* Its descriptor, or -1. */
static void *crowd_open(void *arg)
{
	struct crowd *c = arg;

	pthread_barrier_wait(&c->ready);
	return (void *)(intptr_t)open(c->node, O_RDWR | O_CLOEXEC);
}

/* One round. Returns how many have it open at the end of it; @ret_used: whether anything could be done then. */
static unsigned int crowd_round(struct probe *p, unsigned int n, bool *ret_used)
{
	struct rf_testaccel_submit job = { .duration_us = 100, .flags = RF_TESTACCEL_WAIT };
	struct rf_testaccel_alloc buffer = { .size = 4096 };
	struct crowd c = { .node = p->node };
	pthread_t thread[CROWD_MAX];
	unsigned int opened = 1;
	int fd[CROWD_MAX];

	pthread_barrier_init(&c.ready, NULL, n);
	for (unsigned int i = 0; i < n; i++)
		if (pthread_create(&thread[i], NULL, crowd_open, &c))
			errx(1, "pthread_create");
	for (unsigned int i = 0; i < n; i++) {
		void *value;

		pthread_join(thread[i], &value);
		fd[i] = (int)(intptr_t)value;
		opened += fd[i] >= 0;
	}
	pthread_barrier_destroy(&c.ready);
	*ret_used = ioctl(p->fd, RF_TESTACCEL_IOC_SUBMIT, &job) == 0;
	if (ioctl(p->fd, RF_TESTACCEL_IOC_ALLOC, &buffer) == 0) {
		struct gem_close handle = { .handle = buffer.handle };

		*ret_used = true;
		ioctl(p->fd, GEM_CLOSE, &handle);
	}
	for (unsigned int i = 0; i < n; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return opened;
}

static void crowd(struct probe *p, const char *arg)
{
	unsigned int most = 0, over = 0, over_used = 0, unused = 0;
	char *end;
	unsigned int n = (unsigned int)number(arg, &end),
		     rounds = *end == ':' ? (unsigned int)number(end + 1, &end) : 1;

	if (!n || n > CROWD_MAX)
		errx(2, "crowd:N:R, N up to %d", CROWD_MAX);
	for (unsigned int i = 0; i < rounds; i++) {
		bool used;
		unsigned int opened = crowd_round(p, n, &used);

		most = opened > most ? opened : most;
		over += opened > 1;
		over_used += opened > 1 && used;
		unused += opened == 1 && !used;
	}
	printf("crowd most=%u over=%u over_used=%u unused=%u\n", most, over, over_used, unused);
	fflush(stdout);
}

static void run(struct probe *p, const char *step)
{
	const char *arg = strchr(step, ':');
	size_t n = arg ? (size_t)(arg - step) : strlen(step);
	char *end;

	arg = arg ? arg + 1 : "";
#define IS(name) (n == sizeof(name) - 1 && !strncmp(step, name, n))
	if (IS("submit")) {
		submit(p, "submit", arg, 0);
	} else if (IS("wait")) {
		submit(p, "wait", arg, RF_TESTACCEL_WAIT);
	} else if (IS("alloc")) {
		struct rf_testaccel_alloc buffer = { .size = number(arg, &end) };
		int r = ioctl(p->fd, RF_TESTACCEL_IOC_ALLOC, &buffer);

		if (r == 0)
			p->buffer = buffer;
		say("alloc", r);
	} else if (IS("alarm")) {
		say("alarm", alarm_start(number(arg, &end)));
	} else if (IS("crowd")) {
		crowd(p, arg);
	} else if (IS("keep")) {
		keep(p, arg);
	} else if (IS("free")) {
		struct gem_close handle = { .handle = p->buffer.handle };

		say("free", ioctl(p->fd, GEM_CLOSE, &handle));
	} else if (IS("map")) {
		say("map", map(p));
	} else if (IS("info")) {
		info(p);
	} else if (IS("until")) {
		until(p, number(arg, &end));
	} else if (IS("fdinfo")) {
		fdinfo(p);
	} else if (IS("reset")) {
		say("reset", ioctl(p->fd, RF_TESTACCEL_IOC_RESET));
	} else if (IS("raw")) {
		say("raw", ioctl(p->fd, number(arg, &end), NULL));
	} else if (IS("pause")) {
		pause_here();
	} else if (IS("give")) {
		say("give", give(p->fd, arg));
	} else if (IS("dup")) {
		int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, p->fd + 10);

		say("dup", fd);
		if (fd >= 0 && close(p->fd) == 0)
			p->fd = fd;
	} else if (IS("leave")) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child > 0)
			exit(0);
	} else if (IS("fork")) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child > 0) {
			waitpid(child, NULL, 0);
			exit(0);
		}
	} else {
		errx(2, "no such step: %s", step);
	}
}

int main(int argc, char **argv)
{
	struct probe p = { .fd = -1 };

	if (argc < 2)
		errx(2, "usage: accel_probe NODE|take:SOCKET|fd:N [STEP...]");
	p.node = argv[1];
	p.fd = node_open(p.node);
	say("open", p.fd);
	if (p.fd < 0)
		return 0;
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "exec"))
			run_anew(&p, &argv[i + 1]);
		else
			run(&p, argv[i]);
	}
	return 0;
}

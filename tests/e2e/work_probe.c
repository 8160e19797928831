// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a workload does besides talking: processes, cgroups, device nodes.
 *
 *	work_probe born DIR N ADDR PORT	N times: a cgroup below DIR, a child started in it, its first act a connect
 *	work_probe spawn N PROGRAM...	runs PROGRAM N times
 *	work_probe open r|w|rw PATH	opens a device node
 *	work_probe keep r|w|rw PATH	opens it over and over until SIGTERM
 *	work_probe mknod c|b MAJOR MINOR PATH
 *
 * Prints allowed, denied (EPERM) or the error, with the exit status 0, 3 or 6;
 * "born" and "keep" print how many of each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t ended;

static void end(int signo)
{
	(void)signo;
	ended = 1;
}

static int say(int error)
{
	puts(error == 0 ? "allowed" : error == EPERM ? "denied" : strerror(error));
	return error == 0 ? 0 : error == EPERM ? 3 : 6;
}

/* 0 or an errno. */
static int device_open(const char *how, const char *path)
{
	int flags = strcmp(how, "rw") == 0 ? O_RDWR : strcmp(how, "w") == 0 ? O_WRONLY : O_RDONLY;
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int device_keep(const char *how, const char *path)
{
	unsigned long allowed = 0, denied = 0, other = 0;

	signal(SIGTERM, end);
	while (!ended) {
		int error = device_open(how, path);

		if (error == 0)
			allowed++;
		else if (error == EPERM)
			denied++;
		else
			other++;
	}
	printf("allowed=%lu denied=%lu other=%lu\n", allowed, denied, other);
	return 0;
}

static int node_make(char **argv)
{
	mode_t type = *argv[0] == 'b' ? S_IFBLK : S_IFCHR;

	return say(mknod(argv[3], type | 0600, makedev(atoi(argv[1]), atoi(argv[2]))) < 0 ? errno : 0);
}

static int spawn(unsigned long n, char **program)
{
	for (unsigned long i = 0; i < n; i++) {
		pid_t pid;
		int status, r = posix_spawnp(&pid, program[0], NULL, NULL, program, environ);

		if (r) {
			fprintf(stderr, "work_probe: %s: %s\n", program[0], strerror(r));
			return 1;
		}
		if (waitpid(pid, &status, 0) < 0)
			return 1;
	}
	return 0;
}

/* The child is in its cgroup before it runs its first instruction. */
static int born_one(const char *path, const struct sockaddr_in *to)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	pid_t pid;

	if (fd < 0)
		return errno;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return errno;
	if (pid == 0) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		_exit(connect(s, (const struct sockaddr *)to, sizeof(*to)) == 0 ? 0 : errno);
	}
	close(fd);
	if (waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int born(const char *dir, unsigned long n, const char *addr, unsigned int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	unsigned long allowed = 0, denied = 0, other = 0;

	if (inet_pton(AF_INET, addr, &to.sin_addr) != 1)
		return 2;
	for (unsigned long i = 0; i < n; i++) {
		char path[4096];
		int r;

		snprintf(path, sizeof(path), "%s/born%lu", dir, i);
		if (mkdir(path, 0700) < 0) {
			perror(path);
			return 1;
		}
		r = born_one(path, &to);
		if (r == 0) {
			allowed++;
		} else if (r == EPERM) {
			denied++;
		} else {
			other++;
			fprintf(stderr, "work_probe: %s\n", strerror(r));
		}
		if (rmdir(path) < 0)
			perror(path);
	}
	printf("allowed=%lu denied=%lu other=%lu\n", allowed, denied, other);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "born") == 0)
		return born(argv[2], strtoul(argv[3], NULL, 10), argv[4], atoi(argv[5]));
	if (argc >= 4 && strcmp(argv[1], "spawn") == 0)
		return spawn(strtoul(argv[2], NULL, 10), argv + 3);
	if (argc == 4 && strcmp(argv[1], "open") == 0)
		return say(device_open(argv[2], argv[3]));
	if (argc == 4 && strcmp(argv[1], "keep") == 0)
		return device_keep(argv[2], argv[3]);
	if (argc == 6 && strcmp(argv[1], "mknod") == 0)
		return node_make(argv + 2);
	fputs("usage: work_probe born|spawn|open|keep|mknod ...\n", stderr);
	return 2;
}

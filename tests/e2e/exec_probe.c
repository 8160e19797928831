// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs and maps programs, and says what came of it in one word.
 *
 *	run PATH [ARGUMENT]...	by execve() in a child: allowed, denied (EPERM), killed (SIGKILL), or the error
 *	memfd PATH		the same, from a memfd that is a copy of PATH
 *	hidden PATH		the same, from a copy of PATH that has been deleted
 *	tree PATH		from a clone of PATH's directory that is mounted nowhere
 *	cold PATH MOUNT		by a handle, after the kernel has let go of the names it knew
 *	map PATH		mmap() with PROT_EXEC
 *	protect PATH		mmap() without, then mprotect() with
 *	read PATH		mmap() without PROT_EXEC
 *	verity PATH		gives it a Merkle tree, and prints the digest
 *	secure			prints LD_PRELOAD if it is there, and whether the kernel says AT_SECURE
 *	preload PATH [UID]	run PATH with LD_PRELOAD=PATH.so as that user
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fsverity.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/util.h"

static void say(int error)
{
	puts(error == 0 ? "allowed" : error == EPERM ? "denied" : strerrorname_np(error));
}

/* In a child: by descriptor, or where @fd is negative by path. */
static int run(int fd, char *const *arguments)
{
	int pipe_fds[2], status, error = 0;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		if (fd >= 0)
			syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
		else
			execv(arguments[0], arguments);
		error = errno;
		(void)!write(pipe_fds[1], &error, sizeof(error));
		_exit(1);
	}
	close(pipe_fds[1]);
	(void)!read(pipe_fds[0], &error, sizeof(error));
	close(pipe_fds[0]);
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return -SIGKILL;
	return error;
}

static void run_say(int fd, char *const *arguments)
{
	int r = run(fd, arguments);

	if (r == -SIGKILL)
		puts("killed");
	else
		say(r);
}

/* A writable file cannot be run: it is opened again for reading. */
static int copy(const char *from, int to)
{
	char path[64], chunk[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), again;
	ssize_t n;

	if (in < 0)
		err(1, "%s", from);
	while ((n = read(in, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)n) != n)
			err(1, "write");
	fchmod(to, 0755);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again < 0)
		err(1, "%s", path);
	close(in);
	close(to);
	return again;
}

static void hidden(const char *path, char *const *arguments)
{
	char fresh[4096];
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.hidden", path);
	fd = open(fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0)
		err(1, "%s", fresh);
	fd = copy(path, fd);
	unlink(fresh);
	run_say(fd, arguments);
}

static void tree(const char *path, char *const *arguments)
{
	char directory[4096], *slash;
	int root, fd;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	*slash = '\0';
	root = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (root < 0)
		err(1, "open_tree %s", directory);
	fd = openat(root, slash + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", slash + 1);
	run_say(fd, arguments);
}

static void cold(const char *path, const char *mountpoint, char *const *arguments)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_fd = open(mountpoint, O_RDONLY | O_CLOEXEC), id, fd;

	if (mount_fd < 0 || name_to_handle_at(AT_FDCWD, path, &u.handle, &id, 0) < 0)
		err(1, "%s", path);
	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "3", 1) != 1)
		err(1, "drop_caches");
	fd = open_by_handle_at(mount_fd, &u.handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "open_by_handle_at");
	run_say(fd, arguments);
}

static void map(const char *path, int before, int after)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapped;

	if (fd < 0)
		err(1, "%s", path);
	mapped = mmap(NULL, page, before, MAP_PRIVATE, fd, 0);
	if (mapped == MAP_FAILED)
		say(errno);
	else
		say(before != after && mprotect(mapped, page, after) < 0 ? errno : 0);
}

static void verity(const char *path)
{
	struct fsverity_enable_arg enable = { .version = 1,
					      .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
					      .block_size = 4096 };
	struct {
		struct fsverity_digest head;
		unsigned char bytes[64];
	} digest = { .head.digest_size = sizeof(digest.bytes) };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	if (ioctl(fd, FS_IOC_ENABLE_VERITY, &enable) < 0 || ioctl(fd, FS_IOC_MEASURE_VERITY, &digest) < 0) {
		say(errno);
		return;
	}
	for (int i = 0; i < digest.head.digest_size; i++)
		printf("%02x", digest.head.digest[i]);
	putchar('\n');
}

static void preload(const char *path, const char *uid)
{
	char library[4096];

	snprintf(library, sizeof(library), "%s.so", path);
	setenv("LD_PRELOAD", library, 1);
	if (uid && (setgroups(0, NULL) < 0 || setgid((gid_t)atoi(uid)) < 0 || setuid((uid_t)atoi(uid)) < 0))
		err(1, "setuid");
	execl(path, path, "secure", NULL);
	err(1, "%s", path);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (rf_streq(what, "secure")) {
		const char *library = getenv("LD_PRELOAD");

		printf("%s %s\n", library ? "preload" : "none", getauxval(AT_SECURE) ? "secure" : "plain");
		return 0;
	}
	if (argc < 3)
		errx(2, "run|memfd|hidden|tree|map|protect|read|preload PATH");
	if (rf_streq(what, "run"))
		run_say(-1, argv + 2);
	else if (rf_streq(what, "memfd"))
		run_say(copy(argv[2], memfd_create("rf-probe", MFD_CLOEXEC)), argv + 2);
	else if (rf_streq(what, "hidden"))
		hidden(argv[2], argv + 2);
	else if (rf_streq(what, "tree"))
		tree(argv[2], argv + 2);
	else if (rf_streq(what, "cold") && argc == 4)
		cold(argv[2], argv[3], argv + 2);
	else if (rf_streq(what, "map"))
		map(argv[2], PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC);
	else if (rf_streq(what, "protect"))
		map(argv[2], PROT_READ, PROT_READ | PROT_EXEC);
	else if (rf_streq(what, "read"))
		map(argv[2], PROT_READ, PROT_READ);
	else if (rf_streq(what, "verity"))
		verity(argv[2]);
	else if (rf_streq(what, "preload"))
		preload(argv[2], argc > 3 ? argv[3] : NULL);
	else
		errx(2, "%s?", what);
	return 0;
}

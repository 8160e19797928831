// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can be done with files, from inside a workload.
 *
 *	file_probe read|write|list|truncate|create|mkdir|fifo|symlink|unlink|rmdir|chmod|chown|utimes PATH
 *	file_probe setxattr|rmxattr|acl|mmap|mprotect|exec|tmpfile PATH
 *	file_probe rename|exchange|link FROM TO
 *	file_probe mount|move DIRECTORY		mounts a tmpfs on it, in a mount namespace of its own
 *	file_probe opath PATH			opens it again through /proc/self/fd of an O_PATH descriptor
 *	file_probe beneath DIRECTORY NAME	by openat() from an O_PATH descriptor of the directory
 *	file_probe handle PATH MOUNT		by open_by_handle_at(), the handle having been made before
 *	file_probe cold PATH MOUNT		the same, after the kernel has let go of the names it knew
 *	file_probe tmplink DIRECTORY TO		O_TMPFILE there, then a name for it
 *	file_probe passed PATH CGROUP		opens it, and passes it to a process in that directory's cgroup
 *	file_probe kept PATH CGROUP		opens it, enters the cgroup, reads
 *	file_probe reopened PATH CGROUP		opens it, enters the cgroup, opens it again through /proc/self/fd
 *	file_probe mapped PATH CGROUP		opens it, enters the cgroup, maps it to be executed
 *	file_probe twice PATH CGROUP N		opens it N times there: how many were allowed
 *	file_probe deep DIRECTORY N		makes and enters N directories there, and opens a file in the last
 *
 * Prints allowed, denied (EPERM) or the error, with the exit status 0, 3 or 6.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int say(int error)
{
	puts(error == 0 ? "allowed" : error == EPERM ? "denied" : strerror(error));
	fflush(stdout);
	return error == 0 ? 0 : error == EPERM ? 3 : 6;
}

static int done(long r)
{
	return say(r < 0 ? errno : 0);
}

static int fd_done(int fd)
{
	int r = done(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static int must_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd_done(open(path, flags | O_CLOEXEC));
}

static void enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = must_open(path, O_WRONLY);
	if (write(fd, "0", 1) != 1)
		fail(path);
	close(fd);
}

static int mapping(int fd, int later)
{
	void *map = mmap(NULL, 1, later ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return say(errno);
	if (!later)
		return say(0);
	return done(mprotect(map, 1, PROT_READ | PROT_EXEC));
}

static int execute(const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)!dup2(null, 1);
		execl(path, path, "x", (char *)NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fail("fork");
	/* The program says 0. */
	return say(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
}

static int mounting(const char *path, int move)
{
	int fs, mnt;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("unshare");
	if (!move)
		return done(mount("none", path, "tmpfs", 0, NULL));
	fs = syscall(SYS_fsopen, "tmpfs", 1);
	if (fs < 0 || syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0) < 0)
		fail("fsopen");
	mnt = syscall(SYS_fsmount, fs, 1, 0);
	if (mnt < 0)
		fail("fsmount");
	return done(syscall(SYS_move_mount, mnt, "", AT_FDCWD, path, 4));
}

static int by_handle(const char *path, const char *mountpoint, int cold)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_fd = must_open(mountpoint, O_RDONLY), id, fd;

	if (name_to_handle_at(AT_FDCWD, path, &u.handle, &id, 0) < 0)
		fail("name_to_handle_at");
	if (cold) {
		sync();
		fd = must_open("/proc/sys/vm/drop_caches", O_WRONLY);
		if (write(fd, "3", 1) != 1)
			fail("drop_caches");
		close(fd);
	}
	return fd_done(open_by_handle_at(mount_fd, &u.handle, O_RDONLY | O_CLOEXEC));
}

/* A descriptor that comes over a socket, or a message without one. */
static int passed(const char *path, const char *cgroup)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int pair[2], fd = must_open(path, O_RDONLY), status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		fail("socketpair");
	message.msg_control = &control;
	message.msg_controllen = sizeof(control.space);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, 0) != 1)
		fail("sendmsg");
	pid = fork();
	if (pid == 0) {
		close(fd);
		enter(cgroup);
		message.msg_controllen = sizeof(control.space);
		if (recvmsg(pair[1], &message, 0) != 1)
			fail("recvmsg");
		exit(say(message.msg_flags & MSG_CTRUNC || message.msg_controllen == 0 ? EPERM : 0));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fail("fork");
	return WEXITSTATUS(status);
}

static int kept(const char *path, const char *cgroup)
{
	int fd = must_open(path, O_RDONLY);
	char byte;

	enter(cgroup);
	return done(read(fd, &byte, 1));
}

static int reopened(const char *path, const char *cgroup)
{
	int fd = must_open(path, O_RDONLY);

	enter(cgroup);
	return reopen(fd, O_RDONLY);
}

static int mapped(const char *path, const char *cgroup)
{
	int fd = must_open(path, O_RDONLY);

	enter(cgroup);
	return mapping(fd, 0);
}

static int twice(const char *path, const char *cgroup, int n)
{
	int allowed = 0;

	enter(cgroup);
	while (n--) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		allowed++;
		close(fd);
	}
	printf("%d\n", allowed);
	return 0;
}

static int deep(const char *path, int n)
{
	if (chdir(path) < 0)
		fail(path);
	while (n--)
		if ((mkdir("d", 0700) < 0 && errno != EEXIST) || chdir("d") < 0)
			return say(errno);
	return fd_done(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int one(const char *what, const char *path)
{
	/* POSIX_ACL_XATTR_VERSION, and no entries. */
	static const unsigned char acl[] = { 2, 0, 0, 0 };

	if (!strcmp(what, "read"))
		return fd_done(open(path, O_RDONLY | O_CLOEXEC));
	if (!strcmp(what, "write"))
		return fd_done(open(path, O_WRONLY | O_CLOEXEC));
	if (!strcmp(what, "list"))
		return fd_done(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!strcmp(what, "inotify"))
		return done(inotify_add_watch(inotify_init1(IN_CLOEXEC), path, IN_OPEN));
	if (!strcmp(what, "fanotify"))
		return done(fanotify_mark(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY), FAN_MARK_ADD,
					  FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, path));
	if (!strcmp(what, "fanotify-mount"))
		return done(fanotify_mark(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY),
					  FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, path));
	if (!strcmp(what, "create"))
		return fd_done(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (!strcmp(what, "tmpfile"))
		return fd_done(open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
	if (!strcmp(what, "opath"))
		return reopen(must_open(path, O_PATH), O_RDONLY);
	if (!strcmp(what, "mmap"))
		return mapping(must_open(path, O_RDONLY), 0);
	if (!strcmp(what, "mprotect"))
		return mapping(must_open(path, O_RDONLY), 1);
	if (!strcmp(what, "exec"))
		return execute(path);
	if (!strcmp(what, "mount") || !strcmp(what, "move"))
		return mounting(path, what[2] == 'v');
	if (!strcmp(what, "truncate"))
		return done(truncate(path, 1));
	if (!strcmp(what, "mkdir"))
		return done(mkdir(path, 0700));
	if (!strcmp(what, "fifo"))
		return done(mkfifo(path, 0600));
	if (!strcmp(what, "symlink"))
		return done(symlink("x", path));
	if (!strcmp(what, "unlink"))
		return done(unlink(path));
	if (!strcmp(what, "rmdir"))
		return done(rmdir(path));
	if (!strcmp(what, "chmod"))
		return done(chmod(path, 0755));
	if (!strcmp(what, "chown"))
		return done(chown(path, 1, 1));
	if (!strcmp(what, "utimes"))
		return done(utimensat(AT_FDCWD, path, NULL, 0));
	if (!strcmp(what, "setxattr"))
		return done(setxattr(path, "trusted.x", "x", 1, 0));
	if (!strcmp(what, "rmxattr"))
		return done(removexattr(path, "trusted.x"));
	if (!strcmp(what, "acl"))
		return done(setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0));
	return -1;
}

static int two(const char *what, const char *a, const char *b)
{
	int fd;

	if (!strcmp(what, "rename"))
		return done(rename(a, b));
	if (!strcmp(what, "exchange"))
		return done(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2));
	if (!strcmp(what, "link"))
		return done(link(a, b));
	if (!strcmp(what, "beneath"))
		return fd_done(openat(must_open(a, O_PATH), b, O_RDONLY | O_CLOEXEC));
	if (!strcmp(what, "handle") || !strcmp(what, "cold"))
		return by_handle(a, b, what[0] == 'c');
	if (!strcmp(what, "tmplink")) {
		fd = open(a, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			fail(a);
		return done(linkat(fd, "", AT_FDCWD, b, AT_EMPTY_PATH));
	}
	if (!strcmp(what, "passed"))
		return passed(a, b);
	if (!strcmp(what, "kept"))
		return kept(a, b);
	if (!strcmp(what, "reopened"))
		return reopened(a, b);
	if (!strcmp(what, "mapped"))
		return mapped(a, b);
	if (!strcmp(what, "deep"))
		return deep(a, atoi(b));
	return -1;
}

int main(int argc, char **argv)
{
	int r = argc == 3			       ? one(argv[1], argv[2]) :
		argc == 4			       ? two(argv[1], argv[2], argv[3]) :
		argc == 5 && !strcmp(argv[1], "twice") ? twice(argv[2], argv[3], atoi(argv[4])) :
							 -1;

	if (r >= 0)
		return r;
	fprintf(stderr, "file_probe: see its source for how to call it\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files. The mounts are asked for so that the kernel refuses them after the
 * hook: a file system that there is not, and a mount that is none.
 */
#include "user/engine/fire_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

static void names_fire(void)
{
	if (mkdir("d", 0700) == 0)
		(void)rmdir("d");
	if (mkfifo("p", 0600) == 0)
		(void)unlink("p");
	if (symlink("f", "s") == 0)
		(void)unlink("s");
	if (link("f", "l") == 0)
		(void)unlink("l");
	(void)!rename("f", "g");
}

static void attributes_fire(void)
{
	/* POSIX_ACL_XATTR_VERSION, and no entries. */
	static const unsigned char acl[] = { 2, 0, 0, 0 };

	(void)!chmod("g", 0600);
	(void)!setxattr("g", "user.ringfence", "x", 1, 0);
	(void)!removexattr("g", "user.ringfence");
	(void)!setxattr("g", "system.posix_acl_access", acl, sizeof(acl), 0);
	(void)!removexattr("g", "system.posix_acl_access");
}

static void mounts_fire(void)
{
	(void)!mount("none", ".", "ringfence-none", 0, NULL);
	(void)!syscall(SYS_move_mount, AT_FDCWD, ".", AT_FDCWD, ".", 0);
}

/* A program, which is there and can be mapped wherever this runs. */
static void mapping_fire(void)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return;
	/* Back again is a question, too; the same once more would not be. */
	(void)!mprotect(map, 1, PROT_READ);
	(void)!mprotect(map, 1, PROT_READ | PROT_EXEC);
	munmap(map, 1);
}

/* The descriptor comes back to whom it was sent by. */
static void passing_fire(int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.space)
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, 0) == 1 && recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 1 &&
	    message.msg_controllen >= CMSG_LEN(sizeof(int))) {
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
		close(fd);
	}
	close(pair[0]);
	close(pair[1]);
}

static void watching_fire(void)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC);

	if (fd >= 0)
		(void)!inotify_add_watch(fd, "f", IN_CLOSE_WRITE);
}

/* From the file to itself: what comes of it is not asked. */
static void copying_fire(int fd)
{
	off_t from = 0;
	loff_t in = 0, out = 1;

	(void)!write(fd, "x", 1);
	(void)!sendfile(fd, fd, &from, 1);
	(void)!copy_file_range(fd, &in, fd, &out, 1, 0);
	(void)!ioctl(fd, FICLONE, fd);
}

void rf_self_test_fire_files(void)
{
	/* What the unit file leaves writable, then what every host has. */
	static const char *const places[] = { "/run/ringfence", "/run", "/tmp" };
	_cleanup_close_ int fd = -1;
	char dir[64] = "";

	mapping_fire();
	for (size_t i = 0; i < ARRAY_SIZE(places) && !dir[0]; i++) {
		snprintf(dir, sizeof(dir), "%s/.ringfence-probe-XXXXXX", places[i]);
		if (!mkdtemp(dir))
			dir[0] = '\0';
	}
	if (!dir[0] || chdir(dir) < 0)
		return;
	fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		passing_fire(fd);
		copying_fire(fd);
	}
	watching_fire();
	names_fire();
	attributes_fire();
	mounts_fire();
	(void)unlink("f");
	(void)unlink("g");
	(void)!chdir("/");
	(void)rmdir(dir);
}

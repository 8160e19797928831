// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accelerators, and device nodes at all: a node is opened, asked, mapped and
 * passed on. The self-test has the programs take major 1 for an accelerator's.
 */
#include "user/engine/fire_accel.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/cleanup.h"

#define NR_IOCTL_32 54 /* arch/x86/entry/syscalls/syscall_32.tbl */

#ifdef __x86_64__
static void give_up(int signal)
{
	(void)signal;
	_exit(1);
}
#endif

/*
 * What a 32-bit process would do; a child does it, because a kernel without such system calls ends it for that. One
 * that handles the signal is not told of in the kernel's log.
 */
static void compat_ioctl_fire(int fd)
{
#ifdef __x86_64__
	pid_t child = fork();
	long r = NR_IOCTL_32;

	if (child == 0) {
		(void)signal(SIGSEGV, give_up);
		__asm__ volatile("int $0x80" : "+a"(r) : "b"(fd), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
		_exit(0);
	}
	if (child > 0)
		(void)waitpid(child, NULL, 0);
#else
	(void)fd;
#endif
}

static void pass_fire(int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	char data = 0;
	struct iovec byte = { &data, 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	/* What arrives goes with the probe. */
	if (sendmsg(pair[0], &message, 0) == 1)
		(void)!recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC);
	close(pair[0]);
	close(pair[1]);
}

void rf_self_test_fire_accelerators(void)
{
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	void *at;

	if (null >= 0) {
		(void)ioctl(null, 0, 0);
		pass_fire(null);
		compat_ioctl_fire(null);
	}
	if (zero >= 0) {
		at = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, zero, 0);
		if (at != MAP_FAILED)
			(void)munmap(at, 1);
	}
}

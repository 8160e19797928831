// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks for each interface of the kernel that a policy can deny, so that each
 * hook runs once: with an argument that the kernel refuses later, or in a
 * namespace that goes with the process.
 */
#include "user/engine/fire_kernel.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/util.h"

/* In none of the C library's headers of Debian 12. */
#define FSCONFIG_CREATE	      6 /* FSCONFIG_CMD_CREATE */
#define MOVE_MOUNT_FROM_FD    4 /* MOVE_MOUNT_F_EMPTY_PATH */
#define USERFAULTFD_USER_MODE 1 /* UFFD_USER_MODE_ONLY */

static void file_fire(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

static void fd_close(long fd)
{
	if (fd >= 0)
		close((int)fd);
}

static void interfaces_fire(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY, .disabled = 1
	};
	union bpf_attr first = { .start_id = 0 };
	uint8_t ring[120] = { 0 }; /* struct io_uring_params */

	(void)!syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &first, sizeof(first));
	fd_close(syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
	/* No memory is there to load from. From a file it would be read and then complained of in the kernel's log. */
	(void)!syscall(SYS_init_module, NULL, 4096, "");
	fd_close(syscall(SYS_userfaultfd, O_CLOEXEC | USERFAULTFD_USER_MODE));
	fd_close(syscall(SYS_io_uring_setup, 1, ring));
	/* Asks for CAP_SYS_RAWIO and then whether the kernel is locked down; nothing is read. */
	file_fire("/proc/kcore", O_RDONLY);
	file_fire("/proc/self/comm", O_WRONLY);
	file_fire("/proc/sys/kernel/ostype", O_RDONLY);
}

static void sysctl_fire(void)
{
	int fd = open("/proc/sys/kernel/ostype", O_RDONLY | O_CLOEXEC);
	char text[16];

	if (fd < 0)
		return;
	(void)!read(fd, text, sizeof(text));
	close(fd);
}

/* In a mount namespace of its own. */
static void mounts_fire(void)
{
	int context, mounted;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	context = (int)syscall(SYS_fsopen, "tmpfs", 1);
	if (context >= 0) {
		(void)!syscall(SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0);
		mounted = (int)syscall(SYS_fsmount, context, 1, 0);
		if (mounted >= 0)
			(void)!syscall(SYS_move_mount, mounted, "", AT_FDCWD, "/dev", MOVE_MOUNT_FROM_FD);
		fd_close(mounted);
		fd_close(context);
	}
	(void)umount2("/dev", MNT_DETACH);
	/* The same for both: refused. */
	(void)!syscall(SYS_pivot_root, "/", "/");
}

static void ids_fire(void)
{
	gid_t group = getgid();

	(void)!setgid(group);
	(void)!syscall(SYS_setgroups, 1, &group);
	(void)!setuid(getuid());
}

static void child_run(void (*fire)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		fire();
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static void userns_fire(void)
{
	(void)!unshare(CLONE_NEWUSER);
}

/* To look at the parent asks the hook of tracing; to be traced by it is asked and then forgotten with the process. */
static void trace_fire(void)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", getppid());
	(void)!readlink(path, text, sizeof(text));
	(void)!ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

void rf_kernel_fire(void)
{
	interfaces_fire();
	sysctl_fire();
	child_run(mounts_fire);
	child_run(ids_fire);
	child_run(userns_fire);
	child_run(trace_fire);
}

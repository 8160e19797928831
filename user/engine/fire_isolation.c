// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every hook of bpf/isolation.bpf.c and bpf/ipc.bpf.c once. The child that is
 * acted on asks to be traced and waits for a pipe to close; all else is left
 * as it was.
 */
#include "user/engine/fire_isolation.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/cleanup.h"

#define IOPRIO_WHO_PROCESS 1

static void process_fire(pid_t pid)
{
	struct rlimit limit;
	char path[64];
	int fd;

	(void)kill(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	(void)syscall(SYS_sched_setaffinity, pid, sizeof(unsigned long), &(unsigned long){ ~0UL });
	(void)setpriority(PRIO_PROCESS, pid, getpriority(PRIO_PROCESS, pid));
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, 0);
	if (prlimit(pid, RLIMIT_CORE, NULL, &limit) == 0)
		(void)prlimit(pid, RLIMIT_CORE, &limit, NULL);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		(void)syscall(SYS_process_madvise, fd, NULL, 0UL, MADV_COLD, 0);
		close(fd);
	}
	(void)syscall(SYS_move_pages, pid, 0UL, NULL, NULL, NULL, 0);
}

static void child_fire(void)
{
	int fds[2];
	pid_t pid;
	char end;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)!read(fds[0], &end, 1);
		_exit(0);
	}
	close(fds[0]);
	if (pid > 0)
		process_fire(pid);
	close(fds[1]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

/* Nobody waits for the signal. */
static void sigio_fire(void)
{
	void (*before)(int) = signal(SIGIO, SIG_IGN);
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0) {
		if (fcntl(fds[0], F_SETOWN, getpid()) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK | O_ASYNC) == 0)
			(void)!write(fds[1], "", 1);
		close(fds[0]);
		close(fds[1]);
	}
	(void)signal(SIGIO, before);
}

static void sysv_fire(void)
{
	int shm = shmget(IPC_PRIVATE, 1, 0600), sem = semget(IPC_PRIVATE, 1, 0600), msg = msgget(IPC_PRIVATE, 0600);
	void *at = shm < 0 ? MAP_FAILED : shmat(shm, NULL, 0);

	if (at != MAP_FAILED)
		(void)shmdt(at);
	if (shm >= 0)
		(void)shmctl(shm, IPC_RMID, NULL);
	if (sem >= 0)
		(void)semctl(sem, 0, IPC_RMID);
	if (msg >= 0)
		(void)msgctl(msg, IPC_RMID, NULL);
}

/* A memfd lies on a tmpfs. */
static void shared_fire(void)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	_cleanup_close_ int memory = memfd_create("ringfence", MFD_CLOEXEC);
	struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.data, .msg_controllen = sizeof(control.data)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	char path[64];
	int pair[2], fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	if (memory < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &memory, sizeof(memory));
	if (sendmsg(pair[0], &message, 0) == 1 && recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 1 &&
	    CMSG_FIRSTHDR(&message)) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		close(fd);
	}
	close(pair[0]);
	close(pair[1]);
}

static void perf_fire(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY, .disabled = 1
	};
	long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close((int)fd);
}

static void key_fire(void)
{
	long key = syscall(SYS_add_key, "user", "ringfence", "", 1UL, KEY_SPEC_PROCESS_KEYRING);

	if (key >= 0) {
		(void)syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, NULL, 0);
		(void)syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_PROCESS_KEYRING);
	}
}

void rf_fire_isolation(void)
{
	child_fire();
	sigio_fire();
	sysv_fire();
	shared_fire();
	perf_fire();
	key_fire();
}

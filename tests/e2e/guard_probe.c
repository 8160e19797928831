// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guard_probe OPERATION [ARGUMENT]: what would end or change enforcement, or the harmless thing beside it.
 * Prints "allowed" or "denied"; else the error. It takes back what it could do where that is possible.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static int closed(int fd)
{
	int r = result(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int try_trace(pid_t pid)
{
	int r = result(ptrace(PTRACE_SEIZE, pid, 0, 0));

	if (!r) {
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
		waitpid(pid, NULL, __WALL);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	return r;
}

/* @type 29 is BPF LSM: what the kernel says of an empty attach point is no matter of ours. */
static int try_load(enum bpf_prog_type type)
{
	struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	int r = closed(bpf_prog_load(type, "rf_probe", "GPL", code, 2, NULL));

	return r == -EINVAL ? 0 : r;
}

static int try_link(const char *pin, bool detach)
{
	int fd = bpf_obj_get(pin), r = result(fd);

	if (r)
		return r;
	r = detach ? result(bpf_link_detach(fd)) : result(bpf_link_update(fd, fd, NULL));
	close(fd);
	/* Past the lock the kernel says that a tracing link cannot be changed. */
	return r == -EINVAL || r == -EOPNOTSUPP || r == -EBADF ? 0 : r;
}

static int try_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = result(fd);

	if (r)
		return r;
	r = result(write(fd, text, strlen(text)));
	close(fd);
	return r;
}

static int try_open(const char *path)
{
	return closed(open(path, O_WRONLY | O_CLOEXEC));
}

static int run(const char *operation, const char *argument)
{
	int number = atoi(argument);

	if (!strcmp(operation, "term"))
		return result(kill(number, SIGTERM));
	if (!strcmp(operation, "alive"))
		return result(kill(number, 0));
	if (!strcmp(operation, "trace"))
		return try_trace(number);
	if (!strcmp(operation, "map"))
		return closed(bpf_obj_get(argument));
	if (!strcmp(operation, "map-read")) {
		LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);

		return closed(bpf_obj_get_opts(argument, &opts));
	}
	if (!strcmp(operation, "map-id"))
		return closed(bpf_map_get_fd_by_id(number));
	if (!strcmp(operation, "program-id"))
		return closed(bpf_prog_get_fd_by_id(number));
	if (!strcmp(operation, "link-id"))
		return closed(bpf_link_get_fd_by_id(number));
	if (!strcmp(operation, "link-detach"))
		return try_link(argument, true);
	if (!strcmp(operation, "link-update"))
		return try_link(argument, false);
	if (!strcmp(operation, "load-lsm"))
		return try_load(BPF_PROG_TYPE_LSM);
	if (!strcmp(operation, "load-filter"))
		return try_load(BPF_PROG_TYPE_SOCKET_FILTER);
	if (!strcmp(operation, "unlink"))
		return result(unlink(argument));
	if (!strcmp(operation, "rename")) {
		char other[4096];

		snprintf(other, sizeof(other), "%s_renamed", argument);
		return result(rename(argument, other));
	}
	if (!strcmp(operation, "umount"))
		return result(umount2(argument, MNT_DETACH));
	if (!strcmp(operation, "mount-over"))
		return result(mount("none", argument, "tmpfs", 0, NULL));
	if (!strcmp(operation, "module")) {
		int r = result(syscall(SYS_delete_module, argument, O_NONBLOCK));

		return r == -ENOENT || r == -EWOULDBLOCK || r == -EBUSY ? 0 : r;
	}
	if (!strcmp(operation, "join"))
		return try_write(argument, "0");
	if (!strcmp(operation, "open"))
		return try_open(argument);
	return -ENOSYS;
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 2 || argc > 3) {
		fputs("usage: guard_probe OPERATION [ARGUMENT]\n", stderr);
		return 2;
	}
	r = run(argv[1], argc > 2 ? argv[2] : "0");
	puts(!r ? "allowed" : r == -EPERM || r == -EACCES ? "denied" : strerror(-r));
	return 0;
}

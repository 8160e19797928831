// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/engine/fire_guard.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/lib/util.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

static void bpf_fire(void)
{
	const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rf_fire", 4, 4, 1, NULL);

	if (fd >= 0)
		close(fd);
	fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "rf_fire", "GPL", code, ARRAY_SIZE(code), NULL);
	if (fd >= 0)
		close(fd);
}

/* A child that is waited for, and traced from here. */
static void processes_fire(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	if (pid < 0)
		return;
	(void)ptrace(PTRACE_SEIZE, pid, 0, 0);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, __WALL);
}

static void files_fire(void)
{
	char directory[] = "/tmp/ringfence-fire-XXXXXX", path[64], other[64];
	int fd;

	if (!mkdtemp(directory))
		return;
	snprintf(path, sizeof(path), "%s/a", directory);
	snprintf(other, sizeof(other), "%s/b", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	(void)rename(path, other);
	(void)unlink(other);
	(void)rmdir(directory);
}

/* In a mount namespace of its own, which ends with this process. */
static void mounts_fire(void)
{
	int tree;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	(void)mount("none", "/tmp", "tmpfs", 0, NULL);
	tree = syscall(SYS_open_tree, AT_FDCWD, "/tmp", OPEN_TREE_CLONE | O_CLOEXEC);
	if (tree >= 0) {
		(void)syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH);
		close(tree);
	}
	(void)umount2("/tmp", MNT_DETACH);
}

void rf_fire_guard(int cgroup_fd)
{
	int fd = openat(cgroup_fd, "cgroup.freeze", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	bpf_fire();
	processes_fire();
	files_fire();
	mounts_fire();
	(void)syscall(SYS_delete_module, "rf_no_such_module", O_NONBLOCK);
}

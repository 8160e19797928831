// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways by mounts, old calls and new. Each in a mount namespace of its own, which ends with it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef FSCONFIG_CMD_CREATE
#define FSCONFIG_CMD_CREATE 6
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

/* Where nothing is to be mounted in the namespace that the other tests are in. */
static int apart(int (*step)(const char *at))
{
	char path[] = "/tmp/rf-mount-XXXXXX";
	int status;
	pid_t pid;

	if (!mkdtemp(path))
		return -errno;
	pid = fork();
	if (pid == 0) {
		int r;

		if (unshare(CLONE_NEWNS) < 0)
			_exit(errno);
		r = step(path);
		_exit(r == RF_ABSENT ? 255 : -r);
	}
	waitpid(pid, &status, 0);
	rmdir(path);
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == 255 ? RF_ABSENT : -WEXITSTATUS(status);
}

static int step_nothing(const char *at)
{
	(void)at;
	return 0;
}

static int step_tmpfs(const char *at)
{
	return rf_result(mount("none", at, "tmpfs", 0, NULL));
}

static int step_bind(const char *at)
{
	return rf_result(mount("/", at, NULL, MS_BIND, NULL));
}

static int step_remount(const char *at)
{
	(void)at;
	return rf_result(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int step_private(const char *at)
{
	(void)at;
	return rf_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int step_umount(const char *at)
{
	(void)at;
	return rf_result(umount2("/sys/kernel/security", MNT_DETACH));
}

static int step_proc(const char *at)
{
	return rf_result(mount("none", at, "proc", 0, NULL));
}

static int step_sysfs(const char *at)
{
	return rf_result(mount("none", at, "sysfs", 0, NULL));
}

static int step_overlay(const char *at)
{
	int r = rf_result(mount("none", at, "overlay", 0, "lowerdir=/usr:/etc"));

	/* Not more than two on top of each other. */
	return r == -EINVAL ? RF_ABSENT : r;
}

static int step_fsopen(const char *at)
{
	int fd = syscall(SYS_fsopen, "tmpfs", 0), tree, r;

	if (fd < 0)
		return -errno;
	r = rf_result(syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (r)
		return r;
	tree = syscall(SYS_fsmount, fd, 0, 0);
	if (tree < 0)
		return -errno;
	return rf_result(syscall(SYS_move_mount, tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH));
}

static int step_move(const char *at)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, "/usr", OPEN_TREE_CLONE);

	if (tree < 0)
		return -errno;
	return rf_result(syscall(SYS_move_mount, tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH));
}

static int step_setattr(const char *at)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = { .propagation = MS_PRIVATE };

	(void)at;
	return rf_result(syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0, &attr, sizeof(attr)));
}

static int step_pivot(const char *at)
{
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", at, "tmpfs", 0, NULL) < 0)
		return -errno;
	r = rf_result(chdir(at));
	/* The root of a guest is the kernel's first: EINVAL is the kernel's answer, after ours. */
	if (!r)
		r = rf_result(syscall(SYS_pivot_root, ".", "."));
	return r == -EINVAL ? 0 : r;
}

/* The first half of the way by release_agent: a hierarchy of cgroup v1 of one's own. */
static int step_cgroup_v1(const char *at)
{
	char path[64];
	int r = rf_result(mount("none", at, "cgroup", 0, "none,name=rfprobe"));

	if (r)
		return r == -ENODEV ? RF_ABSENT : r;
	snprintf(path, sizeof(path), "%s/release_agent", at);
	return rf_try_open(path, O_WRONLY);
}

#define MOUNT_PROBE(name)                                  \
	static int cross_##name(const struct rf_victim *v) \
	{                                                  \
		(void)v;                                   \
		return apart(step_##name);                 \
	}
MOUNT_PROBE(nothing)
MOUNT_PROBE(tmpfs)
MOUNT_PROBE(bind)
MOUNT_PROBE(remount)
MOUNT_PROBE(private)
MOUNT_PROBE(umount)
MOUNT_PROBE(proc)
MOUNT_PROBE(sysfs)
MOUNT_PROBE(overlay)
MOUNT_PROBE(fsopen)
MOUNT_PROBE(move)
MOUNT_PROBE(setattr)
MOUNT_PROBE(pivot)
MOUNT_PROBE(cgroup_v1)

#define MAN(page) "man7.org: " page
#define ESCAPE	  "MITRE ATT&CK T1611"

const struct rf_probe rf_probes_mount[] = {
	{ "mount-namespace", "kernel", MAN("mount_namespaces(7)"), cross_nothing, rf_twin_read },
	{ "mount-tmpfs", "kernel", MAN("mount(2)"), cross_tmpfs, rf_twin_write },
	{ "mount-bind", "kernel", ESCAPE, cross_bind, rf_twin_write },
	{ "mount-remount", "kernel", ESCAPE, cross_remount, rf_twin_read },
	{ "mount-private", "kernel", MAN("mount(2)"), cross_private, rf_twin_read },
	{ "umount", "kernel", MAN("umount(2)"), cross_umount, rf_twin_read },
	{ "mount-proc", "kernel", ESCAPE, cross_proc, rf_twin_read },
	{ "mount-sysfs", "kernel", ESCAPE, cross_sysfs, rf_twin_read },
	{ "mount-overlay", "kernel", "CVE-2023-0386", cross_overlay, rf_twin_write },
	{ "fsopen-fsmount", "kernel", "CVE-2022-0185", cross_fsopen, rf_twin_write },
	{ "open-tree-move-mount", "kernel", MAN("move_mount(2)"), cross_move, rf_twin_write },
	{ "mount-setattr", "kernel", MAN("mount_setattr(2)"), cross_setattr, rf_twin_read },
	{ "pivot-root", "kernel", MAN("pivot_root(2)"), cross_pivot, rf_twin_read },
	{ "release-agent", "kernel", "CVE-2022-0492", cross_cgroup_v1, rf_twin_write },
	{ NULL, NULL, NULL, NULL, NULL },
};

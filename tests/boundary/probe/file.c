// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways to a file of a labelled tree that another tenant may not touch. Its twin is a tree that it may. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* The directory and the name of the secret. */
static const char *split(const struct rf_victim *v, char directory[256])
{
	char *slash;

	snprintf(directory, 256, "%s", v->secret);
	slash = strrchr(directory, '/');
	*slash = '\0';
	return v->secret + (slash - directory) + 1;
}

static int descriptor_read(int fd)
{
	char byte;
	int r = fd < 0 ? -errno : rf_result(read(fd, &byte, 1));

	if (fd >= 0)
		close(fd);
	return r;
}

static int cross_read(const struct rf_victim *v)
{
	return rf_try_open(v->secret, O_RDONLY);
}

static int cross_write(const struct rf_victim *v)
{
	return rf_try_open(v->secret, O_WRONLY | O_APPEND);
}

/* A directory that leaked: what runc did in CVE-2024-21626. */
static int cross_directory(const struct rf_victim *v)
{
	char directory[256];
	const char *name = split(v, directory);
	int at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (at < 0)
		return -errno;
	r = descriptor_read(openat(at, name, O_RDONLY | O_CLOEXEC));
	close(at);
	return r;
}

static int cross_path_descriptor(const struct rf_victim *v)
{
	int at = open(v->secret, O_PATH | O_CLOEXEC), r;
	char path[64];

	if (at < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	r = rf_try_open(path, O_RDONLY);
	close(at);
	return r;
}

static int cross_proc_root(const struct rf_victim *v)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/self/root%s", v->secret);
	return rf_try_open(path, O_RDONLY);
}

static int cross_symlink(const struct rf_victim *v)
{
	char path[] = "/tmp/rf-symlink-XXXXXX";
	int r;

	if (!mkdtemp(path))
		return -errno;
	rmdir(path);
	if (symlink(v->secret, path) < 0)
		return -errno;
	r = rf_try_open(path, O_RDONLY);
	unlink(path);
	return r;
}

struct race {
	char path[64], harmless[64], other[64];
	const char *secret;
	atomic_uint swaps;
	atomic_bool over;
};

#define RACE_OPENS 2000
#define RACE_SWAPS 200
#define RACE_S	   20

static void *race_swap(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->over)) {
		if (symlink(race->secret, race->other) == 0)
			rename(race->other, race->path);
		if (symlink(race->harmless, race->other) == 0)
			rename(race->other, race->path);
		atomic_fetch_add(&race->swaps, 1);
	}
	return NULL;
}

/* Between a look at the path and its use it becomes another. Through, when one of many opens gets the secret. */
static int cross_race(const struct rf_victim *v)
{
	char directory[] = "/tmp/rf-race-XXXXXX";
	struct race race = { .secret = v->secret };
	struct stat secret, got;
	int fd, r = -EACCES;
	pthread_t thread;
	time_t until;

	if (stat(v->secret, &secret) < 0 || !mkdtemp(directory))
		return -errno;
	snprintf(race.path, sizeof(race.path), "%s/path", directory);
	snprintf(race.other, sizeof(race.other), "%s/other", directory);
	snprintf(race.harmless, sizeof(race.harmless), "%s/harmless", directory);
	close(open(race.harmless, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	if (symlink(race.harmless, race.path) < 0 || pthread_create(&thread, NULL, race_swap, &race))
		return -EAGAIN;
	/* A busy machine may let the other thread wait: without it there is no race. */
	until = time(NULL) + RACE_S;
	for (int i = 0; r && (i < RACE_OPENS || (atomic_load(&race.swaps) < RACE_SWAPS && time(NULL) < until)); i++) {
		fd = open(race.path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &got) == 0 && got.st_ino == secret.st_ino && got.st_dev == secret.st_dev)
			r = 0;
		if (fd >= 0)
			close(fd);
		if (i % 16 == 0)
			sched_yield();
	}
	atomic_store(&race.over, true);
	pthread_join(thread, NULL);
	unlink(race.path);
	unlink(race.other);
	unlink(race.harmless);
	rmdir(directory);
	return r;
}

/* A name for it beside the tree, and through that. */
static int beside(const struct rf_victim *v, int (*put)(const char *from, const char *to), bool back)
{
	char directory[256], path[300];
	int r;

	split(v, directory);
	snprintf(path, sizeof(path), "%s.rf-beside", directory);
	r = rf_result(put(v->secret, path));
	if (r)
		return r;
	r = rf_try_open(path, O_RDONLY);
	if (back)
		rename(path, v->secret);
	else
		unlink(path);
	return r;
}

static int cross_link(const struct rf_victim *v)
{
	return beside(v, link, false);
}

static int cross_rename(const struct rf_victim *v)
{
	return beside(v, rename, true);
}

static int cross_handle(const struct rf_victim *v)
{
	struct {
		struct file_handle handle;
		char bytes[128];
	} h = { .handle.handle_bytes = sizeof(h.bytes) };
	char directory[256];
	int mount_id, at, r;

	if (name_to_handle_at(AT_FDCWD, v->secret, &h.handle, &mount_id, 0) < 0)
		return errno == EOPNOTSUPP ? RF_ABSENT : -errno;
	split(v, directory);
	at = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = descriptor_read(open_by_handle_at(at, &h.handle, O_RDONLY | O_CLOEXEC));
	close(at);
	return r == -ESTALE ? RF_ABSENT : r;
}

/* In a mount namespace of its own: another name for the tree, by a bind mount or as the lower layer of an overlay. */
static int mounted(const struct rf_victim *v, bool overlay)
{
	char directory[256], at[] = "/tmp/rf-bind-XXXXXX", path[300], options[600];
	const char *name = split(v, directory);
	int status;
	pid_t pid;

	if (!mkdtemp(at))
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", at, name);
	snprintf(options, sizeof(options), "lowerdir=%s:/usr", directory);
	pid = fork();
	if (pid == 0) {
		int r = rf_result(unshare(CLONE_NEWNS));

		if (!r)
			r = rf_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		if (!r)
			r = overlay ? rf_result(mount("none", at, "overlay", 0, options)) :
				      rf_result(mount(directory, at, NULL, MS_BIND, NULL));
		if (!r)
			r = rf_try_open(path, O_RDONLY);
		/* Not more than two overlays on top of each other. */
		_exit(overlay && r == -EINVAL ? 255 : -r);
	}
	waitpid(pid, &status, 0);
	rmdir(at);
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == 255 ? RF_ABSENT : -WEXITSTATUS(status);
}

static int cross_bind(const struct rf_victim *v)
{
	return mounted(v, false);
}

static int cross_overlay(const struct rf_victim *v)
{
	return mounted(v, true);
}

/* An open that no open(2) is: by a ring. */
static int cross_ring(const struct rf_victim *v)
{
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &p), r;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqe;
	char *sq, *cq;

	if (ring < 0)
		return errno == ENOSYS ? RF_ABSENT : -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		  IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		return -errno;
	sqes[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)v->secret, .open_flags = O_RDONLY
	};
	((uint32_t *)(sq + p.sq_off.array))[0] = 0;
	atomic_store((_Atomic uint32_t *)(sq + p.sq_off.tail), 1);
	r = rf_result(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	if (!r)
		r = cqe->res < 0 ? cqe->res : descriptor_read(cqe->res);
	close(ring);
	return r;
}

static int cross_create(const struct rf_victim *v)
{
	char directory[256], path[300];
	int r;

	split(v, directory);
	snprintf(path, sizeof(path), "%s/rf-new", directory);
	r = rf_result(mkdir(path, 0700));
	rmdir(path);
	return r;
}

/* What is there already: nothing changes. */
static int cross_chmod(const struct rf_victim *v)
{
	struct stat st;

	return stat(v->secret, &st) < 0 ? -errno : rf_result(chmod(v->secret, st.st_mode & 07777));
}

static int cross_chown(const struct rf_victim *v)
{
	struct stat st;

	return stat(v->secret, &st) < 0 ? -errno : rf_result(chown(v->secret, st.st_uid, st.st_gid));
}

static int cross_truncate(const struct rf_victim *v)
{
	struct stat st;

	return stat(v->secret, &st) < 0 ? -errno : rf_result(truncate(v->secret, st.st_size));
}

static int cross_xattr(const struct rf_victim *v)
{
	int r = rf_result(setxattr(v->secret, "user.rf", "x", 1, 0));

	/* Not on every file system, nor by every kernel. */
	return r == -EOPNOTSUPP ? RF_ABSENT : r;
}

#define MAN(page) "man7.org: " page
#define ESCAPE	  "MITRE ATT&CK T1611"

const struct rf_probe rf_probes_file[] = {
	{ "file-read", "file", MAN("open(2)"), cross_read, NULL },
	{ "file-write", "file", MAN("open(2)"), cross_write, NULL },
	{ "leaked-directory", "file", "CVE-2024-21626", cross_directory, NULL },
	{ "path-descriptor", "file", MAN("open(2), O_PATH"), cross_path_descriptor, NULL },
	{ "proc-self-root", "file", MAN("proc_pid_root(5)"), cross_proc_root, NULL },
	{ "symlink", "file", "CWE-59", cross_symlink, NULL },
	{ "symlink-race", "file", "CVE-2021-30465", cross_race, NULL },
	{ "hard-link", "file", "CWE-62", cross_link, NULL },
	{ "rename-out", "file", MAN("rename(2)"), cross_rename, NULL },
	{ "file-handle", "file", MAN("open_by_handle_at(2)") ", \"shocker\"", cross_handle, rf_twin_read },
	{ "bind-mount", "file", ESCAPE, cross_bind, rf_twin_read },
	{ "overlay-lower", "file", "CVE-2023-0386", cross_overlay, rf_twin_read },
	{ "io-uring-open", "file", "CVE-2022-2602", cross_ring, rf_twin_read },
	{ "file-create", "file", MAN("mkdir(2)"), cross_create, NULL },
	{ "file-chmod", "file", "MITRE ATT&CK T1222.002", cross_chmod, NULL },
	{ "file-chown", "file", "MITRE ATT&CK T1222.002", cross_chown, NULL },
	{ "file-truncate", "file", "MITRE ATT&CK T1485", cross_truncate, NULL },
	{ "file-xattr", "file", MAN("setxattr(2)"), cross_xattr, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

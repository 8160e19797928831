// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways to run what did not come with the image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static int copy_into(int fd, const char *from)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), r = 0;

	while (in >= 0 && (r = sendfile(fd, in, NULL, 1 << 20)) > 0)
		;
	close(in);
	return r < 0 ? -errno : 0;
}

/* What @path ran ended with 0. Neither a descriptor: by its path. */
static int run(const char *path, int fd, char *const argv[])
{
	char *const none[] = { NULL };
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 1);
		dup2(null, 2);
		if (fd >= 0)
			fexecve(fd, argv, none);
		else
			execve(path, argv, none);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* A copy of @from, to be run; its path is in @path, a template. */
static int copy_make(char *path, const char *from, mode_t mode)
{
	int fd = mkstemp(path), r;

	if (fd < 0)
		return -errno;
	r = copy_into(fd, from);
	if (!r)
		r = rf_result(fchmod(fd, mode));
	close(fd);
	return r;
}

static int run_copy(char *path)
{
	char *const argv[] = { "true", NULL };
	int r = copy_make(path, "/bin/true", 0700);

	if (!r)
		r = run(path, -1, argv);
	unlink(path);
	return r;
}

static int cross_memfd(const struct rf_victim *v)
{
	char *const argv[] = { "true", NULL };
	int fd = memfd_create("rf-probe", MFD_CLOEXEC), r;

	(void)v;
	if (fd < 0)
		return -errno;
	r = copy_into(fd, "/bin/true");
	if (!r)
		r = run(NULL, fd, argv);
	close(fd);
	return r;
}

static int cross_deleted(const struct rf_victim *v)
{
	char path[] = "/tmp/rf-deleted-XXXXXX", *const argv[] = { "true", NULL };
	int fd, r = copy_make(path, "/bin/true", 0700);

	(void)v;
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	if (fd < 0)
		return -errno;
	r = run(NULL, fd, argv);
	close(fd);
	return r;
}

static int cross_tmp(const struct rf_victim *v)
{
	char path[] = "/tmp/rf-drift-XXXXXX";

	(void)v;
	return run_copy(path);
}

static int cross_dev_shm(const struct rf_victim *v)
{
	char path[] = "/dev/shm/rf-drift-XXXXXX";

	(void)v;
	return run_copy(path);
}

static int cross_upper(const struct rf_victim *v)
{
	char path[] = "/var/tmp/rf-drift-XXXXXX";

	(void)v;
	return run_copy(path);
}

static int cross_script(const struct rf_victim *v)
{
	static const char text[] = "#!/bin/true\n";
	char path[] = "/tmp/rf-script-XXXXXX", *const argv[] = { "script", NULL };
	int fd = mkstemp(path), r;

	(void)v;
	if (fd < 0)
		return -errno;
	r = rf_result(write(fd, text, sizeof(text) - 1));
	fchmod(fd, 0700);
	close(fd);
	if (!r)
		r = run(path, -1, argv);
	unlink(path);
	return r;
}

/* The loader maps it, and nothing of it is executed. */
static int cross_loader(const struct rf_victim *v)
{
	static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1" };
	char path[] = "/tmp/rf-loader-XXXXXX", *const argv[] = { "ld.so", path, NULL };
	int r = copy_make(path, "/bin/true", 0700), ran = RF_ABSENT;

	(void)v;
	for (size_t i = 0; !r && i < sizeof(loaders) / sizeof(loaders[0]); i++)
		if (access(loaders[i], X_OK) == 0)
			ran = run(loaders[i], -1, argv);
	unlink(path);
	/* What the loader says of a file that it could not map. */
	return r ? r : ran == -127 ? -EPERM : ran;
}

static int map_try(int protection, int then)
{
	char path[] = "/tmp/rf-library-XXXXXX";
	int fd, r = copy_make(path, "/bin/true", 0700);
	void *at;

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	at = mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0);
	r = at == MAP_FAILED ? -errno : 0;
	if (!r && then)
		r = rf_result(mprotect(at, 4096, then));
	if (at != MAP_FAILED)
		munmap(at, 4096);
	close(fd);
	return r;
}

static int cross_library(const struct rf_victim *v)
{
	(void)v;
	return map_try(PROT_READ | PROT_EXEC, 0);
}

static int cross_library_late(const struct rf_victim *v)
{
	(void)v;
	return map_try(PROT_READ, PROT_READ | PROT_EXEC);
}

static int twin_library(const struct rf_victim *v)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC), r = 0;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	(void)v;
	if (at == MAP_FAILED)
		r = -errno;
	else
		munmap(at, 4096);
	close(fd);
	return r;
}

/* A set-user-id program made by root, run by nobody: through, when it is root again. */
static int cross_set_uid(const struct rf_victim *v)
{
	char path[] = "/var/tmp/rf-setuid-XXXXXX", *const argv[] = { "setuid", "am-i-root", NULL };
	int r = copy_make(path, "/proc/self/exe", 04755), status;
	pid_t pid;

	(void)v;
	if (r) {
		unlink(path);
		return r;
	}
	pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(errno);
		_exit(-run(path, -1, argv));
	}
	waitpid(pid, &status, 0);
	unlink(path);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

#define MAN(page) "man7.org: " page
#define LOADING	  "MITRE ATT&CK T1620"
#define DRIFT	  "MITRE ATT&CK T1105"

const struct rf_probe rf_probes_exec[] = {
	{ "exec-memfd", "image", LOADING, cross_memfd, rf_twin_exec },
	{ "exec-deleted", "image", LOADING, cross_deleted, rf_twin_exec },
	{ "exec-tmp", "image", DRIFT, cross_tmp, rf_twin_exec },
	{ "exec-dev-shm", "image", DRIFT, cross_dev_shm, rf_twin_exec },
	{ "exec-upper-layer", "image", DRIFT, cross_upper, rf_twin_exec },
	{ "exec-script", "image", "MITRE ATT&CK T1059.004", cross_script, rf_twin_exec },
	{ "exec-by-loader", "image", MAN("ld.so(8)"), cross_loader, rf_twin_exec },
	{ "map-library", "image", "MITRE ATT&CK T1574.006", cross_library, twin_library },
	{ "map-library-late", "image", MAN("mprotect(2)"), cross_library_late, twin_library },
	{ "set-user-id", "kernel", "MITRE ATT&CK T1548.001", cross_set_uid, rf_twin_exec },
	{ NULL, NULL, NULL, NULL, NULL },
};

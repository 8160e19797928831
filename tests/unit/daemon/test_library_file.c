// SPDX-License-Identifier: GPL-2.0-or-later
/* What is opened of what a process has mapped, and what is not asked for anything. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/daemon/library_file.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

static int opened(pid_t pid, int fd, const char **ret_why)
{
	struct rf_library_files files = { 0 };
	_cleanup_close_ int at = -1;
	char link[64];
	int r;

	*ret_why = NULL;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	at = open(link, O_PATH | O_CLOEXEC);
	if (at < 0)
		return -errno;
	r = rf_library_open(&files, pid, at, ret_why);
	rf_library_files_forget(&files);
	return r;
}

static void a_file_of_a_disk_is_opened(void **state)
{
	char name[] = "/tmp/ringfence-library-XXXXXX", text[4] = "";
	_cleanup_close_ int fd = mkstemp(name), got = -1;
	const char *why;

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	got = opened(getpid(), fd, &why);
	if (got == -EACCES || got == -ENOENT) /* the mounts of the host's first process are not for everybody */
		skip();
	/* On a machine whose /tmp is none. */
	if (got == -ENOTSUP) {
		assert_non_null(why);
		skip();
	}
	assert_true(got >= 0);
	assert_int_equal(read(got, text, 3), 3);
	assert_string_equal(text, "abc");
	unlink(name);
}

static void what_is_no_file_is_not_opened(void **state)
{
	int ends[2];
	const char *why;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(opened(getpid(), ends[0], &why), -EINVAL);
	assert_int_equal(opened(getpid(), 9999, &why), -ENOENT);
	close(ends[0]);
	close(ends[1]);
}

static void what_the_kernel_makes_up_is_refused(void **state)
{
	_cleanup_close_ int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	const char *why;
	int r = opened(getpid(), fd, &why);

	(void)state;
	if (r == -EACCES)
		skip();
	assert_int_equal(r, -ENOTSUP);
	assert_non_null(strstr(why, "serves"));
}

/* In a mount namespace of its own, with a file open on a file system of that type. */
static pid_t holder_of(const char *type, const char *options, int ready[2])
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/mnt", "tmpfs", 0, NULL) < 0 || mkdir("/mnt/l", 0755) < 0 || mkdir("/mnt/u", 0755) < 0 ||
	    mkdir("/mnt/w", 0755) < 0 || mkdir("/mnt/m", 0755) < 0 || mount("none", "/mnt/m", type, 0, options) < 0)
		_exit(77);
	fd = open("/mnt/m/file", O_RDWR | O_CREAT, 0644);
	if (fd < 0 || dup2(fd, 100) < 0 || write(ready[1], "x", 1) != 1)
		_exit(77);
	for (;;)
		pause();
}

static int opened_of(const char *type, const char *options, const char **ret_why)
{
	int ready[2], r = -ENOENT;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = holder_of(type, options, ready);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		r = opened(pid, 100, ret_why);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	return r;
}

static void of_what_a_process_has_mounted_itself_the_kernels_own_is_opened(void **state)
{
	const char *why = NULL;
	int r = opened_of("tmpfs", NULL, &why);

	(void)state;
	if (r == -ENOENT || r == -EACCES)
		skip();
	assert_true(r >= 0);
	close(r);
}

static void its_own_overlay_is_refused_whose_layers_may_be_anything(void **state)
{
	const char *why = NULL;
	int r = opened_of("overlay", "lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w", &why);

	(void)state;
	if (r == -ENOENT || r == -EACCES)
		skip();
	assert_int_equal(r, -ENOTSUP);
	assert_non_null(strstr(why, "overlay"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_a_disk_is_opened),
		cmocka_unit_test(what_is_no_file_is_not_opened),
		cmocka_unit_test(what_the_kernel_makes_up_is_refused),
		cmocka_unit_test(of_what_a_process_has_mounted_itself_the_kernels_own_is_opened),
		cmocka_unit_test(its_own_overlay_is_refused_whose_layers_may_be_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

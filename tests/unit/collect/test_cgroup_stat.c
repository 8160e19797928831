// SPDX-License-Identifier: GPL-2.0-or-later
/* The numbers of a cgroup, from files made in a temporary directory. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/cgroup_stat.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

struct fixture {
	char dir[64];
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/rf-stat-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(mkdirat(f->fd, "a", 0755), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	close(f->fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(f->fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void all_three_numbers_are_read(void **state)
{
	struct fixture *f = *state;
	struct rf_cgroup_stat st;

	put(f, "a/pids.current", "17\n");
	put(f, "a/cgroup.procs", "1\n2\n");
	put(f, "a/cpu.stat", "nr_periods 3\nusage_usec 123456789012\nuser_usec 1\n");
	put(f, "a/memory.current", "18446744073709551614\n");
	assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), 0);
	assert_int_equal(st.tasks, 17);
	assert_int_equal(st.cpu_usec, 123456789012);
	assert_true(st.memory_bytes == UINT64_MAX - 1);
}

static void processes_are_counted_without_the_pids_controller(void **state)
{
	struct fixture *f = *state;
	struct rf_cgroup_stat st;

	put(f, "a/cgroup.procs", "1\n2\n30\n");
	assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), 0);
	assert_int_equal(st.tasks, 3);
	put(f, "a/cgroup.procs", "");
	assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), 0);
	assert_int_equal(st.tasks, 0);
}

static void a_missing_file_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct rf_cgroup_stat st;

	assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), 0);
	assert_true(st.tasks == RF_UNKNOWN && st.cpu_usec == RF_UNKNOWN && st.memory_bytes == RF_UNKNOWN);
	put(f, "a/cpu.stat", "nr_periods 3\n");
	assert_int_equal(rf_cgroup_stat_read(f->fd, "/", &st), 0);
	assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), 0);
	assert_true(st.cpu_usec == RF_UNKNOWN);
}

static void a_missing_cgroup_is_an_error(void **state)
{
	struct rf_cgroup_stat st = { 1, 2, 3 };
	struct fixture *f = *state;

	assert_int_equal(rf_cgroup_stat_read(f->fd, "/b", &st), -ENOENT);
	assert_int_equal(rf_cgroup_stat_read(f->fd, "a", &st), -EINVAL);
	assert_int_equal(st.tasks, 1);
}

static void what_is_no_number_is_malformed(void **state)
{
	static const char *const bad[] = { "", "\n", "max\n", "-1\n", "1x\n", " 1\n", "99999999999999999999\n" };
	struct rf_cgroup_stat st = { 1, 2, 3 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(f, "a/memory.current", bad[i]);
		assert_int_equal(rf_cgroup_stat_read(f->fd, "/a", &st), -EBADMSG);
		assert_int_equal(st.memory_bytes, 3);
	}
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(all_three_numbers_are_read),	   t(processes_are_counted_without_the_pids_controller),
		t(a_missing_file_is_unknown),	   t(a_missing_cgroup_is_an_error),
		t(what_is_no_number_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Pressure files of cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "user/collect/pressure.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

static int parse(const char *text, uint64_t *ret)
{
	return rf_pressure_parse(text, strlen(text), ret);
}

static void the_total_is_told_in_nanoseconds(void **state)
{
	uint64_t ns = 7;

	(void)state;
	assert_int_equal(parse("some avg10=0.12 avg60=1.00 avg300=0.00 total=123456\n"
			       "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n",
			       &ns),
			 0);
	assert_true(ns == 123456000);
	assert_int_equal(parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=0", &ns), 0);
	assert_true(ns == 0);
}

static void what_is_no_such_file_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   "some \n",
					   "some total=\n",
					   "some total=x\n",
					   "some total=1x\n",
					   "some total=-1\n",
					   "full avg10=0.00 total=99\n",
					   "some avg10=0.00\nfull total=1\n",
					   "some total=18446744073709551615\n",
					   "some total=99999999999999999999999\n" };
	uint64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &ns), -EBADMSG);
	assert_true(ns == 7);
}

static void it_is_read_of_a_cgroup(void **state)
{
	char dir[] = "/tmp/pressure-XXXXXX", path[64];
	static const char text[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
	uint64_t ns = 0;
	int root;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(rf_fs_mkdir_p(path, 0700), 0);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(rf_fs_write_atomic(root, "a/io.pressure", text, strlen(text), 0600), 0);
	assert_int_equal(rf_pressure_read(root, "/a", "io.pressure", &ns), 0);
	assert_true(ns == 5000);
	assert_int_equal(rf_pressure_read(root, "/a", "cpu.pressure", &ns), -ENOENT);
	assert_int_equal(rf_pressure_read(root, "a", "io.pressure", &ns), -EINVAL);
	close(root);
	assert_int_equal(rf_fs_remove_tree(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_total_is_told_in_nanoseconds),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(it_is_read_of_a_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Where cgroup v2 is, told by the text of mountinfo. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/collect/mountinfo.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define UNIFIED "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define HYBRID	"33 32 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n"
#define TMPFS	"32 23 0:28 / /sys/fs/cgroup ro shared:8 - tmpfs tmpfs ro\n"
#define V1	"34 32 0:29 / /sys/fs/cgroup/pids rw shared:11 - cgroup cgroup rw,pids\n"
#define ROOT	"23 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"

static void check(const char *text, int want_r, const char *want)
{
	_cleanup_free_ char *got = NULL;

	assert_int_equal(rf_cgroup2_mount_parse(text, strlen(text), &got), want_r);
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void the_mount_is_found_on_unified_and_hybrid_hosts(void **state)
{
	(void)state;
	check(ROOT UNIFIED, 0, "/sys/fs/cgroup");
	check(ROOT TMPFS HYBRID V1, 0, "/sys/fs/cgroup/unified");
	check("1 0 0:1 / /mnt/cg rw - cgroup2 none rw", 0, "/mnt/cg");
}

static void the_usual_place_is_preferred_to_another(void **state)
{
	(void)state;
	check("9 1 0:26 / /mnt/cg rw - cgroup2 none rw\n" HYBRID UNIFIED, 0, "/sys/fs/cgroup");
	check("9 1 0:26 / /mnt/cg rw - cgroup2 none rw\n" HYBRID, 0, "/sys/fs/cgroup/unified");
	check("9 1 0:26 / /mnt/a rw - cgroup2 none rw\n8 1 0:26 / /mnt/b rw - cgroup2 none rw\n", 0, "/mnt/a");
}

static void version_one_alone_is_none(void **state)
{
	(void)state;
	check("", -ENOENT, NULL);
	check(ROOT TMPFS V1, -ENOENT, NULL);
}

static void a_part_of_the_hierarchy_is_not_taken_for_all_of_it(void **state)
{
	(void)state;
	check("29 23 0:26 /system.slice/x.service /sys/fs/cgroup rw - cgroup2 cgroup rw\n", -ENOENT, NULL);
	check("29 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n", -ENOENT, NULL);
}

static void a_covered_mount_is_passed_over(void **state)
{
	(void)state;
	check(UNIFIED "40 29 0:30 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n", -ENOENT, NULL);
	check(UNIFIED "40 29 0:30 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" HYBRID, 0, "/sys/fs/cgroup/unified");
	/* A mount further down covers nothing of the root. */
	check(UNIFIED "40 29 0:30 / /sys/fs/cgroup/x rw - tmpfs tmpfs rw\n", 0, "/sys/fs/cgroup");
}

static void octal_escapes_in_the_mount_point_are_undone(void **state)
{
	(void)state;
	check("1 0 0:1 / /mnt/a\\040b\\134c\\011 rw - cgroup2 none rw\n", 0, "/mnt/a b\\c\t");
	check("1 0 0:1 / /mnt/a\\04 rw - cgroup2 none rw\n", 0, "/mnt/a\\04");
	check("1 0 0:1 / /mnt/a\\000b\\999 rw - cgroup2 none rw\n", 0, "/mnt/a\\000b\\999");
}

static void optional_fields_may_be_none_or_many(void **state)
{
	(void)state;
	check("1 0 0:1 / /m rw shared:1 master:2 propagate_from:3 unbindable - cgroup2 none rw\n", 0, "/m");
	check("1 0 0:1 / /m rw - cgroup2 none rw\n", 0, "/m");
}

static void lines_that_are_none_are_passed_over(void **state)
{
	(void)state;
	check("\n\n \n1\n1 0 0:1 / /m rw\n1 0 0:1 / /m rw -\n1 0 0:1 / m rw - cgroup2 none rw\n", -ENOENT, NULL);
	check("garbage\n" UNIFIED, 0, "/sys/fs/cgroup");
}

static void this_process_gets_an_answer_or_none(void **state)
{
	_cleanup_free_ char *got = NULL;
	int r = rf_cgroup2_mount_find(&got);

	(void)state;
	if (r == -ENOENT) {
		print_message("no cgroup v2 mount here\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(got[0], '/');
}

static void what_others_serve_is_not_local(void **state)
{
	(void)state;
	assert_true(rf_mount_is_local("ext4"));
	assert_true(rf_mount_is_local("tmpfs"));
	assert_false(rf_mount_is_local("fuse"));
	assert_false(rf_mount_is_local("fuse.sshfs"));
	assert_false(rf_mount_is_local("nfs4"));
	assert_false(rf_mount_is_local("9p"));
	assert_false(rf_mount_is_local("overlay"));
	assert_false(rf_mount_is_local(""));
}

static void every_mount_is_known_with_its_device(void **state)
{
	const char *text = ROOT TMPFS
		"no mount\n99 1 259:1048575 /a\\040b /mnt/a\\040b rw shared:3 - btrfs /dev/x rw\n";
	struct rf_mounts mounts = { 0 };
	uint32_t device = 0;

	(void)state;
	assert_int_equal(rf_mounts_parse(text, strlen(text), &mounts), 0);
	assert_int_equal(mounts.n, 3);
	assert_string_equal(mounts.list[2].point, "/mnt/a b");
	assert_int_equal(rf_mounts_device(&mounts, 23, &device), 0);
	assert_int_equal(device, 8 << 20 | 1);
	assert_int_equal(rf_mounts_device(&mounts, 99, &device), 0);
	assert_int_equal(device, 259u << 20 | 1048575);
	assert_int_equal(rf_mounts_device(&mounts, 7, &device), -ENOENT);
	assert_string_equal(rf_mounts_type(&mounts, device), "btrfs");
	assert_null(rf_mounts_type(&mounts, 7));
	rf_mounts_fini(&mounts);
	assert_int_equal(rf_mounts_read(0, &mounts), 0);
	assert_true(mounts.n > 0);
	rf_mounts_fini(&mounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mount_is_found_on_unified_and_hybrid_hosts),
		cmocka_unit_test(the_usual_place_is_preferred_to_another),
		cmocka_unit_test(version_one_alone_is_none),
		cmocka_unit_test(a_part_of_the_hierarchy_is_not_taken_for_all_of_it),
		cmocka_unit_test(a_covered_mount_is_passed_over),
		cmocka_unit_test(octal_escapes_in_the_mount_point_are_undone),
		cmocka_unit_test(optional_fields_may_be_none_or_many),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
		cmocka_unit_test(this_process_gets_an_answer_or_none),
		cmocka_unit_test(every_mount_is_known_with_its_device),
		cmocka_unit_test(what_others_serve_is_not_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

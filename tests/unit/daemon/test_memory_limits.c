// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quotas of device memory by the dmem controller, with files in a directory in
 * the kernel's place: what is written stays there, and a line that is written
 * over a longer one leaves the rest of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "user/daemon/dmem.h"
#include "user/daemon/memory_limits.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define VRAM   "drm/0000:03:00.0/vram0"
#define STOLEN "drm/0000:03:00.0/stolen"
#define NONE   RF_MEMORY_MAX

static char dir[64];
static struct rf_memory_limits m;
static uint64_t signature;
static bool kept;

static const struct rf_memory_device devices[] = { { "0000:03:00.0", 1u << RF_MEMORY_IOCTL },
						   { "0000:04:00.0", 1u << RF_MEMORY_IOCTL },
						   { "0000:05:00.0", 0 } };

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, path_of(name), text, strlen(text), 0644), 0);
}

static bool begins(const char *name, const char *text)
{
	_cleanup_free_ char *got = NULL;

	assert_int_equal(rf_fs_read(AT_FDCWD, path_of(name), 4096, &got, NULL), 0);
	return rf_strprefix(got, text);
}

static uint64_t id_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	return st.st_ino;
}

static void start(void)
{
	assert_int_equal(rf_memory_limits_start(&m, dir, NULL), 0);
	assert_true(m.root >= 0);
	signature = 1;
}

static int setup(void **state)
{
	(void)state;
	rf_log_set_level(RF_LOG_ERR - 1);
	snprintf(dir, sizeof(dir), "/tmp/memory-limits-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(rf_fs_mkdir_p(path_of("a/b"), 0700), 0);
	put("cgroup.controllers", "cpu io memory pids rdma dmem\n");
	put("dmem.capacity", VRAM " 17095983104\n" STOLEN " 67108864\n");
	put("a/b/dmem.max", VRAM " max\n");
	put("a/b/dmem.current", VRAM " 4096\n" STOLEN " 999\n");
	kept = setxattr(path_of("a"), RF_DMEM_CLAIMS, "x", 1, 0) == 0;
	if (!kept)
		print_message("trusted extended attributes cannot be set here: %s\n", strerror(errno));
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rf_memory_limits_stop(&m);
	return rf_fs_remove_tree(dir);
}

/* A look, with a quota of so much for a/b; NONE: no quota. */
static void look_anyhow(uint64_t bytes, bool audit)
{
	const struct rf_memory_quota quota = {
		.cgroup_id = id_of("a/b"), .bytes = bytes, .workload = 7, .audit = audit, .path = "/a/b"
	};

	rf_memory_limits_tick(&m, ++signature, &quota, bytes != NONE, devices, ARRAY_SIZE(devices), NULL);
}

/* Nothing is set that cannot be kept. */
static void look_as(uint64_t bytes, bool audit)
{
	if (!kept)
		skip();
	look_anyhow(bytes, audit);
}

static void look(uint64_t bytes)
{
	look_as(bytes, false);
}

static const struct rf_memory_limit *limit(size_t device)
{
	const struct rf_memory_cgroup *c = rf_hashmap_get64(m.cgroups, id_of("a/b"));

	assert_non_null(c);
	assert_int_equal(c->n, ARRAY_SIZE(devices));
	return &c->limits[device];
}

static void the_kernel_keeps_it_where_it_can_and_who_does_is_told(void **state)
{
	(void)state;
	look(8000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000"));
	assert_int_equal(limit(0)->method, RF_MEMORY_DMEM);
	assert_true(limit(0)->bytes == 8000000000);
	assert_true(limit(0)->used == 4096);
	assert_int_equal(limit(1)->method, RF_MEMORY_IOCTL);
	assert_true(limit(1)->bytes == 8000000000);
	assert_true(limit(1)->used == NONE);
	assert_int_equal(limit(2)->method, RF_MEMORY_NONE);
	assert_int_equal(m.failures, 0);
}

static void a_host_without_the_controller_is_left_alone(void **state)
{
	(void)state;
	put("cgroup.controllers", "cpu io memory pids rdma dmemory\n");
	look_anyhow(8000000000, false);
	assert_true(begins("a/b/dmem.max", VRAM " max\n"));
	assert_int_equal(limit(0)->method, RF_MEMORY_IOCTL);
	assert_int_equal(m.failures, 0);
}

static void it_follows_the_policy_and_goes_with_it(void **state)
{
	(void)state;
	look(1000000000);
	look(8000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000"));
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " max"));
	assert_null(rf_hashmap_get64(m.cgroups, id_of("a/b")));
}

static void what_was_there_comes_back_and_a_lower_one_stays(void **state)
{
	(void)state;
	put("a/b/dmem.max", VRAM " 9500000000\n");
	look(8000000000);
	put("a/b/dmem.max", VRAM " 8000000000\n");
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 9500000000"));
	put("a/b/dmem.max", VRAM " 5000000000\n");
	look(8000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 5000000000\n"));
	assert_int_equal(limit(0)->method, RF_MEMORY_DMEM);
	assert_true(limit(0)->bytes == 5000000000);
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 5000000000\n"));
}

static void in_audit_nothing_is_set(void **state)
{
	(void)state;
	look_as(8000000000, true);
	assert_true(begins("a/b/dmem.max", VRAM " max\n"));
	assert_int_equal(limit(0)->method, RF_MEMORY_IOCTL);
	look(8000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000"));
	look_as(8000000000, true);
	assert_true(begins("a/b/dmem.max", VRAM " max"));
}

static void it_is_looked_at_again_after_ten_ticks(void **state)
{
	const struct rf_memory_quota quota = {
		.cgroup_id = id_of("a/b"), .bytes = 8000000000, .workload = 7, .path = "/a/b"
	};

	(void)state;
	look(8000000000);
	put("a/b/dmem.max", VRAM " 9000000000\n");
	for (int i = 1; i < 10; i++)
		rf_memory_limits_tick(&m, signature, &quota, 1, devices, ARRAY_SIZE(devices), NULL);
	assert_true(begins("a/b/dmem.max", VRAM " 9000000000\n"));
	rf_memory_limits_tick(&m, signature, &quota, 1, devices, ARRAY_SIZE(devices), NULL);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000"));
}

static void the_controller_is_enabled_in_all_that_is_above(void **state)
{
	(void)state;
	unlink(path_of("a/b/dmem.max"));
	put("cgroup.subtree_control", "");
	put("a/cgroup.subtree_control", "");
	put("a/b/cgroup.subtree_control", "");
	look(8000000000);
	assert_true(begins("cgroup.subtree_control", "+dmem"));
	assert_true(begins("a/cgroup.subtree_control", "+dmem"));
	assert_false(begins("a/b/cgroup.subtree_control", "+dmem"));
}

static void a_failure_is_counted_and_the_next_best_keeps_it(void **state)
{
	(void)state;
	/* Nor is there anything to enable it with. */
	unlink(path_of("a/b/dmem.max"));
	look(8000000000);
	assert_int_equal(limit(0)->method, RF_MEMORY_IOCTL);
	assert_int_equal(m.failures, 1);
	assert_int_equal(m.told[RF_MEMORY_DMEM], -ENOENT);
	put("a/b/dmem.max", VRAM " max\n");
	look(8000000000);
	assert_int_equal(limit(0)->method, RF_MEMORY_DMEM);
}

static void another_cgroup_at_the_same_path_is_left_alone(void **state)
{
	char was[128], moved[128];

	(void)state;
	look(8000000000);
	snprintf(was, sizeof(was), "%s", path_of("a/b"));
	snprintf(moved, sizeof(moved), "%s", path_of("a/moved"));
	assert_int_equal(rename(was, moved), 0);
	assert_int_equal(mkdir(was, 0700), 0);
	put("a/b/dmem.max", VRAM " 8000000000\n");
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000\n"));
	assert_int_equal(rf_hashmap_size(m.cgroups), 0);
}

/* A daemon that was killed, and the next one. */
static void restart(void)
{
	rf_memory_limits_stop(&m);
	start();
	rf_memory_limits_adopt(&m, id_of("a/b"), "/a/b");
}

/* The right to set trusted attributes: none any more, or what there was. */
static void attributes_allow(bool allow)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	if (allow)
		data[0].effective |= data[0].permitted & 1u << CAP_SYS_ADMIN;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void what_nobody_would_know_for_ours_is_not_set(void **state)
{
	(void)state;
	attributes_allow(false);
	look_anyhow(8000000000, false);
	look_anyhow(7000000000, false);
	attributes_allow(true);
	assert_true(begins("a/b/dmem.max", VRAM " max\n"));
	assert_int_equal(limit(0)->method, RF_MEMORY_IOCTL);
	assert_int_equal(m.failures, 2);
	assert_int_equal(m.told[RF_MEMORY_DMEM], -EPERM);
}

static void nor_is_one_of_ours_changed(void **state)
{
	(void)state;
	look(9000000000);
	attributes_allow(false);
	look(8000000000);
	attributes_allow(true);
	assert_true(begins("a/b/dmem.max", VRAM " 9000000000"));
	put("a/b/dmem.max", VRAM " 9000000000\n");
	look(8000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000"));
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " max"));
}

static void one_that_is_just_the_quota_stays_when_that_goes(void **state)
{
	(void)state;
	put("a/b/dmem.max", VRAM " 8000000000\n");
	look(8000000000);
	assert_int_equal(limit(0)->method, RF_MEMORY_DMEM);
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000\n"));
}

static void the_next_daemon_knows_what_is_ours(void **state)
{
	(void)state;
	if (!kept)
		skip();
	put("a/b/dmem.max", VRAM " 9500000000\n");
	look(8000000000);
	put("a/b/dmem.max", VRAM " 8000000000\n");
	restart();
	assert_true(begins("a/b/dmem.max", VRAM " 8000000000\n"));
	/* The policy is another by now: what is there is ours, and no administrator's. */
	look(9000000000);
	assert_true(begins("a/b/dmem.max", VRAM " 9000000000"));
	put("a/b/dmem.max", VRAM " 9000000000\n");
	restart();
	/* It went while nobody was there. */
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 9500000000"));
	assert_int_equal(rf_hashmap_size(m.cgroups), 0);
	assert_true(getxattr(path_of("a/b"), RF_DMEM_CLAIMS, NULL, 0) < 0 && errno == ENODATA);
	restart();
	assert_int_equal(rf_hashmap_size(m.cgroups), 0);
}

static void a_claim_that_is_none_is_not_believed(void **state)
{
	(void)state;
	if (!kept)
		skip();
	assert_int_equal(setxattr(path_of("a/b"), RF_DMEM_CLAIMS, "nonsense", 8, 0), 0);
	put("a/b/dmem.max", VRAM " 5000000000\n");
	restart();
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 5000000000\n"));
	/* Nor one of a limit that is not what it was. */
	assert_int_equal(setxattr(path_of("a/b"), RF_DMEM_CLAIMS, VRAM " 7 7 max\n", strlen(VRAM " 7 7 max\n"), 0), 0);
	restart();
	look(NONE);
	assert_true(begins("a/b/dmem.max", VRAM " 5000000000\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_keeps_it_where_it_can_and_who_does_is_told),
		TEST(a_host_without_the_controller_is_left_alone),
		TEST(it_follows_the_policy_and_goes_with_it),
		TEST(what_was_there_comes_back_and_a_lower_one_stays),
		TEST(in_audit_nothing_is_set),
		TEST(it_is_looked_at_again_after_ten_ticks),
		TEST(the_controller_is_enabled_in_all_that_is_above),
		TEST(a_failure_is_counted_and_the_next_best_keeps_it),
		TEST(another_cgroup_at_the_same_path_is_left_alone),
		TEST(what_nobody_would_know_for_ours_is_not_set),
		TEST(nor_is_one_of_ours_changed),
		TEST(one_that_is_just_the_quota_stays_when_that_goes),
		TEST(the_next_daemon_knows_what_is_ours),
		TEST(a_claim_that_is_none_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

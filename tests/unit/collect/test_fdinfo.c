// SPDX-License-Identifier: GPL-2.0-or-later
/* What drivers write into fdinfo, and what is made of it. */
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

#include "user/collect/fdinfo.h"
#include "user/lib/cleanup.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define MIB 1048576ULL

static struct rf_fdinfo parse(const char *text)
{
	struct rf_fdinfo info;

	rf_fdinfo_parse(text, strlen(text), &info);
	return info;
}

static void amdgpu_tells_time_and_each_region_twice(void **state)
{
	struct rf_fdinfo info = parse("pos:\t0\nflags:\t02100002\nmnt_id:\t25\nino:\t600\n"
				      "drm-driver:\tamdgpu\n"
				      "drm-client-id:\t1234\n"
				      "drm-pdev:\t0000:03:00.0\n"
				      "pasid:\t32770\n"
				      "drm-total-vram:\t2 MiB\n"
				      "drm-shared-vram:\t0\n"
				      "drm-active-vram:\t0\n"
				      "drm-resident-vram:\t2 MiB\n"
				      "drm-purgeable-vram:\t0\n"
				      "drm-memory-vram:\t2048 KiB\n"
				      "drm-memory-gtt: \t1024 KiB\n"
				      "drm-memory-cpu: \t0 KiB\n"
				      "amd-evicted-vram:\t7 KiB\n"
				      "drm-engine-gfx:\t1000000 ns\n"
				      "drm-engine-compute:\t2500000 ns\n"
				      "drm-engine-capacity-compute:\t4\n");

	(void)state;
	assert_string_equal(info.driver, "amdgpu");
	assert_string_equal(info.pdev, "0000:03:00.0");
	assert_true(info.has_client);
	assert_int_equal(info.client, 1234);
	assert_int_equal(info.engines, 2);
	assert_int_equal(info.engine_ns, 3500000);
	assert_int_equal(info.regions, 3);
	assert_int_equal(info.resident, 3 * MIB);
	assert_int_equal(info.skipped, 0);
}

static void the_old_name_of_a_region_may_come_first(void **state)
{
	struct rf_fdinfo info = parse("drm-memory-vram:\t9 KiB\ndrm-resident-vram:\t8 KiB\ndrm-memory-gtt:\t1 KiB\n");

	(void)state;
	assert_int_equal(info.regions, 2);
	assert_int_equal(info.resident, 9 * 1024);
}

static void xe_tells_cycles_and_no_time(void **state)
{
	struct rf_fdinfo info = parse("drm-driver:\txe\ndrm-client-id:\t7\ndrm-pdev:\t0000:00:02.0\n"
				      "drm-cycles-rcs:\t28257900\ndrm-total-cycles-rcs:\t7655183225\n"
				      "drm-cycles-ccs:\t100\ndrm-total-cycles-ccs:\t7655183225\n"
				      "drm-engine-capacity-ccs:\t4\n"
				      "drm-resident-system:\t2092 KiB\ndrm-resident-vram0:\t16 MiB\n"
				      "drm-maxfreq-rcs:\t2100 MHz\n");

	(void)state;
	assert_int_equal(info.engines, 0);
	assert_int_equal(info.counters, 2);
	assert_int_equal(info.cycles, 28258000);
	assert_int_equal(info.total_cycles, 15310366450ULL);
	assert_int_equal(info.resident, 2092 * 1024 + 16 * MIB);
	assert_int_equal(info.skipped, 0);
}

static void a_file_of_another_kind_is_told_as_such(void **state)
{
	struct rf_fdinfo info = parse("pos:\t0\nflags:\t02\nmnt_id:\t16\nino:\t5\neventfd-count: 0\n");

	(void)state;
	assert_string_equal(info.driver, "");
	assert_false(info.has_client);
	assert_int_equal(info.engine_ns, 0);
}

static void what_makes_no_sense_is_counted_and_passed_over(void **state)
{
	static const char *const lines[] = {
		"drm-engine-gfx:\t12\n",
		"drm-engine-gfx:\t12 us\n",
		"drm-engine-gfx:\t-1 ns\n",
		"drm-engine-gfx:\t18446744073709551616 ns\n",
		"drm-resident-vram:\t1 GiB\n",
		"drm-resident-vram:\t18014398509481984 KiB\n",
		"drm-client-id:\tx\n",
		"drm-client-id:\n",
		"drm-driver:\t\n",
		"drm-driver:\tabcdefghijklmnopqrstuvwxyzabcdefghij\n",
		"drm-cycles-rcs:\t5 Hz\n",
		"drm-client-id:\t7 x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct rf_fdinfo info = parse(lines[i]);

		assert_int_equal(info.skipped, 1);
		assert_string_equal(info.driver, "");
		assert_int_equal(info.engine_ns + info.resident + info.cycles + info.client, 0);
	}
	assert_int_equal(parse("drm-engine-\ndrm-\ndrm-x\ndrm-unknown-key:\t5\ndrm-engine-:\t3 ns\n").skipped, 0);
}

static void sums_stop_at_the_end(void **state)
{
	struct rf_fdinfo info = parse("drm-engine-a:\t18446744073709551615 ns\ndrm-engine-b:\t1 ns\n"
				      "drm-resident-a:\t17592186044415 MiB\ndrm-resident-b:\t17592186044415 MiB\n");

	(void)state;
	assert_true(info.engine_ns == UINT64_MAX);
	assert_true(info.resident == UINT64_MAX);
}

static void regions_past_the_table_are_counted(void **state)
{
	char text[1024];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 17; i++)
		n += snprintf(text + n, sizeof(text) - n, "drm-resident-r%d:\t1 KiB\n", i);
	assert_int_equal(parse(text).regions, 16);
	assert_int_equal(parse(text).skipped, 1);
	assert_int_equal(parse(text).resident, 16 * 1024);
}

static void a_descriptor_is_read_again_and_again(void **state)
{
	char dir[] = "/tmp/fdinfo-XXXXXX", path[64];
	struct rf_fdinfo info;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/12/fdinfo", dir);
	assert_int_equal(rf_fs_mkdir_p(path, 0700), 0);
	assert_int_equal(rf_fdinfo_open(dir, 12, 3), -ENOENT);
	snprintf(path, sizeof(path), "%s/12/fdinfo/3", dir);
	for (int round = 1; round <= 2; round++) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fprintf(file, "drm-driver:\tx\ndrm-engine-a:\t%d ns\n", round);
		fclose(file);
		if (round == 1)
			fd = rf_fdinfo_open(dir, 12, 3);
		assert_true(fd >= 0);
		assert_int_equal(rf_fdinfo_read(fd, &info), 0);
		assert_int_equal(info.engine_ns, round);
	}
	close(fd);
	assert_int_equal(rf_fs_remove_tree(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amdgpu_tells_time_and_each_region_twice),
		cmocka_unit_test(the_old_name_of_a_region_may_come_first),
		cmocka_unit_test(xe_tells_cycles_and_no_time),
		cmocka_unit_test(a_file_of_another_kind_is_told_as_such),
		cmocka_unit_test(what_makes_no_sense_is_counted_and_passed_over),
		cmocka_unit_test(sums_stop_at_the_end),
		cmocka_unit_test(regions_past_the_table_are_counted),
		cmocka_unit_test(a_descriptor_is_read_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

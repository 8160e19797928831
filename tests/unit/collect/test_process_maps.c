// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of /proc/<pid>/maps: what is one, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "user/collect/process_maps.h"
#include "user/lib/cleanup.h"
#include "user/lib/fs.h"

static struct rf_span text(const char *s)
{
	return (struct rf_span){ s, strlen(s) };
}

static void a_mapped_file_is_told_with_its_place(void **state)
{
	struct rf_span rest = text("7f5c8a000000-7f5c8a028000 r-xp 00028000 08:02 1311                       "
				   "/usr/lib/with a space.so.6\n"
				   "7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0                          [stack]\n"
				   "55d000000000-55d000001000 r--p 00000000 00:00 0 \n");
	struct rf_process_map map;

	(void)state;
	assert_true(rf_process_maps_next(&rest, &map));
	assert_int_equal(map.start, 0x7f5c8a000000);
	assert_int_equal(map.end, 0x7f5c8a028000);
	assert_int_equal(map.offset, 0x28000);
	assert_int_equal(map.device, 8 << 20 | 2);
	assert_int_equal(map.inode, 1311);
	assert_true(map.executable);
	assert_true(rf_span_eq(map.path, "/usr/lib/with a space.so.6"));
	assert_true(rf_process_maps_next(&rest, &map));
	assert_false(map.executable);
	assert_true(rf_span_eq(map.path, "[stack]"));
	assert_true(rf_process_maps_next(&rest, &map));
	assert_int_equal(map.path.n, 0);
	assert_false(rf_process_maps_next(&rest, &map));
}

static void what_is_no_line_is_passed_over(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   "x\n",
					   "7f-\n",
					   "2000-1000 r-xp 0 08:02 1 /x\n",
					   "1000-1000 r-xp 0 08:02 1 /x\n",
					   "1000-2000\n",
					   "1000-2000 r-xp\n",
					   "1000-2000 r-xp 0\n",
					   "1000-2000 r-xp 0 08:02\n",
					   "1000-2000 r-x 0 08:02 1 /x\n",
					   "00000000000001000-2000 r-xp 0 08:02 1 /x\n",
					   "-1000-2000 r-xp 0 08:02 1 /x\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct rf_span rest = text(bad[i]);
		struct rf_process_map map;

		assert_false(rf_process_maps_next(&rest, &map));
	}
}

static void our_own_are_read_and_opened(void **state)
{
	_cleanup_free_ char *maps = NULL;
	struct rf_process_map map;
	struct rf_span rest;
	int found = 0;
	char link[64];
	size_t len;

	(void)state;
	assert_int_equal(rf_fs_read(AT_FDCWD, "/proc/self/maps", 1 << 20, &maps, &len), 0);
	rest = (struct rf_span){ maps, len };
	while (rf_process_maps_next(&rest, &map)) {
		_cleanup_close_ int fd = -1;

		if (!map.executable || !map.path.n || *map.path.s != '/' || geteuid())
			continue;
		rf_process_map_link(getpid(), &map, link, sizeof(link));
		fd = open(link, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		found++;
	}
	assert_true(found > 1 || geteuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapped_file_is_told_with_its_place),
		cmocka_unit_test(what_is_no_line_is_passed_over),
		cmocka_unit_test(our_own_are_read_and_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

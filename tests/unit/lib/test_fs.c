// SPDX-License-Identifier: GPL-2.0-or-later
/* Files, in a directory of the test's own: bounds, and what must not be followed or waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>

#include "user/lib/fs.h"

static char base[64];
static char path_buffer[8][256];

/* A path below the test's directory; eight are good at once. */
static const char *at(const char *name)
{
	static unsigned int next;
	char *path = path_buffer[next++ % ARRAY_SIZE(path_buffer)];

	snprintf(path, sizeof(path_buffer[0]), "%s/%s", base, name);
	return path;
}

static int make_base(void **state)
{
	(void)state;
	strcpy(base, "/tmp/rf-test-fs-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
	(void)state;
	/* What a failed test left mounted would keep the directory there. */
	umount2(at("tree/mount"), MNT_DETACH);
	return rf_fs_remove_tree(base);
}

static void put(const char *name, const char *data, size_t len)
{
	_cleanup_close_ int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static void expect_content(const char *name, const char *want)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;

	assert_int_equal(rf_fs_read(AT_FDCWD, at(name), 1 << 20, &data, &len), 0);
	assert_string_equal(data, want);
	assert_int_equal(len, strlen(want));
}

static void a_file_is_read_up_to_the_bound_and_not_past_it(void **state)
{
	/* Around the first buffer, where growing could lose a byte. */
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 4098, 20000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *content = calloc(1, sizes[i] + 1), *data = NULL;
		char *untouched = content;
		size_t len = 99;

		memset(content, 'x', sizes[i]);
		put("f", content, sizes[i]);
		assert_int_equal(rf_fs_read(AT_FDCWD, at("f"), sizes[i], &data, &len), 0);
		assert_int_equal(len, sizes[i]);
		assert_string_equal(data, content);
		if (sizes[i] == 0)
			continue;
		len = 99;
		assert_int_equal(rf_fs_read(AT_FDCWD, at("f"), sizes[i] - 1, &untouched, &len), -EFBIG);
		assert_ptr_equal(untouched, content);
		assert_int_equal(len, 99);
	}
}

static void files_that_tell_no_size_are_read_whole(void **state)
{
	_cleanup_free_ char *data = NULL, *none = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(rf_fs_read(AT_FDCWD, "/proc/self/status", 1 << 20, &data, &len), 0);
	assert_true(len > 100);
	assert_int_equal(strlen(data), len);
	assert_int_equal(rf_fs_read(AT_FDCWD, "/proc/self/status", 10, &none, &len), -EFBIG);
}

static void what_is_no_file_is_refused_and_never_waited_for(void **state)
{
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char *data = NULL;
	size_t len;

	(void)state;
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(rf_fs_read(AT_FDCWD, at("fifo"), 10, &data, &len), -EINVAL);
	assert_int_equal(rf_fs_read(AT_FDCWD, "/dev/null", 10, &data, &len), -EINVAL);
	assert_int_equal(rf_fs_read(AT_FDCWD, base, 10, &data, &len), -EISDIR);
	assert_int_equal(rf_fs_read(AT_FDCWD, at("gone"), 10, &data, &len), -ENOENT);
	strcpy(name.sun_path, at("socket"));
	assert_int_equal(bind(sock, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(rf_fs_read(AT_FDCWD, at("socket"), 10, &data, &len), -EINVAL);
	assert_null(data);
}

static void a_write_replaces_the_whole_file_or_nothing(void **state)
{
	_cleanup_close_ int dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char **names;
	struct stat st;
	size_t n;

	(void)state;
	umask(077);
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, at("f"), "one", 3, 0644), 0);
	expect_content("f", "one");
	assert_int_equal(stat(at("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(rf_fs_write_atomic(dir, "f", "two", 3, 0600), 0);
	expect_content("f", "two");
	assert_int_equal(mkdir(at("d"), 0700), 0);
	put("d/x", "", 0);
	/* A directory in the way: nothing is replaced, nothing left behind. */
	assert_int_equal(rf_fs_write_atomic(dir, "d", "x", 1, 0600), -EISDIR);
	assert_int_equal(rf_fs_write_atomic(dir, "gone/f", "x", 1, 0600), -ENOENT);
	assert_int_equal(rf_fs_write_atomic(dir, "d/", "x", 1, 0600), -EINVAL);
	assert_int_equal(rf_fs_write_atomic(dir, "..", "x", 1, 0600), -EINVAL);
	assert_int_equal(rf_fs_list(AT_FDCWD, base, 10, &names, &n), 0);
	assert_int_equal(n, 2);
	rf_fs_names_free(names, n);
}

static void a_write_replaces_a_link_and_not_its_target(void **state)
{
	struct stat st;

	(void)state;
	put("target", "kept", 4);
	assert_int_equal(symlink("target", at("link")), 0);
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, at("link"), "new", 3, 0600), 0);
	expect_content("target", "kept");
	expect_content("link", "new");
	assert_int_equal(lstat(at("link"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void a_control_file_must_exist(void **state)
{
	(void)state;
	assert_int_equal(rf_fs_write_control(AT_FDCWD, at("c"), "1"), -ENOENT);
	put("c", "", 0);
	assert_int_equal(rf_fs_write_control(AT_FDCWD, at("c"), "1"), 0);
	expect_content("c", "1");
}

static void directories_are_made_and_kept(void **state)
{
	struct stat st;

	(void)state;
	umask(022);
	assert_int_equal(rf_fs_mkdir_p(at("a//b/c/"), 0700), 0);
	assert_int_equal(stat(at("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(rf_fs_mkdir_p(at("a/b/c"), 0755), 0);
	assert_int_equal(rf_fs_mkdir_p("/", 0755), 0);
	assert_int_equal(rf_fs_mkdir_p("", 0755), -ENOENT);
	put("file", "", 0);
	assert_int_equal(rf_fs_mkdir_p(at("file"), 0700), -ENOTDIR);
	assert_int_equal(rf_fs_mkdir_p(at("file/x"), 0700), -ENOTDIR);
}

static void a_tree_goes_and_what_links_lead_to_stays(void **state)
{
	(void)state;
	assert_int_equal(rf_fs_mkdir_p(at("keep/x"), 0700), 0);
	put("keep/f", "", 0);
	assert_int_equal(rf_fs_mkdir_p(at("tree/a/b"), 0700), 0);
	put("tree/f", "", 0);
	put("tree/a/f", "", 0);
	assert_int_equal(symlink(at("keep"), at("tree/a/dir-link")), 0);
	assert_int_equal(symlink("f", at("tree/file-link")), 0);
	assert_int_equal(mkfifo(at("tree/fifo"), 0600), 0);
	assert_int_equal(symlink(at("keep"), at("link")), 0);
	assert_int_equal(rf_fs_remove_tree(at("tree")), 0);
	assert_false(exists("tree"));
	assert_int_equal(rf_fs_remove_tree(at("link")), 0);
	assert_false(exists("link"));
	assert_true(exists("keep/x") && exists("keep/f"));
}

static void what_is_absent_is_removed(void **state)
{
	(void)state;
	assert_int_equal(rf_fs_remove_tree(at("gone")), 0);
	assert_int_equal(rf_fs_remove_tree(at("gone/gone")), 0);
}

static void a_file_is_a_tree_too(void **state)
{
	(void)state;
	put("f", "", 0);
	assert_int_equal(rf_fs_remove_tree(at("f")), 0);
	assert_false(exists("f"));
}

/* @depth directories inside one another, below @name. */
static void make_deep(const char *name, int depth)
{
	_cleanup_close_ int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(fd, i ? "d" : name, 0700), 0);
		next = openat(fd, i ? "d" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
}

static void a_tree_without_end_is_an_error(void **state)
{
	(void)state;
	make_deep("deep", 128);
	assert_int_equal(rf_fs_remove_tree(at("deep")), 0);
	make_deep("deeper", 129);
	assert_int_equal(rf_fs_remove_tree(at("deeper")), -ELOOP);
	/* One level in, it is short enough. */
	assert_int_equal(rf_fs_remove_tree(at("deeper/d")), 0);
}

static void a_mount_is_not_crossed(void **state)
{
	(void)state;
	assert_int_equal(rf_fs_mkdir_p(at("outside"), 0700), 0);
	assert_int_equal(rf_fs_mkdir_p(at("tree/mount"), 0700), 0);
	put("outside/f", "", 0);
	/* A bind mount: the same file system, so that comparing device numbers would not do. */
	if (mount(at("outside"), at("tree/mount"), NULL, MS_BIND, NULL) < 0) {
		print_message("skipped: mount: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(rf_fs_remove_tree(at("tree")), -EXDEV);
	assert_int_equal(rf_fs_remove_tree(at("tree/mount")), -EXDEV);
	assert_true(exists("outside/f"));
	assert_int_equal(umount(at("tree/mount")), 0);
	assert_int_equal(rf_fs_remove_tree(at("tree")), 0);
}

static void names_are_sorted_and_bounded(void **state)
{
	char **names = NULL;
	size_t n = 7;

	(void)state;
	assert_int_equal(rf_fs_list(AT_FDCWD, base, 0, &names, &n), 0);
	assert_int_equal(n, 0);
	rf_fs_names_free(names, n);
	put("b", "", 0);
	put("a", "", 0);
	put(".c", "", 0);
	names = NULL;
	n = 7;
	assert_int_equal(rf_fs_list(AT_FDCWD, base, 2, &names, &n), -E2BIG);
	assert_null(names);
	assert_int_equal(n, 7);
	assert_int_equal(rf_fs_list(AT_FDCWD, base, 3, &names, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], ".c");
	assert_string_equal(names[1], "a");
	assert_string_equal(names[2], "b");
	rf_fs_names_free(names, n);
	assert_int_equal(rf_fs_list(AT_FDCWD, at("a"), 3, &names, &n), -ENOTDIR);
	assert_int_equal(rf_fs_list(AT_FDCWD, at("gone"), 3, &names, &n), -ENOENT);
}

static void many_names_are_listed(void **state)
{
	char **names;
	size_t n;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%03d", i);
		put(name, "", 0);
	}
	assert_int_equal(rf_fs_list(AT_FDCWD, base, 100, &names, &n), 0);
	assert_int_equal(n, 100);
	assert_string_equal(names[99], "099");
	rf_fs_names_free(names, n);
}

static void the_id_of_a_directory_is_its_inode_number(void **state)
{
	/* Real cgroups where the host shows them; any directory answers the same way. */
	static const char *const dirs[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/tmp" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_close_ int fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		unsigned long long id = 0, by_fd = 0;
		struct stat st;

		if (fd < 0)
			continue;
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(rf_fs_cgroup_id(AT_FDCWD, dirs[i], &id), 0);
		assert_true(id == st.st_ino);
		assert_int_equal(rf_fs_cgroup_id(fd, "", &by_fd), 0);
		assert_true(by_fd == id);
	}
}

static void the_id_of_nothing_is_an_error(void **state)
{
	unsigned long long id = 77;

	(void)state;
	assert_int_equal(rf_fs_cgroup_id(AT_FDCWD, at("gone"), &id), -ENOENT);
	assert_true(id == 77);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_base, remove_base)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_up_to_the_bound_and_not_past_it),
		TEST(files_that_tell_no_size_are_read_whole),
		TEST(what_is_no_file_is_refused_and_never_waited_for),
		TEST(a_write_replaces_the_whole_file_or_nothing),
		TEST(a_write_replaces_a_link_and_not_its_target),
		TEST(a_control_file_must_exist),
		TEST(directories_are_made_and_kept),
		TEST(a_tree_goes_and_what_links_lead_to_stays),
		TEST(what_is_absent_is_removed),
		TEST(a_file_is_a_tree_too),
		TEST(a_tree_without_end_is_an_error),
		TEST(a_mount_is_not_crossed),
		TEST(names_are_sorted_and_bounded),
		TEST(many_names_are_listed),
		TEST(the_id_of_a_directory_is_its_inode_number),
		TEST(the_id_of_nothing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

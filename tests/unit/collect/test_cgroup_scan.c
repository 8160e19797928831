// SPDX-License-Identifier: GPL-2.0-or-later
/* The walk, over a tree in a temporary directory and over cgroups of our own. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/cgroup_scan.h"
#include "user/collect/mountinfo.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define SEEN_MAX 64

struct seen {
	uint64_t id, parent_id;
	char path[PATH_MAX];
};

struct walk {
	struct seen at[SEEN_MAX];
	size_t n;
	size_t stop_at; /* 0: never */
	int root_fd;
	const char *remove; /* an entry to remove when it is not yet visited */
	size_t deepest;
};

struct fixture {
	char dir[256];
	int fd;
	struct walk walk;
};

static int note(uint64_t id, uint64_t parent_id, const char *path, void *arg)
{
	struct walk *w = arg;

	w->deepest = MAX(w->deepest, strlen(path));
	if (w->n < SEEN_MAX) {
		w->at[w->n].id = id;
		w->at[w->n].parent_id = parent_id;
		snprintf(w->at[w->n].path, sizeof(w->at[w->n].path), "%s", path);
	}
	w->n++;
	if (w->remove) {
		assert_int_equal(unlinkat(w->root_fd, w->remove, AT_REMOVEDIR), 0);
		w->remove = NULL;
	}
	return w->n == w->stop_at ? 42 : 0;
}

static const struct seen *find(const struct walk *w, const char *path)
{
	for (size_t i = 0; i < w->n; i++) {
		if (rf_streq(w->at[i].path, path))
			return &w->at[i];
	}
	return NULL;
}

static void make(const struct fixture *f, const char *name)
{
	assert_int_equal(mkdirat(f->fd, name, 0755), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/rf-scan-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	f->walk.root_fd = f->fd;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[512];

	close(f->fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static uint64_t id_of(int root_fd, const char *path)
{
	unsigned long long id = 0;

	assert_int_equal(rf_fs_cgroup_id(root_fd, path, &id), 0);
	return id;
}

/* Every directory has its own id, its parent's, and stands after its parent. */
static void check_tree(const struct walk *w, int root_fd)
{
	for (size_t i = 0; i < w->n; i++) {
		const char *path = w->at[i].path, *slash = strrchr(path, '/');
		char parent[PATH_MAX];

		assert_int_equal(path[0], '/');
		assert_int_equal(w->at[i].id, id_of(root_fd, path + 1));
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		assert_int_equal(w->at[i].parent_id, id_of(root_fd, *parent ? parent + 1 : "."));
		if (*parent) {
			assert_non_null(find(w, parent));
			assert_true(find(w, parent) < &w->at[i]);
		}
	}
}

static void every_directory_is_visited_after_its_parent(void **state)
{
	struct fixture *f = *state;

	make(f, "a");
	make(f, "a/b");
	make(f, "a/b/c");
	make(f, "a/d");
	make(f, "e");
	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), 0);
	assert_int_equal(f->walk.n, 5);
	check_tree(&f->walk, f->fd);
}

static void an_empty_root_has_nothing_below_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), 0);
	assert_int_equal(f->walk.n, 0);
}

static void files_and_links_are_not_entered(void **state)
{
	struct fixture *f = *state;
	int fd;

	make(f, "a");
	fd = openat(f->fd, "a/cgroup.procs", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("/", f->fd, "a/out"), 0);
	assert_int_equal(symlinkat("a", f->fd, "loop"), 0);
	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), 0);
	assert_int_equal(f->walk.n, 1);
	assert_string_equal(f->walk.at[0].path, "/a");
}

static void what_the_callback_returns_ends_the_walk(void **state)
{
	struct fixture *f = *state;

	make(f, "a");
	make(f, "b");
	make(f, "c");
	f->walk.stop_at = 2;
	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), 42);
	assert_int_equal(f->walk.n, 2);
}

static void a_directory_that_vanishes_meanwhile_is_passed_over(void **state)
{
	struct fixture *f = *state;

	make(f, "a");
	make(f, "a/b");
	/* Removed by the call for "/a", before its children are listed or opened. */
	f->walk.remove = "a/b";
	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), 0);
	assert_int_equal(f->walk.n, 1);
}

static void a_listed_directory_that_vanishes_is_passed_over(void **state)
{
	static const char *const names[] = { "a", "b" };
	struct fixture *f = *state;
	int r;

	/* Whichever of the two comes first, the other is listed already and gone when its turn comes. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		make(f, "a");
		make(f, "b");
		f->walk.n = 0;
		f->walk.remove = names[i];
		r = rf_cgroup_scan(f->fd, note, &f->walk);
		assert_int_equal(r, 0);
		assert_true(f->walk.n == 1 || f->walk.n == 2);
		assert_int_equal(unlinkat(f->fd, names[1 - i], AT_REMOVEDIR), 0);
	}
}

static void a_tree_deeper_than_a_path_is_walked_as_far_as_paths_go(void **state)
{
	struct fixture *f = *state;
	char name[256];
	int fd = dup(f->fd), next;

	memset(name, 'd', sizeof(name) - 1);
	name[255] = '\0';
	for (int i = 0; i < 17; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	make(f, "z");
	assert_int_equal(rf_cgroup_scan(f->fd, note, &f->walk), -ENAMETOOLONG);
	/* 15 components of 256 bytes fit, the 16th would make 4096; and what stands beside them was visited. */
	assert_int_equal(f->walk.n, 16);
	assert_int_equal(f->walk.deepest, 15 * 256);
	assert_non_null(find(&f->walk, "/z"));
}

static void a_bad_descriptor_is_an_error(void **state)
{
	struct walk w = { 0 };

	(void)state;
	assert_true(rf_cgroup_scan(-1, note, &w) < 0);
	assert_int_equal(w.n, 0);
}

static void cgroups_have_the_ids_that_the_kernel_gave_them(void **state)
{
	_cleanup_free_ char *mount = NULL;
	struct fixture *f = *state;
	struct fixture cg = { .fd = -1 };

	if (rf_cgroup2_mount_find(&mount)) {
		print_message("no cgroup v2 mount here\n");
		skip();
	}
	snprintf(cg.dir, sizeof(cg.dir), "%s/rf-test-scan-%d", mount, getpid());
	if (mkdir(cg.dir, 0755)) {
		print_message("%s is not writable: %s\n", mount, strerror(errno));
		skip();
	}
	cg.fd = open(cg.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(cg.fd >= 0);
	make(&cg, "a");
	make(&cg, "a/b");
	make(&cg, "c");

	int r = rf_cgroup_scan(cg.fd, note, &f->walk);
	struct stat st;
	bool same = fstatat(cg.fd, "a/b", &st, 0) == 0 && find(&f->walk, "/a/b") &&
		    find(&f->walk, "/a/b")->id == st.st_ino;

	unlinkat(cg.fd, "a/b", AT_REMOVEDIR);
	unlinkat(cg.fd, "a", AT_REMOVEDIR);
	unlinkat(cg.fd, "c", AT_REMOVEDIR);
	close(cg.fd);
	rmdir(cg.dir);
	assert_int_equal(r, 0);
	assert_int_equal(f->walk.n, 3);
	assert_true(same);
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(every_directory_is_visited_after_its_parent),
		t(an_empty_root_has_nothing_below_it),
		t(files_and_links_are_not_entered),
		t(what_the_callback_returns_ends_the_walk),
		t(a_directory_that_vanishes_meanwhile_is_passed_over),
		t(a_listed_directory_that_vanishes_is_passed_over),
		t(a_tree_deeper_than_a_path_is_walked_as_far_as_paths_go),
		t(a_bad_descriptor_is_an_error),
		t(cgroups_have_the_ids_that_the_kernel_gave_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

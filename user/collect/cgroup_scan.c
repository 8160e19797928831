// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A list of directories still to be visited rather than recursion: neither the
 * stack nor the open files grow with a depth that a tenant chooses.
 */
#include "user/collect/cgroup_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "user/lib/fs.h"
#include "user/lib/util.h"

struct pending {
	char *path;
	uint64_t parent_id;
};

struct scan {
	int root_fd;
	struct pending *items;
	size_t n, capacity;
	size_t seen;
	int error; /* the first thing that could not be visited */
};

static void scan_fini(struct scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].path);
	free(s->items);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* kernfs says ENODEV of a directory that was removed while it was open. */
static bool has_vanished(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ESTALE;
}

static void skip(struct scan *s, int r)
{
	if (!has_vanished(r) && !s->error)
		s->error = r;
}

static int push(struct scan *s, const char *above, const char *name, uint64_t parent_id)
{
	struct pending *items;
	size_t capacity;
	char *path;

	if (strlen(above) + 1 + strlen(name) >= PATH_MAX) {
		skip(s, -ENAMETOOLONG);
		return 0;
	}
	if (++s->seen > RF_CGROUP_SCAN_MAX)
		return -E2BIG;
	if (s->n == s->capacity) {
		capacity = s->capacity ? s->capacity * 2 : 64;
		items = reallocarray(s->items, capacity, sizeof(*items));
		if (!items)
			return -ENOMEM;
		s->items = items;
		s->capacity = capacity;
	}
	if (asprintf(&path, "%s/%s", above, name) < 0)
		return -ENOMEM;
	s->items[s->n++] = (struct pending){ path, parent_id };
	return 0;
}

/* @path without its leading '/'; "" is the root. */
static int open_directory(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool may_be_directory(const struct dirent *entry)
{
	if (rf_streq(entry->d_name, ".") || rf_streq(entry->d_name, ".."))
		return false;
	return entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
}

/* Takes @fd. */
static int list_children(struct scan *s, int fd, const char *path, uint64_t id)
{
	_cleanup_(closedirp) DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (!may_be_directory(entry))
			continue;
		r = push(s, path, entry->d_name, id);
		if (r)
			return r;
	}
	skip(s, -errno);
	return 0;
}

int rf_cgroup_scan(int root_fd, int (*fn)(uint64_t id, uint64_t parent_id, const char *path, void *arg), void *arg)
{
	_cleanup_(scan_fini) struct scan s = { .root_fd = root_fd };
	unsigned long long id;
	int r, fd;

	r = rf_fs_cgroup_id(root_fd, ".", &id);
	if (r)
		return r;
	fd = open_directory(root_fd, "");
	if (fd < 0)
		return fd;
	r = list_children(&s, fd, "", id);

	while (!r && s.n) {
		struct pending next = s.items[--s.n];
		_cleanup_free_ char *path = next.path;

		fd = open_directory(root_fd, path + 1);
		/* No directory after all (DT_UNKNOWN), a link put in its place, a mount on top: nothing of ours. */
		if (fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV)
			continue;
		if (fd < 0) {
			skip(&s, fd);
			continue;
		}
		r = rf_fs_cgroup_id(fd, ".", &id);
		if (r) {
			close(fd);
			skip(&s, r);
			r = 0;
			continue;
		}
		r = fn(id, next.parent_id, path, arg);
		if (r) {
			close(fd);
			break;
		}
		r = list_children(&s, fd, path, id);
	}
	return r ? r : s.error;
}

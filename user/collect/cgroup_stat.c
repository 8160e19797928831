// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pids.current, cpu.stat and memory.current. cgroup.procs is the fallback of
 * the first; its lines are counted as they are read, there may be many.
 */
#include "user/collect/cgroup_stat.h"

#include <errno.h>
#include <fcntl.h>

#include "user/collect/flat_keyed.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define STAT_MAX 65536

/* The controller is off here, or the file is not for this kind of cgroup (a threaded one). */
static bool is_untold(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP;
}

/* @key NULL: the file is one number. */
static int read_number(int fd, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *value;
	size_t len;
	int r;

	r = rf_fs_read(fd, file, STAT_MAX, &text, &len);
	if (is_untold(r))
		return 0;
	if (r)
		return r;
	if (!key)
		return rf_line_u64(text, ret);
	value = rf_flat_keyed_find(text, key);
	return value ? rf_line_u64(value, ret) : 0;
}

static int count_lines(int dir_fd, const char *file, uint64_t *ret)
{
	_cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint64_t lines = 0;
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return is_untold(-errno) ? 0 : -errno;
	while ((n = read(fd, buf, sizeof(buf)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return is_untold(-errno) ? 0 : -errno;
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	}
	*ret = lines;
	return 0;
}

int rf_cgroup_stat_read(int root_fd, const char *path, struct rf_cgroup_stat *ret)
{
	struct rf_cgroup_stat st = { RF_UNKNOWN, RF_UNKNOWN, RF_UNKNOWN };
	_cleanup_close_ int fd = -1;
	int r;

	if (*path != '/')
		return -EINVAL;
	fd = openat(root_fd, path[1] ? path + 1 : ".", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;

	r = read_number(fd, "pids.current", NULL, &st.tasks);
	if (!r && st.tasks == RF_UNKNOWN)
		r = count_lines(fd, "cgroup.procs", &st.tasks);
	if (!r)
		r = read_number(fd, "cpu.stat", "usage_usec", &st.cpu_usec);
	if (!r)
		r = read_number(fd, "memory.current", NULL, &st.memory_bytes);
	if (r)
		return r == -ENODEV ? -ENOENT : r;
	*ret = st;
	return 0;
}

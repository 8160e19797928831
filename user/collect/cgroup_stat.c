// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pids.current, cpu.stat and memory.current. cgroup.procs is the fallback of
 * the first; its lines are counted as they are read, there may be many.
 */
#include "user/collect/cgroup_stat.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>

#include "user/lib/fs.h"
#include "user/lib/util.h"

#define STAT_MAX 65536

/* Decimal digits up to the end or a newline. */
static int parse_u64(const char *s, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EBADMSG;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (errno || (*end && *end != '\n'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

/* The controller is off here, or the file is not for this kind of cgroup (a threaded one). */
static bool is_untold(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP;
}

/* @key NULL: the file is one number. */
static int read_number(int fd, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	size_t len;
	int r;

	r = rf_fs_read(fd, file, STAT_MAX, &text, &len);
	if (is_untold(r))
		return 0;
	if (r)
		return r;
	if (!key)
		return parse_u64(text, ret);
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (rf_strprefix(line, key))
			return parse_u64(line + strlen(key), ret);
	}
	return 0;
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
		r = read_number(fd, "cpu.stat", "usage_usec ", &st.cpu_usec);
	if (!r)
		r = read_number(fd, "memory.current", NULL, &st.memory_bytes);
	if (r)
		return r == -ENODEV ? -ENOENT : r;
	*ret = st;
	return 0;
}

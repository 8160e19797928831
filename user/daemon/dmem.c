// SPDX-License-Identifier: GPL-2.0-or-later
/* One write a region: the kernel takes the lines of one write in turn, and stops at the first that it refuses. */
#include "user/daemon/dmem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/xattr.h>

#include "user/lib/fs.h"

#define FILE_MAX   65536
#define CLAIMS_MAX 65536

/* "a/b/FILE", for use with the root's descriptor. */
static int name_make(const char *path, const char *file, char ret[RF_MEMORY_PATH])
{
	int n;

	if (*path != '/')
		return -EINVAL;
	n = snprintf(ret, RF_MEMORY_PATH, "%s%s%s", path + 1, path[1] ? "/" : "", file);
	return n < 0 || n >= RF_MEMORY_PATH ? -ENAMETOOLONG : 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + n, word))
		if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' ' || at[n] == '\n'))
			return true;
	return false;
}

int rf_dmem_read(int root, const char *path, const char *file, struct rf_dmem *ret)
{
	_cleanup_free_ char *text = NULL;
	char name[RF_MEMORY_PATH];
	size_t len;
	int r = name_make(path, file, name);

	if (r >= 0)
		r = rf_fs_read(root, name, FILE_MAX, &text, &len);
	return r < 0 ? r : rf_dmem_parse(text, len, ret);
}

int rf_dmem_capacity(int root, struct rf_dmem *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = rf_fs_read(root, "cgroup.controllers", FILE_MAX, &text, NULL);

	if (r < 0)
		return r;
	return has_word(text, "dmem") ? rf_dmem_read(root, "/", "dmem.capacity", ret) : -ENOENT;
}

int rf_dmem_enable(int root, const char *path)
{
	char above[RF_MEMORY_PATH] = "/", name[RF_MEMORY_PATH];
	int r = 0;

	/* The root, then each that ends before another begins. */
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		if (slash != path)
			snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
		r = name_make(above, "cgroup.subtree_control", name);
		if (r >= 0)
			r = rf_fs_write_control(root, name, "+dmem");
		if (r < 0)
			return r;
	}
	return r;
}

int rf_dmem_write(int root, const char *path, const char *region, uint64_t bytes)
{
	char line[RF_DMEM_NAME + 32], name[RF_MEMORY_PATH];
	int r = name_make(path, "dmem.max", name);

	if (r < 0)
		return r;
	if (bytes == RF_MEMORY_MAX)
		snprintf(line, sizeof(line), "%s max", region);
	else
		snprintf(line, sizeof(line), "%s %" PRIu64, region, bytes);
	return rf_fs_write_control(root, name, line);
}

/* ---- what is kept ---- */

static int directory_open(int root, const char *path)
{
	char name[RF_MEMORY_PATH];
	int r = name_make(path, ".", name), fd;

	if (r < 0)
		return r;
	fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int rf_dmem_claims_load(int root, const char *path, struct rf_memory_claims *ret)
{
	_cleanup_close_ int fd = directory_open(root, path);
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	*ret = (struct rf_memory_claims){ NULL, 0 };
	if (fd < 0)
		return fd;
	n = fgetxattr(fd, RF_DMEM_CLAIMS, NULL, 0);
	if (n <= 0)
		return n < 0 && errno != ENODATA ? -errno : 0;
	text = malloc(CLAIMS_MAX);
	if (!text)
		return -ENOMEM;
	n = fgetxattr(fd, RF_DMEM_CLAIMS, text, CLAIMS_MAX);
	return n < 0 ? -errno : rf_memory_claims_parse(text, (size_t)n, ret);
}

int rf_dmem_claims_store(int root, const char *path, const struct rf_memory_claims *claims)
{
	_cleanup_close_ int fd = directory_open(root, path);
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	int r;

	if (fd < 0)
		return fd;
	rf_memory_claims_format(claims, &text);
	r = rf_strbuf_error(&text);
	if (r < 0)
		return r;
	if (!text.len)
		return fremovexattr(fd, RF_DMEM_CLAIMS) < 0 && errno != ENODATA ? -errno : 0;
	return fsetxattr(fd, RF_DMEM_CLAIMS, text.data, text.len, 0) < 0 ? -errno : 0;
}

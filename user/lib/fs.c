// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files. What a tenant may have put in the way (a FIFO, a symbolic link, a
 * mount, a directory without end) costs an error, never a hang.
 */
#include "user/lib/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>

#define READ_START	 4096
#define REMOVE_DEPTH_MAX 128

#ifndef FILEID_KERNFS
#define FILEID_KERNFS 0xfe
#endif

static inline void rf_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
	*d = NULL;
}

static ssize_t read_retry(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int rf_fs_read(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	size_t len = 0, hint, capacity;
	struct stat st;

	if (fd < 0)
		/* What open() says of a socket. */
		return errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	max = MIN(max, (size_t)SSIZE_MAX / 2);
	if (st.st_size > 0 && (uint64_t)st.st_size > max && (uint64_t)st.st_blocks > 0)
		return -EFBIG;
	/* The size is only a hint: files of /proc say 0 and those of /sys a page. Two more than it: end and NUL. */
	hint = MAX((size_t)st.st_size, (size_t)READ_START);
	capacity = MIN(hint, max) + 2;
	data = malloc(capacity);
	if (!data)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read_retry(fd, data + len, capacity - 1 - len);

		if (n < 0)
			return n;
		len += n;
		if (len > max)
			return -EFBIG;
		if (n == 0)
			break;
		if (len + 1 == capacity) {
			char *larger = realloc(data, capacity * 2);

			if (!larger)
				return -ENOMEM;
			data = larger;
			capacity *= 2;
		}
	}
	data[len] = '\0';
	*ret_data = TAKE_PTR(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

/* The directory part of @path opened, and the rest of it. A trailing slash or an empty name is -EINVAL. */
static int open_parent(int dirfd, const char *path, int *ret_fd, const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_free_ char *dir = NULL;
	int fd;

	if (!*name || rf_streq(name, ".") || rf_streq(name, ".."))
		return -EINVAL;
	dir = slash ? strndup(path, slash == path ? 1 : slash - path) : strdup(".");
	if (!dir)
		return -ENOMEM;
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	*ret_name = name;
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

/* Fills and renames @tmp of @parent, which is open as @fd. */
static int finish_write(int parent, int fd, const char *tmp, const char *name, const void *data, size_t len,
			mode_t mode)
{
	int r = write_all(fd, data, len);

	if (r < 0)
		return r;
	/* The mode that was asked for, whatever the umask. */
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || renameat(parent, tmp, parent, name) < 0)
		return -errno;
	return 0;
}

int rf_fs_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_close_ int parent = -1;
	_cleanup_close_ int fd = -1;
	unsigned long long token;
	const char *name;
	char tmp[32];
	int r;

	r = open_parent(dirfd, path, &parent, &name);
	if (r < 0)
		return r;
	if (getrandom(&token, sizeof(token), GRND_INSECURE) != sizeof(token))
		return -EIO;
	snprintf(tmp, sizeof(tmp), ".rf-%016llx.tmp", token);
	fd = openat(parent, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = finish_write(parent, fd, tmp, name, data, len, mode);
	if (r < 0) {
		unlinkat(parent, tmp, 0);
		return r;
	}
	return fsync(parent) < 0 ? -errno : 0;
}

int rf_fs_write_control(int dirfd, const char *path, const char *value)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, value, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int make_directory(const char *path, mode_t mode)
{
	struct stat st;
	int r;

	if (mkdir(path, mode) == 0)
		return 0;
	r = -errno;
	/* A read-only or forbidden parent may answer before it says that the name exists. */
	if (stat(path, &st) < 0)
		return r;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

uint32_t rf_fs_kernel_device(dev_t device)
{
	return major(device) << 20 | minor(device);
}

int rf_fs_mkdir_p(const char *path, mode_t mode)
{
	_cleanup_free_ char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	if (!*copy)
		return -ENOENT;
	for (char *c = copy + 1; *c; c++) {
		if (*c != '/' || c[-1] == '/')
			continue;
		*c = '\0';
		r = make_directory(copy, mode);
		if (r < 0)
			return r;
		*c = '/';
	}
	return make_directory(copy, mode);
}

static int remove_at(int parent, const char *name, unsigned int depth);

/* One pass over a directory. *ret_removed: whether anything went. */
static int remove_entries(DIR *dir, unsigned int depth, bool *ret_removed)
{
	const struct dirent *e;
	bool removed = false;
	int r;

	rewinddir(dir);
	while (errno = 0, (e = readdir(dir))) {
		if (rf_streq(e->d_name, ".") || rf_streq(e->d_name, ".."))
			continue;
		r = remove_at(dirfd(dir), e->d_name, depth);
		if (r < 0)
			return r;
		removed = true;
	}
	if (errno)
		return -errno;
	*ret_removed = removed;
	return 0;
}

static int remove_directory(int parent, const char *name, unsigned int depth)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_(rf_closedirp) DIR *dir = NULL;
	bool removed = true;
	int fd, r;

	if (depth >= REMOVE_DEPTH_MAX)
		return -ELOOP;
	fd = syscall(SYS_openat2, parent, name, &how, sizeof(how));
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	/* Some file systems skip entries when others go while they are read: again, until nothing is left. */
	while (removed) {
		r = remove_entries(dir, depth + 1, &removed);
		if (r < 0)
			return r;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
	}
	return -ENOTEMPTY;
}

static int remove_at(int parent, const char *name, unsigned int depth)
{
	/* Linux says EISDIR for a directory; POSIX, and some file systems, EPERM. */
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EPERM) {
		struct stat st;

		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return -EPERM;
	} else if (errno != EISDIR) {
		return -errno;
	}
	return remove_directory(parent, name, depth);
}

int rf_fs_remove_tree(const char *path)
{
	_cleanup_close_ int parent = -1;
	const char *name;
	int r = open_parent(AT_FDCWD, path, &parent, &name);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return remove_at(parent, name, 0);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct name_list {
	char **names;
	size_t n;
	size_t capacity;
};

static void name_list_fini(struct name_list *l)
{
	rf_fs_names_free(l->names, l->n);
}

static int name_list_add(struct name_list *l, const char *name)
{
	if (l->n == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 16;
		char **names = reallocarray(l->names, capacity, sizeof(*names));

		if (!names)
			return -ENOMEM;
		l->names = names;
		l->capacity = capacity;
	}
	l->names[l->n] = strdup(name);
	if (!l->names[l->n])
		return -ENOMEM;
	l->n++;
	return 0;
}

int rf_fs_list(int dirfd, const char *path, size_t max, char ***ret_names, size_t *ret_n)
{
	_cleanup_(name_list_fini) struct name_list list = { NULL, 0, 0 };
	_cleanup_(rf_closedirp) DIR *dir = NULL;
	const struct dirent *e;
	int fd, r;

	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (errno = 0, (e = readdir(dir))) {
		if (rf_streq(e->d_name, ".") || rf_streq(e->d_name, ".."))
			continue;
		if (list.n == max)
			return -E2BIG;
		r = name_list_add(&list, e->d_name);
		if (r < 0)
			return r;
	}
	if (errno)
		return -errno;
	if (list.n)
		qsort(list.names, list.n, sizeof(*list.names), compare_names);
	*ret_n = list.n;
	*ret_names = TAKE_PTR(list.names);
	list.n = 0;
	return 0;
}

void rf_fs_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int rf_fs_cgroup_id(int dirfd, const char *path, unsigned long long *ret_id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int empty = *path ? 0 : AT_EMPTY_PATH, mount_id;
	struct stat st;
	uint64_t id;

	if (name_to_handle_at(dirfd, path, &h.handle, &mount_id, AT_SYMLINK_FOLLOW | empty) == 0 &&
	    h.handle.handle_type == FILEID_KERNFS && h.handle.handle_bytes == sizeof(id)) {
		memcpy(&id, h.handle.f_handle, sizeof(id));
		*ret_id = id;
		return 0;
	}
	/* Sandboxes forbid handles; the inode number is the same number where ino_t has 64 bits. */
	if (fstatat(dirfd, path, &st, empty) < 0)
		return -errno;
	*ret_id = st.st_ino;
	return 0;
}

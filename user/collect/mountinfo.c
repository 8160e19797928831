// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mountinfo: "36 35 98:0 /root /mount/point options [optional fields] - type source super-options", where a space, a
 * tab, a newline and a backslash are written as three octal digits (Documentation/filesystems/proc.rst, 3.5).
 */
#include "user/collect/mountinfo.h"

#include <errno.h>
#include <fcntl.h>

#include "user/lib/span.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define MOUNTINFO_MAX (64 * 1024 * 1024)

struct mount {
	struct rf_span id, parent, device, root, point, type;
};

static bool span_same(struct rf_span a, struct rf_span b)
{
	return a.n == b.n && !memcmp(a.s, b.s, a.n);
}

static bool next_field(struct rf_span *line, struct rf_span *ret)
{
	const char *end;

	if (!line->n)
		return false;
	end = memchr(line->s, ' ', line->n);
	*ret = (struct rf_span){ line->s, end ? (size_t)(end - line->s) : line->n };
	line->s += ret->n;
	line->n -= ret->n;
	if (end) {
		line->s++;
		line->n--;
	}
	return ret->n > 0;
}

static bool parse_line(struct rf_span line, struct mount *m)
{
	struct rf_span field;

	if (!next_field(&line, &m->id) || !next_field(&line, &m->parent) || !next_field(&line, &m->device) ||
	    !next_field(&line, &m->root) || !next_field(&line, &m->point) || !next_field(&line, &field))
		return false;
	do {
		if (!next_field(&line, &field))
			return false;
	} while (!rf_span_eq(field, "-"));
	return next_field(&line, &m->type) && m->point.s[0] == '/';
}

static bool next_mount(struct rf_span *text, struct mount *m)
{
	struct rf_span line;

	while (rf_span_next_line(text, &line))
		if (parse_line(line, m))
			return true;
	return false;
}

/* A mount on top of @m's own root hides it from everyone who walks there. */
static bool is_covered(struct rf_span text, const struct mount *m)
{
	struct mount other;

	while (next_mount(&text, &other)) {
		if (span_same(other.parent, m->id) && !span_same(other.id, m->id) && span_same(other.point, m->point))
			return true;
	}
	return false;
}

static int preference(struct rf_span point)
{
	if (rf_span_eq(point, "/sys/fs/cgroup"))
		return 3;
	return rf_span_eq(point, "/sys/fs/cgroup/unified") ? 2 : 1;
}

static int octal(const char *s)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -1;
		value = value * 8 + s[i] - '0';
	}
	return value > 0 && value < 256 ? value : -1;
}

static char *unescape(struct rf_span from)
{
	char *out = malloc(from.n + 1);
	size_t n = 0;
	int c;

	if (!out)
		return NULL;
	for (size_t i = 0; i < from.n; i++) {
		c = from.s[i] == '\\' && from.n - i >= 4 ? octal(from.s + i + 1) : -1;
		out[n++] = c < 0 ? from.s[i] : c;
		i += c < 0 ? 0 : 3;
	}
	out[n] = '\0';
	return out;
}

int rf_cgroup2_mount_parse(const char *text, size_t len, char **ret)
{
	struct rf_span rest = { text, len };
	struct mount m, best = { 0 };
	int rank = 0;
	char *point;

	while (next_mount(&rest, &m)) {
		if (!rf_span_eq(m.type, "cgroup2") || !rf_span_eq(m.root, "/") || preference(m.point) <= rank ||
		    is_covered((struct rf_span){ text, len }, &m))
			continue;
		best = m;
		rank = preference(m.point);
	}
	if (!rank)
		return -ENOENT;
	point = unescape(best.point);
	if (!point)
		return -ENOMEM;
	*ret = point;
	return 0;
}

int rf_cgroup2_mount_find(char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	r = rf_fs_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len);
	return r ? r : rf_cgroup2_mount_parse(text, len, ret);
}

static int mount_add(struct rf_mounts *m, size_t *room, const struct mount *from)
{
	unsigned int major, minor;
	char *point;

	/* Spans of a text that ends with a NUL. */
	if (sscanf(from->device.s, "%u:%u", &major, &minor) != 2)
		return 0;
	if (m->n == *room) {
		size_t wider = *room ? *room * 2 : 32;
		struct rf_mount_point *grown = reallocarray(m->list, wider, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->list = grown;
		*room = wider;
	}
	point = unescape(from->point);
	if (!point)
		return -ENOMEM;
	m->list[m->n] = (struct rf_mount_point){ strtoull(from->id.s, NULL, 10), major << 20 | minor, point, "" };
	snprintf(m->list[m->n].type, sizeof(m->list[m->n].type), "%.*s", (int)MIN(from->type.n, sizeof(m->list->type)),
		 from->type.s);
	m->n++;
	return 0;
}

int rf_mounts_parse(const char *text, size_t len, struct rf_mounts *ret)
{
	struct rf_span rest = { text, len };
	struct rf_mounts all = { 0 };
	struct mount m;
	size_t room = 0;

	while (next_mount(&rest, &m)) {
		if (mount_add(&all, &room, &m) < 0) {
			rf_mounts_fini(&all);
			return -ENOMEM;
		}
	}
	*ret = all;
	return 0;
}

int rf_mounts_read(pid_t pid, struct rf_mounts *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[40] = "/proc/self/mountinfo";
	size_t len;
	int r;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	r = rf_fs_read(AT_FDCWD, path, MOUNTINFO_MAX, &text, &len);
	return r < 0 ? r : rf_mounts_parse(text, len, ret);
}

const char *rf_mounts_type(const struct rf_mounts *m, uint32_t device)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].device == device)
			return m->list[i].type;
	return NULL;
}

bool rf_mount_is_local(const char *type)
{
	static const char *const local[] = { "ext2", "ext3",  "ext4",	 "xfs",	     "btrfs", "zfs",
					     "f2fs", "tmpfs", "ramfs",	 "bcachefs", "erofs", "squashfs",
					     "jfs",  "vfat",  "iso9660", "rootfs" };

	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		if (rf_streq(type, local[i]))
			return true;
	return false;
}

void rf_mounts_fini(struct rf_mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->list[i].point);
	free(m->list);
	*m = (struct rf_mounts){ 0 };
}

const struct rf_mount_point *rf_mounts_find(const struct rf_mounts *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].id == id)
			return &m->list[i];
	return NULL;
}

int rf_mounts_device(const struct rf_mounts *m, uint64_t id, uint32_t *ret)
{
	const struct rf_mount_point *mount = rf_mounts_find(m, id);

	if (!mount)
		return -ENOENT;
	*ret = mount->device;
	return 0;
}

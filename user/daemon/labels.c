// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths -> inodes. Both numbers are the kernel's own: what stat() tells of the
 * device differs on some file systems (btrfs, overlay), so the inode is read
 * from the descriptor's fdinfo and the device from the table of mounts.
 */
#include "user/daemon/labels.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/collect/mountinfo.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"
#include "user/policy/zones.h"

#define FDINFO_MAX 4096
/* The event loop waits for it, at each apply. */
#define SCAN_NS	   (2 * RF_NSEC_PER_SEC)

static char *path_resolve(const char *path, void *arg)
{
	char *resolved = realpath(path, NULL);

	(void)arg;
	return resolved ? resolved : strdup(path);
}

struct list {
	const struct rf_mounts *mounts;
	struct rf_tree *trees;
	size_t n, room;
	size_t scanned;
	uint64_t deadline_ns; /* of the scan for other names */
};

static bool list_is_late(const struct list *l)
{
	return l->scanned >= RF_MAX_LINK_SCAN || rf_clock_monotonic() > l->deadline_ns;
}

static int list_add(struct list *l, const struct rf_tree *tree)
{
	if (l->n == RF_MAX_TREES)
		return -ENOSPC;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct rf_tree *grown = reallocarray(l->trees, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->trees = grown;
		l->room = room;
	}
	l->trees[l->n++] = *tree;
	return 0;
}

static uint64_t info_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* -ENOENT: it is in no mount that we know. */
static int fd_locate(const struct rf_mounts *mounts, int fd, struct rf_tree *tree)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	r = rf_fs_read(AT_FDCWD, path, FDINFO_MAX, &text, &len);
	if (r < 0)
		return r;
	tree->inode = info_number(text, "\nino:");
	return tree->inode ? rf_mounts_device(mounts, info_number(text, "\nmnt_id:"), &tree->device) : -ENOENT;
}

static int path_locate(const struct rf_mounts *mounts, const char *path, struct rf_tree *tree)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd_locate(mounts, fd, tree);
}

/*
 * Files of more than one name: another may lie elsewhere. @dir is taken. On one file system: what is mounted below is
 * looked at on its own.
 */
static int links_scan(struct list *l, int dir, dev_t device, uint32_t zone, unsigned int depth)
{
	DIR *stream = fdopendir(dir);
	struct dirent *entry;
	int r = 0;

	if (!stream) {
		close(dir);
		return -errno;
	}
	while (r >= 0 && !list_is_late(l) && (entry = readdir(stream))) {
		struct stat st;

		if (rf_streq(entry->d_name, ".") || rf_streq(entry->d_name, ".."))
			continue;
		l->scanned++;
		if (fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != device)
			continue;
		if (S_ISDIR(st.st_mode) && depth < 64) {
			int below =
				openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0)
				(void)links_scan(l, below, device, zone, depth + 1);
		} else if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
			_cleanup_close_ int fd = openat(dirfd(stream), entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			struct rf_tree tree = { .zone = zone };

			if (fd >= 0 && fd_locate(l->mounts, fd, &tree) == 0)
				r = list_add(l, &tree);
		}
	}
	closedir(stream);
	return r;
}

static int zone_scan(struct list *l, const char *path, uint32_t zone)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	return links_scan(l, fd, st.st_dev, zone, 0);
}

/* What is mounted below a path belongs to it, where no path names it. */
static int mounts_add(struct list *l, const struct rf_zones *zones)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < l->mounts->n; i++) {
		const char *point = l->mounts->list[i].point;
		struct rf_tree tree = { .zone = rf_zone_around(zones, point) };

		if (!tree.zone || rf_streq(point, zones->list[tree.zone - 1].path) ||
		    path_locate(l->mounts, point, &tree) < 0)
			continue;
		r = list_add(l, &tree);
		if (r >= 0)
			r = zone_scan(l, point, tree.zone);
	}
	return r;
}

static void missing_warn(const struct rf_policy_set *set, const char *path, int error, struct rf_diags *diags)
{
	for (size_t i = 0; i < set->n_labels; i++) {
		const struct rf_file_label *label = set->labels[i];

		for (size_t k = 0; k < label->n_paths; k++) {
			struct rf_mark mark = { label->paths[k].line, label->paths[k].column };

			if (rf_streq(label->paths[k].path, path))
				rf_diags_add(diags, RF_SEVERITY_WARNING, label->file, mark, 0, NULL, 0,
					     "it is looked for every second", "label \"%s\": %s: %s", label->name, path,
					     strerror(-error));
		}
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct rf_policy *p = set->policies[i];

		for (size_t k = 0; k < p->files.n_rules; k++)
			if (p->files.rules[k].path && rf_streq(p->files.rules[k].path, path))
				rf_diags_add(diags, RF_SEVERITY_WARNING, p->file, p->files.rules[k].place, 0, NULL, 0,
					     "it is looked for every second", "rule \"%s\": %s: %s",
					     p->files.rules[k].name, path, strerror(-error));
	}
}

/* Of two zones at one inode the first has it, and who has rules for the other must know. */
static void same_warn(const struct rf_zones *zones, const struct rf_tree *trees, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (trees[k].inode && trees[k].inode == trees[i].inode && trees[k].device == trees[i].device)
			rf_warn("%s and %s are the same: what is said of the first holds for both", zones->list[k].path,
				zones->list[i].path);
}

static struct rf_label_seen path_see(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct rf_label_seen){ 0, 0 };
	return (struct rf_label_seen){ st.st_dev, st.st_ino };
}

static int zones_locate(struct rf_labels *fresh, struct list *l, const struct rf_policy_set *set,
			struct rf_diags *diags)
{
	const struct rf_zones *zones = set->zones;
	_cleanup_free_ struct rf_tree *trees = calloc(zones->n, sizeof(*trees));
	int r = 0;

	fresh->seen = calloc(zones->n, sizeof(*fresh->seen));
	if (!fresh->seen || !trees)
		return -ENOMEM;
	fresh->n = zones->n;
	for (uint32_t i = 0; r >= 0 && i < zones->n; i++) {
		int error;

		/* Before it is opened: what takes its place in between is noticed by the next tick. */
		fresh->seen[i] = path_see(zones->list[i].path);
		error = path_locate(l->mounts, zones->list[i].path, &trees[i]);
		trees[i].zone = i + 1;
		if (error < 0) {
			trees[i].inode = 0;
			missing_warn(set, zones->list[i].path, error, diags);
			continue;
		}
		same_warn(zones, trees, i);
		r = list_add(l, &trees[i]);
	}
	return r;
}

/* After the zones' own: who is named by a path is in that zone, whatever else lies there. */
static int rest_locate(struct list *l, const struct rf_zones *zones)
{
	int r = mounts_add(l, zones);

	/* The innermost first: a file of two names is found in the zone that it lies deepest in. */
	for (uint32_t i = zones->n; r >= 0 && i > 0; i--)
		r = zone_scan(l, zones->list[i - 1].path, i);
	if (list_is_late(l))
		rf_warn("labelled trees are large: after %zu files, hard links to the others were not looked for",
			l->scanned);
	return r;
}

/* What the lineage calls them. */
static int labels_stage(struct rf_engine *e, const struct rf_zones *zones)
{
	uint32_t n = zones ? zones->n : 0;
	_cleanup_free_ uint64_t *ids = calloc(n + 1, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		ids[i] = zones->list[i].label ? rf_file_label_id(zones->list[i].label->name) : RF_LABEL_NONE;
	rf_engine_labels_stage(e, ids, n);
	return 0;
}

int rf_labels_resolve(struct rf_labels *ret, struct rf_engine *e, struct rf_policy_set *set, struct rf_diags *diags,
		      char **ret_error)
{
	_cleanup_(rf_labels_fini) struct rf_labels fresh = { 0 };
	_cleanup_(rf_mounts_fini) struct rf_mounts mounts = { 0 };
	struct list list = { .mounts = &mounts, .deadline_ns = rf_clock_monotonic() + SCAN_NS };
	int r;

	rf_zones_free(set->zones);
	set->zones = NULL;
	r = rf_zones_make(set, path_resolve, NULL, diags, &set->zones);
	if (r >= 0 && set->zones) {
		/* Opened before it is read, so that no change is missed. */
		fresh.mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		r = rf_mounts_read(0, &mounts);
	}
	if (r >= 0 && set->zones)
		r = zones_locate(&fresh, &list, set, diags);
	if (r >= 0 && set->zones)
		r = rest_locate(&list, set->zones);
	if (r >= 0)
		r = labels_stage(e, set->zones);
	if (r >= 0)
		r = rf_engine_trees_stage(e, list.trees, list.n, ret_error);
	free(list.trees);
	if (r < 0)
		return r;
	*ret = fresh;
	fresh = (struct rf_labels){ 0 };
	return 0;
}

static void zone_renew(const struct rf_mounts *mounts, struct rf_engine *e, const char *path, uint32_t zone)
{
	struct list list = { .mounts = mounts, .deadline_ns = rf_clock_monotonic() + SCAN_NS };
	struct rf_tree tree = { .zone = zone };
	int r = path_locate(mounts, path, &tree);

	if (r >= 0)
		r = rf_engine_tree_add(e, &tree);
	if (r >= 0)
		r = zone_scan(&list, path, zone);
	for (size_t i = 0; r >= 0 && i < list.n; i++)
		r = rf_engine_tree_add(e, &list.trees[i]);
	free(list.trees);
	if (r == -EEXIST)
		rf_warn("%s, or a file below it, has a label already", path);
	else if (r < 0)
		rf_err_r(r, "%s is another file or directory now, and is not labelled", path);
	else
		rf_notice("%s has come: labelled", path);
}

/* What has been mounted since; what was known already is told again, which changes nothing. */
static void mounts_renew(const struct rf_mounts *mounts, struct rf_engine *e, const struct rf_zones *zones)
{
	struct list list = { .mounts = mounts, .deadline_ns = rf_clock_monotonic() + SCAN_NS };
	int r = mounts_add(&list, zones);

	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		r = rf_engine_tree_add(e, &list.trees[i]);
		r = r == -EEXIST ? 0 : r;
	}
	free(list.trees);
	if (r < 0)
		rf_err_r(r, "what was mounted below labelled paths is not labelled");
}

void rf_labels_tick(struct rf_labels *l, struct rf_engine *e, const struct rf_policy_set *set)
{
	_cleanup_(rf_mounts_fini) struct rf_mounts mounts = { 0 };
	struct pollfd changed = { l->mounts_fd, POLLPRI, 0 };

	if (!set || !set->zones || l->n != set->zones->n)
		return;
	if (l->mounts_fd > 0 && poll(&changed, 1, 0) > 0 && rf_mounts_read(0, &mounts) == 0)
		mounts_renew(&mounts, e, set->zones);
	for (uint32_t i = 0; i < l->n; i++) {
		struct rf_label_seen now = path_see(set->zones->list[i].path);

		if (!now.inode || (now.inode == l->seen[i].inode && now.device == l->seen[i].device))
			continue;
		if (!mounts.n && rf_mounts_read(0, &mounts) < 0)
			return;
		l->seen[i] = now;
		zone_renew(&mounts, e, set->zones->list[i].path, i + 1);
	}
}

void rf_labels_fini(struct rf_labels *l)
{
	if (l->mounts_fd > 0)
		close(l->mounts_fd);
	free(l->seen);
	*l = (struct rf_labels){ 0 };
}

const char *rf_labels_zone_name(const struct rf_policy_set *set, uint32_t zone)
{
	const struct rf_zone *z;

	if (!set || !set->zones || zone == RF_ZONE_NONE || zone > set->zones->n)
		return NULL;
	z = &set->zones->list[zone - 1];
	return z->label ? z->label->name : z->path;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Bundles of policy texts. */
#include "user/daemon/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "user/lib/fs.h"
#include "user/lib/strbuf.h"
#include "user/policy/parse.h"

void rf_sources_fini(struct rf_sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].name);
		free(s->list[i].path);
		free(s->list[i].text);
	}
	free(s->list);
	s->list = NULL;
	s->n = 0;
}

static bool is_policy_file(const char *name)
{
	size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	return (len > 5 && rf_streq(name + len - 5, ".yaml")) || (len > 4 && rf_streq(name + len - 4, ".yml"));
}

/* Inserts or replaces in order; takes @text. */
static int source_put(struct rf_sources *s, const char *name, const char *path, char *text, size_t len)
{
	_cleanup_free_ char *own_name = strdup(name), *own_path = strdup(path);
	struct rf_source *grown;
	size_t i = 0;

	if (!own_name || !own_path)
		return -ENOMEM;
	while (i < s->n && strcmp(s->list[i].name, name) < 0)
		i++;
	if (i < s->n && rf_streq(s->list[i].name, name)) {
		free(s->list[i].text);
		free(s->list[i].path);
		s->list[i].path = TAKE_PTR(own_path);
		s->list[i].text = text;
		s->list[i].len = len;
		return 0;
	}
	if (s->n == RF_POLICY_FILES_MAX)
		return -E2BIG;
	grown = reallocarray(s->list, s->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->list = grown;
	memmove(&grown[i + 1], &grown[i], (s->n - i) * sizeof(*grown));
	grown[i] =
		(struct rf_source){ .name = TAKE_PTR(own_name), .path = TAKE_PTR(own_path), .text = text, .len = len };
	s->n++;
	return 0;
}

static int error_set(char **ret_error, int r, const char *what, const char *path)
{
	if (ret_error && !*ret_error && asprintf(ret_error, "%s %s: %s", what, path, strerror(-r)) < 0)
		*ret_error = NULL;
	return r;
}

static int file_read(struct rf_sources *s, const char *path, char **ret_error)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	r = rf_fs_read(AT_FDCWD, path, RF_POLICY_FILE_MAX, &text, &len);
	if (r >= 0)
		r = source_put(s, slash ? slash + 1 : path, path, text, len);
	if (r < 0)
		return error_set(ret_error, r, "cannot read policy file", path);
	TAKE_PTR(text);
	return 0;
}

int rf_sources_read_dir(struct rf_sources *s, const char *dir, char **ret_error)
{
	char **names;
	size_t n;
	int r = rf_fs_list(AT_FDCWD, dir, RF_POLICY_FILES_MAX * 2, &names, &n);

	if (r < 0)
		return error_set(ret_error, r, "cannot read policy directory", dir);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		_cleanup_strbuf_ struct rf_strbuf path = RF_STRBUF_INIT;

		if (!is_policy_file(names[i]))
			continue;
		rf_strbuf_addf(&path, "%s/%s", dir, names[i]);
		r = file_read(s, rf_strbuf_str(&path), ret_error);
	}
	rf_fs_names_free(names, n);
	return r < 0 ? r : 0;
}

int rf_sources_overlay(struct rf_sources *s, const char *path, char **ret_error)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_set(ret_error, -errno, "cannot read", path);
	if (S_ISDIR(st.st_mode))
		return rf_sources_read_dir(s, path, ret_error);
	if (!is_policy_file(path + (strrchr(path, '/') ? strrchr(path, '/') - path + 1 : 0)))
		return error_set(ret_error, -EINVAL, "not a policy file (its name must end in .yaml or .yml)", path);
	return file_read(s, path, ret_error);
}

int rf_sources_copy(struct rf_sources *to, const struct rf_sources *from)
{
	for (size_t i = 0; i < from->n; i++) {
		char *text = malloc(from->list[i].len + 1);
		int r;

		if (!text)
			return -ENOMEM;
		memcpy(text, from->list[i].text, from->list[i].len + 1);
		r = source_put(to, from->list[i].name, from->list[i].path, text, from->list[i].len);
		if (r < 0) {
			free(text);
			return r;
		}
	}
	return 0;
}

/* FNV-1a, to tell bundles apart; names and lengths are part of it. */
uint64_t rf_sources_hash(const struct rf_sources *s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < s->n; i++) {
		const char *parts[] = { s->list[i].name, s->list[i].text };
		const size_t lens[] = { strlen(s->list[i].name) + 1, s->list[i].len };

		for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
			h = (h ^ lens[part]) * 0x100000001b3ULL;
			for (size_t k = 0; k < lens[part]; k++)
				h = (h ^ (unsigned char)parts[part][k]) * 0x100000001b3ULL;
		}
	}
	return h;
}

static int source_compare(const void *a, const void *b)
{
	const struct rf_source *p = a, *q = b;

	return strcmp(p->name, q->name);
}

static bool source_unchanged(const struct rf_source *source, const struct rf_sources *old)
{
	const struct rf_source *was = old->n ? bsearch(source, old->list, old->n, sizeof(*old->list), source_compare) :
					       NULL;

	return was && rf_streq(was->path, source->path) && was->len == source->len &&
	       memcmp(was->text, source->text, source->len) == 0;
}

/* The policies of a set by the file that they came from. */
struct by_file {
	struct rf_policy **list;
	size_t n;
};

static int file_compare(const void *a, const void *b)
{
	const struct rf_policy *p = *(struct rf_policy *const *)a, *q = *(struct rf_policy *const *)b;

	return strcmp(p->file, q->file);
}

static int by_file_make(struct by_file *by, const struct rf_policy_set *set)
{
	if (!set || !set->n)
		return 0;
	by->list = malloc(set->n * sizeof(struct rf_policy *));
	if (!by->list)
		return -ENOMEM;
	memcpy(by->list, set->policies, set->n * sizeof(struct rf_policy *));
	by->n = set->n;
	qsort(by->list, by->n, sizeof(*by->list), file_compare);
	return 0;
}

static void by_file_fini(struct by_file *by)
{
	free(by->list);
}

static int share_file(const struct by_file *by, const char *file, struct rf_policy_set *set)
{
	size_t low = 0, high = by->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(by->list[middle]->file, file) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < by->n && rf_streq(by->list[low]->file, file); low++) {
		if (rf_policy_set_add(set, by->list[low]) < 0)
			return -ENOMEM;
		(void)rf_policy_share(by->list[low]);
	}
	return 0;
}

static int share_labels(const struct rf_policy_set *old_set, const char *file, struct rf_policy_set *set)
{
	for (size_t i = 0; i < old_set->n_labels; i++) {
		if (!rf_streq(old_set->labels[i]->file, file))
			continue;
		if (rf_policy_set_add_label(set, old_set->labels[i]) < 0)
			return -ENOMEM;
		(void)rf_file_label_share(old_set->labels[i]);
	}
	return 0;
}

int rf_sources_parse(const struct rf_sources *s, const struct rf_sources *old, const struct rf_policy_set *old_set,
		     struct rf_policy_set **ret, struct rf_diags *diags)
{
	_cleanup_policy_set_ struct rf_policy_set *set = calloc(1, sizeof(*set));
	_cleanup_(by_file_fini) struct by_file by = { NULL, 0 };
	int r, failed = 0;

	if (!set || by_file_make(&by, old_set) < 0)
		return -ENOMEM;
	/* Every file is parsed, so that one pass shows all that is wrong. */
	for (size_t i = 0; i < s->n; i++) {
		const struct rf_source *source = &s->list[i];

		if (old_set && source_unchanged(source, old))
			r = share_file(&by, source->path, set) < 0 ? -ENOMEM : share_labels(old_set, source->path, set);
		else
			r = rf_policy_parse(source->path, source->text, source->len, set, diags);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			failed = r;
	}
	if (failed < 0)
		return failed;
	r = rf_policy_set_finish(set, diags);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(set);
	return 0;
}

const struct rf_source *rf_sources_find(const struct rf_sources *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (rf_streq(s->list[i].path, path))
			return &s->list[i];
	return NULL;
}

static bool sources_have(const struct rf_sources *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (rf_streq(s->list[i].name, name))
			return true;
	return false;
}

int rf_sources_write_dir(const struct rf_sources *s, const char *dir)
{
	_cleanup_close_ int fd = -1;
	char **names;
	size_t n;
	int r;

	r = rf_fs_mkdir_p(dir, 0700);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < s->n; i++) {
		_cleanup_free_ char *old = NULL;
		size_t len;

		/* Files that are right already keep their time stamps. */
		if (rf_fs_read(fd, s->list[i].name, RF_POLICY_FILE_MAX, &old, &len) == 0 && len == s->list[i].len &&
		    memcmp(old, s->list[i].text, len) == 0)
			continue;
		r = rf_fs_write_atomic(fd, s->list[i].name, s->list[i].text, s->list[i].len, 0600);
		if (r < 0)
			return r;
	}
	r = rf_fs_list(fd, ".", RF_POLICY_FILES_MAX * 2, &names, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_policy_file(names[i]) && !sources_have(s, names[i]) && unlinkat(fd, names[i], 0) < 0)
			r = -errno;
	rf_fs_names_free(names, n);
	return r < 0 ? r : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A cgroup has the policies that select it and all those of its ancestors. The
 * ancestors' are remembered by path: many cgroups have the same ones.
 */
#include "user/daemon/shadow.h"

#include <errno.h>

#include "user/collect/cgroup_path.h"

struct indices {
	uint32_t *list;
	size_t n;
};

struct rf_shadow {
	const struct rf_policy_set *set;
	const struct rf_hashmap *live;
	size_t prefix;		      /* bytes */
	struct rf_tables tables;      /* its images are ours: policy indices -> struct rf_image */
	struct rf_hashmap *ancestors; /* path -> struct indices */
};

static void indices_free(void *p)
{
	struct indices *indices = p;

	if (indices)
		free(indices->list);
	free(indices);
}

int rf_shadow_new(const struct rf_policy_set *set, const char *prefix, const struct rf_hashmap *live,
		  struct rf_shadow **ret)
{
	_cleanup_shadow_ struct rf_shadow *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->set = set;
	s->live = live;
	s->prefix = strlen(prefix);
	r = rf_hashmap_new(indices_free, &s->ancestors);
	if (r >= 0)
		r = rf_tables_make(set, &s->tables);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void rf_shadow_free(struct rf_shadow *s)
{
	if (!s)
		return;
	rf_hashmap_free(s->ancestors);
	rf_tables_fini(&s->tables);
	free(s);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Those that select @identity itself, added to @above; ascending, which is merge order. */
static int select_with(struct rf_shadow *s, const struct rf_identity *identity, const struct indices *above,
		       struct indices *ret)
{
	const struct rf_cgroup cgroup = { .path = identity->path, .identity = (struct rf_identity *)identity };
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = 0, unique = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && above && i < above->n; i++)
		r = rf_index_append(&list, &n, above->list[i]);
	if (r >= 0)
		r = rf_tables_select(s->set, &s->tables, &cgroup, &list, &n);
	if (r < 0)
		return r;
	if (n)
		qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || list[i] != list[i - 1])
			list[unique++] = list[i];
	ret->list = TAKE_PTR(list);
	ret->n = unique;
	return 0;
}

/* The last '/' before which there is a cgroup below the attach point; 0: none. */
static size_t parent_length(const struct rf_shadow *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	return len > s->prefix ? len : 0;
}

/* Parents first, without recursion: a path is as long as a tenant makes it. */
static int ancestors_get(struct rf_shadow *s, const char *path, const struct indices **ret)
{
	size_t parent = parent_length(s, path);
	const struct indices *above = NULL;

	for (size_t end = s->prefix + 1; parent && end <= parent; end++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_identity_ struct rf_identity *parsed = NULL;
		const struct rf_identity *identity;
		struct indices *known;
		int r = 0;

		if (path[end] != '/' || end == s->prefix)
			continue;
		known = rf_hashmap_get(s->ancestors, path, end);
		if (known) {
			above = known;
			continue;
		}
		text = strndup(path, end);
		known = calloc(1, sizeof(*known));
		identity = text && s->live ? rf_hashmap_gets(s->live, text) : NULL;
		if (!text || !known)
			r = -ENOMEM;
		else if (!identity)
			r = rf_cgroup_path_parse(text, &parsed);
		if (r >= 0)
			r = select_with(s, identity ? identity : parsed, above, known);
		if (r >= 0)
			r = rf_hashmap_put(s->ancestors, path, end, known);
		if (r < 0) {
			indices_free(known);
			return r;
		}
		above = known;
	}
	*ret = above;
	return 0;
}

int rf_shadow_image(struct rf_shadow *s, const struct rf_identity *identity, struct rf_diags *diags,
		    const struct rf_image **ret)
{
	_cleanup_free_ const struct rf_policy **policies = NULL;
	const struct indices *above = NULL;
	struct indices own = { NULL, 0 };
	struct rf_image *image = NULL;
	size_t key_len;
	int r;

	*ret = NULL;
	r = ancestors_get(s, identity->path, &above);
	if (r >= 0)
		r = select_with(s, identity, above, &own);
	if (r < 0 || !own.n)
		return r;
	key_len = own.n * sizeof(*own.list);
	*ret = rf_hashmap_get(s->tables.images, own.list, key_len);
	if (!*ret) {
		policies = calloc(own.n, sizeof(*policies));
		r = policies ? 0 : -ENOMEM;
		for (size_t i = 0; policies && i < own.n; i++)
			policies[i] = s->set->policies[own.list[i]];
		if (r >= 0)
			r = rf_image_compile_network(policies, own.n, diags, &image);
		if (r >= 0)
			r = rf_hashmap_put(s->tables.images, own.list, key_len, image);
		if (r < 0)
			rf_image_unref(image);
		else
			*ret = image;
	}
	free(own.list);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which policies select a cgroup. A literal cgroup path is found by hash; only
 * policies with globs are tried on every cgroup.
 */
#include "user/daemon/selection.h"

#include <errno.h>

#include "user/model/selector.h"

struct index_list {
	uint32_t *indices;
	size_t n;
};

static void index_list_free(void *p)
{
	struct index_list *list = p;

	if (list)
		free(list->indices);
	free(list);
}

static void image_free(void *p)
{
	rf_image_unref(p);
}

int rf_index_append(uint32_t **list, size_t *n, uint32_t index)
{
	uint32_t *grown;

	if (*n && (*list)[*n - 1] == index)
		return 0;
	grown = reallocarray(*list, *n + 1, sizeof(**list));
	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[(*n)++] = index;
	return 0;
}

/* A selector that is one literal cgroup path and nothing else. */
static bool selector_is_literal(const struct rf_selector *s)
{
	return s->cgroup && !strpbrk(s->cgroup, "*?[\\") && !s->systemd && !s->container && !s->kubernetes && !s->slurm;
}

void rf_tables_fini(struct rf_tables *t)
{
	rf_hashmap_free(t->images);
	rf_hashmap_free(t->by_path);
	free(t->general);
	memset(t, 0, sizeof(*t));
}

static int path_index_add(struct rf_hashmap *by_path, const char *path, uint32_t index)
{
	struct index_list *list = rf_hashmap_gets(by_path, path);
	int r;

	if (!list) {
		list = calloc(1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		r = rf_hashmap_put(by_path, path, strlen(path), list);
		if (r < 0) {
			free(list);
			return r;
		}
	}
	return rf_index_append(&list->indices, &list->n, index);
}

int rf_tables_make(const struct rf_policy_set *set, struct rf_tables *t)
{
	int r;

	r = rf_hashmap_new(image_free, &t->images);
	if (r >= 0)
		r = rf_hashmap_new(index_list_free, &t->by_path);
	for (size_t i = 0; r >= 0 && i < set->n; i++) {
		const struct rf_policy *p = set->policies[i];
		bool general = false;

		for (size_t s = 0; r >= 0 && s < p->n_selectors; s++) {
			if (selector_is_literal(&p->selectors[s]))
				r = path_index_add(t->by_path, p->selectors[s].cgroup, i);
			else
				general = true;
		}
		if (r >= 0 && general)
			r = rf_index_append(&t->general, &t->n_general, i);
	}
	return r < 0 ? r : 0;
}

/* The indices that select @c itself, appended to @list (not yet sorted). */
int rf_tables_select(const struct rf_policy_set *set, const struct rf_tables *t, const struct rf_cgroup *c,
		     uint32_t **list, size_t *n)
{
	const struct index_list *literal = rf_hashmap_gets(t->by_path, c->path);
	int r = 0;

	for (size_t i = 0; r >= 0 && literal && i < literal->n; i++)
		r = rf_index_append(list, n, literal->indices[i]);
	for (size_t i = 0; r >= 0 && i < t->n_general; i++)
		if (rf_policy_selects(set->policies[t->general[i]], c->identity))
			r = rf_index_append(list, n, t->general[i]);
	return r < 0 ? r : 0;
}

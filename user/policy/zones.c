// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths, sorted; the zone around one is found by cutting off components. */
#include "user/policy/zones.h"

#include <errno.h>

#include "user/lib/hashmap.h"

struct build {
	struct rf_zones *zones;
	size_t room;
	rf_path_resolve_fn resolve;
	void *arg;
};

static int zone_compare(const void *a, const void *b)
{
	return strcmp(((const struct rf_zone *)a)->path, ((const struct rf_zone *)b)->path);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(((const struct rf_zone_name *)a)->path, ((const struct rf_zone_name *)b)->path);
}

/* The innermost label is that of the zone itself, or of the one around it; here only the first. */
static int path_add(struct build *b, const char *path, const struct rf_file_label *label)
{
	struct rf_zones *z = b->zones;
	char *resolved = b->resolve(path, b->arg), *name = strdup(path);

	if (!resolved || !name) {
		free(resolved);
		free(name);
		return -ENOMEM;
	}
	z->list[z->n++] = (struct rf_zone){ .path = resolved, .label = label };
	z->names[z->n_names++] = (struct rf_zone_name){ .path = name };
	return 0;
}

static size_t paths_count(const struct rf_policy_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_labels; i++)
		n += set->labels[i]->n_paths;
	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < set->policies[i]->files.n_rules; k++)
			n += set->policies[i]->files.rules[k].path != NULL;
	return n;
}

static int paths_collect(struct build *b, const struct rf_policy_set *set)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < set->n_labels; i++)
		for (size_t k = 0; r >= 0 && k < set->labels[i]->n_paths; k++)
			r = path_add(b, set->labels[i]->paths[k].path, set->labels[i]);
	for (size_t i = 0; r >= 0 && i < set->n; i++) {
		const struct rf_files *files = &set->policies[i]->files;

		for (size_t k = 0; r >= 0 && k < files->n_rules; k++)
			if (files->rules[k].path)
				r = path_add(b, files->rules[k].path, NULL);
	}
	return r;
}

static uint32_t zone_find(const struct rf_zones *z, const char *path)
{
	struct rf_zone key = { .path = (char *)path };
	const struct rf_zone *found = z->n ? bsearch(&key, z->list, z->n, sizeof(key), zone_compare) : NULL;

	return found ? (uint32_t)(found - z->list) + 1 : RF_ZONE_NONE;
}

/* One of each path. Two labels on one: -EEXIST. */
static int zones_unite(struct rf_zones *z, struct rf_diags *diags)
{
	uint32_t kept = 0;

	if (z->n)
		qsort(z->list, z->n, sizeof(*z->list), zone_compare);
	for (uint32_t i = 0; i < z->n; i++) {
		struct rf_zone *last = kept ? &z->list[kept - 1] : NULL, *zone = &z->list[i];

		if (!last || !rf_streq(last->path, zone->path)) {
			struct rf_zone moved = *zone;

			zone->path = NULL;
			z->list[kept++] = moved;
			continue;
		}
		if (last->label && zone->label && last->label != zone->label) {
			struct rf_mark mark = { zone->label->line, zone->label->column };

			rf_diags_add(diags, RF_SEVERITY_ERROR, zone->label->file, mark, 0, NULL, 0,
				     "a path has one label; file rules may name it by path besides",
				     "%s has the labels \"%s\" and \"%s\"", zone->path, last->label->name,
				     zone->label->name);
			return -EEXIST;
		}
		last->label = last->label ? last->label : zone->label;
		free(zone->path);
		zone->path = NULL;
	}
	z->n = kept;
	return 0;
}

static int firsts_mark(struct rf_zones *z)
{
	_cleanup_hashmap_ struct rf_hashmap *seen = NULL;
	int r = rf_hashmap_new(NULL, &seen);

	for (uint32_t i = 0; r >= 0 && i < z->n; i++) {
		uintptr_t label = (uintptr_t)z->list[i].label;

		if (!label)
			continue;
		r = rf_hashmap_put(seen, &label, sizeof(label), z);
		z->list[i].first = r == 0;
		if (r == -EEXIST)
			r = 0;
	}
	return r;
}

/* In order of paths, so that what is around a zone has been seen to. */
static int zones_nest(struct rf_zones *z)
{
	for (uint32_t i = 0; i < z->n; i++) {
		struct rf_zone *zone = &z->list[i];
		_cleanup_free_ char *path = strdup(zone->path);

		if (!path)
			return -ENOMEM;
		for (char *slash = strrchr(path, '/'); !zone->above && path[1]; slash = strrchr(path, '/')) {
			slash[slash == path] = '\0';
			zone->above = zone_find(z, path);
		}
		if (!zone->label && zone->above)
			zone->label = z->list[zone->above - 1].label;
	}
	return firsts_mark(z);
}

static int names_link(struct build *b)
{
	struct rf_zones *z = b->zones;

	for (size_t i = 0; i < z->n_names; i++) {
		_cleanup_free_ char *resolved = b->resolve(z->names[i].path, b->arg);

		if (!resolved)
			return -ENOMEM;
		z->names[i].zone = zone_find(z, resolved);
	}
	qsort(z->names, z->n_names, sizeof(*z->names), name_compare);
	return 0;
}

int rf_zones_make(const struct rf_policy_set *set, rf_path_resolve_fn resolve, void *arg, struct rf_diags *diags,
		  struct rf_zones **ret)
{
	_cleanup_zones_ struct rf_zones *z = NULL;
	struct build b = { .room = paths_count(set), .resolve = resolve, .arg = arg };
	int r;

	if (!b.room) {
		*ret = NULL;
		return 0;
	}
	if (b.room > RF_MAX_ZONES) {
		rf_diags_add(diags, RF_SEVERITY_ERROR, "", (struct rf_mark){ 0, 0 }, 0, NULL, 0, NULL,
			     "%zu paths of labels and file rules, at most %d are allowed", b.room, RF_MAX_ZONES);
		return -E2BIG;
	}
	z = b.zones = calloc(1, sizeof(*z));
	if (!z)
		return -ENOMEM;
	z->list = calloc(b.room, sizeof(*z->list));
	z->names = calloc(b.room, sizeof(*z->names));
	if (!z->list || !z->names)
		return -ENOMEM;
	r = paths_collect(&b, set);
	if (r >= 0)
		r = zones_unite(z, diags);
	if (r < 0)
		return r;
	r = zones_nest(z);
	if (r >= 0)
		r = names_link(&b);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(z);
	return 0;
}

uint32_t rf_zone_named(const struct rf_zones *z, const char *path)
{
	struct rf_zone_name key = { .path = (char *)path };
	const struct rf_zone_name *found = bsearch(&key, z->names, z->n_names, sizeof(key), name_compare);

	return found ? found->zone : RF_ZONE_NONE;
}

uint32_t rf_zone_around(const struct rf_zones *z, const char *path)
{
	uint32_t innermost = RF_ZONE_NONE;

	/* Sorted: what lies further in comes later. */
	for (uint32_t i = 0; z && i < z->n; i++)
		if (rf_file_path_is_below(path, z->list[i].path))
			innermost = i + 1;
	return innermost;
}

bool rf_zone_has_label(const struct rf_zones *z, uint32_t zone, const char *label)
{
	const struct rf_file_label *its = z->list[zone - 1].label;

	return label && its && rf_streq(its->name, label);
}

bool rf_zone_is_below(const struct rf_zones *z, uint32_t zone, uint32_t outer)
{
	while (zone && zone != outer)
		zone = z->list[zone - 1].above;
	return zone != RF_ZONE_NONE;
}

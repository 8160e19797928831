// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tenants have numbers in the kernel, so that a program compares words and not
 * strings; and so have namespaces, whose numbers are of the same hand: a name
 * that both use has one number, and that does no harm. The map of them is
 * pinned: the banks that an earlier daemon wrote and those of this one say the
 * same. A number is not used again while a daemon lives, nor as long as a bank
 * has it.
 */
#include <errno.h>

#include "user/engine/internal.h"

struct tenant {
	uint32_t id;
};

static int tenant_note(struct rf_engine *e, const char key[static RF_TENANT_KEY], uint32_t id)
{
	struct tenant *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->id = id;
	r = rf_hashmap_put(e->tenants, key, RF_TENANT_KEY, t);
	if (r < 0)
		free(t);
	else if (id > e->tenant_last)
		e->tenant_last = id;
	return r;
}

int rf_tenants_adopt(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_tenant_map"), r = 0;
	char key[RF_TENANT_KEY], *previous = NULL;

	while (r == 0 && bpf_map_get_next_key(fd, previous, key) == 0) {
		uint32_t id;

		if (bpf_map_lookup_elem(fd, key, &id) == 0)
			r = tenant_note(e, key, id);
		previous = key;
	}
	return r;
}

int rf_tenant_get(struct rf_engine *e, const char *name, uint32_t *ret_id, char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_tenant_map"), r;
	char key[RF_TENANT_KEY] = { 0 };
	const struct tenant *t;
	uint32_t id;

	if (strlen(name) >= sizeof(key))
		return rf_engine_format_error(ret_error, -ENAMETOOLONG, "tenant %s", name);
	memcpy(key, name, strlen(name) + 1);
	t = rf_hashmap_get(e->tenants, key, sizeof(key));
	if (t) {
		*ret_id = t->id;
		return 0;
	}
	id = e->tenant_last + 1;
	if (!id)
		return rf_engine_format_error(ret_error, -ENOSPC, "no number is left for tenant %s", name);
	r = bpf_map_update_elem(fd, key, &id, BPF_ANY);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot write tenant %s (the map holds %d)", name,
					      RF_MAX_TENANTS);
	r = tenant_note(e, key, id);
	if (r < 0) {
		bpf_map_delete_elem(fd, key);
		return r;
	}
	*ret_id = id;
	return 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted; the caller frees. */
static uint32_t *ids_of_banks(const struct rf_engine *e, size_t *ret_n)
{
	uint32_t bank = rf_engine_generation(e) & 1, *ids = calloc(2 * RF_MAX_WORKLOADS, sizeof(*ids));
	size_t n = 0;

	for (uint32_t id = RF_WORKLOAD_FIRST; ids && id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload_bank *b = &e->workloads[id].bank[bank];

		if (b->tenant)
			ids[n++] = b->tenant;
		if (b->namespace)
			ids[n++] = b->namespace;
	}
	if (n)
		qsort(ids, n, sizeof(*ids), compare_u32);
	*ret_n = n;
	return ids;
}

void rf_tenants_sweep(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_tenant_map");
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	_cleanup_free_ uint32_t *ids = NULL;
	char key[RF_TENANT_KEY];
	const void *at;
	void *value;
	size_t n;

	ids = ids_of_banks(e, &n);
	/* Another time: what is left over is a name too many. */
	while (ids && rf_hashmap_next(e->tenants, &it, &at, NULL, &value)) {
		const struct tenant *t = value;

		if (n && bsearch(&t->id, ids, n, sizeof(*ids), compare_u32))
			continue;
		memcpy(key, at, sizeof(key));
		bpf_map_delete_elem(fd, key);
		rf_hashmap_remove(e->tenants, key, sizeof(key));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A claim is written down before what it is of: who is killed in between has
 * claimed what is not there, which is no claim.
 */
#include "user/daemon/memory_dmem.h"

#include <errno.h>
#include <stdlib.h>

#include "user/daemon/dmem.h"

static int dmem_read(struct rf_memory_limits *m, const struct rf_memory_cgroup *c, struct rf_dmem *ret)
{
	int r = rf_dmem_read(m->root, c->path, "dmem.max", ret);

	if (r != -ENOENT || rf_memory_wanted(c) == RF_MEMORY_MAX)
		return r;
	r = rf_dmem_enable(m->root, c->path);
	return r < 0 ? r : rf_dmem_read(m->root, c->path, "dmem.max", ret);
}

/* 0: the region's limit is as it should be; 1: it is from now on. */
static int region_set(struct rf_memory_limits *m, struct rf_memory_cgroup *c, const char *region, uint64_t present)
{
	struct rf_memory_claim *claim = rf_memory_claims_get(&c->claims, region), was;
	uint64_t bytes;
	int r;

	if (!claim)
		return -ENOMEM;
	was = *claim;
	if (!rf_memory_claim_step(claim, rf_memory_wanted(c), present, &bytes)) {
		if (was.asked != claim->asked)
			rf_memory_claims_keep(m, c);
		return 0;
	}
	/* One that nobody will know for ours is not set: it would stay for ever. */
	if (claim->asked != RF_MEMORY_MAX) {
		r = rf_dmem_claims_store(m->root, c->path, &c->claims);
		if (r < 0) {
			*claim = was;
			return r;
		}
	}
	r = rf_dmem_write(m->root, c->path, region, bytes);
	if (r < 0)
		*claim = was;
	if (r < 0 || claim->asked == RF_MEMORY_MAX)
		rf_memory_claims_keep(m, c);
	return r < 0 ? r : 1;
}

static bool is_of(const char *region, const struct rf_memory_limit *l)
{
	return rf_dmem_is_vram(region, l->parent);
}

/* Of all its memory on the device; the strictest limit of several. */
static void limit_fill(const struct rf_memory_limits *m, const struct rf_dmem *max, const struct rf_dmem *current,
		       struct rf_memory_limit *l)
{
	l->bytes = RF_MEMORY_MAX;
	l->used = current->n ? 0 : RF_MEMORY_MAX;
	for (size_t i = 0; i < m->capacity->n; i++) {
		const char *name = m->capacity->regions[i].name;
		const struct rf_dmem_region *limit = rf_dmem_find(max, name), *used = rf_dmem_find(current, name);

		if (!is_of(name, l))
			continue;
		if (limit)
			l->bytes = MIN(l->bytes, limit->bytes);
		if (used)
			l->used += used->bytes;
	}
}

/* Those whose limits the kernel keeps from here on say so. */
static void dmem_set(struct rf_memory_limits *m, struct rf_memory_cgroup *c, struct rf_memory_limit *l,
		     const struct rf_dmem *max, bool *written)
{
	int r = 0;
	bool any = false;

	for (size_t i = 0; r >= 0 && i < m->capacity->n; i++) {
		const char *name = m->capacity->regions[i].name;
		const struct rf_dmem_region *present = rf_dmem_find(max, name);

		if (!is_of(name, l))
			continue;
		any = true;
		r = region_set(m, c, name, present ? present->bytes : RF_MEMORY_MAX);
		*written |= r > 0;
	}
	if (r < 0)
		rf_memory_fail(m, RF_MEMORY_DMEM, c, r);
	else if (any && rf_memory_wanted(c) != RF_MEMORY_MAX)
		l->method = RF_MEMORY_DMEM;
}

static bool dmem_concerns(const struct rf_memory_limits *m, const struct rf_memory_cgroup *c)
{
	bool any = false;

	for (size_t i = 0; i < m->capacity->n && !any; i++) {
		const char *name = m->capacity->regions[i].name;

		any = rf_memory_has_claim(c, name);
		for (size_t k = 0; rf_memory_wanted(c) != RF_MEMORY_MAX && k < c->n && !any; k++)
			any = is_of(name, &c->limits[k]);
	}
	return any;
}

/* What was read back is ours. */
static void dmem_note(struct rf_memory_limits *m, struct rf_memory_cgroup *c, const struct rf_dmem *max)
{
	bool changed = false;

	for (size_t i = 0; i < c->claims.n; i++) {
		struct rf_memory_claim *claim = &c->claims.list[i];
		const struct rf_dmem_region *present = rf_dmem_find(max, claim->name);

		if (claim->asked == RF_MEMORY_MAX || !present || present->bytes == claim->ours)
			continue;
		claim->ours = present->bytes;
		changed = true;
	}
	if (changed)
		rf_memory_claims_keep(m, c);
}

/* Somebody has taken the controller from the cgroup, and our limits with it. */
static void dmem_forget(struct rf_memory_limits *m, struct rf_memory_cgroup *c)
{
	for (size_t i = 0; i < c->claims.n; i++)
		if (strchr(c->claims.list[i].name, '/'))
			c->claims.list[i].asked = RF_MEMORY_MAX;
	rf_memory_claims_keep(m, c);
}

void rf_memory_dmem_look(struct rf_memory_limits *m, struct rf_memory_cgroup *c)
{
	struct rf_dmem *max, *current;
	bool written = false;
	int r;

	if (!dmem_concerns(m, c))
		return;
	max = calloc(2, sizeof(*max));
	if (!max)
		return;
	current = max + 1;
	r = dmem_read(m, c, max);
	if (r == -ENOENT && rf_memory_wanted(c) == RF_MEMORY_MAX)
		dmem_forget(m, c);
	else if (r < 0)
		rf_memory_fail(m, RF_MEMORY_DMEM, c, r);
	for (size_t k = 0; r >= 0 && k < c->n; k++)
		dmem_set(m, c, &c->limits[k], max, &written);
	if (written && rf_dmem_read(m->root, c->path, "dmem.max", max) == 0)
		dmem_note(m, c, max);
	(void)rf_dmem_read(m->root, c->path, "dmem.current", current);
	for (size_t k = 0; r >= 0 && k < c->n; k++)
		if (c->limits[k].method == RF_MEMORY_DMEM)
			limit_fill(m, max, current, &c->limits[k]);
	free(max);
}

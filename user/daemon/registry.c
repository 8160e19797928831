// SPDX-License-Identifier: GPL-2.0-or-later
/* The cgroups that are known: adding, dropping, and the ids of workloads. */
#include "user/daemon/registry.h"

#include <errno.h>

#include "user/collect/cgroup_path.h"
#include "user/collect/cgroup_scan.h"
#include "user/collect/runtime.h"
#include "user/daemon/peers.h"
#include "user/daemon/plan.h"
#include "user/daemon/pods.h"
#include "user/lib/log.h"

static void cgroup_free(void *p)
{
	struct rf_cgroup *c = p;

	if (!c)
		return;
	rf_identity_free(c->identity);
	if (c->owns_policies)
		free(c->policies);
	free(c->path);
	free(c);
}

static void workload_free(struct rf_workload *w)
{
	if (!w)
		return;
	rf_image_unref(w->image);
	free(w->tenant);
	free(w->namespace);
	free(w->short_name);
	free(w->name);
	free(w);
}

int rf_registry_new(struct rf_engine *engine, const char *prefix, struct rf_registry **ret)
{
	_cleanup_(rf_registry_freep) struct rf_registry *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->engine = engine;
	r->id_cursor = RF_WORKLOAD_FIRST;
	r->prefix = strdup(prefix);
	if (!r->prefix)
		return -ENOMEM;
	error = rf_hashmap_new(cgroup_free, &r->cgroups);
	if (error >= 0)
		error = rf_hashmap_new(free, &r->addresses);
	if (error >= 0)
		error = rf_engine_stats_reset(engine, RF_WORKLOAD_PODS);
	if (error < 0)
		return error;
	*ret = TAKE_PTR(r);
	return 0;
}

void rf_registry_free(struct rf_registry *r)
{
	if (!r)
		return;
	rf_plan_tables_free(r);
	rf_policy_set_free(r->set);
	for (uint32_t id = 0; id < RF_MAX_WORKLOADS; id++)
		workload_free(r->by_id[id]);
	rf_hashmap_free(r->cgroups);
	rf_hashmap_free(r->addresses);
	free(r->prefix);
	free(r);
}

/* The path's own facts first, then what the runtime's files add; files that lie or are broken add nothing. */
static struct rf_identity *identity_make(const char *path)
{
	struct rf_identity *id = NULL;
	int r = rf_cgroup_path_parse(path, &id);

	if (r < 0)
		return NULL;
	r = rf_runtime_enrich(id, NULL);
	if (r < 0)
		rf_debug("cgroup %s: the runtime's files were not used: %s", path, strerror(-r));
	return id;
}

static unsigned int path_depth(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int cgroup_add(struct rf_registry *r, uint64_t id, uint64_t parent_id, const char *path, struct rf_cgroup **ret)
{
	struct rf_cgroup *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->id = id;
	c->parent_id = parent_id;
	c->path = strdup(path);
	c->depth = path_depth(path);
	c->identity = identity_make(path);
	c->workload = rf_engine_cgroup_get(r->engine, id);
	if (!c->path || !c->identity) {
		cgroup_free(c);
		return -ENOMEM;
	}
	if (c->workload < RF_MAX_WORKLOADS && !r->set)
		r->left_over[c->workload / 8] |= 1 << c->workload % 8;
	error = rf_hashmap_put(r->cgroups, &id, sizeof(id), c);
	if (error < 0) {
		cgroup_free(c);
		return error;
	}
	if (ret)
		*ret = c;
	return 0;
}

struct scan {
	struct rf_registry *registry;
	struct rf_hashmap *seen;
};

static int scan_one(uint64_t id, uint64_t parent_id, const char *path, void *arg)
{
	struct scan *scan = arg;
	_cleanup_strbuf_ struct rf_strbuf full = RF_STRBUF_INIT;
	_cleanup_free_ char *why = NULL;
	int error;

	error = rf_hashmap_put(scan->seen, &id, sizeof(id), scan);
	if (error < 0 && error != -EEXIST)
		return error;
	if (rf_hashmap_get64(scan->registry->cgroups, id))
		return 0;
	rf_strbuf_addf(&full, "%s%s", scan->registry->prefix, path);
	error = rf_strbuf_error(&full);
	if (error < 0)
		return error;
	error = rf_registry_cgroup_new(scan->registry, id, parent_id, rf_strbuf_str(&full), &why);
	if (error == -ENOMEM)
		return error;
	if (error < 0)
		rf_err("cgroup %s stays under its parent's policy: %s", rf_strbuf_str(&full),
		       why ? why : strerror(-error));
	return 0;
}

/*
 * An entry of a cgroup that is no more: sockets of its live on, under what an earlier daemon put in force. Its id is
 * taken until the kernel lets go of it.
 */
static void orphan_note(uint64_t id, uint32_t workload, void *arg)
{
	struct rf_registry *r = arg;
	struct rf_workload *w;

	if (workload < RF_WORKLOAD_FIRST || workload >= RF_MAX_WORKLOADS || r->by_id[workload] ||
	    rf_hashmap_get64(r->cgroups, id))
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->id = workload;
	w->cgroup_id = id;
	w->retired = true;
	r->by_id[workload] = w;
	r->n_workloads++;
}

int rf_registry_scan(struct rf_registry *r)
{
	_cleanup_hashmap_ struct rf_hashmap *seen = NULL;
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	struct scan scan = { .registry = r };
	void *value;
	int error;

	error = rf_hashmap_new(NULL, &seen);
	if (error < 0)
		return error;
	scan.seen = seen;
	error = rf_cgroup_scan(rf_engine_root_fd(r->engine), scan_one, &scan);
	if (error < 0)
		return error;
	while (rf_hashmap_next(r->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;

		if (!rf_hashmap_get64(seen, c->id))
			rf_registry_cgroup_gone(r, c->id);
	}
	return rf_engine_cgroup_each(r->engine, orphan_note, r);
}

int rf_registry_cgroup_new(struct rf_registry *r, uint64_t id, uint64_t parent_id, const char *path, char **ret_error)
{
	size_t prefix = strlen(r->prefix);
	struct rf_cgroup *c;
	int error;

	if (strncmp(path, r->prefix, prefix) != 0 || path[prefix] != '/')
		return 0;
	c = rf_hashmap_get64(r->cgroups, id);
	if (c)
		return rf_plan_sync(r, c);
	error = cgroup_add(r, id, parent_id, path, &c);
	if (error < 0)
		return error;
	r->cgroups_changed = true;
	return rf_plan_one(r, c, ret_error);
}

void rf_registry_cgroup_gone(struct rf_registry *r, uint64_t id)
{
	struct rf_cgroup *c = rf_hashmap_get64(r->cgroups, id);

	if (!c)
		return;
	if (c->root_of)
		c->root_of->retired = true;
	if (rf_peer_id(r, c, RF_PEER_NONE_ID) == (RF_PEER_POD | (uint32_t)c->id))
		rf_engine_peer_drop(r->engine, RF_PEER_POD | (uint32_t)c->id);
	r->cgroups_changed = true;
	rf_hashmap_remove(r->cgroups, &id, sizeof(id));
}

void rf_registry_reap(struct rf_registry *r)
{
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		struct rf_workload *w = r->by_id[id];

		if (w && w->retired && rf_engine_cgroup_get(r->engine, w->cgroup_id) != id)
			rf_workload_drop(r, w);
	}
}

bool rf_workload_is_left_over(const struct rf_registry *r, uint32_t id)
{
	return id >= RF_WORKLOAD_FIRST && id < RF_MAX_WORKLOADS && !r->by_id[id] && r->left_over[id / 8] >> id % 8 & 1;
}

int rf_workload_new(struct rf_registry *r, struct rf_cgroup *c, struct rf_workload **ret)
{
	/* An id is used again late; but what the kernel holds by id is allocated as far as ids reach. */
	uint32_t wanted = MAX((uint32_t)(RF_ACCOUNT_CHUNK / RF_PEER_CLASSES), 4 * (uint32_t)r->n_workloads);
	uint32_t reach = MIN(wanted, (uint32_t)RF_MAX_WORKLOADS);
	struct rf_workload *w;
	int result;

	for (uint32_t i = 0; i < 2 * RF_MAX_WORKLOADS; i++) {
		uint32_t id = r->id_cursor;

		if (i == reach)
			reach = RF_MAX_WORKLOADS;
		r->id_cursor = id + 1 < reach ? id + 1 : RF_WORKLOAD_FIRST;
		/* Not one that cgroups go by which the coming apply has yet to move. */
		if (r->by_id[id] || rf_workload_is_left_over(r, id))
			continue;
		result = rf_engine_stats_reset(r->engine, id);
		if (result < 0)
			return result;
		w = calloc(1, sizeof(*w));
		if (!w)
			return -ENOMEM;
		w->id = id;
		w->cgroup_id = c->id;
		w->fresh = true;
		r->by_id[id] = w;
		r->n_workloads++;
		*ret = w;
		return 0;
	}
	return -ENOSPC;
}

/* The workload that an earlier daemon gave this cgroup: it keeps its id and its counters. */
struct rf_workload *rf_workload_adopt(struct rf_registry *r, struct rf_cgroup *c)
{
	uint32_t id = c->workload;
	struct rf_workload *w;

	if (id < RF_WORKLOAD_FIRST || id >= RF_MAX_WORKLOADS)
		return NULL;
	w = r->by_id[id];
	/* An orphan's id, which the root of the workload now claims. */
	if (w && (!w->retired || w->image))
		return NULL;
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return NULL;
		w->id = id;
		r->by_id[id] = w;
		r->n_workloads++;
	}
	w->cgroup_id = c->id;
	w->retired = false;
	return w;
}

void rf_workload_drop(struct rf_registry *r, struct rf_workload *w)
{
	r->by_id[w->id] = NULL;
	r->n_workloads--;
	/* A pod's goes with the pod. */
	if (!(w->peer & RF_PEER_POD))
		rf_engine_peer_drop(r->engine, w->peer);
	workload_free(w);
}

struct rf_workload *rf_registry_by_name(struct rf_registry *r, const char *name)
{
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++)
		if (r->by_id[id] && r->by_id[id]->name && !r->by_id[id]->retired && rf_streq(r->by_id[id]->name, name))
			return r->by_id[id];
	return NULL;
}

const char *rf_registry_name(const struct rf_registry *r, uint32_t id)
{
	if (id == RF_WORKLOAD_PODS)
		return RF_PODS_NAME;
	return id < RF_MAX_WORKLOADS && r->by_id[id] ? r->by_id[id]->name : NULL;
}

const struct rf_cgroup *rf_registry_cgroup_of(const struct rf_registry *r, const struct rf_workload *w)
{
	return rf_hashmap_get64(r->cgroups, w->cgroup_id);
}

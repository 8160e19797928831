// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A look goes over all cgroups with a quota or a claim: the files of dmem are
 * read and written at once, what the driver is to be asked is gathered for one
 * run of the helper.
 */
#include "user/daemon/memory_limits.h"

#include <errno.h>
#include <fcntl.h>

#include "user/daemon/dmem.h"
#include "user/daemon/memory_dmem.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define LOOK_TICKS 10
#define ASKED_MAX  65536

struct rf_memory_asked {
	uint64_t cgroup_id;
	char parent[RF_ACCEL_DEVICE_NAME];
};

static void cgroup_free(void *p)
{
	struct rf_memory_cgroup *c = p;

	rf_memory_claims_fini(&c->claims);
	free(c->limits);
	free(c->path);
	free(c);
}

static struct rf_memory_cgroup *cgroup_get(struct rf_memory_limits *m, uint64_t id, const char *path)
{
	struct rf_memory_cgroup *c = rf_hashmap_get64(m->cgroups, id);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = id;
	c->wanted = RF_MEMORY_MAX;
	c->path = strdup(path);
	if (c->path && m->root >= 0)
		(void)rf_dmem_claims_load(m->root, path, &c->claims);
	if (c->path && rf_hashmap_put(m->cgroups, &id, sizeof(id), c) == 0)
		return c;
	cgroup_free(c);
	return NULL;
}

/* A cgroup that is gone has taken its limits along, and its path may be another's. */
static bool is_there(const struct rf_memory_limits *m, const struct rf_memory_cgroup *c)
{
	unsigned long long id;

	return m->root >= 0 && *c->path == '/' && c->path[1] && rf_fs_cgroup_id(m->root, c->path + 1, &id) == 0 &&
	       id == c->id;
}

void rf_memory_fail(struct rf_memory_limits *m, enum rf_memory_method method, const struct rf_memory_cgroup *c,
		    int error)
{
	m->failures++;
	if (m->told[method] == error)
		return;
	m->told[method] = error;
	if (method == RF_MEMORY_NVML)
		rf_warn("%s: NVIDIA's driver refuses a limit of memory with %d; not told again", c->path, error);
	else
		rf_warn("%s: a limit of device memory cannot be set by dmem: %s; not told again", c->path,
			strerror(-error));
}

void rf_memory_claims_keep(struct rf_memory_limits *m, const struct rf_memory_cgroup *c)
{
	int r = rf_dmem_claims_store(m->root, c->path, &c->claims);

	if (r < 0 && !m->failures++)
		rf_warn("%s: that a limit is ours cannot be kept: %s", c->path, strerror(-r));
}

uint64_t rf_memory_wanted(const struct rf_memory_cgroup *c)
{
	return c->audit ? RF_MEMORY_MAX : c->wanted;
}

bool rf_memory_has_claim(const struct rf_memory_cgroup *c, const char *name)
{
	for (size_t i = 0; i < c->claims.n; i++)
		if (rf_streq(c->claims.list[i].name, name))
			return c->claims.list[i].asked != RF_MEMORY_MAX;
	return false;
}

static bool has_any_claim(const struct rf_memory_cgroup *c)
{
	for (size_t i = 0; i < c->claims.n; i++)
		if (c->claims.list[i].asked != RF_MEMORY_MAX)
			return true;
	return false;
}

/* ---- the driver ---- */

struct rf_memory_limit *rf_memory_limit_find(const struct rf_memory_cgroup *c, const char *parent)
{
	for (size_t i = 0; i < c->n; i++)
		if (rf_streq(c->limits[i].parent, parent))
			return &c->limits[i];
	return NULL;
}

static void answer(const struct rf_gpu_limit_message *a, void *arg)
{
	struct rf_memory_limits *m = arg;
	const struct rf_memory_asked *asked = &m->asked[a->request];
	struct rf_memory_cgroup *c = rf_hashmap_get64(m->cgroups, asked->cgroup_id);
	struct rf_memory_limit *l = c ? rf_memory_limit_find(c, asked->parent) : NULL;
	struct rf_memory_claim *claim = c ? rf_memory_claims_get(&c->claims, asked->parent) : NULL, was;

	if (!l || !claim)
		return;
	l->driver = a->result == 0 && rf_memory_wanted(c) != RF_MEMORY_MAX;
	if (l->method != RF_MEMORY_DMEM)
		l->method = l->driver ? RF_MEMORY_NVML : l->otherwise;
	if (a->result) {
		l->bytes = c->wanted;
		rf_memory_fail(m, RF_MEMORY_NVML, c, a->result);
		return;
	}
	l->used = a->used;
	l->bytes = a->limit;
	was = *claim;
	claim->asked = a->asked;
	claim->ours = a->ours;
	claim->before = a->before;
	if (was.asked != claim->asked || was.ours != claim->ours || was.before != claim->before)
		rf_memory_claims_keep(m, c);
}

/* Where the driver keeps limits by dmem, the cgroup must have it, with memory of whatever name. */
static void driver_prepare(struct rf_memory_limits *m, const struct rf_memory_cgroup *c, const char *parent)
{
	for (size_t i = 0; i < m->capacity->n; i++) {
		const char *device = strchr(m->capacity->regions[i].name, '/');

		if (!device || !rf_strprefix(device + 1, parent))
			continue;
		(void)rf_dmem_enable(m->root, c->path);
		return;
	}
}

static void request_add(struct rf_memory_limits *m, struct rf_memory_cgroup *c, const char *parent, uint32_t *n,
			struct rf_strbuf *out)
{
	const struct rf_memory_claim *claim = rf_memory_claims_get(&c->claims, parent);
	_cleanup_strbuf_ struct rf_strbuf path = RF_STRBUF_INIT;

	if (!claim || *n == ASKED_MAX)
		return;
	/* The next power of two is the capacity. */
	if ((*n & (*n - 1)) == 0) {
		struct rf_memory_asked *asked = reallocarray(m->asked, *n ? 2 * *n : 1, sizeof(*asked));

		if (!asked)
			return;
		m->asked = asked;
	}
	if (rf_memory_wanted(c) != RF_MEMORY_MAX)
		driver_prepare(m, c, parent);
	m->asked[*n].cgroup_id = c->id;
	snprintf(m->asked[*n].parent, sizeof(m->asked[*n].parent), "%s", parent);
	++*n;
	rf_strbuf_addf(&path, "%s%s", m->root_path, c->path);
	rf_memory_request_format(claim, rf_memory_wanted(c), rf_strbuf_str(&path), out);
}

static void driver_look(struct rf_memory_limits *m, const struct rf_memory_device *devices, size_t n_devices,
			const struct rf_gpu *gpu)
{
	_cleanup_strbuf_ struct rf_strbuf requests = RF_STRBUF_INIT;
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint32_t n = 0;
	void *value;
	int r;

	m->pending = m->gpu.pid;
	if (!rf_gpu_limits_ready(&m->gpu, gpu))
		return;
	while (rf_hashmap_next(m->cgroups, &it, NULL, NULL, &value)) {
		struct rf_memory_cgroup *c = value;

		for (size_t i = 0; c->there && i < n_devices && i < c->n; i++)
			if (devices[i].can & 1u << RF_MEMORY_NVML && c->limits[i].method != RF_MEMORY_DMEM &&
			    (rf_memory_wanted(c) != RF_MEMORY_MAX || rf_memory_has_claim(c, devices[i].parent)))
				request_add(m, c, devices[i].parent, &n, &requests);
	}
	r = n ? rf_strbuf_error(&requests) : 0;
	if (r >= 0 && n)
		r = rf_gpu_limits_ask(&m->gpu, gpu, &requests, n);
	if (r < 0 && !m->failures++)
		rf_err_r(r, "NVIDIA's driver cannot be asked to limit memory");
}

/* ---- a look ---- */

/* One for each device, with what the driver said of it before. */
static int limits_make(struct rf_memory_cgroup *c, const struct rf_memory_device *devices, size_t n)
{
	struct rf_memory_limit *list = calloc(n + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct rf_memory_limit *before = rf_memory_limit_find(c, devices[i].parent);
		struct rf_memory_limit *l = &list[i];

		snprintf(l->parent, sizeof(l->parent), "%s", devices[i].parent);
		l->method = l->otherwise = rf_memory_method_choose(devices[i].can & ~(1u << RF_MEMORY_NVML));
		l->bytes = c->wanted;
		l->used = RF_MEMORY_MAX;
		l->over = before && before->over;
		if (!before || !before->driver || rf_memory_wanted(c) == RF_MEMORY_MAX ||
		    !(devices[i].can & 1u << RF_MEMORY_NVML))
			continue;
		l->driver = true;
		l->method = RF_MEMORY_NVML;
		l->bytes = before->bytes;
		l->used = before->used;
	}
	free(c->limits);
	c->limits = list;
	c->n = n;
	return 0;
}

static void quotas_take(struct rf_memory_limits *m, const struct rf_memory_quota *quotas, size_t n)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(m->cgroups, &it, NULL, NULL, &value))
		((struct rf_memory_cgroup *)value)->stale = true;
	for (size_t i = 0; i < n; i++) {
		struct rf_memory_cgroup *c = cgroup_get(m, quotas[i].cgroup_id, quotas[i].path);

		if (!c)
			continue;
		c->stale = false;
		c->workload = quotas[i].workload;
		c->audit = quotas[i].audit;
		c->wanted = MIN(quotas[i].bytes, (uint64_t)RF_GPU_BYTES_MAX);
	}
}

static void capacity_look(struct rf_memory_limits *m)
{
	if (m->root < 0 || rf_dmem_capacity(m->root, m->capacity) < 0)
		m->capacity->n = 0;
}

bool rf_memory_limits_by_kernel(const struct rf_memory_limits *m)
{
	for (size_t i = 0; i < m->capacity->n; i++)
		if (strstr(m->capacity->regions[i].name, "/vram"))
			return true;
	return false;
}

static void look(struct rf_memory_limits *m, const struct rf_memory_device *devices, size_t n_devices)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	capacity_look(m);
	while (rf_hashmap_next(m->cgroups, &it, NULL, NULL, &value)) {
		struct rf_memory_cgroup *c = value;
		uint64_t id = c->id;

		c->there = is_there(m, c);
		if (c->stale)
			c->wanted = RF_MEMORY_MAX;
		if (limits_make(c, devices, n_devices) < 0)
			continue;
		if (c->there)
			rf_memory_dmem_look(m, c);
		/* What the driver is just doing for it may be ours when it answers. */
		if (c->stale && !m->gpu.pid && (!c->there || !has_any_claim(c)))
			(void)rf_hashmap_remove(m->cgroups, &id, sizeof(id));
	}
}

int rf_memory_limits_start(struct rf_memory_limits *m, const char *root_path, sd_event *event)
{
	int r;

	*m = (struct rf_memory_limits){ .root = -1 };
	rf_gpu_limits_start(&m->gpu, event, answer, m);
	m->capacity = calloc(1, sizeof(*m->capacity));
	m->root_path = strdup(root_path ? root_path : "");
	if (!m->capacity || !m->root_path)
		return -ENOMEM;
	r = rf_hashmap_new(cgroup_free, &m->cgroups);
	if (r >= 0 && root_path)
		m->root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	capacity_look(m);
	return r;
}

void rf_memory_limits_adopt(struct rf_memory_limits *m, uint64_t cgroup_id, const char *path)
{
	struct rf_memory_claims claims;
	bool any;

	if (m->root < 0 || rf_dmem_claims_load(m->root, path, &claims) < 0)
		return;
	any = claims.n;
	rf_memory_claims_fini(&claims);
	if (any)
		(void)cgroup_get(m, cgroup_id, path);
}

void rf_memory_limits_tick(struct rf_memory_limits *m, uint64_t signature, const struct rf_memory_quota *quotas,
			   size_t n_quotas, const struct rf_memory_device *devices, size_t n_devices,
			   const struct rf_gpu *gpu)
{
	bool ended = rf_gpu_limits_tick(&m->gpu), same = signature == m->signature;

	if (same && !(ended && m->pending) && ++m->ticks % LOOK_TICKS)
		return;
	if (!same)
		m->gpu.next_ns = 0;
	m->signature = signature;
	m->ticks = 0;
	quotas_take(m, quotas, n_quotas);
	look(m, devices, n_devices);
	driver_look(m, devices, n_devices, gpu);
}

void rf_memory_limits_stop(struct rf_memory_limits *m)
{
	rf_gpu_limits_stop(&m->gpu);
	rf_hashmap_free(m->cgroups);
	free(m->capacity);
	free(m->root_path);
	free(m->asked);
	if (m->root >= 0)
		close(m->root);
	*m = (struct rf_memory_limits){ .root = -1 };
}

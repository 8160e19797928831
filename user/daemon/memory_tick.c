// SPDX-License-Identifier: GPL-2.0-or-later
/* Which workloads have a quota of device memory, and what there is on this host that can keep it. */
#include <errno.h>

#include "user/daemon/app.h"
#include "user/daemon/loop.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"
#include "user/policy/compile_quotas.h"

#define BIT(class)  (1u << RF_ACCELERATOR_##class)
#define CAN(method) (1u << RF_MEMORY_##method)

struct gathered {
	struct rf_memory_quota *quotas;
	size_t n_quotas;
	struct rf_memory_device *devices;
	size_t n_devices;
	uint64_t signature;
};

static void gathered_free(struct gathered *g)
{
	free(g->quotas);
	free(g->devices);
}

/* That two differ is all that is asked of it. */
static void sign(uint64_t *signature, uint64_t number)
{
	*signature = (*signature ^ number) * 0x9e3779b97f4a7c15ULL;
	*signature ^= *signature >> 32;
}

/* Drivers whose buffers are seen, where the ioctls that make them are, too. */
static bool is_asked_by_ioctl(const struct rf_app *app, const struct rf_accelerator *d)
{
	return d->classes & (BIT(DRM) | BIT(ACCEL)) && !(d->classes & BIT(HABANALABS)) && !rf_accelerator_is_nvml(d) &&
	       rf_engine_support(app->engine, RF_FEATURE_ACCELERATOR_QUOTAS) != RF_SUPPORT_UNAVAILABLE &&
	       rf_engine_support(app->engine, RF_FEATURE_ACCELERATOR_ACCOUNTING) != RF_SUPPORT_UNAVAILABLE;
}

static void device_add(struct gathered *g, const char *parent, uint32_t can)
{
	struct rf_memory_device *d = &g->devices[g->n_devices++];

	*d = (struct rf_memory_device){ .can = can };
	snprintf(d->parent, sizeof(d->parent), "%s", parent);
	for (const char *c = d->parent; *c; c++)
		sign(&g->signature, (uint64_t)*c);
	sign(&g->signature, can);
}

static int devices_gather(const struct rf_app *app, struct gathered *g)
{
	const struct rf_accelerators *known = &app->accelerators.known;
	const struct rf_device_health *told = &app->device_health;
	uint32_t by_nvml = app->gpu && rf_gpu_running(app->gpu) ? CAN(NVML) | CAN(DETECT) : 0;
	uint64_t now = rf_clock_monotonic();

	g->devices = calloc(known->n_devices + told->n + 1, sizeof(*g->devices));
	if (!g->devices)
		return -ENOMEM;
	for (size_t i = 0; i < known->n_devices; i++) {
		const struct rf_accelerator *d = &known->devices[i];

		device_add(g, d->parent,
			   rf_accelerator_is_nvml(d) ? by_nvml :
			   is_asked_by_ioctl(app, d) ? CAN(IOCTL) :
						       0);
	}
	/* Of those whose nodes are not known NVML alone tells. One that is gone says nothing any more. */
	for (size_t i = 0; by_nvml && i < told->n; i++) {
		const char *parent = told->rows[i].health.parent;
		const struct rf_accel_health *health = rf_device_health_find(told, parent, now);

		if (!rf_accelerators_name(known, parent) && health && rf_health_any_known(health))
			device_add(g, parent, by_nvml);
	}
	return 0;
}

static int quotas_gather(const struct rf_app *app, struct gathered *g)
{
	const struct rf_registry *r = app->registry;

	g->quotas = calloc(r->n_workloads + 1, sizeof(*g->quotas));
	if (!g->quotas)
		return -ENOMEM;
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS && g->n_quotas < r->n_workloads; id++) {
		const struct rf_workload *w = r->by_id[id];
		const struct rf_quotas_image *image = w && !w->retired && w->image ? w->image->quotas : NULL;
		const struct rf_cgroup *c =
			image && image->quota[RF_ACCEL_WORKLOAD].memory ? rf_registry_cgroup_of(r, w) : NULL;
		struct rf_memory_quota *q = &g->quotas[g->n_quotas];

		if (!c)
			continue;
		*q = (struct rf_memory_quota){ .cgroup_id = w->cgroup_id,
					       .bytes = image->quota[RF_ACCEL_WORKLOAD].memory,
					       .workload = id,
					       .audit = image->flags[RF_ACCEL_WORKLOAD] & RF_QUOTA_AUDIT };
		sign(&g->signature, q->cgroup_id);
		sign(&g->signature, q->bytes);
		sign(&g->signature, (uint64_t)id << 1 | q->audit);
		q->path = c->path;
		g->n_quotas++;
	}
	return 0;
}

/* The attach point without its path below the mount. */
static char *root_path(const struct rf_app *app)
{
	size_t prefix = strlen(app->registry->prefix), len = strlen(app->options.cgroup_root);

	if (len < prefix || !rf_streq(app->options.cgroup_root + len - prefix, app->registry->prefix))
		return NULL;
	return strndup(app->options.cgroup_root, len - prefix);
}

/* Policies may ask for what there is. */
static void support_tell(struct rf_app *app)
{
	if (rf_memory_limits_by_kernel(&app->memory_limits))
		rf_engine_memory_kept(app->engine, RF_SUPPORT_ENFORCED,
				      "dmem.max, for devices whose driver charges their memory to it");
	else if (rf_gpu_wanted(app->gpu, &app->accelerators.known))
		rf_engine_memory_kept(app->engine, RF_SUPPORT_BEST_EFFORT,
				      "NVIDIA's driver, where it has limits by cgroup (CUDA 13.4)");
	else
		rf_engine_memory_kept(app->engine, RF_SUPPORT_UNAVAILABLE, NULL);
}

int rf_app_memory_start(struct rf_app *app)
{
	_cleanup_free_ char *path = root_path(app);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;
	int r = rf_memory_limits_start(&app->memory_limits, path, app->event);

	if (r >= 0 && app->memory_limits.root < 0)
		rf_warn("neither the kernel nor a driver limits memory of devices: where %s is mounted is not known",
			app->options.cgroup_root);
	while (r >= 0 && rf_hashmap_next(app->registry->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;

		rf_memory_limits_adopt(&app->memory_limits, c->id, c->path);
	}
	if (r >= 0)
		support_tell(app);
	return r;
}

/* ---- detection ---- */

static void use_add(const struct rf_gpu_use *use, void *arg)
{
	const struct rf_memory_limits *m = arg;
	const struct rf_memory_cgroup *c = rf_hashmap_get64(m->cgroups, use->cgroup);
	struct rf_memory_limit *l = c ? rf_memory_limit_find(c, use->parent) : NULL;

	if (l && l->method == RF_MEMORY_DETECT)
		l->used += use->bytes;
}

/* Whoever looks at the rows denies, or would; that it has begun is told here, for nobody may look. */
static void over_send(struct rf_app *app, const struct rf_memory_cgroup *c, const char *parent)
{
	struct rf_event_quota e = { .header = { .version = RF_EVENT_VERSION,
						.kind = RF_EVENT_QUOTA,
						.size = sizeof(e),
						.lane = RF_LANE_AUDIT,
						.verdict = RF_WOULD_DENY,
						.time_ns = rf_clock_boot(),
						.cgroup_id = c->id,
						.workload = c->workload },
				    .kind = RF_QUOTA_MEMORY,
				    .level = RF_ACCEL_WORKLOAD,
				    .state = RF_QUOTA_EXHAUSTED };
	const struct rf_accelerators *known = &app->accelerators.known;

	for (size_t i = 0; i < known->n_nodes && !e.major; i++)
		if (known->nodes[i].part == RF_PART_DEVICE &&
		    rf_streq(known->devices[known->nodes[i].device].parent, parent)) {
			e.major = known->nodes[i].major;
			e.minor = known->nodes[i].minor;
		}
	rf_app_event(app, &e.header);
}

static void compare(struct rf_app *app, const struct rf_memory_cgroup *c, struct rf_memory_limit *l)
{
	bool was = l->over;

	l->over = l->used > c->wanted;
	if (l->over && !was)
		over_send(app, c, l->parent);
	if (l->over)
		rf_engine_accel_memory_over(app->engine, c->workload, rf_engine_accel_device(app->engine, l->parent));
}

/* Of all cgroups' limits that are only compared. */
static void detected_each(struct rf_app *app,
			  void (*fn)(struct rf_app *app, const struct rf_memory_cgroup *c, struct rf_memory_limit *l))
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(app->memory_limits.cgroups, &it, NULL, NULL, &value)) {
		const struct rf_memory_cgroup *c = value;

		for (size_t i = 0; !c->stale && i < c->n; i++)
			if (c->limits[i].method == RF_MEMORY_DETECT)
				fn(app, c, &c->limits[i]);
	}
}

static void used_clear(struct rf_app *app, const struct rf_memory_cgroup *c, struct rf_memory_limit *l)
{
	(void)app;
	(void)c;
	l->used = 0;
}

static void detect_all(struct rf_app *app)
{
	if (!app->gpu)
		return;
	detected_each(app, used_clear);
	rf_gpu_each(app->gpu, use_add, &app->memory_limits);
	detected_each(app, compare);
}

void rf_app_memory_tick(struct rf_app *app)
{
	_cleanup_(gathered_free) struct gathered g = { .signature = 1 };

	support_tell(app);
	if (!app->in_force || devices_gather(app, &g) < 0 || quotas_gather(app, &g) < 0)
		return;
	rf_memory_limits_tick(&app->memory_limits, g.signature, g.quotas, g.n_quotas, g.devices, g.n_devices, app->gpu);
	detect_all(app);
}

static void limits_view(const struct rf_memory_cgroup *c, const struct rf_workload_row *workload, struct rf_snapshot *s)
{
	for (size_t i = 0; i < s->n_accelerators; i++) {
		const struct rf_memory_limit *l = rf_memory_limit_find(c, s->accelerators[i].parent);

		if (l)
			s->memory_limits[s->n_memory_limits++] =
				(struct rf_memory_limit_row){ workload, &s->accelerators[i], l->method, l->bytes,
							      l->used };
	}
}

int rf_app_memory_view(const struct rf_app *app, struct rf_snapshot *s)
{
	const struct rf_memory_limits *m = &app->memory_limits;

	s->memory_failures = m->failures + m->gpu.failures;
	s->memory_limits = calloc(rf_hashmap_size(m->cgroups) * s->n_accelerators + 1, sizeof(*s->memory_limits));
	if (!s->memory_limits)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_workloads; i++) {
		const struct rf_workload *w = app->registry->by_id[s->workloads[i].id];
		const struct rf_memory_cgroup *c = rf_hashmap_get64(m->cgroups, w->cgroup_id);

		if (c && !c->stale)
			limits_view(c, &s->workloads[i], s);
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* One snapshot of everything, for status, top and /metrics. */
#include <errno.h>
#include <fcntl.h>

#include "user/collect/cgroup_stat.h"
#include "user/daemon/app.h"
#include "user/daemon/cost.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

static const char *const source_names[] = {
	[RF_SOURCE_DIRECTORY] = "directory",
	[RF_SOURCE_ROLLBACK] = "rollback",
	[RF_SOURCE_CONFIRM] = "confirm-pending",
};

static void flows_fill(const struct rf_flows *f, struct rf_snapshot *s)
{
	struct rf_flow_history_stats stats;

	rf_flow_history_stats(f->history, &stats);
	s->flows.rows = stats.rows;
	s->flows.max = stats.max;
	s->flows.dropped = stats.dropped;
	s->flows.lost = stats.lost + stats.refused;
	s->flows.bytes = stats.bytes;
	s->flows.stored = stats.stored;
	s->flows.trouble = f->trouble ? strdup(f->trouble) : NULL;
}

static void lineage_fill(const struct rf_lineage *l, struct rf_snapshot *s)
{
	s->lineage = (struct rf_recorded_row){ .rows = l->stats.rows,
					       .max = RF_MAX_LINEAGE,
					       .dropped = l->stats.dropped,
					       .lost = l->lost,
					       .bytes = l->stats.bytes,
					       .stored = l->db != NULL,
					       .trouble = l->trouble ? strdup(l->trouble) : NULL };
}

static int policies_copy(struct rf_workload_row *row, const struct rf_image *image)
{
	row->policies = calloc(image->n_policies ? image->n_policies : 1, sizeof(*row->policies));
	if (!row->policies)
		return -ENOMEM;
	for (size_t i = 0; i < image->n_policies; i++) {
		row->policies[i] = strdup(image->policies[i]);
		if (!row->policies[i])
			return -ENOMEM;
		row->n_policies++;
	}
	return 0;
}

static int workload_row_fill(struct rf_app *app, const struct rf_workload *w, const struct rf_cgroup *c, bool usage,
			     struct rf_workload_row *row)
{
	struct rf_cgroup_stat stat = { RF_UNKNOWN, RF_UNKNOWN, RF_UNKNOWN };

	row->id = w->id;
	row->name = strdup(w->name);
	row->tenant = strdup(w->tenant);
	row->namespace = strdup(w->namespace);
	row->short_name = strdup(w->short_name);
	row->path = strdup(c->path);
	row->manager = rf_manager_name(c->identity->manager);
	row->mode = w->image->mode;
	if (usage)
		(void)rf_cgroup_stat_read(rf_engine_root_fd(app->engine), c->path + strlen(app->registry->prefix),
					  &stat);
	row->tasks = stat.tasks;
	row->cpu_usec = stat.cpu_usec;
	row->memory_bytes = stat.memory_bytes;
	if (!row->name || !row->tenant || !row->namespace || !row->short_name || !row->path)
		return -ENOMEM;
	return policies_copy(row, w->image);
}

/* Of a device that the kernel has no rows of. */
#define NUMBER_NONE UINT32_MAX

static int accelerator_add(struct rf_snapshot *s, uint32_t number, const char *name, const char *driver,
			   const char *parent, const char *uuid)
{
	struct rf_accelerator_row *row = &s->accelerators[s->n_accelerators++];

	*row = (struct rf_accelerator_row){
		number, strdup(name), strdup(driver), strdup(parent), uuid ? strdup(uuid) : NULL, NULL
	};
	return row->name && row->driver && row->parent && !uuid == !row->uuid ? 0 : -ENOMEM;
}

static bool has_parent(const struct rf_snapshot *s, const char *parent)
{
	for (size_t i = 0; i < s->n_accelerators; i++)
		if (rf_streq(s->accelerators[i].parent, parent))
			return true;
	return false;
}

static int health_add(struct rf_accelerator_row *row, const struct rf_accel_health *h)
{
	row->health = malloc(sizeof(*row->health));
	if (!row->health)
		return -ENOMEM;
	*row->health = *h;
	return 0;
}

/* What devices say of themselves; one of whose nodes nothing is known is there by its name on the bus. */
static int health_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	const struct rf_device_health *told = &app->device_health;
	uint64_t now = rf_clock_monotonic();
	int r = 0;

	for (size_t i = 0; r >= 0 && i < told->n; i++) {
		const struct rf_accel_health *h = rf_device_health_find(told, told->rows[i].health.parent, now);

		if (!h)
			continue;
		if (!has_parent(s, h->parent))
			r = accelerator_add(s, NUMBER_NONE, h->parent, "", h->parent, NULL);
		for (size_t k = 0; r >= 0 && k < s->n_accelerators; k++)
			if (rf_streq(s->accelerators[k].parent, h->parent))
				r = health_add(&s->accelerators[k], h);
	}
	return r;
}

/* Those that are there, and what belongs to none alone; one that is gone is known by its name on the bus. */
static int accelerators_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	const struct rf_accelerators *known = &app->accelerators.known;
	int r;

	s->accelerators = calloc(known->n_devices + app->device_health.n + 2, sizeof(*s->accelerators));
	if (!s->accelerators)
		return -ENOMEM;
	r = accelerator_add(s, RF_ACCEL_DEVICE_NONE, "", "", "", NULL);
	if (r >= 0)
		r = accelerator_add(s, RF_ACCEL_DEVICE_LIBRARY, RF_ACCELERATOR_LIBRARY, "", "", NULL);
	for (size_t i = 0; r >= 0 && i < known->n_devices; i++) {
		const struct rf_accelerator *d = &known->devices[i];

		r = accelerator_add(s, rf_engine_accel_device(app->engine, d->parent), d->name, d->driver, d->parent,
				    d->uuid);
	}
	return r < 0 ? r : health_fill(app, s);
}

struct uses {
	struct rf_snapshot *s;
	const struct rf_holds *holds;
	const struct rf_kfd_watch *kfd;
	struct rf_accelerator_use_row *list;
	size_t n, room;
};

static const struct rf_workload_row *workload_row_find(const struct rf_snapshot *s, uint32_t id)
{
	/* The rows are in the order of ids. */
	for (size_t from = 0, to = s->n_workloads; from < to;) {
		size_t middle = (from + to) / 2;

		if (s->workloads[middle].id == id)
			return &s->workloads[middle];
		if (s->workloads[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

static struct rf_accelerator_use_row use_row(const struct uses *u, const struct rf_workload_row *workload,
					     const struct rf_accelerator_row *device, const struct rf_accel_use *use)
{
	const struct rf_hold *hold = rf_holds_find(u->holds, use->whose);
	struct rf_accelerator_use_row row = { .workload = workload, .device = device, .use = *use, .finding = "" };
	const struct rf_kfd_sum *kfd = u->kfd->sums ? rf_hashmap_get64(u->kfd->sums, use->whose) : NULL;

	if (kfd)
		row.kfd = kfd->kfd;
	if (!hold)
		return row;
	row.idle_ns = rf_hold_idle_ns(hold, u->s->boot_ns);
	row.finding = rf_hold_finding_name(hold->finding);
	row.finding_ns = hold->finding && u->s->boot_ns > hold->since_ns ? u->s->boot_ns - hold->since_ns : 0;
	return row;
}

static int use_take(const struct rf_accel_use *use, void *arg)
{
	struct uses *u = arg;
	uint32_t owner = RF_ACCEL_WHOSE_OWNER(use->whose);
	const struct rf_workload_row *workload = RF_ACCEL_OWNER_LEVEL(owner) == RF_ACCEL_WORKLOAD ?
							 workload_row_find(u->s, RF_ACCEL_OWNER_NUMBER(owner)) :
							 NULL;
	const struct rf_accelerator_row *device = NULL;

	for (size_t i = 0; i < u->s->n_accelerators; i++)
		if (u->s->accelerators[i].number == RF_ACCEL_WHOSE_DEVICE(use->whose))
			device = &u->s->accelerators[i];
	/* What has gone is not shown: its numbers stay until its workload goes, too. */
	if (!workload || !device)
		return 0;
	if (u->n == u->room) {
		size_t room = u->room ? 2 * u->room : 64;
		struct rf_accelerator_use_row *list = reallocarray(u->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		u->list = list;
		u->room = room;
	}
	u->list[u->n++] = use_row(u, workload, device, use);
	return 0;
}

/* Those of which the kernel tells nothing else. */
static int kfd_take(struct uses *u)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	size_t known = u->n;
	void *value;
	int r = 0;

	while (r >= 0 && u->kfd->sums && rf_hashmap_next(u->kfd->sums, &it, NULL, NULL, &value)) {
		const struct rf_accel_use use = { .whose = ((struct rf_kfd_sum *)value)->whose };
		size_t i = 0;

		while (i < known && u->list[i].use.whose != use.whose)
			i++;
		if (i == known)
			r = use_take(&use, u);
	}
	return r;
}

static int use_compare(const void *a, const void *b)
{
	const struct rf_accelerator_use_row *x = a, *y = b;

	if (x->workload != y->workload)
		return x->workload < y->workload ? -1 : 1;
	return (x->device > y->device) - (x->device < y->device);
}

static int uses_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	struct uses u = { .s = s, .holds = &app->holds, .kfd = &app->kfd };
	int r = rf_engine_accel_uses_each(app->engine, use_take, &u);

	if (r >= 0)
		r = kfd_take(&u);
	if (u.n)
		qsort(u.list, u.n, sizeof(*u.list), use_compare);
	s->accelerator_uses = u.list;
	s->n_accelerator_uses = u.n;
	return r;
}

struct calls {
	struct rf_snapshot *s;
	size_t room;
};

static int call_take(const struct rf_call_key *key, const struct rf_call_use *use, void *arg)
{
	struct calls *c = arg;
	const struct rf_workload_row *workload = workload_row_find(c->s, key->workload);

	if (!workload || key->kind >= RF_CALL_KINDS)
		return 0;
	if (c->s->n_calls == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct rf_call_row *list = reallocarray(c->s->calls, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		c->s->calls = list;
		c->room = room;
	}
	c->s->calls[c->s->n_calls++] = (struct rf_call_row){ workload, key->kind, *use };
	return 0;
}

static int call_compare(const void *a, const void *b)
{
	const struct rf_call_row *x = a, *y = b;

	if (x->workload != y->workload)
		return x->workload < y->workload ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static int calls_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	struct calls c = { .s = s };
	int r = rf_engine_call_uses_each(app->engine, call_take, &c);

	if (s->n_calls)
		qsort(s->calls, s->n_calls, sizeof(*s->calls), call_compare);
	return r;
}

struct nvml_uses {
	struct rf_snapshot *s;
	size_t n, room;
	bool counting; /* how many there are; then they are taken */
};

static void nvml_use_take(const struct rf_gpu_use *use, void *arg)
{
	struct nvml_uses *u = arg;
	struct rf_nvml_use_row row = { .workload = workload_row_find(u->s, use->workload),
				       .gpu_instance = use->gpu_instance,
				       .compute_instance = use->compute_instance,
				       .busy_ns = use->busy_ns,
				       .energy_uj = use->energy_uj,
				       .bytes = use->bytes,
				       .bytes_peak = use->bytes_peak,
				       .processes = use->processes };

	for (size_t i = 0; i < u->s->n_accelerators; i++)
		if (rf_streq(u->s->accelerators[i].parent, use->parent))
			row.device = &u->s->accelerators[i];
	if (!row.workload || !row.device)
		return;
	if (u->counting)
		u->room++;
	else if (u->n < u->room)
		u->s->nvml_uses[u->n++] = row;
}

static int nvml_use_compare(const void *a, const void *b)
{
	const struct rf_nvml_use_row *x = a, *y = b;

	if (x->workload != y->workload)
		return x->workload < y->workload ? -1 : 1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->gpu_instance != y->gpu_instance)
		return x->gpu_instance < y->gpu_instance ? -1 : 1;
	return (x->compute_instance > y->compute_instance) - (x->compute_instance < y->compute_instance);
}

static int nvml_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	struct nvml_uses u = { .s = s, .counting = true };

	if (!app->gpu)
		return 0;
	rf_gpu_row(app->gpu, &s->gpu);
	rf_gpu_each(app->gpu, nvml_use_take, &u);
	s->nvml_uses = calloc(u.room + 1, sizeof(*s->nvml_uses));
	if (!s->nvml_uses)
		return -ENOMEM;
	u.counting = false;
	rf_gpu_each(app->gpu, nvml_use_take, &u);
	s->n_nvml_uses = u.n;
	qsort(s->nvml_uses, u.n, sizeof(*s->nvml_uses), nvml_use_compare);
	return 0;
}

static int xids_fill(const struct rf_app *app, struct rf_snapshot *s)
{
	const struct rf_xid_counts *c = &app->xid.counts;

	s->log_missed = app->xid.source ? app->xid.missed : RF_UNKNOWN;
	s->xids = calloc(c->n_devices * (RF_XID_CODES + 1) + 1, sizeof(*s->xids));
	if (!s->xids)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_devices; i++) {
		const struct rf_xid_device *d = &c->devices[i];
		const char *name = rf_accelerators_name(&app->accelerators.known, d->parent);

		for (size_t k = 0; k < d->n_codes; k++) {
			struct rf_xid_row *row = &s->xids[s->n_xids++];

			*row = (struct rf_xid_row){ .code = d->codes[k].code, .count = d->codes[k].count };
			snprintf(row->device, sizeof(row->device), "%s", name ? name : d->parent);
		}
	}
	return 0;
}

int rf_app_snapshot(struct rf_app *app, bool workload_usage, struct rf_snapshot *s)
{
	struct rf_registry *registry = app->registry;
	int r;

	s->real_ns = rf_clock_real();
	s->boot_ns = rf_clock_boot();
	s->pid = getpid();
	s->uptime_s = (rf_clock_monotonic() - app->started_ns) / RF_NSEC_PER_SEC;
	s->n_cgroups = rf_hashmap_size(registry->cgroups);
	s->source = source_names[app->source_kind];
	s->confirm_left_s = RF_UNKNOWN;
	if (app->confirm_timer) {
		uint64_t now = rf_clock_monotonic();

		s->confirm_left_s = app->confirm_deadline_ns > now ?
					    (app->confirm_deadline_ns - now + RF_NSEC_PER_SEC - 1) / RF_NSEC_PER_SEC :
					    0;
	}
	s->last_error = app->last_error ? strdup(app->last_error) : NULL;
	s->last_error_real_ns = app->last_error_real_ns;
	s->applies_ok = app->applies_ok;
	s->applies_failed = app->applies_failed;
	s->rollbacks = app->rollbacks;
	s->last_apply_real_ns = app->last_apply_real_ns;
	rf_cost_fill(s);
	flows_fill(&app->flows, s);
	lineage_fill(&app->lineage, s);

	s->workloads = calloc(registry->n_workloads ? registry->n_workloads : 1, sizeof(*s->workloads));
	if (!s->workloads)
		return -ENOMEM;
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload *w = registry->by_id[id];
		const struct rf_cgroup *c = w && !w->retired && w->image ? rf_registry_cgroup_of(registry, w) : NULL;

		if (!c || s->n_workloads == registry->n_workloads)
			continue;
		r = workload_row_fill(app, w, c, workload_usage, &s->workloads[s->n_workloads]);
		s->n_workloads++;
		if (r < 0)
			return r;
	}
	rf_clients_look(&app->clients, app->engine);
	s->accel_clients = app->clients.row;
	r = accelerators_fill(app, s);
	if (r >= 0)
		r = uses_fill(app, s);
	if (r >= 0)
		r = calls_fill(app, s);
	s->accel_skips = rf_engine_accel_skips(app->engine);
	if (r >= 0)
		r = nvml_fill(app, s);
	if (r >= 0)
		r = rf_app_memory_view(app, s);
	if (r >= 0)
		r = xids_fill(app, s);
	if (r < 0)
		return r;
	r = rf_engine_snapshot(app->engine, s);
	s->policies = registry->set ? registry->set->n : 0;
	return r;
}

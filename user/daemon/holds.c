// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One sample of each row of a workload and a device every few seconds. Work is
 * whatever grows with it: jobs and their time as BPF counts them, time and
 * cycles as the driver tells them. Where neither is told of a device, nothing
 * is said of it. Pressure is read of the cgroups of those that hold one alone.
 */
#include "user/daemon/holds.h"

#include <errno.h>

#include "user/collect/pressure.h"
#include "user/daemon/registry.h"

#define LOOK_TICKS 5

struct hold {
	struct rf_hold hold;
	unsigned int round; /* the last in which it was held */
};

struct look {
	struct rf_holds *holds;
	struct rf_engine *e;
	const struct rf_registry *registry;
};

static struct hold *hold_get(struct rf_holds *h, uint64_t whose)
{
	struct hold *hold = rf_hashmap_get64(h->by_whose, whose);

	if (hold)
		return hold;
	hold = calloc(1, sizeof(*hold));
	if (hold && rf_hashmap_put(h->by_whose, &whose, sizeof(whose), hold) < 0) {
		free(hold);
		return NULL;
	}
	return hold;
}

static void pressure_fill(const struct look *look, uint32_t id, struct rf_hold_sample *s)
{
	const struct rf_workload *w = id < RF_MAX_WORKLOADS ? look->registry->by_id[id] : NULL;
	const struct rf_cgroup *c = w && !w->retired ? rf_registry_cgroup_of(look->registry, w) : NULL;
	const char *path;
	int root = rf_engine_root_fd(look->e);

	s->cpu_stalled_ns = s->io_stalled_ns = RF_UNKNOWN;
	if (!c)
		return;
	path = c->path + strlen(look->registry->prefix);
	(void)rf_pressure_read(root, path, "cpu.pressure", &s->cpu_stalled_ns);
	(void)rf_pressure_read(root, path, "io.pressure", &s->io_stalled_ns);
}

static int use_look(const struct rf_accel_use *use, void *arg)
{
	const struct look *look = arg;
	uint32_t owner = RF_ACCEL_WHOSE_OWNER(use->whose);
	struct rf_hold_sample s = { .now_ns = rf_clock_boot(), .files = use->files, .under_way = use->under_way };
	struct hold *hold;

	if (RF_ACCEL_OWNER_LEVEL(owner) != RF_ACCEL_WORKLOAD || !use->files)
		return 0;
	if (!use->jobs && !use->under_way && !use->fdinfo_timed)
		return 0;
	hold = hold_get(look->holds, use->whose);
	if (!hold)
		return -ENOMEM;
	hold->round = look->holds->ticks;
	s.holders = rf_engine_accel_files_known(look->e) ? use->fdinfo_clients : RF_UNKNOWN;
	s.work = use->jobs + use->busy_ns + use->fdinfo_ns + use->fdinfo_cycles;
	s.busy_ns = MAX(use->busy_ns, use->fdinfo_ns);
	pressure_fill(look, RF_ACCEL_OWNER_NUMBER(owner), &s);
	rf_hold_step(&hold->hold, &s);
	return 0;
}

void rf_holds_tick(struct rf_holds *h, struct rf_engine *e, const struct rf_registry *registry)
{
	struct look look = { h, e, registry };
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const void *key;
	size_t len;
	void *value;

	if (++h->ticks % LOOK_TICKS || (!h->by_whose && rf_hashmap_new(free, &h->by_whose) < 0))
		return;
	(void)rf_engine_accel_uses_each(e, use_look, &look);
	while (rf_hashmap_next(h->by_whose, &it, &key, &len, &value)) {
		uint64_t whose = *(const uint64_t *)key;

		if (((struct hold *)value)->round != h->ticks)
			(void)rf_hashmap_remove(h->by_whose, &whose, sizeof(whose));
	}
}

const struct rf_hold *rf_holds_find(const struct rf_holds *h, uint64_t whose)
{
	const struct hold *hold = h->by_whose ? rf_hashmap_get64(h->by_whose, whose) : NULL;

	return hold ? &hold->hold : NULL;
}

void rf_holds_end(struct rf_holds *h)
{
	rf_hashmap_free(h->by_whose);
	h->by_whose = NULL;
}

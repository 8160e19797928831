// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device that tells what it has drawn is believed, one that tells only what
 * it draws now is taken to have drawn that since it was last asked. Device time
 * is what BPF measured, or what the driver tells where that is more.
 */
#include "user/daemon/energy.h"

#include <errno.h>

#include "user/lib/clock.h"

#define WATTS_MAX 100000.0 /* more is a counter that began anew */

struct device {
	double joules;
	uint64_t at_ns;
};

/* What a device has drawn since it was asked before, and of whom. */
struct draw {
	double joules;
	uint64_t elapsed_ns;
	uint64_t busy_ns; /* of all */
};

struct share {
	uint64_t whose, busy_ns;
};

struct shares {
	struct rf_energy *energy;
	struct rf_engine *engine;
	struct draw draws[RF_MAX_ACCEL_DEVICES + 1]; /* by number */
	struct share *list;
	size_t n;
};

/* What of the device @use had since the last time, which is remembered. */
static uint64_t busy_since(struct rf_energy *en, const struct rf_accel_use *use)
{
	uint64_t busy = MAX(use->busy_ns, use->fdinfo_ns), before, *known = rf_hashmap_get64(en->busy, use->whose);

	if (!known) {
		known = malloc(sizeof(*known));
		if (!known || rf_hashmap_put(en->busy, &use->whose, sizeof(use->whose), known) < 0) {
			free(known);
			return 0;
		}
		*known = busy;
		return en->begun ? busy : 0;
	}
	before = *known;
	*known = busy;
	return busy > before ? busy - before : 0;
}

static int use_take(const struct rf_accel_use *use, void *arg)
{
	uint32_t device = RF_ACCEL_WHOSE_DEVICE(use->whose);
	struct shares *s = arg;
	uint64_t busy;

	if (device > RF_MAX_ACCEL_DEVICES || s->draws[device].joules <= 0 ||
	    RF_ACCEL_OWNER_LEVEL(RF_ACCEL_WHOSE_OWNER(use->whose)) != RF_ACCEL_WORKLOAD)
		return 0;
	busy = busy_since(s->energy, use);
	if (!busy)
		return 0;
	/* The next power of two is the capacity. */
	if ((s->n & (s->n - 1)) == 0) {
		struct share *grown = reallocarray(s->list, s->n ? 2 * s->n : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->list = grown;
	}
	s->list[s->n++] = (struct share){ use->whose, busy };
	s->draws[device].busy_ns += busy;
	return 0;
}

/* What was there before us has worked for energy that nobody shares out. */
static int use_note(const struct rf_accel_use *use, void *arg)
{
	(void)busy_since(arg, use);
	return 0;
}

/* What it drew since the last time, in joules; 0: not known, or nothing. */
static double drawn_since(struct rf_energy *en, const struct rf_accel_health *h, uint64_t now, uint64_t *ret_elapsed)
{
	double joules = h->value[RF_HEALTH_ENERGY], watts = h->value[RF_HEALTH_POWER], drawn;
	struct device *d = rf_hashmap_gets(en->devices, h->parent);

	if (!rf_health_is_known(joules) && !rf_health_is_known(watts))
		return 0;
	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d || rf_hashmap_put(en->devices, h->parent, strlen(h->parent), d) < 0) {
			free(d);
			return 0;
		}
		*d = (struct device){ joules, now };
		return 0;
	}
	*ret_elapsed = now - d->at_ns;
	if (!rf_health_is_known(joules))
		drawn = rf_health_is_known(d->joules) ? 0 : watts * (double)*ret_elapsed / 1e9;
	else
		drawn = rf_health_is_known(d->joules) ? joules - d->joules : 0;
	/* A counter that has not been asked again since. */
	if (drawn == 0 && joules == d->joules)
		return 0;
	*d = (struct device){ joules, now };
	return drawn > 0 && drawn < WATTS_MAX * (double)*ret_elapsed / 1e9 ? drawn : 0;
}

static void all_charge(const struct shares *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct share *share = &s->list[i];
		const struct draw *draw = &s->draws[RF_ACCEL_WHOSE_DEVICE(share->whose)];

		rf_engine_accel_energy_add(s->engine, share->whose,
					   rf_gpu_energy_part(draw->joules, share->busy_ns, draw->busy_ns,
							      draw->elapsed_ns));
	}
}

/* NVML tells of the workload, and no row of the device has anything: budgets are asked where launches are. */
static void gpu_use_charge(const struct rf_gpu_use *use, uint64_t microjoules, void *arg)
{
	rf_engine_accel_energy_add(
		arg, RF_ACCEL_WHOSE(RF_ACCEL_OWNER(RF_ACCEL_WORKLOAD, use->workload), RF_ACCEL_DEVICE_LIBRARY),
		microjoules);
}

void rf_energy_tick(struct rf_energy *en, struct rf_engine *e, const struct rf_device_health *health,
		    struct rf_gpu *gpu)
{
	struct shares s = { .energy = en, .engine = e };
	uint64_t now = rf_clock_monotonic();
	bool drawn = false;

	if (!health->n)
		return;
	if ((!en->devices && rf_hashmap_new(free, &en->devices) < 0) ||
	    (!en->busy && rf_hashmap_new(free, &en->busy) < 0))
		return;
	if (!en->begun)
		(void)rf_engine_accel_uses_each(e, use_note, en);
	en->begun = true;
	for (size_t i = 0; i < health->n; i++) {
		const char *parent = health->rows[i].health.parent;
		const struct rf_accel_health *h = rf_device_health_find(health, parent, now);
		uint32_t device = rf_engine_accel_device(e, parent);
		struct draw draw = { 0 };

		if (!h)
			continue;
		draw.joules = drawn_since(en, h, now, &draw.elapsed_ns);
		rf_gpu_energy(gpu, parent, draw.joules, draw.elapsed_ns, gpu_use_charge, e);
		if (device != RF_ACCEL_DEVICE_NONE && device <= RF_MAX_ACCEL_DEVICES && draw.joules > 0) {
			s.draws[device] = draw;
			drawn = true;
		}
	}
	if (drawn)
		(void)rf_engine_accel_uses_each(e, use_take, &s);
	all_charge(&s);
	free(s.list);
}

void rf_energy_end(struct rf_energy *en)
{
	rf_hashmap_free(en->devices);
	rf_hashmap_free(en->busy);
	*en = (struct rf_energy){ 0 };
}

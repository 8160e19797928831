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

struct share {
	uint64_t whose, busy_ns;
};

struct shares {
	struct rf_energy *energy;
	uint32_t device;
	struct share *list;
	size_t n;
	uint64_t busy_ns; /* of all */
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
	struct shares *s = arg;
	uint64_t busy;

	if (RF_ACCEL_WHOSE_DEVICE(use->whose) != s->device ||
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
	s->busy_ns += busy;
	return 0;
}

/* What was there before us has worked for energy that nobody shares out. */
static int use_note(const struct rf_accel_use *use, void *arg)
{
	(void)busy_since(arg, use);
	return 0;
}

/* What it drew since the last time, in joules; 0: not known, or nothing. */
static double drawn_since(struct rf_energy *en, const char *parent, const struct rf_accel_health *h, uint64_t now,
			  uint64_t *ret_elapsed)
{
	double joules = h->value[RF_HEALTH_ENERGY], watts = h->value[RF_HEALTH_POWER], drawn;
	struct device *d = rf_hashmap_gets(en->devices, parent);

	if (!rf_health_is_known(joules) && !rf_health_is_known(watts))
		return 0;
	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d || rf_hashmap_put(en->devices, parent, strlen(parent), d) < 0) {
			free(d);
			return 0;
		}
		*d = (struct device){ joules, now };
		return 0;
	}
	*ret_elapsed = now - d->at_ns;
	drawn = rf_health_is_known(joules) ? joules - d->joules : watts * (double)*ret_elapsed / 1e9;
	/* Not asked again since. */
	if (drawn == 0)
		return 0;
	*d = (struct device){ joules, now };
	return drawn > 0 && drawn < WATTS_MAX * (double)*ret_elapsed / 1e9 ? drawn : 0;
}

static void device_look(struct rf_energy *en, struct rf_engine *e, const char *parent, const struct rf_accel_health *h,
			uint64_t now)
{
	struct shares s = { .energy = en, .device = rf_engine_accel_device(e, parent) };
	uint64_t elapsed = 0, whole;
	double drawn = drawn_since(en, parent, h, now, &elapsed);

	if (drawn <= 0 || s.device == RF_ACCEL_DEVICE_NONE)
		return;
	(void)rf_engine_accel_uses_each(e, use_take, &s);
	whole = MAX(elapsed, s.busy_ns);
	for (size_t i = 0; i < s.n; i++)
		rf_engine_accel_energy_add(e, s.list[i].whose,
					   (uint64_t)(drawn * 1e6 * (double)s.list[i].busy_ns / (double)whole));
	free(s.list);
}

void rf_energy_tick(struct rf_energy *en, struct rf_engine *e, const struct rf_accelerators *known,
		    const struct rf_device_health *health)
{
	uint64_t now = rf_clock_monotonic();

	if (!health->n)
		return;
	if ((!en->devices && rf_hashmap_new(free, &en->devices) < 0) ||
	    (!en->busy && rf_hashmap_new(free, &en->busy) < 0))
		return;
	if (!en->begun)
		(void)rf_engine_accel_uses_each(e, use_note, en);
	en->begun = true;
	for (size_t i = 0; i < known->n_devices; i++) {
		const char *parent = known->devices[i].parent;
		const struct rf_accel_health *h = rf_device_health_find(health, parent, now);

		if (h)
			device_look(en, e, parent, h, now);
	}
}

void rf_energy_end(struct rf_energy *en)
{
	rf_hashmap_free(en->devices);
	rf_hashmap_free(en->busy);
	*en = (struct rf_energy){ 0 };
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Some drivers ask their device's firmware for a reading, which takes its time,
 * seconds where the firmware hangs. Quick devices together have a twentieth of
 * the loop's time, and so have slow ones, of which one at most is asked a tick:
 * they make no reading old but their own, which is unknown then.
 */
#include "user/daemon/health_sysfs.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "user/collect/accelerator_sysfs.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define EVERY_NS     (2 * RF_NSEC_PER_SEC)
#define SLOW_NS	     (100 * RF_NSEC_PER_MSEC)
#define TIMES_LONGER 20 /* than a look took nobody else of its kind looks */

static int sysfs_read(const struct rf_accelerator *device, struct rf_accel_health *ret)
{
	return rf_accelerator_sysfs_read("/sys", device, ret);
}

static const struct rf_health_reader sysfs = { rf_clock_monotonic, sysfs_read };

static bool turns_are_of(const struct rf_health_sysfs *h, const struct rf_accelerators *a)
{
	if (h->n != a->n_devices)
		return false;
	for (size_t i = 0; i < h->n; i++)
		if (!rf_streq(h->turns[i].parent, a->devices[i].parent))
			return false;
	return true;
}

/* Devices have come or gone; those that stay keep their turns. */
static int turns_make(struct rf_health_sysfs *h, const struct rf_accelerators *a)
{
	struct rf_health_turn *turns = calloc(a->n_devices + 1, sizeof(*turns));

	if (!turns)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_devices; i++) {
		snprintf(turns[i].parent, sizeof(turns[i].parent), "%s", a->devices[i].parent);
		for (size_t k = 0; k < h->n; k++)
			if (rf_streq(h->turns[k].parent, turns[i].parent))
				turns[i].next_ns = h->turns[k].next_ns;
	}
	free(h->turns);
	h->turns = turns;
	h->n = a->n_devices;
	return 0;
}

/* Returns whether it was slow. Each is asked again when all of its kind are paid for. */
static bool turn_end(struct rf_health_sysfs *h, struct rf_health_turn *turn, uint64_t begin, uint64_t end)
{
	bool slow = end - begin > SLOW_NS;
	uint64_t *paid = slow ? &h->slow_ns : &h->quick_ns;

	*paid = MAX(*paid, end) + TIMES_LONGER * (end - begin);
	turn->next_ns = MAX(*paid, end + EVERY_NS);
	return slow;
}

void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a, struct rf_device_health *to)
{
	const struct rf_health_reader *reader = h->reader ? h->reader : &sysfs;
	struct rf_accel_health health;
	bool slow = false;

	if (!turns_are_of(h, a) && turns_make(h, a) < 0)
		return;
	for (size_t i = 0; i < h->n && !slow; i++) {
		uint64_t begin = reader->now();

		if (begin < h->turns[i].next_ns)
			continue;
		/* Of firmware that hangs, each of ten files may take two seconds. */
		(void)sd_notify(0, "WATCHDOG=1");
		if (reader->read(&a->devices[i], &health) == 0 && rf_health_any_known(&health))
			(void)rf_device_health_set(to, &health, begin);
		slow = turn_end(h, &h->turns[i], begin, reader->now());
	}
}

void rf_health_sysfs_fini(struct rf_health_sysfs *h)
{
	free(h->turns);
	*h = (struct rf_health_sysfs){ 0 };
}

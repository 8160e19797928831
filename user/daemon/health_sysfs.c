// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Some drivers ask their device's firmware for a reading, which takes its time:
 * the slower it was, the longer until the next, within what is still called
 * fresh.
 */
#include "user/daemon/health_sysfs.h"

#include "user/collect/accelerator_sysfs.h"
#include "user/lib/util.h"

#define EVERY_NS     (2 * RF_NSEC_PER_SEC)
#define SELDOM_NS    (RF_DEVICE_HEALTH_AGE_NS - RF_NSEC_PER_SEC)
#define TIMES_LONGER 20 /* between two than one took: a twentieth of the loop's time at most */

void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a, struct rf_device_health *to)
{
	uint64_t begin = rf_clock_monotonic(), wait;
	struct rf_accel_health health;

	if (begin < h->next_ns)
		return;
	for (size_t i = 0; i < a->n_devices; i++)
		if (rf_accelerator_sysfs_read("/sys", &a->devices[i], &health) == 0 && rf_health_any_known(&health))
			(void)rf_device_health_set(to, &health, begin);
	wait = MAX(EVERY_NS, TIMES_LONGER * (rf_clock_monotonic() - begin));
	h->next_ns = begin + MIN(wait, SELDOM_NS);
}

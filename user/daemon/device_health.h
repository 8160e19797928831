/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices said of themselves last, by their names on the bus, whoever was
 * asked: a source sets what it reads, about once a second, and what nobody has
 * set for a while is not known any more.
 */
#ifndef RF_DAEMON_DEVICE_HEALTH_H
#define RF_DAEMON_DEVICE_HEALTH_H

#include "user/lib/clock.h"
#include "user/model/accelerator_health.h"

#define RF_DEVICE_HEALTH_MAX	4096 /* devices */
#define RF_DEVICE_HEALTH_AGE_NS (10 * RF_NSEC_PER_SEC)

struct rf_device_health {
	struct {
		struct rf_accel_health health;
		uint64_t set_ns;
	} *rows;
	size_t n;
};

/* All of @h->parent's readings at @now_ns; what is unknown in @h is unknown from now on. 0, -ENOMEM or -ENOSPC. */
int rf_device_health_set(struct rf_device_health *t, const struct rf_accel_health *h, uint64_t now_ns);
/* NULL: nobody has told any lately. */
const struct rf_accel_health *rf_device_health_find(const struct rf_device_health *t, const char *parent,
						    uint64_t now_ns);
void rf_device_health_fini(struct rf_device_health *t);

#endif

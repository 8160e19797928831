/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices whose drivers tell their health in sysfs, asked every few seconds. */
#ifndef RF_DAEMON_HEALTH_SYSFS_H
#define RF_DAEMON_HEALTH_SYSFS_H

#include "user/daemon/device_health.h"
#include "user/model/accelerator.h"

struct rf_health_turn {
	char parent[RF_ACCEL_DEVICE_NAME];
	uint64_t next_ns;
};

/* How a device is asked, and when it is now. */
struct rf_health_reader {
	uint64_t (*now)(void);
	int (*read)(const struct rf_accelerator *device, struct rf_accel_health *ret);
};

struct rf_health_sysfs {
	const struct rf_health_reader *reader; /* NULL: sysfs */
	struct rf_health_turn *turns;	       /* of each device, in the order of the last tick */
	size_t n;
	uint64_t quick_ns, slow_ns; /* until when the time is paid that such devices have taken */
};

void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a, struct rf_device_health *to);
void rf_health_sysfs_fini(struct rf_health_sysfs *h);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices whose drivers tell their health in sysfs, asked every few seconds. */
#ifndef RF_DAEMON_HEALTH_SYSFS_H
#define RF_DAEMON_HEALTH_SYSFS_H

#include "user/daemon/device_health.h"
#include "user/model/accelerator.h"

struct rf_health_sysfs {
	uint64_t next_ns;
};

void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a, struct rf_device_health *to);

#endif

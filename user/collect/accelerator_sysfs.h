/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device says of itself in sysfs: hwmon, its PCI link, and what amdgpu
 * and habanalabs put beside them. Of NVIDIA's driver there is nothing to read
 * there.
 */
#ifndef RF_COLLECT_ACCELERATOR_SYSFS_H
#define RF_COLLECT_ACCELERATOR_SYSFS_H

#include "user/model/accelerator.h"
#include "user/model/accelerator_health.h"

/*
 * All of @ret is set; what is not told is unknown. A device that sleeps is not woken: RF_HEALTH_SUSPENDED is 1, and
 * nothing else is read. @sys: "/sys". -ENOENT: it is not there, or it is of NVIDIA's driver.
 */
int rf_accelerator_sysfs_read(const char *sys, const struct rf_accelerator *a, struct rf_accel_health *ret);

#endif

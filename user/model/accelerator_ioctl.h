/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ioctl of which driver is of which class. */
#ifndef RF_MODEL_ACCELERATOR_IOCTL_H
#define RF_MODEL_ACCELERATOR_IOCTL_H

#include "ringfence/accel_map.h"

extern const char *const rf_accel_interface_names[RF_INTERFACE_COUNT]; /* of the driver, as the kernel has it */
extern const char *const rf_accel_class_names[RF_ACCEL_CLASSES + 1];   /* "other", "submit", ...; NULL at the end */

/* Fills @ret with what is known of @interface; all RF_ACCEL_OTHER where nothing is. */
void rf_accel_ioctls_of(enum rf_accel_interface interface, struct rf_accel_ioctls *ret);
/* By the name of a driver of the DRM subsystem; RF_INTERFACE_DRM for one whose own ioctls are not known. */
enum rf_accel_interface rf_accel_interface_of_driver(const char *driver);

#endif

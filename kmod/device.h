/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/ringfence: how the daemon finds out which module it talks to.
 */
#ifndef RINGFENCE_DEVICE_H
#define RINGFENCE_DEVICE_H

int rf_device_init(void);
void rf_device_exit(void);

#endif

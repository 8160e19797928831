/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fires the hooks of accelerators in the self-test, with /dev/null and /dev/zero for such. */
#ifndef RF_ENGINE_FIRE_ACCEL_H
#define RF_ENGINE_FIRE_ACCEL_H

void rf_self_test_fire_accelerators(void);

#endif

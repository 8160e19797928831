/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Energy of workloads: of what a device has drawn since it was last asked, each
 * has the part of the time in which it worked for it. What it draws for nobody
 * is nobody's. Written into the kernel's rows, where budgets are asked: that of
 * the device, or of the libraries where only NVML knows who works on it.
 */
#ifndef RF_DAEMON_ENERGY_H
#define RF_DAEMON_ENERGY_H

#include "user/daemon/device_health.h"
#include "user/daemon/gpu.h"
#include "user/engine/engine.h"
#include "user/lib/hashmap.h"

struct rf_energy {
	struct rf_hashmap *devices; /* name on the bus -> what it had drawn, owned */
	struct rf_hashmap *busy;    /* whose -> device time then, owned */
	bool begun;		    /* a row that is new to us is new */
};

/* Once a second. */
void rf_energy_tick(struct rf_energy *en, struct rf_engine *e, const struct rf_device_health *health,
		    struct rf_gpu *gpu);
void rf_energy_end(struct rf_energy *en);

#endif

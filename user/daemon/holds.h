/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accelerators that workloads hold: since when without work, and why, as user/detect/accelerator_hold.h decides. */
#ifndef RF_DAEMON_HOLDS_H
#define RF_DAEMON_HOLDS_H

#include "user/collect/task_wait.h"
#include "user/detect/accelerator_hold.h"
#include "user/engine/engine.h"
#include "user/lib/hashmap.h"

/* Processes of a workload and device whose threads are looked at. */
#define RF_HOLDS_PROCESSES 4

struct rf_clients;
struct rf_registry;

struct rf_holds {
	struct rf_hashmap *by_whose; /* uint64_t, RF_ACCEL_WHOSE() -> struct hold, of what is held */
	unsigned int ticks;
	struct rf_task_waits waits;
	size_t next; /* of those whose processes are looked at, the first: before it there was room */
};

/* Once a second; looks every few. */
void rf_holds_tick(struct rf_holds *h, struct rf_engine *e, const struct rf_registry *registry,
		   const struct rf_clients *clients);
/* NULL: it is not held. */
const struct rf_hold *rf_holds_find(const struct rf_holds *h, uint64_t whose);
void rf_holds_end(struct rf_holds *h);

#endif

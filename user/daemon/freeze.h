/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holding back workloads that launch more than their quota by libraries, where
 * the module cannot: a cgroup that owes time is frozen until it is paid
 * (cgroup.freeze), so that over some launches the share is kept.
 *
 * Failure: open, see user/daemon/thaw.h.
 */
#ifndef RF_DAEMON_FREEZE_H
#define RF_DAEMON_FREEZE_H

#include <systemd/sd-event.h>

#include "user/daemon/registry.h"
#include "user/daemon/thaw.h"

struct rf_frozen;

struct rf_freeze {
	struct rf_registry *registry;
	sd_event_source *timer;
	struct rf_frozen *list; /* n: what is frozen now */
	size_t n;
	struct rf_thaw thaw;
	uint64_t freezes, failures;
};

/* Before the first apply, as long as the kernel's workloads are those of the daemon before. */
int rf_freeze_start(struct rf_freeze *f, sd_event *event, struct rf_registry *r);
/* Somebody has just gone over a quota: to be looked at now. */
void rf_freeze_look(struct rf_freeze *f);
/* Thaws everything. */
void rf_freeze_stop(struct rf_freeze *f);

#endif

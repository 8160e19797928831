/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerators of this host, followed: the kernel's events say when to look
 * again. What a policy says of them is compiled for those that are there, so
 * that a change applies the policies again.
 */
#ifndef RF_DAEMON_ACCELERATORS_H
#define RF_DAEMON_ACCELERATORS_H

#include <systemd/sd-event.h>

#include "user/engine/engine.h"
#include "user/model/accelerator.h"

struct rf_accelerator_watch {
	struct rf_accelerators known;
	int fd;		    /* of the kernel's events; -1: none, then every tick looks */
	unsigned int looks; /* ticks that look again, after an event */
	sd_event_source *source;
};

/* Looks once and tells the kernel; then follows. A host without events is looked at every tick. */
int rf_accelerators_start(struct rf_accelerator_watch *w, sd_event *event, struct rf_engine *e);
/* Once a second: true when they are others than before; then the policies must be applied again. */
bool rf_accelerators_tick(struct rf_accelerator_watch *w, struct rf_engine *e);
void rf_accelerators_stop(struct rf_accelerator_watch *w);

#endif

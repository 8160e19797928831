/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of flows into the history of flows, which `ringfence policy diff`
 * asks. The file is written in turns, never where an event is handled.
 */
#ifndef RF_DAEMON_FLOWS_H
#define RF_DAEMON_FLOWS_H

#include "user/daemon/registry.h"
#include "user/store/flow_history.h"

struct rf_flows {
	struct rf_flow_history *history;
	char *path;
	char *trouble; /* why the file cannot be used; NULL: it can */
	unsigned int ticks;
	bool more; /* a turn left something to write */
};

/* -ENOMEM. A file that cannot be used is logged, and is no error. */
int rf_flows_start(struct rf_flows *f, const char *state_dir);
void rf_flows_event(struct rf_flows *f, struct rf_registry *r, const struct rf_event_header *event);
/* Once a second. */
void rf_flows_tick(struct rf_flows *f);
/* Writes what is not yet written, and frees. */
void rf_flows_end(struct rf_flows *f);

/*
 * What an event tells of a flow; false: nothing. @records: the flows of the workload are told by their starts and ends,
 * so that its connects and accepts are the same flows again. Workload, cgroup and names are the caller's to fill in.
 */
bool rf_flow_seen_from(const struct rf_event_header *event, bool records, struct rf_flow_seen *ret);

#endif

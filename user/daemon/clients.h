/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of accelerators: their open files, and what the drivers tell of each
 * by fdinfo, charged to the workload that opened it.
 *
 * An open file has one row, by its address in the kernel: forks, dup() and
 * passing it on make no second one. Who has it open is asked of its opener
 * first, and where that has passed it on or is gone, of all open files of the
 * host, seldom. /proc is never walked.
 */
#ifndef RF_DAEMON_CLIENTS_H
#define RF_DAEMON_CLIENTS_H

#include "user/engine/engine.h"
#include "user/lib/hashmap.h"
#include "user/model/snapshot.h"

struct rf_clients {
	struct rf_hashmap *files; /* struct rf_accel_file_key -> struct client */
	struct rf_hashmap *ids;	  /* struct client_id -> struct client, of those that were read */
	bool begun;
	uint64_t round;
	uint64_t search_ns, search_after_ns; /* of the last search of all, and what must pass to the next */
	struct rf_accel_clients_row row;
};

/* Reads those that may have changed since the last time. */
void rf_clients_look(struct rf_clients *c, struct rf_engine *e);
void rf_clients_end(struct rf_clients *c);

#endif

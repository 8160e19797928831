/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of accelerators: their open files, and what the drivers tell of each
 * by fdinfo, charged to the workload that opened it.
 *
 * An open file has one row, by its address in the kernel: forks, dup() and
 * passing it on make no second one. Who has it open is asked of its opener
 * first, and where that has passed it on or is gone, of all open files of the
 * host, seldom. /proc is never walked.
 *
 * One look reads RF_CLIENTS_READ at most, those first that were not for the
 * longest time: figures only grow, so that what is read later is not lost.
 */
#ifndef RF_DAEMON_CLIENTS_H
#define RF_DAEMON_CLIENTS_H

#include "user/engine/engine.h"
#include "user/lib/hashmap.h"
#include "user/model/snapshot.h"

/* Of fdinfo, at ten thousand instructions each: a look stays below 5 ms on the slowest machine. */
#define RF_CLIENTS_READ 256

struct rf_clients {
	struct rf_hashmap *files; /* struct rf_accel_file_key -> struct client */
	struct rf_hashmap *ids;	  /* struct client_id -> struct client, of those that were read */
	struct client **list;	  /* those of @files */
	size_t n, next;		  /* where reading goes on */
	uint64_t unlisted;	  /* open files for which there is no room */
	bool begun;
	uint64_t changes; /* of open files, when they were listed */
	uint64_t round;
	uint64_t search_ns, search_after_ns; /* of the last search of all, and what must pass to the next */
	struct rf_accel_clients_row row;
};

/* Reads those that may have changed since the last time. */
void rf_clients_look(struct rf_clients *c, struct rf_engine *e);
/* Processes that have files of the row open, each once: at most @max, how many is returned. */
size_t rf_clients_holders(const struct rf_clients *c, const struct rf_engine *e, uint64_t whose, uint32_t *ret,
			  size_t max);
void rf_clients_end(struct rf_clients *c);

#endif

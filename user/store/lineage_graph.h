/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where data came from and where it went: from a label or a workload on,
 * through who read and who wrote, both ways.
 *
 * What was written can only hold what had been read before. So times are kept
 * on the way: downstream the earliest at which the data can have come to a
 * place, upstream the latest at which it can have left it; what was written
 * before the first, or read after the second, is no part of it (earliest and
 * latest arrival in a temporal graph, found in Dijkstra's order).
 */
#ifndef RF_STORE_LINEAGE_GRAPH_H
#define RF_STORE_LINEAGE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "ringfence/limits.h"
#include "user/lib/cleanup.h"
#include "user/store/lineage_db.h"

enum rf_lineage_side { RF_LINEAGE_UPSTREAM, RF_LINEAGE_DOWNSTREAM, RF_LINEAGE_SIDES };

/* All that one workload read of one label, wrote to it, or wrote to one file without a label. */
struct rf_lineage_edge {
	enum rf_lineage_side side;
	unsigned int depth; /* from what was asked for; 1: itself touched or was touched */
	bool writes;
	char *workload;
	uint64_t label; /* RF_LABEL_NONE: the first path is the file */
	uint64_t bytes, mapped_bytes, changes;
	uint64_t first_ns, last_ns;
	struct rf_lineage_process {
		char *name;
		uint64_t tgid, uid; /* of the last of this name */
	} processes[RF_LINEAGE_PROCESSES];
	size_t n_processes; /* may be more than there are above */
	char *paths[RF_LINEAGE_PATHS];
	size_t n_paths; /* likewise */
};

struct rf_lineage_graph {
	struct rf_lineage_edge *edges; /* upstream first; of a side the nearest first */
	size_t n;
	size_t left_out;
};

/* Of the label with this id, or where that is RF_LABEL_NONE, of the workload. */
int rf_lineage_graph_make(struct rf_db *db, uint64_t label, const char *workload, struct rf_lineage_graph *ret,
			  char **ret_error);
void rf_lineage_graph_fini(struct rf_lineage_graph *g);

#endif

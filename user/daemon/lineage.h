/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lineage of data: rows of the kernel into the file, and what is asked of
 * it. Where the file cannot be used the rows stay in the kernel, as many as it
 * has room for, and are taken when it can.
 */
#ifndef RF_DAEMON_LINEAGE_H
#define RF_DAEMON_LINEAGE_H

#include "user/daemon/registry.h"
#include "user/store/lineage_db.h"

struct rf_lineage {
	struct rf_db *db; /* NULL: not open */
	char *path;
	char *trouble; /* why the file cannot be used; NULL: it can */
	unsigned int ticks;
	uint32_t labels;		  /* the generation whose labels are in the file, plus one */
	struct rf_lineage_db_stats stats; /* when rows were taken last */
	uint64_t lost;			  /* rows of workloads that nobody knows any more */
};

/* -ENOMEM. A file that cannot be used is logged, and is no error. */
int rf_lineage_start(struct rf_lineage *l, const char *state_dir);
/* Once a second, before the ids of workloads that are gone are given to others. */
void rf_lineage_tick(struct rf_lineage *l, struct rf_registry *r);
/* Takes what there is now. */
void rf_lineage_sync(struct rf_lineage *l, struct rf_registry *r);
void rf_lineage_end(struct rf_lineage *l, struct rf_registry *r); /* @r may be NULL */

/* The control command "lineage". @subject: a label or a workload; NULL: which there are. */
void rf_lineage_run(struct rf_lineage *l, struct rf_registry *r, const char *subject, struct rf_strbuf *out);

#endif

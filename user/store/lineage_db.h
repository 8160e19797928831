/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lineage in a file: all of it, memory holds none. At most so many rows as
 * asked for; those that nobody touched longest go, and are counted for ever.
 * Errors as in user/store/db.h; after one the file is to be closed.
 */
#ifndef RF_STORE_LINEAGE_DB_H
#define RF_STORE_LINEAGE_DB_H

#include "user/store/db.h"
#include "user/store/lineage.h"

int rf_lineage_db_open(const char *path, struct rf_db **ret, char **ret_error);

/*
 * One transaction: begin, labels and touches, end. A touch adds to what there is of the same workload, label, path and
 * process. Begin answers 1, and nothing has begun, where rows with the number @fill came last: they are in the file.
 */
int rf_lineage_db_begin(struct rf_db *db, uint32_t fill, char **ret_error);
int rf_lineage_db_label(struct rf_db *db, const struct rf_lineage_label *label, char **ret_error);
int rf_lineage_db_add(struct rf_db *db, const struct rf_lineage_touch *touch, char **ret_error);
int rf_lineage_db_end(struct rf_db *db, uint32_t fill, uint64_t max_rows, char **ret_error);

typedef int (*rf_lineage_touch_fn)(const struct rf_lineage_touch *touch, void *arg);
typedef int (*rf_lineage_label_fn)(const struct rf_lineage_label *label, void *arg);

/* The first ones touched first. What is given is borrowed for the call; what is negative ends the reading. */
int rf_lineage_db_of_label(struct rf_db *db, uint64_t label, rf_lineage_touch_fn fn, void *arg, char **ret_error);
int rf_lineage_db_of_workload(struct rf_db *db, const char *workload, rf_lineage_touch_fn fn, void *arg,
			      char **ret_error);
/* By name. */
int rf_lineage_db_labels(struct rf_db *db, rf_lineage_label_fn fn, void *arg, char **ret_error);
int rf_lineage_db_workloads(struct rf_db *db, int (*fn)(const char *workload, void *arg), void *arg, char **ret_error);

struct rf_lineage_db_stats {
	uint64_t rows;
	uint64_t dropped; /* rows that had to go, since the file was made */
	uint64_t bytes;	  /* on disk */
};

int rf_lineage_db_stats(struct rf_db *db, struct rf_lineage_db_stats *ret, char **ret_error);

#endif

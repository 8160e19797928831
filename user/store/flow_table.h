/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of the flow history in memory. Between flow_table.c and
 * flow_history.c alone.
 *
 * Rows are in the order in which they were last seen: at one end what goes
 * first, at the other what is not yet written. A touch moves a row to the
 * second end, and the oldest unwritten one is written first, so the unwritten
 * ones are always together.
 */
#ifndef RF_STORE_FLOW_TABLE_H
#define RF_STORE_FLOW_TABLE_H

#include "user/lib/hashmap.h"
#include "user/store/flow_db.h"
#include "user/store/flow_history.h"

struct rf_flow_row {
	struct rf_flow flow;
	struct rf_flow_row *before, *after; /* by when they were last seen */
	struct rf_flow_row *other;	    /* the same key with another peer: an address that changed hands */
	bool dirty, stored;
};

struct rf_flow_ids {
	uint64_t *list;
	size_t n;
};

struct rf_flow_history {
	char *path;
	struct rf_db *db;
	bool loaded;
	bool rewrite; /* what is in the file is not what was written: write all of it */
	size_t max, rows;
	uint64_t next_flow, next_subject;
	struct rf_hashmap *flows;    /* struct rf_flow_key -> struct rf_flow_row, the newest of its chain */
	struct rf_hashmap *subjects; /* "workload\nbelow" -> struct rf_flow_subject, owned */
	struct rf_hashmap *by_id;    /* the same, borrowed */
	struct rf_flow_row *oldest, *newest, *unwritten;
	struct rf_flow_ids gone_flows, gone_subjects; /* in the file and not in memory */
	uint64_t dropped, refused, lost;
	uint64_t now_ns; /* while reading */
};

/* A number that is in the file and not in memory. */
void rf_flow_id_note(struct rf_flow_history *h, struct rf_flow_ids *ids, uint64_t id);
/* Takes nothing of @fields but copies. -EEXIST: its number or its names are taken. */
int rf_flow_subject_new(struct rf_flow_history *h, const struct rf_flow_subject *fields, struct rf_flow_subject **ret);
/* Forgets one that no row is of. */
void rf_flow_subject_put(struct rf_flow_history *h, struct rf_flow_subject *subject);
/* @from is copied. Where there are too many, the one unseen longest goes. */
int rf_flow_row_new(struct rf_flow_history *h, const struct rf_flow *from, struct rf_flow_subject *subject,
		    bool stored);
void rf_flow_row_forget(struct rf_flow_history *h, struct rf_flow_row *row);

#endif

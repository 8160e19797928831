/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded flows in a file. It knows rows and no policy of keeping them; that
 * is flow_history.c. Errors as in user/store/db.h.
 */
#ifndef RF_STORE_FLOW_DB_H
#define RF_STORE_FLOW_DB_H

#include "user/store/db.h"
#include "user/store/flow.h"

#define RF_FLOW_DB_VERSION 1

int rf_flow_db_open(const char *path, struct rf_db **ret, char **ret_error);

struct rf_flow_db_reader {
	/* 0, or a negative errno that ends the reading; what is given is borrowed for the call. */
	int (*subject)(const struct rf_flow_subject *subject, void *arg);
	int (*flow)(const struct rf_flow *flow, void *arg); /* flow->subject is NULL, its id in the key */
	void *arg;
};

/* Subjects first, then flows, those seen last at the end. *ret_refused: rows passed over, for they make no sense. */
int rf_flow_db_read(struct rf_db *db, const struct rf_flow_db_reader *reader, uint64_t *ret_refused, char **ret_error);

/* Within a transaction. */
int rf_flow_db_clear(struct rf_db *db, char **ret_error);
int rf_flow_db_put_subject(struct rf_db *db, const struct rf_flow_subject *subject, char **ret_error);
int rf_flow_db_put(struct rf_db *db, const struct rf_flow *flow, char **ret_error);
int rf_flow_db_drop(struct rf_db *db, uint64_t flow, char **ret_error);
int rf_flow_db_drop_subject(struct rf_db *db, uint64_t subject, char **ret_error);

#endif

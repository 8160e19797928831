/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded flows in a file: the one owner of SQLite. It knows rows and no
 * policy of keeping them; that is flow_history.c.
 *
 * Errors are negative errnos with a sentence for people: -EUCLEAN broken,
 * -EBUSY somebody else has it, -ENOSPC the disk is full, -EPROTONOSUPPORT
 * written by a newer version, else what the disk said.
 */
#ifndef RF_STORE_FLOW_DB_H
#define RF_STORE_FLOW_DB_H

#include "user/lib/cleanup.h"
#include "user/store/flow.h"

#define RF_FLOW_DB_VERSION 1

struct rf_flow_db;

/* Makes the file (mode 0600) where there is none; a file of an older version is emptied. */
int rf_flow_db_open(const char *path, struct rf_flow_db **ret, char **ret_error);
void rf_flow_db_close(struct rf_flow_db *db);
RF_DEFINE_CLEANUP(struct rf_flow_db, rf_flow_db_close)

struct rf_flow_db_reader {
	/* 0, or a negative errno that ends the reading; what is given is borrowed for the call. */
	int (*subject)(const struct rf_flow_subject *subject, void *arg);
	int (*flow)(const struct rf_flow *flow, void *arg); /* flow->subject is NULL, its id in the key */
	void *arg;
};

/* Subjects first, then flows, those seen last at the end. *ret_refused: rows passed over, for they make no sense. */
int rf_flow_db_read(struct rf_flow_db *db, const struct rf_flow_db_reader *reader, uint64_t *ret_refused,
		    char **ret_error);

/* One transaction; after an error nothing of it is in the file, and only close may follow. */
int rf_flow_db_begin(struct rf_flow_db *db, char **ret_error);
int rf_flow_db_clear(struct rf_flow_db *db, char **ret_error);
int rf_flow_db_put_subject(struct rf_flow_db *db, const struct rf_flow_subject *subject, char **ret_error);
int rf_flow_db_put(struct rf_flow_db *db, const struct rf_flow *flow, char **ret_error);
int rf_flow_db_drop(struct rf_flow_db *db, uint64_t flow, char **ret_error);
int rf_flow_db_drop_subject(struct rf_flow_db *db, uint64_t subject, char **ret_error);
int rf_flow_db_commit(struct rf_flow_db *db, char **ret_error);

/* Bytes on disk, the log included. */
uint64_t rf_flow_db_bytes(const struct rf_flow_db *db);

#endif

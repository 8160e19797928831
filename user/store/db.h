/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of rows: the one owner of SQLite's connection. What the rows are is
 * told by a form; flow_db.c and lineage_db.c have one each.
 *
 * Errors are negative errnos with a sentence for people: -EUCLEAN broken,
 * -EBUSY somebody else has it, -ENOSPC the disk is full, -EPROTONOSUPPORT
 * written by a newer version, else what the disk said.
 */
#ifndef RF_STORE_DB_H
#define RF_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/lib/cleanup.h"

struct rf_db_form {
	int version;
	const char *schema; /* makes the tables, whatever an older version left */
	const char *const *statements;
	size_t n_statements;
	const char *loss; /* what begins anew where a broken file is removed */
};

struct rf_db;

/* Makes the file (mode 0600) where there is none; a file of an older version is emptied. @form is borrowed. */
int rf_db_open(const char *path, const struct rf_db_form *form, struct rf_db **ret, char **ret_error);
void rf_db_close(struct rf_db *db); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_db, rf_db_close)

/* One transaction; after an error nothing of it is in the file, and only close may follow. */
int rf_db_begin(struct rf_db *db, char **ret_error);
int rf_db_commit(struct rf_db *db, char **ret_error);
int rf_db_run(struct rf_db *db, const char *sql, char **ret_error);

/* Of the form, prepared. */
sqlite3_stmt *rf_db_statement(struct rf_db *db, size_t which);
/* Runs one that answers nothing, whose values are bound, and makes it ready for the next time. */
int rf_db_step(struct rf_db *db, size_t which, char **ret_error);
/* Calls @row for each row that a statement of the form answers with, its values bound; what is negative ends it. */
int rf_db_each(struct rf_db *db, size_t which, int (*row)(sqlite3_stmt *row, void *arg), void *arg, char **ret_error);
/* The same of any other text. */
int rf_db_query(struct rf_db *db, const char *sql, int (*row)(sqlite3_stmt *row, void *arg), void *arg,
		char **ret_error);
/* Rows that the last statement changed. */
uint64_t rf_db_changes(const struct rf_db *db);

void rf_db_bind_number(sqlite3_stmt *statement, int at, uint64_t value);
void rf_db_bind_text(sqlite3_stmt *statement, int at, const char *text); /* borrowed; NULL stays NULL */

/* A file is input like any other. False: it makes no sense. Text is borrowed until the next row. */
bool rf_db_number(sqlite3_stmt *row, int at, uint64_t max, uint64_t *ret);
bool rf_db_text(sqlite3_stmt *row, int at, size_t max, const char **ret);
bool rf_db_text_or_null(sqlite3_stmt *row, int at, size_t max, const char **ret);

/* Bytes on disk, the log included. */
uint64_t rf_db_bytes(const struct rf_db *db);

#endif

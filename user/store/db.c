// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SQLite in WAL mode, with the file to ourselves: no shared memory beside it
 * (which a full tmpfs could take from under us) and nobody who could make a
 * write wait. A power cut costs the last transactions, never the file.
 */
#include "user/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "user/lib/strbuf.h"

struct rf_db {
	sqlite3 *db;
	char *path;
	const struct rf_db_form *form;
	sqlite3_stmt **statements;
};

static int error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table is not as we made it */
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	default:
		return -EIO;
	}
}

static const char *remedy(int error)
{
	switch (error) {
	case -EBUSY:
		return "another process has it open";
	case -ENOSPC:
		return "there is no room on its disk";
	case -EROFS:
		return "it cannot be written";
	case -EACCES:
		return "it cannot be opened";
	default:
		return "it cannot be used";
	}
}

static int tell(const struct rf_db *db, int r, const char *why, char **ret_error)
{
	int len;

	if (*ret_error)
		return r;
	if (r == -EUCLEAN)
		len = asprintf(ret_error, "%s: it is broken; remove it, and %s begins anew (%s)", db->path,
			       db->form->loss, why);
	else
		len = asprintf(ret_error, "%s: %s (%s)", db->path, remedy(r), why);
	if (len < 0)
		*ret_error = NULL;
	return r;
}

static int failed(const struct rf_db *db, int code, char **ret_error)
{
	int r = error_of(code);

	return r < 0 ? tell(db, r, sqlite3_errmsg(db->db), ret_error) : 0;
}

int rf_db_run(struct rf_db *db, const char *sql, char **ret_error)
{
	return failed(db, sqlite3_exec(db->db, sql, NULL, NULL, NULL), ret_error);
}

void rf_db_close(struct rf_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; db->statements && i < db->form->n_statements; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->db);
	free(db->statements);
	free(db->path);
	free(db);
}

/* The one number that "PRAGMA user_version" answers with. */
static int version_read(struct rf_db *db, int *ret, char **ret_error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->db, "PRAGMA user_version", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	code = failed(db, code, ret_error);
	sqlite3_finalize(statement);
	return code;
}

/* What SQLite would find out one day, found out now. */
static int check(struct rf_db *db, char **ret_error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->db, "PRAGMA quick_check(1)", -1, &statement, NULL), r;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	r = failed(db, code, ret_error);
	if (code == SQLITE_ROW && !rf_streq((const char *)sqlite3_column_text(statement, 0), "ok"))
		r = tell(db, -EUCLEAN, (const char *)sqlite3_column_text(statement, 0), ret_error);
	sqlite3_finalize(statement);
	return r;
}

static int schema_make(struct rf_db *db, char **ret_error)
{
	char text[64];
	int r = rf_db_run(db, db->form->schema, ret_error);

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", db->form->version);
	return r < 0 ? r : rf_db_run(db, text, ret_error);
}

static int prepare(struct rf_db *db, char **ret_error)
{
	int version = 0, r;

	r = rf_db_run(db,
		      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		      "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;"
		      "PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 4194304",
		      ret_error);
	if (r >= 0)
		r = check(db, ret_error);
	if (r >= 0)
		r = version_read(db, &version, ret_error);
	if (r < 0)
		return r;
	if (version > db->form->version) {
		if (asprintf(ret_error, "%s: a newer ringfenced wrote it (version %d, this one knows %d)", db->path,
			     version, db->form->version) < 0)
			*ret_error = NULL;
		return -EPROTONOSUPPORT;
	}
	/* The lock is taken by the first write, and kept. */
	r = rf_db_begin(db, ret_error);
	if (r >= 0 && version < db->form->version)
		r = schema_make(db, ret_error);
	for (size_t i = 0; r >= 0 && i < db->form->n_statements; i++)
		r = failed(db, sqlite3_prepare_v2(db->db, db->form->statements[i], -1, &db->statements[i], NULL),
			   ret_error);
	return r < 0 ? r : rf_db_commit(db, ret_error);
}

int rf_db_open(const char *path, const struct rf_db_form *form, struct rf_db **ret, char **ret_error)
{
	_cleanup_(rf_db_closep) struct rf_db *db = calloc(1, sizeof(*db));
	_cleanup_close_ int fd = -1;
	int r;

	if (!db)
		return -ENOMEM;
	db->form = form;
	db->path = strdup(path);
	db->statements = calloc(form->n_statements, sizeof(*db->statements));
	if (!db->path || !db->statements)
		return -ENOMEM;
	/* Made with its mode, which SQLite gives to the files beside it. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0) {
		r = -errno;
		return tell(db, r == -EROFS || r == -ENOSPC ? r : -EACCES, strerror(-r), ret_error);
	}
	/* A lock of POSIX goes with any descriptor of the file: this one must be closed before SQLite locks. */
	rf_closep(&fd);
	r = failed(db, sqlite3_open_v2(path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), ret_error);
	if (r >= 0)
		r = prepare(db, ret_error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(db);
	return 0;
}

int rf_db_begin(struct rf_db *db, char **ret_error)
{
	return rf_db_run(db, "BEGIN IMMEDIATE", ret_error);
}

int rf_db_commit(struct rf_db *db, char **ret_error)
{
	return rf_db_run(db, "COMMIT", ret_error);
}

sqlite3_stmt *rf_db_statement(struct rf_db *db, size_t which)
{
	return db->statements[which];
}

static void statement_reset(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

int rf_db_step(struct rf_db *db, size_t which, char **ret_error)
{
	int r = failed(db, sqlite3_step(db->statements[which]), ret_error);

	statement_reset(db->statements[which]);
	return r;
}

static int rows_each(struct rf_db *db, sqlite3_stmt *statement, int (*row)(sqlite3_stmt *row, void *arg), void *arg,
		     char **ret_error)
{
	int code = sqlite3_step(statement), r = 0;

	for (; code == SQLITE_ROW && r >= 0; code = sqlite3_step(statement))
		r = row(statement, arg);
	return r >= 0 ? failed(db, code, ret_error) : r;
}

int rf_db_each(struct rf_db *db, size_t which, int (*row)(sqlite3_stmt *row, void *arg), void *arg, char **ret_error)
{
	int r = rows_each(db, db->statements[which], row, arg, ret_error);

	statement_reset(db->statements[which]);
	return r;
}

int rf_db_query(struct rf_db *db, const char *sql, int (*row)(sqlite3_stmt *row, void *arg), void *arg,
		char **ret_error)
{
	sqlite3_stmt *statement = NULL;
	int r = failed(db, sqlite3_prepare_v2(db->db, sql, -1, &statement, NULL), ret_error);

	if (r >= 0)
		r = rows_each(db, statement, row, arg, ret_error);
	sqlite3_finalize(statement);
	return r;
}

uint64_t rf_db_changes(const struct rf_db *db)
{
	return (uint64_t)sqlite3_changes(db->db);
}

void rf_db_bind_number(sqlite3_stmt *statement, int at, uint64_t value)
{
	sqlite3_bind_int64(statement, at, (sqlite3_int64)MIN(value, (uint64_t)INT64_MAX));
}

void rf_db_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

bool rf_db_number(sqlite3_stmt *row, int at, uint64_t max, uint64_t *ret)
{
	sqlite3_int64 value = sqlite3_column_int64(row, at);

	if (sqlite3_column_type(row, at) != SQLITE_INTEGER || value < 0 || (uint64_t)value > max)
		return false;
	*ret = (uint64_t)value;
	return true;
}

/* A text that holds a NUL would be read as its own beginning. */
bool rf_db_text(sqlite3_stmt *row, int at, size_t max, const char **ret)
{
	if (sqlite3_column_type(row, at) != SQLITE_TEXT)
		return false;
	*ret = (const char *)sqlite3_column_text(row, at);
	return *ret && strlen(*ret) <= max && strlen(*ret) == (size_t)sqlite3_column_bytes(row, at);
}

bool rf_db_text_or_null(sqlite3_stmt *row, int at, size_t max, const char **ret)
{
	*ret = NULL;
	return sqlite3_column_type(row, at) == SQLITE_NULL || rf_db_text(row, at, max, ret);
}

uint64_t rf_db_bytes(const struct rf_db *db)
{
	_cleanup_strbuf_ struct rf_strbuf log = RF_STRBUF_INIT;
	uint64_t bytes = 0;
	struct stat st;

	rf_strbuf_addf(&log, "%s-wal", db->path);
	if (stat(db->path, &st) == 0)
		bytes += (uint64_t)st.st_size;
	if (stat(rf_strbuf_str(&log), &st) == 0)
		bytes += (uint64_t)st.st_size;
	return bytes;
}

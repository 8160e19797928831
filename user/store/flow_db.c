// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SQLite in WAL mode, with the file to ourselves: no shared memory beside it
 * (which a full tmpfs could take from under us) and nobody who could make a
 * write wait. A power cut costs the last transactions, never the file.
 */
#include "user/store/flow_db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "user/lib/strbuf.h"

#define IDENTITY_MAX (1024 * 1024) /* bytes of one, with all its labels */

enum statement { PUT_SUBJECT, PUT_FLOW, DROP_FLOW, DROP_SUBJECT, STATEMENTS };

static const char put_flow_text[] = "INSERT OR REPLACE INTO flow VALUES "
				    "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

static const char *const statement_texts[] = {
	[PUT_SUBJECT] = "INSERT OR REPLACE INTO subject VALUES (?1, ?2, ?3, ?4)",
	[PUT_FLOW] = put_flow_text,
	[DROP_FLOW] = "DELETE FROM flow WHERE id = ?1",
	[DROP_SUBJECT] = "DELETE FROM subject WHERE id = ?1",
};
static_assert(ARRAY_SIZE(statement_texts) == STATEMENTS, "a statement has no text");

static const char schema[] = "DROP TABLE IF EXISTS flow;"
			     "DROP TABLE IF EXISTS subject;"
			     "CREATE TABLE subject (id INTEGER PRIMARY KEY, workload TEXT, below TEXT, identity TEXT);"
			     "CREATE TABLE flow (id INTEGER PRIMARY KEY, subject INTEGER, direction INTEGER,"
			     " protocol INTEGER, family INTEGER, port INTEGER, address BLOB, verdict INTEGER,"
			     " peer TEXT, name TEXT, times INTEGER, tx_bytes INTEGER, rx_bytes INTEGER,"
			     " first_ns INTEGER, last_ns INTEGER)";

struct rf_flow_db {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[STATEMENTS];
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
	case -EUCLEAN:
		return "it is broken; remove it, and the history begins anew";
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

static int tell(const struct rf_flow_db *db, int r, const char *why, char **ret_error)
{
	if (!*ret_error && asprintf(ret_error, "%s: %s (%s)", db->path, remedy(r), why) < 0)
		*ret_error = NULL;
	return r;
}

static int failed(const struct rf_flow_db *db, int code, char **ret_error)
{
	int r = error_of(code);

	return r < 0 ? tell(db, r, sqlite3_errmsg(db->db), ret_error) : 0;
}

static int run(struct rf_flow_db *db, const char *sql, char **ret_error)
{
	return failed(db, sqlite3_exec(db->db, sql, NULL, NULL, NULL), ret_error);
}

void rf_flow_db_close(struct rf_flow_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->db);
	free(db->path);
	free(db);
}

/* The one number that "PRAGMA user_version" answers with. */
static int version_read(struct rf_flow_db *db, int *ret, char **ret_error)
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
static int check(struct rf_flow_db *db, char **ret_error)
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

static int schema_make(struct rf_flow_db *db, char **ret_error)
{
	char text[64];
	int r = run(db, schema, ret_error);

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", RF_FLOW_DB_VERSION);
	return r < 0 ? r : run(db, text, ret_error);
}

static int prepare(struct rf_flow_db *db, char **ret_error)
{
	int version = 0, r;

	r = run(db,
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
	if (version > RF_FLOW_DB_VERSION) {
		if (asprintf(ret_error, "%s: a newer ringfenced wrote it (version %d, this one knows %d)", db->path,
			     version, RF_FLOW_DB_VERSION) < 0)
			*ret_error = NULL;
		return -EPROTONOSUPPORT;
	}
	/* The lock is taken by the first write, and kept. */
	r = rf_flow_db_begin(db, ret_error);
	if (r >= 0 && version < RF_FLOW_DB_VERSION)
		r = schema_make(db, ret_error);
	for (size_t i = 0; r >= 0 && i < STATEMENTS; i++)
		r = failed(db, sqlite3_prepare_v2(db->db, statement_texts[i], -1, &db->statements[i], NULL), ret_error);
	return r < 0 ? r : rf_flow_db_commit(db, ret_error);
}

int rf_flow_db_open(const char *path, struct rf_flow_db **ret, char **ret_error)
{
	_cleanup_(rf_flow_db_closep) struct rf_flow_db *db = calloc(1, sizeof(*db));
	_cleanup_close_ int fd = -1;
	int r;

	if (!db)
		return -ENOMEM;
	db->path = strdup(path);
	if (!db->path)
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

int rf_flow_db_begin(struct rf_flow_db *db, char **ret_error)
{
	return run(db, "BEGIN IMMEDIATE", ret_error);
}

int rf_flow_db_commit(struct rf_flow_db *db, char **ret_error)
{
	return run(db, "COMMIT", ret_error);
}

int rf_flow_db_clear(struct rf_flow_db *db, char **ret_error)
{
	return run(db, "DELETE FROM flow; DELETE FROM subject", ret_error);
}

/* Runs a statement whose values are bound. */
static int step(struct rf_flow_db *db, enum statement which, char **ret_error)
{
	int r = failed(db, sqlite3_step(db->statements[which]), ret_error);

	sqlite3_reset(db->statements[which]);
	sqlite3_clear_bindings(db->statements[which]);
	return r;
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t value)
{
	sqlite3_bind_int64(statement, at, (sqlite3_int64)MIN(value, (uint64_t)INT64_MAX));
}

/* NULL stays NULL. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

int rf_flow_db_put_subject(struct rf_flow_db *db, const struct rf_flow_subject *subject, char **ret_error)
{
	sqlite3_stmt *statement = db->statements[PUT_SUBJECT];

	bind_number(statement, 1, subject->id);
	bind_text(statement, 2, subject->workload);
	bind_text(statement, 3, subject->below);
	bind_text(statement, 4, subject->identity);
	return step(db, PUT_SUBJECT, ret_error);
}

int rf_flow_db_put(struct rf_flow_db *db, const struct rf_flow *flow, char **ret_error)
{
	sqlite3_stmt *statement = db->statements[PUT_FLOW];

	bind_number(statement, 1, flow->id);
	bind_number(statement, 2, flow->subject->id);
	bind_number(statement, 3, flow->key.direction);
	bind_number(statement, 4, flow->key.protocol);
	bind_number(statement, 5, flow->key.family);
	bind_number(statement, 6, flow->key.port);
	sqlite3_bind_blob(statement, 7, flow->key.address, sizeof(flow->key.address), SQLITE_STATIC);
	bind_number(statement, 8, flow->verdict);
	bind_text(statement, 9, flow->peer);
	bind_text(statement, 10, flow->name);
	bind_number(statement, 11, flow->times);
	bind_number(statement, 12, flow->tx_bytes);
	bind_number(statement, 13, flow->rx_bytes);
	bind_number(statement, 14, flow->first_ns);
	bind_number(statement, 15, flow->last_ns);
	return step(db, PUT_FLOW, ret_error);
}

int rf_flow_db_drop(struct rf_flow_db *db, uint64_t flow, char **ret_error)
{
	bind_number(db->statements[DROP_FLOW], 1, flow);
	return step(db, DROP_FLOW, ret_error);
}

int rf_flow_db_drop_subject(struct rf_flow_db *db, uint64_t subject, char **ret_error)
{
	bind_number(db->statements[DROP_SUBJECT], 1, subject);
	return step(db, DROP_SUBJECT, ret_error);
}

/* ---- reading: a file is input like any other ---- */

static bool number_read(sqlite3_stmt *row, int at, uint64_t max, uint64_t *ret)
{
	sqlite3_int64 value = sqlite3_column_int64(row, at);

	if (sqlite3_column_type(row, at) != SQLITE_INTEGER || value < 0 || (uint64_t)value > max)
		return false;
	*ret = (uint64_t)value;
	return true;
}

/* A text that holds a NUL would be read as its own beginning. */
static bool text_read(sqlite3_stmt *row, int at, size_t max, const char **ret)
{
	if (sqlite3_column_type(row, at) != SQLITE_TEXT)
		return false;
	*ret = (const char *)sqlite3_column_text(row, at);
	return *ret && strlen(*ret) <= max && strlen(*ret) == (size_t)sqlite3_column_bytes(row, at);
}

static bool text_or_null_read(sqlite3_stmt *row, int at, const char **ret)
{
	*ret = NULL;
	return sqlite3_column_type(row, at) == SQLITE_NULL || text_read(row, at, RF_STRING_MAX, ret);
}

static int subject_read(sqlite3_stmt *row, const struct rf_flow_db_reader *reader, uint64_t *refused)
{
	struct rf_flow_subject subject = { 0 };
	const char *workload, *below, *identity;

	if (!number_read(row, 0, INT64_MAX - 1, &subject.id) || !text_read(row, 1, RF_STRING_MAX, &workload) ||
	    !text_read(row, 2, RF_STRING_MAX, &below) || !text_read(row, 3, IDENTITY_MAX, &identity)) {
		++*refused;
		return 0;
	}
	subject.workload = (char *)workload;
	subject.below = (char *)below;
	subject.identity = (char *)identity;
	return reader->subject(&subject, reader->arg);
}

static bool key_read(sqlite3_stmt *row, struct rf_flow_key *key)
{
	uint64_t direction, protocol, family, port;

	if (!number_read(row, 1, INT64_MAX - 1, &key->subject) || !number_read(row, 2, RF_DIRECTIONS - 1, &direction) ||
	    !number_read(row, 3, UINT8_MAX, &protocol) || !number_read(row, 4, UINT8_MAX, &family) ||
	    (family != AF_INET && family != AF_INET6) || !number_read(row, 5, UINT16_MAX, &port) ||
	    sqlite3_column_type(row, 6) != SQLITE_BLOB || sqlite3_column_bytes(row, 6) != sizeof(key->address))
		return false;
	key->direction = direction;
	key->protocol = protocol;
	key->family = family;
	key->port = port;
	memcpy(key->address, sqlite3_column_blob(row, 6), sizeof(key->address));
	return true;
}

static int flow_read(sqlite3_stmt *row, const struct rf_flow_db_reader *reader, uint64_t *refused)
{
	struct rf_flow flow = { 0 };
	const char *peer, *name;
	uint64_t verdict;

	if (!number_read(row, 0, INT64_MAX - 1, &flow.id) || !key_read(row, &flow.key) ||
	    !number_read(row, 7, RF_VERDICTS - 1, &verdict) || !text_or_null_read(row, 8, &peer) ||
	    !text_or_null_read(row, 9, &name) || !number_read(row, 10, INT64_MAX, &flow.times) ||
	    !number_read(row, 11, INT64_MAX, &flow.tx_bytes) || !number_read(row, 12, INT64_MAX, &flow.rx_bytes) ||
	    !number_read(row, 13, INT64_MAX, &flow.first_ns) || !number_read(row, 14, INT64_MAX, &flow.last_ns)) {
		++*refused;
		return 0;
	}
	flow.verdict = verdict;
	flow.peer = (char *)peer;
	flow.name = (char *)name;
	return reader->flow(&flow, reader->arg);
}

static int rows_read(struct rf_flow_db *db, const char *sql,
		     int (*read)(sqlite3_stmt *, const struct rf_flow_db_reader *, uint64_t *),
		     const struct rf_flow_db_reader *reader, uint64_t *refused, char **ret_error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->db, sql, -1, &statement, NULL), r = 0;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	for (; code == SQLITE_ROW && r >= 0; code = sqlite3_step(statement))
		r = read(statement, reader, refused);
	if (r >= 0)
		r = failed(db, code, ret_error);
	sqlite3_finalize(statement);
	return r;
}

int rf_flow_db_read(struct rf_flow_db *db, const struct rf_flow_db_reader *reader, uint64_t *ret_refused,
		    char **ret_error)
{
	int r = rows_read(db, "SELECT * FROM subject ORDER BY id", subject_read, reader, ret_refused, ret_error);

	if (r < 0)
		return r;
	return rows_read(db, "SELECT * FROM flow ORDER BY last_ns", flow_read, reader, ret_refused, ret_error);
}

uint64_t rf_flow_db_bytes(const struct rf_flow_db *db)
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

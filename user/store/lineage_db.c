// SPDX-License-Identifier: GPL-2.0-or-later
/* The lineage as rows. */
#include "user/store/lineage_db.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ringfence/limits.h"
#include "user/lib/util.h"

#define VERSION 1

enum statement {
	GET_FILL,
	PUT_FILL,
	PUT_LABEL,
	ADD,
	COUNT,
	TRIM,
	DROPPED_ADD,
	DROPPED_GET,
	OF_LABEL,
	OF_WORKLOAD,
	LABELS,
	WORKLOADS,
	STATEMENTS
};

#define TOUCH "workload, label, path, process, tgid, uid, read, written, mapped, shared, changes, first_ns, last_ns"

/* clang-format off */
static const char *const statement_texts[] = {
	[GET_FILL] = "SELECT value FROM meta WHERE name = 'fill'",
	[PUT_FILL] = "INSERT OR REPLACE INTO meta VALUES ('fill', ?1)",
	[PUT_LABEL] = "INSERT OR REPLACE INTO label VALUES (?1, ?2, ?3, ?4)",
	[ADD] = "INSERT INTO touch (" TOUCH ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT (workload, label, path, process) DO UPDATE SET"
		" tgid = excluded.tgid, uid = excluded.uid, read = read + excluded.read,"
		" written = written + excluded.written, mapped = mapped + excluded.mapped,"
		" shared = shared + excluded.shared, changes = changes + excluded.changes,"
		" first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns)",
	[COUNT] = "SELECT count(*) FROM touch",
	[TRIM] = "DELETE FROM touch WHERE rowid IN (SELECT rowid FROM touch ORDER BY last_ns LIMIT ?1)",
	[DROPPED_ADD] = "INSERT INTO meta VALUES ('dropped', ?1) ON CONFLICT (name) DO UPDATE SET value = value + ?1",
	[DROPPED_GET] = "SELECT value FROM meta WHERE name = 'dropped'",
	[OF_LABEL] = "SELECT " TOUCH " FROM touch WHERE label = ?1 ORDER BY first_ns, workload, path, process",
	[OF_WORKLOAD] = "SELECT " TOUCH " FROM touch WHERE workload = ?1 ORDER BY first_ns, label, path, process",
	[LABELS] = "SELECT id, name, kind, tenant FROM label ORDER BY name",
	[WORKLOADS] = "SELECT DISTINCT workload FROM touch ORDER BY workload",
};
/* clang-format on */
static_assert(ARRAY_SIZE(statement_texts) == STATEMENTS, "a statement has no text");

static const char schema[] = "DROP TABLE IF EXISTS meta;"
			     "DROP TABLE IF EXISTS label;"
			     "DROP TABLE IF EXISTS touch;"
			     "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER);"
			     "CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, tenant TEXT);"
			     "CREATE TABLE touch (workload TEXT, label INTEGER, path TEXT, process TEXT,"
			     " tgid INTEGER, uid INTEGER, read INTEGER, written INTEGER, mapped INTEGER,"
			     " shared INTEGER, changes INTEGER, first_ns INTEGER, last_ns INTEGER);"
			     "CREATE UNIQUE INDEX touch_key ON touch (workload, label, path, process);"
			     "CREATE INDEX touch_label ON touch (label);"
			     "CREATE INDEX touch_last ON touch (last_ns)";

static const struct rf_db_form form = { .version = VERSION,
					.schema = schema,
					.statements = statement_texts,
					.n_statements = STATEMENTS,
					.loss = "the lineage" };

int rf_lineage_db_open(const char *path, struct rf_db **ret, char **ret_error)
{
	return rf_db_open(path, &form, ret, ret_error);
}

/* A sum past the end of SQLite's integers is a floating number there: no number of ours. */
static int number_read(sqlite3_stmt *row, void *arg)
{
	return rf_db_number(row, 0, INT64_MAX, arg) ? 0 : -EUCLEAN;
}

int rf_lineage_db_begin(struct rf_db *db, uint32_t fill, char **ret_error)
{
	uint64_t last = UINT64_MAX;
	int r = rf_db_each(db, GET_FILL, number_read, &last, ret_error);

	if (r < 0)
		return r;
	return last == fill ? 1 : rf_db_begin(db, ret_error);
}

int rf_lineage_db_label(struct rf_db *db, const struct rf_lineage_label *label, char **ret_error)
{
	sqlite3_stmt *statement = rf_db_statement(db, PUT_LABEL);

	rf_db_bind_number(statement, 1, label->id);
	rf_db_bind_text(statement, 2, label->name);
	rf_db_bind_text(statement, 3, label->kind);
	rf_db_bind_text(statement, 4, label->tenant);
	return rf_db_step(db, PUT_LABEL, ret_error);
}

int rf_lineage_db_add(struct rf_db *db, const struct rf_lineage_touch *touch, char **ret_error)
{
	sqlite3_stmt *statement = rf_db_statement(db, ADD);

	rf_db_bind_text(statement, 1, touch->workload);
	rf_db_bind_number(statement, 2, touch->label);
	rf_db_bind_text(statement, 3, touch->path);
	rf_db_bind_text(statement, 4, touch->process);
	rf_db_bind_number(statement, 5, touch->tgid);
	rf_db_bind_number(statement, 6, touch->uid);
	rf_db_bind_number(statement, 7, touch->read_bytes);
	rf_db_bind_number(statement, 8, touch->write_bytes);
	rf_db_bind_number(statement, 9, touch->map_bytes);
	rf_db_bind_number(statement, 10, touch->share_bytes);
	rf_db_bind_number(statement, 11, touch->changes);
	rf_db_bind_number(statement, 12, touch->first_ns);
	rf_db_bind_number(statement, 13, touch->last_ns);
	return rf_db_step(db, ADD, ret_error);
}

static int trim(struct rf_db *db, uint64_t max_rows, char **ret_error)
{
	uint64_t rows = 0, dropped;
	int r = rf_db_each(db, COUNT, number_read, &rows, ret_error);

	if (r < 0 || rows <= max_rows)
		return r;
	rf_db_bind_number(rf_db_statement(db, TRIM), 1, rows - max_rows);
	r = rf_db_step(db, TRIM, ret_error);
	dropped = rf_db_changes(db);
	if (r < 0)
		return r;
	rf_db_bind_number(rf_db_statement(db, DROPPED_ADD), 1, dropped);
	return rf_db_step(db, DROPPED_ADD, ret_error);
}

int rf_lineage_db_end(struct rf_db *db, uint32_t fill, uint64_t max_rows, char **ret_error)
{
	int r = trim(db, max_rows, ret_error);

	if (r < 0)
		return r;
	rf_db_bind_number(rf_db_statement(db, PUT_FILL), 1, fill);
	r = rf_db_step(db, PUT_FILL, ret_error);
	return r < 0 ? r : rf_db_commit(db, ret_error);
}

/* ---- reading: rows that make no sense are passed over ---- */

struct reading {
	rf_lineage_touch_fn touch;
	rf_lineage_label_fn label;
	int (*workload)(const char *workload, void *arg);
	void *arg;
};

static int touch_read(sqlite3_stmt *row, void *arg)
{
	const struct reading *reading = arg;
	struct rf_lineage_touch t;

	if (!rf_db_text(row, 0, RF_STRING_MAX, &t.workload) || !rf_db_number(row, 1, INT64_MAX, &t.label) ||
	    !rf_db_text(row, 2, RF_STRING_MAX, &t.path) || !rf_db_text(row, 3, RF_STRING_MAX, &t.process) ||
	    !rf_db_number(row, 4, UINT32_MAX, &t.tgid) || !rf_db_number(row, 5, UINT32_MAX, &t.uid) ||
	    !rf_db_number(row, 6, INT64_MAX, &t.read_bytes) || !rf_db_number(row, 7, INT64_MAX, &t.write_bytes) ||
	    !rf_db_number(row, 8, INT64_MAX, &t.map_bytes) || !rf_db_number(row, 9, INT64_MAX, &t.share_bytes) ||
	    !rf_db_number(row, 10, INT64_MAX, &t.changes) || !rf_db_number(row, 11, INT64_MAX, &t.first_ns) ||
	    !rf_db_number(row, 12, INT64_MAX, &t.last_ns))
		return 0;
	return reading->touch(&t, reading->arg);
}

int rf_lineage_db_of_label(struct rf_db *db, uint64_t label, rf_lineage_touch_fn fn, void *arg, char **ret_error)
{
	struct reading reading = { .touch = fn, .arg = arg };

	rf_db_bind_number(rf_db_statement(db, OF_LABEL), 1, label);
	return rf_db_each(db, OF_LABEL, touch_read, &reading, ret_error);
}

int rf_lineage_db_of_workload(struct rf_db *db, const char *workload, rf_lineage_touch_fn fn, void *arg,
			      char **ret_error)
{
	struct reading reading = { .touch = fn, .arg = arg };

	rf_db_bind_text(rf_db_statement(db, OF_WORKLOAD), 1, workload);
	return rf_db_each(db, OF_WORKLOAD, touch_read, &reading, ret_error);
}

static int label_read(sqlite3_stmt *row, void *arg)
{
	const struct reading *reading = arg;
	struct rf_lineage_label label;

	if (!rf_db_number(row, 0, INT64_MAX, &label.id) || !rf_db_text(row, 1, RF_STRING_MAX, &label.name) ||
	    !rf_db_text(row, 2, RF_STRING_MAX, &label.kind) ||
	    !rf_db_text_or_null(row, 3, RF_STRING_MAX, &label.tenant))
		return 0;
	return reading->label(&label, reading->arg);
}

int rf_lineage_db_labels(struct rf_db *db, rf_lineage_label_fn fn, void *arg, char **ret_error)
{
	struct reading reading = { .label = fn, .arg = arg };

	return rf_db_each(db, LABELS, label_read, &reading, ret_error);
}

static int workload_read(sqlite3_stmt *row, void *arg)
{
	const struct reading *reading = arg;
	const char *workload;

	return rf_db_text(row, 0, RF_STRING_MAX, &workload) ? reading->workload(workload, reading->arg) : 0;
}

int rf_lineage_db_workloads(struct rf_db *db, int (*fn)(const char *workload, void *arg), void *arg, char **ret_error)
{
	struct reading reading = { .workload = fn, .arg = arg };

	return rf_db_each(db, WORKLOADS, workload_read, &reading, ret_error);
}

int rf_lineage_db_stats(struct rf_db *db, struct rf_lineage_db_stats *ret, char **ret_error)
{
	int r;

	*ret = (struct rf_lineage_db_stats){ .bytes = rf_db_bytes(db) };
	r = rf_db_each(db, COUNT, number_read, &ret->rows, ret_error);
	return r < 0 ? r : rf_db_each(db, DROPPED_GET, number_read, &ret->dropped, ret_error);
}

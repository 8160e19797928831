// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows as rows. */
#include "user/store/flow_db.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "user/lib/util.h"

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

static const struct rf_db_form form = { .version = RF_FLOW_DB_VERSION,
					.schema = schema,
					.statements = statement_texts,
					.n_statements = STATEMENTS,
					.loss = "the history" };

int rf_flow_db_open(const char *path, struct rf_db **ret, char **ret_error)
{
	return rf_db_open(path, &form, ret, ret_error);
}

int rf_flow_db_clear(struct rf_db *db, char **ret_error)
{
	return rf_db_run(db, "DELETE FROM flow; DELETE FROM subject", ret_error);
}

int rf_flow_db_put_subject(struct rf_db *db, const struct rf_flow_subject *subject, char **ret_error)
{
	sqlite3_stmt *statement = rf_db_statement(db, PUT_SUBJECT);

	rf_db_bind_number(statement, 1, subject->id);
	rf_db_bind_text(statement, 2, subject->workload);
	rf_db_bind_text(statement, 3, subject->below);
	rf_db_bind_text(statement, 4, subject->identity);
	return rf_db_step(db, PUT_SUBJECT, ret_error);
}

int rf_flow_db_put(struct rf_db *db, const struct rf_flow *flow, char **ret_error)
{
	sqlite3_stmt *statement = rf_db_statement(db, PUT_FLOW);

	rf_db_bind_number(statement, 1, flow->id);
	rf_db_bind_number(statement, 2, flow->subject->id);
	rf_db_bind_number(statement, 3, flow->key.direction);
	rf_db_bind_number(statement, 4, flow->key.protocol);
	rf_db_bind_number(statement, 5, flow->key.family);
	rf_db_bind_number(statement, 6, flow->key.port);
	sqlite3_bind_blob(statement, 7, flow->key.address, sizeof(flow->key.address), SQLITE_STATIC);
	rf_db_bind_number(statement, 8, flow->verdict);
	rf_db_bind_text(statement, 9, flow->peer);
	rf_db_bind_text(statement, 10, flow->name);
	rf_db_bind_number(statement, 11, flow->times);
	rf_db_bind_number(statement, 12, flow->tx_bytes);
	rf_db_bind_number(statement, 13, flow->rx_bytes);
	rf_db_bind_number(statement, 14, flow->first_ns);
	rf_db_bind_number(statement, 15, flow->last_ns);
	return rf_db_step(db, PUT_FLOW, ret_error);
}

int rf_flow_db_drop(struct rf_db *db, uint64_t flow, char **ret_error)
{
	rf_db_bind_number(rf_db_statement(db, DROP_FLOW), 1, flow);
	return rf_db_step(db, DROP_FLOW, ret_error);
}

int rf_flow_db_drop_subject(struct rf_db *db, uint64_t subject, char **ret_error)
{
	rf_db_bind_number(rf_db_statement(db, DROP_SUBJECT), 1, subject);
	return rf_db_step(db, DROP_SUBJECT, ret_error);
}

/* ---- reading ---- */

struct reading {
	const struct rf_flow_db_reader *reader;
	uint64_t *refused;
};

static int subject_read(sqlite3_stmt *row, void *arg)
{
	const struct reading *reading = arg;
	struct rf_flow_subject subject = { 0 };
	const char *workload, *below, *identity;

	if (!rf_db_number(row, 0, INT64_MAX - 1, &subject.id) || !rf_db_text(row, 1, RF_STRING_MAX, &workload) ||
	    !rf_db_text(row, 2, RF_STRING_MAX, &below) || !rf_db_text(row, 3, IDENTITY_MAX, &identity)) {
		++*reading->refused;
		return 0;
	}
	subject.workload = (char *)workload;
	subject.below = (char *)below;
	subject.identity = (char *)identity;
	return reading->reader->subject(&subject, reading->reader->arg);
}

static bool key_read(sqlite3_stmt *row, struct rf_flow_key *key)
{
	uint64_t direction, protocol, family, port;

	if (!rf_db_number(row, 1, INT64_MAX - 1, &key->subject) ||
	    !rf_db_number(row, 2, RF_DIRECTIONS - 1, &direction) || !rf_db_number(row, 3, UINT8_MAX, &protocol) ||
	    !rf_db_number(row, 4, UINT8_MAX, &family) || (family != AF_INET && family != AF_INET6) ||
	    !rf_db_number(row, 5, UINT16_MAX, &port) || sqlite3_column_type(row, 6) != SQLITE_BLOB ||
	    sqlite3_column_bytes(row, 6) != sizeof(key->address))
		return false;
	key->direction = direction;
	key->protocol = protocol;
	key->family = family;
	key->port = port;
	memcpy(key->address, sqlite3_column_blob(row, 6), sizeof(key->address));
	return true;
}

static int flow_read(sqlite3_stmt *row, void *arg)
{
	const struct reading *reading = arg;
	struct rf_flow flow = { 0 };
	const char *peer, *name;
	uint64_t verdict;

	if (!rf_db_number(row, 0, INT64_MAX - 1, &flow.id) || !key_read(row, &flow.key) ||
	    !rf_db_number(row, 7, RF_VERDICTS - 1, &verdict) || !rf_db_text_or_null(row, 8, RF_STRING_MAX, &peer) ||
	    !rf_db_text_or_null(row, 9, RF_STRING_MAX, &name) || !rf_db_number(row, 10, INT64_MAX, &flow.times) ||
	    !rf_db_number(row, 11, INT64_MAX, &flow.tx_bytes) || !rf_db_number(row, 12, INT64_MAX, &flow.rx_bytes) ||
	    !rf_db_number(row, 13, INT64_MAX, &flow.first_ns) || !rf_db_number(row, 14, INT64_MAX, &flow.last_ns)) {
		++*reading->refused;
		return 0;
	}
	flow.verdict = verdict;
	flow.peer = (char *)peer;
	flow.name = (char *)name;
	return reading->reader->flow(&flow, reading->reader->arg);
}

int rf_flow_db_read(struct rf_db *db, const struct rf_flow_db_reader *reader, uint64_t *ret_refused, char **ret_error)
{
	struct reading reading = { reader, ret_refused };
	int r = rf_db_query(db, "SELECT * FROM subject ORDER BY id", subject_read, &reading, ret_error);

	if (r < 0)
		return r;
	return rf_db_query(db, "SELECT * FROM flow ORDER BY last_ns", flow_read, &reading, ret_error);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control protocol's requests, checked against two tables: which members
 * a command takes (here), and how each member is read (request_member.c).
 *
 * An unknown member is refused, not ignored: a misspelt "confirm_s" must not
 * become an apply that nobody has to confirm.
 */
#include "user/daemon/request.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "ringfence/event.h"
#include "user/daemon/request_member.h"

static_assert(RF_MEMBER_COUNT <= 32, "struct rf_request_parser.seen has a bit for each member");

#define M(id)  (1u << RF_MEMBER_##id)
#define EVERY  (M(V) | M(CMD))
#define EVENTS (M(FOLLOW) | M(FORMAT) | M(KINDS) | M(VERDICTS) | M(WORKLOAD) | M(LIMIT))
#define TEST   (M(WORKLOAD) | M(DIRECTION) | M(ADDRESS) | M(PORT) | M(PROTOCOL))

static const struct {
	uint32_t required, optional;
} shapes[] = {
	[RF_COMMAND_STATUS] = { EVERY, 0 },
	[RF_COMMAND_WORKLOADS] = { EVERY, 0 },
	[RF_COMMAND_EVENTS] = { EVERY, EVENTS },
	[RF_COMMAND_POLICIES] = { EVERY, 0 },
	[RF_COMMAND_POLICY_SHOW] = { EVERY | M(WORKLOAD), 0 },
	[RF_COMMAND_POLICY_TEST] = { EVERY | TEST, M(PEER) | M(NAME) },
	[RF_COMMAND_APPLY] = { EVERY | M(PATHS), M(CONFIRM_S) | M(REPLACE) | M(FORCE) },
	[RF_COMMAND_CONFIRM] = { EVERY, 0 },
	[RF_COMMAND_ROLLBACK] = { EVERY, 0 },
	[RF_COMMAND_RELOAD] = { EVERY, M(FORCE) },
	[RF_COMMAND_DETACH] = { EVERY, 0 },
	[RF_COMMAND_UNLOCK] = { EVERY | M(TOKEN), M(FOR_S) },
	[RF_COMMAND_LOCK] = { EVERY, 0 },
	[RF_COMMAND_POLICY_TEST_PROGRAM] = { EVERY | M(WORKLOAD) | M(PROGRAM), M(INTERPRETER) },
	[RF_COMMAND_LINEAGE] = { EVERY, M(SUBJECT) },
	[RF_COMMAND_ACCELERATORS] = { EVERY, 0 },
	[RF_COMMAND_POLICY_DIFF] = { EVERY | M(OLD) | M(NEW), M(SINCE_S) | M(WORKLOAD) | M(ALL) | M(OVERLAY) },
};

static_assert(ARRAY_SIZE(shapes) == RF_COMMAND_COUNT, "every command says what it takes");

static const char *const command_names[] = {
#define X(id, name) [RF_COMMAND_##id] = name,
	RF_COMMANDS(X)
#undef X
};

const char *rf_command_name(enum rf_command command)
{
	return (unsigned int)command < RF_COMMAND_COUNT ? command_names[command] : NULL;
}

static int parse_member(const char *key, const struct rf_jin *value, void *arg)
{
	struct rf_request_parser *p = arg;
	uint32_t takes = shapes[p->request.command].required | shapes[p->request.command].optional;

	for (unsigned int i = 0; i < RF_MEMBER_COUNT; i++) {
		if (!rf_streq(key, rf_members[i].name))
			continue;
		if (!(takes & (1u << i)))
			break;
		if (!value) /* null: as if it were not there */
			return 0;
		p->seen |= 1u << i;
		return rf_members[i].parse(p, key, value);
	}
	return rf_request_fail(p, -EINVAL, "The command \"%s\" takes no \"%.*s\".", command_names[p->request.command],
			       RF_REQUEST_QUOTED, key);
}

static int parse_header(struct rf_request_parser *p)
{
	const struct rf_jin *v = rf_jin_get(p->root, "v");
	const char *cmd;
	int64_t version;

	if (!v || !rf_request_read_i64(v, &version))
		return rf_request_fail(p, -EPROTO, "The request has no protocol version (\"v\": %d).", RF_CONTROL_ABI);
	if (version != RF_CONTROL_ABI)
		return rf_request_fail(p, -EPROTO,
				       "The request is of protocol version %" PRId64 "; this daemon speaks version %d. "
				       "Install ringfence and ringfenced of the same release.",
				       version, RF_CONTROL_ABI);
	cmd = rf_jin_string(p->root, "cmd", NULL);
	if (!cmd)
		return rf_request_fail(p, -EINVAL, "The request names no command (\"cmd\").");
	for (unsigned int i = 0; i < RF_COMMAND_COUNT; i++) {
		if (rf_streq(cmd, command_names[i])) {
			p->request.command = i;
			return 0;
		}
	}
	return rf_request_fail(p, -EOPNOTSUPP, "There is no command \"%.*s\".", RF_REQUEST_QUOTED, cmd);
}

static int parse_root(struct rf_request_parser *p)
{
	uint32_t missing;
	int r;

	if (!rf_jin_is_object(p->root))
		return rf_request_fail(p, -EBADMSG, "The request is no JSON object.");
	r = parse_header(p);
	if (r < 0)
		return r;
	r = rf_jin_each(p->root, parse_member, p);
	if (r < 0)
		return r;
	missing = shapes[p->request.command].required & ~p->seen;
	for (unsigned int i = 0; i < RF_MEMBER_COUNT; i++)
		if (missing & (1u << i))
			return rf_request_fail(p, -EINVAL, "The command \"%s\" needs \"%s\".",
					       command_names[p->request.command], rf_members[i].name);
	return 0;
}

/* A string that holds a NUL would be read as its own beginning: another path than the one that was sent. */
static bool has_nul(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!line[i])
			return true;
		if (line[i] != '\\')
			continue;
		if (len - i >= 6 && !memcmp(line + i, "\\u0000", 6))
			return true;
		i++; /* whatever is escaped, a second backslash included */
	}
	return false;
}

int rf_request_parse(const char *line, size_t len, struct rf_request *ret, char **ret_error)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	struct rf_request_parser p = {
		.request = {
			.command = RF_COMMAND_COUNT,
			.kinds = (1u << RF_EVENT_KINDS) - 2, /* bit 0 is RF_EVENT_NONE */
			.verdicts = (1u << RF_VERDICTS) - 1,
			.limit = RF_EVENT_HISTORY,
			.since_s = RF_FLOW_HISTORY_S,
			.for_s = RF_UNLOCK_S,
		},
	};
	size_t offset = 0;
	int r;

	if (len > RF_CONTROL_LINE_MAX) {
		r = rf_request_fail(&p, -EMSGSIZE, "The request is longer than %d bytes.", RF_CONTROL_LINE_MAX);
	} else if (has_nul(line, len)) {
		r = rf_request_fail(&p, -EBADMSG, "The request holds a NUL byte.");
	} else {
		r = rf_jin_parse(line, len, &root, &offset);
		if (r == -EBADMSG) {
			r = rf_request_fail(&p, -EBADMSG, "The request is no valid JSON (byte %zu).", offset);
		} else if (r == 0) {
			p.root = root;
			r = parse_root(&p);
		}
	}
	if (r < 0) {
		rf_request_fini(&p.request);
		if (r != -ENOMEM && p.error)
			*ret_error = TAKE_PTR(p.error);
		free(p.error);
		return r;
	}
	*ret = p.request;
	return 0;
}

void rf_request_fini(struct rf_request *r)
{
	rf_request_paths_free(r);
	free(r->workload);
	free(r->peer);
	free(r->name);
	free(r->program);
	free(r->old);
	free(r->new);
	free(r->token);
	free(r->subject);
	r->token = r->subject = NULL;
	r->workload = r->peer = r->name = r->program = r->old = r->new = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of a request: how each is read. Between request.c and request_member.c alone. */
#ifndef RF_DAEMON_REQUEST_MEMBER_H
#define RF_DAEMON_REQUEST_MEMBER_H

#include "user/daemon/request.h"
#include "user/lib/json_in.h"

/* How much of a client's own text an error repeats. */
#define RF_REQUEST_QUOTED 64

struct rf_request_parser {
	const struct rf_jin *root;
	struct rf_request request; /* its command is known before any other member is read */
	uint32_t seen;		   /* 1 << enum rf_member */
	char *error;
};

/* X(enum suffix, name on the wire, function that reads it) */
#define RF_MEMBERS(X)                                    \
	X(V, "v", parse_nothing)                         \
	X(CMD, "cmd", parse_nothing)                     \
	X(FOLLOW, "follow", parse_follow)                \
	X(FORMAT, "format", parse_format)                \
	X(KINDS, "kinds", parse_kinds)                   \
	X(VERDICTS, "verdicts", parse_verdicts)          \
	X(WORKLOAD, "workload", parse_workload)          \
	X(LIMIT, "limit", parse_limit)                   \
	X(DIRECTION, "direction", parse_direction)       \
	X(ADDRESS, "address", parse_address)             \
	X(PORT, "port", parse_port)                      \
	X(PROTOCOL, "protocol", parse_protocol)          \
	X(PEER, "peer", parse_peer)                      \
	X(NAME, "name", parse_name)                      \
	X(PATHS, "paths", parse_paths)                   \
	X(CONFIRM_S, "confirm_s", parse_confirm_s)       \
	X(REPLACE, "replace", parse_replace)             \
	X(FORCE, "force", parse_force)                   \
	X(OLD, "old", parse_old)                         \
	X(NEW, "new", parse_new)                         \
	X(SINCE_S, "since_s", parse_since_s)             \
	X(ALL, "all", parse_all)                         \
	X(OVERLAY, "overlay", parse_overlay)             \
	X(TOKEN, "token", parse_token)                   \
	X(FOR_S, "for_s", parse_for_s)                   \
	X(PROGRAM, "program", parse_program)             \
	X(INTERPRETER, "interpreter", parse_interpreter) \
	X(SUBJECT, "subject", parse_subject)

enum rf_member {
#define X(id, name, fn) RF_MEMBER_##id,
	RF_MEMBERS(X)
#undef X
		RF_MEMBER_COUNT
};

struct rf_member_row {
	const char *name;
	int (*parse)(struct rf_request_parser *p, const char *key, const struct rf_jin *value);
};

extern const struct rf_member_row rf_members[RF_MEMBER_COUNT];

/* Sets the error's sentence and returns @r, or -ENOMEM. */
int rf_request_fail(struct rf_request_parser *p, int r, const char *fmt, ...) RF_PRINTF(3, 4);
bool rf_request_read_i64(const struct rf_jin *value, int64_t *ret);
void rf_request_paths_free(struct rf_request *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line from the control socket -> a checked request. Pure: no file is
 * opened, no name looked up. What comes out needs no second check: masks hold
 * known bits only, paths are absolute, globs are valid, numbers in range.
 */
#ifndef RF_DAEMON_REQUEST_H
#define RF_DAEMON_REQUEST_H

#include <stdint.h>

#include "ringfence/control.h"
#include "ringfence/workload_map.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

/* X(enum suffix, name on the wire) */
#define RF_COMMANDS(X)                                \
	X(STATUS, "status")                           \
	X(WORKLOADS, "workloads")                     \
	X(EVENTS, "events")                           \
	X(POLICIES, "policies")                       \
	X(POLICY_SHOW, "policy-show")                 \
	X(POLICY_TEST, "policy-test")                 \
	X(APPLY, "apply")                             \
	X(CONFIRM, "confirm")                         \
	X(ROLLBACK, "rollback")                       \
	X(RELOAD, "reload")                           \
	X(DETACH, "detach")                           \
	X(POLICY_DIFF, "policy-diff")                 \
	X(UNLOCK, "unlock")                           \
	X(LOCK, "lock")                               \
	X(POLICY_TEST_PROGRAM, "policy-test-program") \
	X(LINEAGE, "lineage")                         \
	X(ACCELERATORS, "accelerators")

enum rf_command {
#define X(id, name) RF_COMMAND_##id,
	RF_COMMANDS(X)
#undef X
		RF_COMMAND_COUNT
};

struct rf_request {
	enum rf_command command;
	/* events */
	bool follow;
	bool json;	   /* "format": "json" */
	uint32_t kinds;	   /* 1 << enum rf_event_kind; all of them where none was named */
	uint32_t verdicts; /* 1 << enum rf_verdict; likewise */
	uint32_t limit;	   /* of the history, at most RF_EVENT_HISTORY, which is the default */
	/* events, policy-diff: a glob or NULL; policy-show, policy-test: a full name, never NULL */
	char *workload;
	/* policy-test */
	enum rf_direction direction;
	uint8_t family;	     /* AF_INET, AF_INET6 */
	uint8_t protocol;    /* IPPROTO_* */
	uint16_t port;	     /* host order; RF_ICMP_PORT() for ICMP */
	uint8_t address[16]; /* network order; IPv4 in the first four bytes */
	char *peer;	     /* the workload at that address; NULL: who is known to have it */
	char *name;	     /* the DNS name that the address was an answer to; NULL: none */
	/* policy-test-program */
	char *program; /* an absolute path */
	bool interpreter;
	/* apply, reload */
	char **paths; /* n_paths absolute paths */
	size_t n_paths;
	uint32_t confirm_s; /* 0: none asked for */
	bool replace;
	bool force;
	/* policy-diff */
	char *old, *new;  /* absolute paths; NULL: what is in force */
	uint32_t since_s; /* RF_FLOW_HISTORY_S where it was not said */
	bool all;	  /* flows that do not change, too */
	bool overlay;	  /* "new" is laid over "old" */
	/* lineage: a label or a workload, or NULL */
	char *subject;
	/* unlock */
	char *token;
	uint32_t for_s;
};

#define RF_REQUEST_INIT { .command = RF_COMMAND_COUNT }

/*
 * @line without its newline. On failure @ret_error is a sentence for the user (caller frees), except for -ENOMEM, when
 * it is untouched; @ret is untouched. -EMSGSIZE too long, -EBADMSG no JSON object, -EPROTO another version of the
 * protocol, -EOPNOTSUPP an unknown command, -EINVAL a wrong, unknown or missing member.
 */
int rf_request_parse(const char *line, size_t len, struct rf_request *ret, char **ret_error);
void rf_request_fini(struct rf_request *r);
#define _cleanup_request_ _cleanup_(rf_request_fini)

const char *rf_command_name(enum rf_command command); /* NULL out of range */

#endif

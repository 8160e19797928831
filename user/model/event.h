/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wire events in user space: validated once, here, then trusted.
 */
#ifndef RF_MODEL_EVENT_H
#define RF_MODEL_EVENT_H

#include <stddef.h>

#include "ringfence/account_map.h"
#include "ringfence/event.h"
#include "ringfence/guard_map.h"
#include "user/lib/json.h"

/*
 * 0, or -EBADMSG when @data is no event of this version: size, kind, lane, verdict, string termination and lengths,
 * enum ranges are all checked; nothing is read past @len.
 */
int rf_event_validate(const void *data, size_t len);

const char *rf_event_kind_name(enum rf_event_kind kind); /* "exec", "flow-deny", ...; NULL out of range */
int rf_event_kind_parse(const char *name);		 /* kind, or -EINVAL */
const char *rf_verdict_name(enum rf_verdict verdict);	 /* "allow", "deny", "would-deny" */
int rf_verdict_parse(const char *name);
const char *rf_lane_name(enum rf_lane lane); /* "telemetry", "audit", "identity" */
const char *rf_hook_name(enum rf_hook hook);
const char *rf_guard_operation_name(unsigned int operation);
const char *rf_guard_operation_help(unsigned int operation);
const char *rf_peer_class_name(enum rf_account_class class); /* "loopback", "public", ... */
const char *rf_flow_reason_name(enum rf_flow_reason reason); /* "open", "closed", "idle", ... */
size_t rf_event_size(enum rf_event_kind kind);		     /* bytes of the struct of this kind; 0 out of range */
const char *rf_protocol_name(unsigned int protocol, char buffer[static 8]); /* "tcp", "udp", ..., else the number */

/* What the daemon adds: names for the ids in an event. Any may be NULL. */
struct rf_event_names {
	const char *workload; /* tenant/namespace/name */
	const char *policy;
	const char *rule;
	const char *file;
	unsigned int line;
	const char *peer;   /* the workload at the other end of a Unix socket, as above */
	const char *label;  /* of a file; where it has none, the path that a rule named */
	const char *device; /* an accelerator's name; NULL: it is none, or not known */
};

/* One line of text, at most ~200 bytes, no newline; or the members of one JSON object. @event must be valid. */
void rf_event_text(struct rf_strbuf *out, const struct rf_event_header *event, const struct rf_event_names *names);
void rf_event_json(struct rf_strbuf *out, const struct rf_event_header *event, const struct rf_event_names *names);

#endif

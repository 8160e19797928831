/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last events, each with the names that its ids had when it came. A ring
 * of RF_EVENT_HISTORY records; denials and policy changes have one of their
 * own, so that telemetry cannot push them out.
 */
#ifndef RF_DAEMON_HISTORY_H
#define RF_DAEMON_HISTORY_H

#include "ringfence/event.h"
#include "user/model/event.h"

struct rf_record {
	struct rf_event_names names; /* strings behind the record's own memory */
	uint64_t order;		     /* of arrival */
	union {
		struct rf_event_header header;
		unsigned char bytes[sizeof(struct rf_event_cgroup)];
	} event;
};

struct rf_filter {
	uint32_t kinds, verdicts; /* 1 << enum */
	const char *workload;	  /* glob over the full name, NULL: any */
};

bool rf_record_matches(const struct rf_record *record, const struct rf_filter *filter);

struct rf_history;

int rf_history_new(struct rf_history **ret);
void rf_history_free(struct rf_history *h);
RF_DEFINE_CLEANUP(struct rf_history, rf_history_free)

/* Keeps a copy; returns it (valid until overwritten), NULL when out of memory. */
const struct rf_record *rf_history_add(struct rf_history *h, const struct rf_event_header *event,
				       const struct rf_event_names *names);
/* The newest @limit that match, oldest first. */
void rf_history_each(const struct rf_history *h, const struct rf_filter *filter, size_t limit,
		     void (*fn)(const struct rf_record *record, void *arg), void *arg);

#endif

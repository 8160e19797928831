/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flows of the last day (RF_FLOW_HISTORY_S), merged, in memory and in a
 * file. Memory is the truth once the file has been read: where the file cannot
 * be used everything goes on without it, and it is tried again with every
 * sync. At most so many rows as it was made for; the one unseen longest goes.
 */
#ifndef RF_STORE_FLOW_HISTORY_H
#define RF_STORE_FLOW_HISTORY_H

#include "user/lib/cleanup.h"
#include "user/model/identity.h"
#include "user/store/flow.h"

struct rf_flow_history;

/* At most @max rows, kept in the file @path, which is not touched before the first sync. */
int rf_flow_history_new(size_t max, const char *path, struct rf_flow_history **ret);
void rf_flow_history_free(struct rf_flow_history *h);
RF_DEFINE_CLEANUP(struct rf_flow_history, rf_flow_history_free)
#define _cleanup_flow_history_ _cleanup_(rf_flow_history_freep)

/* What an event says. All of it is copied. */
struct rf_flow_seen {
	const char *workload, *below;
	uint64_t cgroup_id;
	const struct rf_identity *identity; /* of the cgroup; NULL: it is gone, and what is known of it is kept */
	struct rf_flow_key key;		    /* but for the subject */
	enum rf_verdict verdict;
	const char *peer, *name; /* NULL: not known */
	uint64_t time_ns;	 /* CLOCK_REALTIME */
	uint64_t times;		 /* 0: of a flow that was counted when it began, if that was seen */
	uint64_t tx_bytes, rx_bytes;
};

/* -ENOMEM, -ENOENT (of a cgroup that was never known): it is not remembered, and counted in @lost below. */
int rf_flow_history_add(struct rf_flow_history *h, const struct rf_flow_seen *seen);

/*
 * Reads the file if that has not been done, forgets what is too old, and writes at most RF_FLOW_HISTORY_BATCH rows of
 * what has changed. 1: there is more to write; 0: all is written; a negative errno: the file cannot be used now, and
 * @ret_error says why (NULL: out of memory).
 */
int rf_flow_history_sync(struct rf_flow_history *h, uint64_t now_ns, char **ret_error);

/* Those seen longest ago first. */
void rf_flow_history_each(const struct rf_flow_history *h, void (*fn)(const struct rf_flow *flow, void *arg),
			  void *arg);
void rf_flow_history_subjects(const struct rf_flow_history *h,
			      void (*fn)(const struct rf_flow_subject *subject, void *arg), void *arg);

struct rf_flow_history_stats {
	size_t rows, max;
	uint64_t dropped; /* because it was full */
	uint64_t refused; /* rows of the file that make no sense */
	uint64_t lost;	  /* for want of memory, or of a cgroup that was gone before anything was known of it */
	uint64_t bytes;	  /* of the file */
	bool stored;	  /* the file is there and took what was last given to it */
};

void rf_flow_history_stats(const struct rf_flow_history *h, struct rf_flow_history_stats *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply to "workloads" as numbers, and what happened between two of them.
 * Pure. A counter that went backwards is another workload's under an old id or
 * a daemon that began anew: the rate is then not known, never negative.
 */
#ifndef RF_CLI_RATES_H
#define RF_CLI_RATES_H

#include "user/lib/json_in.h"
#include "user/model/snapshot.h"

struct rf_sample_row {
	uint32_t id;
	char *name;
	uint64_t counter[RF_COUNTER_COUNT];	/* RF_UNKNOWN where not told */
	uint64_t sum[RF_SUM_COUNT];		/* likewise */
	uint64_t tasks, cpu_usec, memory_bytes; /* likewise */
};

struct rf_sample {
	uint64_t time_ns;
	struct rf_sample_row *rows; /* by id */
	size_t n;
};

#define RF_SAMPLE_INIT	 { 0, NULL, 0 }
#define _cleanup_sample_ _cleanup_(rf_sample_fini)

/* -EBADMSG when it is no such reply; -ENOMEM. */
int rf_sample_parse(const struct rf_jin *reply, struct rf_sample *ret);
void rf_sample_fini(struct rf_sample *s);

enum rf_sort { RF_SORT_CPU, RF_SORT_MEMORY, RF_SORT_NETWORK, RF_SORT_DENIES, RF_SORT_NAME, RF_SORTS };

/* A second; NAN: not known. */
struct rf_rate {
	const struct rf_sample_row *row; /* of the later sample */
	double cpu_percent;		 /* of one CPU */
	double tx_bytes, rx_bytes;
	double connections; /* both directions */
	double denies, would_denies;
};

/* @before may be empty: then no rate is known. Sorted, the most first, ties by name. @ret_rates has now->n entries. */
int rf_rates_compute(const struct rf_sample *before, const struct rf_sample *now, enum rf_sort sort,
		     struct rf_rate **ret_rates);

/* What both tables are made of: a member of a reply, RF_UNKNOWN where it is not told; a second of a counter, or NAN. */
uint64_t rf_sample_number(const struct rf_jin *object, const char *key);
double rf_sample_rate(uint64_t before, uint64_t now, double seconds);

const char *rf_sort_name(enum rf_sort sort); /* "cpu", ... */
int rf_sort_parse(const char *name);	     /* or -EINVAL */

#endif

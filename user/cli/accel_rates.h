/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reply to "accelerators" as numbers, and what happened between two of them. As rates.h. */
#ifndef RF_CLI_ACCEL_RATES_H
#define RF_CLI_ACCEL_RATES_H

#include "user/lib/json_in.h"
#include "user/model/snapshot.h"

struct rf_accel_sample_row {
	char *device, *workload;
	uint64_t busy_ns, waited_ns, jobs; /* RF_UNKNOWN where not told */
	uint64_t under_way, bytes, share;  /* likewise */
};

struct rf_accel_sample {
	uint64_t time_ns;
	struct rf_accel_sample_row *rows;
	size_t n;
};

/* -EBADMSG when it is no such reply; -ENOMEM. */
int rf_accel_sample_parse(const struct rf_jin *reply, struct rf_accel_sample *ret);
void rf_accel_sample_fini(struct rf_accel_sample *s);

enum rf_accel_sort { RF_ACCEL_SORT_BUSY, RF_ACCEL_SORT_WAIT, RF_ACCEL_SORT_MEMORY, RF_ACCEL_SORT_NAME, RF_ACCEL_SORTS };

/* A second; NAN: not known. */
struct rf_accel_rate {
	const struct rf_accel_sample_row *row; /* of the later sample */
	double busy_percent;		       /* of the device */
	double jobs;
	double waited; /* seconds that submissions were let to wait, of all threads */
};

/* @before may be empty: then no rate is known. Sorted, the most first, ties by name. @ret_rates has now->n entries. */
int rf_accel_rates_compute(const struct rf_accel_sample *before, const struct rf_accel_sample *now,
			   enum rf_accel_sort sort, struct rf_accel_rate **ret_rates);

const char *rf_accel_sort_name(enum rf_accel_sort sort); /* "busy", ... */
int rf_accel_sort_parse(const char *name);		 /* or -EINVAL */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was taken of accelerators by tenant, by device or by workload: sums over the rows of the daemon's reply. */
#ifndef RF_CLI_ACCEL_SUMS_H
#define RF_CLI_ACCEL_SUMS_H

#include "user/lib/json_in.h"

/* X(enum suffix, word) */
#define RF_ACCEL_SUM_KEYS(X) \
	X(TENANT, "tenant")  \
	X(DEVICE, "device")  \
	X(WORKLOAD, "workload")

enum rf_accel_sum_by {
#define X(id, word) RF_ACCEL_BY_##id,
	RF_ACCEL_SUM_KEYS(X)
#undef X
		RF_ACCEL_BY_COUNT
};

struct rf_accel_sum {
	char *name;
	int64_t rows; /* that it is the sum of */
	int64_t jobs, busy_ns, queued_ns, waited_ns, bytes;
	int64_t engine_ns; /* by fdinfo */
};

/* In the order in which they come. -ENOMEM. Free with rf_accel_sums_free(). */
int rf_accel_sums_compute(const struct rf_jin *uses, enum rf_accel_sum_by by, struct rf_accel_sum **ret, size_t *ret_n);
void rf_accel_sums_free(struct rf_accel_sum *sums, size_t n);
int rf_accel_sum_by_parse(const char *word); /* or -EINVAL */
const char *rf_accel_sum_by_name(enum rf_accel_sum_by by);

#endif

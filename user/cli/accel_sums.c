// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads are named tenant/namespace/name; what is of no device alone has the empty name. */
#include "user/cli/accel_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/util.h"

static const char *const words[] = {
#define X(id, word) [RF_ACCEL_BY_##id] = word,
	RF_ACCEL_SUM_KEYS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(words) == RF_ACCEL_BY_COUNT, "a word for every key");

int rf_accel_sum_by_parse(const char *word)
{
	for (int by = 0; by < RF_ACCEL_BY_COUNT; by++)
		if (rf_streq(words[by], word))
			return by;
	return -EINVAL;
}

const char *rf_accel_sum_by_name(enum rf_accel_sum_by by)
{
	return words[by];
}

/* The key of a row, and how much of it. */
static const char *key_of(const struct rf_jin *use, enum rf_accel_sum_by by, size_t *ret_len)
{
	const char *key = rf_jin_string(use, by == RF_ACCEL_BY_DEVICE ? "device" : "workload", "");

	*ret_len = by == RF_ACCEL_BY_TENANT ? strcspn(key, "/") : strlen(key);
	return key;
}

/* NULL: no memory. */
static struct rf_accel_sum *sum_get(struct rf_accel_sum **sums, size_t *n, const char *key, size_t len)
{
	struct rf_accel_sum *wider;
	char *name;

	for (size_t i = 0; i < *n; i++)
		if (strlen((*sums)[i].name) == len && !memcmp((*sums)[i].name, key, len))
			return &(*sums)[i];
	wider = reallocarray(*sums, *n + 1, sizeof(*wider));
	if (!wider)
		return NULL;
	*sums = wider;
	name = strndup(key, len);
	if (!name)
		return NULL;
	wider[*n] = (struct rf_accel_sum){ .name = name };
	return &wider[(*n)++];
}

static void use_add(struct rf_accel_sum *sum, const struct rf_jin *use)
{
	sum->rows++;
	sum->jobs += rf_jin_i64(use, "jobs", 0);
	sum->busy_ns += rf_jin_i64(use, "busy_ns", 0);
	sum->queued_ns += rf_jin_i64(use, "queued_ns", 0);
	sum->waited_ns += rf_jin_i64(use, "waited_ns", 0);
	sum->bytes += rf_jin_i64(use, "bytes", 0);
	sum->engine_ns += rf_jin_i64(rf_jin_get(use, "fdinfo"), "engine_ns", 0);
}

int rf_accel_sums_compute(const struct rf_jin *uses, enum rf_accel_sum_by by, struct rf_accel_sum **ret, size_t *ret_n)
{
	struct rf_accel_sum *sums = NULL;
	size_t n = 0;

	for (size_t i = 0; i < rf_jin_len(uses); i++) {
		const struct rf_jin *use = rf_jin_at(uses, i);
		size_t len;
		const char *key = key_of(use, by, &len);
		struct rf_accel_sum *sum = sum_get(&sums, &n, key, len);

		if (!sum) {
			rf_accel_sums_free(sums, n);
			return -ENOMEM;
		}
		use_add(sum, use);
	}
	*ret = sums;
	*ret_n = n;
	return 0;
}

void rf_accel_sums_free(struct rf_accel_sum *sums, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(sums[i].name);
	free(sums);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What happened between two replies to "workloads". */
#include "user/cli/rates.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include "user/lib/clock.h"

uint64_t rf_sample_number(const struct rf_jin *object, const char *key)
{
	int64_t n = rf_jin_i64(object, key, -1);

	return n < 0 ? RF_UNKNOWN : (uint64_t)n;
}

static int by_id(const void *a, const void *b)
{
	const struct rf_sample_row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int parse_rows(const struct rf_jin *list, struct rf_sample *s)
{
	size_t n = rf_jin_len(list);

	s->rows = calloc(n ? n : 1, sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct rf_jin *w = rf_jin_at(list, i), *counters = rf_jin_get(w, "counters");
		struct rf_sample_row *row = &s->rows[i];
		uint64_t id = rf_sample_number(w, "id");

		if (id > UINT32_MAX || !rf_jin_string(w, "name", NULL))
			return -EBADMSG;
		row->id = (uint32_t)id;
		row->name = strdup(rf_jin_string(w, "name", ""));
		if (!row->name)
			return -ENOMEM;
		s->n++;
		row->tasks = rf_sample_number(w, "tasks");
		row->cpu_usec = rf_sample_number(w, "cpu_usec");
		row->memory_bytes = rf_sample_number(w, "memory_bytes");
		for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
			row->counter[c] = rf_sample_number(counters, rf_counter_key(c));
		for (unsigned int sum = 0; sum < RF_SUM_COUNT; sum++)
			row->sum[sum] = rf_sample_number(counters, rf_account_sum_key(sum));
	}
	qsort(s->rows, s->n, sizeof(*s->rows), by_id);
	return 0;
}

int rf_sample_parse(const struct rf_jin *reply, struct rf_sample *ret)
{
	const struct rf_jin *list = rf_jin_get(reply, "workloads");
	struct rf_sample s = RF_SAMPLE_INIT;
	int r;

	s.time_ns = rf_sample_number(reply, "time_ns");
	if (s.time_ns == RF_UNKNOWN || !rf_jin_is_array(list))
		return -EBADMSG;
	r = parse_rows(list, &s);
	if (r < 0) {
		rf_sample_fini(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void rf_sample_fini(struct rf_sample *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].name);
	free(s->rows);
	*s = (struct rf_sample)RF_SAMPLE_INIT;
}

double rf_sample_rate(uint64_t before, uint64_t now, double seconds)
{
	if (before == RF_UNKNOWN || now == RF_UNKNOWN || now < before || !(seconds > 0))
		return NAN;
	return (double)(now - before) / seconds;
}

static double counters(const struct rf_sample_row *before, const struct rf_sample_row *now, double seconds,
		       const enum rf_counter *which, size_t n)
{
	double sum = 0;
	bool told = false;

	/* A daemon of another version may not have them all. */
	for (size_t i = 0; i < n; i++) {
		if (before->counter[which[i]] == RF_UNKNOWN && now->counter[which[i]] == RF_UNKNOWN)
			continue;
		sum += rf_sample_rate(before->counter[which[i]], now->counter[which[i]], seconds);
		told = true;
	}
	return told ? sum : NAN; /* or if any of them is */
}

static double sum_rate(const struct rf_sample_row *before, const struct rf_sample_row *now, double seconds,
		       enum rf_account_sum sum)
{
	return rf_sample_rate(before->sum[sum], now->sum[sum], seconds);
}

static struct rf_rate rate_of(const struct rf_sample_row *before, const struct rf_sample_row *now, double seconds)
{
	static const enum rf_counter denies[] = { RF_COUNTER_EGRESS_DENY,    RF_COUNTER_INGRESS_DENY,
						  RF_COUNTER_DEVICE_DENY,    RF_COUNTER_SOCKET_DENY,
						  RF_COUNTER_ISOLATION_DENY, RF_COUNTER_KERNEL_DENY,
						  RF_COUNTER_FILE_DENY,	     RF_COUNTER_EXEC_DENY,
						  RF_COUNTER_ACCEL_DENY,     RF_COUNTER_ACCEL_QUOTA_DENY };
	static const enum rf_counter woulds[] = { RF_COUNTER_EGRESS_WOULD,    RF_COUNTER_INGRESS_WOULD,
						  RF_COUNTER_DEVICE_WOULD,    RF_COUNTER_SOCKET_WOULD,
						  RF_COUNTER_ISOLATION_WOULD, RF_COUNTER_KERNEL_WOULD,
						  RF_COUNTER_FILE_WOULD,      RF_COUNTER_EXEC_WOULD,
						  RF_COUNTER_ACCEL_WOULD,     RF_COUNTER_ACCEL_QUOTA_WOULD };

	if (!before)
		return (struct rf_rate){ now, NAN, NAN, NAN, NAN, NAN, NAN };
	return (struct rf_rate){
		.row = now,
		.cpu_percent = rf_sample_rate(before->cpu_usec, now->cpu_usec, seconds) / 1e4,
		.tx_bytes = sum_rate(before, now, seconds, RF_SUM_TX_BYTES),
		.rx_bytes = sum_rate(before, now, seconds, RF_SUM_RX_BYTES),
		.connections =
			sum_rate(before, now, seconds, RF_SUM_CONNECT) + sum_rate(before, now, seconds, RF_SUM_ACCEPT),
		.denies = counters(before, now, seconds, denies, ARRAY_SIZE(denies)),
		.would_denies = counters(before, now, seconds, woulds, ARRAY_SIZE(woulds)),
	};
}

/* What is not known goes after everything that is. */
static double known(double value)
{
	return isnan(value) ? -1 : value;
}

static double sort_key(const struct rf_rate *r, enum rf_sort sort)
{
	switch (sort) {
	case RF_SORT_MEMORY:
		return r->row->memory_bytes == RF_UNKNOWN ? -1 : (double)r->row->memory_bytes;
	case RF_SORT_NETWORK:
		return known(r->tx_bytes + r->rx_bytes);
	case RF_SORT_DENIES:
		return known(r->denies + r->would_denies);
	case RF_SORT_NAME:
		return 0;
	default:
		return known(r->cpu_percent);
	}
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct rf_rate *x = a, *y = b;
	const enum rf_sort *sort = arg;
	double kx = sort_key(x, *sort), ky = sort_key(y, *sort);

	if (kx != ky)
		return kx > ky ? -1 : 1;
	return strcmp(x->row->name, y->row->name);
}

int rf_rates_compute(const struct rf_sample *before, const struct rf_sample *now, enum rf_sort sort,
		     struct rf_rate **ret_rates)
{
	double seconds =
		now->time_ns > before->time_ns ? (double)(now->time_ns - before->time_ns) / (double)RF_NSEC_PER_SEC : 0;
	struct rf_rate *rates = calloc(now->n ? now->n : 1, sizeof(*rates));

	if (!rates)
		return -ENOMEM;
	for (size_t i = 0; i < now->n; i++) {
		const struct rf_sample_row *row = &now->rows[i], *old = NULL;

		if (before->n)
			old = bsearch(row, before->rows, before->n, sizeof(*row), by_id);
		if (old && !rf_streq(old->name, row->name))
			old = NULL; /* the id was given to another */
		rates[i] = rate_of(old, row, seconds);
	}
	qsort_r(rates, now->n, sizeof(*rates), by_key, &sort);
	*ret_rates = rates;
	return 0;
}

static const char *const sort_names[] = {
	[RF_SORT_CPU] = "cpu",	     [RF_SORT_MEMORY] = "memory", [RF_SORT_NETWORK] = "network",
	[RF_SORT_DENIES] = "denies", [RF_SORT_NAME] = "name",
};

static_assert(ARRAY_SIZE(sort_names) == RF_SORTS, "every order has a name");

const char *rf_sort_name(enum rf_sort sort)
{
	return (unsigned int)sort < RF_SORTS ? sort_names[sort] : NULL;
}

int rf_sort_parse(const char *name)
{
	for (int i = 0; i < RF_SORTS; i++)
		if (rf_streq(name, sort_names[i]))
			return i;
	return -EINVAL;
}

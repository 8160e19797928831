// SPDX-License-Identifier: GPL-2.0-or-later
/* What happened between two replies to "accelerators". */
#include "user/cli/accel_rates.h"

#include <errno.h>
#include <math.h>

#include "user/cli/rates.h"
#include "user/lib/clock.h"

static int row_parse(const struct rf_jin *use, struct rf_accel_sample_row *row)
{
	const char *device = rf_jin_string(use, "device", NULL), *workload = rf_jin_string(use, "workload", NULL);
	uint64_t share = rf_sample_number(rf_jin_get(use, "quota"), "share");

	if (!device || !workload)
		return -EBADMSG;
	row->device = strdup(device);
	row->workload = strdup(workload);
	row->busy_ns = rf_sample_number(use, "busy_ns");
	row->waited_ns = rf_sample_number(use, "waited_ns");
	row->jobs = rf_sample_number(use, "jobs");
	row->under_way = rf_sample_number(use, "under_way");
	row->bytes = rf_sample_number(use, "bytes");
	/* 0 is none as well. */
	row->share = share ? share : RF_UNKNOWN;
	return row->device && row->workload ? 0 : -ENOMEM;
}

int rf_accel_sample_parse(const struct rf_jin *reply, struct rf_accel_sample *ret)
{
	const struct rf_jin *list = rf_jin_get(reply, "uses");
	struct rf_accel_sample s = { .time_ns = rf_sample_number(reply, "time_ns") };
	size_t n = rf_jin_len(list);
	int r = 0;

	if (s.time_ns == RF_UNKNOWN || !rf_jin_is_array(list))
		return -EBADMSG;
	s.rows = calloc(n ? n : 1, sizeof(*s.rows));
	if (!s.rows)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		s.n = i + 1;
		r = row_parse(rf_jin_at(list, i), &s.rows[i]);
	}
	if (r < 0) {
		rf_accel_sample_fini(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void rf_accel_sample_fini(struct rf_accel_sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].device);
		free(s->rows[i].workload);
	}
	free(s->rows);
	*s = (struct rf_accel_sample){ 0 };
}

static const struct rf_accel_sample_row *same_row(const struct rf_accel_sample *s,
						  const struct rf_accel_sample_row *row)
{
	for (size_t i = 0; i < s->n; i++)
		if (rf_streq(s->rows[i].device, row->device) && rf_streq(s->rows[i].workload, row->workload))
			return &s->rows[i];
	return NULL;
}

static struct rf_accel_rate rate_of(const struct rf_accel_sample_row *before, const struct rf_accel_sample_row *now,
				    double seconds)
{
	if (!before)
		return (struct rf_accel_rate){ now, NAN, NAN, NAN };
	return (struct rf_accel_rate){
		.row = now,
		.busy_percent = rf_sample_rate(before->busy_ns, now->busy_ns, seconds) / 1e7,
		.jobs = rf_sample_rate(before->jobs, now->jobs, seconds),
		.waited = rf_sample_rate(before->waited_ns, now->waited_ns, seconds) / 1e9,
	};
}

static double key_of(const struct rf_accel_rate *r, enum rf_accel_sort sort)
{
	double key = 0;

	if (sort == RF_ACCEL_SORT_BUSY)
		key = r->busy_percent;
	else if (sort == RF_ACCEL_SORT_WAIT)
		key = r->waited;
	else if (sort == RF_ACCEL_SORT_MEMORY)
		key = r->row->bytes == RF_UNKNOWN ? NAN : (double)r->row->bytes;
	return isnan(key) ? -1 : key;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct rf_accel_rate *x = a, *y = b;
	enum rf_accel_sort sort = *(const enum rf_accel_sort *)arg;
	double kx = key_of(x, sort), ky = key_of(y, sort);
	int r;

	if (kx > ky || kx < ky)
		return kx > ky ? -1 : 1;
	r = strcmp(x->row->workload, y->row->workload);
	return r ? r : strcmp(x->row->device, y->row->device);
}

int rf_accel_rates_compute(const struct rf_accel_sample *before, const struct rf_accel_sample *now,
			   enum rf_accel_sort sort, struct rf_accel_rate **ret_rates)
{
	double seconds = now->time_ns > before->time_ns ? (double)(now->time_ns - before->time_ns) / RF_NSEC_PER_SEC :
							  0;
	struct rf_accel_rate *rates = calloc(now->n ? now->n : 1, sizeof(*rates));

	if (!rates)
		return -ENOMEM;
	for (size_t i = 0; i < now->n; i++)
		rates[i] = rate_of(same_row(before, &now->rows[i]), &now->rows[i], seconds);
	qsort_r(rates, now->n, sizeof(*rates), compare, &sort);
	*ret_rates = rates;
	return 0;
}

static const char *const names[RF_ACCEL_SORTS] = {
	[RF_ACCEL_SORT_BUSY] = "busy",
	[RF_ACCEL_SORT_WAIT] = "wait",
	[RF_ACCEL_SORT_MEMORY] = "memory",
	[RF_ACCEL_SORT_NAME] = "name",
};

const char *rf_accel_sort_name(enum rf_accel_sort sort)
{
	return names[sort];
}

int rf_accel_sort_parse(const char *name)
{
	for (int sort = 0; sort < RF_ACCEL_SORTS; sort++)
		if (rf_streq(name, names[sort]))
			return sort;
	return -EINVAL;
}

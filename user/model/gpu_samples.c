// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples of utilization, summed up. */
#include "user/model/gpu_samples.h"

#include <stdlib.h>

#include "user/lib/util.h"

static int compare(const void *a, const void *b)
{
	const struct rf_gpu_sample *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

void rf_gpu_samples_charge(struct rf_gpu_sample *samples, size_t n, uint64_t max_us, uint64_t *seen_us)
{
	uint64_t before = *seen_us, last = *seen_us, begin = 0;

	if (n)
		qsort(samples, n, sizeof(*samples), compare);
	for (size_t i = 0; i < n; i++) {
		struct rf_gpu_sample *s = &samples[i];

		if (!i || s->pid != samples[i - 1].pid)
			begin = before;
		s->busy_ns = 0;
		if (s->time_us <= begin)
			continue;
		s->busy_ns = MIN(s->time_us - begin, max_us) * 10 * MIN(s->percent, 100u);
		begin = s->time_us;
		last = MAX(last, s->time_us);
	}
	*seen_us = last;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls of accelerators' libraries in the exposition: rows of a workload and a kind, and a sum of the others a kind. */
#include "user/export/prometheus_calls.h"
#include "user/export/prometheus_accel.h"

#include <stdio.h>

#include "user/model/calls.h"

static void labels(struct rf_exposition *x, const struct rf_call_row *row)
{
	rf_prometheus_workload_labels(x, row->workload);
	rf_exposition_label(x, "call", rf_call_kind_name(row->kind));
}

static void duration_render(struct rf_exposition *x, const struct rf_call_row *row)
{
	uint64_t sum = 0;

	rf_exposition_part(x, "_bucket");
	for (unsigned int i = 0; i < RF_CALL_BUCKETS; i++) {
		char le[32] = "+Inf";

		if (i < RF_CALL_BUCKETS - 1)
			snprintf(le, sizeof(le), "%g", (double)RF_CALL_BUCKET_NS(i) / 1e9);
		sum += row->use.bucket[i];
		labels(x, row);
		rf_exposition_label(x, "le", le);
		rf_exposition_u64(x, sum);
	}
	rf_exposition_part(x, "_sum");
	labels(x, row);
	rf_exposition_fixed(x, row->use.ns, 9);
	/* Of the buckets: a call that is counted meanwhile would make it another. */
	rf_exposition_part(x, "_count");
	labels(x, row);
	rf_exposition_u64(x, sum);
}

static void failures_render(struct rf_exposition *x, const struct rf_call_row *row)
{
	labels(x, row);
	rf_exposition_u64(x, row->use.failures);
}

static void bytes_render(struct rf_exposition *x, const struct rf_call_row *row)
{
	if (row->kind != RF_CALL_COPY && row->kind != RF_CALL_ALLOC)
		return;
	labels(x, row);
	rf_exposition_u64(x, row->use.bytes);
}

static void use_sum(struct rf_call_use *to, const struct rf_call_use *use)
{
	to->calls += use->calls;
	to->failures += use->failures;
	to->ns += use->ns;
	to->bytes += use->bytes;
	for (unsigned int i = 0; i < RF_CALL_BUCKETS; i++)
		to->bucket[i] += use->bucket[i];
}

void rf_prometheus_calls(struct rf_exposition *x, const struct rf_snapshot *s, uint32_t limit)
{
	static const struct {
		enum rf_metric metric;
		void (*render)(struct rf_exposition *x, const struct rf_call_row *row);
	} families[] = {
		{ RF_METRIC_CALL_DURATION, duration_render },
		{ RF_METRIC_CALL_FAILURES, failures_render },
		{ RF_METRIC_CALL_BYTES, bytes_render },
	};
	struct rf_call_row others[RF_CALL_KINDS] = { 0 };

	for (size_t i = 0; i < s->n_calls; i++)
		if (s->calls[i].workload->id >= limit)
			use_sum(&others[s->calls[i].kind].use, &s->calls[i].use);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		rf_exposition_begin(x, rf_metric_family(families[f].metric));
		for (size_t i = 0; i < s->n_calls; i++)
			if (s->calls[i].workload->id < limit)
				families[f].render(x, &s->calls[i]);
		for (unsigned int kind = 0; kind < RF_CALL_KINDS; kind++) {
			others[kind].kind = kind;
			if (others[kind].use.calls)
				families[f].render(x, &others[kind]);
		}
	}
}

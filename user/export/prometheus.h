/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot as Prometheus text 0.0.4 or OpenMetrics 1.0. Pure.
 *
 * A number that the host does not tell (RF_UNKNOWN) has no sample, and a
 * family without samples is not written. Label values are made valid UTF-8,
 * because a scraper refuses a whole exposition for one bad byte.
 */
#ifndef RF_EXPORT_PROMETHEUS_H
#define RF_EXPORT_PROMETHEUS_H

#include "user/export/metrics.h"
#include "user/lib/strbuf.h"
#include "user/model/snapshot.h"

/*
 * Appends to @out; at most RF_METRICS_WORKLOADS workloads have series of their own. 0, or -ENOMEM: @out is then cut
 * short.
 */
int rf_prometheus_render(const struct rf_snapshot *s, enum rf_metrics_format f, struct rf_strbuf *out);
/*
 * Likewise with at most @max_workloads, those with the lowest ids: an id is kept for the life of a workload, so that
 * the choice is stable from scrape to scrape.
 */
int rf_prometheus_render_max(const struct rf_snapshot *s, enum rf_metrics_format f, size_t max_workloads,
			     struct rf_strbuf *out);

#endif

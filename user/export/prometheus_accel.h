/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerators in the exposition: part of user/export/prometheus.h. */
#ifndef RF_EXPORT_PROMETHEUS_ACCEL_H
#define RF_EXPORT_PROMETHEUS_ACCEL_H

#include "user/export/exposition.h"
#include "user/model/snapshot.h"

/* Tenant, namespace and workload of a row; @w NULL: of the sum of the others, RF_METRICS_OTHER. */
void rf_prometheus_workload_labels(struct rf_exposition *x, const struct rf_workload_row *w);
/* Workloads past @max_workloads are summed by device, as RF_METRICS_OTHER. 0 or -ENOMEM. */
int rf_prometheus_accelerators(struct rf_exposition *x, const struct rf_snapshot *s, size_t max_workloads);

#endif

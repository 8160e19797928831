/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of accelerators' libraries in the exposition. */
#ifndef RF_EXPORT_PROMETHEUS_CALLS_H
#define RF_EXPORT_PROMETHEUS_CALLS_H

#include "user/export/exposition.h"
#include "user/model/snapshot.h"

/* Workloads from the id @limit on are summed. */
void rf_prometheus_calls(struct rf_exposition *x, const struct rf_snapshot *s, uint32_t limit);

#endif

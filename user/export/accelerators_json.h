/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accelerators and what workloads have taken of them, as include/ringfence/control.h draws it. Pure. */
#ifndef RF_EXPORT_ACCELERATORS_JSON_H
#define RF_EXPORT_ACCELERATORS_JSON_H

#include "user/lib/json.h"
#include "user/model/snapshot.h"

/* The members "time_ns", "accelerators" and "uses" of the object that is open. */
void rf_accelerators_json(const struct rf_snapshot *s, struct rf_json *j);

#endif

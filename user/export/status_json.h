/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot as include/ringfence/control.h draws it. Pure. A number that the
 * host does not tell (RF_UNKNOWN) is null; its member is always there.
 */
#ifndef RF_EXPORT_STATUS_JSON_H
#define RF_EXPORT_STATUS_JSON_H

#include "user/lib/json.h"
#include "user/model/snapshot.h"

/* The object STATUS, as member @key (NULL: the value itself). */
void rf_status_json(const struct rf_snapshot *s, struct rf_json *j, const char *key);
/*
 * The members "time_ns" (CLOCK_BOOTTIME of the snapshot, so that rates survive a step of the wall clock) and
 * "workloads" of the object that is open.
 */
void rf_workloads_json(const struct rf_snapshot *s, struct rf_json *j);

#endif

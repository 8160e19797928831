/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of what keeps workloads apart: as policies write them, and as events show them. */
#ifndef RF_MODEL_ISOLATION_H
#define RF_MODEL_ISOLATION_H

#include "ringfence/isolation_map.h"

/* What "allow" can list, in the order of enum rf_isolation_kind, and "between", of enum rf_between; NULL at the end. */
extern const char *const rf_isolation_kind_names[];
extern const char *const rf_between_names[];

/* Place in one of them; letters of either case. -EINVAL. */
int rf_isolation_kind_parse(const char *name);
int rf_between_parse(const char *name);

/* "kill", "ptrace"; "unknown" out of range. */
const char *rf_isolation_operation_name(unsigned int operation);
enum rf_isolation_kind rf_isolation_operation_kind(unsigned int operation); /* RF_ISOLATION_KIND_COUNT out of range */
/* What the argument of an event is: "signal"; NULL: it has none. */
const char *rf_isolation_argument_name(unsigned int operation);

/* What a policy says to deny it: "isolation[signal]". */
const char *rf_isolation_rule_name(unsigned int kind);

#endif

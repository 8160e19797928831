/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the schema says of a field, for people. */
#ifndef RF_POLICY_EXPLAIN_H
#define RF_POLICY_EXPLAIN_H

#include "user/lib/strbuf.h"

/* "spec.network.egress", "" for the whole. -ENOENT: no such field; @out then names where the path breaks and the
 * nearest. */
int rf_policy_explain(const char *field, struct rf_strbuf *out);

#endif

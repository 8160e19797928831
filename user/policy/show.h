/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in force for a workload and why, as `ringfence policy show` prints it. */
#ifndef RF_POLICY_SHOW_H
#define RF_POLICY_SHOW_H

#include "user/lib/strbuf.h"
#include "user/model/policy.h"

/* @policies in merge order. */
int rf_policy_show(const struct rf_policy *const *policies, size_t n, const char *workload, struct rf_strbuf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.isolation. */
#ifndef RF_POLICY_PARSE_ISOLATION_H
#define RF_POLICY_PARSE_ISOLATION_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent, and the default holds where the host can enforce it. */
void rf_isolation_parse(struct rf_checker *c, const struct rf_node *node, struct rf_isolation *ret);

#endif

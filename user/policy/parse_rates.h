/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.network.rates. */
#ifndef RF_POLICY_PARSE_RATES_H
#define RF_POLICY_PARSE_RATES_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. */
void rf_rates_parse(struct rf_checker *c, const struct rf_node *node, struct rf_rates *ret);

#endif

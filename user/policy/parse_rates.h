/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.network.rates, and the rate of a rule. */
#ifndef RF_POLICY_PARSE_RATES_H
#define RF_POLICY_PARSE_RATES_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. */
void rf_rates_parse(struct rf_checker *c, const struct rf_node *node, struct rf_rates *ret);
/* Of a rule: its values hold for each way. *ret is NULL where the rule has none. */
int rf_rule_rate_parse(struct rf_checker *c, const struct rf_node *node, struct rf_rates **ret);

#endif

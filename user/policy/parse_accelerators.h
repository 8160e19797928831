/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.accelerators. */
#ifndef RF_POLICY_PARSE_ACCELERATORS_H
#define RF_POLICY_PARSE_ACCELERATORS_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. 0 or -ENOMEM; what is wrong is told to @c. */
int rf_accelerators_parse(struct rf_checker *c, const struct rf_node *node, struct rf_accelerator_section *ret);

#endif

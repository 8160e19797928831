/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.process. */
#ifndef RF_POLICY_PARSE_PROCESS_H
#define RF_POLICY_PARSE_PROCESS_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. 0 or -ENOMEM; what is wrong is told to @c. */
int rf_process_parse(struct rf_checker *c, const struct rf_node *node, struct rf_process *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.kernel. */
#ifndef RF_POLICY_PARSE_KERNEL_H
#define RF_POLICY_PARSE_KERNEL_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent, and *ret NULL. What it needs of the host is required where it stands.
 * -ENOMEM. */
int rf_kernel_parse(struct rf_checker *c, const struct rf_node *node, struct rf_kernel **ret);

#endif

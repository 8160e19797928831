/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.network.sockets. */
#ifndef RF_POLICY_PARSE_SOCKETS_H
#define RF_POLICY_PARSE_SOCKETS_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. What each kind needs of the host is required where it stands. */
void rf_sockets_parse(struct rf_checker *c, const struct rf_node *node, struct rf_sockets *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of sockets: as policies write them, and as events show them. */
#ifndef RF_MODEL_SOCKETS_H
#define RF_MODEL_SOCKETS_H

#include "ringfence/socket_map.h"

/* What "deny" can list, in the order of enum rf_socket_kind; NULL at the end. */
extern const char *const rf_socket_kind_names[];
/* Netlink families, in no order; NULL at the end. */
extern const char *const rf_netlink_names[];

/* Place in rf_socket_kind_names, family of one of rf_netlink_names; letters of either case. -EINVAL. */
int rf_socket_kind_parse(const char *name);
int rf_netlink_parse(const char *name);
/* NULL where the family has no name. */
const char *rf_netlink_name(unsigned int family);

/* What a policy says to deny it: "sockets.deny[raw]", "sockets.netlink"; @rule as in RF_SOCKET_RULES. */
#define RF_SOCKET_RULE_NAME 40
const char *rf_socket_rule_name(unsigned int rule, char buffer[static RF_SOCKET_RULE_NAME]);

/* "inet", "unix"; "stream", "raw"; else the number. */
#define RF_SOCKET_WORD 16
const char *rf_socket_family_name(unsigned int family, char buffer[static RF_SOCKET_WORD]);
const char *rf_socket_type_name(unsigned int type, char buffer[static RF_SOCKET_WORD]);

#endif

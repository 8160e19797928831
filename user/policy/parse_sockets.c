// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kinds of sockets that are denied. A list of netlink families denies all the
 * others, and an empty one all; no list says nothing. The words themselves
 * were checked by the schema.
 */
#include "user/policy/parse_sockets.h"

#include "user/model/sockets.h"

static void kind_deny(struct rf_checker *c, enum rf_socket_kind kind, struct rf_mark mark, struct rf_sockets *s)
{
	if (!(s->limits.deny & 1u << kind))
		s->mark[kind] = mark;
	s->limits.deny |= 1u << kind;
	rf_check_require(c, kind == RF_SOCKET_RAW ? RF_FEATURE_NETWORK_RAW : RF_FEATURE_NETWORK_SOCKETS, mark);
}

void rf_sockets_parse(struct rf_checker *c, const struct rf_node *node, struct rf_sockets *ret)
{
	const struct rf_node *deny = rf_node_get(node, "deny"), *netlink = rf_node_get(node, "netlink");
	int value;

	for (size_t i = 0; deny && deny->kind == RF_NODE_SEQUENCE && i < deny->n; i++) {
		value = deny->items[i]->kind == RF_NODE_SCALAR ? rf_socket_kind_parse(deny->items[i]->text) : -1;
		if (value >= 0)
			kind_deny(c, value, deny->items[i]->mark, ret);
	}
	if (!netlink || netlink->kind != RF_NODE_SEQUENCE)
		return;
	kind_deny(c, RF_SOCKET_NETLINK, netlink->mark, ret);
	for (size_t i = 0; i < netlink->n; i++) {
		value = netlink->items[i]->kind == RF_NODE_SCALAR ? rf_netlink_parse(netlink->items[i]->text) : -1;
		if (value >= 0)
			ret->limits.netlink |= 1u << value;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How far a workload is kept apart. The distance that is named closes all that
 * are wider, too; what is allowed is allowed at all of them. The words
 * themselves, and what the section needs of the host, are the schema's.
 */
#include "user/policy/parse_isolation.h"

#include "user/model/isolation.h"

void rf_isolation_parse(struct rf_checker *c, const struct rf_node *node, struct rf_isolation *ret)
{
	const struct rf_node *between = rf_node_get(node, "between"), *allow = rf_node_get(node, "allow");
	int distance = RF_BETWEEN_TENANTS, kind;
	uint16_t denied = RF_ISOLATION_ALL;

	(void)c;
	if (!node || node->kind != RF_NODE_MAPPING)
		return;
	ret->present = true;
	ret->mark = node->mark;
	if (between && between->kind == RF_NODE_SCALAR)
		distance = rf_between_parse(between->text);
	for (size_t i = 0; allow && allow->kind == RF_NODE_SEQUENCE && i < allow->n; i++) {
		kind = allow->items[i]->kind == RF_NODE_SCALAR ? rf_isolation_kind_parse(allow->items[i]->text) : -1;
		if (kind >= 0)
			denied &= ~(1u << kind);
	}
	for (int i = 0; i <= distance; i++)
		ret->limits.deny[i] = denied;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rates of a workload and of rules. What could not pass one packet as large as segmentation
 * offload makes them would stop the workload, and is refused.
 */
#include "user/policy/parse_rates.h"

#include <errno.h>
#include <inttypes.h>

#include "ringfence/workload_map.h"

/* Quantities carry no range in the schema; integers have theirs there, and what is outside of it was told. */
static const struct {
	const char *key;
	bool quantity;
	uint64_t min, max;
	const char *min_hint, *max_hint;
} keys[RF_RATE_KINDS_OF_WAY] = {
	[RF_RATE_KIND_BYTES] = { "bytesPerSecond", true, RF_RATE_BYTES_MIN, RF_RATE_BYTES_MAX,
				 "8Ki or more: less cannot pass packets of 64 KiB, as segmentation offload makes them",
				 "1T or less" },
	[RF_RATE_KIND_PACKETS] = { "packetsPerSecond", false, 1, RF_RATE_PACKETS_MAX, NULL, NULL },
	[RF_RATE_KIND_BURST] = { "burst", true, RF_RATE_BURST_MIN, RF_RATE_BURST_MAX,
				 "64Ki or more: packets are as large as that where segmentation is offloaded",
				 "16Gi or less" },
};

static void value_set(struct rf_rates *rates, unsigned int kind, uint64_t value, const struct rf_node *node)
{
	rates->of[kind].given = true;
	rates->of[kind].value = value;
	rates->of[kind].mark = node->mark;
}

static void quantity_parse(struct rf_checker *c, const struct rf_node *node, unsigned int which, struct rf_rates *rates,
			   unsigned int kind)
{
	uint64_t value = 0;
	int r = rf_scalar_quantity(node->text, &value);

	if (r == -EINVAL)
		return; /* the schema has said so */
	if (r < 0 || value > keys[which].max)
		rf_check_error(c, node, keys[which].max_hint, "%s: \"%s\" is too much", keys[which].key, node->text);
	else if (value < keys[which].min)
		rf_check_error(c, node, keys[which].min_hint, "%s: \"%s\" is too little", keys[which].key, node->text);
	else
		value_set(rates, kind, value, node);
}

static void integer_parse(const struct rf_node *node, uint64_t max, struct rf_rates *rates, unsigned int kind)
{
	int64_t value;

	if (rf_scalar_integer(node->text, &value) == 0 && value >= 0 && (uint64_t)value <= max)
		value_set(rates, kind, value, node);
}

static void way_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction,
		      struct rf_rates *rates)
{
	for (unsigned int i = 0; i < RF_RATE_KINDS_OF_WAY; i++) {
		const struct rf_node *value = rf_node_get(node, keys[i].key);
		unsigned int kind = RF_RATE_KIND(direction, i);

		if (!value || value->kind != RF_NODE_SCALAR)
			continue;
		if (keys[i].quantity)
			quantity_parse(c, value, i, rates, kind);
		else
			integer_parse(value, keys[i].max, rates, kind);
	}
	if (rf_node_get(node, "burst") && !rf_node_get(node, "bytesPerSecond") &&
	    !rf_node_get(node, "packetsPerSecond"))
		rf_check_error(c, rf_node_get(node, "burst"), "add bytesPerSecond or packetsPerSecond",
			       "a burst without a rate");
}

static void connections_parse(const struct rf_node *node, struct rf_rates *ret)
{
	const struct rf_node *rate = rf_node_get(node, "connectionsPerSecond"),
			     *open = rf_node_get(node, "connections");

	if (rate && rate->kind == RF_NODE_SCALAR)
		integer_parse(rate, RF_RATE_CONNECTIONS_MAX, ret, RF_RATE_KIND_CONNECTION_RATE);
	if (open && open->kind == RF_NODE_SCALAR)
		integer_parse(open, RF_RATE_CONNECTIONS_MAX, ret, RF_RATE_KIND_CONNECTIONS);
}

void rf_rates_parse(struct rf_checker *c, const struct rf_node *node, struct rf_rates *ret)
{
	way_parse(c, rf_node_get(node, "egress"), RF_EGRESS, ret);
	way_parse(c, rf_node_get(node, "ingress"), RF_INGRESS, ret);
	connections_parse(node, ret);
}

int rf_rule_rate_parse(struct rf_checker *c, const struct rf_node *node, struct rf_rates **ret)
{
	struct rf_rates *rates;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	rates = calloc(1, sizeof(*rates));
	if (!rates)
		return -ENOMEM;
	/* Once, so that what is wrong is told once. */
	way_parse(c, node, RF_EGRESS, rates);
	for (unsigned int i = 0; i < RF_RATE_KINDS_OF_WAY; i++)
		rates->of[RF_RATE_KIND(RF_INGRESS, i)] = rates->of[RF_RATE_KIND(RF_EGRESS, i)];
	connections_parse(node, rates);
	*ret = rates;
	return 0;
}

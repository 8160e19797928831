/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network section, and the getters that both halves of the parser use. */
#ifndef RF_POLICY_PARSE_NETWORK_H
#define RF_POLICY_PARSE_NETWORK_H

#include "ringfence/workload_map.h"
#include "user/policy/check.h"

/* @node may be NULL: the section is absent. */
int rf_direction_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction,
		       struct rf_network_direction *ret);

int rf_dns_parse_section(struct rf_checker *c, const struct rf_node *node, struct rf_dns *ret);

/* Of nodes that passed the schema; @mapping may be NULL. */
/* A copy; NULL when absent. Running out of memory is noted in @c. */
char *rf_node_string(struct rf_checker *c, const struct rf_node *mapping, const char *key);
bool rf_node_is(const struct rf_node *mapping, const char *key, const char *word);
int64_t rf_node_integer(const struct rf_node *mapping, const char *key, int64_t dflt);
enum rf_action rf_node_action(const struct rf_node *mapping, const char *key, enum rf_action dflt);

#endif

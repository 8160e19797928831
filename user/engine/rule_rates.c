// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits and state of rules in the maps. Whose state it is, is a digest of
 * workload, policy and rule: the same rule finds it in every generation and
 * after a restart, and nothing is kept here.
 *
 * The number of a workload's owner is in it, which no other workload has had:
 * nobody inherits.
 */
#include <errno.h>

#include "user/engine/rate.h"
#include "user/lib/clock.h"

static int full(const char *map, int r, uint32_t max, char **ret_error)
{
	return rf_engine_format_error(ret_error, r,
				      "cannot write to %s: of rules with a rate, all workloads together "
				      "may have %u",
				      map, max);
}

/* What is there already goes on as it is: a change of policy fills no bucket and forgets no connection. */
static int state_make(struct rf_engine *e, uint64_t id, bool connections, char **ret_error)
{
	/* Sockets that were counted under the same number before it was removed count no more. */
	struct rf_connections open = { .epoch = rf_clock_monotonic() >> 20 };
	struct rf_rate_state state = { 0 };
	int r;

	r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_rule_state_map"), &id, &state, BPF_NOEXIST);
	if (r < 0 && r != -EEXIST)
		return full("rf_rule_state_map", r, RF_MAX_RULE_STATES, ret_error);
	if (!connections)
		return 0;
	r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_rule_connections_map"), &id, &open, BPF_NOEXIST);
	return r < 0 && r != -EEXIST ? full("rf_rule_connections_map", r, RF_MAX_RULE_STATES, ret_error) : 0;
}

int rf_rule_rates_install(struct rf_engine *e, uint32_t id, const struct rf_rates_image *rates,
			  struct rf_workload_bank *bank, char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_rule_rate_map"), r = 0;

	if (rates->n_rules)
		r = rf_chunks_need(&e->rate_flows, 0);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot make room for the flows of rules with a rate");
	for (size_t i = 0; r >= 0 && i < rates->n_rules; i++) {
		const struct rf_rule_rate_image *rule = &rates->rules[i];
		struct rf_rule_rate_key key = {
			.rate = id, .rule = rule->rule, .direction = rule->direction, .tier = rule->tier
		};
		struct rf_rule_rate value = {
			.id = rf_rule_rate_state_id(rule, RF_RATE_WORKLOAD(id), bank->owner),
			.limits = rule->limits,
			.connections = rule->connections,
		};

		r = state_make(e, value.id, rule->connections, ret_error);
		if (r < 0)
			return r;
		r = bpf_map_update_elem(fd, &key, &value, BPF_ANY);
		if (r < 0)
			return full("rf_rule_rate_map", r, RF_MAX_RULE_STATES, ret_error);
		bank->flags |= RF_BANK_RULE_RATES(rule->tier);
		if (rule->connections)
			bank->flags |= RF_BANK_RULE_CONNECTIONS;
	}
	return 0;
}

int rf_rule_rates_keep(struct rf_engine *e, uint32_t before, uint32_t id, char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_rule_rate_map"), r = 0;
	struct rf_rule_rate_key key, *previous = NULL;
	struct rf_rule_rate value;
	size_t steps = 0;

	/* What is written meanwhile is met, too: of another id. A walk that is sent back to its start ends. */
	while (r >= 0 && steps++ < 4 * RF_MAX_RULE_STATES && bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct rf_rule_rate_key to = key;

		previous = &key;
		if (key.rate != before || bpf_map_lookup_elem(fd, &key, &value) < 0)
			continue;
		to.rate = id;
		r = bpf_map_update_elem(fd, &to, &value, BPF_ANY);
	}
	return r < 0 ? full("rf_rule_rate_map", r, RF_MAX_RULE_STATES, ret_error) : 0;
}

/* Removes the limits that no bank names, and notes whose state the others name: 1, with connections 2. */
static int limits_sweep(struct rf_engine *e, struct rf_hashmap *named)
{
	int fd = rf_engine_map_fd(e, "rf_rule_rate_map"), r = 0;
	struct rf_rule_rate_key key, next;
	struct rf_rule_rate value;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more && r >= 0) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (rf_rate_is_stale(e, key.rate))
			bpf_map_delete_elem(fd, &key);
		else if (bpf_map_lookup_elem(fd, &key, &value) == 0)
			r = rf_hashmap_set(named, &value.id, sizeof(value.id),
					   (void *)(uintptr_t)(1 + value.connections));
	}
	return r;
}

static void states_sweep(struct rf_engine *e, const char *map, const struct rf_hashmap *named, uintptr_t least)
{
	int fd = rf_engine_map_fd(e, map);
	uint64_t id, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		id = next;
		more = bpf_map_get_next_key(fd, &id, &next) == 0;
		if ((uintptr_t)rf_hashmap_get64(named, id) < least)
			bpf_map_delete_elem(fd, &id);
	}
}

void rf_rule_rates_sweep(struct rf_engine *e)
{
	_cleanup_hashmap_ struct rf_hashmap *named = NULL;

	/* Without memory nothing is removed that somebody may name; the next apply tries again. */
	if (rf_hashmap_new(NULL, &named) < 0 || limits_sweep(e, named) < 0)
		return;
	states_sweep(e, "rf_rule_state_map", named, 1);
	states_sweep(e, "rf_rule_connections_map", named, 2);
}

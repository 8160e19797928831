// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits and buckets of workloads in the maps. No table of our own: what is there is what the banks name. */
#include "user/engine/rate.h"

#include <errno.h>

static int full(const char *map, int r, char **ret_error)
{
	return rf_engine_format_error(ret_error, r, "cannot write to %s", map);
}

/* A bucket that is there already goes on as it is: a change of policy must not fill it. */
static int state_make(struct rf_engine *e, uint32_t workload, char **ret_error)
{
	struct rf_rate_state state = { 0 };
	int r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_rate_state_map"), &workload, &state, BPF_NOEXIST);

	return r < 0 && r != -EEXIST ? full("rf_rate_state_map", r, ret_error) : 0;
}

static const struct rf_workload_bank *bank_of(const struct rf_engine *e, uint32_t workload)
{
	return workload < RF_MAX_WORKLOADS ? &e->workloads[workload].bank[rf_engine_generation(e) & 1] : NULL;
}

/* What sockets say that were counted before does not count any more. */
static void connections_reset(struct rf_engine *e, uint32_t workload)
{
	int fd = rf_engine_map_fd(e, "rf_connections_map");
	struct rf_connections c;

	if (bpf_map_lookup_elem(fd, &workload, &c) < 0)
		return;
	c = (struct rf_connections){ .epoch = c.epoch + 1 };
	bpf_map_update_elem(fd, &workload, &c, BPF_ANY);
}

int rf_rate_install(struct rf_engine *e, uint32_t workload, uint32_t which, const struct rf_image *image,
		    struct rf_workload_bank *bank, char **ret_error)
{
	uint32_t id = RF_RATE_ID(workload, which), before = image ? 0 : bank->rate;
	int fd = rf_engine_map_fd(e, "rf_rate_map"), r;
	struct rf_rate_limits limits;

	bank->rate = 0;
	if (image)
		bank->flags &= ~(RF_BANK_CONNECTIONS | RF_BANK_RULE_CONNECTIONS | RF_BANK_RULE_RATES(RF_TIER_ENFORCE) |
				 RF_BANK_RULE_RATES(RF_TIER_AUDIT));
	if (image ? !image->rates : !before)
		return 0;
	if (image)
		limits = image->rates->limits;
	else if (bpf_map_lookup_elem(fd, &before, &limits) < 0)
		return 0; /* nobody can say any more what they were */
	r = bpf_map_update_elem(fd, &id, &limits, BPF_ANY);
	if (r < 0)
		return full("rf_rate_map", r, ret_error);
	r = state_make(e, workload, ret_error);
	if (r >= 0)
		r = image ? rf_rule_rates_install(e, id, image->rates, bank, ret_error) :
			    rf_rule_rates_keep(e, before, id, ret_error);
	if (r < 0)
		return r;
	bank->rate = id;
	if (!image || !image->rates->connections)
		return 0;
	/* While there was no limit, nobody saw connections close. */
	if (!(bank_of(e, workload)->flags & RF_BANK_CONNECTIONS))
		connections_reset(e, workload);
	bank->flags |= RF_BANK_CONNECTIONS;
	return 0;
}

/* Removes the keys that @stale says; the next key is asked for before its predecessor goes. */
static void map_sweep(struct rf_engine *e, const char *map, bool (*stale)(const struct rf_engine *e, uint32_t key))
{
	int fd = rf_engine_map_fd(e, map);
	uint32_t key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (stale(e, key))
			bpf_map_delete_elem(fd, &key);
	}
}

bool rf_rate_is_stale(const struct rf_engine *e, uint32_t id)
{
	const struct rf_workload_bank *bank = bank_of(e, id >> 1);

	return !bank || bank->rate != id;
}

static bool state_is_stale(const struct rf_engine *e, uint32_t workload)
{
	const struct rf_workload_bank *bank = bank_of(e, workload);

	return !bank || !bank->rate;
}

void rf_rate_sweep(struct rf_engine *e)
{
	map_sweep(e, "rf_rate_map", rf_rate_is_stale);
	map_sweep(e, "rf_rate_state_map", state_is_stale);
	rf_rule_rates_sweep(e);
}

void rf_rate_reset(struct rf_engine *e, uint32_t workload)
{
	(void)bpf_map_delete_elem(rf_engine_map_fd(e, "rf_rate_state_map"), &workload);
	connections_reset(e, workload);
}

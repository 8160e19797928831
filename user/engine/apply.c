// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Puts images in force. The invariant: the kernel only ever sees a whole old
 * or a whole new generation. What the new one needs is written beside the old,
 * one word flips, programs that still run under the old are waited for, and
 * only then is what nobody names removed.
 */
#include <errno.h>

#include "user/engine/rate.h"

#include "ringfence.skel.h"

/* The context of rf_policy_flip, as bpf/identity.bpf.c has it. */
struct flip_args {
	uint32_t generation, workloads, rulesets, policies;
};

/*
 * Updating an array of maps makes the kernel wait until every program that
 * could have seen the old entry has ended (maybe_wait_bpf_programs()).
 */
void rf_engine_programs_wait(struct rf_engine *e)
{
	uint32_t zero = 0;

	bpf_map_update_elem(e->sync_outer, &zero, &e->sync_inner, BPF_ANY);
}

static int generation_flip(struct rf_engine *e, uint32_t generation, char **ret_error)
{
	struct flip_args args = { .generation = generation,
				  .workloads = e->n_workloads,
				  .rulesets = e->n_rulesets,
				  .policies = e->n_policies };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	int r = bpf_prog_test_run_opts(bpf_program__fd(e->skeleton->progs.rf_policy_flip), &opts);

	if (r < 0)
		return rf_engine_format_error(ret_error, r,
					      "the kernel did not run the program that flips the generation");
	if (rf_engine_generation(e) != generation)
		return rf_engine_format_error(ret_error, -EIO, "the generation did not change");
	return 0;
}

/* Installs what @image needs and writes the ids into @bank. */
static int image_install(struct rf_engine *e, struct rf_image *image, struct rf_workload_bank *bank, char **ret_error)
{
	struct rf_workload_bank filled = { .telemetry = image->telemetry,
					   .flow_sample = image->flows.sample,
					   .flow_idle_s = image->flows.idle_s };
	int r;

	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
			struct rf_installed *in;

			if (!image->ruleset[direction][tier])
				continue;
			r = rf_install_ruleset(e, image, image->ruleset[direction][tier], &in, ret_error);
			if (r < 0)
				return r;
			in->used = e->applies;
			filled.ruleset[direction][tier] = in->id;
			if (image->ruleset[direction][tier]->asks_peers)
				filled.flags |= RF_BANK_PEERS(direction);
			if (!image->ruleset[direction][tier]->asks_names)
				continue;
			r = rf_names_need(e);
			if (r < 0)
				return rf_engine_format_error(ret_error, r, "cannot make room for learnt names");
			filled.flags |= RF_BANK_NAMES;
		}
		if (image->sockets)
			filled.sockets[tier] = image->sockets->limits[tier];
		if (image->isolation)
			filled.isolation[tier] = image->isolation->limits[tier];
		if (image->kernel)
			filled.kernel[tier] = image->kernel->limits[tier];
		if (image->files && image->files->set[tier].n) {
			r = rf_install_files(e, image, tier, &filled.file_set[tier], ret_error);
			if (r < 0)
				return r;
		}
		if (image->device[tier]) {
			struct rf_installed_devices *in;

			r = rf_install_devices(e, image, image->device[tier], &in, ret_error);
			if (r < 0)
				return r;
			in->used = e->applies;
			filled.device_set[tier] = in->id;
		}
		r = rf_exec_fill(e, image, tier, &filled.exec[tier], ret_error);
		if (r < 0)
			return r;
	}
	if (image->calls)
		filled.flags |= RF_BANK_CALLS;
	*bank = filled;
	return 0;
}

/* What is in force for a workload whose policies nobody knows any more goes on. */
static void bank_keep(struct rf_engine *e, const struct rf_workload_bank *live, struct rf_workload_bank *bank)
{
	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
			uint32_t id = live->ruleset[direction][tier];

			if (id < RF_MAX_RULESETS && e->rulesets[id])
				e->rulesets[id]->used = e->applies;
		}
		for (size_t i = 0; i < e->n_devices; i++)
			if (e->devices[i]->id == live->device_set[tier])
				e->devices[i]->used = e->applies;
	}
	rf_files_keep(e, live);
	rf_execs_keep(e, live);
	*bank = *live;
}

/* Removes everything that the apply numbered @keep did not use. */
static void unused_remove(struct rf_engine *e, uint64_t keep)
{
	for (uint32_t id = 1; id < RF_MAX_RULESETS; id++)
		if (e->rulesets[id] && e->rulesets[id]->used < keep)
			rf_uninstall_ruleset(e, e->rulesets[id]);
	for (size_t i = 0; i < e->n_devices;) {
		if (e->devices[i]->used < keep)
			rf_uninstall_devices(e, e->devices[i]);
		else
			i++;
	}
	rf_execs_sweep(e, keep);
}

/*
 * An apply that failed: what it wrote and the generation in force does not name goes. What is in force was used by
 * the last apply that succeeded, or is named by a bank.
 */
static void failed_remove(struct rf_engine *e, uint64_t failed, const uint64_t *used_before)
{
	for (uint32_t id = 1; id < RF_MAX_RULESETS; id++) {
		if (!e->rulesets[id] || e->rulesets[id]->used != failed)
			continue;
		if (used_before[id])
			e->rulesets[id]->used = used_before[id] - 1;
		else
			rf_uninstall_ruleset(e, e->rulesets[id]);
	}
}

static uint64_t *used_copy(const struct rf_engine *e)
{
	uint64_t *used = calloc(RF_MAX_RULESETS, sizeof(*used));

	for (uint32_t id = 1; used && id < RF_MAX_RULESETS; id++)
		if (e->rulesets[id])
			used[id] = e->rulesets[id]->used + 1;
	return used;
}

/* Whose it is, besides what its policies say. */
static int owner_fill(struct rf_engine *e, const struct rf_assignment *a, struct rf_workload_bank *bank,
		      char **ret_error)
{
	int r;

	bank->peer = a->peer;
	bank->owner = a->owner;
	bank->tenant = 0;
	bank->namespace = 0;
	if (!a->tenant)
		return 0;
	r = rf_tenant_get(e, a->tenant, &bank->tenant, ret_error);
	if (r >= 0 && a->namespace)
		r = rf_tenant_get(e, a->namespace, &bank->namespace, ret_error);
	return r;
}

/* Beside the live bank; for a workload that is new, both. */
static int dns_write(struct rf_engine *e, const struct rf_assignment *a, uint32_t bank, char **ret_error)
{
	int r = rf_dns_write(e, a->workload, bank, &a->image->dns);

	if (r == 0 && a->fresh)
		r = rf_dns_write(e, a->workload, !bank, &a->image->dns);
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot write the resolvers of workload %u", a->workload) :
		       0;
}

int rf_engine_apply(struct rf_engine *e, const struct rf_assignment *assignments, size_t n, uint64_t n_policies,
		    void (*before_flip)(void *arg), void *arg, char **ret_error)
{
	uint32_t generation = rf_engine_generation(e) + 1, bank = generation & 1;
	_cleanup_free_ uint64_t *used_before = used_copy(e);
	_cleanup_free_ struct rf_workload_bank *banks = calloc(RF_MAX_WORKLOADS, sizeof(*banks));
	/* Device sets and sets of programs are told by pointer: remember how many there were. */
	size_t n_devices = e->n_devices, n_execs = e->n_execs;
	struct rf_image *last = NULL;
	const struct rf_workload_bank *last_bank = NULL;
	int r = 0;

	if (!used_before || !banks)
		return -ENOMEM;
	e->applies++;
	for (size_t i = 0; i < n; i++) {
		uint32_t id = assignments[i].workload;

		if (id < RF_WORKLOAD_PODS || id >= RF_MAX_WORKLOADS) {
			r = rf_engine_format_error(ret_error, -ERANGE, "workload id %u", id);
			break;
		}
		if (!assignments[i].image) {
			bank_keep(e, &e->workloads[id].bank[!bank], &banks[id]);
			r = rf_dns_keep(e, id, bank);
			if (r < 0) {
				rf_engine_format_error(ret_error, r, "cannot keep the resolvers of workload %u", id);
				break;
			}
			continue;
		}
		if (last_bank && assignments[i].image == last) {
			banks[id] = *last_bank;
		} else {
			r = image_install(e, assignments[i].image, &banks[id], ret_error);
			if (r < 0)
				break;
			last = assignments[i].image;
			last_bank = &banks[id];
		}
		r = owner_fill(e, &assignments[i], &banks[id], ret_error);
		if (r < 0)
			break;
		r = dns_write(e, &assignments[i], bank, ret_error);
		if (r < 0)
			break;
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = rf_rate_install(e, assignments[i].workload, bank, assignments[i].image,
				    &banks[assignments[i].workload], ret_error);
	if (r >= 0)
		r = rf_quotas_stage(e, assignments, n, banks, bank, ret_error);
	if (r < 0) {
		rf_rate_sweep(e);
		failed_remove(e, e->applies, used_before);
		while (e->n_devices > n_devices)
			rf_uninstall_devices(e, e->devices[e->n_devices - 1]);
		rf_files_undo(e);
		while (e->n_execs > n_execs)
			rf_uninstall_exec(e, e->execs[e->n_execs - 1]);
		return r;
	}

	for (uint32_t id = RF_WORKLOAD_PODS; id < RF_MAX_WORKLOADS; id++)
		e->workloads[id].bank[bank] = banks[id];
	for (size_t i = 0; i < n; i++)
		if (assignments[i].fresh)
			e->workloads[assignments[i].workload].bank[!bank] = banks[assignments[i].workload];
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* Whom the last look at the host finds changed is so now, under either generation. */
	e->peers_held = false;
	if (before_flip)
		before_flip(arg);
	e->n_workloads = 0;
	/* What stands for no workload of the user's is not told as one. */
	for (size_t i = 0; i < n; i++)
		e->n_workloads += assignments[i].workload >= RF_WORKLOAD_FIRST;
	e->n_policies = n_policies;
	r = generation_flip(e, generation, ret_error);
	if (r < 0)
		return r;
	rf_engine_programs_wait(e);
	unused_remove(e, e->applies);
	rf_files_sweep(e);
	rf_members_commit(e);
	rf_rate_sweep(e);
	rf_quotas_commit(e);
	rf_tenants_sweep(e);
	return 0;
}

int rf_engine_assign(struct rf_engine *e, const struct rf_assignment *a, char **ret_error)
{
	struct rf_workload_bank bank;
	int r;

	if (a->workload < RF_WORKLOAD_FIRST || a->workload >= RF_MAX_WORKLOADS)
		return -ERANGE;
	r = image_install(e, a->image, &bank, ret_error);
	if (r == 0)
		r = dns_write(e, a, 0, ret_error);
	if (r == 0)
		r = owner_fill(e, a, &bank, ret_error);
	if (r < 0)
		return r;
	r = rf_rate_install(e, a->workload, rf_engine_generation(e), a->image, &bank, ret_error);
	if (r >= 0)
		r = rf_quotas_assign(e, a, &bank, ret_error);
	if (r < 0) {
		rf_rate_sweep(e);
		return r;
	}
	e->workloads[a->workload].bank[0] = bank;
	e->workloads[a->workload].bank[1] = bank;
	/* Verdicts cached for an earlier owner of the id are gone. */
	rf_engine_caches_drop(e);
	return 0;
}

uint32_t rf_engine_generation(const struct rf_engine *e)
{
	return __atomic_load_n(&e->config->version, __ATOMIC_ACQUIRE);
}

void rf_engine_caches_drop(struct rf_engine *e)
{
	__atomic_fetch_add(&e->config->version, RF_VERSION_EPOCH, __ATOMIC_SEQ_CST);
}

/* Both tiers of a direction may have the same content, and so have the same rules; the two directions have not. */
static const struct rf_ruleset_image *image_ruleset(const struct rf_image *image, enum rf_direction direction,
						    uint64_t digest)
{
	for (int tier = 0; image && tier < RF_TIERS; tier++)
		if (image->ruleset[direction][tier] && image->ruleset[direction][tier]->digest == digest)
			return image->ruleset[direction][tier];
	return NULL;
}

const struct rf_rule_ref *rf_engine_rule_ref(const struct rf_engine *e, const struct rf_image *image,
					     enum rf_direction direction, enum rf_tier tier, uint32_t ruleset,
					     uint16_t rule)
{
	const struct rf_ruleset_image *own;

	if (ruleset == 0 && image && rule != RF_RULE_DEFAULT)
		return rf_rates_ref(image->rates, tier, rule);
	if (ruleset == 0 || ruleset >= RF_MAX_RULESETS || !e->rulesets[ruleset])
		return NULL;
	own = image_ruleset(image, direction, e->rulesets[ruleset]->digest);
	if (rule != RF_RULE_DEFAULT && rule & (RF_RULE_OF_CONNECTIONS | RF_RULE_OF_CONNECTION_RATE))
		return own ? rf_rates_rule_ref(image->rates, direction, tier, rule) : NULL;
	if (!own)
		own = e->rulesets[ruleset]->image;
	if (!own)
		return NULL;
	if (rule == RF_RULE_DEFAULT)
		return &own->refs[own->n_rules];
	return rule < own->n_rules ? &own->refs[rule] : NULL;
}

static const struct rf_device_image *image_devices(const struct rf_image *image, uint64_t digest)
{
	for (int tier = 0; image && tier < RF_TIERS; tier++)
		if (image->device[tier] && image->device[tier]->digest == digest)
			return image->device[tier];
	return NULL;
}

const struct rf_rule_ref *rf_engine_device_ref(const struct rf_engine *e, const struct rf_image *image, uint32_t set,
					       uint16_t rule)
{
	for (size_t i = 0; i < e->n_devices; i++) {
		const struct rf_device_image *own = e->devices[i]->image;

		if (e->devices[i]->id != set || !own)
			continue;
		if (image_devices(image, own->digest))
			own = image_devices(image, own->digest);
		return rf_device_image_ref(own, rule);
	}
	return NULL;
}

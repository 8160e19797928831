// SPDX-License-Identifier: GPL-2.0-or-later
/* What the images of a plan ask for, both tiers: what only reports must run, too. */
#include "user/daemon/asked.h"

static void asked_add(struct rf_asked *asked, const struct rf_cgroup *c)
{
	const struct rf_image *image = c->is_root ? c->image : NULL;

	if (!image)
		return;
	asked->kinds[RF_SECTION_ISOLATION] |= rf_isolation_kinds(image->isolation);
	asked->kinds[RF_SECTION_EVENTS] |= image->telemetry;
	asked->kinds[RF_SECTION_ACCELERATORS] |= image->quotas != NULL;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		if (image->device[tier])
			asked->kinds[RF_SECTION_ACCELERATORS] |= image->device[tier]->accelerators;
		if (image->sockets)
			asked->kinds[RF_SECTION_SOCKETS] |= image->sockets->limits[tier].deny;
		if (image->kernel) {
			asked->kinds[RF_SECTION_KERNEL] |= image->kernel->limits[tier].deny;
			asked->kinds[RF_SECTION_CAPABILITIES] |= image->kernel->limits[tier].capabilities;
			asked->kinds[RF_SECTION_SYSCALLS] |= image->kernel->limits[tier].syscalls;
		}
		if (image->files)
			asked->kinds[RF_SECTION_FILES] |= image->files->set[tier].asked;
		if (image->process && (image->process->exec[tier] || image->process->deny[tier]))
			asked->kinds[RF_SECTION_EXEC] |= RF_EXEC_ASKED_RULES;
		if (image->process && image->process->deny[tier] & 1u << RF_EXEC_DRIFT)
			asked->kinds[RF_SECTION_EXEC] |= RF_EXEC_ASKED_DRIFT;
	}
}

int rf_asked_attach_one(struct rf_registry *r, const struct rf_cgroup *c, char **ret_error)
{
	struct rf_asked asked = { 0 };

	asked.kinds[RF_SECTION_GUARD] = r->guarded;
	asked_add(&asked, c);
	return rf_engine_hooks_want(r->engine, &asked, ret_error);
}

/* Who sets up the first workload of a policy is in its cgroup before the cgroup is known: asked for by the policy. */
static uint64_t newcomers_asked(const struct rf_policy_set *set)
{
	const uint32_t sysctls = 1u << RF_KERNEL_SYSCTL | 1u << RF_KERNEL_CORE_PATTERN;

	for (size_t i = 0; i < set->n; i++) {
		const struct rf_kernel *k = set->policies[i]->kernel;

		if (k && (k->limits.deny & ~sysctls || k->limits.capabilities || k->limits.syscalls))
			return 1;
	}
	return 0;
}

int rf_asked_attach(struct rf_registry *r, const struct rf_policy_set *set, struct rf_cgroup *const *cgroups, size_t n,
		    char **ret_error)
{
	struct rf_asked asked = { .kinds[RF_SECTION_NEWCOMERS] = newcomers_asked(set) };

	asked.kinds[RF_SECTION_LINEAGE] = set->n_labels > 0;
	rf_engine_hooks_begin(r->engine);
	asked.kinds[RF_SECTION_GUARD] = r->guarded;
	for (size_t i = 0; i < n; i++)
		asked_add(&asked, cgroups[i]);
	return rf_engine_hooks_want(r->engine, &asked, ret_error);
}

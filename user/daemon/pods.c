// SPDX-License-Identifier: GPL-2.0-or-later
/* Pods that no policy selects. */
#include "user/daemon/pods.h"

#include <errno.h>

#include "user/policy/parse.h"

/* The selector is of no use: who is under it, is found by rf_pods_closes(). */
static const char policy[] = "apiVersion: ringfence/v1\n"
			     "kind: WorkloadPolicy\n"
			     "metadata: {name: pods-without-a-policy, tenant: ringfence}\n"
			     "spec:\n"
			     "  select: [{kubernetes: {}}]\n"
			     "  accelerators: {default: deny}\n";

bool rf_pods_closes(const struct rf_registry *r, const struct rf_cgroup *c)
{
	return !r->pods_open && r->accelerators && r->accelerators->n_nodes && c->identity->pod_uid;
}

static int no_path(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor, void *arg)
{
	(void)path;
	(void)ret_type;
	(void)ret_major;
	(void)ret_minor;
	(void)arg;
	return -ENOENT;
}

int rf_pods_compile(const struct rf_registry *r, struct rf_image **ret)
{
	const struct rf_device_host host = { .resolve = no_path, .accelerators = r->accelerators };
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_policy_set *set = calloc(1, sizeof(*set));
	int error = set ? rf_policy_parse("built-in", policy, sizeof(policy) - 1, set, &diags) : -ENOMEM;

	if (error >= 0)
		error = rf_image_compile((const struct rf_policy *const *)set->policies, set->n, NULL, &host, &diags,
					 ret);
	rf_policy_set_free(set);
	return error;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Pods that no policy selects. */
#include "user/daemon/pods.h"

#include <errno.h>

#include "user/policy/parse.h"

/* The selector is of no use: who is under it, is found by what it is. */
static const char policy[] = "apiVersion: ringfence/v1\n"
			     "kind: WorkloadPolicy\n"
			     "metadata: {name: pods-without-a-policy, tenant: ringfence}\n"
			     "spec:\n"
			     "  select: [{kubernetes: {}}]\n"
			     "  accelerators: {default: deny}\n";

bool rf_pods_are_closed(const struct rf_registry *r)
{
	return !r->pods_open && r->accelerators && r->accelerators->n_nodes;
}

int rf_pods_compile(const struct rf_registry *r, struct rf_image **ret)
{
	const struct rf_device_host host = { .accelerators = r->accelerators };
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_policy_set *set = calloc(1, sizeof(*set));
	int error = set ? rf_policy_parse("built-in", policy, sizeof(policy) - 1, set, &diags) : -ENOMEM;

	if (error >= 0)
		error = rf_image_compile((const struct rf_policy *const *)set->policies, set->n, NULL, &host, &diags,
					 ret);
	rf_policy_set_free(set);
	return error;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Images: the compiled form of a combination of policies. */
#include "user/policy/image.h"

#include <errno.h>

#include "user/lib/strbuf.h"

static char *policy_full_name(const struct rf_policy *p)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	rf_strbuf_addf(&b, "%s/%s/%s", p->tenant, p->namespace, p->name);
	return rf_strbuf_take(&b);
}

static const char *image_mode(const struct rf_policy *const *policies, size_t n)
{
	bool enforce = false, audit = false;

	for (size_t i = 0; i < n; i++) {
		if (policies[i]->mode == RF_MODE_ENFORCE)
			enforce = true;
		else
			audit = true;
	}
	return enforce && audit ? "mixed" : enforce ? "enforce" : audit ? "audit" : "none";
}

void rf_flow_sampling_compile(const struct rf_policy *const *policies, size_t n, struct rf_flow_sampling *ret)
{
	struct rf_flow_sampling all = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct rf_flow_sampling *one = &policies[i]->flows;

		if (!one->sample)
			continue;
		all.idle_s = all.sample ? MIN(all.idle_s, one->idle_s) : one->idle_s;
		all.sample = all.sample ? MIN(all.sample, one->sample) : one->sample;
	}
	*ret = all;
}

int rf_image_compile_network(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
			     struct rf_image **ret)
{
	_cleanup_image_ struct rf_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	image->refs = 1;
	image->mode = image_mode(policies, n);
	image->policies = calloc(n ? n : 1, sizeof(*image->policies));
	if (!image->policies)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		image->policies[i] = policy_full_name(policies[i]);
		if (!image->policies[i])
			return -ENOMEM;
		image->n_policies++;
		image->telemetry |= policies[i]->telemetry;
		image->calls |= policies[i]->accelerators.calls;
	}
	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
			r = rf_ruleset_compile(policies, n, direction, tier, diags, &image->ruleset[direction][tier]);
			if (r < 0)
				return r;
		}
	}
	*ret = TAKE_PTR(image);
	return 0;
}

int rf_image_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		     const struct rf_device_host *host, struct rf_diags *diags, struct rf_image **ret)
{
	_cleanup_image_ struct rf_image *image = NULL;
	int r = rf_image_compile_network(policies, n, diags, &image);

	if (r < 0)
		return r;
	rf_flow_sampling_compile(policies, n, &image->flows);
	rf_dns_compile(policies, n, &image->dns);
	for (int tier = 0; tier < RF_TIERS; tier++) {
		r = rf_device_compile(policies, n, tier, host, diags, &image->device[tier]);
		if (r < 0)
			return r;
	}
	r = rf_rates_compile(policies, n, diags, &image->rates);
	if (r >= 0)
		r = rf_sockets_compile(policies, n, &image->sockets);
	if (r >= 0)
		r = rf_isolation_compile(policies, n, &image->isolation);
	if (r >= 0)
		r = rf_kernel_compile(policies, n, &image->kernel);
	if (r >= 0)
		r = rf_files_compile(policies, n, zones, diags, &image->files);
	if (r >= 0)
		r = rf_process_compile(policies, n, zones, diags, &image->process);
	if (r >= 0)
		r = rf_quotas_compile(policies, n, &image->quotas);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(image);
	return 0;
}

struct rf_image *rf_image_ref(struct rf_image *image)
{
	if (image)
		image->refs++;
	return image;
}

void rf_image_unref(struct rf_image *image)
{
	if (!image || --image->refs)
		return;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int direction = 0; direction < RF_DIRECTIONS; direction++)
			rf_ruleset_image_free(image->ruleset[direction][tier]);
		rf_device_image_free(image->device[tier]);
	}
	rf_rates_image_free(image->rates);
	rf_sockets_image_free(image->sockets);
	rf_isolation_image_free(image->isolation);
	rf_kernel_image_free(image->kernel);
	rf_files_image_free(image->files);
	rf_process_image_free(image->process);
	rf_quotas_image_free(image->quotas);
	for (size_t i = 0; i < image->n_policies; i++)
		free(image->policies[i]);
	free(image->policies);
	free(image);
}

struct rf_flow_answer rf_image_judge(const struct rf_image *image, const struct rf_flow_query *q)
{
	struct rf_flow_answer answer = { .verdict = RF_ALLOW, .tier = RF_TIER_ENFORCE };

	for (int tier = RF_TIER_ENFORCE; image && tier < RF_TIERS; tier++) {
		const struct rf_ruleset_image *rules = image->ruleset[q->direction][tier];
		uint32_t rule;
		bool allowed;

		if (!rules)
			continue;
		answer.asks_peers |= rules->asks_peers;
		allowed = rf_ruleset_evaluate_peer(rules, q->family, q->address, q->protocol, q->port, q->peer, &rule);
		/* What is allowed names the rule that is enforced; of the others only what they would deny matters. */
		if (tier == RF_TIER_ENFORCE || !allowed)
			answer.ref = &rules->refs[rule];
		if (allowed) {
			if (!answer.limits)
				answer.limits = rf_rates_rule(image->rates, q->direction, tier, rule);
			continue;
		}
		answer.tier = tier;
		answer.verdict = tier == RF_TIER_ENFORCE ? RF_DENY : RF_WOULD_DENY;
		return answer;
	}
	return answer;
}

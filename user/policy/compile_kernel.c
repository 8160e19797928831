// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling the kernel's surface, and telling it. */
#include "user/policy/compile_kernel.h"

#include <errno.h>
#include <linux/capability.h>

#include "user/model/kernel.h"
#include "user/policy/rule_refs.h"

static bool is_denied(const struct rf_kernel_limits *limits, unsigned int rule)
{
	if (rule < RF_KERNEL_KIND_COUNT)
		return limits->deny >> rule & 1;
	if (rule < RF_KERNEL_RULE_SYSCALL(0))
		return limits->capabilities >> (rule - RF_KERNEL_RULE_CAPABILITY(0)) & 1;
	return limits->syscalls >> (rule - RF_KERNEL_RULE_SYSCALL(0)) & 1;
}

/* The audited tier has something to say where a policy in mode audit has the section. */
static struct rf_kernel_limits tier_merge(const struct rf_policy *const *policies, size_t n, enum rf_tier tier)
{
	struct rf_kernel_limits all = { 0 };
	bool audit = false;

	for (size_t i = 0; i < n; i++) {
		const struct rf_kernel *k = policies[i]->kernel;

		if (!k || !rf_tier_takes(tier, policies[i]))
			continue;
		audit |= policies[i]->mode == RF_MODE_AUDIT;
		all.deny |= k->limits.deny;
		all.capabilities |= k->limits.capabilities;
		all.syscalls |= k->limits.syscalls;
	}
	return tier == RF_TIER_AUDIT && !audit ? (struct rf_kernel_limits){ 0 } : all;
}

/* The first that denies @rule. */
static const struct rf_policy *denier(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
				      unsigned int rule)
{
	for (size_t i = 0; i < n; i++)
		if (policies[i]->kernel && rf_tier_takes(tier, policies[i]) &&
		    is_denied(&policies[i]->kernel->limits, rule))
			return policies[i];
	return NULL;
}

static bool preset_denies(const struct rf_kernel_preset *preset, unsigned int rule)
{
	const struct rf_kernel_limits limits = { .deny = preset->deny, .capabilities = ~preset->allowed };

	return is_denied(&limits, rule);
}

/* By which of its lines @k denies @rule: by name, else by the preset, else by what it allows. */
static const char *source_name(const struct rf_kernel *k, unsigned int rule, char name[static RF_KERNEL_RULE_NAME],
			       uint32_t *ret_line)
{
	if (k->line[rule]) {
		*ret_line = k->line[rule];
		return rf_kernel_rule_name(rule, name);
	}
	if (k->preset && preset_denies(k->preset, rule)) {
		*ret_line = k->preset_line;
		snprintf(name, RF_KERNEL_RULE_NAME, "kernel.preset[%s]", k->preset->name);
	} else {
		*ret_line = k->allow_line;
		snprintf(name, RF_KERNEL_RULE_NAME, "kernel.capabilities.allow");
	}
	return name;
}

static int refs_make(const struct rf_policy *const *policies, size_t n, struct rf_kernel_image *image)
{
	char names[RF_TIERS * RF_KERNEL_RULES][RF_KERNEL_RULE_NAME];
	struct rf_rule_source sources[RF_TIERS * RF_KERNEL_RULES];
	const struct rf_rule_ref **places[RF_TIERS * RF_KERNEL_RULES];
	size_t count = 0;
	int r;

	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (unsigned int rule = 0; rule < RF_KERNEL_RULES; rule++) {
			const struct rf_policy *p;
			const char *name;
			uint32_t line;

			if (!is_denied(&image->limits[tier], rule))
				continue;
			p = denier(policies, n, tier, rule);
			name = source_name(p->kernel, rule, names[count], &line);
			places[count] = &image->ref[tier][rule];
			sources[count++] = (struct rf_rule_source){ p, name, line, RF_ACTION_DENY };
		}
	}
	r = rf_rule_refs_new(sources, count, &image->refs);
	for (size_t i = 0; r >= 0 && i < count; i++)
		*places[i] = &image->refs[i];
	return r;
}

static bool is_empty(const struct rf_kernel_limits limits[RF_TIERS])
{
	for (int tier = 0; tier < RF_TIERS; tier++)
		if (limits[tier].deny || limits[tier].capabilities || limits[tier].syscalls)
			return false;
	return true;
}

int rf_kernel_compile(const struct rf_policy *const *policies, size_t n, struct rf_kernel_image **ret_image)
{
	_cleanup_kernel_image_ struct rf_kernel_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	for (int tier = 0; tier < RF_TIERS; tier++)
		image->limits[tier] = tier_merge(policies, n, tier);
	if (is_empty(image->limits)) {
		*ret_image = NULL;
		return 0;
	}
	r = refs_make(policies, n, image);
	if (r < 0)
		return r;
	*ret_image = TAKE_PTR(image);
	return 0;
}

void rf_kernel_image_free(struct rf_kernel_image *image)
{
	if (!image)
		return;
	free(image->refs);
	free(image);
}

const struct rf_rule_ref *rf_kernel_ref(const struct rf_kernel_image *image, enum rf_tier tier, uint16_t rule)
{
	if (!image || (unsigned int)tier >= RF_TIERS || rule >= RF_KERNEL_RULES)
		return NULL;
	return image->ref[tier][rule];
}

static void source_add(const struct rf_policy *const *policies, size_t n, enum rf_tier tier, unsigned int rule,
		       struct rf_strbuf *out)
{
	const struct rf_policy *p = denier(policies, n, tier, rule);
	char name[RF_KERNEL_RULE_NAME];
	uint32_t line;

	source_name(p->kernel, rule, name, &line);
	rf_strbuf_addf(out, "  (%s, %s, %s:%u)\n", p->name, name, p->file, line);
}

/* What only reports is shown where it is more than what is enforced. */
static bool is_shown(const struct rf_kernel_limits limits[RF_TIERS], enum rf_tier tier, unsigned int rule)
{
	return is_denied(&limits[tier], rule) &&
	       (tier == RF_TIER_ENFORCE || !is_denied(&limits[RF_TIER_ENFORCE], rule));
}

/* Few that are allowed are shown, and many that are denied are not: each line is one that is read. */
static void capabilities_show(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
			      const struct rf_kernel_limits limits[RF_TIERS], struct rf_strbuf *out)
{
	uint64_t known = (1ULL << (CAP_LAST_CAP + 1)) - 1, denied = limits[tier].capabilities;

	/* All that there will ever be: by a preset or by what is allowed. */
	if (denied & ~known) {
		if (tier == RF_TIER_AUDIT && denied == limits[RF_TIER_ENFORCE].capabilities)
			return;
		rf_strbuf_adds(out, tier == RF_TIER_AUDIT ? "  in audit, allow of capabilities only" :
							    "  allow of capabilities only");
		for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
			if (!(denied >> i & 1))
				rf_strbuf_addf(out, " %s", rf_capability_name(i));
		if (!(known & ~denied))
			rf_strbuf_adds(out, " none");
		source_add(policies, n, tier, RF_KERNEL_RULE_CAPABILITY(RF_CAPABILITIES - 1), out);
		return;
	}
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++) {
		if (!is_shown(limits, tier, RF_KERNEL_RULE_CAPABILITY(i)))
			continue;
		rf_strbuf_addf(out, "  %sdeny %s", tier == RF_TIER_AUDIT ? "in audit, " : "", rf_capability_name(i));
		source_add(policies, n, tier, RF_KERNEL_RULE_CAPABILITY(i), out);
	}
}

void rf_kernel_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct rf_kernel_limits limits[RF_TIERS];

	for (int tier = 0; tier < RF_TIERS; tier++)
		limits[tier] = tier_merge(policies, n, tier);
	if (is_empty(limits)) {
		rf_strbuf_adds(out, "\nkernel: no policy speaks of it: all allowed\n");
		return;
	}
	rf_strbuf_adds(out, "\nkernel:\n");
	for (int tier = 0; tier < RF_TIERS; tier++) {
		const char *audit = tier == RF_TIER_AUDIT ? "in audit, " : "";

		for (unsigned int kind = 0; kind < RF_KERNEL_KIND_COUNT; kind++) {
			if (!is_shown(limits, tier, kind))
				continue;
			rf_strbuf_addf(out, "  %sdeny %s", audit, rf_kernel_kind_names[kind]);
			source_add(policies, n, tier, kind, out);
		}
		capabilities_show(policies, n, tier, limits, out);
		for (unsigned int i = 0; i < RF_SYSCALL_COUNT; i++) {
			if (!is_shown(limits, tier, RF_KERNEL_RULE_SYSCALL(i)))
				continue;
			rf_strbuf_addf(out, "  %sdeny the system call %s", audit, rf_syscall_name(i));
			source_add(policies, n, tier, RF_KERNEL_RULE_SYSCALL(i), out);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's surface: a preset, kinds, capabilities and system calls, all of
 * them into three masks. The words themselves were checked by the schema.
 */
#include "user/policy/parse_kernel.h"

#include <errno.h>

#include "user/model/kernel.h"

/* What cgroup programs decide, on every host; all the rest needs BPF LSM. */
#define SYSCTL_KINDS (1u << RF_KERNEL_SYSCTL | 1u << RF_KERNEL_CORE_PATTERN)

static void kinds_require(struct rf_checker *c, uint32_t kinds, struct rf_mark mark)
{
	if (kinds & SYSCTL_KINDS)
		rf_check_require(c, RF_FEATURE_KERNEL_SYSCTL, mark);
	if (kinds & ~SYSCTL_KINDS)
		rf_check_require(c, RF_FEATURE_KERNEL, mark);
}

/* Of a list of words the first that denies something is the one to name. */
static uint64_t list_parse(const struct rf_node *list, int (*parse)(const char *name), unsigned int first_rule,
			   struct rf_kernel *k)
{
	uint64_t all = 0;

	for (size_t i = 0; list && list->kind == RF_NODE_SEQUENCE && i < list->n; i++) {
		const struct rf_node *item = list->items[i];
		int value = item->kind == RF_NODE_SCALAR ? parse(item->text) : -1;

		if (value < 0)
			continue;
		if (k && !k->line[first_rule + value])
			k->line[first_rule + value] = item->mark.line;
		all |= 1ULL << value;
	}
	return all;
}

static void preset_parse(struct rf_checker *c, const struct rf_node *node, struct rf_kernel *k)
{
	k->preset = node && node->kind == RF_NODE_SCALAR ? rf_kernel_preset_find(node->text) : NULL;
	if (!k->preset)
		return;
	k->preset_line = node->mark.line;
	k->limits.deny |= k->preset->deny;
	k->limits.capabilities |= ~k->preset->allowed;
	kinds_require(c, k->preset->deny, node->mark);
	rf_check_require(c, RF_FEATURE_KERNEL, node->mark);
}

static void capabilities_parse(struct rf_checker *c, const struct rf_node *node, struct rf_kernel *k)
{
	const struct rf_node *allow = rf_node_get(node, "allow"), *deny = rf_node_get(node, "deny");
	uint64_t denied = list_parse(deny, rf_capability_parse, RF_KERNEL_RULE_CAPABILITY(0), k);

	if (denied)
		rf_check_require(c, RF_FEATURE_KERNEL, deny->mark);
	k->limits.capabilities |= denied;
	if (!allow || allow->kind != RF_NODE_SEQUENCE)
		return;
	k->allow_line = allow->mark.line;
	k->limits.capabilities |= ~list_parse(allow, rf_capability_parse, 0, NULL);
	rf_check_require(c, RF_FEATURE_KERNEL, allow->mark);
}

int rf_kernel_parse(struct rf_checker *c, const struct rf_node *node, struct rf_kernel **ret)
{
	const struct rf_node *deny = rf_node_get(node, "deny"),
			     *syscalls = rf_node_get(rf_node_get(node, "syscalls"), "deny");
	struct rf_kernel *k;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	*ret = k;
	preset_parse(c, rf_node_get(node, "preset"), k);
	k->limits.deny |= list_parse(deny, rf_kernel_kind_parse, 0, k);
	for (size_t i = 0; deny && deny->kind == RF_NODE_SEQUENCE && i < deny->n; i++)
		if (deny->items[i]->kind == RF_NODE_SCALAR && rf_kernel_kind_parse(deny->items[i]->text) >= 0)
			kinds_require(c, 1u << rf_kernel_kind_parse(deny->items[i]->text), deny->items[i]->mark);
	capabilities_parse(c, rf_node_get(node, "capabilities"), k);
	k->limits.syscalls = list_parse(syscalls, rf_syscall_parse, RF_KERNEL_RULE_SYSCALL(0), k);
	if (k->limits.syscalls)
		rf_check_require(c, RF_FEATURE_KERNEL, syscalls->mark);
	return 0;
}

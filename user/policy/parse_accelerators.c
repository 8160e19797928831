// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may use which accelerator, and for what. */
#include "user/policy/parse_accelerators.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "user/lib/clock.h"
#include "user/model/accelerator_ioctl.h"
#include "user/policy/parse_network.h"

/* "3" or "3/0". */
static bool mig_parse(const char *text, int32_t *ret_gi, int32_t *ret_ci)
{
	char *end;
	long gi, ci = RF_MIG_NONE;

	if (!isdigit((unsigned char)*text))
		return false;
	gi = strtol(text, &end, 10);
	if (*end == '/' && isdigit((unsigned char)end[1]))
		ci = strtol(end + 1, &end, 10);
	if (*end || gi > 255 || ci > 255)
		return false;
	*ret_gi = gi;
	*ret_ci = ci;
	return true;
}

/* "0000:03:00.0", as sysfs has it. */
static bool is_pci(const char *text)
{
	static const char pattern[] = "xxxx:xx:xx.o";
	size_t i;

	for (i = 0; pattern[i]; i++) {
		if (pattern[i] == 'x' ? !isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i]) :
		    pattern[i] == 'o' ? text[i] < '0' || text[i] > '7' :
					text[i] != pattern[i])
			return false;
	}
	return !text[i];
}

static uint32_t operations_parse(const struct rf_node *list)
{
	uint32_t bits = 0;

	if (!list || list->kind != RF_NODE_SEQUENCE)
		return 0;
	for (size_t i = 0; i < list->n; i++)
		for (int class = RF_ACCEL_SUBMIT; class < RF_ACCEL_CLASSES; class ++)
			if (list->items[i]->kind == RF_NODE_SCALAR &&
			    !strcasecmp(list->items[i]->text, rf_accel_class_names[class]))
				bits |= RF_ACCEL_BIT(class);
	return bits;
}

static int class_parse(const struct rf_node *node)
{
	for (int class = 0; class < RF_ACCELERATOR_CLASS_COUNT; class ++)
		if (rf_node_is(node, "class", rf_accelerator_class_names[class]))
			return class;
	return RF_ACCELERATOR_CLASS_COUNT;
}

static int rule_parse(struct rf_checker *c, const struct rf_node *node, size_t index, struct rf_accelerator_rule *rule)
{
	const struct rf_node *operations = rf_node_get(node, "operations"), *mig = rf_node_get(node, "mig");

	rule->mark = node->mark;
	rule->name = rf_node_string(c, node, "name");
	if (!rule->name && asprintf(&rule->name, "accelerators[%zu]", index) < 0)
		rule->name = NULL;
	rule->action = rf_node_action(node, "action", RF_ACTION_ALLOW);
	rule->class = class_parse(node);
	rule->index = rf_node_get(node, "index") ? rf_node_integer(node, "index", 0) : RF_ACCELERATOR_ANY;
	rule->pci = rf_node_string(c, node, "pci");
	rule->uuid = rf_node_string(c, node, "uuid");
	rule->operations = operations_parse(operations);
	rule->gpu_instance = rule->compute_instance = RF_MIG_NONE;
	if (rule->index != RF_ACCELERATOR_ANY && rule->class == RF_ACCELERATOR_CLASS_COUNT)
		rf_check_error(c, rf_node_get(node, "index"), "class, of which index is the number",
			       "an index without a class");
	if (operations && operations->kind == RF_NODE_SEQUENCE && !operations->n)
		rf_check_error(c, operations, "without the key, the rule speaks of all and of opening",
			       "a rule of no operation");
	if (rule->pci && !is_pci(rule->pci))
		rf_check_error(c, rf_node_get(node, "pci"), "domain:bus:device.function, such as 0000:03:00.0",
			       "\"%s\" is no PCI address", rule->pci);
	if (mig && mig->kind == RF_NODE_SCALAR && !mig_parse(mig->text, &rule->gpu_instance, &rule->compute_instance))
		rf_check_error(c, mig, "the GPU instance's number, and after a / the compute instance's",
			       "\"%s\" is no MIG instance", mig->text);
	return rule->name ? 0 : -ENOMEM;
}

static uint64_t duration_of(struct rf_checker *c, const struct rf_node *node, const char *key, uint64_t min,
			    uint64_t max, const char *hint)
{
	uint64_t ns = 0;

	/* What is no duration has been told by the schema. */
	if (!node || node->kind != RF_NODE_SCALAR || rf_duration_parse(node->text, UINT64_MAX, &ns) < 0)
		return 0;
	if (ns < min || ns > max)
		rf_check_error(c, node, hint, "%s: \"%s\" is out of range", key, node->text);
	return MIN(ns, max);
}

static uint64_t memory_of(struct rf_checker *c, const struct rf_node *node)
{
	uint64_t bytes = 0;
	int r;

	if (!node || node->kind != RF_NODE_SCALAR)
		return 0;
	r = rf_scalar_quantity(node->text, &bytes);
	if (r == -ERANGE || (r == 0 && !bytes))
		rf_check_error(c, node, "1 or more bytes, such as 16Gi; default: deny is for no device at all",
			       "memory: \"%s\" is out of range", node->text);
	return bytes;
}

static void budget_parse(struct rf_checker *c, const struct rf_node *node, struct rf_accelerator_budget *ret)
{
	const struct rf_node *window = rf_node_get(node, "window");

	if (!node || node->kind != RF_NODE_MAPPING)
		return;
	ret->time_ns = duration_of(c, rf_node_get(node, "deviceTime"), "deviceTime", 1, RF_ACCEL_WINDOW_MAX_NS,
				   "1ns or more, 366d or less");
	ret->joules = (uint64_t)rf_node_integer(node, "joules", 0);
	ret->window_ns = window ? duration_of(c, window, "window", RF_ACCEL_WINDOW_MIN_NS, RF_ACCEL_WINDOW_MAX_NS,
					      "1m or more, 366d or less") :
				  RF_ACCEL_WINDOW_NS;
	ret->when_spent = rf_node_is(node, "whenSpent", "report") ? RF_SPENT_REPORT :
			  rf_node_is(node, "whenSpent", "slow")	  ? RF_SPENT_SLOW :
								    RF_SPENT_DENY;
	if (!ret->time_ns && !ret->joules)
		rf_check_error(c, node, "add deviceTime or joules", "a budget of nothing");
}

static void quota_parse(struct rf_checker *c, const struct rf_node *node, struct rf_accelerator_quota *ret)
{
	const struct rf_node *conserving = rf_node_get(node, "workConserving");
	bool whether = true;

	ret->contexts = RF_ACCEL_CONTEXTS_ANY;
	if (!node || node->kind != RF_NODE_MAPPING)
		return;
	ret->given = true;
	ret->mark = node->mark;
	ret->share = rf_node_integer(node, "share", 0);
	ret->percent = rf_node_integer(node, "limitPercent", 0);
	ret->burst_ns = duration_of(c, rf_node_get(node, "burst"), "burst", 1, RF_ACCEL_BURST_MAX_NS,
				    "1ns or more, 1m or less");
	ret->memory = memory_of(c, rf_node_get(node, "memory"));
	ret->submissions = rf_node_integer(node, "submissionsPerSecond", 0);
	ret->contexts = rf_node_integer(node, "contexts", RF_ACCEL_CONTEXTS_ANY);
	budget_parse(c, rf_node_get(node, "budget"), &ret->budget);
	if (conserving && conserving->kind == RF_NODE_SCALAR && rf_scalar_boolean(conserving->text, &whether) == 0)
		ret->not_conserving = !whether;
	if (ret->not_conserving && !ret->share)
		rf_check_error(c, conserving, "add share, or give limitPercent instead",
			       "nothing that workConserving could speak of");
	if (rf_node_get(node, "burst") && !ret->share && !ret->percent)
		rf_check_error(c, rf_node_get(node, "burst"), "add share or limitPercent", "a burst of nothing");
}

static void quotas_parse(struct rf_checker *c, const struct rf_node *node, struct rf_accelerator_section *ret)
{
	static const char *const keys[RF_ACCEL_LEVELS] = {
		[RF_ACCEL_WORKLOAD] = "quota",
		[RF_ACCEL_NAMESPACE] = "namespaceQuota",
		[RF_ACCEL_TENANT] = "tenantQuota",
	};
	const struct rf_node *calls;
	bool any = false;

	for (int level = 0; level < RF_ACCEL_LEVELS; level++) {
		quota_parse(c, rf_node_get(node, keys[level]), &ret->quota[level]);
		any |= ret->quota[level].given;
	}
	for (int over = RF_OVER_WAIT; over <= RF_OVER_EDQUOT; over++)
		if (rf_node_is(node, "overQuota", rf_over_quota_names[over]))
			ret->over = over;
	ret->over_memory_full = rf_node_is(node, "overMemory", "ENOMEM");
	calls = rf_node_get(node, "userModeSubmission");
	if (calls && calls->kind == RF_NODE_SCALAR)
		(void)rf_scalar_boolean(calls->text, &ret->calls);
	if (!any && (rf_node_get(node, "overQuota") || rf_node_get(node, "overMemory")))
		rf_check_error(c, rf_node_get(node, rf_node_get(node, "overQuota") ? "overQuota" : "overMemory"),
			       "add quota, namespaceQuota or tenantQuota", "there is no quota to be over");
	if ((any || ret->calls) && !rf_node_get(node, "default") && !rf_node_get(node, "rules"))
		ret->present = false;
}

int rf_accelerators_parse(struct rf_checker *c, const struct rf_node *node, struct rf_accelerator_section *ret)
{
	const struct rf_node *rules = rf_node_get(node, "rules");
	int r = 0;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	ret->present = true;
	ret->mark = node->mark;
	ret->default_action = rf_node_action(node, "default", RF_ACTION_DENY);
	quotas_parse(c, node, ret);
	if (!rules || rules->kind != RF_NODE_SEQUENCE || !rules->n)
		return 0;
	ret->rules = calloc(rules->n, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < rules->n; i++) {
		ret->n_rules = i + 1;
		r = rule_parse(c, rules->items[i], i, &ret->rules[i]);
	}
	return r;
}

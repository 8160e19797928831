// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A rule speaks of devices, the kernel of nodes. A node of one device is judged
 * by the rules that match the device. One that several devices share is allowed
 * to whoever may use one of them. One that is not known yet is judged closed:
 * what allows it must match whatever it turns out to be, what denies it may.
 */
#include "user/policy/compile_accelerators.h"

#include "user/lib/util.h"

/* Does @rule speak of that bit, of a device that it matches? To allow an operation is to allow opening. */
static bool speaks_of(const struct rf_accelerator_rule *rule, uint32_t bit)
{
	if (!rule->operations)
		return true;
	return bit & RF_DEVICE_OPEN ? rule->action == RF_ACTION_ALLOW : rule->operations & bit;
}

static bool has_class(const struct rf_accelerator_rule *rule, uint32_t classes)
{
	return rule->class == RF_ACCELERATOR_CLASS_COUNT || classes & 1u << rule->class;
}

static bool has_instance(const struct rf_accelerators *known, const struct rf_accelerator *device,
			 const struct rf_accelerator_rule *rule)
{
	for (size_t i = 0; i < known->n_nodes; i++) {
		const struct rf_accelerator_node *node = &known->nodes[i];

		if (node->part == RF_PART_DEVICE && &known->devices[node->device] == device &&
		    node->gpu_instance == rule->gpu_instance &&
		    (rule->compute_instance == RF_MIG_NONE || node->compute_instance == rule->compute_instance))
			return true;
	}
	return false;
}

/*
 * To allow an instance is to allow the own node of the GPU that has it, which its users open as well; to deny one does
 * not deny that.
 */
static bool matches_instance(const struct rf_accelerators *known, const struct rf_accelerator_rule *rule,
			     const struct rf_accelerator *device, const struct rf_accelerator_node *node)
{
	if (rule->gpu_instance == RF_MIG_NONE)
		return true;
	if (node->gpu_instance == RF_MIG_NONE)
		return rule->action == RF_ACTION_ALLOW && has_instance(known, device, rule);
	if (node->gpu_instance != rule->gpu_instance)
		return false;
	if (rule->compute_instance == RF_MIG_NONE || node->compute_instance == rule->compute_instance)
		return true;
	return node->compute_instance == RF_MIG_NONE && rule->action == RF_ACTION_ALLOW;
}

static bool matches_device(const struct rf_accelerator_rule *rule, const struct rf_accelerator *device)
{
	return has_class(rule, device->classes) &&
	       (rule->index == RF_ACCELERATOR_ANY || device->index[rule->class] == (uint32_t)rule->index) &&
	       (!rule->pci || rf_streq(rule->pci, device->parent)) &&
	       (!rule->uuid || (device->uuid && rf_streq(rule->uuid, device->uuid)));
}

/* The classes that a device of such a node may turn out to be of as well: it is the driver that tells whose it is. */
static uint32_t classes_possible(uint32_t classes)
{
	uint32_t subsystems = 1u << RF_ACCELERATOR_DRM | 1u << RF_ACCELERATOR_ACCEL;
	uint32_t vendors = 1u << RF_ACCELERATOR_NVIDIA | 1u << RF_ACCELERATOR_AMD | 1u << RF_ACCELERATOR_INTEL |
			   1u << RF_ACCELERATOR_HABANALABS;

	if (classes & subsystems)
		classes |= vendors;
	else if (classes & vendors)
		classes |= subsystems;
	return classes;
}

/* @device NULL: it is not known which. */
static bool matches(const struct rf_accelerators *known, const struct rf_accelerator_rule *rule,
		    const struct rf_accelerator *device, const struct rf_accelerator_node *node)
{
	bool narrow = rule->index != RF_ACCELERATOR_ANY || rule->pci || rule->uuid || rule->gpu_instance != RF_MIG_NONE;

	if (device)
		return matches_device(rule, device) && matches_instance(known, rule, device, node);
	if (rule->action == RF_ACTION_DENY)
		return has_class(rule, classes_possible(node->classes));
	return !narrow && has_class(rule, node->classes);
}

static enum rf_action decide(const struct rf_accelerator_rules *r, const struct rf_accelerator *device,
			     const struct rf_accelerator_node *node, uint32_t bit, uint16_t *ret_rule)
{
	for (uint32_t i = 0; i < r->n; i++) {
		if (!speaks_of(r->rules[i], bit) || !matches(r->known, r->rules[i], device, node))
			continue;
		*ret_rule = i;
		return r->rules[i]->action;
	}
	*ret_rule = RF_RULE_ACCELERATOR_DEFAULT;
	return r->dflt;
}

static enum rf_action decide_shared(const struct rf_accelerator_rules *r, const struct rf_accelerator_node *node,
				    uint32_t bit, uint16_t *ret_rule)
{
	/* What is asked of each device is its own node, not an instance's. */
	struct rf_accelerator_node own = *node;
	bool any = false;

	own.gpu_instance = own.compute_instance = RF_MIG_NONE;
	for (size_t i = 0; i < r->known->n_devices; i++) {
		const struct rf_accelerator *device = &r->known->devices[i];

		if (!(device->classes & node->classes))
			continue;
		any = true;
		if (decide(r, device, &own, bit, ret_rule) == RF_ACTION_ALLOW)
			return RF_ACTION_ALLOW;
	}
	return any ? RF_ACTION_DENY : decide(r, NULL, &own, bit, ret_rule);
}

bool rf_accelerator_judge(const struct rf_accelerator_rules *r, uint32_t major, uint32_t minor, uint16_t *ret_allow,
			  uint16_t ret_rule[RF_DEVICE_BITS])
{
	const struct rf_accelerator_node *node = rf_accelerators_find(r->known, major, minor);
	const struct rf_accelerator *device = NULL;

	if (!node)
		return false;
	if (node->part == RF_PART_DEVICE)
		device = &r->known->devices[node->device];
	*ret_allow = 0;
	for (uint32_t bit = 0; bit < RF_DEVICE_BITS; bit++) {
		enum rf_action action = node->part == RF_PART_SHARED ?
						decide_shared(r, node, 1u << bit, &ret_rule[bit]) :
						decide(r, device, node, 1u << bit, &ret_rule[bit]);

		if (action == RF_ACTION_ALLOW)
			*ret_allow |= 1u << bit;
	}
	return true;
}

static void describe(const struct rf_accelerator_rule *rule, struct rf_strbuf *out)
{
	size_t start = out->len;

	if (rule->class != RF_ACCELERATOR_CLASS_COUNT)
		rf_strbuf_addf(out, ", class %s", rf_accelerator_class_names[rule->class]);
	if (rule->index != RF_ACCELERATOR_ANY)
		rf_strbuf_addf(out, ", index %d", rule->index);
	if (rule->pci)
		rf_strbuf_addf(out, ", pci %s", rule->pci);
	if (rule->uuid)
		rf_strbuf_addf(out, ", uuid %s", rule->uuid);
	if (rule->gpu_instance != RF_MIG_NONE)
		rf_strbuf_addf(out, ", mig %d", rule->gpu_instance);
	if (rule->compute_instance != RF_MIG_NONE)
		rf_strbuf_addf(out, "/%d", rule->compute_instance);
	if (out->len == start)
		rf_strbuf_adds(out, ", any");
}

bool rf_accelerator_rule_is_idle(const struct rf_accelerator_rule *rule, const struct rf_accelerators *known,
				 struct rf_strbuf *ret)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	for (size_t i = 0; i < known->n_devices; i++)
		if (matches_device(rule, &known->devices[i]) &&
		    (rule->gpu_instance == RF_MIG_NONE || has_instance(known, &known->devices[i], rule)))
			return false;
	describe(rule, &text);
	/* Without the first comma. */
	if (!rf_strbuf_error(&text))
		rf_strbuf_adds(ret, rf_strbuf_str(&text) + 2);
	return true;
}

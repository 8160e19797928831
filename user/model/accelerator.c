// SPDX-License-Identifier: GPL-2.0-or-later
/* Accelerators and their nodes. */
#include "user/model/accelerator.h"

#include <stdlib.h>
#include <string.h>

#include "user/lib/util.h"

const char *const rf_accelerator_class_names[] = {
#define X(id, name) name,
	RF_ACCELERATOR_CLASSES(X)
#undef X
		NULL
};

const char *const rf_over_quota_names[] = {
	[RF_OVER_WAIT] = "wait", [RF_OVER_EAGAIN] = "EAGAIN", [RF_OVER_EDQUOT] = "EDQUOT", NULL
};

const char *const rf_when_spent_names[] = {
	[RF_SPENT_REPORT] = "report", [RF_SPENT_SLOW] = "slow", [RF_SPENT_DENY] = "deny", NULL
};

const char *rf_quota_kind_name(enum rf_quota_kind kind)
{
	static const char *const names[RF_QUOTA_KINDS] = {
		[RF_QUOTA_MEMORY] = "memory",	  [RF_QUOTA_BUDGET] = "budget",
		[RF_QUOTA_TIME] = "limitPercent", [RF_QUOTA_SUBMISSIONS] = "submissionsPerSecond",
		[RF_QUOTA_SHARE] = "share",	  [RF_QUOTA_CONTEXTS] = "contexts",
	};

	return (unsigned int)kind < RF_QUOTA_KINDS ? names[kind] : "?";
}

const char *rf_quota_state_name(enum rf_quota_state state)
{
	static const char *const names[RF_QUOTA_STATES] = {
		[RF_QUOTA_EXHAUSTED] = "exhausted",
		[RF_QUOTA_THROTTLE_START] = "throttle-start",
		[RF_QUOTA_THROTTLE_STOP] = "throttle-stop",
	};

	return (unsigned int)state < RF_QUOTA_STATES ? names[state] : "?";
}

const char *rf_accel_level_name(enum rf_accel_level level)
{
	static const char *const names[RF_ACCEL_LEVELS] = {
		[RF_ACCEL_WORKLOAD] = "workload", [RF_ACCEL_NAMESPACE] = "namespace", [RF_ACCEL_TENANT] = "tenant"
	};

	return (unsigned int)level < RF_ACCEL_LEVELS ? names[level] : "?";
}

void rf_accelerators_fini(struct rf_accelerators *a)
{
	for (size_t i = 0; i < a->n_devices; i++) {
		free(a->devices[i].name);
		free(a->devices[i].driver);
		free(a->devices[i].parent);
		free(a->devices[i].uuid);
	}
	free(a->devices);
	free(a->nodes);
	memset(a, 0, sizeof(*a));
}

static const struct rf_accelerator_node *node_at(const struct rf_accelerators *a, uint32_t major, uint32_t minor)
{
	size_t from = 0, to = a->n_nodes;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct rf_accelerator_node *n = &a->nodes[middle];

		if (n->major == major && n->minor == minor)
			return n;
		if (n->major < major || (n->major == major && n->minor < minor))
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

const struct rf_accelerator_node *rf_accelerators_find(const struct rf_accelerators *a, uint32_t major, uint32_t minor)
{
	const struct rf_accelerator_node *n;

	if (!a)
		return NULL;
	n = node_at(a, major, minor);
	return n ? n : node_at(a, major, RF_DEVICE_ANY);
}

static bool device_equal(const struct rf_accelerator *a, const struct rf_accelerator *b)
{
	return rf_streq(a->name, b->name) && rf_streq(a->driver, b->driver) && rf_streq(a->parent, b->parent) &&
	       !a->uuid == !b->uuid && (!a->uuid || rf_streq(a->uuid, b->uuid)) && a->classes == b->classes &&
	       !memcmp(a->index, b->index, sizeof(a->index));
}

static bool node_equal(const struct rf_accelerator_node *a, const struct rf_accelerator_node *b)
{
	return a->major == b->major && a->minor == b->minor && a->part == b->part && a->device == b->device &&
	       a->classes == b->classes && a->gpu_instance == b->gpu_instance &&
	       a->compute_instance == b->compute_instance && a->interface == b->interface;
}

const char *rf_accelerators_name(const struct rf_accelerators *a, const char *parent)
{
	for (size_t i = 0; i < a->n_devices; i++)
		if (rf_streq(a->devices[i].parent, parent))
			return a->devices[i].name;
	return NULL;
}

bool rf_accelerator_is_nvml(const struct rf_accelerator *device)
{
	return device->classes & 1u << RF_ACCELERATOR_NVIDIA && !rf_streq(device->driver, "nouveau");
}

bool rf_accelerators_has_nvml(const struct rf_accelerators *a)
{
	for (size_t i = 0; i < a->n_devices; i++)
		if (rf_accelerator_is_nvml(&a->devices[i]))
			return true;
	return false;
}

bool rf_accelerators_has_class(const struct rf_accelerators *a, enum rf_accelerator_class class)
{
	for (size_t i = 0; i < a->n_devices; i++)
		if (a->devices[i].classes & 1u << class)
			return true;
	return false;
}

bool rf_accelerators_equal(const struct rf_accelerators *a, const struct rf_accelerators *b)
{
	if (a->n_devices != b->n_devices || a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_devices; i++)
		if (!device_equal(&a->devices[i], &b->devices[i]))
			return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		if (!node_equal(&a->nodes[i], &b->nodes[i]))
			return false;
	return true;
}

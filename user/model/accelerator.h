/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerators of a host and their device nodes: what rules of policies are
 * matched with. Made by user/collect/accelerator_scan.c; plain data.
 *
 * A device has nodes of its own (renderD128 and card0 are one GPU); some nodes
 * belong to no device alone (nvidiactl, nvidia-uvm, kfd), and of some majors a
 * node may appear before anybody has looked what it is.
 */
#ifndef RF_MODEL_ACCELERATOR_H
#define RF_MODEL_ACCELERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/accel_map.h"
#include "user/lib/cleanup.h"

#define RF_ACCELERATOR_CLASSES(X)   \
	X(NVIDIA, "nvidia")         \
	X(AMD, "amd")               \
	X(INTEL, "intel")           \
	X(DRM, "drm")               \
	X(ACCEL, "accel")           \
	X(HABANALABS, "habanalabs") \
	X(INFINIBAND, "infiniband")

enum rf_accelerator_class {
#define X(id, name) RF_ACCELERATOR_##id,
	RF_ACCELERATOR_CLASSES(X)
#undef X
		RF_ACCELERATOR_CLASS_COUNT
};

extern const char *const rf_accelerator_class_names[]; /* NULL at the end */

struct rf_accelerator {
	char *name;	  /* of its main node below /dev: "nvidia0", "dri/renderD128", "accel/accel0" */
	char *driver;	  /* "" where it is not known */
	char *parent;	  /* what it is a device of: its PCI address, or a name on another bus */
	char *uuid;	  /* NULL: none */
	uint32_t classes; /* 1 << enum rf_accelerator_class */
	uint32_t index[RF_ACCELERATOR_CLASS_COUNT]; /* its number among each of these; RF_ACCELERATOR_NONE: none */
};

/* RF_ACCEL_DEVICE_LIBRARY's, where devices have theirs: no node is called so. */
#define RF_ACCELERATOR_LIBRARY "library"

#define RF_ACCELERATOR_NONE UINT32_MAX
#define RF_MIG_NONE	    (-1) /* no instance's */

/* What a node stands for. */
enum rf_accelerator_part {
	RF_PART_DEVICE, /* one device, or one of its instances */
	RF_PART_SHARED, /* all devices of its classes: whoever may use one of them may use it */
	RF_PART_UNKNOWN /* every node of its major that is not listed: a device that just came */
};

struct rf_accelerator_node {
	uint32_t major, minor; /* minor RF_DEVICE_ANY: every one that is not listed */
	enum rf_accelerator_part part;
	uint32_t device; /* in @devices, of RF_PART_DEVICE; else RF_ACCELERATOR_NONE */
	uint32_t classes;
	int32_t gpu_instance, compute_instance; /* of MIG, whose capability it is */
	enum rf_accel_interface interface;
};

struct rf_accelerators {
	struct rf_accelerator *devices; /* by parent */
	size_t n_devices;
	struct rf_accelerator_node *nodes; /* by major and minor, RF_DEVICE_ANY last */
	size_t n_nodes;
};

/* What a submission beyond a quota gets, from the mildest. */
enum rf_over_quota { RF_OVER_WAIT, RF_OVER_EAGAIN, RF_OVER_EDQUOT };
extern const char *const rf_over_quota_names[]; /* NULL at the end */

/* What becomes of submissions when a budget is spent, from the mildest. */
enum rf_when_spent { RF_SPENT_REPORT, RF_SPENT_SLOW, RF_SPENT_DENY };
extern const char *const rf_when_spent_names[]; /* NULL at the end */

const char *rf_quota_kind_name(enum rf_quota_kind kind);    /* "share", "memory" */
const char *rf_quota_state_name(enum rf_quota_state state); /* "exhausted", "throttle-start" */
const char *rf_accel_level_name(enum rf_accel_level level); /* "workload", "namespace", "tenant" */

void rf_accelerators_fini(struct rf_accelerators *a);
/* That of (@major, @minor), else of all its major; NULL: it is no accelerator's. RF_DEVICE_ANY is a minor as well. */
const struct rf_accelerator_node *rf_accelerators_find(const struct rf_accelerators *a, uint32_t major, uint32_t minor);
/* Of the device with that @parent; NULL: it is not there. */
const char *rf_accelerators_name(const struct rf_accelerators *a, const char *parent);
/* Does NVIDIA's own driver, of which NVML tells, have it? Not so nouveau, which is a DRM driver like others. */
bool rf_accelerator_is_nvml(const struct rf_accelerator *device);
bool rf_accelerators_has_nvml(const struct rf_accelerators *a);
bool rf_accelerators_has_class(const struct rf_accelerators *a, enum rf_accelerator_class class);
bool rf_accelerators_equal(const struct rf_accelerators *a, const struct rf_accelerators *b);

#endif

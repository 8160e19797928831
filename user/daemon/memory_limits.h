/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quotas of device memory, kept by the best that the host has for each device:
 * user/model/memory_limit.h says what there is. The kernel's and the driver's
 * limits are of a cgroup, so that they hold for workloads alone: what
 * namespaces and tenants may have is asked for by BPF. They hold without us,
 * and the next daemon knows which of them are ours.
 */
#ifndef RF_DAEMON_MEMORY_LIMITS_H
#define RF_DAEMON_MEMORY_LIMITS_H

#include "user/daemon/gpu_limits.h"
#include "user/lib/hashmap.h"
#include "user/model/memory_limit.h"

/* A device, and what can keep a quota on it: 1 << enum rf_memory_method, but for DMEM, which is found out here. */
struct rf_memory_device {
	char parent[RF_ACCEL_DEVICE_NAME];
	uint32_t can;
};

/* Of a workload. */
struct rf_memory_quota {
	uint64_t cgroup_id, bytes;
	uint32_t workload;
	bool audit; /* nothing is set, and what is beyond is only told */
	const char *path;
};

struct rf_memory_limit {
	char parent[RF_ACCEL_DEVICE_NAME];
	enum rf_memory_method method, otherwise; /* otherwise: where neither the kernel nor the driver does */
	uint64_t bytes;				 /* in force */
	uint64_t used;				 /* RF_UNKNOWN */
	bool driver;				 /* it has answered that it keeps it */
	bool over;				 /* of DETECT: more is used */
};

/* A cgroup with a quota, or with a limit of ours that has to go. */
struct rf_memory_cgroup {
	uint64_t id, wanted; /* RF_MEMORY_MAX: none any more */
	uint32_t workload;
	bool audit;
	bool stale; /* it has no quota any more */
	bool there;
	char *path;
	struct rf_memory_claims claims;
	struct rf_memory_limit *limits; /* of each device */
	size_t n;
};

struct rf_memory_asked; /* what a request to the driver was of */

struct rf_memory_limits {
	int root;		    /* of the v2 hierarchy; -1: nothing is set */
	char *root_path;	    /* where it is mounted */
	struct rf_hashmap *cgroups; /* id -> struct rf_memory_cgroup, owned */
	struct rf_gpu_limits gpu;
	struct rf_memory_asked *asked; /* by request */
	struct rf_dmem *capacity;      /* of the last look */
	uint64_t signature;	       /* of what the last look was for */
	unsigned int ticks;
	bool pending; /* the driver was busy when it should have been asked */
	uint64_t failures;
	int told[RF_MEMORY_METHOD_COUNT]; /* the last failure that was told */
};

/* @root_path: the directory of the v2 hierarchy; NULL: not known. */
int rf_memory_limits_start(struct rf_memory_limits *m, const char *root_path, sd_event *event);
/* A cgroup that an earlier daemon may have set a limit for: known from here on, if it has. */
void rf_memory_limits_adopt(struct rf_memory_limits *m, uint64_t cgroup_id, const char *path);
/*
 * Once a second: @signature says what @quotas and @devices are; where it is the same, it is looked at them every few.
 * NULL for @gpu: no driver of NVIDIA's.
 */
void rf_memory_limits_tick(struct rf_memory_limits *m, uint64_t signature, const struct rf_memory_quota *quotas,
			   size_t n_quotas, const struct rf_memory_device *devices, size_t n_devices,
			   const struct rf_gpu *gpu);
/* On the device with that name on its bus; NULL: that is not known. */
struct rf_memory_limit *rf_memory_limit_find(const struct rf_memory_cgroup *c, const char *parent);
/* Does the kernel limit memory of any device? As of the last look. */
bool rf_memory_limits_by_kernel(const struct rf_memory_limits *m);
/* What is set stays. */
void rf_memory_limits_stop(struct rf_memory_limits *m);

#endif

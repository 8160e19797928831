/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that `status`, `top` and /metrics show, read at one moment.
 * Filled by the daemon, rendered by export. Plain data; strings are owned by
 * the snapshot except those said to be static.
 */
#ifndef RF_MODEL_SNAPSHOT_H
#define RF_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/accel_map.h"
#include "ringfence/call_map.h"
#include "ringfence/guard_map.h"
#include "ringfence/stats_map.h"
#include "user/model/accelerator_health.h"
#include "user/model/account.h"
#include "user/model/action.h"
#include "user/model/gpu_message.h"
#include "user/model/identity.h"
#include "user/model/memory_limit.h"

#define RF_UNKNOWN UINT64_MAX /* a number that this host does not tell */

struct rf_workload_row {
	uint32_t id;
	char *name; /* tenant/namespace/name */
	char *tenant, *namespace, *short_name;
	char *path;	     /* of the root cgroup */
	const char *manager; /* static */
	const char *mode;    /* static: enforce, audit, mixed, none */
	char **policies;
	size_t n_policies;
	uint64_t counter[RF_COUNTER_COUNT];
	/* RF_PEER_CLASSES rows of the kernel's own memory, which go on counting; NULL: none. */
	const struct rf_account *account;
	uint64_t tasks;	       /* RF_UNKNOWN */
	uint64_t cpu_usec;     /* RF_UNKNOWN */
	uint64_t memory_bytes; /* RF_UNKNOWN */
};

struct rf_feature_row {
	enum rf_feature feature;
	enum rf_support support;
	char *why;
};

#define RF_HOOK_NOT_LOADED "not loaded: " /* how it begins why this host does not have a hook at all */

struct rf_hook_row {
	enum rf_hook hook;
	bool wanted; /* this host could have it */
	bool attached;
	const char *self_test; /* static: ok, failed, not run */
	char *why;	       /* NULL when all is well */
	uint64_t probe_hits, errors, repairs;
	uint64_t run_count, run_ns; /* RF_UNKNOWN unless kernel.bpf_stats_enabled */
	uint64_t recursion_misses;
};

struct rf_lane_row {
	enum rf_lane lane;
	uint64_t submitted, shed, lost, gaps;
	uint64_t ring_bytes, ring_used;
};

struct rf_map_row {
	const char *name; /* static */
	uint64_t entries; /* RF_UNKNOWN where not counted */
	uint64_t max_entries;
	uint64_t bytes; /* kernel memory, as the kernel accounts it */
};

struct rf_guard_row {
	bool locked;
	uint64_t open_s; /* it is open for so long; 0: it is not */
	uint64_t refused[RF_GUARD_COUNT];
};

/* What is recorded of flows, or of the lineage of data. */
struct rf_recorded_row {
	uint64_t rows, max, dropped, lost;
	uint64_t bytes; /* on disk */
	bool stored;	/* on disk; else flows are in memory alone, and the lineage in the kernel */
	char *trouble;	/* why it is not; NULL */
};

/* An accelerator of this host, or one that workloads have used and that is gone. */
struct rf_accelerator_row {
	uint32_t number; /* of the kernel's rows, RF_ACCEL_DEVICE_NONE: nodes that are of none alone */
	char *name, *driver, *parent, *uuid; /* uuid NULL: none */
	struct rf_accel_health *health;	     /* NULL: nobody tells any */
};

/* What amdkfd tells of a workload's processes on a GPU. */
struct rf_accel_kfd {
	uint64_t processes, bytes, compute_units; /* now */
	uint64_t sdma_ns, evicted_ns;		  /* ever */
};

/* What NVML tells of the processes of a workload on a device, and on an instance of it where that is divided. */
struct rf_nvml_use_row {
	const struct rf_workload_row *workload; /* NULL in sums over several */
	const struct rf_accelerator_row *device;
	uint32_t gpu_instance, compute_instance; /* RF_GPU_INSTANCE_NONE */
	uint64_t busy_ns, energy_uj, bytes, bytes_peak, processes;
};

/* Errors of a device of NVIDIA's that the kernel's log told of. */
struct rf_xid_row {
	char device[64]; /* its name, where that is known, else its address */
	uint32_t code;	 /* all bits set: those that there was no room for */
	uint64_t count;
};

/* The helper that asks NVML. */
struct rf_gpu_row {
	const char *state; /* of rf_gpu_state_name(), or what the daemon makes of it; NULL: no device of NVIDIA's */
	const char *why;   /* the driver's version, where it runs; "" */
	uint64_t restarts, refused, errors, unjoined, dropped;
};

struct rf_accelerator_use_row {
	const struct rf_workload_row *workload;
	const struct rf_accelerator_row *device;
	struct rf_accel_use use;
	/* of what is held */
	uint64_t idle_ns;    /* without work, for so long */
	const char *finding; /* static; "": none */
	uint64_t finding_ns; /* it is so, for so long */
	struct rf_accel_kfd kfd;
};

/* Open files of accelerators, and what of them was read by fdinfo. */
struct rf_accel_clients_row {
	bool known;    /* which files are open; else nothing is looked for */
	uint64_t read; /* now */
	uint64_t lost; /* now: nobody was found who has them open */
	uint64_t full; /* now: no room, or no descriptor, to read them */
	/* since the daemon started */
	uint64_t unread;   /* that were closed before they could be read */
	uint64_t searches; /* of all open files of the host */
	uint64_t looks;
	uint64_t cpu_ns, reads; /* of these; a client is read as often as it has moved */
	uint64_t last_cpu_ns, last_reads;
};

/* What a workload has called of libraries of accelerators, of one kind. */
struct rf_call_row {
	const struct rf_workload_row *workload;
	enum rf_call_kind kind;
	struct rf_call_use use;
};

/* Who keeps the quota of memory of a workload on a device. */
struct rf_memory_limit_row {
	const struct rf_workload_row *workload;
	const struct rf_accelerator_row *device;
	enum rf_memory_method method;
	uint64_t bytes; /* in force */
	uint64_t used;	/* as who keeps it tells it; RF_UNKNOWN */
};

struct rf_snapshot {
	uint64_t real_ns, boot_ns;
	/* daemon */
	uint32_t pid;
	uint64_t uptime_s;
	unsigned int level;
	char *root, *bpffs;
	bool adopted;
	uint32_t generation;
	uint64_t policies, n_cgroups, rulesets;
	const char *source;	 /* static: directory, rollback, confirm-pending */
	uint64_t confirm_left_s; /* RF_UNKNOWN: none pending */
	char *last_error;	 /* NULL: the last apply succeeded */
	uint64_t last_error_real_ns;
	uint64_t applies_ok, applies_failed, rollbacks, last_apply_real_ns;
	struct rf_recorded_row flows, lineage;
	struct rf_guard_row guard;
	/* cost */
	double cpu_s, children_cpu_s;
	uint64_t rss_bytes, children_rss_bytes, bpf_bytes, bpf_run_ns, open_fds;
	/* tables */
	struct rf_feature_row features[RF_FEATURE_COUNT];
	size_t n_features;
	struct rf_hook_row hooks[RF_HOOK_COUNT];
	size_t n_hooks;
	struct rf_lane_row lanes[RF_LANES];
	uint64_t errors[RF_ERROR_COUNT];
	struct rf_map_row maps[96];
	size_t n_maps;
	struct rf_workload_row *workloads;
	size_t n_workloads;
	struct rf_accelerator_row *accelerators;
	size_t n_accelerators;
	struct rf_accelerator_use_row *accelerator_uses; /* by workload, in the order of @workloads */
	size_t n_accelerator_uses;
	struct rf_call_row *calls; /* by workload, in the order of @workloads, and kind */
	size_t n_calls;
	struct rf_accel_clients_row accel_clients;
	uint64_t accel_skips;		   /* events that a program of the accounting was not run for */
	struct rf_nvml_use_row *nvml_uses; /* in the same order, and by instance */
	size_t n_nvml_uses;
	struct rf_memory_limit_row *memory_limits; /* by workload, in the order of @workloads, and device */
	size_t n_memory_limits;
	uint64_t memory_failures; /* limits that could not be set */
	struct rf_xid_row *xids;
	size_t n_xids;
	uint64_t log_missed;   /* times that the kernel's log was overwritten before it was read; RF_UNKNOWN */
	struct rf_gpu_row gpu; /* strings are borrowed */
};

#define RF_NVML_INSTANCE 24

void rf_snapshot_fini(struct rf_snapshot *s);
/* "1/0": the GPU instance and the compute instance in it; "": the whole device. Returns @text. */
const char *rf_nvml_instance(const struct rf_nvml_use_row *row, char text[static RF_NVML_INSTANCE]);
const char *rf_counter_key(enum rf_counter c); /* "egress_deny" */
const char *rf_error_name(enum rf_error e);
const char *rf_error_help(enum rf_error e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot with every table filled, for the tests of what renders it. All
 * strings are literals: rf_snapshot_fini() is not for it.
 */
#ifndef TESTS_EXPORT_SAMPLE_SNAPSHOT_H
#define TESTS_EXPORT_SAMPLE_SNAPSHOT_H

#include "user/lib/util.h"
#include "user/model/snapshot.h"

#define SAMPLE_REAL_NS	 1700000000123456789ULL
#define SAMPLE_WORKLOADS 3

struct sample {
	struct rf_snapshot snapshot;
	struct rf_workload_row rows[SAMPLE_WORKLOADS];
	struct rf_account web[RF_PEER_CLASSES];
	struct rf_accelerator_row accelerator;
	struct rf_accelerator_use_row use;
	struct rf_call_row calls[2];
	struct rf_accel_health health;
	struct rf_nvml_use_row nvml_use;
	struct rf_memory_limit_row limits[2];
	struct rf_xid_row xids[2];
};

static inline void sample_row(struct rf_workload_row *row, uint32_t id, const char *name, const char *namespace,
			      const char *short_name)
{
	static char *policies[] = { (char *)"acme/prod/base", (char *)"acme/prod/web" };

	*row = (struct rf_workload_row){
		.id = id,
		.name = (char *)name,
		.tenant = (char *)"acme",
		.namespace = (char *)namespace,
		.short_name = (char *)short_name,
		.path = (char *)"/system.slice/web.service",
		.manager = "systemd",
		.mode = "enforce",
		.policies = policies,
		.n_policies = 2,
		.tasks = 4 + id,
		.cpu_usec = 12345678,
		.memory_bytes = 1048576,
	};
	for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
		row->counter[c] = 1000 * id + c;
}

/* The web has talked to public addresses alone, the others to nobody. */
static inline void sample_accelerators(struct sample *sample)
{
	static char name[] = "accel/accel0", driver[] = "rf-testaccel", parent[] = "rf-testaccel.0", uuid[] = "U-1";

	sample->accelerator = (struct rf_accelerator_row){ 1, name, driver, parent, uuid, &sample->health };
	/* All is known, and nothing is as it should be. */
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		sample->health.value[i] = i + 0.5;
	sample->use = (struct rf_accelerator_use_row){
		&sample->rows[1],
		&sample->accelerator,
		{ .opens = 3,
		  .files = 1,
		  .held_ns = 1500000000,
		  .ioctls = { [RF_ACCEL_SUBMIT] = 7 },
		  .jobs = 7,
		  .busy_ns = 2000000001,
		  .queued_ns = 5,
		  .bytes = 4096,
		  .bytes_peak = 8192,
		  .under_way = 2,
		  .waits = 4,
		  .waited_ns = 1250000000,
		  .over = 1,
		  .fdinfo_ns = 1990000000,
		  .fdinfo_cycles = 12345,
		  .fdinfo_bytes = 8192,
		  .fdinfo_clients = 1,
		  .quota = { .flags = RF_QUOTA_GIVEN, .weight = 30 } },
		2500000000,
		"idle",
		2000000000,
		{ .processes = 1, .bytes = 65536, .compute_units = 4, .sdma_ns = 7000000, .evicted_ns = 8000000 },
	};
	sample->snapshot.accelerators = &sample->accelerator;
	sample->snapshot.n_accelerators = 1;
	sample->snapshot.accelerator_uses = &sample->use;
	sample->snapshot.n_accelerator_uses = 1;
	sample->calls[0] = (struct rf_call_row){
		&sample->rows[1],
		RF_CALL_LAUNCH,
		{ .calls = 5, .failures = 1, .ns = 9000000001 },
	};
	sample->calls[0].use.bucket[0] = 3;
	sample->calls[0].use.bucket[RF_CALL_BUCKETS - 1] = 2;
	sample->calls[1] = (struct rf_call_row){ &sample->rows[1], RF_CALL_COPY, { .calls = 1, .bytes = 4096 } };
	sample->snapshot.calls = sample->calls;
	sample->snapshot.n_calls = ARRAY_SIZE(sample->calls);
	sample->snapshot.accel_clients = (struct rf_accel_clients_row){
		.known = true, .read = 1, .lost = 2, .unread = 3, .searches = 4, .looks = 5, .cpu_ns = 6000000
	};
	sample->nvml_use = (struct rf_nvml_use_row){
		&sample->rows[1], &sample->accelerator, 1, 0, 1500000000, 2500000, 4096, 8192, 2,
	};
	sample->snapshot.nvml_uses = &sample->nvml_use;
	sample->snapshot.n_nvml_uses = 1;
	sample->limits[0] =
		(struct rf_memory_limit_row){ &sample->rows[0], &sample->accelerator, RF_MEMORY_DMEM, 8192, 4096 };
	sample->limits[1] = (struct rf_memory_limit_row){ &sample->rows[1], &sample->accelerator, RF_MEMORY_IOCTL, 512,
							  RF_UNKNOWN };
	sample->snapshot.memory_limits = sample->limits;
	sample->snapshot.n_memory_limits = 2;
	sample->snapshot.memory_failures = 9;
	sample->xids[0] = (struct rf_xid_row){ "nvidia0", 79, 3 };
	sample->xids[1] = (struct rf_xid_row){ "nvidia0", UINT32_MAX, 4 };
	sample->snapshot.xids = sample->xids;
	sample->snapshot.n_xids = 2;
	sample->snapshot.gpu = (struct rf_gpu_row){ "running", "600.1.2", 1, 2, 3, 4, 5 };
}

static inline void sample_account(struct sample *sample)
{
	struct rf_account *row = &sample->web[RF_CLASS_PUBLIC];
	__u64 *counter = (__u64 *)row;

	memset(sample->web, 0, sizeof(sample->web));
	for (size_t i = 0; i < sizeof(*row) / sizeof(*counter); i++)
		counter[i] = 2000 + i;
	row->traffic[RF_ALLOW][RF_EGRESS].bytes = 9007199254740993ULL; /* 2^53 + 1 */
	row->traffic[RF_WOULD_DENY][RF_EGRESS].bytes = 0;
	row->rtt_us = 1500001;
	sample->rows[1].account = sample->web;
}

static inline void sample_fill(struct sample *sample)
{
	static const char *const maps[] = { "rf_cgroup_map", "rf_workload_map", "rf_peer4_map" };
	struct rf_snapshot *s = &sample->snapshot;

	*s = (struct rf_snapshot){
		.real_ns = SAMPLE_REAL_NS,
		.boot_ns = 777000000001ULL,
		.pid = 4242,
		.uptime_s = 3600,
		.level = 1,
		.root = (char *)"/sys/fs/cgroup",
		.bpffs = (char *)"/sys/fs/bpf/ringfence",
		.adopted = true,
		.generation = 17,
		.policies = 5,
		.n_cgroups = 40,
		.rulesets = 6,
		.source = "directory",
		.confirm_left_s = RF_UNKNOWN,
		.applies_ok = 16,
		.applies_failed = 2,
		.rollbacks = 1,
		.last_apply_real_ns = SAMPLE_REAL_NS,
		.flows = { .rows = 312, .max = 65536, .dropped = 3, .lost = 2, .bytes = 81920, .stored = true },
		.lineage = { .rows = 12, .max = 131072, .dropped = 4, .lost = 1, .bytes = 40960, .stored = true },
		.cpu_s = 1.5,
		.rss_bytes = 10485760,
		.children_cpu_s = 0.25,
		.children_rss_bytes = 4194304,
		.bpf_bytes = 123456,
		.bpf_run_ns = RF_UNKNOWN,
		.open_fds = 33,
		.n_features = RF_FEATURE_COUNT,
		.n_hooks = RF_HOOK_COUNT,
		.n_maps = ARRAY_SIZE(maps),
		.workloads = sample->rows,
		.n_workloads = SAMPLE_WORKLOADS,
	};
	for (unsigned int i = 0; i < RF_FEATURE_COUNT; i++)
		s->features[i] = (struct rf_feature_row){ .feature = i, .support = i % 3, .why = (char *)"a reason" };
	for (unsigned int i = 0; i < RF_HOOK_COUNT; i++)
		s->hooks[i] = (struct rf_hook_row){ .hook = i,
						    .wanted = true,
						    .attached = i != RF_HOOK_LSM_PROBE,
						    .self_test = i == RF_HOOK_LSM_PROBE ? "not run" : "ok",
						    .probe_hits = i,
						    .run_count = RF_UNKNOWN,
						    .run_ns = RF_UNKNOWN };
	for (unsigned int i = 0; i < RF_LANES; i++)
		s->lanes[i] = (struct rf_lane_row){
			.lane = i, .submitted = 100 + i, .shed = 10 + i, .lost = i, .ring_bytes = 4096, .ring_used = 64
		};
	for (unsigned int i = 0; i < RF_ERROR_COUNT; i++)
		s->errors[i] = i;
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++)
		s->maps[i] = (struct rf_map_row){
			.name = maps[i], .entries = i ? 40 : RF_UNKNOWN, .max_entries = 65536, .bytes = 1 << 20
		};
	/* Not in the order of their ids. */
	sample_row(&sample->rows[0], 4, "acme/dev/batch", "dev", "batch");
	sample_row(&sample->rows[1], 2, "acme/prod/web", "prod", "web");
	sample_row(&sample->rows[2], 3, "acme/prod/db", "prod", "db");
	sample_account(sample);
	sample_accelerators(sample);
	sample->rows[2].memory_bytes = RF_UNKNOWN;
}

#endif

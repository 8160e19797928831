// SPDX-License-Identifier: GPL-2.0-or-later
/* The accelerators in the exposition. */
#include "user/export/prometheus_accel.h"
#include "user/export/prometheus_calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "user/lib/cleanup.h"
#include "user/model/accelerator_ioctl.h"

/* Of one family: a member of struct rf_accel_use. */
static const struct family {
	enum rf_metric metric;
	size_t offset;
	unsigned int decimals;
} families[] = {
	{ RF_METRIC_ACCEL_OPENS, offsetof(struct rf_accel_use, opens), 0 },
	{ RF_METRIC_ACCEL_FILES, offsetof(struct rf_accel_use, files), 0 },
	{ RF_METRIC_ACCEL_HELD, offsetof(struct rf_accel_use, held_ns), 9 },
	{ RF_METRIC_ACCEL_JOBS, offsetof(struct rf_accel_use, jobs), 0 },
	{ RF_METRIC_ACCEL_BUSY, offsetof(struct rf_accel_use, busy_ns), 9 },
	{ RF_METRIC_ACCEL_QUEUED, offsetof(struct rf_accel_use, queued_ns), 9 },
	{ RF_METRIC_ACCEL_MEMORY, offsetof(struct rf_accel_use, bytes), 0 },
	{ RF_METRIC_ACCEL_PEAK, offsetof(struct rf_accel_use, bytes_peak), 0 },
	{ RF_METRIC_ACCEL_UNDER_WAY, offsetof(struct rf_accel_use, under_way), 0 },
	{ RF_METRIC_ACCEL_ENERGY, offsetof(struct rf_accel_use, energy_uj), 6 },
	{ RF_METRIC_ACCEL_WAITS, offsetof(struct rf_accel_use, waits), 0 },
	{ RF_METRIC_ACCEL_WAITED, offsetof(struct rf_accel_use, waited_ns), 9 },
	{ RF_METRIC_ACCEL_OVER, offsetof(struct rf_accel_use, over), 0 },
};

/* What is told by drivers comes behind the share. */
static const struct family told[] = {
	{ RF_METRIC_ACCEL_TOLD_BUSY, offsetof(struct rf_accel_use, fdinfo_ns), 9 },
	{ RF_METRIC_ACCEL_TOLD_CYCLES, offsetof(struct rf_accel_use, fdinfo_cycles), 0 },
	{ RF_METRIC_ACCEL_TOLD_MEMORY, offsetof(struct rf_accel_use, fdinfo_bytes), 0 },
	{ RF_METRIC_ACCEL_TOLD_CLIENTS, offsetof(struct rf_accel_use, fdinfo_clients), 0 },
};

struct series {
	struct rf_exposition *x;
	const struct rf_accelerator_use_row *uses; /* of workloads with series of their own, then sums of the others */
	size_t n;
};

static uint64_t member(const struct rf_accel_use *use, size_t offset)
{
	return *(const uint64_t *)((const char *)use + offset);
}

void rf_prometheus_workload_labels(struct rf_exposition *x, const struct rf_workload_row *w)
{
	rf_exposition_label(x, "tenant", w ? w->tenant : RF_METRICS_OTHER);
	rf_exposition_label(x, "namespace", w ? w->namespace : RF_METRICS_OTHER);
	rf_exposition_label(x, "workload", w ? w->short_name : RF_METRICS_OTHER);
}

static void labels(const struct series *s, const struct rf_accelerator_use_row *row)
{
	rf_prometheus_workload_labels(s->x, row->workload);
	rf_exposition_label(s->x, "device", row->device->name);
}

static void ioctls_render(const struct series *s)
{
	rf_exposition_begin(s->x, rf_metric_family(RF_METRIC_ACCEL_IOCTLS));
	for (size_t i = 0; i < s->n; i++) {
		for (int class = 0; class < RF_ACCEL_CLASSES; class ++) {
			if (!s->uses[i].use.ioctls[class])
				continue;
			labels(s, &s->uses[i]);
			rf_exposition_label(s->x, "class", rf_accel_class_names[class]);
			rf_exposition_u64(s->x, s->uses[i].use.ioctls[class]);
		}
	}
}

static void devices_render(struct rf_exposition *x, const struct rf_snapshot *s)
{
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_ACCEL_DEVICE));
	for (size_t i = 0; i < s->n_accelerators; i++) {
		const struct rf_accelerator_row *row = &s->accelerators[i];

		/* What stands for nodes of none alone, and for libraries. */
		if (!*row->parent)
			continue;
		rf_exposition_label(x, "device", row->name);
		rf_exposition_label(x, "driver", row->driver);
		rf_exposition_label(x, "address", row->parent);
		rf_exposition_label(x, "uuid", row->uuid);
		rf_exposition_u64(x, 1);
	}
}

static const struct {
	enum rf_metric metric;
	size_t offset;
	unsigned int decimals;
} nvml_families[] = {
	{ RF_METRIC_NVML_BUSY, offsetof(struct rf_nvml_use_row, busy_ns), 9 },
	{ RF_METRIC_NVML_ENERGY, offsetof(struct rf_nvml_use_row, energy_uj), 6 },
	{ RF_METRIC_NVML_MEMORY, offsetof(struct rf_nvml_use_row, bytes), 0 },
	{ RF_METRIC_NVML_PEAK, offsetof(struct rf_nvml_use_row, bytes_peak), 0 },
	{ RF_METRIC_NVML_PROCESSES, offsetof(struct rf_nvml_use_row, processes), 0 },
};

static void nvml_labels(struct rf_exposition *x, const struct rf_nvml_use_row *row)
{
	char instance[RF_NVML_INSTANCE];

	rf_prometheus_workload_labels(x, row->workload);
	rf_exposition_label(x, "device", row->device->name);
	rf_exposition_label(x, "mig", rf_nvml_instance(row, instance));
}

static bool same_place(const struct rf_nvml_use_row *a, const struct rf_nvml_use_row *b)
{
	return a->device == b->device && a->gpu_instance == b->gpu_instance &&
	       a->compute_instance == b->compute_instance;
}

/* The rows of workloads that have series of their own, then sums of the others by device and instance; returns how
 * many. */
static size_t nvml_rows(const struct rf_snapshot *s, uint32_t limit, struct rf_nvml_use_row *rows)
{
	size_t own = 0, n;

	for (size_t i = 0; i < s->n_nvml_uses; i++)
		if (s->nvml_uses[i].workload->id < limit)
			rows[own++] = s->nvml_uses[i];
	n = own;
	for (size_t i = 0; i < s->n_nvml_uses; i++) {
		const struct rf_nvml_use_row *row = &s->nvml_uses[i];
		size_t k = own;

		if (row->workload->id < limit)
			continue;
		while (k < n && !same_place(&rows[k], row))
			k++;
		if (k == n)
			rows[n++] = (struct rf_nvml_use_row){ .device = row->device,
							      .gpu_instance = row->gpu_instance,
							      .compute_instance = row->compute_instance };
		for (size_t f = 0; f < ARRAY_SIZE(nvml_families); f++)
			*(uint64_t *)((char *)&rows[k] + nvml_families[f].offset) +=
				*(const uint64_t *)((const char *)row + nvml_families[f].offset);
	}
	return n;
}

static int nvml_render(struct rf_exposition *x, const struct rf_snapshot *s, uint32_t limit)
{
	_cleanup_free_ struct rf_nvml_use_row *rows = calloc(s->n_nvml_uses + 1, sizeof(*rows));
	size_t n;

	if (!rows)
		return -ENOMEM;
	n = nvml_rows(s, limit, rows);
	for (size_t f = 0; f < ARRAY_SIZE(nvml_families); f++) {
		rf_exposition_begin(x, rf_metric_family(nvml_families[f].metric));
		for (size_t i = 0; i < n; i++) {
			nvml_labels(x, &rows[i]);
			rf_exposition_fixed(x, *(const uint64_t *)((const char *)&rows[i] + nvml_families[f].offset),
					    nvml_families[f].decimals);
		}
	}
	return 0;
}

static void limit_labels(struct rf_exposition *x, const struct rf_memory_limit_row *row)
{
	rf_prometheus_workload_labels(x, row->workload);
	rf_exposition_label(x, "device", row->device->name);
}

/* Of workloads with series of their own: limits are not summed to anything. */
static void limits_render(struct rf_exposition *x, const struct rf_snapshot *s, uint32_t limit)
{
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_MEMORY_LIMIT));
	for (size_t i = 0; i < s->n_memory_limits; i++) {
		if (s->memory_limits[i].workload->id >= limit)
			continue;
		limit_labels(x, &s->memory_limits[i]);
		rf_exposition_label(x, "method", rf_memory_method_name(s->memory_limits[i].method));
		rf_exposition_u64(x, s->memory_limits[i].bytes);
	}
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_MEMORY_LIMIT_USED));
	for (size_t i = 0; i < s->n_memory_limits; i++) {
		if (s->memory_limits[i].workload->id >= limit || s->memory_limits[i].used == RF_UNKNOWN)
			continue;
		limit_labels(x, &s->memory_limits[i]);
		rf_exposition_u64(x, s->memory_limits[i].used);
	}
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_MEMORY_LIMIT_FAILURES));
	rf_exposition_u64(x, s->memory_failures);
}

static void xids_render(struct rf_exposition *x, const struct rf_snapshot *s)
{
	char code[16];

	rf_exposition_begin(x, rf_metric_family(RF_METRIC_XID));
	for (size_t i = 0; i < s->n_xids; i++) {
		const struct rf_xid_row *row = &s->xids[i];

		snprintf(code, sizeof(code), "%u", row->code);
		rf_exposition_label(x, "device", row->device);
		rf_exposition_label(x, "code", row->code == UINT32_MAX ? "other" : code);
		rf_exposition_u64(x, row->count);
	}
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_XID_MISSED));
	rf_exposition_u64(x, s->log_missed);
}

static void gpu_render(struct rf_exposition *x, const struct rf_gpu_row *g)
{
	const struct {
		enum rf_metric metric;
		uint64_t value;
	} counts[] = {
		{ RF_METRIC_GPU_RESTARTS, g->restarts }, { RF_METRIC_GPU_REFUSED, g->refused },
		{ RF_METRIC_GPU_ERRORS, g->errors },	 { RF_METRIC_GPU_UNJOINED, g->unjoined },
		{ RF_METRIC_GPU_DROPPED, g->dropped },
	};

	if (!g->state)
		return;
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_GPU_STATE));
	rf_exposition_label(x, "state", g->state);
	rf_exposition_u64(x, 1);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		rf_exposition_begin(x, rf_metric_family(counts[i].metric));
		rf_exposition_u64(x, counts[i].value);
	}
}

static void health_render(struct rf_exposition *x, const struct rf_snapshot *s)
{
	for (int reading = 0; reading < RF_HEALTH_COUNT; reading++) {
		rf_exposition_begin(x, rf_metric_health(reading));
		for (size_t i = 0; i < s->n_accelerators; i++) {
			const struct rf_accelerator_row *row = &s->accelerators[i];

			if (!row->health)
				continue;
			rf_exposition_label(x, "device", row->name);
			rf_exposition_label(x, "address", row->parent);
			rf_exposition_double(x, row->health->value[reading]);
		}
	}
}

/* What is a time of the moment or a peak is not summed to anything: the sum of peaks is what they were at most. */
static void use_sum(struct rf_accel_use *to, const struct rf_accel_use *use)
{
	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		*(uint64_t *)((char *)to + families[f].offset) += member(use, families[f].offset);
	for (size_t f = 0; f < ARRAY_SIZE(told); f++)
		*(uint64_t *)((char *)to + told[f].offset) += member(use, told[f].offset);
	for (int class = 0; class < RF_ACCEL_CLASSES; class ++)
		to->ioctls[class] += use->ioctls[class];
	to->quota.weight += use->quota.weight;
}

static void family_render(const struct series *s, const struct family *f)
{
	rf_exposition_begin(s->x, rf_metric_family(f->metric));
	for (size_t i = 0; i < s->n; i++) {
		labels(s, &s->uses[i]);
		rf_exposition_fixed(s->x, member(&s->uses[i].use, f->offset), f->decimals);
	}
}

static const struct family kfd[] = {
	{ RF_METRIC_KFD_MEMORY, offsetof(struct rf_accel_kfd, bytes), 0 },
	{ RF_METRIC_KFD_UNITS, offsetof(struct rf_accel_kfd, compute_units), 0 },
	{ RF_METRIC_KFD_SDMA, offsetof(struct rf_accel_kfd, sdma_ns), 9 },
	{ RF_METRIC_KFD_EVICTED, offsetof(struct rf_accel_kfd, evicted_ns), 9 },
};

static uint64_t kfd_member(const struct rf_accel_kfd *k, size_t offset)
{
	return *(const uint64_t *)((const char *)k + offset);
}

static void kfd_sum(struct rf_accel_kfd *to, const struct rf_accel_kfd *from)
{
	to->processes += from->processes;
	for (size_t f = 0; f < ARRAY_SIZE(kfd); f++)
		*(uint64_t *)((char *)to + kfd[f].offset) += kfd_member(from, kfd[f].offset);
}

static void kfd_render(const struct series *s)
{
	for (size_t f = 0; f < ARRAY_SIZE(kfd); f++) {
		rf_exposition_begin(s->x, rf_metric_family(kfd[f].metric));
		for (size_t i = 0; i < s->n; i++) {
			const struct rf_accel_kfd *k = &s->uses[i].kfd;

			if (!k->processes && !k->sdma_ns && !k->evicted_ns)
				continue;
			labels(s, &s->uses[i]);
			rf_exposition_fixed(s->x, kfd_member(k, kfd[f].offset), kfd[f].decimals);
		}
	}
}

/* Of workloads with series of their own; what is idle of the others is not summed to anything. */
static void holds_render(const struct series *s)
{
	rf_exposition_begin(s->x, rf_metric_family(RF_METRIC_ACCEL_IDLE));
	for (size_t i = 0; i < s->n; i++) {
		if (!s->uses[i].workload || !s->uses[i].use.files)
			continue;
		labels(s, &s->uses[i]);
		rf_exposition_fixed(s->x, s->uses[i].idle_ns, 9);
	}
	rf_exposition_begin(s->x, rf_metric_family(RF_METRIC_ACCEL_FINDING));
	for (size_t i = 0; i < s->n; i++) {
		if (!s->uses[i].workload || !*s->uses[i].finding)
			continue;
		labels(s, &s->uses[i]);
		rf_exposition_label(s->x, "finding", s->uses[i].finding);
		rf_exposition_fixed(s->x, s->uses[i].finding_ns, 9);
	}
}

static void clients_render(struct rf_exposition *x, const struct rf_accel_clients_row *row)
{
	const struct {
		const char *state;
		uint64_t n;
	} states[] = { { "read", row->read }, { "lost", row->lost }, { "full", row->full } };

	rf_exposition_begin(x, rf_metric_family(RF_METRIC_CLIENTS));
	for (size_t i = 0; row->known && i < ARRAY_SIZE(states); i++) {
		rf_exposition_label(x, "state", states[i].state);
		rf_exposition_u64(x, states[i].n);
	}
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_CLIENTS_UNREAD));
	rf_exposition_u64(x, row->unread);
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_CLIENTS_SEARCHES));
	rf_exposition_u64(x, row->searches);
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_CLIENTS_CPU));
	rf_exposition_fixed(x, row->cpu_ns, 9);
}

static int id_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The first id past those that have series of their own, which are the lowest. */
static int limit_find(const struct rf_snapshot *s, size_t max_workloads, uint32_t *ret)
{
	_cleanup_free_ uint32_t *ids = NULL;

	*ret = UINT32_MAX;
	if (s->n_workloads <= max_workloads)
		return 0;
	ids = calloc(s->n_workloads, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_workloads; i++)
		ids[i] = s->workloads[i].id;
	qsort(ids, s->n_workloads, sizeof(*ids), id_compare);
	*ret = ids[max_workloads];
	return 0;
}

int rf_prometheus_accelerators(struct rf_exposition *x, const struct rf_snapshot *s, size_t max_workloads)
{
	_cleanup_free_ struct rf_accelerator_use_row *uses =
		calloc(s->n_accelerator_uses + s->n_accelerators + 1, sizeof(*uses));
	struct series series = { x, uses, 0 };
	uint32_t limit;
	size_t own = 0;

	if (!uses || limit_find(s, max_workloads, &limit) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_accelerator_uses; i++)
		if (s->accelerator_uses[i].workload->id < limit)
			uses[own++] = s->accelerator_uses[i];
	series.n = own;
	for (size_t i = 0; i < s->n_accelerator_uses; i++) {
		const struct rf_accelerator_use_row *row = &s->accelerator_uses[i];
		size_t k = own;

		if (row->workload->id < limit)
			continue;
		while (k < series.n && uses[k].device != row->device)
			k++;
		if (k == series.n)
			uses[series.n++] = (struct rf_accelerator_use_row){ .device = row->device, .finding = "" };
		use_sum(&uses[k].use, &row->use);
		kfd_sum(&uses[k].kfd, &row->kfd);
	}
	devices_render(x, s);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		/* In the order of the table of metrics. */
		if (families[f].metric == RF_METRIC_ACCEL_JOBS)
			ioctls_render(&series);
		family_render(&series, &families[f]);
	}
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_ACCEL_SHARE));
	for (size_t i = 0; i < series.n; i++) {
		labels(&series, &uses[i]);
		rf_exposition_u64(x, uses[i].use.quota.weight);
	}
	rf_prometheus_calls(x, s, limit);
	for (size_t f = 0; f < ARRAY_SIZE(told); f++)
		family_render(&series, &told[f]);
	holds_render(&series);
	kfd_render(&series);
	rf_exposition_begin(x, rf_metric_family(RF_METRIC_ACCEL_SKIPS));
	rf_exposition_u64(x, s->accel_skips);
	clients_render(x, &s->accel_clients);
	if (nvml_render(x, s, limit) < 0)
		return -ENOMEM;
	limits_render(x, s, limit);
	xids_render(x, s);
	gpu_render(x, &s->gpu);
	health_render(x, s);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer to the control command "accelerators". */
#include "user/export/accelerators_json.h"

#include "user/model/accelerator_ioctl.h"
#include "user/model/calls.h"

/* What is in force of the workload's own. */
static void put_quota(const struct rf_accel_quota *q, struct rf_json *j)
{
	rf_json_object(j, "quota");
	rf_json_u64(j, "share", q->weight);
	rf_json_u64(j, "memory", q->memory);
	rf_json_bool(j, "audit", q->flags & RF_QUOTA_AUDIT);
	rf_json_object_end(j);
}

/* What the drivers tell, beside what was measured. */
static void put_told(const struct rf_accel_use *use, struct rf_json *j)
{
	rf_json_object(j, "fdinfo");
	rf_json_u64(j, "clients", use->fdinfo_clients);
	rf_json_u64(j, "engine_ns", use->fdinfo_ns);
	rf_json_u64(j, "cycles", use->fdinfo_cycles);
	rf_json_u64(j, "resident", use->fdinfo_bytes);
	rf_json_object_end(j);
}

static void put_kfd(const struct rf_accel_kfd *kfd, struct rf_json *j)
{
	rf_json_object(j, "kfd");
	rf_json_u64(j, "processes", kfd->processes);
	rf_json_u64(j, "vram", kfd->bytes);
	rf_json_u64(j, "compute_units", kfd->compute_units);
	rf_json_u64(j, "sdma_ns", kfd->sdma_ns);
	rf_json_u64(j, "evicted_ns", kfd->evicted_ns);
	rf_json_object_end(j);
}

static void put_clients(const struct rf_accel_clients_row *row, struct rf_json *j)
{
	rf_json_object(j, "clients");
	rf_json_bool(j, "known", row->known);
	rf_json_u64(j, "read", row->read);
	rf_json_u64(j, "lost", row->lost);
	rf_json_u64(j, "full", row->full);
	rf_json_u64(j, "unread", row->unread);
	rf_json_u64(j, "searches", row->searches);
	rf_json_u64(j, "looks", row->looks);
	rf_json_u64(j, "cpu_ns", row->cpu_ns);
	rf_json_u64(j, "reads", row->reads);
	rf_json_u64(j, "last_cpu_ns", row->last_cpu_ns);
	rf_json_u64(j, "last_reads", row->last_reads);
	rf_json_object_end(j);
}

static void put_use(const struct rf_accelerator_use_row *row, struct rf_json *j)
{
	rf_json_object(j, NULL);
	rf_json_string(j, "workload", row->workload->name);
	rf_json_string(j, "device", row->device->name);
	rf_json_u64(j, "opens", row->use.opens);
	rf_json_u64(j, "files", row->use.files);
	rf_json_u64(j, "held_ns", row->use.held_ns);
	rf_json_u64(j, "jobs", row->use.jobs);
	rf_json_u64(j, "busy_ns", row->use.busy_ns);
	rf_json_u64(j, "queued_ns", row->use.queued_ns);
	rf_json_u64(j, "bytes", row->use.bytes);
	rf_json_u64(j, "bytes_peak", row->use.bytes_peak);
	rf_json_u64(j, "under_way", row->use.under_way);
	rf_json_u64(j, "energy_uj", row->use.energy_uj);
	rf_json_u64(j, "waits", row->use.waits);
	rf_json_u64(j, "waited_ns", row->use.waited_ns);
	rf_json_u64(j, "over_quota", row->use.over);
	put_told(&row->use, j);
	if (row->kfd.processes || row->kfd.sdma_ns || row->kfd.evicted_ns)
		put_kfd(&row->kfd, j);
	rf_json_u64(j, "idle_ns", row->idle_ns);
	if (*row->finding) {
		rf_json_string(j, "finding", row->finding);
		rf_json_u64(j, "finding_ns", row->finding_ns);
	}
	if (row->use.quota.flags)
		put_quota(&row->use.quota, j);
	rf_json_object(j, "ioctls");
	for (int class = 0; class < RF_ACCEL_CLASSES; class ++)
		rf_json_u64(j, rf_accel_class_names[class], row->use.ioctls[class]);
	rf_json_object_end(j);
	rf_json_object_end(j);
}

static void put_call(const struct rf_call_row *row, struct rf_json *j)
{
	rf_json_object(j, NULL);
	rf_json_string(j, "workload", row->workload->name);
	rf_json_string(j, "call", rf_call_kind_name(row->kind));
	rf_json_u64(j, "calls", row->use.calls);
	rf_json_u64(j, "failures", row->use.failures);
	rf_json_u64(j, "ns", row->use.ns);
	rf_json_u64(j, "bytes", row->use.bytes);
	rf_json_array(j, "buckets");
	for (int i = 0; i < RF_CALL_BUCKETS; i++)
		rf_json_u64(j, NULL, row->use.bucket[i]);
	rf_json_array_end(j);
	rf_json_object_end(j);
}

static void put_health(const struct rf_accel_health *h, struct rf_json *j)
{
	const char *findings[RF_HEALTH_FINDINGS];
	size_t n = rf_health_findings(h, findings);

	rf_json_object(j, "health");
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		if (rf_health_is_known(h->value[i]))
			rf_json_double(j, rf_health_name(i), h->value[i]);
	rf_json_object_end(j);
	rf_json_array(j, "findings");
	for (size_t i = 0; i < n; i++)
		rf_json_string(j, NULL, findings[i]);
	rf_json_array_end(j);
}

static void put_nvml_use(const struct rf_nvml_use_row *row, struct rf_json *j)
{
	char instance[RF_NVML_INSTANCE];

	rf_json_object(j, NULL);
	rf_json_string(j, "workload", row->workload->name);
	rf_json_string(j, "device", row->device->name);
	rf_json_string(j, "instance", rf_nvml_instance(row, instance));
	rf_json_u64(j, "busy_ns", row->busy_ns);
	rf_json_u64(j, "energy_uj", row->energy_uj);
	rf_json_u64(j, "bytes", row->bytes);
	rf_json_u64(j, "bytes_peak", row->bytes_peak);
	rf_json_u64(j, "processes", row->processes);
	rf_json_object_end(j);
}

static void put_limit(const struct rf_memory_limit_row *row, struct rf_json *j)
{
	rf_json_object(j, NULL);
	rf_json_string(j, "workload", row->workload->name);
	rf_json_string(j, "device", row->device->name);
	rf_json_string(j, "method", rf_memory_method_name(row->method));
	rf_json_u64(j, "limit", row->bytes);
	if (row->used != RF_UNKNOWN)
		rf_json_u64(j, "used", row->used);
	rf_json_object_end(j);
}

void rf_accelerators_json(const struct rf_snapshot *s, struct rf_json *j)
{
	rf_json_u64(j, "time_ns", s->boot_ns);
	rf_json_array(j, "accelerators");
	for (size_t i = 0; i < s->n_accelerators; i++) {
		const struct rf_accelerator_row *row = &s->accelerators[i];

		if (!*row->parent)
			continue;
		rf_json_object(j, NULL);
		rf_json_string(j, "name", row->name);
		rf_json_string(j, "driver", row->driver);
		rf_json_string(j, "parent", row->parent);
		if (row->uuid)
			rf_json_string(j, "uuid", row->uuid);
		if (row->health)
			put_health(row->health, j);
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
	rf_json_array(j, "uses");
	for (size_t i = 0; i < s->n_accelerator_uses; i++)
		put_use(&s->accelerator_uses[i], j);
	rf_json_array_end(j);
	rf_json_u64(j, "skips", s->accel_skips);
	rf_json_array(j, "calls");
	for (size_t i = 0; i < s->n_calls; i++)
		put_call(&s->calls[i], j);
	rf_json_array_end(j);
	put_clients(&s->accel_clients, j);
	rf_json_array(j, "nvml");
	for (size_t i = 0; i < s->n_nvml_uses; i++)
		put_nvml_use(&s->nvml_uses[i], j);
	rf_json_array_end(j);
	rf_json_array(j, "memory_limits");
	for (size_t i = 0; i < s->n_memory_limits; i++)
		put_limit(&s->memory_limits[i], j);
	rf_json_array_end(j);
	rf_json_u64(j, "memory_limit_failures", s->memory_failures);
}

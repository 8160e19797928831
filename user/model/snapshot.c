// SPDX-License-Identifier: GPL-2.0-or-later
/* Life of snapshots, and the names of counters and errors. */
#include "user/model/snapshot.h"

#include <assert.h>

#include "user/lib/util.h"

/* The suffixes of enum rf_counter in lower case, which the preprocessor cannot make; the unit test compares them. */
static const char *const counter_keys[] = {
	[RF_COUNTER_EXEC] = "exec",
	[RF_COUNTER_FORK] = "fork",
	[RF_COUNTER_EXIT] = "exit",
	[RF_COUNTER_TX_DELAYED_BYTES] = "tx_delayed_bytes",
	[RF_COUNTER_TX_DROPPED_BYTES] = "tx_dropped_bytes",
	[RF_COUNTER_TX_WOULD_BYTES] = "tx_would_bytes",
	[RF_COUNTER_RX_DROPPED_BYTES] = "rx_dropped_bytes",
	[RF_COUNTER_RX_WOULD_BYTES] = "rx_would_bytes",
	[RF_COUNTER_TX_DELAYED_PACKETS] = "tx_delayed_packets",
	[RF_COUNTER_TX_DROPPED_PACKETS] = "tx_dropped_packets",
	[RF_COUNTER_TX_WOULD_PACKETS] = "tx_would_packets",
	[RF_COUNTER_RX_DROPPED_PACKETS] = "rx_dropped_packets",
	[RF_COUNTER_RX_WOULD_PACKETS] = "rx_would_packets",
	[RF_COUNTER_EGRESS_DENY] = "egress_deny",
	[RF_COUNTER_EGRESS_WOULD] = "egress_would",
	[RF_COUNTER_INGRESS_DENY] = "ingress_deny",
	[RF_COUNTER_INGRESS_WOULD] = "ingress_would",
	[RF_COUNTER_DEVICE_DENY] = "device_deny",
	[RF_COUNTER_DEVICE_WOULD] = "device_would",
	[RF_COUNTER_SOCKET_DENY] = "socket_deny",
	[RF_COUNTER_SOCKET_WOULD] = "socket_would",
	[RF_COUNTER_ISOLATION_DENY] = "isolation_deny",
	[RF_COUNTER_ISOLATION_WOULD] = "isolation_would",
	[RF_COUNTER_KERNEL_DENY] = "kernel_deny",
	[RF_COUNTER_KERNEL_WOULD] = "kernel_would",
	[RF_COUNTER_FILE_DENY] = "file_deny",
	[RF_COUNTER_FILE_WOULD] = "file_would",
	[RF_COUNTER_EXEC_DENY] = "exec_deny",
	[RF_COUNTER_EXEC_WOULD] = "exec_would",
	[RF_COUNTER_ACCEL_DENY] = "accel_deny",
	[RF_COUNTER_ACCEL_WOULD] = "accel_would",
	[RF_COUNTER_ACCEL_QUOTA_DENY] = "accel_quota_deny",
	[RF_COUNTER_ACCEL_QUOTA_WOULD] = "accel_quota_would",
	[RF_COUNTER_LINEAGE_MERGED] = "lineage_merged",
	[RF_COUNTER_EVENTS] = "events",
	[RF_COUNTER_EVENTS_SHED] = "events_shed",
	[RF_COUNTER_EVENTS_LOST] = "events_lost",
};
static_assert(ARRAY_SIZE(counter_keys) == RF_COUNTER_COUNT, "a counter has no key");

static const struct {
	const char *name;
	const char *help;
} errors[] = {
#define X(id, error, text) [RF_ERROR_##id] = { error, text },
	RF_ERRORS(X)
#undef X
};

static void fini_workload(struct rf_workload_row *w)
{
	free(w->name);
	free(w->tenant);
	free(w->namespace);
	free(w->short_name);
	free(w->path);
	for (size_t i = 0; i < w->n_policies; i++)
		free(w->policies[i]);
	free(w->policies);
}

void rf_snapshot_fini(struct rf_snapshot *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->features); i++)
		free(s->features[i].why);
	for (size_t i = 0; i < ARRAY_SIZE(s->hooks); i++)
		free(s->hooks[i].why);
	for (size_t i = 0; i < s->n_workloads; i++)
		fini_workload(&s->workloads[i]);
	free(s->workloads);
	for (size_t i = 0; i < s->n_accelerators; i++) {
		free(s->accelerators[i].name);
		free(s->accelerators[i].driver);
		free(s->accelerators[i].parent);
		free(s->accelerators[i].uuid);
		free(s->accelerators[i].health);
	}
	free(s->accelerators);
	free(s->accelerator_uses);
	free(s->calls);
	free(s->nvml_uses);
	free(s->memory_limits);
	free(s->xids);
	free(s->root);
	free(s->bpffs);
	free(s->last_error);
	free(s->flows.trouble);
	free(s->lineage.trouble);
	memset(s, 0, sizeof(*s));
}

const char *rf_nvml_instance(const struct rf_nvml_use_row *row, char text[static RF_NVML_INSTANCE])
{
	text[0] = '\0';
	if (row->gpu_instance != RF_GPU_INSTANCE_NONE && row->compute_instance != RF_GPU_INSTANCE_NONE)
		snprintf(text, RF_NVML_INSTANCE, "%u/%u", row->gpu_instance, row->compute_instance);
	else if (row->gpu_instance != RF_GPU_INSTANCE_NONE)
		snprintf(text, RF_NVML_INSTANCE, "%u", row->gpu_instance);
	return text;
}

const char *rf_counter_key(enum rf_counter c)
{
	return (unsigned int)c < RF_COUNTER_COUNT ? counter_keys[c] : "unknown";
}

const char *rf_error_name(enum rf_error e)
{
	return (unsigned int)e < RF_ERROR_COUNT ? errors[e].name : "unknown";
}

const char *rf_error_help(enum rf_error e)
{
	return (unsigned int)e < RF_ERROR_COUNT ? errors[e].help : "unknown";
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a device says of itself. What it does not know stays unknown. */
#include "user/helper/gpu/gpu.h"
#include "user/lib/util.h"

/* Most functions have one of three forms. */
enum form {
	NUMBER, /* (device, unsigned int *) */
	CHOSEN, /* (device, which, unsigned int *) */
	LARGE,	/* (device, unsigned long long *) */
};

static const struct {
	enum rf_health_reading reading;
	enum nvml_call call;
	enum form form;
	int which;
	double times; /* to the reading's unit */
} readings[] = {
	{ RF_HEALTH_TEMPERATURE, NVML_TEMPERATURE, CHOSEN, 0, 1 }, /* NVML_TEMPERATURE_GPU */
	{ RF_HEALTH_POWER, NVML_POWER, NUMBER, 0, 1e-3 },
	{ RF_HEALTH_POWER_LIMIT, NVML_POWER_LIMIT, NUMBER, 0, 1e-3 },
	{ RF_HEALTH_ENERGY, NVML_ENERGY, LARGE, 0, 1e-3 },
	{ RF_HEALTH_CLOCK, NVML_CLOCK, CHOSEN, 1, 1e6 },	/* NVML_CLOCK_SM */
	{ RF_HEALTH_MEMORY_CLOCK, NVML_CLOCK, CHOSEN, 2, 1e6 }, /* NVML_CLOCK_MEM */
	{ RF_HEALTH_PCIE_GENERATION, NVML_PCIE_GENERATION, NUMBER, 0, 1 },
	{ RF_HEALTH_PCIE_WIDTH, NVML_PCIE_WIDTH, NUMBER, 0, 1 },
	{ RF_HEALTH_PCIE_GENERATION_MAX, NVML_PCIE_GENERATION_MAX, NUMBER, 0, 1 },
	{ RF_HEALTH_PCIE_WIDTH_MAX, NVML_PCIE_WIDTH_MAX, NUMBER, 0, 1 },
	{ RF_HEALTH_PCIE_REPLAYS, NVML_PCIE_REPLAYS, NUMBER, 0, 1 },
	{ RF_HEALTH_PCIE_SENT, NVML_PCIE_THROUGHPUT, CHOSEN, 0, 1e3 },	   /* NVML_PCIE_UTIL_TX_BYTES */
	{ RF_HEALTH_PCIE_RECEIVED, NVML_PCIE_THROUGHPUT, CHOSEN, 1, 1e3 }, /* NVML_PCIE_UTIL_RX_BYTES */
};

static int number_get(const struct nvml *n, size_t i, nvml_device device, unsigned long long *ret)
{
	void *function = n->function[readings[i].call];
	unsigned int number = 0;
	int result;

	if (!function)
		return NVML_FUNCTION_NOT_FOUND;
	if (readings[i].form == LARGE)
		return ((int (*)(nvml_device, unsigned long long *))function)(device, ret);
	if (readings[i].form == NUMBER)
		result = ((int (*)(nvml_device, unsigned int *))function)(device, &number);
	else
		result = ((int (*)(nvml_device, int, unsigned int *))function)(device, readings[i].which, &number);
	*ret = number;
	/* NVML_VALUE_NOT_AVAILABLE */
	return result == NVML_SUCCESS && number == UINT32_MAX ? NVML_NOT_SUPPORTED : result;
}

static void numbers(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		unsigned long long number = 0;
		int result = number_get(&g->nvml, i, d->handle, &number);

		if (nvml_good(&g->nvml, readings[i].call, result, d->name))
			h->value[readings[i].reading] = (double)number * readings[i].times;
	}
}

/* The older function is to go. */
static void temperature(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	struct nvml_temperature t = { .version = NVML_VERSION(struct nvml_temperature, 1) };
	int result;

	if (rf_health_is_known(h->value[RF_HEALTH_TEMPERATURE]))
		return;
	result = NVML(&g->nvml, TEMPERATURE_V, (nvml_device, struct nvml_temperature *), d->handle, &t);
	if (nvml_good(&g->nvml, NVML_TEMPERATURE_V, result, d->name))
		h->value[RF_HEALTH_TEMPERATURE] = t.celsius;
}

static void utilization(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	struct nvml_utilization u = { 0 };
	int result = NVML(&g->nvml, UTILIZATION, (nvml_device, struct nvml_utilization *), d->handle, &u);

	if (!nvml_good(&g->nvml, NVML_UTILIZATION, result, d->name))
		return;
	h->value[RF_HEALTH_UTILIZATION] = u.gpu / 100.0;
	h->value[RF_HEALTH_MEMORY_UTILIZATION] = u.memory / 100.0;
}

static void memory(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	struct nvml_memory_v2 v2 = { .version = NVML_VERSION(struct nvml_memory_v2, 2) };
	struct nvml_memory v1 = { 0 };
	int result = NVML(&g->nvml, MEMORY_V2, (nvml_device, struct nvml_memory_v2 *), d->handle, &v2);

	if (result == NVML_SUCCESS) {
		h->value[RF_HEALTH_MEMORY_SIZE] = (double)v2.total;
		h->value[RF_HEALTH_MEMORY_USED] = (double)v2.used;
		return;
	}
	result = NVML(&g->nvml, MEMORY, (nvml_device, struct nvml_memory *), d->handle, &v1);
	if (!nvml_good(&g->nvml, NVML_MEMORY, result, d->name))
		return;
	h->value[RF_HEALTH_MEMORY_SIZE] = (double)v1.total;
	h->value[RF_HEALTH_MEMORY_USED] = (double)v1.used;
}

/* nvmlClocksEventReason*, which were called ThrottleReason before. */
#define REASON_POWER	0x4ULL	/* SwPowerCap */
#define REASON_THERMAL	0x60ULL /* SwThermalSlowdown, HwThermalSlowdown */
#define REASON_HARDWARE 0x88ULL /* HwSlowdown, HwPowerBrakeSlowdown */

static void throttled(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	enum nvml_call call = g->nvml.function[NVML_CLOCK_REASONS] ? NVML_CLOCK_REASONS : NVML_THROTTLE_REASONS;
	int (*get)(nvml_device, unsigned long long *) =
		(int (*)(nvml_device, unsigned long long *))g->nvml.function[call];
	unsigned long long reasons = 0;

	if (!get || !nvml_good(&g->nvml, call, get(d->handle, &reasons), d->name))
		return;
	h->value[RF_HEALTH_THROTTLE_POWER] = !!(reasons & REASON_POWER);
	h->value[RF_HEALTH_THROTTLE_THERMAL] = !!(reasons & REASON_THERMAL);
	h->value[RF_HEALTH_THROTTLE_HARDWARE] = !!(reasons & REASON_HARDWARE);
}

static void memory_errors(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	/* NVML_MEMORY_ERROR_TYPE_* and, of both, NVML_VOLATILE_ECC: since the driver was loaded. */
	static const enum rf_health_reading kinds[] = { RF_HEALTH_ECC_CORRECTED, RF_HEALTH_ECC_UNCORRECTED };
	unsigned int corrected = 0, uncorrected = 0, pending = 0, failed = 0;
	int result;

	for (int kind = 0; kind < (int)ARRAY_SIZE(kinds); kind++) {
		unsigned long long count = 0;

		result = NVML(&g->nvml, ECC, (nvml_device, int, int, unsigned long long *), d->handle, kind, 0, &count);
		if (nvml_good(&g->nvml, NVML_ECC, result, d->name))
			h->value[kinds[kind]] = (double)count;
	}
	result = NVML(&g->nvml, REMAPPED, (nvml_device, unsigned int *, unsigned int *, unsigned int *, unsigned int *),
		      d->handle, &corrected, &uncorrected, &pending, &failed);
	if (!nvml_good(&g->nvml, NVML_REMAPPED, result, d->name))
		return;
	h->value[RF_HEALTH_ROWS_REMAPPED] = uncorrected;
	h->value[RF_HEALTH_ROW_REMAP_FAILED] = !!failed;
}

/* NVML_FI_DEV_*; the sums of all links of NVLink, where a scope is asked for. Those of one reading are added up. */
static const struct {
	unsigned int id, scope;
	enum rf_health_reading reading;
	double times;
} fields[] = {
	{ 82, 0, RF_HEALTH_MEMORY_TEMPERATURE, 1 },	      /* MEMORY_TEMP */
	{ 138, UINT32_MAX, RF_HEALTH_NVLINK_SENT, 1024 },     /* NVLINK_THROUGHPUT_DATA_TX */
	{ 139, UINT32_MAX, RF_HEALTH_NVLINK_RECEIVED, 1024 }, /* NVLINK_THROUGHPUT_DATA_RX */
	{ 38, 0, RF_HEALTH_NVLINK_ERRORS, 1 },		      /* NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL */
	{ 45, 0, RF_HEALTH_NVLINK_ERRORS, 1 },		      /* NVLINK_CRC_DATA_ERROR_COUNT_TOTAL */
	{ 52, 0, RF_HEALTH_NVLINK_ERRORS, 1 },		      /* NVLINK_REPLAY_ERROR_COUNT_TOTAL */
	{ 59, 0, RF_HEALTH_NVLINK_ERRORS, 1 },		      /* NVLINK_RECOVERY_ERROR_COUNT_TOTAL */
	{ 173, 0, RF_HEALTH_PCIE_ERRORS, 1 },		      /* PCIE_COUNT_CORRECTABLE_ERRORS */
	{ 179, 0, RF_HEALTH_PCIE_ERRORS, 1 },		      /* PCIE_COUNT_NON_FATAL_ERROR */
	{ 180, 0, RF_HEALTH_PCIE_ERRORS, 1 },		      /* PCIE_COUNT_FATAL_ERROR */
};

static double field_value(const struct nvml_field *f)
{
	switch (f->type) {
	case 0:
		return f->value.d;
	case 1:
		return f->value.u;
	case 2:
		return (double)f->value.ul;
	case 3:
		return (double)f->value.ull;
	case 4:
		return (double)f->value.ll;
	case 5:
		return f->value.i;
	case 6:
		return f->value.us;
	default:
		return RF_HEALTH_UNKNOWN;
	}
}

static void fields_get(struct gpu *g, const struct gpu_device *d, struct rf_accel_health *h)
{
	struct nvml_field asked[ARRAY_SIZE(fields)] = { 0 };
	int result;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		asked[i].id = fields[i].id;
		asked[i].scope = fields[i].scope;
		asked[i].result = NVML_NOT_SUPPORTED;
	}
	result = NVML(&g->nvml, FIELDS, (nvml_device, int, struct nvml_field *), d->handle, (int)ARRAY_SIZE(fields),
		      asked);
	if (!nvml_good(&g->nvml, NVML_FIELDS, result, d->name))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		double *to = &h->value[fields[i].reading], value = field_value(&asked[i]) * fields[i].times;

		/* Which fields a device has is no failure of the call. */
		if (asked[i].result == NVML_SUCCESS && isfinite(value))
			*to = rf_health_is_known(*to) ? *to + value : value;
	}
}

void gpu_health(struct gpu *g, const struct gpu_device *d)
{
	union rf_gpu_message m = { 0 };
	struct rf_accel_health *h = &m.health.health;

	rf_accel_health_init(h);
	snprintf(h->parent, sizeof(h->parent), "%s", d->name);
	numbers(g, d, h);
	temperature(g, d, h);
	utilization(g, d, h);
	memory(g, d, h);
	throttled(g, d, h);
	memory_errors(g, d, h);
	fields_get(g, d, h);
	gpu_send(g, RF_GPU_HEALTH, &m);
}

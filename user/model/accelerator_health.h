/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device says of itself: one value a reading, from whoever knows it. NVIDIA's come from NVML by the helper
 * process, the others' from sysfs. Plain data; a reading that nobody tells is RF_HEALTH_UNKNOWN, and is not exported.
 *
 * Sources: DCGM's field identifiers (dcgm_fields.h) and dcgm-exporter's default counters for the last column, which is
 * the name that dashboards made for that exporter know.
 */
#ifndef RF_MODEL_ACCELERATOR_HEALTH_H
#define RF_MODEL_ACCELERATOR_HEALTH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/accel_map.h"

/*
 * X(enum suffix, end of the metric's name, type, what it is, dcgm-exporter's name or ""). In base units: celsius,
 * watts, joules, hertz, bytes; a ratio is 0..1. What is a COUNTER counts from when the driver was loaded.
 */
#define RF_HEALTH_READINGS(X)                                                                                          \
	X(TEMPERATURE, "temperature_celsius", GAUGE, "Temperature of the device.", "DCGM_FI_DEV_GPU_TEMP")             \
	X(MEMORY_TEMPERATURE, "memory_temperature_celsius", GAUGE, "Temperature of the device's memory.",              \
	  "DCGM_FI_DEV_MEMORY_TEMP")                                                                                   \
	X(POWER, "power_watts", GAUGE, "What the device draws.", "DCGM_FI_DEV_POWER_USAGE")                            \
	X(POWER_LIMIT, "power_limit_watts", GAUGE, "What the device may draw.", "DCGM_FI_DEV_POWER_MGMT_LIMIT")        \
	X(ENERGY, "energy_joules", COUNTER, "What the device has drawn.", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")      \
	X(UTILIZATION, "utilization_ratio", GAUGE, "Part of the last moment in which the device worked.",              \
	  "DCGM_FI_DEV_GPU_UTIL")                                                                                      \
	X(MEMORY_UTILIZATION, "memory_utilization_ratio", GAUGE,                                                       \
	  "Part of the last moment in which its memory was read or written.", "DCGM_FI_DEV_MEM_COPY_UTIL")             \
	X(MEMORY_SIZE, "memory_size_bytes", GAUGE, "The device's own memory.", "")                                     \
	X(MEMORY_USED, "memory_used_bytes", GAUGE, "Of it in use, by whomever.", "DCGM_FI_DEV_FB_USED")                \
	X(CLOCK, "clock_hertz", GAUGE, "Clock of its processors.", "DCGM_FI_DEV_SM_CLOCK")                             \
	X(MEMORY_CLOCK, "memory_clock_hertz", GAUGE, "Clock of its memory.", "DCGM_FI_DEV_MEM_CLOCK")                  \
	X(THROTTLE_POWER, "throttled_power", GAUGE, "1 while its clocks are held down for power.",                     \
	  "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS")                                                                        \
	X(THROTTLE_THERMAL, "throttled_thermal", GAUGE, "1 while its clocks are held down for temperature.",           \
	  "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS")                                                                        \
	X(THROTTLE_HARDWARE, "throttled_hardware", GAUGE, "1 while hardware slows it down: brake, or failing supply.", \
	  "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS")                                                                        \
	X(ECC_CORRECTED, "ecc_corrected_errors", COUNTER, "Memory errors that were corrected.",                        \
	  "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL")                                                                             \
	X(ECC_UNCORRECTED, "ecc_uncorrected_errors", COUNTER, "Memory errors that were not.",                          \
	  "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL")                                                                             \
	X(ROWS_REMAPPED, "remapped_rows", GAUGE, "Rows of memory replaced for uncorrectable errors, ever.",            \
	  "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS")                                                                   \
	X(ROW_REMAP_FAILED, "row_remap_failure", GAUGE, "1 when a row could not be replaced: the device must go.",     \
	  "DCGM_FI_DEV_ROW_REMAP_FAILURE")                                                                             \
	X(SUSPENDED, "runtime_suspended", GAUGE, "1 while it sleeps to save power: nothing else is read then.", "")    \
	X(PCIE_GENERATION, "pcie_generation", GAUGE, "Of its link to the host, now.", "DCGM_FI_DEV_PCIE_LINK_GEN")     \
	X(PCIE_WIDTH, "pcie_lanes", GAUGE, "Of its link to the host, now.", "DCGM_FI_DEV_PCIE_LINK_WIDTH")             \
	X(PCIE_GENERATION_MAX, "pcie_generation_max", GAUGE, "That both ends of its link can do.",                     \
	  "DCGM_FI_DEV_PCIE_MAX_LINK_GEN")                                                                             \
	X(PCIE_WIDTH_MAX, "pcie_lanes_max", GAUGE, "That both ends of its link can do.",                               \
	  "DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH")                                                                           \
	X(PCIE_REPLAYS, "pcie_replays", COUNTER, "Packets of its link that were sent again.",                          \
	  "DCGM_FI_DEV_PCIE_REPLAY_COUNTER")                                                                           \
	X(PCIE_SENT, "pcie_sent_bytes_per_second", GAUGE, "From the device to the host, over the last moment.",        \
	  "DCGM_FI_PROF_PCIE_TX_BYTES")                                                                                \
	X(PCIE_RECEIVED, "pcie_received_bytes_per_second", GAUGE, "From the host, over the last moment.",              \
	  "DCGM_FI_PROF_PCIE_RX_BYTES")                                                                                \
	X(PCIE_ERRORS, "pcie_errors", COUNTER, "Errors of its link that were reported, corrected or not.", "")         \
	X(NVLINK_SENT, "nvlink_sent_bytes", COUNTER, "By NVLink to other devices.", "DCGM_FI_PROF_NVLINK_TX_BYTES")    \
	X(NVLINK_RECEIVED, "nvlink_received_bytes", COUNTER, "By NVLink from other devices.",                          \
	  "DCGM_FI_PROF_NVLINK_RX_BYTES")                                                                              \
	X(NVLINK_ERRORS, "nvlink_errors", COUNTER, "Errors of its NVLinks: checksums, replays and recoveries.",        \
	  "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL")

enum rf_health_reading {
#define X(id, name, type, help, dcgm) RF_HEALTH_##id,
	RF_HEALTH_READINGS(X)
#undef X
		RF_HEALTH_COUNT
};

#define RF_HEALTH_UNKNOWN NAN

struct rf_accel_health {
	char parent[RF_ACCEL_DEVICE_NAME]; /* of which device: struct rf_accelerator's */
	double value[RF_HEALTH_COUNT];
};

static inline void rf_accel_health_init(struct rf_accel_health *h)
{
	*h = (struct rf_accel_health){ 0 };
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		h->value[i] = RF_HEALTH_UNKNOWN;
}

static inline bool rf_health_is_known(double value)
{
	return !isnan(value);
}

#define RF_HEALTH_FINDINGS 8

const char *rf_health_name(enum rf_health_reading reading);	 /* "temperature_celsius" */
const char *rf_health_dcgm_name(enum rf_health_reading reading); /* "": it has none */
bool rf_health_any_known(const struct rf_accel_health *h);
/* What of it somebody should look at, one word each: static strings; returns how many. */
size_t rf_health_findings(const struct rf_accel_health *h, const char *list[static RF_HEALTH_FINDINGS]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML, as far as we ask it: names, numbers and layouts of its public
 * interface (docs.nvidia.com/deploy/nvml-api), declared here so that neither
 * building nor installing needs NVIDIA's files. The library is loaded by name
 * and any function may be missing from it: an older driver has fewer.
 *
 * Calls that failed are counted; the first failure of each function is in the
 * log. That a device does not know what it is asked is no failure.
 */
#ifndef RF_HELPER_GPU_NVML_H
#define RF_HELPER_GPU_NVML_H

#include <stdint.h>

/* nvmlReturn_t */
enum {
	NVML_SUCCESS = 0,
	NVML_INVALID_ARGUMENT = 2,
	NVML_NOT_SUPPORTED = 3,
	NVML_NO_PERMISSION = 4,
	NVML_NOT_FOUND = 6,
	NVML_INSUFFICIENT_SIZE = 7,
	NVML_DRIVER_NOT_LOADED = 9,
	NVML_FUNCTION_NOT_FOUND = 13,
	NVML_NO_DATA = 21,
	NVML_VERSION_MISMATCH = 25,
	NVML_DEPRECATED = 26,
	NVML_NOT_READY = 27,
};

typedef void *nvml_device; /* nvmlDevice_t */

/* A struct with a version says its own size with it. */
#define NVML_VERSION(type, number) ((unsigned int)(sizeof(type) | (number) << 24))

struct nvml_pci { /* nvmlPciInfo_t */
	char legacy[16];
	unsigned int domain, bus, device, id, subsystem;
	char text[32];
};

struct nvml_utilization { /* nvmlUtilization_t: percent */
	unsigned int gpu, memory;
};

struct nvml_memory { /* nvmlMemory_t */
	unsigned long long total, free, used;
};

struct nvml_memory_v2 { /* nvmlMemory_v2_t: @used without what the driver keeps for itself */
	unsigned int version;
	unsigned long long total, reserved, free, used;
};

struct nvml_temperature { /* nvmlTemperature_v1_t */
	unsigned int version, sensor;
	int celsius;
};

struct nvml_process { /* nvmlProcessInfo_v2_t, which the functions of version 3 take */
	unsigned int pid;
	unsigned long long bytes; /* all bits set: not known */
	unsigned int gpu_instance, compute_instance;
};

struct nvml_sample { /* nvmlProcessUtilizationSample_t */
	unsigned int pid;
	unsigned long long time_us;
	unsigned int sm, memory, encoder, decoder; /* percent */
};

struct nvml_sample_v1 { /* nvmlProcessUtilizationInfo_v1_t */
	unsigned long long time_us;
	unsigned int pid, sm, memory, encoder, decoder, jpeg, optical_flow;
};

struct nvml_samples_v1 { /* nvmlProcessesUtilizationInfo_v1_t */
	unsigned int version, n;
	unsigned long long since_us;
	struct nvml_sample_v1 *list;
};

struct nvml_accounting {			  /* nvmlAccountingStats_t */
	unsigned int gpu_percent, memory_percent; /* all bits set: not known */
	unsigned long long bytes_peak;		  /* likewise */
	unsigned long long time_ms;		  /* 0 while it runs */
	unsigned long long started_us;
	unsigned int running;
	unsigned int reserved[5];
};

struct nvml_field { /* nvmlFieldValue_t */
	unsigned int id, scope;
	long long time_us, latency_us;
	unsigned int type; /* of @value: nvmlValueType_t */
	int result;
	union {
		double d;
		int i;
		unsigned int u;
		unsigned long ul;
		unsigned long long ull;
		long long ll;
		unsigned short us;
	} value;
};

#define NVML_LIMIT_NONE (~0ULL) /* NVML_DEVICE_MEMORY_LIMIT_MAX */

struct nvml_limits_set {	/* nvmlSetMemoryLimits_v1_t */
	const char *name_space; /* the directory of a cgroup */
	unsigned long long soft, hard;
};

struct nvml_limits { /* nvmlGetMemoryLimits_v1_t */
	const char *name_space;
	unsigned long long soft, hard, used;
};

/* X(name here, symbol). In the order of the messages about them. */
#define NVML_CALLS(X)                                                    \
	X(INIT, "nvmlInit_v2")                                           \
	X(DRIVER_VERSION, "nvmlSystemGetDriverVersion")                  \
	X(COUNT, "nvmlDeviceGetCount_v2")                                \
	X(HANDLE, "nvmlDeviceGetHandleByIndex_v2")                       \
	X(PCI, "nvmlDeviceGetPciInfo_v3")                                \
	X(TEMPERATURE, "nvmlDeviceGetTemperature")                       \
	X(TEMPERATURE_V, "nvmlDeviceGetTemperatureV")                    \
	X(POWER, "nvmlDeviceGetPowerUsage")                              \
	X(POWER_LIMIT, "nvmlDeviceGetEnforcedPowerLimit")                \
	X(ENERGY, "nvmlDeviceGetTotalEnergyConsumption")                 \
	X(UTILIZATION, "nvmlDeviceGetUtilizationRates")                  \
	X(MEMORY, "nvmlDeviceGetMemoryInfo")                             \
	X(MEMORY_V2, "nvmlDeviceGetMemoryInfo_v2")                       \
	X(CLOCK, "nvmlDeviceGetClockInfo")                               \
	X(CLOCK_REASONS, "nvmlDeviceGetCurrentClocksEventReasons")       \
	X(THROTTLE_REASONS, "nvmlDeviceGetCurrentClocksThrottleReasons") \
	X(ECC, "nvmlDeviceGetTotalEccErrors")                            \
	X(REMAPPED, "nvmlDeviceGetRemappedRows")                         \
	X(PCIE_GENERATION, "nvmlDeviceGetCurrPcieLinkGeneration")        \
	X(PCIE_WIDTH, "nvmlDeviceGetCurrPcieLinkWidth")                  \
	X(PCIE_GENERATION_MAX, "nvmlDeviceGetMaxPcieLinkGeneration")     \
	X(PCIE_WIDTH_MAX, "nvmlDeviceGetMaxPcieLinkWidth")               \
	X(PCIE_REPLAYS, "nvmlDeviceGetPcieReplayCounter")                \
	X(PCIE_THROUGHPUT, "nvmlDeviceGetPcieThroughput")                \
	X(FIELDS, "nvmlDeviceGetFieldValues")                            \
	X(COMPUTE, "nvmlDeviceGetComputeRunningProcesses_v3")            \
	X(GRAPHICS, "nvmlDeviceGetGraphicsRunningProcesses_v3")          \
	X(MPS, "nvmlDeviceGetMPSComputeRunningProcesses_v3")             \
	X(SAMPLES, "nvmlDeviceGetProcessUtilization")                    \
	X(SAMPLES_V1, "nvmlDeviceGetProcessesUtilizationInfo")           \
	X(ACCOUNTING_MODE, "nvmlDeviceGetAccountingMode")                \
	X(ACCOUNTING_PIDS, "nvmlDeviceGetAccountingPids")                \
	X(ACCOUNTING_STATS, "nvmlDeviceGetAccountingStats")              \
	X(MIG_MODE, "nvmlDeviceGetMigMode")                              \
	X(MIG_COUNT, "nvmlDeviceGetMaxMigDeviceCount")                   \
	X(MIG_HANDLE, "nvmlDeviceGetMigDeviceHandleByIndex")             \
	X(LIMITS_GET, "nvmlDeviceGetMemoryLimits_v1")                    \
	X(LIMITS_SET, "nvmlDeviceSetMemoryLimits_v1")

enum nvml_call {
#define X(id, symbol) NVML_##id,
	NVML_CALLS(X)
#undef X
		NVML_CALL_COUNT
};

struct nvml {
	void *library;
	void *function[NVML_CALL_COUNT]; /* NULL: this library has it not */
	uint64_t errors;
	uint64_t told; /* bit per call: its failure is in the log */
};

/* 0, -ENOENT: there is none, -ENOEXEC: it is too old to tell which devices there are. */
int nvml_open(struct nvml *n, const char *path, const char **ret_why);
/*
 * Counts and tells @result of @call on the device with this name, unless it is none. Returns whether it is
 * NVML_SUCCESS.
 */
int nvml_good(struct nvml *n, enum nvml_call call, int result, const char *device);

/* The function of @call with these types, NVML_FUNCTION_NOT_FOUND where it is missing. */
#define NVML(n, call, types, ...)                                             \
	({                                                                    \
		int(*_call) types = (int(*) types)(n)->function[NVML_##call]; \
		_call ? _call(__VA_ARGS__) : NVML_FUNCTION_NOT_FOUND;         \
	})

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of memory by cgroup, which drivers of CUDA 13.4 and later keep. The
 * soft limit, what of its memory is a cgroup's own, is its administrator's: it
 * stays as it is, but never above the hard one.
 */
#include <errno.h>
#include <stdio.h>

#include "user/helper/gpu/gpu.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"
#include "user/model/memory_limit.h"

#define MIG_ON 1u /* NVML_DEVICE_MIG_ENABLE */

_Static_assert(NVML_LIMIT_NONE == RF_MEMORY_MAX && RF_GPU_UNKNOWN == RF_MEMORY_MAX, "no limit is the same everywhere");

static const struct gpu_device *device_find(const struct gpu *g, const char *name)
{
	for (unsigned int i = 0; i < g->n_devices; i++)
		if (rf_streq(g->devices[i].name, name))
			return &g->devices[i];
	return NULL;
}

/* Of one that is divided the driver keeps none, whatever it answers. */
static bool is_divided(struct gpu *g, const struct gpu_device *d)
{
	unsigned int now = 0, pending = 0;

	return NVML(&g->nvml, MIG_MODE, (nvml_device, unsigned int *, unsigned int *), d->handle, &now, &pending) ==
		       NVML_SUCCESS &&
	       now == MIG_ON;
}

/* What no device has is no limit. */
static uint64_t bounded(unsigned long long bytes)
{
	return bytes <= RF_GPU_BYTES_MAX ? bytes : RF_MEMORY_MAX;
}

static int limits_get(struct gpu *g, const struct gpu_device *d, const char *path, struct nvml_limits *ret)
{
	int result;

	*ret = (struct nvml_limits){ .name_space = path };
	result = NVML(&g->nvml, LIMITS_GET, (nvml_device, struct nvml_limits *), d->handle, ret);
	ret->hard = bounded(ret->hard);
	ret->used = bounded(ret->used);
	return result;
}

static int limits_set(struct gpu *g, const struct gpu_device *d, const struct nvml_limits *present, uint64_t hard)
{
	struct nvml_limits_set set = { present->name_space, MIN(present->soft, (unsigned long long)hard), hard };

	return NVML(&g->nvml, LIMITS_SET, (nvml_device, struct nvml_limits_set *), d->handle, &set);
}

static int request_do(struct gpu *g, struct rf_memory_request *r, struct nvml_limits *now)
{
	const struct gpu_device *d = device_find(g, r->claim.name);
	uint64_t hard;
	int result;

	if (!d)
		return NVML_NOT_FOUND;
	if (is_divided(g, d))
		return NVML_NOT_SUPPORTED;
	result = limits_get(g, d, r->path, now);
	if (result != NVML_SUCCESS)
		return result;
	/* The daemon writes it down when it is told. */
	rf_memory_claim_adopt(&r->claim, r->wanted, now->hard);
	if (!rf_memory_claim_step(&r->claim, r->wanted, now->hard, &hard))
		return result;
	result = limits_set(g, d, now, hard);
	if (result == NVML_SUCCESS)
		result = limits_get(g, d, r->path, now);
	if (result == NVML_SUCCESS && r->claim.asked != RF_MEMORY_MAX)
		r->claim.ours = now->hard;
	return result;
}

static void answer(struct gpu *g, uint32_t number, const struct rf_memory_request *r, int result,
		   const struct nvml_limits *now)
{
	union rf_gpu_message m = { .limit = { .request = number,
					      .result = result,
					      .asked = bounded(r->claim.asked),
					      .ours = bounded(r->claim.ours),
					      .before = bounded(r->claim.before),
					      .limit = now->hard,
					      .used = now->used } };

	gpu_send(g, RF_GPU_LIMIT, &m);
}

const char *gpu_limits(struct gpu *g)
{
	static const struct {
		enum nvml_call call;
		const char *symbol;
	} needed[] = { { NVML_LIMITS_GET, "nvmlDeviceGetMemoryLimits_v1" },
		       { NVML_LIMITS_SET, "nvmlDeviceSetMemoryLimits_v1" } };
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	ssize_t n;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!g->nvml.function[needed[i].call])
			return needed[i].symbol;
	for (uint32_t number = 0; (n = getline(&line, &room, stdin)) > 0; number++) {
		struct rf_memory_request r = { .wanted = RF_MEMORY_MAX };
		struct nvml_limits now = { .used = RF_GPU_UNKNOWN };
		int result = NVML_INVALID_ARGUMENT;

		if (rf_memory_request_parse(line, (size_t)n, &r) == 0)
			result = request_do(g, &r, &now);
		answer(g, number, &r, result, &now);
		/* What was done is told, should the next one hang. */
		if (gpu_flush(g) < 0)
			break;
	}
	return NULL;
}

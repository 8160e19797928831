// SPDX-License-Identifier: GPL-2.0-or-later
/* The functions, in order of their names' beginnings. */
#include "user/model/calls.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "user/lib/util.h"

static const char *const kind_names[] = {
#define X(id, name) [RF_CALL_##id] = name,
	RF_CALL_KINDS_X(X)
#undef X
};
static_assert(ARRAY_SIZE(kind_names) == RF_CALL_KINDS, "a kind of call has no name");

/* A kind is 0 for the first: one bit more says that there is a cookie at all. */
#define LAUNCH	     (RF_CALL(RF_CALL_LAUNCH, 0, 0) | RF_CALL_GIVEN)
#define GRAPH	     (RF_CALL(RF_CALL_GRAPH, 0, 0) | RF_CALL_GIVEN)
#define COPY(size)   (RF_CALL(RF_CALL_COPY, size, RF_CALL_BLOCKS) | RF_CALL_GIVEN)
#define QUEUED(size) (RF_CALL(RF_CALL_COPY, size, 0) | RF_CALL_GIVEN)
#define BUFFER(size) (RF_CALL(RF_CALL_COPY, size, RF_CALL_MAY_BLOCK) | RF_CALL_GIVEN)
#define ALLOC(size)  (RF_CALL(RF_CALL_ALLOC, size, 0) | RF_CALL_GIVEN)
#define MAKES(size)  (RF_CALL(RF_CALL_ALLOC, size, RF_CALL_POINTER) | RF_CALL_GIVEN)
#define SYNC	     (RF_CALL(RF_CALL_SYNC, 0, RF_CALL_BLOCKS) | RF_CALL_GIVEN)
#define POLL	     (RF_CALL(RF_CALL_SYNC, 0, RF_CALL_BLOCKS | RF_CALL_POLLS) | RF_CALL_GIVEN)
#define RESOLVE	     (RF_CALL_RESOLVES | RF_CALL_GIVEN)

static const struct {
	const char *name;
	uint64_t cookie;
} functions[] = {
	/* CUDA driver */
	{ "cuGetProcAddress", RESOLVE },
	{ "cuLaunch", LAUNCH },
	{ "cuLaunchGrid", LAUNCH },
	{ "cuLaunchGridAsync", LAUNCH },
	{ "cuLaunchKernel", LAUNCH },
	{ "cuLaunchKernelEx", LAUNCH },
	{ "cuLaunchCooperativeKernel", LAUNCH },
	{ "cuLaunchCooperativeKernelMultiDevice", LAUNCH },
	{ "cuGraphLaunch", GRAPH },
	{ "cuMemcpy", COPY(3) },
	{ "cuMemcpyHtoD", COPY(3) },
	{ "cuMemcpyDtoH", COPY(3) },
	{ "cuMemcpyDtoD", COPY(3) },
	{ "cuMemcpyPeer", COPY(5) },
	{ "cuMemcpy2D", COPY(0) },
	{ "cuMemcpy2DUnaligned", COPY(0) },
	{ "cuMemcpy3D", COPY(0) },
	{ "cuMemcpyAsync", QUEUED(3) },
	{ "cuMemcpyHtoDAsync", QUEUED(3) },
	{ "cuMemcpyDtoHAsync", QUEUED(3) },
	{ "cuMemcpyDtoDAsync", QUEUED(3) },
	{ "cuMemcpyPeerAsync", QUEUED(5) },
	{ "cuMemcpy2DAsync", QUEUED(0) },
	{ "cuMemcpy3DAsync", QUEUED(0) },
	{ "cuMemAlloc", ALLOC(2) },
	{ "cuMemAllocPitch", ALLOC(0) },
	{ "cuMemAllocManaged", ALLOC(2) },
	{ "cuMemAllocAsync", ALLOC(2) },
	{ "cuMemAllocFromPoolAsync", ALLOC(2) },
	{ "cuMemCreate", ALLOC(2) },
	{ "cuCtxSynchronize", SYNC },
	{ "cuStreamSynchronize", SYNC },
	{ "cuEventSynchronize", SYNC },
	{ "cuStreamQuery", POLL },
	{ "cuEventQuery", POLL },
	/* CUDA runtime */
	{ "cudaLaunchKernel", LAUNCH },
	{ "cudaLaunchKernelExC", LAUNCH },
	{ "cudaLaunchCooperativeKernel", LAUNCH },
	{ "cudaLaunchCooperativeKernelMultiDevice", LAUNCH },
	{ "cudaGraphLaunch", GRAPH },
	{ "cudaMemcpy", COPY(3) },
	{ "cudaMemcpyPeer", COPY(5) },
	{ "cudaMemcpy2D", COPY(0) },
	{ "cudaMemcpy3D", COPY(0) },
	{ "cudaMemcpyToSymbol", COPY(3) },
	{ "cudaMemcpyFromSymbol", COPY(3) },
	{ "cudaMemcpyAsync", QUEUED(3) },
	{ "cudaMemcpyPeerAsync", QUEUED(5) },
	{ "cudaMemcpy2DAsync", QUEUED(0) },
	{ "cudaMemcpy3DAsync", QUEUED(0) },
	{ "cudaMalloc", ALLOC(2) },
	{ "cudaMallocPitch", ALLOC(0) },
	{ "cudaMallocManaged", ALLOC(2) },
	{ "cudaMallocAsync", ALLOC(2) },
	{ "cudaMallocFromPoolAsync", ALLOC(2) },
	{ "cudaDeviceSynchronize", SYNC },
	{ "cudaStreamSynchronize", SYNC },
	{ "cudaEventSynchronize", SYNC },
	{ "cudaStreamQuery", POLL },
	{ "cudaEventQuery", POLL },
	/* HIP */
	{ "hipLaunchKernel", LAUNCH },
	{ "hipLaunchKernelExC", LAUNCH },
	{ "hipExtLaunchKernel", LAUNCH },
	{ "hipModuleLaunchKernel", LAUNCH },
	{ "hipExtModuleLaunchKernel", LAUNCH },
	{ "hipHccModuleLaunchKernel", LAUNCH },
	{ "hipLaunchCooperativeKernel", LAUNCH },
	{ "hipModuleLaunchCooperativeKernel", LAUNCH },
	{ "hipLaunchCooperativeKernelMultiDevice", LAUNCH },
	{ "hipGraphLaunch", GRAPH },
	{ "hipMemcpy", COPY(3) },
	{ "hipMemcpyHtoD", COPY(3) },
	{ "hipMemcpyDtoH", COPY(3) },
	{ "hipMemcpyDtoD", COPY(3) },
	{ "hipMemcpyPeer", COPY(5) },
	{ "hipMemcpyWithStream", COPY(3) },
	{ "hipMemcpy2D", COPY(0) },
	{ "hipMemcpy3D", COPY(0) },
	{ "hipMemcpyAsync", QUEUED(3) },
	{ "hipMemcpyHtoDAsync", QUEUED(3) },
	{ "hipMemcpyDtoHAsync", QUEUED(3) },
	{ "hipMemcpyDtoDAsync", QUEUED(3) },
	{ "hipMemcpyPeerAsync", QUEUED(5) },
	{ "hipMemcpy2DAsync", QUEUED(0) },
	{ "hipMemcpy3DAsync", QUEUED(0) },
	{ "hipMalloc", ALLOC(2) },
	{ "hipExtMallocWithFlags", ALLOC(2) },
	{ "hipMallocPitch", ALLOC(0) },
	{ "hipMallocManaged", ALLOC(2) },
	{ "hipMallocAsync", ALLOC(2) },
	{ "hipMallocFromPoolAsync", ALLOC(2) },
	{ "hipMemCreate", ALLOC(2) },
	{ "hipDeviceSynchronize", SYNC },
	{ "hipStreamSynchronize", SYNC },
	{ "hipEventSynchronize", SYNC },
	{ "hipStreamQuery", POLL },
	{ "hipEventQuery", POLL },
	/* OpenCL */
	{ "clEnqueueNDRangeKernel", LAUNCH },
	{ "clEnqueueTask", LAUNCH },
	{ "clEnqueueReadBuffer", BUFFER(5) },
	{ "clEnqueueWriteBuffer", BUFFER(5) },
	{ "clEnqueueCopyBuffer", QUEUED(0) },
	{ "clEnqueueReadImage", BUFFER(0) },
	{ "clEnqueueWriteImage", BUFFER(0) },
	{ "clEnqueueCopyImage", QUEUED(0) },
	{ "clCreateBuffer", MAKES(3) },
	{ "clCreateBufferWithProperties", MAKES(4) },
	{ "clSVMAlloc", MAKES(3) },
	{ "clFinish", SYNC },
	{ "clWaitForEvents", SYNC },
};

const char *rf_call_kind_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "unknown";
}

/* "", "_v2", "_ptsz", "_v2_ptds": what may follow a name of CUDA's or HIP's. */
static bool is_variant(const char *rest)
{
	if (rest[0] == '_' && rest[1] == 'v' && isdigit((unsigned char)rest[2]))
		for (rest += 2; isdigit((unsigned char)*rest); rest++)
			;
	return !*rest || rf_streq(rest, "_ptsz") || rf_streq(rest, "_ptds") || rf_streq(rest, "_spt");
}

uint64_t rf_call_cookie(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		const char *rest = rf_strprefix(name, functions[i].name) ? name + strlen(functions[i].name) : NULL;

		if (rest && is_variant(rest))
			return functions[i].cookie;
	}
	return 0;
}

int rf_call_names_each(int (*fn)(const char *name, uint64_t cookie, void *arg), void *arg)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(functions); i++)
		r = fn(functions[i].name, functions[i].cookie, arg);
	return r;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* @stem, and what may stand between it and the end: "libcuda.so.550.54", "libcudart-d0da41ae.so.11.0". */
static bool is_named(const char *path, const char *const *stems)
{
	const char *name = file_name(path), *rest;

	for (; *stems; stems++) {
		rest = rf_strprefix(name, *stems) ? name + strlen(*stems) : "";
		if (rf_strprefix(rest, ".so") || (*rest == '-' && strstr(rest, ".so")))
			return true;
	}
	return false;
}

bool rf_call_is_library(const char *path)
{
	static const char *const stems[] = { "libcuda", "libcudart", "libamdhip64", "libOpenCL", NULL };

	return is_named(path, stems);
}

bool rf_call_is_driver(const char *path)
{
	static const char *const stems[] = { "libcuda", NULL };

	return is_named(path, stems);
}

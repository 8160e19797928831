/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CUDA's driver API, as far as tests/gpu/cuda_work.c calls it: signatures and
 * numbers of its public documentation (docs.nvidia.com/cuda/cuda-driver-api),
 * declared here so that building needs none of NVIDIA's files. The names are
 * those that libcuda.so.1 exports, with their versions.
 */
#ifndef RF_TESTS_GPU_CUDA_H
#define RF_TESTS_GPU_CUDA_H

#include <stddef.h>
#include <stdint.h>

typedef int cuda_device;	 /* CUdevice */
typedef uint64_t cuda_pointer;	 /* CUdeviceptr */
typedef void *cuda_context;	 /* CUcontext */
typedef void *cuda_module;	 /* CUmodule */
typedef void *cuda_function;	 /* CUfunction */
typedef void *cuda_stream;	 /* CUstream; NULL: the default one */
typedef void *cuda_event;	 /* CUevent */
typedef unsigned int cuda_count; /* of blocks, of threads */

/* X(name here, symbol, types). All return CUresult: 0, or what failed. */
#define CUDA_CALLS(X)                                                                                           \
	X(init, "cuInit", (unsigned int))                                                                       \
	X(version, "cuDriverGetVersion", (int *))                                                               \
	X(error_name, "cuGetErrorName", (int, const char **))                                                   \
	X(resolve, "cuGetProcAddress_v2", (const char *, void **, int, uint64_t, int *))                        \
	X(device_get, "cuDeviceGet", (cuda_device *, int))                                                      \
	X(device_name, "cuDeviceGetName", (char *, int, cuda_device))                                           \
	X(device_address, "cuDeviceGetPCIBusId", (char *, int, cuda_device))                                    \
	X(context_retain, "cuDevicePrimaryCtxRetain", (cuda_context *, cuda_device))                            \
	X(context_set, "cuCtxSetCurrent", (cuda_context))                                                       \
	X(module_load, "cuModuleLoadData", (cuda_module *, const void *))                                       \
	X(module_function, "cuModuleGetFunction", (cuda_function *, cuda_module, const char *))                 \
	X(launch, "cuLaunchKernel",                                                                             \
	  (cuda_function, cuda_count, cuda_count, cuda_count, cuda_count, cuda_count, cuda_count, unsigned int, \
	   cuda_stream, void **, void **))                                                                      \
	X(alloc, "cuMemAlloc_v2", (cuda_pointer *, size_t))                                                     \
	X(free, "cuMemFree_v2", (cuda_pointer))                                                                 \
	X(put, "cuMemcpyHtoD_v2", (cuda_pointer, const void *, size_t))                                         \
	X(get, "cuMemcpyDtoH_v2", (void *, cuda_pointer, size_t))                                               \
	X(queue, "cuMemcpyHtoDAsync_v2", (cuda_pointer, const void *, size_t, cuda_stream))                     \
	X(stream_wait, "cuStreamSynchronize", (cuda_stream))                                                    \
	X(context_wait, "cuCtxSynchronize", (void))                                                             \
	X(event_create, "cuEventCreate", (cuda_event *, unsigned int))                                          \
	X(event_record, "cuEventRecord", (cuda_event, cuda_stream))                                             \
	X(event_wait, "cuEventSynchronize", (cuda_event))                                                       \
	X(event_elapsed, "cuEventElapsedTime", (float *, cuda_event, cuda_event)) /* milliseconds between the two */

struct cuda {
#define X(name, symbol, types) int(*name) types;
	CUDA_CALLS(X)
#undef X
};

#endif

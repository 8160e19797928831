/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device of the CUDA that stands in, in a file: what processes share, and what the NVML that stands in tells of. */
#ifndef RF_TESTS_CUDA_DEVICE_H
#define RF_TESTS_CUDA_DEVICE_H

#include <stdint.h>

#define CUDA_PROCESSES	   32
#define CUDA_CONTEXT_BYTES (300ULL << 20) /* of a process, before it has asked for any */

struct cuda_process {
	uint32_t pid; /* 0: nobody has had it; it may have ended */
	uint32_t pad;
	uint64_t bytes;
	uint64_t asked_ns; /* of device time, ever */
	uint64_t until_ns; /* CLOCK_MONOTONIC: its last work ends then */
};

struct cuda_device {
	uint64_t until_ns; /* CLOCK_MONOTONIC: until then it has work */
	struct cuda_process processes[CUDA_PROCESSES];
};

#endif

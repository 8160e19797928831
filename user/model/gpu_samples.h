/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device time from samples of utilization, as NVML gives them: a process used
 * so many percent of the device in the stretch that ends at a moment. How long
 * the stretch was is not told: it is taken to begin where the sample before it
 * ended, and to be no longer than a limit, for a driver tells nothing of who
 * was idle. So it is as coarse as the driver's samples are, a sixth of a
 * second to one, and who begins to work may be charged one limit too much.
 */
#ifndef RF_MODEL_GPU_SAMPLES_H
#define RF_MODEL_GPU_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct rf_gpu_sample {
	uint64_t time_us; /* CLOCK_REALTIME: the end of the stretch */
	uint32_t pid;
	uint32_t percent; /* above 100 counts as 100 */
	uint64_t busy_ns; /* filled in */
};

/*
 * Sorts @samples by process and time, fills in what each stands for, and moves @seen_us, the end of the last sample
 * that was known before, to that of the last one. A sample that is no later than @seen_us was charged before.
 */
void rf_gpu_samples_charge(struct rf_gpu_sample *samples, size_t n, uint64_t max_us, uint64_t *seen_us);

#endif

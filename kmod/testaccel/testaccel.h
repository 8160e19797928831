/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test accelerator's own types. One device is a ring of drm_gpu_scheduler
 * that runs one job at a time; an open file is a client with an entity on it.
 *
 * Life: a device lives until the last open file of it is closed, however early
 * it is unplugged; a client until its file is closed and its jobs are freed.
 */
#ifndef RF_TESTACCEL_INTERNAL_H
#define RF_TESTACCEL_INTERNAL_H

#include <linux/dma-fence.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <drm/drm_device.h>
#include <drm/gpu_scheduler.h>

struct rf_accel_job;

struct rf_accel {
	struct drm_device drm;
	struct drm_gpu_scheduler ring;
	spinlock_t lock; /* of the fences, and of what follows */
	struct rf_accel_job *running;
	bool gone;
	u64 fence_context;
	u64 fence_seqno;
	bool ring_made;
	atomic_t outstanding; /* jobs that are not freed yet */
	wait_queue_head_t idle;
	atomic64_t jobs, busy_ns;
	ktime_t since;
	struct dmem_cgroup_region *vram; /* where the kernel has that controller */
};

struct rf_accel_client {
	struct kref ref;
	struct rf_accel *accel;
	struct drm_sched_entity entity;
	atomic_t queued;
	atomic64_t jobs, busy_ns, queued_ns;
};

struct rf_accel_job {
	struct drm_sched_job base;
	struct rf_accel_client *client;
	struct dma_fence *fence; /* of the hardware: signalled when the job has ended */
	struct hrtimer timer;
	u64 duration_ns;
	ktime_t pushed, begun;
};

static inline struct rf_accel *to_rf_accel(struct drm_device *drm)
{
	return container_of(drm, struct rf_accel, drm);
}

/* job.c */
int rf_accel_ring_init(struct rf_accel *accel, struct device *parent);
/* Waits until every job is freed. */
void rf_accel_ring_fini(struct rf_accel *accel);
/* Ends the running job, with @error; with @gone, also all that come. */
void rf_accel_ring_stop(struct rf_accel *accel, int error, bool gone);
int rf_accel_job_submit(struct rf_accel_client *client, u64 duration_us, bool wait, u64 drm_client);

struct rf_accel_client *rf_accel_client_new(struct rf_accel *accel);
/* No more jobs from it; those that run keep it until they have ended. */
void rf_accel_client_close(struct rf_accel_client *client);

/* memory.c */
int rf_accel_memory_init(struct rf_accel *accel);
int rf_accel_memory_alloc(struct drm_file *file, u64 size, u32 *ret_handle);
/* Bytes of buffers that the open file has. */
u64 rf_accel_memory_of(struct drm_file *file);
/* Of kernels that charge them. */
struct drm_gem_object *rf_accel_buffer_create(struct drm_device *drm, size_t size);
#if IS_ENABLED(CONFIG_CGROUP_DMEM)
#define RF_ACCEL_BUFFER_CREATE rf_accel_buffer_create
#else
#define RF_ACCEL_BUFFER_CREATE NULL
#endif

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs of the test accelerator: the scheduler's callbacks, and a timer that
 * stands for the hardware. The ring has one credit, so that what a job took is
 * the time between its start and its end and nothing else ran in it.
 *
 * The figures that accounting is compared with are made here, from the same
 * clock, by the "hardware": when it started and when it was done.
 */
#include <linux/slab.h>
#include <drm/drm_file.h>

#include "ringfence/testaccel.h"
#include "compat.h"
#include "testaccel.h"

static struct rf_accel_job *to_rf_accel_job(struct drm_sched_job *base)
{
	return container_of(base, struct rf_accel_job, base);
}

static const char *rf_accel_fence_driver(struct dma_fence *fence)
{
	return RF_TESTACCEL_DRIVER;
}

static const char *rf_accel_fence_timeline(struct dma_fence *fence)
{
	return "ring0";
}

static const struct dma_fence_ops rf_accel_fence_ops = {
	.get_driver_name = rf_accel_fence_driver,
	.get_timeline_name = rf_accel_fence_timeline,
};

static void rf_accel_client_free(struct kref *ref)
{
	kfree(container_of(ref, struct rf_accel_client, ref));
}

/* Whoever takes the job off the ring, the timer or a stop, ends it. */
static void rf_accel_job_end(struct rf_accel *accel, struct rf_accel_job *job, int error)
{
	struct rf_accel_client *client = job->client;
	s64 busy = ktime_to_ns(ktime_sub(ktime_get(), job->begun));
	struct dma_fence *fence = job->fence;

	lockdep_assert_held(&accel->lock);
	accel->running = NULL;
	atomic64_add(busy, &accel->busy_ns);
	atomic64_inc(&accel->jobs);
	atomic64_add(busy, &client->busy_ns);
	atomic64_add(ktime_to_ns(ktime_sub(job->begun, job->pushed)), &client->queued_ns);
	atomic64_inc(&client->jobs);
	if (error)
		dma_fence_set_error(fence, error);
	/* The scheduler may free the job from here on. */
	dma_fence_signal_locked(fence);
}

static enum hrtimer_restart rf_accel_job_done(struct hrtimer *timer)
{
	struct rf_accel_job *job = container_of(timer, struct rf_accel_job, timer);
	struct rf_accel *accel = job->client->accel;
	unsigned long flags;

	spin_lock_irqsave(&accel->lock, flags);
	if (accel->running == job)
		rf_accel_job_end(accel, job, 0);
	spin_unlock_irqrestore(&accel->lock, flags);
	return HRTIMER_NORESTART;
}

static struct dma_fence *rf_accel_job_run(struct drm_sched_job *base)
{
	struct rf_accel_job *job = to_rf_accel_job(base);
	struct rf_accel *accel = job->client->accel;
	struct dma_fence *fence;
	bool gone;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return ERR_PTR(-ENOMEM);
	spin_lock_irq(&accel->lock);
	gone = accel->gone;
	if (!gone) {
		dma_fence_init(fence, &rf_accel_fence_ops, &accel->lock, accel->fence_context, ++accel->fence_seqno);
		/* One reference is the scheduler's, the other goes with the job. */
		job->fence = dma_fence_get(fence);
		job->begun = ktime_get();
		accel->running = job;
		hrtimer_start(&job->timer, ns_to_ktime(job->duration_ns), HRTIMER_MODE_REL);
	}
	spin_unlock_irq(&accel->lock);
	if (!gone)
		return fence;
	kfree(fence);
	return ERR_PTR(-ENODEV);
}

/* Nothing times out here: the ring has no limit. */
static enum drm_gpu_sched_stat rf_accel_job_timedout(struct drm_sched_job *base)
{
	return DRM_GPU_SCHED_STAT_ENODEV;
}

static void rf_accel_job_free(struct drm_sched_job *base)
{
	struct rf_accel_job *job = to_rf_accel_job(base);
	struct rf_accel *accel = job->client->accel;

	hrtimer_cancel(&job->timer);
	drm_sched_job_cleanup(base);
	atomic_dec(&job->client->queued);
	kref_put(&job->client->ref, rf_accel_client_free);
	dma_fence_put(job->fence);
	kfree(job);
	if (atomic_dec_and_test(&accel->outstanding))
		wake_up(&accel->idle);
}

static const struct drm_sched_backend_ops rf_accel_ring_ops = {
	.run_job = rf_accel_job_run,
	.timedout_job = rf_accel_job_timedout,
	.free_job = rf_accel_job_free,
};

int rf_accel_ring_init(struct rf_accel *accel, struct device *parent)
{
	struct drm_sched_init_args args = { .ops = &rf_accel_ring_ops,
					    .credit_limit = 1,
					    .timeout = MAX_SCHEDULE_TIMEOUT,
					    .name = "ring0",
					    .dev = parent,
					    RF_ACCEL_RUN_QUEUES };

	int r;

	spin_lock_init(&accel->lock);
	init_waitqueue_head(&accel->idle);
	accel->fence_context = dma_fence_context_alloc(1);
	r = drm_sched_init(&accel->ring, &args);
	accel->ring_made = !r;
	return r;
}

void rf_accel_ring_fini(struct rf_accel *accel)
{
	if (!accel->ring_made)
		return;
	/* Every file is closed, so that none comes; the scheduler's worker frees those that have ended. */
	rf_accel_ring_stop(accel, -ENODEV, true);
	wait_event(accel->idle, !atomic_read(&accel->outstanding));
	drm_sched_fini(&accel->ring);
}

void rf_accel_ring_stop(struct rf_accel *accel, int error, bool gone)
{
	spin_lock_irq(&accel->lock);
	accel->gone |= gone;
	if (accel->running)
		rf_accel_job_end(accel, accel->running, error);
	spin_unlock_irq(&accel->lock);
}

int rf_accel_job_submit(struct rf_accel_client *client, u64 duration_us, bool wait, u64 drm_client)
{
	struct rf_accel_job *job;
	struct dma_fence *done;
	int r;

	if (atomic_inc_return(&client->queued) > RF_TESTACCEL_MAX_QUEUED) {
		r = -EBUSY;
		goto err_queued;
	}
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job) {
		r = -ENOMEM;
		goto err_queued;
	}
	r = rf_accel_sched_job_init(&job->base, &client->entity, client, drm_client);
	if (r)
		goto err_job;
	job->client = client;
	kref_get(&client->ref);
	atomic_inc(&client->accel->outstanding);
	job->duration_ns = duration_us * NSEC_PER_USEC;
	rf_accel_timer_init(&job->timer, rf_accel_job_done);
	drm_sched_job_arm(&job->base);
	done = dma_fence_get(&job->base.s_fence->finished);
	job->pushed = ktime_get();
	drm_sched_entity_push_job(&job->base);

	/* The job may be gone by now; its fence is not. */
	r = wait ? dma_fence_wait(done, true) : 0;
	/* The call is not made again: that would queue another. */
	if (r == -ERESTARTSYS)
		r = -EINTR;
	if (wait && !r && done->error)
		r = done->error;
	dma_fence_put(done);
	return r;

err_job:
	kfree(job);
err_queued:
	atomic_dec(&client->queued);
	return r;
}

struct rf_accel_client *rf_accel_client_new(struct rf_accel *accel)
{
	struct drm_gpu_scheduler *ring = &accel->ring;
	struct rf_accel_client *client;
	int r;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return ERR_PTR(-ENOMEM);
	kref_init(&client->ref);
	client->accel = accel;
	r = drm_sched_entity_init(&client->entity, DRM_SCHED_PRIORITY_NORMAL, &ring, 1, NULL);
	if (r) {
		kfree(client);
		return ERR_PTR(r);
	}
	return client;
}

void rf_accel_client_close(struct rf_accel_client *client)
{
	drm_sched_entity_destroy(&client->entity);
	kref_put(&client->ref, rf_accel_client_free);
}

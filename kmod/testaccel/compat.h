/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels for the test accelerator. Kbuild probes the
 * headers: stable series take interfaces over, so a version would say little.
 */
#ifndef RF_TESTACCEL_COMPAT_H
#define RF_TESTACCEL_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>
#include <drm/gpu_scheduler.h>

#ifdef RF_HAVE_NUM_RQS
#define RF_ACCEL_RUN_QUEUES .num_rqs = DRM_SCHED_PRIORITY_COUNT,
#else
#define RF_ACCEL_RUN_QUEUES
#endif

static inline u64 rf_accel_drm_client(const struct drm_file *file)
{
#ifdef RF_HAVE_JOB_CLIENT
	return file->client_id;
#else
	return 0;
#endif
}

static inline int rf_accel_sched_job_init(struct drm_sched_job *job, struct drm_sched_entity *entity, void *owner,
					  u64 drm_client)
{
#if defined(RF_HAVE_JOB_CLIENT)
	return drm_sched_job_init(job, entity, 1, owner, drm_client);
#elif defined(RF_HAVE_JOB_CREDITS)
	return drm_sched_job_init(job, entity, 1, owner);
#else
	return drm_sched_job_init(job, entity, owner);
#endif
}

static inline void rf_accel_timer_init(struct hrtimer *timer, enum hrtimer_restart (*done)(struct hrtimer *))
{
#ifdef RF_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, done, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = done;
#endif
}

/* Kernels without accel nodes have render nodes, and no common fdinfo. */
#ifdef RF_HAVE_ACCEL
#include <drm/drm_accel.h>
#define RF_ACCEL_FEATURES DRIVER_COMPUTE_ACCEL
#define RF_ACCEL_SHOW_FDINFO(show)
#define RF_ACCEL_FOPS		     DRM_ACCEL_FOPS, .show_fdinfo = drm_show_fdinfo
#define RF_ACCEL_DRIVER_FDINFO(show) .show_fdinfo = show,
#else
#define RF_ACCEL_FEATURES DRIVER_RENDER
#define RF_ACCEL_SHOW_FDINFO(show)                                                   \
	static void rf_accel_show_fdinfo(struct seq_file *m, struct file *f)         \
	{                                                                            \
		struct drm_file *file = f->private_data;                             \
		struct drm_printer p = drm_seq_file_printer(m);                      \
		drm_printf(&p, "drm-driver:\t%s\n", file->minor->dev->driver->name); \
		drm_printf(&p, "drm-client-id:\t%lu\n", (unsigned long)file);        \
		show(&p, file);                                                      \
	}
#define RF_ACCEL_FOPS                                                                                            \
	.open = drm_open, .release = drm_release, .unlocked_ioctl = drm_ioctl, .compat_ioctl = drm_compat_ioctl, \
	.poll = drm_poll, .read = drm_read, .llseek = noop_llseek, .mmap = drm_gem_mmap,                         \
	.show_fdinfo = rf_accel_show_fdinfo
#define RF_ACCEL_DRIVER_FDINFO(show)
#endif

#ifdef RF_HAVE_REMOVE_VOID
#define RF_ACCEL_REMOVE(unplug)                                   \
	static void rf_accel_remove(struct platform_device *pdev) \
	{                                                         \
		unplug(pdev);                                     \
	}
#else
#define RF_ACCEL_REMOVE(unplug)                                  \
	static int rf_accel_remove(struct platform_device *pdev) \
	{                                                        \
		unplug(pdev);                                    \
		return 0;                                        \
	}
#endif

#endif

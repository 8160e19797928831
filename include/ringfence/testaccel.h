/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ioctls of the test accelerator (kmod/testaccel): a device that takes jobs of a given length and buffers, the way
 * a driver of the DRM subsystem does. /dev/accel/accelN, or /dev/dri/renderDN on kernels without accel.
 *
 * -EINVAL: a member out of range or padding that is not 0. -ENODEV: the device was taken away.
 */
#ifndef RINGFENCE_TESTACCEL_H
#define RINGFENCE_TESTACCEL_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <drm/drm.h>
#else
#include <linux/types.h>
#include <sys/ioctl.h>
#define DRM_IOCTL_BASE	 'd'
#define DRM_COMMAND_BASE 0x40
#endif

#define RF_TESTACCEL_DRIVER	"rf-testaccel" /* drm-driver: in fdinfo, the name for DRM_IOCTL_VERSION */
#define RF_TESTACCEL_MAX_US	10000000
#define RF_TESTACCEL_MAX_BYTES	(1ULL << 30)
#define RF_TESTACCEL_VRAM	(1ULL << 34) /* what it says that it has, where the kernel counts such memory */
#define RF_TESTACCEL_MAX_QUEUED 1024	     /* jobs of one open file; past that -EBUSY */

/* A job. */
struct rf_testaccel_submit {
	__u64 duration_us; /* at most RF_TESTACCEL_MAX_US */
	__u32 flags;	   /* RF_TESTACCEL_WAIT */
	__u32 pad;
};

/* Return when the job has ended; -EINTR, of a signal, a stop or a freeze, leaves it queued. */
#define RF_TESTACCEL_WAIT (1u << 0)

/* A buffer; DRM_IOCTL_GEM_CLOSE frees it. */
struct rf_testaccel_alloc {
	__u64 size;   /* bytes, 1..RF_TESTACCEL_MAX_BYTES, rounded up to pages */
	__u32 handle; /* out */
	__u32 pad;
};

/* Where to mmap() a buffer. */
struct rf_testaccel_map {
	__u32 handle;
	__u32 pad;
	__u64 offset; /* out */
};

/* What the device itself has counted: of all that was ever opened, and of this open file. */
struct rf_testaccel_info {
	__u64 device_jobs; /* that ended */
	__u64 device_busy_ns;
	__u64 jobs;
	__u64 busy_ns;
	__u64 queued_ns; /* from submission to start, of the jobs that ended */
	__u64 bytes;	 /* of buffers now */
};

#define RF_TESTACCEL_SUBMIT 0x00 /* class submit */
#define RF_TESTACCEL_ALLOC  0x01 /* class alloc */
#define RF_TESTACCEL_MAP    0x02 /* class map */
#define RF_TESTACCEL_INFO   0x03
#define RF_TESTACCEL_RESET  0x04 /* class admin: ends the running job with -ECANCELED; needs CAP_SYS_ADMIN */

#define RF_TESTACCEL_IOC_SUBMIT _IOW(DRM_IOCTL_BASE, DRM_COMMAND_BASE + RF_TESTACCEL_SUBMIT, struct rf_testaccel_submit)
#define RF_TESTACCEL_IOC_ALLOC	_IOWR(DRM_IOCTL_BASE, DRM_COMMAND_BASE + RF_TESTACCEL_ALLOC, struct rf_testaccel_alloc)
#define RF_TESTACCEL_IOC_MAP	_IOWR(DRM_IOCTL_BASE, DRM_COMMAND_BASE + RF_TESTACCEL_MAP, struct rf_testaccel_map)
#define RF_TESTACCEL_IOC_INFO	_IOR(DRM_IOCTL_BASE, DRM_COMMAND_BASE + RF_TESTACCEL_INFO, struct rf_testaccel_info)
#define RF_TESTACCEL_IOC_RESET	_IO(DRM_IOCTL_BASE, DRM_COMMAND_BASE + RF_TESTACCEL_RESET)

/* What it says by hwmon that it draws, in watts. */
#define RF_TESTACCEL_IDLE_WATTS 20
#define RF_TESTACCEL_BUSY_WATTS 100 /* more, while it works */

#endif

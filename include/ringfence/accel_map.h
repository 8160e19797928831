/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Accelerators as the kernel sees them: which device nodes are theirs, and what
 * an ioctl on one asks for. What a workload may do is in its device sets,
 * policy_map.h: opening and mknod for the device controller, and the classes
 * below for the LSM hooks.
 */
#ifndef RINGFENCE_ACCEL_MAP_H
#define RINGFENCE_ACCEL_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"
#include "policy_map.h"

/* X(enum suffix, name): how a driver's ioctls are told apart; the numbers are in user/model/accelerator_ioctl.c. */
#define RF_ACCEL_INTERFACES(X)      \
	X(UNKNOWN, "unknown")       \
	X(DRM, "drm")               \
	X(AMDGPU, "amdgpu")         \
	X(I915, "i915")             \
	X(XE, "xe")                 \
	X(NOUVEAU, "nouveau")       \
	X(MSM, "msm")               \
	X(PANFROST, "panfrost")     \
	X(PANTHOR, "panthor")       \
	X(V3D, "v3d")               \
	X(ETNAVIV, "etnaviv")       \
	X(LIMA, "lima")             \
	X(IVPU, "intel_vpu")        \
	X(AMDXDNA, "amdxdna")       \
	X(QAIC, "qaic")             \
	X(HABANALABS, "habanalabs") \
	X(KFD, "kfd")               \
	X(NVIDIA, "nvidia")         \
	X(NVIDIA_UVM, "nvidia-uvm") \
	X(INFINIBAND, "infiniband") \
	X(TESTACCEL, "rf-testaccel")

enum rf_accel_interface {
#define X(id, name) RF_INTERFACE_##id,
	RF_ACCEL_INTERFACES(X)
#undef X
		RF_INTERFACE_COUNT
};

/* What an ioctl asks for; anything else only asks, waits or gives back. */
enum rf_accel_class {
	RF_ACCEL_OTHER, /* allowed to whoever may open the node */
	RF_ACCEL_SUBMIT,
	RF_ACCEL_ALLOC,
	RF_ACCEL_MAP,
	RF_ACCEL_ADMIN,
	RF_ACCEL_CLASSES
};

/* The bit of a class in struct rf_device_value. */
#define RF_ACCEL_BIT(class) (RF_DEVICE_SUBMIT << ((class) - RF_ACCEL_SUBMIT))

/* rf_accel_interface_map: array of RF_INTERFACE_COUNT. */
struct rf_accel_ioctls {
	__u8 class[256]; /* enum rf_accel_class by _IOC_NR(); 0 where nothing is known */
	__u32 type;	 /* _IOC_TYPE() of them */
};

/*
 * Which node is whose. rf_config.accel_slot[major], for majors below RF_ACCEL_MAJORS, is what most character devices
 * are asked: 0, none of the major is an accelerator's; 1..RF_ACCEL_SLOTS, those of minors below RF_ACCEL_SLOT_NODES
 * that are listed are in rf_accel_slot_map, an array, at RF_ACCEL_SLOT_AT(); all of them are in rf_accel_node_map, a
 * hash, where one that is not there is looked for with minor RF_DEVICE_ANY.
 */
struct rf_accel_node_key {
	__u32 major;
	__u32 minor;
};

struct rf_accel_node {
	__u16 interface; /* enum rf_accel_interface */
	__u16 device;	 /* its number, RF_ACCEL_DEVICE_NONE: of none alone */
	__u32 listed;	 /* 1; in the array 0 where there is none */
};

#define RF_ACCEL_SLOTS		      16
#define RF_ACCEL_SLOT_NONE	      255 /* of that major only the hash tells */
#define RF_ACCEL_SLOT_NODES	      256
#define RF_ACCEL_SLOT_AT(slot, minor) (((slot) - 1) * RF_ACCEL_SLOT_NODES + (minor))
#define RF_ACCEL_MAJORS		      512

/*
 * rf_accel_device_map: hash; key the name of the device on its bus ("0000:03:00.0"), zero padded; value its number,
 * which no other device has had since the maps were made.
 */
#define RF_ACCEL_DEVICE_NAME 32
#define RF_ACCEL_DEVICE_NONE 0

struct rf_accel_device_key {
	char name[RF_ACCEL_DEVICE_NAME];
};

/* rf_accel_use_map: hash; what a workload has taken of a device. Counters, but for what says "now". */
struct rf_accel_use_key {
	__u32 workload;
	__u32 device;
};

struct rf_accel_use {
	__u64 opens;   /* that succeeded */
	__u64 files;   /* open now */
	__u64 held_ns; /* that files which are closed had been open */
	__u64 ioctls[RF_ACCEL_CLASSES];
	__u64 jobs;	 /* that ended */
	__u64 busy_ns;	 /* from the start to the end of each */
	__u64 queued_ns; /* from submission to start */
	__u64 bytes;	 /* of buffers now */
	__u64 bytes_peak;
	/*
	 * What of a node is allowed and not reported, remembered: RF_DEVICE_* in the low bits, RF_ACCEL_USE for what
	 * whoever may open it may do, and above them what tells the node and the version it was so in.
	 */
	__u64 allowed;
};

#define RF_ACCEL_USE 0x80u

/*
 * rf_accel_job_map: array, mmapable; a job between its submission and its end, in one of RF_ACCEL_JOB_WAYS places from
 * RF_ACCEL_JOB_AT() on.
 */
struct rf_accel_job {
	__u64 fence; /* the address of its fence; 0: free */
	struct rf_accel_use_key whose;
	__u64 queued_ns; /* CLOCK_MONOTONIC */
	__u64 begun_ns;	 /* 0: not yet */
};

#define RF_ACCEL_JOB_WAYS	    4
/* Addresses are some hundred bytes apart: the factor is 2^64 by the golden ratio, whose upper bits tell them apart. */
#define RF_ACCEL_JOB_AT(fence, way) ((((fence) * 0x9e3779b97f4a7c15ULL >> 32) + (way)) & (RF_MAX_ACCEL_JOBS - 1))

/* rf_accel_object_map: hash by address; a buffer. */
struct rf_accel_object {
	struct rf_accel_use_key whose;
	__u64 bytes;
};

/* rf_accel_file_map: hash by address; an open file. */
struct rf_accel_file {
	struct rf_accel_use_key whose;
	__u64 opened_ns;
	__u32 tgid; /* who opened it */
	__u32 pad;
};

#endif

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
#define RF_ACCEL_INTERFACES(X)       \
	X(UNKNOWN, "unknown")        \
	X(DRM, "drm")                \
	X(AMDGPU, "amdgpu")          \
	X(I915, "i915")              \
	X(XE, "xe")                  \
	X(NOUVEAU, "nouveau")        \
	X(MSM, "msm")                \
	X(PANFROST, "panfrost")      \
	X(PANTHOR, "panthor")        \
	X(V3D, "v3d")                \
	X(ETNAVIV, "etnaviv")        \
	X(LIMA, "lima")              \
	X(IVPU, "intel_vpu")         \
	X(AMDXDNA, "amdxdna")        \
	X(QAIC, "qaic")              \
	X(HABANALABS, "habanalabs")  \
	X(KFD, "kfd")                \
	X(NVIDIA, "nvidia")          \
	X(NVIDIA_UVM, "nvidia-uvm")  \
	X(INFINIBAND, "infiniband")  \
	X(TESTACCEL, "rf-testaccel") \
	X(HABANALABS_OLD, "habanalabs before Linux 6.7")

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
	__u32 type;	 /* _IOC_TYPE() of them, or RF_ACCEL_TYPE_ANY: the driver looks at their number alone */
};

#define RF_ACCEL_TYPE_ANY	    0x100u
#define RF_ACCEL_TYPE_IS(type, cmd) ((type) == RF_ACCEL_TYPE_ANY || ((cmd) >> 8 & 0xff) == (type))

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
#define RF_ACCEL_DEVICE_NAME	32
#define RF_ACCEL_DEVICE_NONE	0
/* What libraries are called for is done by whatever devices they find: a device of its own, whose jobs are launches. */
#define RF_ACCEL_DEVICE_LIBRARY (RF_MAX_ACCEL_DEVICES + 1)

struct rf_accel_device_key {
	char name[RF_ACCEL_DEVICE_NAME];
};

/*
 * rf_accel_address_map: array; the number of the device at an address in the kernel, as it was found by its name: the
 * low byte of a word whose rest is the address's, shifted. Addresses of the kernel lose their upper byte, which is
 * the same in all of them.
 */
#define RF_ACCEL_ADDRESSES		  256
#define RF_ACCEL_ADDRESS(address, device) ((address) << 8 | (device))
#define RF_ACCEL_ADDRESS_AT(address)	  ((address) * 0x9e3779b97f4a7c15ULL >> 56)

struct rf_accel_address {
	__u64 known; /* 0: none */
};

/*
 * Whose a row is: a workload's, or that of what the workload is in. A row of the latter two is the sum of those in it,
 * as far as quotas ask for it: jobs, time, and what there is of jobs, files and buffers now.
 */
enum rf_accel_level { RF_ACCEL_WORKLOAD, RF_ACCEL_NAMESPACE, RF_ACCEL_TENANT, RF_ACCEL_LEVELS, RF_ACCEL_WHOLE = 3 };

/* By number of the workload, or of rf_tenant_map; RF_ACCEL_WHOLE is of the device, whose number does not matter. */
#define RF_ACCEL_OWNER(level, number) (((__u32)(level) << 30) | (number))
#define RF_ACCEL_OWNER_LEVEL(owner)   ((owner) >> 30)
#define RF_ACCEL_OWNER_NUMBER(owner)  ((owner) & 0x3fffffff)
/* As one word, never 0. */
#define RF_ACCEL_WHOSE(owner, device) (((__u64)(device) + 1) << 32 | (owner))
#define RF_ACCEL_WHOSE_OWNER(whose)   ((__u32)(whose))
#define RF_ACCEL_WHOSE_DEVICE(whose)  ((__u32)((whose) >> 32) - 1)

/*
 * What may be taken of one device. rf_accel_quota_map: hash, by owner and bank; one that is not there, or without
 * RF_QUOTA_GIVEN, is no limit. Copied into the rows, where the programs look, when the version has changed.
 */
struct rf_accel_quota_key {
	__u32 owner;
	__u32 bank; /* version & 1 */
};

struct rf_accel_quota {
	__u32 flags;	      /* RF_QUOTA_* */
	__u32 weight;	      /* 1..10000; 0: takes part in no sharing */
	__u64 burst_ns;	      /* device time that may be taken ahead */
	__u64 burst_virtual;  /* as virtual time */
	__u32 virtual_per_ns; /* virtual time of a ns of device time, RF_VIRTUAL() */
	__u32 time_per_ns;    /* 1024ths of a ns in which one of device time may be taken; 0: no limit */
	__u64 submit_ns;      /* between two submissions on average; 0: no limit */
	__u64 memory;	      /* bytes; 0: no limit */
	__u64 budget_ns;      /* device time in a window; 0: no limit */
	__u64 budget_uj;      /* energy in a window, in microjoules; 0: no limit */
	__u64 window_ns;      /* of these two */
	__u64 window_from_ns; /* RF_ACCEL_WINDOW_FROM() */
	__u32 contexts;	      /* open files; RF_ACCEL_CONTEXTS_ANY: no limit */
	__u32 pad;
};

#define RF_QUOTA_GIVEN	       (1u << 0)
#define RF_QUOTA_AUDIT	       (1u << 1) /* counted and reported, and never waited for or denied */
#define RF_QUOTA_WAIT	       (1u << 2) /* what is over waits, where the module is; else, and without: */
#define RF_QUOTA_EDQUOT	       (1u << 3) /* EDQUOT and not EAGAIN */
#define RF_QUOTA_ENOMEM	       (1u << 4) /* buffers: ENOMEM, as of a device that is full, and not EDQUOT */
#define RF_QUOTA_SLOW	       (1u << 5) /* when its budget is spent: one submission in RF_ACCEL_SLOW_NS */
#define RF_QUOTA_REPORT	       (1u << 6) /* then it is only told */
#define RF_ACCEL_SLOW_NS       200000000ULL
#define RF_ACCEL_WINDOW_NS     86400000000000ULL /* a day; from a minute to 366 of them */
#define RF_ACCEL_WINDOW_MIN_NS 60000000000ULL
#define RF_ACCEL_WINDOW_MAX_NS (366 * RF_ACCEL_WINDOW_NS)
#define RF_ACCEL_CONTEXTS_ANY  0xffffffffu

/*
 * Windows are counted from 1970-01-01 UTC, a midnight, so that each is the same one whenever it is asked for: by
 * CLOCK_MONOTONIC, from what CLOCK_REALTIME says at the same moment. That is long before the host was started, less
 * than 0, which the sum of both takes care of.
 */
#define RF_ACCEL_WINDOW_FROM(monotonic, real) ((__u64)(monotonic) - (__u64)(real))
#define RF_ACCEL_WINDOW_AT(now, from, length) (((__u64)(now) - (from)) / (length))

/*
 * Sharing is start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996) with many jobs under way, as SFQ(D) has it
 * (Jin, Chase, Kaur: SIGMETRICS 2004): a job moves its owner's virtual time on by its length over the weight, by an
 * estimate when it is queued and exactly when it has ended. Who is ahead of the one that is furthest behind, of those
 * who have work for the device now, by more than the burst, waits. Who had a job done a moment ago has work, too: one
 * that submits the next when it sees the last done would never be found at work (anticipatory scheduling: Iyer and
 * Druschel, SOSP 2001).
 */
#define RF_VIRTUAL_PER_NS(weight) ((1u << 24) / (weight))
#define RF_VIRTUAL(ns, per_ns)	  ((__u64)(ns) * (per_ns) >> 14)
#define RF_TIME_TAKEN(ns, per_ns) ((__u64)(ns) * (per_ns) >> 10) /* by time_per_ns */
#define RF_ACCEL_BURST_NS	  10000000ULL
#define RF_ACCEL_BURST_MAX_NS	  60000000000ULL
#define RF_ACCEL_CREDIT_NS	  100000000ULL	/* who took less than its share may make up for so much of it */
#define RF_ACCEL_IDLE_NS	  100000000ULL	/* who has wanted nothing for so long does not take part */
#define RF_ACCEL_NEXT_NS	  5000000ULL	/* between two jobs it does so long, or a quarter of one */
#define RF_ACCEL_STUCK_NS	  2000000000ULL /* nor who has jobs under way of which nothing was heard for so long */
#define RF_ACCEL_WAIT_MIN_NS	  1000000ULL
#define RF_ACCEL_WAIT_MAX_NS	  20000000ULL  /* then it is looked at again, as others may have ended */
#define RF_ACCEL_JOB_MAX_NS	  (1ULL << 39) /* a longer one counts as so long: nine minutes */

/* What is over. */
enum rf_quota_kind {
	RF_QUOTA_MEMORY,
	RF_QUOTA_BUDGET,
	RF_QUOTA_TIME,
	RF_QUOTA_SUBMISSIONS,
	RF_QUOTA_SHARE,
	RF_QUOTA_CONTEXTS,
	RF_QUOTA_KINDS
};

/* What is told of it. */
enum rf_quota_state {
	RF_QUOTA_EXHAUSTED,	 /* something fails, or would: @verdict in the header is deny or would-deny */
	RF_QUOTA_THROTTLE_START, /* a submission was let to wait, and none had been since the last stop */
	RF_QUOTA_THROTTLE_STOP,	 /* one passed, and none had been let to wait for a second */
	RF_QUOTA_STATES
};

/*
 * rf_accel_use_map: array, mmapable; what somebody has taken of a device, in one of RF_ACCEL_USE_WAYS places from
 * RF_ACCEL_USE_AT() on. Place 0 stays empty: it stands for none. Counters, but for what says "now".
 */
struct rf_accel_use {
	__u64 whose;   /* RF_ACCEL_WHOSE(); 0: free */
	__u64 opens;   /* that succeeded */
	__u64 files;   /* open now */
	__u64 held_ns; /* that files which are closed had been open */
	__u64 ioctls[RF_ACCEL_CLASSES];
	__u64 jobs;	 /* that ended */
	__u64 busy_ns;	 /* from the start to the end of each */
	__u64 queued_ns; /* from submission to start */
	__u64 bytes;	 /* of buffers now */
	__u64 bytes_peak;
	__u64 waits;	 /* submissions that were let to wait; each as often as it was */
	__u64 waited_ns; /* what they were let to */
	__u64 over;	 /* ioctls, and opens, that were denied by a quota */
	__u64 under_way; /* jobs now */
	/*
	 * What of a node is allowed and not reported, remembered: RF_DEVICE_* in the low bits, RF_ACCEL_USE for what
	 * whoever may open it may do, and above them what tells the node and the version it was so in.
	 */
	__u64 allowed;
	__u64 quota_version; /* that @quota is of, and 1 */
	struct rf_accel_quota quota;
	__u32 quoted;		/* 1: this row or one above it has a quota */
	__u32 parent;		/* place of the row of what it is in; 0: none */
	__u32 group;		/* place of the row in which it shares; 0: it shares in none */
	__u32 listed;		/* 1: it is in rf_accel_active_map */
	__u64 virtual_ns;	/* up to which it has taken */
	__u64 group_virtual_ns; /* of who shares in this row: how far the one furthest behind has come */
	__u64 estimate_ns;	/* of a job */
	__u64 seen_ns;		/* CLOCK_MONOTONIC: the last that was heard of it */
	__u64 refused_ns;	/* CLOCK_MONOTONIC: a submission was let to wait; 0: since then one was let pass */
	__u64 time_paid_ns;	/* CLOCK_MONOTONIC: when what was taken may be */
	__u64 submit_paid_ns;
	__u64 told_ns;		   /* CLOCK_MONOTONIC: the last event of a quota that is exhausted */
	__u64 throttled_ns;	   /* CLOCK_MONOTONIC: the event of a start; 0: none since the last of a stop */
	__u64 throttled_last_ns;   /* CLOCK_MONOTONIC: the last submission that was let to wait */
	__u64 throttled_waits;	   /* of @waits, those that no event has told */
	__u64 throttled_waited_ns; /* and of @waited_ns */
	__u32 throttled_kind;	   /* enum rf_quota_kind, of the start */
	__u32 throttled_level;	   /* enum rf_accel_level */
	__u64 window;		   /* of the budget: RF_ACCEL_WINDOW_AT(), and 1 */
	__u64 window_busy_ns;	   /* what @busy_ns was when it began */
	__u64 window_energy_uj;	   /* and @energy_uj */
	__u64 energy_uj;	   /* of the device's, what was taken for its part in the work; the daemon's */
	__u32 spent;		   /* 1: the budget was, when it was last asked for */
	__u32 memory_over_s;	   /* until this second of CLOCK_MONOTONIC it has too much memory; RF_ACCEL_OVER_* */
	__u64 objects;		   /* buffers now; not of those in it */
	/* Of RF_ACCEL_DEVICE_LIBRARY, where nobody can be made to wait: the daemon freezes the workload. */
	__u64 hold_until_ns; /* CLOCK_MONOTONIC: until when it should be */
	__u64 frozen_at_ns;  /* CLOCK_MONOTONIC: since when it is; 0: it is not */
	__u64 frozen_ns;     /* that it was, before */
	__u64 measured_at;   /* what that was when work was last measured that no freeze had interrupted, and 1 */
	/* What its open files' drivers told by fdinfo; written by the daemon alone. */
	__u64 fdinfo_ns;      /* device time */
	__u64 fdinfo_cycles;  /* or the device's cycles, of drivers that count those */
	__u64 fdinfo_bytes;   /* resident now */
	__u64 fdinfo_clients; /* open files now that it was read of */
	__u64 fdinfo_timed;   /* of them whose driver tells time or cycles */
};

/* What is not counted in bytes is over for a while: what the daemon was told of, and buffers that there is no room for.
 */
#define RF_ACCEL_OVER_UNCOUNTED_S 60
#define RF_ACCEL_OVER_MANY	  0xffffffffu /* as long as it has RF_MAX_ACCEL_OBJECTS_EACH of them */

#define RF_ACCEL_USE		    0x80u
#define RF_ACCEL_USE_WAYS	    8
#define RF_ACCEL_USE_AT(whose, way) ((((whose) * 0x9e3779b97f4a7c15ULL >> 32) + (way)) & (RF_MAX_ACCEL_USES - 1))

/* rf_accel_active_map: array, by device; the places of rows that take part in sharing it now, 0 where none. */
#define RF_MAX_ACCEL_ACTIVE 64

struct rf_accel_active {
	__u32 use[RF_MAX_ACCEL_ACTIVE];
};

/*
 * rf_accel_job_map: array, mmapable; a job between its submission and its end, in one of RF_ACCEL_JOB_WAYS places from
 * RF_ACCEL_JOB_AT() on.
 */
struct rf_accel_job {
	__u64 fence; /* the address of its fence; 0: free */
	__u32 use;   /* place of the row of whose it is */
	/* Of the place itself: jobs that would be here and are in one of the next. Nobody looks there while it is 0. */
	__u32 beyond;
	__u64 queued_ns;  /* CLOCK_MONOTONIC; whoever takes that out of it ends the job */
	__u64 charged_ns; /* what was estimated for it */
};

#define RF_ACCEL_JOB_SWEPT	    1 /* in place of the time: the daemon is about to free the place */
#define RF_ACCEL_JOB_WAYS	    8
/* Addresses are some hundred bytes apart: the factor is 2^64 by the golden ratio, whose upper bits tell them apart. */
#define RF_ACCEL_JOB_AT(fence, way) ((((fence) * 0x9e3779b97f4a7c15ULL >> 32) + (way)) & (RF_MAX_ACCEL_JOBS - 1))

/* rf_accel_object_map: hash by address; a buffer. */
struct rf_accel_object {
	__u32 use; /* as in struct rf_accel_job; first, as in the next */
	__u32 pad;
	__u64 bytes;
};

/* rf_accel_file_map: hash by address; an open file. */
struct rf_accel_file {
	__u32 use;
	__u32 pad1;
	__u64 opened_ns;
	__u32 tgid; /* who opened it */
	__u32 pad;
};

/* Which open file: an address alone would be the next one's, too. */
struct rf_accel_file_key {
	__u64 address;
	__u64 opened_ns;
};

/* Who has such a file open, as the iterator over open files writes it. */
struct rf_accel_holder {
	struct rf_accel_file_key file;
	__u32 tgid;
	__u32 fd;
};

/*
 * rf_accel_told_map: hash by struct rf_accel_file_key; what fdinfo told of an open file the last time. No program looks
 * at it: it is there for the next daemon, which counts on from it.
 */
struct rf_accel_told {
	__u64 ns;
	__u64 cycles;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Versions of the three interfaces that must agree: kernel maps and user
 * space, the module and user space, the control protocol.
 *
 * RF_MAP_ABI is part of the pin path: a daemon that finds another number
 * builds its own maps beside the old ones and swaps the links.
 */
#ifndef RINGFENCE_ABI_H
#define RINGFENCE_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/ioctl.h>
#elif !defined(__VMLINUX_H__)
#include <linux/types.h>
#include <sys/ioctl.h>
#endif

#define RF_MAP_ABI     12 /* layout of everything in *_map.h and event.h */
#define RF_MODULE_ABI  3  /* /dev/ringfence and the kfuncs */
#define RF_CONTROL_ABI 1  /* the control socket */

#define RF_DEVICE_PATH "/dev/ringfence"

/*
 * RF_IOC_ABI: the caller writes the version it was built for; the module
 * writes its own. 0 when they agree, -EPROTO when they do not (the module's
 * version is written in both cases), -EINVAL when @size or @reserved is wrong.
 */
struct rf_module_abi {
	__u32 size;	/* sizeof(struct rf_module_abi) */
	__u32 version;	/* in: caller's, out: the module's */
	__u64 features; /* out: RF_MODULE_F_* */
	__u64 reserved; /* must be 0 */
};

#define RF_MODULE_F_THROTTLE	    (1ULL << 0) /* rf_throttle() */
#define RF_MODULE_F_HOLD	    (1ULL << 1) /* RF_IOC_HOLD */
#define RF_MODULE_F_THROTTLE_PROBES (1ULL << 2) /* rf_throttle() from kprobes and uprobes */
#define RF_MODULE_F_THROTTLE_AGAIN  (1ULL << 3) /* RF_THROTTLE_AGAIN */

/* @flags of rf_throttle(): the system call that the caller ends with -ERESTARTNOINTR is made again after the wait. */
#define RF_THROTTLE_AGAIN (1u << 0)

/*
 * RF_IOC_HOLD: the module keeps the link @fd attached, also when its pin is removed and every process that has it is
 * gone, until RF_IOC_RELEASE or the end of the module; that does not end while it holds a program that calls it. Held
 * again, a link has the last @owner. 0; -EBADF, -EINVAL when @fd is no link, -ENOSPC past RF_MAX_HELD_LINKS, -EINVAL
 * when @owner is 0 or @reserved is not.
 */
struct rf_module_hold {
	__s32 fd;
	__u32 reserved;
	__u64 owner; /* who asks: any number but 0 */
};

/* RF_IOC_RELEASE: lets go of every link whose owner is not @keep; 0 keeps none. */
struct rf_module_release {
	__u64 keep;
	__u32 released; /* out */
	__u32 held;	/* out: what is left */
};

/* RF_IOC_THROTTLE_STAT, and rf_throttle_stat(): since the module was loaded. */
struct rf_throttle_stat {
	__u64 asked;	 /* calls of rf_throttle() that were let to; those that were not are in @refused */
	__u64 extended;	 /* of these, while the task had a wait to come: it waits once, for the longest */
	__u64 waits;	 /* that ended */
	__u64 waited_ns; /* in all of them */
	__u64 cut;	 /* of the waits, ended early: a signal, a freeze, a kill */
	__u64 skipped;	 /* never begun: the task was exiting */
	__u64 refused;	 /* calls: RF_MAX_THROTTLED tasks, or no task that returns to user mode */
	__u64 pending;	 /* now: tasks that wait, or will when they return to user mode */
};

/*
 * What mmap() of the device shows from offset 0, read-only: an array of RF_MAX_WORKLOADS, by the workload that
 * rf_throttle() was told.
 */
struct rf_throttle_use {
	__u64 waits;
	__u64 waited_ns;
};

#ifndef __VMLINUX_H__
#define RF_IOC_ABI	     _IOWR('R', 0x01, struct rf_module_abi)
#define RF_IOC_HOLD	     _IOW('R', 0x02, struct rf_module_hold)
#define RF_IOC_RELEASE	     _IOWR('R', 0x03, struct rf_module_release)
#define RF_IOC_THROTTLE_STAT _IOR('R', 0x04, struct rf_throttle_stat)
#endif

#endif

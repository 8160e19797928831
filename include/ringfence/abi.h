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

#define RF_MAP_ABI     7 /* layout of everything in *_map.h and event.h */
#define RF_MODULE_ABI  1 /* /dev/ringfence and the kfuncs */
#define RF_CONTROL_ABI 1 /* the control socket */

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

#define RF_MODULE_F_THROTTLE (1ULL << 0)
#define RF_MODULE_F_HOLD     (1ULL << 1)

#ifndef __VMLINUX_H__
#define RF_IOC_ABI _IOWR('R', 0x01, struct rf_module_abi)
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module's files ask of one another. */
#ifndef RINGFENCE_MODULE_H
#define RINGFENCE_MODULE_H

#include <linux/types.h>

struct rf_throttle_stat;
struct vm_area_struct;

/* device.c: /dev/ringfence */
int rf_device_init(void);
void rf_device_exit(void);

/* kfunc.c: there is no way to unregister, the kernel drops the set with the module's BTF. */
int rf_kfunc_init(void);
u32 rf_module_abi_version(void);
int rf_throttle(u64 delay_ns, u32 workload, u32 flags);
int rf_throttle_stat(void *buf, u32 buf__sz);

/* hold.c: as RF_IOC_HOLD and RF_IOC_RELEASE in include/ringfence/abi.h. */
int rf_hold_link(int fd, u64 owner);
void rf_hold_release(u64 keep, u32 *ret_released, u32 *ret_held);

/* throttle.c: as include/ringfence/kfunc.h says; the mapping is the array of struct rf_throttle_use, read-only. */
int rf_throttle_init(void);
void rf_throttle_exit(void); /* when nobody can ask any more; whoever waits holds the module */
int rf_throttle_current(u64 delay_ns, u32 workload, bool again);
void rf_throttle_read(struct rf_throttle_stat *ret);
int rf_throttle_mmap(struct vm_area_struct *vma);

#endif

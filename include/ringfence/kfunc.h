/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kfuncs of ringfence.ko. Scalars and (void *, u32 size) pairs only: on some
 * kernels a module's BTF does not deduplicate against vmlinux, and a struct
 * pointer argument is then refused by the verifier.
 *
 * From LSM, tracing and syscall programs on every kernel; from kprobes and
 * uprobes where the module says RF_MODULE_F_THROTTLE_PROBES. A program that
 * calls one holds the module.
 */
#ifndef RINGFENCE_KFUNC_H
#define RINGFENCE_KFUNC_H

/* u32 rf_module_abi_version(void): RF_MODULE_ABI of the loaded module. */

/*
 * int rf_throttle(u64 delay_ns, u32 workload, u32 flags): the current task waits for @delay_ns, at most
 * RF_THROTTLE_MAX_NS, on its way back to user mode, where it holds no lock. Any signal, a freeze and a kill end the
 * wait at once: what is owed then is the caller's to remember. @flags: 0 or RF_THROTTLE_AGAIN (abi.h), with which the
 * kernel, as it does after a signal, looks whether a system call is to be made again; one that ends with
 * -ERESTARTNOINTR is, as often as it takes. A caller that is told less than 0 must not end it so: user space would see
 * that number.
 *
 * 0: it will wait. 1: it was to wait already, and does so once, for the longer of the two.
 * -EINVAL: @flags. -EOPNOTSUPP: an interrupt, a kernel thread, an io worker: nobody who returns to user mode.
 * -ESRCH: the task is exiting. -ENOSPC: RF_MAX_THROTTLED tasks wait. In these cases nobody waits, and the caller
 * decides whether to deny.
 */

/* int rf_throttle_stat(void *buf, u32 buf__sz): struct rf_throttle_stat; -EINVAL when the size is another. */

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kfuncs of ringfence.ko. Scalars and (void *, u32 size) pairs only: on some
 * kernels a module's BTF does not deduplicate against vmlinux, and a struct
 * pointer argument is then refused by the verifier.
 */
#ifndef RINGFENCE_KFUNC_H
#define RINGFENCE_KFUNC_H

/* u32 rf_module_abi_version(void): RF_MODULE_ABI of the loaded module. */

#endif

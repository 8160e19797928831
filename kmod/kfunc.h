/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that BPF programs may call; include/ringfence/kfunc.h lists
 * them for the callers.
 */
#ifndef RINGFENCE_MODULE_KFUNC_H
#define RINGFENCE_MODULE_KFUNC_H

#include <linux/types.h>

/* There is no way to unregister: the kernel drops the set with the module's BTF. */
int rf_kfunc_init(void);

/* Called from BPF alone. */
u32 rf_module_abi_version(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that BPF programs may call; include/ringfence/kfunc.h lists
 * them for the callers.
 */
#ifndef RINGFENCE_MODULE_KFUNC_H
#define RINGFENCE_MODULE_KFUNC_H

/* There is no way to unregister: the kernel drops the set with the module's BTF. */
int rf_kfunc_init(void);

#endif

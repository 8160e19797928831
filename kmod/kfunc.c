// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs: thin wrappers, one table row each.
 *
 * Arguments are scalars and (void *, u32 size) pairs only. On some kernels a
 * module's BTF does not deduplicate against that of vmlinux, and the verifier
 * then takes our `struct file` for another type than the program's.
 */
#include <linux/bpf.h>
#include <linux/module.h>

#include "ringfence/abi.h"
#include "compat.h"
#include "kfunc.h"

__bpf_kfunc_start_defs();

/**
 * rf_module_abi_version() - RF_MODULE_ABI of the loaded module
 *
 * Lets a program find out that it runs beside another module than the one it
 * was loaded for.
 */
__bpf_kfunc u32 rf_module_abi_version(void)
{
	return RF_MODULE_ABI;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(rf_kfunc_ids)
BTF_ID_FLAGS(func, rf_module_abi_version)
BTF_KFUNCS_END(rf_kfunc_ids)

static const struct btf_kfunc_id_set rf_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &rf_kfunc_ids,
};

int rf_kfunc_init(void)
{
	int r;

	/* LSM stands for tracing programs too: the two share one set. */
	r = register_btf_kfunc_id_set(BPF_PROG_TYPE_LSM, &rf_kfunc_set);
	if (r)
		return r;
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &rf_kfunc_set);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs: thin wrappers, one table row each. include/ringfence/kfunc.h has what
 * they take and return.
 *
 * Arguments are scalars and (void *, u32 size) pairs only. On some kernels a
 * module's BTF does not deduplicate against that of vmlinux, and the verifier
 * then takes our `struct file` for another type than the program's.
 */
#include <linux/bpf.h>
#include <linux/module.h>

#include "ringfence/abi.h"
#include "compat.h"
#include "module.h"

/* rf_module_abi_version() - lets a program find out that it runs beside another module than it was loaded for */
__bpf_kfunc u32 rf_module_abi_version(void)
{
	return RF_MODULE_ABI;
}

/* rf_throttle() - have the current task wait for @delay_ns, counted for @workload, on its way back to user mode */
__bpf_kfunc int rf_throttle(u64 delay_ns, u32 workload, u32 flags)
{
	if (flags & ~RF_THROTTLE_AGAIN)
		return -EINVAL;
	return rf_throttle_current(delay_ns, workload, flags & RF_THROTTLE_AGAIN);
}

/* rf_throttle_stat() - how many waited, and how long, as struct rf_throttle_stat */
__bpf_kfunc int rf_throttle_stat(void *buf, u32 buf__sz)
{
	struct rf_throttle_stat stat;

	if (buf__sz != sizeof(stat))
		return -EINVAL;
	rf_throttle_read(&stat);
	memcpy(buf, &stat, sizeof(stat));
	return 0;
}

BTF_KFUNCS_START(rf_kfunc_ids)
BTF_ID_FLAGS(func, rf_module_abi_version)
BTF_ID_FLAGS(func, rf_throttle)
BTF_ID_FLAGS(func, rf_throttle_stat)
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
	r = register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &rf_kfunc_set);
	if (r || !RF_HAVE_PROBE_KFUNCS)
		return r;
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_KPROBE, &rf_kfunc_set);
}

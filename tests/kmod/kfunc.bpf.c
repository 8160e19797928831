// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls every kfunc of the module from a program type that can be run on
 * demand. Loaded by kfunc_call.c.
 *
 * Types are spelled out instead of taken from vmlinux.h: the object is built
 * once a distribution and the module's functions take scalars only.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern __u32 rf_module_abi_version(void) __ksym;

SEC("syscall")
int abi_version(void *ctx)
{
	(void)ctx;
	return rf_module_abi_version();
}

char LICENSE[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module builds on, and the only
 * file where a version may be asked for. Prefer a probe: stable series
 * backport interfaces, so a number says little. What is a macro is probed
 * here with #ifndef, what is not in Kbuild, by a grep of the headers.
 */
#ifndef RINGFENCE_COMPAT_H
#define RINGFENCE_COMPAT_H

#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/version.h>

#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif

/* Where these exist they set a flag without which registering is refused. */
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name)   BTF_SET8_END(name)
#endif

/* 6.1 has the flags of a mapping changed by hand. */
static inline void rf_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef RF_HAVE_VM_FLAGS_CLEAR
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

#ifndef PF_USER_WORKER /* a worker that is a thread of its process: before there was the flag, there were none */
#define PF_USER_WORKER 0
#endif

/* Of bpf_link_get_from_fd(), where it has one. MODULE_IMPORT_NS() takes a word or a string, by kernel. */
#define RF_IMPORT_BPF_INTERNAL MODULE_INFO(import_ns, "BPF_INTERNAL")

/* An older kernel takes a kind of program that has no functions for an index; no header tells: the first one tried. */
#define RF_HAVE_PROBE_KFUNCS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Is current setting a workload up, and not the workload itself? bpf/newcomer.bpf.c. */
#ifndef RF_BPF_NEWCOMER_H
#define RF_BPF_NEWCOMER_H

#include "identity.bpf.h"

static __always_inline bool rf_newcomer_is(void)
{
	return bpf_task_storage_get(&rf_newcomer_map, bpf_get_current_task_btf(), NULL, 0);
}

#endif

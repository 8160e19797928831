/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program of BPF LSM returns: an earlier module's denial is passed on, ours is EPERM. */
#ifndef RF_BPF_LSM_H
#define RF_BPF_LSM_H

#include "common.bpf.h"

#define RF_EPERM 1

/* A branch, not a negation: the verifier wants to see that it is -RF_EPERM or 0. */
static __always_inline int rf_lsm_verdict(bool denied)
{
	if (!denied)
		return 0;
	rf_barrier();
	return -RF_EPERM;
}

#endif

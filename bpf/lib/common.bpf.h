/* SPDX-License-Identifier: GPL-2.0-only */
/* What every BPF object includes: kernel types, helpers, our wire types. */
#ifndef RF_BPF_COMMON_H
#define RF_BPF_COMMON_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ringfence/abi.h"
#include "ringfence/accel_map.h"
#include "ringfence/account_map.h"
#include "ringfence/call_map.h"
#include "ringfence/event.h"
#include "ringfence/guard_map.h"
#include "ringfence/isolation_map.h"
#include "ringfence/file_map.h"
#include "ringfence/lineage_map.h"
#include "ringfence/exec_map.h"
#include "ringfence/limits.h"
#include "ringfence/policy_map.h"
#include "ringfence/rate_map.h"
#include "ringfence/stats_map.h"
#include "ringfence/workload_map.h"

/* Macros of uapi headers, which BTF does not carry. */
#define RF_AF_INET	 2
#define RF_AF_INET6	 10
#define RF_CURRENT_NETNS (-1) /* BPF_F_CURRENT_NETNS, which older kernels do not carry as an enum */

/* A function that the verifier looks at once, not at each call: of its arguments it knows no more than their types. */
#define RF_GLOBAL __noinline __weak

#define rf_unlikely(x) __builtin_expect(!!(x), 0)
#define rf_likely(x)   __builtin_expect(!!(x), 1)

/* Our map values are shared with other CPUs and with the daemon. */
#define RF_READ_ONCE(x)	    (*(volatile typeof(x) *)&(x))
#define RF_WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define rf_barrier()	    asm volatile("" ::: "memory")
/* Keeps the compiler from computing with a pointer before it was checked: the verifier refuses that. */
#define rf_barrier_var(x)   asm volatile("" : "+r"(x))

#endif

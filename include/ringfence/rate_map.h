/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a workload may take of the network.
 *
 * Limits belong to a generation and are never changed: a bank names them by
 * their id. State belongs to the workload and outlives every generation, so
 * that a change of policy fills no bucket.
 *
 * A bucket is kept as the time at which what was taken is paid for. While that
 * lies in the future nothing more may pass; it never lies further back than
 * the burst. What does not divide evenly is carried over, so that a rate is
 * exact however small the packets are.
 */
#ifndef RINGFENCE_RATE_MAP_H
#define RINGFENCE_RATE_MAP_H

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#include <linux/types.h>
#endif
#include "policy_map.h"
#include "workload_map.h"

enum rf_rate_unit { RF_RATE_BYTES, RF_RATE_PACKETS, RF_RATE_UNITS };

struct rf_rate_limit {
	__u64 per_second; /* 0: none */
	__u64 burst_ns;	  /* how much time's worth may go at once after a pause */
};

#define RF_CONNECTIONS_ANY 0xffffffffu

/* rf_rate_map: hash, key __u32 rate id: of a workload in a bank, RF_RATE_ID(). */
struct rf_rate_limits {
	struct rf_rate_limit limit[RF_DIRECTIONS][RF_TIERS][RF_RATE_UNITS];
	__u32 connections[RF_TIERS];		/* open at a time; RF_CONNECTIONS_ANY: no limit */
	__u32 connections_per_second[RF_TIERS]; /* 0: no limit */
};

#define RF_RATE_ID(workload, bank) ((workload) << 1 | ((bank) & 1)) /* 0: none, because no workload is 0 */

struct rf_rate_bucket {
	__u64 paid_ns;	 /* CLOCK_MONOTONIC */
	__u64 remainder; /* below per_second */
};

/* rf_rate_state_map: hash, key __u32 workload. */
struct rf_rate_state {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct rf_rate_bucket bucket[RF_DIRECTIONS][RF_TIERS][RF_RATE_UNITS];
};

/* rf_connections_map: array, mmapable, indexed by workload. */
struct rf_connections {
	__u64 paid_ns[RF_TIERS]; /* as in struct rf_rate_bucket */
	__u32 open;
	__u32 epoch; /* counts the workloads that have had this id */
};

/* In place of a rule, with rule set 0: a limit decided. */
#define RF_RULE_CONNECTIONS	0xfffeu
#define RF_RULE_CONNECTION_RATE 0xfffdu

#endif

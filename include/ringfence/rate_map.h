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
 *
 * The flows that a rule lets pass may have limits of their own, beside the
 * workload's; both hold. Their state is found by a number that stands for
 * (workload, policy, rule) in every generation.
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
#define RF_RATE_WORKLOAD(id)	   ((id) >> 1)

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

/* rf_rule_rate_map: hash; a rule has one tier, and its limits are of that one. */
struct rf_rule_rate_key {
	__u32 rate;	/* as in struct rf_workload_bank */
	__u16 rule;	/* index in the rule set */
	__u8 direction; /* of the rule set */
	__u8 tier;
};

struct rf_rule_rate {
	__u64 id; /* of its state; never 0 */
	struct rf_rate_limits limits;
	__u32 connections; /* 1: some of the limits are on connections */
	__u32 pad;
};

/* rf_rule_state_map: hash, key __u64 id, value struct rf_rate_state; rf_rule_connections_map: likewise, of those below.
 */

/* rf_connections_map: array, mmapable, indexed by workload. */
struct rf_connections {
	__u64 paid_ns[RF_TIERS]; /* as in struct rf_rate_bucket */
	__u32 open;
	__u32 epoch; /* another one than those before had that were found by the same number */
};

/* In place of a rule, with rule set 0: a limit decided. */
#define RF_RULE_CONNECTIONS	   0xfffeu
#define RF_RULE_CONNECTION_RATE	   0xfffdu
/* Or'ed to a rule, beside its rule set: a limit of that rule's decided. */
#define RF_RULE_OF_CONNECTIONS	   0x4000u
#define RF_RULE_OF_CONNECTION_RATE 0x2000u

#endif

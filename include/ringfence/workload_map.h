/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup -> workload -> what is in force for it.
 *
 * The daemon fills the roots; tp_btf/cgroup_mkdir copies a parent's entry to
 * its child before the child can hold a process; tp_btf/cgroup_release drops
 * it when the last socket and task of the cgroup are gone.
 */
#ifndef RINGFENCE_WORKLOAD_MAP_H
#define RINGFENCE_WORKLOAD_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "accel_map.h"
#include "kernel_map.h"
#include "exec_map.h"
#include "limits.h"
#include "isolation_map.h"
#include "socket_map.h"

#define RF_WORKLOAD_NONE  0 /* not managed: every verdict is allow */
#define RF_WORKLOAD_PROBE 1 /* the self-test's own cgroup */
#define RF_WORKLOAD_PODS  2 /* pods that no policy selects, where they may use no accelerator */
#define RF_WORKLOAD_FIRST 3

/* rf_cgroup_map: hash, key __u64 cgroup id (v2). */
struct rf_cgroup_entry {
	__u32 workload;
	__u32 flags; /* RF_CGROUP_* */
};

#define RF_CGROUP_INHERITED (1u << 0) /* written by the kernel, not yet classified */

enum rf_direction { RF_EGRESS, RF_INGRESS, RF_DIRECTIONS };

/*
 * A workload has two rule sets a direction. The enforced one holds the rules
 * of the policies in mode enforce and decides. The audited one holds all its
 * policies' rules and is asked only to report what enforcing them would do;
 * it is 0 where no policy of the workload is in audit mode.
 */
enum rf_tier { RF_TIER_ENFORCE, RF_TIER_AUDIT, RF_TIERS };

/* What is in force for a workload in one generation. 0 in any id: no opinion. */
struct rf_workload_bank {
	__u32 ruleset[RF_DIRECTIONS][RF_TIERS];
	__u32 device_set[RF_TIERS];
	__u32 telemetry;   /* 1 << enum rf_event_kind, which telemetry events to send */
	__u32 flags;	   /* RF_BANK_* */
	__u32 peer;	   /* who it is as a peer: its own id, or for what is in a pod the pod's */
	__u32 owner;	   /* whose are the names that DNS answers teach: never the same for two workloads of one id */
	__u32 rate;	   /* RF_RATE_ID() of its limits in rf_rate_map */
	__u32 tenant;	   /* its number in rf_tenant_map; 0: not known */
	__u16 flow_sample; /* one in so many flows is logged; 0: none */
	__u16 flow_idle_s;
	struct rf_socket_limits sockets[RF_TIERS];
	struct rf_isolation_limits isolation[RF_TIERS];
	__u32 namespace; /* its number in rf_tenant_map, of which tenant ever; 0: not known */
	struct rf_kernel_limits kernel[RF_TIERS];
	__u32 file_set[RF_TIERS]; /* of rf_file_map */
	struct rf_exec_limits exec[RF_TIERS];
};

/* A rule set of the direction, of either tier, has RF_RULESET_PEERS: who the peer is must be found out first. */
#define RF_BANK_PEERS(direction) (1u << (direction))
/* A rule set of egress, of either tier, has RF_RULESET_NAMES: DNS messages are read. */
#define RF_BANK_NAMES		 (1u << 2)
/* Its limits are on connections, too: ask them where one opens. */
#define RF_BANK_CONNECTIONS	 (1u << 3)
/* Some of its rules of that tier have a rate. */
#define RF_BANK_RULE_RATES(tier) (1u << (4 + (tier)))
/* And of one, that rate is on connections. */
#define RF_BANK_RULE_CONNECTIONS (1u << 6)
/* What it calls of libraries of accelerators is counted, and its quotas hold for that. */
#define RF_BANK_CALLS		 (1u << 7)

/* rf_workload_map: array, mmapable; bank = rf_config.version & 1. */
struct rf_workload_entry {
	struct rf_workload_bank bank[2];
};

/*
 * rf_config: the one value of a map, mmapable. @version is the word that flips, read
 * and written as a whole: its low half is the generation, whose lowest bit
 * chooses the bank; any change of it, the high half's included, empties every
 * cache of verdicts and flows.
 */
struct rf_config {
	__u64 version;
	__u32 telemetry;  /* kinds that some subscriber wants from every workload */
	__u32 share_rate; /* events a second of one workload on a crowded lane */
	__u32 share_burst;
	__u32 zero;	    /* always: what the verifier must not know to be so */
	__u64 probe_cgroup; /* cgroup id of the self-test, 0 when none runs */
	__u64 root_cgroup;  /* cgroup id where the programs are attached */
	__u32 file_epoch;   /* any change of it empties every cache of zones, see file_map.h */
	__u32 lineage;	    /* the bank of rows that is added to, see lineage_map.h */
	__u32 lineage_turn; /* another when its programs are detached: copies that they saw begin are over */
	__u32 lineage_pad;
	__u64 zone_devices[2];	/* by bank: RF_DEVICE_BIT() of each file system that a zone begins in, see file_map.h */
	__u64 label_devices[2]; /* of those, where a zone with a label does */
	__u8 accel_slot[RF_ACCEL_MAJORS]; /* see accel_map.h */
	__u64 accel_files;		  /* how often rf_accel_file_map has changed */
};

#define RF_VERSION_EPOCH (1ULL << 32)

#endif

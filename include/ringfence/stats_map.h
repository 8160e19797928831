/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Exact counters. They live in maps and never depend on an event arriving.
 *
 * Per-workload counters are one array shared by all CPUs and updated with
 * atomic adds: per-CPU copies would cost 10,000 workloads x CPUs. What the
 * agent itself lost is per CPU, because it must not fail under contention.
 */
#ifndef RINGFENCE_STATS_MAP_H
#define RINGFENCE_STATS_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "event.h"

/* X(enum suffix, metric name without prefix and _total, labels, help) */
#define RF_COUNTERS(X)                                                                                                 \
	X(EXEC, "exec", "", "Programs executed")                                                                       \
	X(FORK, "fork", "", "Processes created (threads not counted)")                                                 \
	X(EXIT, "exit", "", "Processes ended")                                                                         \
	X(TX_DELAYED_BYTES, "network_rate_bytes", "direction=\"egress\",outcome=\"delayed\"",                          \
	  "IP bytes that a rate delayed or dropped; would: in audit mode")                                             \
	X(TX_DROPPED_BYTES, "network_rate_bytes", "direction=\"egress\",outcome=\"dropped\"",                          \
	  "IP bytes that a rate delayed or dropped; would: in audit mode")                                             \
	X(TX_WOULD_BYTES, "network_rate_bytes", "direction=\"egress\",outcome=\"would\"",                              \
	  "IP bytes that a rate delayed or dropped; would: in audit mode")                                             \
	X(RX_DROPPED_BYTES, "network_rate_bytes", "direction=\"ingress\",outcome=\"dropped\"",                         \
	  "IP bytes that a rate delayed or dropped; would: in audit mode")                                             \
	X(RX_WOULD_BYTES, "network_rate_bytes", "direction=\"ingress\",outcome=\"would\"",                             \
	  "IP bytes that a rate delayed or dropped; would: in audit mode")                                             \
	X(TX_DELAYED_PACKETS, "network_rate_packets", "direction=\"egress\",outcome=\"delayed\"",                      \
	  "IP packets that a rate delayed or dropped; would: in audit mode")                                           \
	X(TX_DROPPED_PACKETS, "network_rate_packets", "direction=\"egress\",outcome=\"dropped\"",                      \
	  "IP packets that a rate delayed or dropped; would: in audit mode")                                           \
	X(TX_WOULD_PACKETS, "network_rate_packets", "direction=\"egress\",outcome=\"would\"",                          \
	  "IP packets that a rate delayed or dropped; would: in audit mode")                                           \
	X(RX_DROPPED_PACKETS, "network_rate_packets", "direction=\"ingress\",outcome=\"dropped\"",                     \
	  "IP packets that a rate delayed or dropped; would: in audit mode")                                           \
	X(RX_WOULD_PACKETS, "network_rate_packets", "direction=\"ingress\",outcome=\"would\"",                         \
	  "IP packets that a rate delayed or dropped; would: in audit mode")                                           \
	X(EGRESS_DENY, "verdicts", "subject=\"egress\",verdict=\"deny\"", "Verdicts that denied or would have denied") \
	X(EGRESS_WOULD, "verdicts", "subject=\"egress\",verdict=\"would-deny\"",                                       \
	  "Verdicts that denied or would have denied")                                                                 \
	X(INGRESS_DENY, "verdicts", "subject=\"ingress\",verdict=\"deny\"",                                            \
	  "Verdicts that denied or would have denied")                                                                 \
	X(INGRESS_WOULD, "verdicts", "subject=\"ingress\",verdict=\"would-deny\"",                                     \
	  "Verdicts that denied or would have denied")                                                                 \
	X(DEVICE_DENY, "verdicts", "subject=\"device\",verdict=\"deny\"", "Verdicts that denied or would have denied") \
	X(DEVICE_WOULD, "verdicts", "subject=\"device\",verdict=\"would-deny\"",                                       \
	  "Verdicts that denied or would have denied")                                                                 \
	X(SOCKET_DENY, "verdicts", "subject=\"socket\",verdict=\"deny\"", "Verdicts that denied or would have denied") \
	X(SOCKET_WOULD, "verdicts", "subject=\"socket\",verdict=\"would-deny\"",                                       \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ISOLATION_DENY, "verdicts", "subject=\"isolation\",verdict=\"deny\"",                                        \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ISOLATION_WOULD, "verdicts", "subject=\"isolation\",verdict=\"would-deny\"",                                 \
	  "Verdicts that denied or would have denied")                                                                 \
	X(KERNEL_DENY, "verdicts", "subject=\"kernel\",verdict=\"deny\"", "Verdicts that denied or would have denied") \
	X(KERNEL_WOULD, "verdicts", "subject=\"kernel\",verdict=\"would-deny\"",                                       \
	  "Verdicts that denied or would have denied")                                                                 \
	X(FILE_DENY, "verdicts", "subject=\"file\",verdict=\"deny\"", "Verdicts that denied or would have denied")     \
	X(FILE_WOULD, "verdicts", "subject=\"file\",verdict=\"would-deny\"",                                           \
	  "Verdicts that denied or would have denied")                                                                 \
	X(EXEC_DENY, "verdicts", "subject=\"exec\",verdict=\"deny\"", "Verdicts that denied or would have denied")     \
	X(EXEC_WOULD, "verdicts", "subject=\"exec\",verdict=\"would-deny\"",                                           \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ACCEL_DENY, "verdicts", "subject=\"accelerator\",verdict=\"deny\"",                                          \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ACCEL_WOULD, "verdicts", "subject=\"accelerator\",verdict=\"would-deny\"",                                   \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ACCEL_QUOTA_DENY, "verdicts", "subject=\"accelerator-quota\",verdict=\"deny\"",                              \
	  "Verdicts that denied or would have denied")                                                                 \
	X(ACCEL_QUOTA_WOULD, "verdicts", "subject=\"accelerator-quota\",verdict=\"would-deny\"",                       \
	  "Verdicts that denied or would have denied")                                                                 \
	X(LINEAGE_MERGED, "lineage_merged", "",                                                                        \
	  "Reads and writes in the lineage without their file and process, for which there was no room")               \
	X(EVENTS, "events", "", "Events put on a ring")                                                                \
	X(EVENTS_SHED, "events_shed", "", "Events not sent because the workload used up its fair share")               \
	X(EVENTS_LOST, "events_lost", "", "Events lost because a ring was full")

enum rf_counter {
#define X(id, name, labels, help) RF_COUNTER_##id,
	RF_COUNTERS(X)
#undef X
		RF_COUNTER_COUNT
};

/* rf_stats_map: array, mmapable, indexed by workload id. */
struct rf_workload_stats {
	__u64 counter[RF_COUNTER_COUNT];
};

/* rf_share_map: array indexed by workload id; token buckets, one a lane. */
struct rf_share {
	__u64 refilled_ns[RF_LANES];
	__u64 tokens[RF_LANES]; /* in 1/1000 event */
	__u64 flows;		/* in rf_log_map; of RF_WORKLOAD_NONE: of all workloads */
};

/* rf_lane_map: array of RF_LANES, mmapable. */
struct rf_lane_stats {
	__u64 sequence; /* last number given out */
	__u64 submitted;
	__u64 shed;	/* over a workload's fair share */
	__u64 lost;	/* ring full */
	__u64 consumed; /* highest number that a daemon has read; written by the daemon */
};

/* rf_hook_map: per-CPU array of RF_HOOK_COUNT. */
struct rf_hook_stats {
	__u64 probe_hits; /* runs on behalf of the self-test's cgroup */
	__u64 errors;	  /* a helper failed; what it cost is at RF_ERRORS */
};

/* X(enum suffix, name, what it means for the verdict or the count) */
#define RF_ERRORS(X)                                                                                                  \
	X(CGROUP_MAP_FULL, "cgroup_map_full", "a new cgroup could not inherit its workload")                          \
	X(CGROUP_MAP_DELETE, "cgroup_map_delete", "a removed cgroup's entry was already gone")                        \
	X(PACKET_SHORT, "packet_short", "a packet of a managed workload was too short to judge: denied")              \
	X(RULESET_MISSING, "ruleset_missing", "a workload names a rule set that is not there: denied")                \
	X(FLOW_STATE_FULL, "flow_state_full", "a UDP reply may be denied: no room to remember the request")           \
	X(ACCEL_FULL, "accel_full", "no room to account for a job, a buffer, a file or a workload of an accelerator") \
	X(ACCEL_CALL, "accel_call", "what cuGetProcAddress() gave could not be read: calls of it are not counted")    \
	X(RATE_MISSING, "rate_missing", "a workload names limits that are not there: its packet passed")              \
	X(CONNECTION_STATE, "connection_state", "a connection could not be counted: denied")                          \
	X(CACHE_RACE, "cache_race", "a verdict was not cached because the slot was being written")                    \
	X(DNS_BUSY, "dns_busy", "a DNS message was not read because another was being read: a name may be missed")    \
	X(DNS_SPLIT, "dns_split", "a DNS message over TCP could not be put together: a name may be missed")           \
	X(DNS_FULL, "dns_full", "no room to remember a question or an address: a name may be missed")                 \
	X(PATH_READ, "path_read", "a path could not be read for an event")                                            \
	X(RATE_FLOW, "rate_flow", "no room to remember whose rate a flow is under: an answer may pass without")       \
	X(FLOW_LOG_FULL, "flow_log_full", "a flow is not in the flow log: no room, or its workload has its share")    \
	X(MAKER_FULL, "maker_full", "no room to remember who made an IPC object or a key, or owns a file: it passes") \
	X(NEWCOMER, "newcomer", "no memory to know who sets a workload up: judged like the workload")                 \
	X(FILE_UNPLACED, "file_unplaced", "no labelled tree could be ruled out for a file: denied by any such rule")  \
	X(FILE_CACHE, "file_cache", "no memory to remember a file's label: it is looked for each time")               \
	X(EXEC_PATH, "exec_path", "a program's path was too long or too deep to judge: denied")                       \
	X(EXEC_BUSY, "exec_busy", "no room to read a program's path: denied")                                         \
	X(EXEC_SET_MISSING, "exec_set_missing", "a workload names a set of programs that is not there: denied")       \
	X(EXEC_KILL, "exec_kill", "a program that should not run could not be killed: it runs")                       \
	X(EXEC_DIGEST, "exec_digest", "no memory to keep a program's digest: it is told of without")                  \
	X(LINEAGE_FULL, "lineage_full", "no room at all for what was read or written: not in the lineage")            \
	X(LINEAGE_COPY, "lineage_copy", "no memory to see a copy in the kernel as one: it may count twice")

enum rf_error {
#define X(id, name, help) RF_ERROR_##id,
	RF_ERRORS(X)
#undef X
		RF_ERROR_COUNT
};

/* rf_error_map: per-CPU array of RF_ERROR_COUNT __u64. */

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow log: what rf_log_map knows becomes the events of a flow. Flows are
 * put there and counted by the packet programs (bpf/network.bpf.c), ended there
 * by a reset or a denial, by bpf/tcp.bpf.c when a socket goes, and by
 * bpf/log.bpf.c when nothing has come for long.
 *
 * Fair share: while less than half of the map is taken anybody may have a flow
 * in it; after that a workload that has RF_MAX_FLOWS_SHARE may not.
 */
#ifndef RF_BPF_LOG_H
#define RF_BPF_LOG_H

#include "submit.bpf.h"

static __always_inline __u64 *rf_log_flows(__u32 workload)
{
	struct rf_share *share = bpf_map_lookup_elem(&rf_share_map, &workload);

	return share ? &share->flows : NULL;
}

/* One flow more (1) or less (-1). */
static __always_inline void rf_log_flows_add(__u32 workload, __s64 n)
{
	__u64 *own = rf_log_flows(workload), *all = rf_log_flows(RF_WORKLOAD_NONE);

	if (own)
		__sync_fetch_and_add(own, n);
	if (all)
		__sync_fetch_and_add(all, n);
}

static __always_inline bool rf_log_has_room(__u32 workload)
{
	__u64 *own = rf_log_flows(workload), *all = rf_log_flows(RF_WORKLOAD_NONE);

	return own && all && (RF_READ_ONCE(*all) < RF_MAX_FLOWS / 2 || RF_READ_ONCE(*own) < RF_MAX_FLOWS_SHARE);
}

/* One in @sample, always the same: every packet of a flow gives the same answer. */
static __always_inline bool rf_log_is_sampled(__u64 cgroup_id, __u64 remote0, __u64 remote1, __u32 ports,
					      __u32 protocol, __u32 sample)
{
	__u64 h = (remote0 ^ (remote1 << 1 | remote1 >> 63)) * 0x9e3779b97f4a7c15ULL;

	h ^= h >> 32;
	h = (h ^ cgroup_id << 32 ^ ports ^ (__u64)protocol << 40) * 0xc2b2ae3d27d4eb4fULL;
	h ^= h >> 29;
	h *= 0x9e3779b97f4a7c15ULL;
	return (__u32)(h >> 32) % sample == 0;
}

/* Sends the start of a flow (RF_REASON_OPEN), or its end. Out of line: a chain of calls has 512 bytes. */
static __noinline __attribute__((unused)) int rf_log_send(const struct rf_log_key *key, const struct rf_log *log,
							  enum rf_flow_reason reason)
{
	enum rf_event_kind kind = reason == RF_REASON_OPEN ? RF_EVENT_FLOW_START : RF_EVENT_FLOW_END;
	struct rf_event_flow_record *event;

	event = rf_telemetry_reserve(kind, struct rf_event_flow_record, log->workload, key->cgroup_id, false);
	if (!event)
		return 0;
	event->header.verdict = log->verdict;
	event->family = key->family;
	event->protocol = key->protocol;
	event->direction = log->direction;
	event->tier = log->tier;
	event->local_port = key->ports >> 16;
	event->remote_port = key->ports;
	__builtin_memcpy(event->local, key->local, 16);
	__builtin_memcpy(event->remote, key->remote, 16);
	event->ruleset = log->ruleset;
	event->rule = log->rule;
	event->peer_class = log->class;
	event->reason = reason;
	event->start_ns = log->start_ns;
	event->tx_bytes = log->bytes[RF_EGRESS];
	event->rx_bytes = log->bytes[RF_INGRESS];
	event->tx_packets = log->packets[RF_EGRESS];
	event->rx_packets = log->packets[RF_INGRESS];
	event->retransmits = log->retransmits;
	event->rtt_us = log->rtt_us;
	rf_telemetry_submit(event);
	return 0;
}

/*
 * The flow ends. A packet that comes on another CPU in this very moment may be missing in what is told of the flow; it
 * is in the accounts.
 */
static __always_inline void rf_log_end(const struct rf_log_key *key, struct rf_log *log, enum rf_flow_reason reason)
{
	__u32 workload = log->workload;

	if (__sync_lock_test_and_set(&log->ended, 1))
		return;
	rf_log_send(key, log, reason);
	if (!bpf_map_delete_elem(&rf_log_map, key))
		rf_log_flows_add(workload, -1);
}

#endif

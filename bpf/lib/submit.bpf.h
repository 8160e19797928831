/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events onto their lane. Counters never depend on what happens here.
 *
 * Fair share: while a lane's ring is less than half full anybody may write.
 * Above that a workload spends tokens (a burst, then a rate), so that one that
 * floods leaves the other half to the rest. What is shed or lost still takes a
 * sequence number: the consumer sees the gap.
 */
#ifndef RF_BPF_SUBMIT_H
#define RF_BPF_SUBMIT_H

#include "identity.bpf.h"

#define RF_TOKEN 1000ULL /* tokens are kept in thousandths of an event */

static __always_inline bool rf_share_take(__u32 workload, enum rf_lane lane)
{
	struct rf_share *share = bpf_map_lookup_elem(&rf_share_map, &workload);
	__u64 now = bpf_ktime_get_ns(), since, tokens, limit;

	if (!share)
		return false;
	limit = rf_config.share_burst * RF_TOKEN;
	since = now - share->refilled_ns[lane];
	/* Past a minute the bucket is full whatever the rate; this keeps the product small. */
	if (since > 60000000000ULL)
		since = 60000000000ULL;
	tokens = share->tokens[lane] + since * rf_config.share_rate / 1000000ULL;
	if (tokens > limit)
		tokens = limit;
	/* Two CPUs may both take the last token: the share is a bound on noise, not an account. */
	share->refilled_ns[lane] = now;
	if (tokens < RF_TOKEN) {
		share->tokens[lane] = tokens;
		return false;
	}
	share->tokens[lane] = tokens - RF_TOKEN;
	return true;
}

static __always_inline void rf_header_fill(struct rf_event_header *header, enum rf_lane lane, enum rf_event_kind kind,
					   __u16 size, __u64 sequence, __u32 workload, __u64 cgroup_id, bool process)
{
	header->version = RF_EVENT_VERSION;
	header->kind = kind;
	header->size = size;
	header->lane = lane;
	header->verdict = RF_ALLOW;
	header->sequence = sequence;
	header->time_ns = bpf_ktime_get_boot_ns();
	header->cgroup_id = cgroup_id;
	header->workload = workload;
	if (process) {
		__u64 id = bpf_get_current_pid_tgid();

		header->tgid = id >> 32;
		header->tid = id;
		header->uid = bpf_get_current_uid_gid();
		bpf_get_current_comm(header->comm, sizeof(header->comm));
	} else {
		header->tgid = 0;
		header->tid = 0;
		header->uid = 0;
		__builtin_memset(header->comm, 0, sizeof(header->comm));
	}
}

/*
 * Reserves @type on @ring (which must be the one of @lane). NULL: shed or lost,
 * and counted. @process: current is the one who acts.
 */
#define rf_event_reserve(ring, ring_size, lane, kind, type, workload, cgroup_id, process)                        \
	({                                                                                                       \
		__u32 _lane = (lane), _workload = (workload);                                                    \
		struct rf_lane_stats *_stats = bpf_map_lookup_elem(&rf_lane_map, &_lane);                        \
		type *_event = NULL;                                                                             \
		if (_stats) {                                                                                    \
			__u64 _sequence = __sync_fetch_and_add(&_stats->sequence, 1) + 1;                        \
			if (bpf_ringbuf_query(&(ring), BPF_RB_AVAIL_DATA) > (ring_size) / 2 &&                   \
			    !rf_share_take(_workload, (lane))) {                                                 \
				__sync_fetch_and_add(&_stats->shed, 1);                                          \
				rf_count(_workload, RF_COUNTER_EVENTS_SHED, 1);                                  \
			} else {                                                                                 \
				_event = bpf_ringbuf_reserve(&(ring), sizeof(type), 0);                          \
				if (_event) {                                                                    \
					rf_header_fill(&_event->header, (lane), (kind), sizeof(type), _sequence, \
						       _workload, (cgroup_id), (process));                       \
					__sync_fetch_and_add(&_stats->submitted, 1);                             \
					rf_count(_workload, RF_COUNTER_EVENTS, 1);                               \
				} else {                                                                         \
					__sync_fetch_and_add(&_stats->lost, 1);                                  \
					rf_count(_workload, RF_COUNTER_EVENTS_LOST, 1);                          \
				}                                                                                \
			}                                                                                        \
		}                                                                                                \
		_event;                                                                                          \
	})

#define rf_telemetry_reserve(kind, type, workload, cgroup_id, process)                                           \
	rf_event_reserve(rf_telemetry_rb, RF_RING_TELEMETRY, RF_LANE_TELEMETRY, kind, type, workload, cgroup_id, \
			 process)
#define rf_audit_reserve(kind, type, workload, cgroup_id, process) \
	rf_event_reserve(rf_audit_rb, RF_RING_AUDIT, RF_LANE_AUDIT, kind, type, workload, cgroup_id, process)

/*
 * Telemetry wakes the daemon only when an eighth of the ring is used; a timer
 * of the daemon's drains the rest. A wake-up costs far more than an event.
 */
static __always_inline void rf_telemetry_submit(void *event)
{
	__u64 used = bpf_ringbuf_query(&rf_telemetry_rb, BPF_RB_AVAIL_DATA);

	bpf_ringbuf_submit(event, used > RF_RING_TELEMETRY / 8 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void rf_audit_submit(void *event)
{
	bpf_ringbuf_submit(event, 0);
}

/* Does anybody want telemetry of @kind from a workload whose bank says @telemetry? */
static __always_inline bool rf_wants(__u32 telemetry, enum rf_event_kind kind)
{
	return (rf_config.telemetry | telemetry) & (1u << kind);
}

#endif

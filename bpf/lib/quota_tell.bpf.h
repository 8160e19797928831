/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting and telling that a quota is used up. */
#ifndef RF_BPF_QUOTA_TELL_H
#define RF_BPF_QUOTA_TELL_H

#include "device.bpf.h"
#include "quota_ask.bpf.h"

#define RF_QUOTA_TELL_NS 1000000000ULL

static __always_inline struct rf_event_quota *rf_quota_event(const struct rf_device_case *c, enum rf_quota_state state)
{
	struct rf_event_quota *event;

	event = rf_audit_reserve(RF_EVENT_QUOTA, struct rf_event_quota, c->workload, c->cgroup_id, true);
	if (!event)
		return NULL;
	event->state = state;
	event->pad = 0;
	event->major = c->major;
	event->minor = c->minor;
	event->pad2 = 0;
	event->wait_ns = 0;
	event->waits = 0;
	event->waited_ns = 0;
	return event;
}

/* What fails, or would. One a second and row. */
static __always_inline void rf_quota_tell(struct rf_accel_use *use, const struct rf_device_case *c,
					  const struct rf_quota_answer *answer, enum rf_verdict verdict)
{
	__u64 now = bpf_ktime_get_ns(), told = RF_READ_ONCE(use->told_ns);
	struct rf_event_quota *event;

	if (now - told < RF_QUOTA_TELL_NS || __sync_val_compare_and_swap(&use->told_ns, told, now) != told)
		return;
	event = rf_quota_event(c, RF_QUOTA_EXHAUSTED);
	if (!event)
		return;
	event->header.verdict = verdict;
	event->kind = answer->kind;
	event->level = answer->level;
	event->wait_ns = answer->wait_ns;
	rf_audit_submit(event);
}

/* What nobody waits for. True: it is denied; false: that is only reported. */
static __always_inline bool rf_quota_over(struct rf_accel_use *use, const struct rf_device_case *c,
					  const struct rf_quota_answer *answer)
{
	if (answer->flags & RF_QUOTA_AUDIT) {
		rf_count(c->workload, RF_COUNTER_ACCEL_QUOTA_WOULD, 1);
		rf_quota_tell(use, c, answer, RF_WOULD_DENY);
		return false;
	}
	__sync_fetch_and_add(&use->over, 1);
	rf_count(c->workload, RF_COUNTER_ACCEL_QUOTA_DENY, 1);
	rf_quota_tell(use, c, answer, RF_DENY);
	return true;
}

#endif

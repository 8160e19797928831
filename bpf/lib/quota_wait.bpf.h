/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting and telling that submissions wait for a quota, and that they do no more. */
#ifndef RF_BPF_QUOTA_WAIT_H
#define RF_BPF_QUOTA_WAIT_H

#include "quota_tell.bpf.h"

/* A submission was let to wait for @waited_ns: counted, and the first is told. */
static __always_inline void rf_quota_held(struct rf_accel_use *use, const struct rf_device_case *c,
					  const struct rf_quota_answer *answer, __u64 waited_ns)
{
	__u64 now = bpf_ktime_get_ns();
	struct rf_event_quota *event;

	__sync_fetch_and_add(&use->waits, 1);
	__sync_fetch_and_add(&use->waited_ns, waited_ns);
	__sync_fetch_and_add(&use->throttled_waits, 1);
	__sync_fetch_and_add(&use->throttled_waited_ns, waited_ns);
	RF_WRITE_ONCE(use->throttled_last_ns, now);
	if (RF_READ_ONCE(use->throttled_ns) || __sync_val_compare_and_swap(&use->throttled_ns, 0, now))
		return;
	RF_WRITE_ONCE(use->throttled_kind, answer->kind);
	RF_WRITE_ONCE(use->throttled_level, answer->level);
	event = rf_quota_event(c, RF_QUOTA_THROTTLE_START);
	if (!event)
		return;
	event->kind = answer->kind;
	event->level = answer->level;
	event->wait_ns = answer->wait_ns;
	rf_audit_submit(event);
}

/* One may pass while waits are not told to be over: they are when there was none for a second. */
static __noinline int rf_quota_passed(struct rf_accel_use *use, const struct rf_device_case *c)
{
	__u64 since = RF_READ_ONCE(use->throttled_ns), waits, waited_ns;
	struct rf_event_quota *event;

	if (!since || bpf_ktime_get_ns() - RF_READ_ONCE(use->throttled_last_ns) < RF_QUOTA_TELL_NS ||
	    __sync_val_compare_and_swap(&use->throttled_ns, since, 0) != since)
		return 0;
	/* A wait that begins just now is in this event or in the next one. */
	waits = __sync_lock_test_and_set(&use->throttled_waits, 0);
	waited_ns = __sync_lock_test_and_set(&use->throttled_waited_ns, 0);
	event = rf_quota_event(c, RF_QUOTA_THROTTLE_STOP);
	if (!event)
		return 0;
	event->kind = RF_READ_ONCE(use->throttled_kind);
	event->level = RF_READ_ONCE(use->throttled_level);
	event->waits = waits;
	event->waited_ns = waited_ns;
	rf_audit_submit(event);
	return 0;
}

#endif

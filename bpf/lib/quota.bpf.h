/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quotas of accelerators: charging what was taken, and asking whether more may
 * be. A row is asked with those above it: its namespace's, its tenant's.
 *
 * Everything is a debt: what was taken is written down as the time, virtual or
 * of the clock, at which it is paid for, and whoever asks again before that is
 * told how long it takes. Nothing is lost with a wait that was cut short.
 *
 * Bound: three rows; RF_MAX_ACCEL_ACTIVE rows each where one is about to be
 * refused. Failure: open; who finds no place among those that share is not held
 * back by the others (accel_full).
 */
#ifndef RF_BPF_QUOTA_H
#define RF_BPF_QUOTA_H

#include "accel.bpf.h"

/* Of @to, to be no earlier than @least: whoever was idle has not saved up more than its burst. */
static __always_inline void rf_quota_catch_up(__u64 *to, __u64 least)
{
	__u64 there = RF_READ_ONCE(*to);

	if ((__s64)(least - there) > 0)
		__sync_val_compare_and_swap(to, there, least);
}

/* ---- who shares ---- */

/*
 * 0, which the verifier does not know. Kernels before 6.7 look at a callback of bpf_loop() once, and take what is on
 * the stack before its first round for what is there in every one: what depends on a former round would be cut out.
 */
static __always_inline __u64 rf_unknown_zero(void)
{
	return RF_READ_ONCE(rf_config.zero);
}

static __always_inline bool rf_share_wants(const struct rf_accel_use *use, __u64 now)
{
	__u64 quiet = now - RF_READ_ONCE(use->seen_ns);

	return (__s64)RF_READ_ONCE(use->under_way) > 0 ? (__s64)quiet < (__s64)RF_ACCEL_STUCK_NS :
							 (__s64)quiet < (__s64)RF_ACCEL_IDLE_NS;
}

/* Who asks for one job after another has none under way between two, and is about to ask. */
static __always_inline bool rf_share_is_next(const struct rf_accel_use *use, __u64 now)
{
	__u64 next = RF_READ_ONCE(use->estimate_ns) / 4;

	if (next > RF_ACCEL_NEXT_NS)
		next = RF_ACCEL_NEXT_NS;
	return (__s64)(now - RF_READ_ONCE(use->seen_ns)) < (__s64)next;
}

/* Has it something to do that has not been done? Others only have wanted something a moment ago. */
static __always_inline bool rf_share_has_work(const struct rf_accel_use *use, __u64 now)
{
	return (__s64)RF_READ_ONCE(use->under_way) > 0 ||
	       (__s64)(now - RF_READ_ONCE(use->refused_ns)) < (__s64)RF_ACCEL_IDLE_NS || rf_share_is_next(use, now);
}

struct rf_share_look {
	struct rf_accel_active *active;
	__u64 now;
	__u64 least;   /* of those that have work: virtual time of the one furthest behind */
	__u64 weights; /* of those */
	__u64 any;
	__u32 group;
};

static long rf_share_look_at(__u32 i, void *arg)
{
	struct rf_share_look *look = arg;
	struct rf_accel_use *use;
	__u64 taken;
	__u32 at;

	if (i >= RF_MAX_ACCEL_ACTIVE)
		return 1;
	at = RF_READ_ONCE(look->active->use[i]);
	use = rf_accel_use_at(at);
	if (!use)
		return 0;
	/* Of any group: where nobody shares any more nobody looks. */
	if (!rf_share_wants(use, look->now)) {
		if (__sync_val_compare_and_swap(&look->active->use[i], at, 0) == at)
			RF_WRITE_ONCE(use->listed, 0);
		return 0;
	}
	if (use->group != look->group || !rf_share_has_work(use, look->now))
		return 0;
	taken = RF_READ_ONCE(use->virtual_ns);
	if (!look->any || (__s64)(taken - look->least) < 0)
		look->least = taken;
	look->any = 1;
	look->weights += use->quota.weight;
	return 0;
}

/*
 * How far the one furthest behind has come, of those that share in @group and have work: whoever has none now holds
 * nobody back, and who comes back with some is waited for again. Returns the weights of those that have.
 */
RF_GLOBAL __u64 rf_share_look(__u32 group_at, __u32 device, __u64 now)
{
	__u64 zero = rf_unknown_zero();
	struct rf_share_look look = { .now = now, .group = group_at, .least = zero, .weights = zero, .any = zero };
	struct rf_accel_use *group = rf_accel_use_at(group_at);

	look.active = bpf_map_lookup_elem(&rf_accel_active_map, &device);
	if (!look.active || !group)
		return 0;
	bpf_loop(RF_MAX_ACCEL_ACTIVE, rf_share_look_at, &look, 0);
	if (look.any)
		RF_WRITE_ONCE(group->group_virtual_ns, look.least);
	return look.weights;
}

struct rf_share_list {
	struct rf_accel_active *active;
	__u64 done;
	__u32 at;
};

/* In one place alone: a row that was freed has left its own behind. */
static long rf_share_list_at(__u32 i, void *arg)
{
	struct rf_share_list *list = arg;
	__u32 there;

	if (i >= RF_MAX_ACCEL_ACTIVE)
		return 1;
	there = RF_READ_ONCE(list->active->use[i]);
	if (!list->done)
		list->done = there == list->at ||
			     (!there && !__sync_val_compare_and_swap(&list->active->use[i], 0, list->at));
	else if (there == list->at)
		__sync_val_compare_and_swap(&list->active->use[i], there, 0);
	return 0;
}

/* From here on it takes part, from where the others are. */
RF_GLOBAL int rf_share_join(__u32 at, __u32 device, __u64 now)
{
	struct rf_accel_use *use = rf_accel_use_at(at), *group;
	struct rf_share_list list = { .at = at, .done = rf_unknown_zero() };

	if (!use)
		return 0;
	group = rf_accel_use_at(use->group);
	list.active = bpf_map_lookup_elem(&rf_accel_active_map, &device);
	if (!group || !list.active || __sync_val_compare_and_swap(&use->listed, 0, 1))
		return 0;
	bpf_loop(RF_MAX_ACCEL_ACTIVE, rf_share_list_at, &list, 0);
	if (!list.done) {
		/* Somebody may have left unnoticed. */
		rf_share_look(use->group, device, now);
		bpf_loop(RF_MAX_ACCEL_ACTIVE, rf_share_list_at, &list, 0);
	}
	if (!list.done) {
		RF_WRITE_ONCE(use->listed, 0);
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
		return 0;
	}
	rf_quota_catch_up(&use->virtual_ns, RF_READ_ONCE(group->group_virtual_ns));
	return 0;
}

/* ---- charging ---- */

static __always_inline void rf_quota_queued_one(struct rf_accel_use *use, __u32 at, __u32 device, __u64 estimate,
						__u64 now)
{
	__u32 virtual = use->quota.virtual_per_ns, time = use->quota.time_per_ns;
	struct rf_accel_use *group;

	__sync_fetch_and_add(&use->under_way, 1);
	if (virtual) {
		RF_WRITE_ONCE(use->seen_ns, now);
		if (!RF_READ_ONCE(use->listed))
			rf_share_join(at, device, now);
		group = rf_accel_use_at(use->group);
		if (group)
			rf_quota_catch_up(&use->virtual_ns, RF_READ_ONCE(group->group_virtual_ns) -
								    RF_VIRTUAL(RF_ACCEL_CREDIT_NS, virtual));
		__sync_fetch_and_add(&use->virtual_ns, RF_VIRTUAL(estimate, virtual));
	}
	if (time) {
		rf_quota_catch_up(&use->time_paid_ns, now - RF_TIME_TAKEN(use->quota.burst_ns, time));
		__sync_fetch_and_add(&use->time_paid_ns, RF_TIME_TAKEN(estimate, time));
	}
}

/* By a job of which @estimate is thought, of a row on @device whose own place is @at, and of those above it. */
static __always_inline void rf_quota_queued(struct rf_accel_use *use, __u32 at, __u32 device, __u64 estimate, __u64 now)
{
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		rf_quota_queued_one(use, at, device, estimate, now);
		at = RF_READ_ONCE(use->parent);
		use = rf_accel_use_at(at);
	}
}

/* A job that @charged was thought of has taken @busy. */
static __always_inline void rf_quota_ended_one(struct rf_accel_use *use, __u64 busy, __u64 charged, __u64 now)
{
	__u32 virtual = use->quota.virtual_per_ns, time = use->quota.time_per_ns;

	__sync_fetch_and_add(&use->under_way, -1);
	if (virtual) {
		RF_WRITE_ONCE(use->seen_ns, now);
		__sync_fetch_and_add(&use->virtual_ns, RF_VIRTUAL(busy, virtual) - RF_VIRTUAL(charged, virtual));
	}
	if (time)
		__sync_fetch_and_add(&use->time_paid_ns, RF_TIME_TAKEN(busy, time) - RF_TIME_TAKEN(charged, time));
}

#endif

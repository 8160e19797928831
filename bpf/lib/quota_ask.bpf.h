/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking whether more may be taken of an accelerator, and bringing the quotas
 * that are in force into the rows that are asked.
 */
#ifndef RF_BPF_QUOTA_ASK_H
#define RF_BPF_QUOTA_ASK_H

#include "quota.bpf.h"

struct rf_quota_answer {
	__u32 kind;  /* enum rf_quota_kind that is over; RF_QUOTA_KINDS: none */
	__u32 flags; /* of the quota that said so */
	__u32 level; /* enum rf_accel_level: whose that is */
	__u32 pad;
	__u64 wait_ns; /* how long it is over; 0: there is nothing to wait for */
};

/* How long who has come too far must wait for the others; 0: it may go on. */
RF_GLOBAL __u64 rf_share_wait(__u32 use_at, __u64 now)
{
	struct rf_accel_use *use = rf_accel_use_at(use_at), *group;
	__u64 ahead, weights, most = RF_ACCEL_WAIT_MAX_NS;
	__u32 at;

	if (!use)
		return 0;
	/* A launch waits once; an ioctl asks again. */
	if (RF_ACCEL_WHOSE_DEVICE(use->whose) == RF_ACCEL_DEVICE_LIBRARY)
		most = RF_THROTTLE_MAX_NS;
	at = use->group;
	group = rf_accel_use_at(at);
	if (!group || !RF_READ_ONCE(use->listed))
		return 0;
	RF_WRITE_ONCE(use->refused_ns, now);
	weights = rf_share_look(at, RF_ACCEL_WHOSE_DEVICE(use->whose), now);
	ahead = RF_READ_ONCE(use->virtual_ns) - RF_READ_ONCE(group->group_virtual_ns) - use->quota.burst_virtual;
	if ((__s64)ahead <= 0) {
		RF_WRITE_ONCE(use->refused_ns, 0);
		return 0;
	}
	weights = weights > use->quota.weight ? weights - use->quota.weight : 1;
	/* Virtual time goes by 1024 over the weights of those that have work. */
	if (ahead > most * 1024)
		return most;
	ahead = ahead * weights >> 10;
	if (ahead > most)
		return most;
	return ahead < RF_ACCEL_WAIT_MIN_NS ? RF_ACCEL_WAIT_MIN_NS : ahead;
}

static __always_inline bool rf_share_is_ahead(const struct rf_accel_use *use)
{
	struct rf_accel_use *group = use->quota.virtual_per_ns ? rf_accel_use_at(use->group) : NULL;

	return group && (__s64)(RF_READ_ONCE(use->virtual_ns) - RF_READ_ONCE(group->group_virtual_ns) -
				use->quota.burst_virtual) > 0;
}

/* The clock is read once a question, and by those that need it. */
static __always_inline __u64 rf_quota_now(__u64 *now)
{
	if (!*now)
		*now = bpf_ktime_get_ns();
	return *now;
}

/* A window begins with its first submission: nothing is taken before. */
static __always_inline bool rf_budget_look(struct rf_accel_use *use, __u64 now)
{
	__u64 busy = RF_READ_ONCE(use->busy_ns), energy = RF_READ_ONCE(use->energy_uj), length = use->quota.window_ns,
	      window = length ? RF_ACCEL_WINDOW_AT(now, use->quota.window_from_ns, length) + 1 : 0;
	bool spent;

	if (RF_READ_ONCE(use->window) != window) {
		RF_WRITE_ONCE(use->window_busy_ns, busy);
		RF_WRITE_ONCE(use->window_energy_uj, energy);
		/* A barrier: whoever sees the window sees what it began with. */
		__sync_lock_test_and_set(&use->window, window);
	}
	/* Another may have begun it since, with more. */
	busy -= RF_READ_ONCE(use->window_busy_ns);
	energy -= RF_READ_ONCE(use->window_energy_uj);
	spent = (use->quota.budget_ns && (__s64)busy >= (__s64)use->quota.budget_ns) ||
		(use->quota.budget_uj && (__s64)energy >= (__s64)use->quota.budget_uj);
	RF_WRITE_ONCE(use->spent, spent);
	return spent;
}

/* Out of line: few have one. */
static __noinline int rf_budget_is_spent(struct rf_accel_use *use, __u64 now)
{
	return use && rf_budget_look(use, now);
}

/* Of one that is slowed down: how long until the next; 0: at once, or never. */
static __always_inline __u64 rf_budget_wait(const struct rf_accel_use *use, __u64 now)
{
	__u64 paid = RF_READ_ONCE(use->submit_paid_ns);

	return use->quota.flags & RF_QUOTA_SLOW && (__s64)(paid - now) > 0 ? paid - now : 0;
}

/* As others tell it, of memory that is not seen here: with them it ends, and the daemon that says so. */
static __always_inline bool rf_memory_is_over(const struct rf_accel_use *use)
{
	__u32 until = RF_READ_ONCE(use->memory_over_s);

	return until && bpf_ktime_get_ns() / 1000000000 < until;
}

/* Between two submissions. */
static __always_inline __u64 rf_quota_spacing(const struct rf_accel_use *use)
{
	return RF_READ_ONCE(use->spent) && use->quota.flags & RF_QUOTA_SLOW ? RF_ACCEL_SLOW_NS : use->quota.submit_ns;
}

/* What is charged while a row is moved may be charged to the wrong one above it: less than nothing is nothing. */
static __always_inline __u64 rf_quota_has(const __u64 *value)
{
	__u64 there = RF_READ_ONCE(*value);

	return (__s64)there < 0 ? 0 : there;
}

/* Several that opened it at a time, before any was counted. */
static __always_inline bool rf_contexts_are_over(const struct rf_accel_use *use)
{
	return rf_quota_has(&use->files) > use->quota.contexts;
}

/* What of this row's quota is over for a submission; RF_QUOTA_KINDS: nothing. */
static __always_inline __u32 rf_quota_submit_one(struct rf_accel_use *use, __u32 at, __u64 *now_p, __u64 *ret_wait_ns)
{
	__u64 now, paid;

	if (use->quota.memory && (rf_quota_has(&use->bytes) > use->quota.memory || rf_memory_is_over(use)))
		return RF_QUOTA_MEMORY;
	if (rf_contexts_are_over(use))
		return RF_QUOTA_CONTEXTS;
	if (use->quota.window_ns && rf_budget_is_spent(use, rf_quota_now(now_p)) &&
	    !(use->quota.flags & RF_QUOTA_REPORT)) {
		*ret_wait_ns = rf_budget_wait(use, *now_p);
		if (*ret_wait_ns || !(use->quota.flags & RF_QUOTA_SLOW))
			return RF_QUOTA_BUDGET;
	}
	if (use->quota.time_per_ns || use->quota.submit_ns) {
		now = rf_quota_now(now_p);
		paid = RF_READ_ONCE(use->time_paid_ns);
		if (use->quota.time_per_ns && (__s64)(paid - now) > 0) {
			*ret_wait_ns = paid - now;
			return RF_QUOTA_TIME;
		}
		paid = RF_READ_ONCE(use->submit_paid_ns);
		if (use->quota.submit_ns && (__s64)(paid - now) > 0) {
			*ret_wait_ns = paid - now;
			return RF_QUOTA_SUBMISSIONS;
		}
	}
	if (!rf_share_is_ahead(use))
		return RF_QUOTA_KINDS;
	RF_WRITE_ONCE(use->seen_ns, rf_quota_now(now_p));
	/* A pause pays for nothing: who was away has what it took before to pay for yet. */
	if (!RF_READ_ONCE(use->listed))
		rf_share_join(at, RF_ACCEL_WHOSE_DEVICE(use->whose), *now_p);
	*ret_wait_ns = rf_share_wait(at, *now_p);
	return *ret_wait_ns ? RF_QUOTA_SHARE : RF_QUOTA_KINDS;
}

static __always_inline __u32 rf_quota_alloc_one(const struct rf_accel_use *use)
{
	if (use->quota.memory && (rf_quota_has(&use->bytes) >= use->quota.memory || rf_memory_is_over(use)))
		return RF_QUOTA_MEMORY;
	return rf_contexts_are_over(use) ? RF_QUOTA_CONTEXTS : RF_QUOTA_KINDS;
}

static __always_inline __u32 rf_quota_open_one(const struct rf_accel_use *use)
{
	return rf_quota_has(&use->files) >= use->quota.contexts ? RF_QUOTA_CONTEXTS : RF_QUOTA_KINDS;
}

/* Of a rate: 10 ms of it, and one at least, may come at once. */
static __always_inline void rf_quota_submitted(struct rf_accel_use *use, __u64 *now)
{
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		if (use->quota.submit_ns | use->spent) {
			rf_quota_catch_up(&use->submit_paid_ns, rf_quota_now(now) - RF_ACCEL_BURST_NS);
			__sync_fetch_and_add(&use->submit_paid_ns, rf_quota_spacing(use));
		}
		if (RF_READ_ONCE(use->refused_ns))
			RF_WRITE_ONCE(use->refused_ns, 0);
		use = rf_accel_above(use);
	}
}

/* Who waits for what it is in, @level rows above it, has work all the same: those it shares with wait for it there. */
static __always_inline void rf_share_wait_above(__u32 use_at, int level, __u64 now)
{
	struct rf_accel_use *use = rf_accel_use_at(use_at);

	for (int below = 0; below < level && use; below++) {
		RF_WRITE_ONCE(use->seen_ns, now);
		RF_WRITE_ONCE(use->refused_ns, now);
		use = rf_accel_above(use);
	}
}

/*
 * What is over, of @use and of those above it: the first that is enforced, else what only reports. RF_ACCEL_OTHER asks
 * for one more open file.
 */
RF_GLOBAL int rf_quota_ask(__u32 use_at, __u32 class, struct rf_quota_answer *ret)
{
	struct rf_accel_use *row = rf_accel_use_at(use_at);
	__u32 at = use_at;
	__u64 now = 0;

	if (!ret)
		return 0;
	ret->kind = RF_QUOTA_KINDS;
	for (int level = 0; level < RF_ACCEL_LEVELS && row; level++) {
		__u32 flags = row->quota.flags, kind = RF_QUOTA_KINDS;
		__u64 wait_ns = 0;

		if (flags)
			kind = class == RF_ACCEL_SUBMIT ? rf_quota_submit_one(row, at, &now, &wait_ns) :
			       class == RF_ACCEL_ALLOC	? rf_quota_alloc_one(row) :
							  rf_quota_open_one(row);
		/* What is only told comes after all that holds something back. */
		if (kind == RF_QUOTA_KINDS && flags & RF_QUOTA_REPORT && RF_READ_ONCE(row->spent)) {
			kind = RF_QUOTA_BUDGET;
			flags |= RF_QUOTA_AUDIT;
		}
		if (kind != RF_QUOTA_KINDS && (ret->kind == RF_QUOTA_KINDS || !(flags & RF_QUOTA_AUDIT))) {
			ret->kind = kind;
			ret->flags = flags;
			ret->level = RF_ACCEL_OWNER_LEVEL(RF_ACCEL_WHOSE_OWNER(row->whose));
			ret->wait_ns = wait_ns;
			if (!(flags & RF_QUOTA_AUDIT)) {
				if (wait_ns)
					rf_share_wait_above(use_at, level, rf_quota_now(&now));
				return 1;
			}
		}
		at = RF_READ_ONCE(row->parent);
		row = rf_accel_use_at(at);
	}
	if (class == RF_ACCEL_SUBMIT)
		rf_quota_submitted(rf_accel_use_at(use_at), &now);
	return ret->kind != RF_QUOTA_KINDS;
}

/* ---- what is in force ---- */

/* Copies it; no entry is no quota. */
static __always_inline void rf_quota_copy(struct rf_accel_use *use, __u64 version)
{
	struct rf_accel_quota_key key = { .owner = RF_ACCEL_WHOSE_OWNER(use->whose), .bank = version & 1 };
	struct rf_accel_quota *quota = bpf_map_lookup_elem(&rf_accel_quota_map, &key), none = {};

	if (RF_READ_ONCE(use->quota_version) == version + 1)
		return;
	RF_WRITE_ONCE(use->quota_version, version + 1);
	use->quota = quota ? *quota : none;
	if (!RF_READ_ONCE(use->estimate_ns))
		RF_WRITE_ONCE(use->estimate_ns, RF_ACCEL_WAIT_MIN_NS);
}

/* What a row has of the device now. */
struct rf_quota_load {
	__u64 bytes;
	__u64 files;
	__u64 under_way;
};

/* @load is in @to and the rows above it from here on; with @sign -1 it is no more. */
static __always_inline void rf_quota_move(const struct rf_quota_load *load, struct rf_accel_use *to, int sign)
{
	for (int level = 0; level < RF_ACCEL_LEVELS - 1 && to; level++) {
		__sync_fetch_and_add(&to->bytes, sign * load->bytes);
		__sync_fetch_and_add(&to->files, sign * load->files);
		__sync_fetch_and_add(&to->under_way, sign * load->under_way);
		to = rf_accel_above(to);
	}
}

static __always_inline void rf_quota_put_below(struct rf_accel_use *use, __u32 parent)
{
	__u32 before = RF_READ_ONCE(use->parent);
	struct rf_quota_load load;

	if (before == parent || __sync_val_compare_and_swap(&use->parent, before, parent) != before)
		return;
	/* Read once: both are to differ by the same. */
	load.bytes = RF_READ_ONCE(use->bytes);
	load.files = RF_READ_ONCE(use->files);
	load.under_way = RF_READ_ONCE(use->under_way);
	rf_quota_move(&load, rf_accel_use_at(before), -1);
	rf_quota_move(&load, rf_accel_use_at(parent), 1);
}

/* In what it shares: the next above that has a share, or the device. */
static __always_inline void rf_quota_group(struct rf_accel_use *use, struct rf_accel_use *above, __u32 above_at,
					   struct rf_accel_use *top, __u32 top_at, __u32 device)
{
	struct rf_accel_use *line;
	__u32 group = 0;

	if (use->quota.virtual_per_ns) {
		if (above && above->quota.virtual_per_ns)
			group = above_at;
		else if (top && top->quota.virtual_per_ns)
			group = top_at;
		else
			rf_accel_use(RF_ACCEL_OWNER(RF_ACCEL_WHOLE, 0), device, RF_HOOK_ACCEL_IOCTL, &group);
	}
	if (RF_READ_ONCE(use->group) == group)
		return;
	/* Virtual times of two groups are not to be compared: it begins where the others there are. */
	line = rf_accel_use_at(group);
	if (line)
		RF_WRITE_ONCE(use->virtual_ns, RF_READ_ONCE(line->group_virtual_ns));
	RF_WRITE_ONCE(use->group, group);
}

/*
 * The row of @use's namespace or tenant, under the quota in force; NULL: it has none, and needs no row. @number 0:
 * nobody knows whose it is.
 */
static __always_inline struct rf_accel_use *rf_quota_row(enum rf_accel_level level, __u32 number, __u32 device,
							 __u64 version, __u32 *ret_at)
{
	struct rf_accel_quota_key key = { .owner = RF_ACCEL_OWNER(level, number), .bank = version & 1 };
	struct rf_accel_use *use;

	*ret_at = 0;
	if (!number || !bpf_map_lookup_elem(&rf_accel_quota_map, &key))
		return NULL;
	use = rf_accel_use(RF_ACCEL_OWNER(level, number), device, RF_HOOK_ACCEL_IOCTL, ret_at);
	if (use)
		rf_quota_copy(use, version);
	return use;
}

/* What @version has for @use and those above it. */
RF_GLOBAL int rf_quota_refresh(__u32 use_at, __u64 version)
{
	struct rf_accel_use *use = rf_accel_use_at(use_at), *namespace, *tenant;
	struct rf_workload_bank *bank;
	__u32 device, namespace_at, tenant_at;

	if (!use)
		return 0;
	bank = rf_workload_bank(RF_ACCEL_OWNER_NUMBER(RF_ACCEL_WHOSE_OWNER(use->whose)), version);
	if (!bank)
		return 0;
	device = RF_ACCEL_WHOSE_DEVICE(use->whose);
	tenant = rf_quota_row(RF_ACCEL_TENANT, bank->tenant, device, version, &tenant_at);
	namespace = rf_quota_row(RF_ACCEL_NAMESPACE, bank->namespace, device, version, &namespace_at);
	rf_quota_copy(use, version);
	if (tenant)
		rf_quota_group(tenant, NULL, 0, NULL, 0, device);
	if (namespace) {
		rf_quota_put_below(namespace, tenant_at);
		rf_quota_group(namespace, tenant, tenant_at, NULL, 0, device);
	}
	rf_quota_put_below(use, namespace_at ? namespace_at : tenant_at);
	rf_quota_group(use, namespace, namespace_at, tenant, tenant_at, device);
	RF_WRITE_ONCE(use->quoted, (use->quota.flags | (namespace ? namespace->quota.flags : 0) |
				    (tenant ? tenant->quota.flags : 0)) ?
					   1 :
					   0);
	return 0;
}

#endif

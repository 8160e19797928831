/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two workloads, and whether what one does to the other is denied by either.
 *
 * Who acts is the cgroup that current is in now. What is in no workload is the
 * host's: it may act on any workload, and any workload on it, as far as the
 * kernel's own checks go.
 */
#ifndef RF_BPF_ISOLATION_H
#define RF_BPF_ISOLATION_H

#include "lsm.bpf.h"
#include "submit.bpf.h"

struct rf_isolation_case {
	__u64 cgroup_id; /* of the workload whose policy is asked */
	__u64 version;	 /* rf_config.version, read once for both ends */
	__u32 workload;
	__u32 peer; /* RF_WORKLOAD_NONE: all others */
	__u32 peer_tgid;
	__u32 argument;
	__u8 operation;
	__u8 between;
	__u8 direction;
	__u8 tier;
	__u16 bit; /* 1 << enum rf_isolation_kind of @operation */
	__u16 pad;
};

/* A case of that operation; the rest of it is zero. */
#define RF_ISOLATION_CASE(name) { .operation = RF_OPERATION_##name, .bit = 1u << rf_kind_of_##name }

enum {
#define X(id, kind, name, argument) rf_kind_of_##id = RF_ISOLATION_##kind,
	RF_ISOLATION_OPERATIONS(X)
#undef X
};

/* Not inlined: it is seldom run, and in every program. */
static __noinline int rf_isolation_report(const struct rf_isolation_case *c)
{
	bool enforced = c->tier == RF_TIER_ENFORCE;
	struct rf_event_isolation *event;

	rf_count(c->workload, enforced ? RF_COUNTER_ISOLATION_DENY : RF_COUNTER_ISOLATION_WOULD, 1);
	/* Where the peer acts, current is not a process of this workload; where a file does, it is anybody. */
	event = rf_audit_reserve(RF_EVENT_ISOLATION, struct rf_event_isolation, c->workload, c->cgroup_id,
				 c->direction == RF_EGRESS && c->operation != RF_OPERATION_SIGIO);
	if (!event)
		return 0;
	event->header.verdict = enforced ? RF_DENY : RF_WOULD_DENY;
	event->peer_workload = c->peer;
	event->peer_tgid = c->peer_tgid;
	event->argument = c->argument;
	event->operation = c->operation;
	event->between = c->between;
	event->tier = c->tier;
	event->direction = c->direction;
	rf_audit_submit(event);
	return 0;
}

/* True: denied. @quiet: whoever asks only wants to know, and the kernel would not tell either. */
static __always_inline bool rf_isolation_judge(const struct rf_workload_bank *bank, struct rf_isolation_case *c,
					       bool quiet)
{
	__u32 between = c->between & 3, bit = c->bit;
	bool enforced = bank->isolation[RF_TIER_ENFORCE].deny[between] & bit;

	if (!enforced && !(bank->isolation[RF_TIER_AUDIT].deny[between] & bit))
		return false;
	c->tier = enforced ? RF_TIER_ENFORCE : RF_TIER_AUDIT;
	if (!quiet) {
		/* A copy: whose address nobody takes, the case itself need not lie in memory. */
		struct rf_isolation_case told = *c;

		rf_isolation_report(&told);
	}
	return enforced;
}

static __always_inline __u32 rf_isolation_between(const struct rf_workload_bank *bank, __u32 tenant, __u32 namespace)
{
	if (bank->tenant != tenant)
		return RF_BETWEEN_TENANTS;
	return bank->namespace != namespace ? RF_BETWEEN_NAMESPACES : RF_BETWEEN_WORKLOADS;
}

/* What either tier denies across @between. */
static __always_inline __u16 rf_isolation_denied(const struct rf_workload_bank *bank, __u32 between)
{
	between &= 3;
	return bank->isolation[RF_TIER_ENFORCE].deny[between] | bank->isolation[RF_TIER_AUDIT].deny[between];
}

/* The banks are of @c's workload, in which current is, and of @other; see rf_isolation_ask(). */
static __always_inline bool rf_isolation_ask_banks(struct rf_isolation_case *c, const struct rf_workload_bank *bank,
						   __u64 other_cgroup, __u32 other,
						   const struct rf_workload_bank *their_bank, bool quiet)
{
	__u32 own = c->workload;

	c->between = rf_isolation_between(bank, their_bank->tenant, their_bank->namespace);
	/* Nobody denies it, most of the time: all in one look. */
	if (!((rf_isolation_denied(bank, c->between) | rf_isolation_denied(their_bank, c->between)) & c->bit))
		return false;
	c->peer = other;
	c->direction = RF_EGRESS;
	if (rf_isolation_judge(bank, c, quiet))
		return true;
	c->cgroup_id = other_cgroup;
	c->workload = other;
	c->peer = own;
	c->direction = RF_INGRESS;
	return rf_isolation_judge(their_bank, c, quiet);
}

/*
 * Current is in @c's workload, by rf_isolation_acts(); the other end is @other_cgroup. True: one of the
 * two ends denies it. @c->operation and what it needs are filled in.
 */
static __always_inline bool rf_isolation_ask(struct rf_isolation_case *c, __u64 other_cgroup, bool quiet)
{
	struct rf_workload_bank *bank, *their_bank;
	__u32 other = rf_workload_of_live(other_cgroup, c->version);

	if (other < RF_WORKLOAD_FIRST || other == c->workload)
		return false;
	/* Of one generation, so that the numbers are of one hand. */
	bank = rf_workload_bank(c->workload, c->version);
	if (!bank || !bank->tenant)
		return false;
	their_bank = rf_workload_bank(other, c->version);
	if (!their_bank || !their_bank->tenant)
		return false;
	return rf_isolation_ask_banks(c, bank, other_cgroup, other, their_bank, quiet);
}

/* Fills in who acts. False: nobody who could be kept from anything. */
static __always_inline bool rf_isolation_acts(struct rf_isolation_case *c, enum rf_hook hook)
{
	c->version = RF_READ_ONCE(rf_config.version);
	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, c->version);
	rf_hook_seen(hook, c->workload);
	return c->workload >= RF_WORKLOAD_FIRST;
}

/* Current acts, in no workload of ours or in one: as struct rf_maker. */
static __always_inline void rf_maker_fill(struct rf_maker *maker, __u64 cgroup_id, __u32 workload)
{
	struct rf_workload_bank *bank;

	maker->cgroup_id = cgroup_id;
	maker->workload = workload;
	bank = rf_workload_bank(workload, RF_READ_ONCE(rf_config.version));
	if (!bank)
		return;
	maker->tenant = bank->tenant;
	maker->namespace = bank->namespace;
}

/* Current makes the thing at @key: remembered in @map, of LSM hooks that decide nothing. */
static __always_inline int rf_maker_remember(void *map, __u64 key, enum rf_hook hook)
{
	struct rf_isolation_case c = {};
	struct rf_maker maker = {};

	if (!rf_isolation_acts(&c, hook)) {
		/* What was there before at this address may have left its entry. */
		bpf_map_delete_elem(map, &key);
		return 0;
	}
	rf_maker_fill(&maker, c.cgroup_id, c.workload);
	if (bpf_map_update_elem(map, &key, &maker, BPF_ANY) < 0)
		rf_error(hook, RF_ERROR_MAKER_FULL);
	return 0;
}

/* The one end is in @c's workload, of the other is left what it was. */
static __always_inline bool rf_isolation_ask_gone(struct rf_isolation_case *c, const struct rf_maker *maker,
						  enum rf_direction direction)
{
	struct rf_workload_bank *bank = rf_workload_bank(c->workload, c->version);

	if (!bank || !bank->tenant || !maker->tenant)
		return false;
	c->between = rf_isolation_between(bank, maker->tenant, maker->namespace);
	/* Its id may be another's by now, and one of its name that starts again is no stranger. */
	if (c->between == RF_BETWEEN_WORKLOADS)
		return false;
	c->direction = direction;
	return rf_isolation_judge(bank, c, false);
}

/*
 * Current is in @c's workload and uses what @maker made. While the maker's cgroup is one of a workload, both ends are
 * asked as they are now; when it has gone, the acting end with what the maker was.
 */
static __always_inline bool rf_isolation_ask_maker(struct rf_isolation_case *c, const struct rf_maker *maker)
{
	if (!maker->cgroup_id || maker->cgroup_id == c->cgroup_id)
		return false;
	if (rf_workload_of(maker->cgroup_id) != RF_WORKLOAD_NONE)
		return rf_isolation_ask(c, maker->cgroup_id, false);
	return rf_isolation_ask_gone(c, maker, RF_EGRESS);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates of bytes and packets, and the limits of rules on connections. Attached
 * to the cgroups of workloads that have some, and to no other: nobody else pays.
 *
 * hook           decides
 * rate_egress    when a packet of a workload may leave, or that it may not
 * rate_ingress   whether one may come in
 *
 * A packet may be under two rates at once, its workload's and that of the rule
 * that let its flow begin (bpf/lib/rule_rate.bpf.h): it is paid for in both or
 * in none, and the later one decides.
 *
 * Egress where the device's qdisc is fq: a packet gets the earliest time at
 * which it may leave, fq holds it that long, and what would wait longer than
 * RF_RATE_HORIZON_NS is dropped. Elsewhere nothing can hold a packet, and one
 * that comes before its time is dropped; the sender's TCP is told at once. Its
 * last packet in flight is let through on credit, up to RF_RATE_CREDIT_NS:
 * without an answer on its way it would only try again after 200 ms.
 *
 * A child cgroup is its workload's, and shares the bucket.
 *
 * Bound: four lookups a packet, two divisions; where rules have rates, for each
 * tier four more of each, and once a flow its verdict. Failure: open; what has
 * limits or state that are not there is not held back, and that is counted. A
 * connection that cannot be counted is denied.
 */
#include "lib/rule_rate.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_RATE_HORIZON_NS (2 * RF_NSEC)
#define RF_RATE_CREDIT_NS  (200ULL * 1000 * 1000)
/* What waits longer than this is marked, where the sender understands it: CoDel's target. */
#define RF_RATE_MARK_NS	   (5ULL * 1000 * 1000)

/* Of an egress program: the packet, and whether its sender should slow down. */
#define RF_DROP	     0
#define RF_PASS	     1
#define RF_DROP_TELL 2
#define RF_PASS_TELL 3

/* "fq", then the end of the string. */
static __always_inline bool rf_is_fq(struct Qdisc *qdisc)
{
	char id[4] = {};

	BPF_CORE_READ_INTO(&id, qdisc, ops, id);
	return id[0] == 'f' && id[1] == 'q' && !id[2];
}

/*
 * Does the device that the packet leaves by hold packets until their time? Where it has many queues ("mq"), all get
 * the same qdisc; one that an admin changed by hand must not go unseen, so the last is looked at, too.
 */
static __always_inline bool rf_device_paces(struct __sk_buff *ctx)
{
	/* What the program is given is the kernel's own packet; only the compiler does not know. */
	struct sk_buff *skb = (struct sk_buff *)ctx;
	struct net_device *device = BPF_CORE_READ(skb, dev);
	struct netdev_queue *queues;
	__u32 last;

	if (!device)
		return false;
	if (rf_is_fq(BPF_CORE_READ(device, qdisc)))
		return true;
	last = BPF_CORE_READ(device, real_num_tx_queues);
	if (last < 2)
		return false;
	queues = BPF_CORE_READ(device, _tx);
	return rf_is_fq(BPF_CORE_READ(queues, qdisc)) && rf_is_fq(BPF_CORE_READ(queues + (last - 1), qdisc));
}

/* Would this TCP socket, were its packet dropped, have nothing in flight whose answer makes it try again? */
static __always_inline bool rf_tcp_is_idle(struct __sk_buff *skb, bool *tcp)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tp;

	*tcp = false;
	if (!sk)
		return false;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return false;
	tp = bpf_tcp_sock(sk);
	if (!tp)
		return false;
	*tcp = true;
	return tp->packets_out <= 1;
}

/* A packet that wants to pass, and what it is under. */
struct rf_rate_try {
	struct rf_rate_cost cost;
	__u64 now;
	__u64 latest; /* when it may leave at the latest */
	__u32 workload;
	__u32 rate;
	__u32 direction;
	__u32 would;		       /* out: what only reports would not have let it pass at once */
	__u16 rule[RF_TIERS];	       /* RF_RULE_DEFAULT: none */
	__u8 rule_direction[RF_TIERS]; /* of its rule set */
	__u8 pad[2];
};

enum rf_rate_found { RF_RATE_NONE, RF_RATE_SOME, RF_RATE_DENY };

/* RF_RATE_NONE: this packet is under no rate. RF_RATE_DENY: a rule's limits on connections deny it. */
static __always_inline enum rf_rate_found rf_rate_find(struct __sk_buff *skb, enum rf_hook hook,
						       struct rf_rate_try *try)
{
	struct rf_workload_bank *bank;
	struct rf_rule_ask ask = {};
	__u32 flags;

	ask.version = RF_READ_ONCE(rf_config.version);
	ask.cgroup_id = bpf_skb_cgroup_id(skb);
	ask.workload = rf_workload_of(ask.cgroup_id);
	if (ask.workload == RF_WORKLOAD_NONE)
		return RF_RATE_NONE;
	rf_hook_seen(hook, ask.workload);
	bank = rf_workload_bank(ask.workload, ask.version);
	if (!bank || !bank->rate)
		return RF_RATE_NONE;
	flags = bank->flags;
	ask.rate = bank->rate;
	ask.outgoing = hook == RF_HOOK_RATE_EGRESS;
	try->workload = ask.workload;
	try->rate = ask.rate;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		try->rule[tier] = RF_RULE_DEFAULT;
		if (!(flags & RF_BANK_RULE_RATES(tier)))
			continue;
		ask.tier = tier;
		if (!rf_rule_ask(skb, &ask))
			return RF_RATE_DENY;
		try->rule[tier] = ask.rule;
		try->rule_direction[tier] = ask.direction;
	}
	return RF_RATE_SOME;
}

static __always_inline void rf_rate_count(__u32 workload, enum rf_counter bytes, enum rf_counter packets,
					  const struct rf_rate_cost *cost)
{
	struct rf_workload_stats *stats = rf_stats(workload);

	if (!stats)
		return;
	__sync_fetch_and_add(&stats->counter[bytes], cost->of[RF_RATE_BYTES]);
	__sync_fetch_and_add(&stats->counter[packets], cost->of[RF_RATE_PACKETS]);
}

/*
 * Takes from the buckets of one owner what passes, and tells when it may leave: 0, it does not pass. What only reports
 * keeps buckets of its own.
 */
static __always_inline __u64 rf_rate_take_from(const struct rf_rate_limits *limits, struct rf_rate_state *state,
					       struct rf_rate_try *try)
{
	const struct rf_rate_limit(*limit)[RF_RATE_UNITS] = limits->limit[try->direction & 1];
	struct rf_rate_bucket(*bucket)[RF_RATE_UNITS] = state->bucket[try->direction & 1];
	__u64 free_at, audit_at, now = try->now, latest = try->latest;
	struct rf_rate_cost cost = try->cost;

	bpf_spin_lock(&state->lock);
	free_at = rf_rate_free_at(bucket[RF_TIER_ENFORCE], limit[RF_TIER_ENFORCE], now);
	audit_at = rf_rate_free_at(bucket[RF_TIER_AUDIT], limit[RF_TIER_AUDIT], now);
	if (free_at <= latest) {
		rf_rate_take(bucket[RF_TIER_ENFORCE], limit[RF_TIER_ENFORCE], now, &cost);
		if (audit_at <= now)
			rf_rate_take(bucket[RF_TIER_AUDIT], limit[RF_TIER_AUDIT], now, &cost);
	}
	bpf_spin_unlock(&state->lock);
	if (free_at > latest)
		return 0;
	try->would |= audit_at > now;
	return free_at > now ? free_at : now;
}

/* Global, as what follows, so that the verifier looks at each once. */
__weak __noinline __u64 rf_rate_take_workload(struct rf_rate_try *try)
{
	struct rf_rate_limits *limits;
	struct rf_rate_state *state;
	__u32 workload;

	if (!try)
		return 0;
	workload = try->workload;
	limits = rf_rate_limits(try->rate);
	state = bpf_map_lookup_elem(&rf_rate_state_map, &workload);
	if (limits && state)
		return rf_rate_take_from(limits, state, try);
	rf_error(try->direction == RF_EGRESS ? RF_HOOK_RATE_EGRESS : RF_HOOK_RATE_INGRESS, RF_ERROR_RATE_MISSING);
	return try->now;
}

__weak __noinline __u64 rf_rate_take_rule(struct rf_rate_try *try, __u32 tier)
{
	struct rf_rule_rate *rate;
	struct rf_rate_state *state;
	__u64 id;

	if (!try)
		return 0;
	tier &= 1;
	if (try->rule[tier] == RF_RULE_DEFAULT)
		return try->now;
	rate = rf_rule_rate(try->rate, try->rule_direction[tier], tier, try->rule[tier]);
	if (!rate) /* a rule without one */
		return try->now;
	id = rate->id;
	state = bpf_map_lookup_elem(&rf_rule_state_map, &id);
	if (state)
		return rf_rate_take_from(&rate->limits, state, try);
	rf_error(try->direction == RF_EGRESS ? RF_HOOK_RATE_EGRESS : RF_HOOK_RATE_INGRESS, RF_ERROR_RATE_MISSING);
	return try->now;
}

/* What the rule that is enforced was paid. */
__weak __noinline int rf_rate_give_rule(struct rf_rate_try *try)
{
	struct rf_rule_rate *rate;
	struct rf_rate_state *state;
	struct rf_rate_cost cost;
	__u32 direction;
	__u64 id;

	if (!try || try->rule[RF_TIER_ENFORCE] == RF_RULE_DEFAULT)
		return 0;
	rate = rf_rule_rate(try->rate, try->rule_direction[RF_TIER_ENFORCE], RF_TIER_ENFORCE,
			    try->rule[RF_TIER_ENFORCE]);
	if (!rate)
		return 0;
	id = rate->id;
	state = bpf_map_lookup_elem(&rf_rule_state_map, &id);
	if (!state)
		return 0;
	direction = try->direction & 1;
	cost = try->cost;
	bpf_spin_lock(&state->lock);
	rf_rate_give(state->bucket[direction][RF_TIER_ENFORCE], rate->limits.limit[direction][RF_TIER_ENFORCE], &cost);
	bpf_spin_unlock(&state->lock);
	return 0;
}

/* Of all that it is under: the latest. What only reports is asked last, about what passes. */
static __always_inline __u64 rf_rates_take(struct rf_rate_try *try)
{
	__u64 rule_at, at;

	rule_at = rf_rate_take_rule(try, RF_TIER_ENFORCE);
	if (!rule_at)
		return 0;
	at = rf_rate_take_workload(try);
	if (!at) {
		rf_rate_give_rule(try);
		return 0;
	}
	rf_rate_take_rule(try, RF_TIER_AUDIT);
	return at > rule_at ? at : rule_at;
}

SEC("cgroup_skb/egress")
int rf_rate_egress(struct __sk_buff *skb)
{
	struct rf_rate_try try = { .direction = RF_EGRESS };
	bool paced, tcp = false, idle;
	enum rf_rate_found found;
	__u64 at;

	found = rf_rate_find(skb, RF_HOOK_RATE_EGRESS, &try);
	if (found != RF_RATE_SOME)
		return found == RF_RATE_DENY ? RF_DROP : RF_PASS;
	rf_rate_cost(skb, &try.cost);
	paced = rf_device_paces(skb);
	idle = !paced && rf_tcp_is_idle(skb, &tcp);
	try.now = bpf_ktime_get_ns();
	try.latest = try.now + (paced ? RF_RATE_HORIZON_NS : idle ? RF_RATE_CREDIT_NS : 0);
	at = rf_rates_take(&try);
	if (try.would)
		rf_rate_count(try.workload, RF_COUNTER_TX_WOULD_BYTES, RF_COUNTER_TX_WOULD_PACKETS, &try.cost);
	if (!at) {
		rf_rate_count(try.workload, RF_COUNTER_TX_DROPPED_BYTES, RF_COUNTER_TX_DROPPED_PACKETS, &try.cost);
		return RF_DROP_TELL;
	}
	if (at <= try.now)
		return RF_PASS;
	if (!paced)
		return RF_PASS_TELL; /* on credit */
	rf_rate_count(try.workload, RF_COUNTER_TX_DELAYED_BYTES, RF_COUNTER_TX_DELAYED_PACKETS, &try.cost);
	/* A time that the sender itself has set, and that is later, stays. */
	if (skb->tstamp < at)
		skb->tstamp = at;
	if (at - try.now > RF_RATE_MARK_NS)
		bpf_skb_ecn_set_ce(skb);
	return RF_PASS;
}

SEC("cgroup_skb/ingress")
int rf_rate_ingress(struct __sk_buff *skb)
{
	struct rf_rate_try try = { .direction = RF_INGRESS };
	enum rf_rate_found found;
	__u64 at;

	found = rf_rate_find(skb, RF_HOOK_RATE_INGRESS, &try);
	if (found != RF_RATE_SOME)
		return found == RF_RATE_DENY ? 0 : 1;
	rf_rate_cost(skb, &try.cost);
	try.now = bpf_ktime_get_ns();
	try.latest = try.now;
	at = rf_rates_take(&try);
	if (try.would)
		rf_rate_count(try.workload, RF_COUNTER_RX_WOULD_BYTES, RF_COUNTER_RX_WOULD_PACKETS, &try.cost);
	if (at)
		return 1;
	rf_rate_count(try.workload, RF_COUNTER_RX_DROPPED_BYTES, RF_COUNTER_RX_DROPPED_PACKETS, &try.cost);
	return 0;
}

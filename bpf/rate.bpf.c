// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates of bytes and packets. Attached to the cgroups of workloads that have
 * one, and to no other: nobody else pays.
 *
 * hook           decides
 * rate_egress    when a packet of a workload may leave, or that it may not
 * rate_ingress   whether one may come in
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
 * Bound: four lookups a packet, two divisions. Failure: open; a workload whose
 * limits or state are not there is not held back, and that is counted.
 */
#include "lib/rate.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_RATE_HORIZON_NS (2 * RF_NSEC)
#define RF_RATE_CREDIT_NS  (200ULL * 1000 * 1000)
/* What waits longer than this is marked, where the sender understands it: CoDel's target. */
#define RF_RATE_MARK_NS	   (5ULL * 1000 * 1000)

/* Of an egress program: the packet, and whether its sender should slow down. */
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

struct rf_rate_of {
	struct rf_rate_limits *limits;
	struct rf_rate_state *state;
	__u32 workload;
};

/* False: this packet is under no rate. */
static __always_inline bool rf_rate_find(struct __sk_buff *skb, enum rf_hook hook, struct rf_rate_of *of)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	struct rf_workload_bank *bank;
	__u32 workload, rate;

	workload = rf_workload_of(bpf_skb_cgroup_id(skb));
	if (workload == RF_WORKLOAD_NONE)
		return false;
	rf_hook_seen(hook, workload);
	bank = rf_workload_bank(workload, version);
	rate = bank ? bank->rate : 0;
	if (!rate)
		return false;
	of->workload = workload;
	of->limits = rf_rate_limits(rate);
	of->state = bpf_map_lookup_elem(&rf_rate_state_map, &workload);
	if (of->limits && of->state)
		return true;
	rf_error(hook, RF_ERROR_RATE_MISSING);
	return false;
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
 * Takes from the buckets of @direction what passes, and tells when it may leave: 0, it does not pass. What only
 * reports keeps buckets of its own; *would: it would not have passed at once.
 */
static __always_inline __u64 rf_rate_pass(const struct rf_rate_of *of, enum rf_direction direction, __u64 now,
					  __u64 latest, const struct rf_rate_cost *cost, bool *would)
{
	const struct rf_rate_limit(*limit)[RF_RATE_UNITS] = of->limits->limit[direction];
	struct rf_rate_bucket(*bucket)[RF_RATE_UNITS] = of->state->bucket[direction];
	__u64 free_at, audit_at;

	bpf_spin_lock(&of->state->lock);
	free_at = rf_rate_free_at(bucket[RF_TIER_ENFORCE], limit[RF_TIER_ENFORCE], now);
	audit_at = rf_rate_free_at(bucket[RF_TIER_AUDIT], limit[RF_TIER_AUDIT], now);
	if (free_at <= latest) {
		rf_rate_take(bucket[RF_TIER_ENFORCE], limit[RF_TIER_ENFORCE], now, cost);
		if (audit_at <= now)
			rf_rate_take(bucket[RF_TIER_AUDIT], limit[RF_TIER_AUDIT], now, cost);
	}
	bpf_spin_unlock(&of->state->lock);
	*would = free_at <= latest && audit_at > now;
	if (free_at > latest)
		return 0;
	return free_at > now ? free_at : now;
}

SEC("cgroup_skb/egress")
int rf_rate_egress(struct __sk_buff *skb)
{
	bool paced, would, tcp = false, idle;
	__u64 now, at, latest;
	struct rf_rate_cost cost;
	struct rf_rate_of of;

	if (!rf_rate_find(skb, RF_HOOK_RATE_EGRESS, &of))
		return RF_PASS;
	rf_rate_cost(skb, &cost);
	paced = rf_device_paces(skb);
	idle = !paced && rf_tcp_is_idle(skb, &tcp);
	now = bpf_ktime_get_ns();
	latest = now + (paced ? RF_RATE_HORIZON_NS : idle ? RF_RATE_CREDIT_NS : 0);
	at = rf_rate_pass(&of, RF_EGRESS, now, latest, &cost, &would);
	if (would)
		rf_rate_count(of.workload, RF_COUNTER_TX_WOULD_BYTES, RF_COUNTER_TX_WOULD_PACKETS, &cost);
	if (!at) {
		rf_rate_count(of.workload, RF_COUNTER_TX_DROPPED_BYTES, RF_COUNTER_TX_DROPPED_PACKETS, &cost);
		return RF_DROP_TELL;
	}
	if (at <= now)
		return RF_PASS;
	if (!paced)
		return RF_PASS_TELL; /* on credit */
	rf_rate_count(of.workload, RF_COUNTER_TX_DELAYED_BYTES, RF_COUNTER_TX_DELAYED_PACKETS, &cost);
	/* A time that the sender itself has set, and that is later, stays. */
	if (skb->tstamp < at)
		skb->tstamp = at;
	if (at - now > RF_RATE_MARK_NS)
		bpf_skb_ecn_set_ce(skb);
	return RF_PASS;
}

SEC("cgroup_skb/ingress")
int rf_rate_ingress(struct __sk_buff *skb)
{
	struct rf_rate_cost cost;
	struct rf_rate_of of;
	__u64 now, at;
	bool would;

	if (!rf_rate_find(skb, RF_HOOK_RATE_INGRESS, &of))
		return 1;
	rf_rate_cost(skb, &cost);
	now = bpf_ktime_get_ns();
	at = rf_rate_pass(&of, RF_INGRESS, now, now, &cost, &would);
	if (would)
		rf_rate_count(of.workload, RF_COUNTER_RX_WOULD_BYTES, RF_COUNTER_RX_WOULD_PACKETS, &cost);
	if (at)
		return 1;
	rf_rate_count(of.workload, RF_COUNTER_RX_DROPPED_BYTES, RF_COUNTER_RX_DROPPED_PACKETS, &cost);
	return 0;
}

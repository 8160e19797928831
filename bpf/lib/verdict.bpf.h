/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * (cgroup, direction, peer, protocol, port) -> verdict.
 *
 * The workload and its rule sets are asked on a miss of the verdict cache only:
 * a hash, two longest prefix matches and at most RF_RULE_WORDS ANDs. The cache
 * is per CPU and direct mapped, and belongs to one version of the
 * configuration: a flip empties it at once.
 *
 * The port in a flow is the one that rules speak of: the peer's for egress,
 * our own for ingress.
 */
#ifndef RF_BPF_VERDICT_H
#define RF_BPF_VERDICT_H

#include "account.bpf.h"

/* What is or'ed to the rules that an address gives: those by peer, by self, and by name. */
#define RF_MORE_SETS (2 + RF_LEARNT_NAMES)

struct rf_flow {
	__u64 addr[2]; /* the peer, network order; IPv4 in the first four bytes, the rest zero */
	__u64 cgroup_id;
	__u16 port; /* host order; type and code of ICMP */
	__u8 protocol;
	__u8 direction;
	__u8 family;
	__u8 self;		 /* the peer is the workload itself */
	__u8 lasts;		 /* it was allowed when it began: a name's time being over does not end it */
	__u8 more;		 /* one of @set is not empty */
	__u32 peer;		 /* RF_PEER_*_ID, a workload or a pod; RF_PEER_NONE_ID: nobody has asked yet */
	__u32 owner;		 /* of names, where they count */
	__u32 set[RF_MORE_SETS]; /* offsets in rf_set_map, of the rule set that is asked; 0, the empty vector */
};

/*
 * Beside enum rf_verdict: nothing was decided, find out who the peer is (bpf/lib/peer.bpf.h) and ask again. Who we are,
 * as a peer, is in the decision's ruleset.
 */
#define RF_ASK_PEER 0xff

/* In a decision's telemetry: the workload has limits on connections. Never of one that the cache has. */
#define RF_DECISION_LIMITED	  (1u << 31)
/* Some of its rules have. */
#define RF_DECISION_RULES_LIMITED (1u << 30)

/* Likewise: some of its flows are logged. */
#define RF_DECISION_LOGGED (1u << 29)

struct rf_decision {
	__u16 workload;	 /* RF_WORKLOAD_NONE: nobody's, nothing was judged */
	__u8 class;	 /* of the peer, enum rf_account_class */
	__u8 direction;	 /* who began, enum rf_direction */
	__u32 telemetry; /* as in its bank */
	__u32 ruleset;
	__u16 rule;
	__u8 verdict;
	__u8 tier;
};

/* Where the rules begin that @peer matches by what it is; 0, the empty vector, when there is none. */
static __always_inline __u32 rf_member_set(__u32 ruleset, __u32 peer)
{
	struct rf_member_key key = { .ruleset = ruleset, .peer = peer };
	__u32 *found = bpf_map_lookup_elem(&rf_member_map, &key);

	return found ? *found : 0;
}

/*
 * Fills in what @ruleset has for this peer beyond its address. Its own function, before the verdict's: a chain of
 * calls has 512 bytes of stack.
 */
__weak __noinline int rf_flow_more(__u32 ruleset, struct rf_flow *flow)
{
	struct rf_learnt_key key = {};
	struct rf_learnt *learnt;
	void *all;
	__u64 now;

	if (!flow)
		return 0;
	flow->set[0] = flow->peer ? rf_member_set(ruleset, flow->peer) : 0;
	flow->set[1] = flow->self ? rf_member_set(ruleset, RF_PEER_SELF_ID) : 0;
	flow->more = flow->set[0] || flow->set[1];
	for (int i = 0; i < RF_LEARNT_NAMES; i++)
		flow->set[2 + i] = 0;
	if (flow->direction != RF_EGRESS || !flow->owner)
		return 0;
	key.addr[0] = flow->addr[0];
	key.addr[1] = flow->addr[1];
	key.owner = flow->owner;
	key.family = flow->family;
	all = rf_only_chunk(&rf_learnt_map);
	learnt = all ? bpf_map_lookup_elem(all, &key) : NULL;
	if (!learnt)
		return 0;
	now = bpf_ktime_get_ns();
	for (int i = 0; i < RF_LEARNT_NAMES; i++) {
		if (!learnt->name[i] || (learnt->until_ns[i] < now && !flow->lasts))
			continue;
		flow->set[2 + i] = rf_member_set(ruleset, RF_PEER_NAME | learnt->name[i]);
		if (flow->set[2 + i])
			flow->more = 1;
	}
	return 0;
}

/* Where the words of a vector are; all of it. */
static __always_inline void *rf_set_words(__u32 offset)
{
	__u32 chunk = offset / RF_SET_CHUNK;

	return bpf_map_lookup_elem(&rf_set_map, &chunk);
}

static __always_inline __u64 *rf_set_word(void *words, __u32 offset)
{
	__u32 at = offset % RF_SET_CHUNK;

	return words ? bpf_map_lookup_elem(words, &at) : NULL;
}

/* The rules of one word beyond the address's. */
static __noinline __u64 rf_more_word(const struct rf_flow *flow, __u32 word)
{
	__u64 both = 0;

	for (int i = 0; i < RF_MORE_SETS; i++) {
		__u64 *value;

		if (!flow->set[i])
			continue;
		value = rf_set_word(rf_set_words(flow->set[i]), flow->set[i] + word);
		if (value)
			both |= *value;
	}
	return both;
}

#define RF_RULESET_ALLOW (1u << 31) /* in what rf_ruleset_decide() returns; the low 16 bits are the rule */

/*
 * Closed: a rule set that is not there denies, and is counted. Global, so that the verifier looks at it once and not on
 * every road that leads here; each object that includes this has its own, weak, and the linker keeps one.
 */
__weak __noinline __u32 rf_ruleset_decide(__u32 id, const struct rf_flow *flow)
{
	struct rf_ruleset *ruleset = bpf_map_lookup_elem(&rf_ruleset_map, &id);
	struct rf_port_key port_key = { .prefixlen = RF_PORT_PREFIX_PROTO + 16, .ruleset = id };
	__u32 peers, ports, *found, words;
	void *peer_words, *port_words;

	if (!flow || !ruleset || !ruleset->words) {
		rf_error(RF_HOOK_SKB_EGRESS, RF_ERROR_RULESET_MISSING);
		return RF_RULE_DEFAULT;
	}
	words = ruleset->words;

	if (flow->family == RF_AF_INET) {
		struct rf_peer4_key key = { .prefixlen = 64, .ruleset = id };

		__builtin_memcpy(key.addr, flow->addr, 4);
		found = bpf_map_lookup_elem(&rf_peer4_map, &key);
	} else {
		struct rf_peer6_key key = { .prefixlen = 160, .ruleset = id };

		__builtin_memcpy(key.addr, flow->addr, 16);
		found = bpf_map_lookup_elem(&rf_peer6_map, &key);
	}
	peers = found ? *found : ruleset->any_peer_set;

	port_key.protocol = flow->protocol;
	port_key.port[0] = flow->port >> 8;
	port_key.port[1] = flow->port & 0xff;
	found = bpf_map_lookup_elem(&rf_port_map, &port_key);
	ports = found ? *found : ruleset->any_port_set;

	peer_words = rf_set_words(peers);
	port_words = rf_set_words(ports);
	for (__u32 i = 0; i < RF_RULE_WORDS; i++) {
		__u64 *pw, *qw, *aw, both;
		__u32 bit;

		if (i >= words)
			break;
		pw = rf_set_word(peer_words, peers + i);
		qw = rf_set_word(port_words, ports + i);
		if (!pw || !qw)
			return RF_RULE_DEFAULT;
		both = *pw;
		if (flow->more)
			both |= rf_more_word(flow, i);
		both &= *qw;
		if (!both)
			continue;
		bit = __builtin_ctzll(both);
		aw = rf_set_word(rf_set_words(ruleset->allow_set), ruleset->allow_set + i);
		if (!aw)
			return RF_RULE_DEFAULT;
		return (*aw >> (bit & 63) & 1 ? RF_RULESET_ALLOW : 0) | (i * 64 + bit);
	}
	return (ruleset->default_allow ? RF_RULESET_ALLOW : 0) | RF_RULE_DEFAULT;
}

/* Both tiers: what is enforced decides; what is audited may turn an allow into a would-deny. */
static __always_inline void rf_flow_evaluate(struct rf_flow *flow, const struct rf_workload_bank *bank,
					     struct rf_decision *decision)
{
	__u32 direction = flow->direction & 1, enforced, audited, result = RF_RULESET_ALLOW | RF_RULE_DEFAULT;
	bool more = bank->flags & (RF_BANK_PEERS(direction) | RF_BANK_NAMES);

	enforced = bank->ruleset[direction][RF_TIER_ENFORCE];
	audited = bank->ruleset[direction][RF_TIER_AUDIT];
	if (enforced) {
		if (more)
			rf_flow_more(enforced, flow);
		result = rf_ruleset_decide(enforced, flow);
	}
	decision->ruleset = enforced;
	decision->rule = result;
	decision->tier = RF_TIER_ENFORCE;
	decision->verdict = result & RF_RULESET_ALLOW ? RF_ALLOW : RF_DENY;
	if (decision->verdict == RF_DENY || !audited)
		return;
	if (more)
		rf_flow_more(audited, flow);
	result = rf_ruleset_decide(audited, flow);
	if (result & RF_RULESET_ALLOW)
		return;
	decision->ruleset = audited;
	decision->rule = result;
	decision->tier = RF_TIER_AUDIT;
	decision->verdict = RF_WOULD_DENY;
}

/* What two flows with the same peer differ in. */
static __always_inline __u32 rf_flow_key(const struct rf_flow *flow)
{
	return (__u32)flow->port << 16 | (__u32)flow->protocol << 8 | (__u32)flow->direction << 4 |
	       (flow->family == RF_AF_INET6);
}

/* A multiplicative mix; collisions cost a second evaluation, never a wrong verdict. */
static __always_inline __u32 rf_flow_slot(const struct rf_flow *flow, __u32 key)
{
	__u64 h = (flow->addr[0] ^ (flow->addr[1] << 1)) * 0x9e3779b97f4a7c15ULL;

	h ^= (flow->cgroup_id << 32 ^ key) * 0xc2b2ae3d27d4eb4fULL;
	h ^= h >> 29;
	return (__u32)(h >> 7) & (RF_CACHE_SLOTS - 1);
}

/*
 * True: the cache has the decision. Only this CPU touches a slot, but a softirq or a preempting task may come in
 * between: a slot is written under an odd @seq, and a reader that sees @seq move, or odd, takes it for a miss.
 */
static __always_inline bool rf_flow_decided(const struct rf_cache_entry *entry, const struct rf_flow *flow, __u32 key,
					    __u64 version, struct rf_decision *decision)
{
	__u32 seq = RF_READ_ONCE(entry->seq);

	rf_barrier();
	if (entry->version != version || entry->cgroup_id != flow->cgroup_id || entry->key != key ||
	    entry->addr[0] != flow->addr[0] || entry->addr[1] != flow->addr[1])
		return false;
	decision->workload = entry->workload;
	decision->class = entry->class;
	decision->telemetry = entry->telemetry;
	decision->ruleset = entry->ruleset;
	decision->rule = entry->rule;
	decision->verdict = entry->verdict;
	decision->tier = entry->tier;
	rf_barrier();
	return !(seq & 1) && RF_READ_ONCE(entry->seq) == seq;
}

/* A writer that finds @seq odd has interrupted another, and leaves the slot alone. */
static __always_inline void rf_decision_keep(struct rf_cache_entry *entry, const struct rf_flow *flow, __u32 key,
					     __u64 version, const struct rf_decision *decision)
{
	__u32 seq = RF_READ_ONCE(entry->seq);

	if ((seq & 1) || __sync_val_compare_and_swap(&entry->seq, seq, seq + 1) != seq) {
		rf_error(RF_HOOK_SKB_EGRESS, RF_ERROR_CACHE_RACE);
		return;
	}
	rf_barrier();
	entry->version = version;
	entry->cgroup_id = flow->cgroup_id;
	entry->key = key;
	entry->addr[0] = flow->addr[0];
	entry->addr[1] = flow->addr[1];
	entry->workload = decision->workload;
	entry->class = decision->class;
	entry->telemetry = decision->telemetry;
	entry->ruleset = decision->ruleset;
	entry->rule = decision->rule;
	entry->verdict = decision->verdict;
	entry->tier = decision->tier;
	rf_barrier();
	RF_WRITE_ONCE(entry->seq, seq + 2);
}

/* The cache did not know. What is nobody's is not kept here: every flow of it would take a slot. */
static __always_inline void rf_flow_ask(struct rf_flow *flow, __u32 key, __u64 version, struct rf_cache_entry *entry,
					struct rf_decision *decision)
{
	struct rf_workload_bank *bank;

	decision->workload = rf_workload_at(&flow->cgroup_id);
	bank = rf_workload_bank(decision->workload, version);
	if (decision->workload == RF_WORKLOAD_NONE || !bank) {
		decision->workload = RF_WORKLOAD_NONE;
		decision->class = 0;
		decision->telemetry = 0;
		decision->ruleset = 0;
		decision->rule = RF_RULE_DEFAULT;
		decision->verdict = RF_ALLOW;
		decision->tier = RF_TIER_ENFORCE;
		return;
	}
	decision->telemetry = bank->telemetry | (bank->flow_sample ? RF_DECISION_LOGGED : 0);
	if (bank->flags & RF_BANK_RULE_CONNECTIONS)
		decision->telemetry |= RF_DECISION_RULES_LIMITED;
	if (bank->flags & RF_BANK_CONNECTIONS) {
		decision->telemetry |= RF_DECISION_LIMITED;
		entry = NULL;
	}
	if (bank->flags & RF_BANK_PEERS(flow->direction & 1) && flow->peer == RF_PEER_NONE_ID) {
		decision->verdict = RF_ASK_PEER;
		decision->ruleset = bank->peer;
		return;
	}
	flow->owner = bank->flags & RF_BANK_NAMES ? bank->owner : 0;
	decision->class = rf_class_of(flow->addr[0], flow->addr[1], flow->family);
	rf_flow_evaluate(flow, bank, decision);
	/* Not kept: the same address and port may be somebody else's next time, or another name's. */
	if (entry && !(bank->flags & (RF_BANK_PEERS(flow->direction & 1) | RF_BANK_NAMES)))
		rf_decision_keep(entry, flow, key, version, decision);
}

static __always_inline void rf_flow_decide(struct rf_flow *flow, __u64 version, struct rf_decision *decision)
{
	__u32 key = rf_flow_key(flow), slot = rf_flow_slot(flow, key);
	struct rf_cache_entry *entry = bpf_map_lookup_elem(&rf_cache_map, &slot);

	if (rf_likely(entry && rf_flow_decided(entry, flow, key, version, decision)))
		return;
	rf_flow_ask(flow, key, version, entry, decision);
}

/* The same where the cache has it; false: it has not. */
static __always_inline bool rf_flow_kept(const struct rf_flow *flow, __u64 version, struct rf_decision *decision)
{
	__u32 key = rf_flow_key(flow), slot = rf_flow_slot(flow, key);
	struct rf_cache_entry *entry = bpf_map_lookup_elem(&rf_cache_map, &slot);

	return entry && rf_flow_decided(entry, flow, key, version, decision);
}

#endif

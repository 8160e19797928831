/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names without a proxy: what workloads ask of DNS is remembered as it leaves,
 * and the answer is read as it comes in, before the workload can. Only an answer
 * to a question of its own counts: the same resolver, ports, id, name and type.
 *
 * Read are messages over UDP and, where one is a segment by itself, over TCP,
 * of workloads whose rules have names. Nothing here denies: what cannot be read
 * teaches nothing, which is counted, and rules by that name do not match.
 */
#ifndef RF_BPF_NAMES_H
#define RF_BPF_NAMES_H

#include "dns.bpf.h"
#include "packet.bpf.h"
#include "verdict.bpf.h"

#define RF_DNS_PORT    53
#define RF_QUERY_NS    (30ULL * 1000 * 1000 * 1000) /* how long an answer may take */
#define RF_DNS_READERS 4 /* messages that one CPU may be at: two ways, interrupted once each */

struct rf_dns_buffer {
	__u8 byte[RF_DNS_MESSAGE_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_DNS_READERS);
	__type(key, __u32);
	__type(value, struct rf_dns_buffer);
} rf_dns_buffer_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_DNS_READERS);
	__type(key, __u32);
	__type(value, struct rf_dns_work);
} rf_dns_work_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_DNS_READERS);
	__type(key, __u32);
	__type(value, struct rf_dns_message);
} rf_dns_message_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_DNS_READERS);
	__type(key, __u32);
	__type(value, __u32);
} rf_dns_busy_map SEC(".maps");

/* A set of buffers that nobody whom we interrupted is using; RF_DNS_READERS: none. */
static __always_inline __u32 rf_dns_reader_take(void)
{
	for (__u32 i = 0; i < RF_DNS_READERS; i++) {
		__u32 slot = i, *busy = bpf_map_lookup_elem(&rf_dns_busy_map, &slot);

		if (busy && !__sync_val_compare_and_swap(busy, 0, 1))
			return i;
	}
	return RF_DNS_READERS;
}

static __always_inline void rf_dns_reader_put(__u32 slot)
{
	__u32 *busy = bpf_map_lookup_elem(&rf_dns_busy_map, &slot);

	if (busy)
		RF_WRITE_ONCE(*busy, 0);
}

/* Where the DNS message begins, 0 when it is not to be read; @ret_len: its length. */
static __always_inline __u32 rf_dns_payload(struct __sk_buff *skb, __u8 family, __u8 protocol, __u32 *ret_len)
{
	__u32 offset = sizeof(struct ipv6hdr);
	__u8 byte;
	__be16 len;

	if (family == RF_AF_INET) {
		if (bpf_skb_load_bytes(skb, 0, &byte, 1))
			return 0;
		offset = (byte & 0xf) * 4;
	} else if (bpf_skb_load_bytes(skb, 6, &byte, 1) || byte != protocol) {
		return 0; /* extension headers: no resolver sends them */
	}
	if (protocol == IPPROTO_UDP) {
		offset += sizeof(struct udphdr);
		*ret_len = skb->len - offset;
		return skb->len > offset ? offset : 0;
	}
	if (bpf_skb_load_bytes(skb, offset + 12, &byte, 1))
		return 0;
	offset += (byte >> 4) * 4;
	/* A segment without data opens, acknowledges or ends the connection. */
	if (skb->len <= offset + 2 || bpf_skb_load_bytes(skb, offset, &len, 2))
		return 0;
	offset += 2;
	*ret_len = skb->len - offset;
	if (bpf_ntohs(len) == *ret_len)
		return offset;
	rf_error(RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_SPLIT);
	return 0;
}

/* FNV-1a over words: whoever asks is who gains from a collision, and it is told its own names only. */
static __always_inline __u64 rf_dns_question(const struct rf_dns_message *m)
{
	const __u64 *word = (const __u64 *)m->name;
	__u64 h = 0xcbf29ce484222325ULL ^ m->type;

	for (int i = 0; i < RF_DNS_NAME_MAX / 8; i++)
		h = (h ^ word[i]) * 0x100000001b3ULL;
	return h;
}

/* No entry: any resolver, and the default times. */
static __noinline bool rf_dns_resolver_allowed(const struct rf_dns_config *config, const struct rf_query_key *key)
{
	if (!config || !config->n_resolvers)
		return true;
	for (int i = 0; i < RF_MAX_RESOLVERS; i++) {
		const struct rf_dns_resolver *r = &config->resolver[i];

		if (i >= config->n_resolvers)
			break;
		if (r->family == key->family && (key->resolver[0] & r->mask[0]) == r->addr[0] &&
		    (key->resolver[1] & r->mask[1]) == r->addr[1])
			return true;
	}
	return false;
}

/* What was learnt is one name more, or longer. */
static __noinline int rf_learnt_add(const struct rf_learnt_key *key, __u32 name, __u64 until)
{
	struct rf_learnt *known = bpf_map_lookup_elem(&rf_learnt_map, key);
	struct rf_learnt fresh = {};
	int at = 0;

	if (!known) {
		fresh.name[0] = name;
		fresh.until_ns[0] = until;
		if (bpf_map_update_elem(&rf_learnt_map, key, &fresh, BPF_ANY))
			rf_error(RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_FULL);
		return 0;
	}
	for (int i = 0; i < RF_LEARNT_NAMES; i++) {
		if (known->name[i] == name) {
			if (known->until_ns[i] < until)
				known->until_ns[i] = until;
			return 0;
		}
	}
	/* The one whose time is over first makes room. */
	for (int i = 1; i < RF_LEARNT_NAMES; i++)
		if (known->until_ns[i] < known->until_ns[at & (RF_LEARNT_NAMES - 1)])
			at = i;
	at &= RF_LEARNT_NAMES - 1;
	known->name[at] = 0;
	known->until_ns[at] = until;
	known->name[at] = name;
	return 0;
}

static __noinline int rf_addresses_learn(const struct rf_dns_message *m, __u32 owner, __u32 name,
					 const struct rf_dns_config *config)
{
	__u32 min = config ? config->min_ttl_s : RF_DNS_MIN_TTL_S, max = config ? config->max_ttl_s : RF_DNS_MAX_TTL_S;
	__u64 now = bpf_ktime_get_ns();

	for (int i = 0; i < RF_DNS_ADDRESSES_MAX; i++) {
		struct rf_learnt_key key = { .owner = owner };
		__u32 ttl;

		if (i >= m->n_addresses)
			break;
		__builtin_memcpy(key.addr, m->addresses[i].addr, 16);
		key.family = m->addresses[i].family;
		ttl = m->addresses[i].ttl;
		ttl = ttl < min ? min : ttl > max ? max : ttl;
		rf_learnt_add(&key, name, now + ttl * 1000000000ULL);
	}
	return 0;
}

/* "a.b.c" as "*.b.c", into @ret. */
static __always_inline bool rf_name_widen(const struct rf_dns_message *m, __u8 *ret)
{
	__u32 first = m->name[0], rest;

	if (!first || first > 63 || m->name_len > RF_DNS_WIRE_NAME || m->name_len < first + 2)
		return false;
	rest = m->name_len - 1 - first;
	rf_barrier_var(rest);
	rest &= RF_DNS_NAME_MAX - 1;
	if (rest > RF_DNS_NAME_MAX - 2)
		return false;
	__builtin_memset(ret, 0, RF_DNS_NAME_MAX);
	ret[0] = 1;
	ret[1] = '*';
	return bpf_probe_read_kernel(ret + 2, rest, m->name + 1 + first) == 0;
}

enum rf_dns_count { RF_DNS_QUERY, RF_DNS_ANSWER, RF_DNS_REFUSED };

/* A message was read, of the workload and this resolver. */
static __noinline int rf_dns_count(__u32 workload, const struct rf_query_key *key, enum rf_dns_count what)
{
	struct rf_account *account =
		rf_account(RF_ACCOUNT(workload, rf_class_of(key->resolver[0], key->resolver[1], key->family)));

	if (!account)
		return 0;
	if (what == RF_DNS_QUERY)
		__sync_fetch_and_add(&account->dns_queries, 1);
	else if (what == RF_DNS_ANSWER)
		__sync_fetch_and_add(&account->dns_answers, 1);
	else
		__sync_fetch_and_add(&account->dns_refused, 1);
	return 0;
}

/* The answer to a question of its own: its addresses are at the names that rules know. */
static __noinline int rf_answer_learn(struct rf_dns_message *m, struct rf_dns_work *work,
				      const struct rf_query_key *key, const struct rf_dns_key *config_key)
{
	struct rf_dns_config *config = bpf_map_lookup_elem(&rf_dns_map, config_key);
	struct rf_query *query = bpf_map_lookup_elem(&rf_query_map, key);
	__u32 *name;

	if (!query || query->question != rf_dns_question(m) || bpf_ktime_get_ns() - query->asked_ns > RF_QUERY_NS ||
	    !rf_dns_resolver_allowed(config, key)) {
		rf_dns_count(config_key->workload, key, RF_DNS_REFUSED);
		return 0;
	}
	bpf_map_delete_elem(&rf_query_map, key);
	rf_dns_count(config_key->workload, key, RF_DNS_ANSWER);
	name = bpf_map_lookup_elem(&rf_name_map, m->name);
	if (name)
		rf_addresses_learn(m, key->owner, *name, config);
	if (!rf_name_widen(m, work->name.byte))
		return 0;
	name = bpf_map_lookup_elem(&rf_name_map, work->name.byte);
	if (name)
		rf_addresses_learn(m, key->owner, *name, config);
	return 0;
}

/* @key: all but the id, which is in the message. */
static __noinline int rf_dns_read(struct __sk_buff *skb, struct rf_query_key *key, const struct rf_dns_key *config_key,
				  bool outgoing, __u32 slot)
{
	struct rf_dns_buffer *buffer = bpf_map_lookup_elem(&rf_dns_buffer_map, &slot);
	struct rf_dns_work *work = bpf_map_lookup_elem(&rf_dns_work_map, &slot);
	struct rf_dns_message *m = bpf_map_lookup_elem(&rf_dns_message_map, &slot);
	struct rf_query query;
	__u32 len = 0, offset;

	offset = rf_dns_payload(skb, key->family, key->protocol, &len);
	if (!offset || !buffer || !work || !m)
		return 0;
	if (len - 1 >= RF_DNS_MESSAGE_MAX)
		goto refused;
	/* What Linux 6.1 believes to be from 1 to the size of the buffer. */
	rf_barrier_var(len);
	len = ((len - 1) & (RF_DNS_MESSAGE_MAX - 1)) + 1;
	if (bpf_skb_load_bytes(skb, offset, buffer->byte, len) ||
	    rf_dns_parse(buffer->byte, len, work, m) != RF_DNS_OK || m->response == outgoing)
		goto refused;
	key->id = m->id;
	if (!outgoing)
		return rf_answer_learn(m, work, key, config_key);
	query.asked_ns = bpf_ktime_get_ns();
	query.question = rf_dns_question(m);
	rf_dns_count(config_key->workload, key, RF_DNS_QUERY);
	if (bpf_map_update_elem(&rf_query_map, key, &query, BPF_ANY))
		rf_error(RF_HOOK_SKB_EGRESS, RF_ERROR_DNS_FULL);
	return 0;
refused:
	rf_dns_count(config_key->workload, key, RF_DNS_REFUSED);
	return 0;
}

/*
 * A packet that passed and may be from or to a resolver's port; if it is, and rules of its workload have names, it is
 * read. Global, like rf_packet_parse_slow().
 */
__noinline int rf_dns_packet(struct __sk_buff *skb, __u64 version, __u64 cgroup_id, bool outgoing)
{
	struct rf_dns_key config_key = { .workload = rf_workload_of(cgroup_id), .bank = version & 1 };
	struct rf_workload_bank *bank = rf_workload_bank(config_key.workload, version);
	struct rf_query_key key = {};
	__u32 slot;
	struct rf_packet packet;
	const __u64 *resolver;

	if (config_key.workload == RF_WORKLOAD_NONE || !bank || !(bank->flags & RF_BANK_NAMES))
		return 0;
	if (rf_packet_parse(skb, &packet) || (packet.protocol != IPPROTO_UDP && packet.protocol != IPPROTO_TCP))
		return 0;
	if ((outgoing ? packet.destination_port : packet.source_port) != RF_DNS_PORT)
		return 0;
	slot = rf_dns_reader_take();
	if (slot >= RF_DNS_READERS) {
		rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_BUSY);
		return 0;
	}
	resolver = outgoing ? packet.destination : packet.source;
	key.resolver[0] = resolver[0];
	key.resolver[1] = resolver[1];
	key.owner = bank->owner;
	key.local_port = outgoing ? packet.source_port : packet.destination_port;
	key.family = packet.family;
	key.protocol = packet.protocol;
	rf_dns_read(skb, &key, &config_key, outgoing, slot);
	rf_dns_reader_put(slot);
	return 0;
}

/* A flow with a resolver's port at the other end, whose every packet is looked at. */
static __always_inline bool rf_ports_are_dns(__u32 ports)
{
	return (ports & 0xffff) == RF_DNS_PORT;
}

#endif

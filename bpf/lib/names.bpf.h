/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names without a proxy: what workloads ask of DNS is remembered as it leaves,
 * and the answer is read as it comes in, before the workload can. Only an answer
 * to a question of its own counts: the same resolver, ports, id, name and type.
 *
 * Read are messages over UDP and over TCP (bpf/lib/dns_stream.bpf.h), of
 * workloads whose rules have names. Nothing here denies: what cannot be read
 * teaches nothing, which is counted, and rules by that name do not match.
 */
#ifndef RF_BPF_NAMES_H
#define RF_BPF_NAMES_H

#include "dns_stream.bpf.h"
#include "packet.bpf.h"
#include "verdict.bpf.h"

#define RF_DNS_PORT		53
#define RF_QUERY_NS		(30ULL * 1000 * 1000 * 1000) /* how long an answer may take */
#define RF_DNS_READERS		4 /* messages that one CPU may be at: two ways, interrupted once each */
#define RF_DNS_SEGMENT_MESSAGES 4 /* that may end in one segment */

struct rf_dns_buffer {
	struct rf_dns_stream stream;
	__u8 room[RF_DNS_MESSAGE_MAX]; /* see rf_dns_stream_take() */
	/* Whose it is: here, because Linux 6.1 takes no argument of a global function for the key of a map. */
	struct rf_query_key key; /* all but the id, which is in the message */
	struct rf_dns_key config_key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_DNS_READERS);
	__type(key, __u32);
	__type(value, struct rf_dns_buffer);
} rf_dns_stream_buffer_map SEC(".maps");

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

/* Whose bytes wait for more. */
struct rf_dns_stream_key {
	__u64 cookie; /* of the workload's socket */
	__u32 outgoing;
	__u32 pad;
};

/* The least used goes, which is then one that cannot be read. */
struct rf_dns_stream_chunk {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_DNS_STREAMS);
	__uint(key_size, sizeof(struct rf_dns_stream_key));
	__uint(value_size, sizeof(struct rf_dns_stream));
};

/* As rf_learnt_map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rf_dns_stream_chunk);
} rf_dns_stream_map SEC(".maps");

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

/* What of the packet is DNS; false: nothing. A sequence number over UDP is none. */
static __always_inline bool rf_dns_payload(struct __sk_buff *skb, __u8 family, __u8 protocol, struct rf_dns_segment *g)
{
	__u32 offset = sizeof(struct ipv6hdr);
	__u8 byte, header[14];

	if (family == RF_AF_INET) {
		if (bpf_skb_load_bytes(skb, 0, &byte, 1))
			return false;
		offset = (byte & 0xf) * 4;
	} else if (bpf_skb_load_bytes(skb, 6, &byte, 1) || byte != protocol) {
		return false; /* extension headers: no resolver sends them */
	}
	g->sequence = 0;
	if (protocol == IPPROTO_UDP) {
		offset += sizeof(struct udphdr);
	} else {
		if (bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
			return false;
		g->sequence = (__u32)header[4] << 24 | header[5] << 16 | header[6] << 8 | header[7];
		/* One that opens takes a number itself. */
		if (header[13] & RF_TCP_FLAG_SYN)
			g->sequence++;
		offset += (header[12] >> 4) * 4;
	}
	g->at = offset;
	g->end = skb->len;
	/* A segment without data opens, acknowledges or ends the connection. */
	return g->end > g->at;
}

static __always_inline void rf_dns_stream_key(struct __sk_buff *skb, bool outgoing, struct rf_dns_stream_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->cookie = bpf_get_socket_cookie(skb);
	key->outgoing = outgoing;
}

static __always_inline void rf_dns_lost(bool outgoing)
{
	rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_SPLIT);
}

/* What came before of the message that goes on here, into this CPU's buffer; it is in the map no more. */
static __noinline int rf_dns_stream_resume(struct __sk_buff *skb, bool outgoing, __u32 slot)
{
	struct rf_dns_buffer *buffer = bpf_map_lookup_elem(&rf_dns_stream_buffer_map, &slot);
	void *streams = rf_only_chunk(&rf_dns_stream_map);
	struct rf_dns_stream_key key;
	struct rf_dns_stream *known;

	if (!buffer)
		return 0;
	rf_dns_stream_begin(&buffer->stream);
	if (!streams)
		return 0;
	rf_dns_stream_key(skb, outgoing, &key);
	known = bpf_map_lookup_elem(streams, &key);
	if (!known)
		return 0;
	if (bpf_probe_read_kernel(&buffer->stream, sizeof(buffer->stream), known) ||
	    bpf_map_delete_elem(streams, &key)) {
		/* It made room for another while it was read, and may be of both. */
		rf_dns_stream_begin(&buffer->stream);
		rf_dns_lost(outgoing);
	}
	return 0;
}

/* The length of the next message, in the buffer; 0: none. */
static __noinline __u32 rf_dns_stream_next(struct __sk_buff *skb, struct rf_dns_segment *g, bool outgoing, __u32 slot)
{
	struct rf_dns_buffer *buffer = bpf_map_lookup_elem(&rf_dns_stream_buffer_map, &slot);
	struct rf_dns_stream_key key;
	void *streams;
	int len;

	if (!buffer)
		return 0;
	len = rf_dns_stream_take(skb, g, &buffer->stream);
	if (len > 0)
		return len;
	if (len < 0) {
		rf_dns_lost(outgoing);
		return 0;
	}
	if (!buffer->stream.n_length)
		return 0;
	rf_dns_stream_key(skb, outgoing, &key);
	streams = rf_only_chunk(&rf_dns_stream_map);
	if (!streams || bpf_map_update_elem(streams, &key, &buffer->stream, BPF_ANY))
		rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_FULL);
	return 0;
}

/* A datagram is a message: its length, in the buffer; 0: longer than any that is read. */
static __noinline __u32 rf_dns_datagram(struct __sk_buff *skb, const struct rf_dns_segment *g, __u32 slot)
{
	struct rf_dns_buffer *buffer = bpf_map_lookup_elem(&rf_dns_stream_buffer_map, &slot);
	__u32 len = g->end - g->at;

	if (!buffer || len - 1 >= RF_DNS_MESSAGE_MAX)
		return 0;
	/* What Linux 6.1 believes to be from 1 to the size of the buffer. */
	rf_barrier_var(len);
	len = ((len - 1) & (RF_DNS_MESSAGE_MAX - 1)) + 1;
	return bpf_skb_load_bytes(skb, g->at, buffer->stream.byte, len) ? 0 : len;
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
	void *learnt = rf_only_chunk(&rf_learnt_map);
	struct rf_learnt fresh = {}, *known;
	int at = 0;

	if (!learnt) {
		rf_error(RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_FULL);
		return 0;
	}
	known = bpf_map_lookup_elem(learnt, key);
	if (!known) {
		fresh.name[0] = name;
		fresh.until_ns[0] = until;
		if (bpf_map_update_elem(learnt, key, &fresh, BPF_ANY))
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
	void *queries = rf_only_chunk(&rf_query_map);
	struct rf_query *query;
	__u32 *name;

	if (!queries)
		return 0;
	query = bpf_map_lookup_elem(queries, key);
	if (!query || query->question != rf_dns_question(m) || bpf_ktime_get_ns() - query->asked_ns > RF_QUERY_NS ||
	    !rf_dns_resolver_allowed(config, key)) {
		rf_dns_count(config_key->workload, key, RF_DNS_REFUSED);
		return 0;
	}
	bpf_map_delete_elem(queries, key);
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

/* The message of @len bytes in the buffer. Global: it is called for several. */
__noinline int rf_dns_read(bool outgoing, __u32 slot, __u32 len)
{
	struct rf_dns_buffer *buffer = bpf_map_lookup_elem(&rf_dns_stream_buffer_map, &slot);
	struct rf_dns_work *work = bpf_map_lookup_elem(&rf_dns_work_map, &slot);
	struct rf_dns_message *m = bpf_map_lookup_elem(&rf_dns_message_map, &slot);
	void *queries = rf_only_chunk(&rf_query_map);
	struct rf_query query;

	if (!buffer || !work || !m)
		return 0;
	if (rf_dns_parse(buffer->stream.byte, len, work, m) != RF_DNS_OK || m->response == outgoing) {
		rf_dns_count(buffer->config_key.workload, &buffer->key, RF_DNS_REFUSED);
		return 0;
	}
	buffer->key.id = m->id;
	if (!outgoing)
		return rf_answer_learn(m, work, &buffer->key, &buffer->config_key);
	query.asked_ns = bpf_ktime_get_ns();
	query.question = rf_dns_question(m);
	rf_dns_count(buffer->config_key.workload, &buffer->key, RF_DNS_QUERY);
	if (!queries || bpf_map_update_elem(queries, &buffer->key, &query, BPF_ANY))
		rf_error(RF_HOOK_SKB_EGRESS, RF_ERROR_DNS_FULL);
	return 0;
}

/* The messages that end in this segment. */
static __always_inline void rf_dns_segment_read(struct __sk_buff *skb, struct rf_dns_segment *g,
						struct rf_dns_buffer *buffer, bool outgoing, __u32 slot)
{
	__u32 len;

	rf_dns_stream_resume(skb, outgoing, slot);
	for (int i = 0; i < RF_DNS_SEGMENT_MESSAGES; i++) {
		len = rf_dns_stream_next(skb, g, outgoing, slot);
		if (!len)
			return;
		rf_dns_read(outgoing, slot, len);
		rf_dns_stream_begin(&buffer->stream);
	}
	if (g->at < g->end)
		rf_dns_lost(outgoing);
}

/*
 * A packet that passed and may be from or to a resolver's port; if it is, and rules of its workload have names, it is
 * read. Global, like rf_packet_parse_slow().
 */
__noinline int rf_dns_packet(struct __sk_buff *skb, __u64 version, __u64 cgroup_id, bool outgoing)
{
	struct rf_dns_key config_key = { .workload = rf_workload_of(cgroup_id), .bank = version & 1 };
	struct rf_workload_bank *bank = rf_workload_bank(config_key.workload, version);
	struct rf_dns_segment segment;
	struct rf_dns_buffer *buffer;
	struct rf_packet packet;
	const __u64 *resolver;
	__u32 slot, len;

	if (config_key.workload == RF_WORKLOAD_NONE || !bank || !(bank->flags & RF_BANK_NAMES))
		return 0;
	if (rf_packet_parse(skb, &packet) || (packet.protocol != IPPROTO_UDP && packet.protocol != IPPROTO_TCP))
		return 0;
	if ((outgoing ? packet.destination_port : packet.source_port) != RF_DNS_PORT)
		return 0;
	if (!rf_dns_payload(skb, packet.family, packet.protocol, &segment))
		return 0;
	slot = rf_dns_reader_take();
	if (slot >= RF_DNS_READERS) {
		rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_DNS_BUSY);
		return 0;
	}
	buffer = bpf_map_lookup_elem(&rf_dns_stream_buffer_map, &slot);
	if (!buffer)
		return 0;
	resolver = outgoing ? packet.destination : packet.source;
	__builtin_memset(&buffer->key, 0, sizeof(buffer->key));
	buffer->key.resolver[0] = resolver[0];
	buffer->key.resolver[1] = resolver[1];
	buffer->key.owner = bank->owner;
	buffer->key.local_port = outgoing ? packet.source_port : packet.destination_port;
	buffer->key.family = packet.family;
	buffer->key.protocol = packet.protocol;
	buffer->config_key = config_key;
	if (packet.protocol == IPPROTO_TCP) {
		rf_dns_segment_read(skb, &segment, buffer, outgoing, slot);
	} else {
		len = rf_dns_datagram(skb, &segment, slot);
		if (len)
			rf_dns_read(outgoing, slot, len);
		else
			rf_dns_count(config_key.workload, &buffer->key, RF_DNS_REFUSED);
	}
	rf_dns_reader_put(slot);
	return 0;
}

/* A flow with a resolver's port at the other end, whose every packet is looked at. */
static __always_inline bool rf_ports_are_dns(__u32 ports)
{
	return (ports & 0xffff) == RF_DNS_PORT;
}

#endif

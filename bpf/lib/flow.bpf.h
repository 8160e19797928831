/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this CPU remembers of a flow of a cgroup, so that a packet of it costs
 * one look: whose it is and what was allowed. Never a denial, and nothing of
 * another version of the configuration.
 *
 * A slot is written under an odd @seq, as in the verdict cache.
 */
#ifndef RF_BPF_FLOW_H
#define RF_BPF_FLOW_H

#include "errstat.bpf.h"

/* A flow without a handshake is judged again after this long, so that its answers stay expected. */
#define RF_FLOW_JIFFIES 64

struct rf_flow_id {
	__u64 remote[2]; /* as in struct rf_packet */
	__u64 cgroup_id;
	__u64 version;
	__u32 ports; /* local << 16 | remote */
	__u32 protocol;
};

static __always_inline __u32 rf_flow_id_slot(__u32 ports, __u64 remote0, __u64 remote1)
{
	return ((ports ^ (__u32)remote0 ^ (__u32)remote1) * 0x9e3779b1u) >> 16 & (RF_CACHE_SLOTS - 1);
}

static __always_inline struct rf_flow_entry *rf_flow_entry(const struct rf_flow_id *id)
{
	__u32 slot = rf_flow_id_slot(id->ports, id->remote[0], id->remote[1]);

	return bpf_map_lookup_elem(&rf_flow_map, &slot);
}

static __always_inline bool rf_flow_is(const struct rf_flow_entry *entry, const struct rf_flow_id *id)
{
	return entry->cgroup_id == id->cgroup_id && entry->version == id->version && entry->ports == id->ports &&
	       entry->protocol == id->protocol && entry->remote[0] == id->remote[0] &&
	       entry->remote[1] == id->remote[1];
}

/*
 * Remembers what was learnt of a flow; one that is known gains what is newly allowed. A slot that is being written, by
 * whom we interrupted, is left alone.
 */
static __always_inline void rf_flow_learn(struct rf_flow_entry *entry, const struct rf_flow_id *id, __u32 row,
					  bool outgoing, __u8 allowed)
{
	__u32 seq = RF_READ_ONCE(entry->seq);

	if ((seq & 1) || __sync_val_compare_and_swap(&entry->seq, seq, seq + 1) != seq) {
		rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_CACHE_RACE);
		return;
	}
	rf_barrier();
	if (rf_flow_is(entry, id)) {
		entry->allowed = (entry->allowed & ~RF_FLOW_WOULD) | allowed;
	} else {
		entry->cgroup_id = id->cgroup_id;
		entry->version = id->version;
		entry->protocol = id->protocol;
		entry->ports = id->ports;
		entry->remote[0] = id->remote[0];
		entry->remote[1] = id->remote[1];
		entry->allowed = allowed;
	}
	entry->row = row;
	entry->jiffies = bpf_jiffies64();
	rf_barrier();
	RF_WRITE_ONCE(entry->seq, seq + 2);
}

/*
 * True: the flow is remembered, and *@row is where it is accounted (below RF_PEER_CLASSES: it is nobody's), and this
 * packet is covered by what was allowed of it, which is in *@allowed. @logged: also where it is logged. Never ask it of
 * one that opens a TCP connection: those are counted one by one, and a port that is used again makes the same flow.
 */
static __always_inline bool rf_flow_known(const struct rf_flow_entry *entry, const struct rf_flow_id *id, bool outgoing,
					  __u32 *row, __u8 *allowed, bool logged)
{
	__u32 seq = RF_READ_ONCE(entry->seq);
	__u8 needed = outgoing ? RF_FLOW_OUT : RF_FLOW_IN;

	_Static_assert(RF_FLOW_PASSES << RF_FLOW_LOGGED_SHIFT < 1 << 8, "no room");
	rf_barrier();
	if (!rf_flow_is(entry, id) || seq & 1)
		return false;
	*row = entry->row;
	*allowed = entry->allowed;
	if (*row >= RF_PEER_CLASSES) {
		if (id->protocol == IPPROTO_TCP)
			needed = RF_FLOW_ESTABLISHED;
		else if (bpf_jiffies64() - entry->jiffies > RF_FLOW_JIFFIES)
			return false;
		if (!((logged ? *allowed | *allowed >> RF_FLOW_LOGGED_SHIFT : *allowed) & needed))
			return false;
	}
	rf_barrier();
	return RF_READ_ONCE(entry->seq) == seq;
}

#endif

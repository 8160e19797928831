/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has exchanged how much with whom: include/ringfence/account_map.h.
 *
 * The class of a peer is found where a verdict is, once a flow, and remembered
 * with it: a packet of a flow that is known adds to the row that its flow names.
 * What the daemon learns of addresses later empties those memories.
 */
#ifndef RF_BPF_ACCOUNT_H
#define RF_BPF_ACCOUNT_H

#include "identity.bpf.h"

/* Who has the address; NULL: nobody that we know. */
static __always_inline __u32 *rf_address_owner(__u64 addr0, __u64 addr1, __u32 family)
{
	struct rf_address_key key = { .family = family };

	key.addr[0] = addr0;
	key.addr[1] = addr1;
	return bpf_map_lookup_elem(&rf_address_map, &key);
}

/* In network order, as all that follow; IPv4 in the first four bytes. */
static __always_inline bool rf_address_is_loopback(__u64 addr0, __u64 addr1, __u32 family)
{
	if (family == RF_AF_INET)
		return ((__u32)addr0 & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !addr0 && addr1 == bpf_cpu_to_be64(1);
}

static __always_inline bool rf_address_is_private(__u64 addr0, __u64 addr1, __u32 family)
{
	__u64 high = bpf_be64_to_cpu(addr0);
	__u32 v4 = bpf_ntohl((__u32)addr0);

	if (family == RF_AF_INET)
		return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 22 == 0x191 ||
		       v4 >> 16 == 0xa9fe || v4 >> 24 == 0 || v4 >> 28 >= 0xe;
	return high >> 57 == 0x7e || high >> 54 == 0x3fa || high >> 56 == 0xff || (!addr0 && !addr1);
}

/* Out of line: a chain of calls has 512 bytes of stack. */
static __noinline __attribute__((unused)) __u32 rf_class_of(__u64 addr0, __u64 addr1, __u32 family)
{
	__u32 *owner;

	if (rf_address_is_loopback(addr0, addr1, family))
		return RF_CLASS_LOOPBACK;
	owner = rf_address_owner(addr0, addr1, family);
	if (owner)
		return *owner == RF_PEER_HOST_ID ? RF_CLASS_HOST : RF_CLASS_WORKLOAD;
	return rf_address_is_private(addr0, addr1, family) ? RF_CLASS_PRIVATE : RF_CLASS_PUBLIC;
}

static __always_inline struct rf_account *rf_account(__u32 row)
{
	__u32 chunk = row / RF_ACCOUNT_CHUNK, at = row % RF_ACCOUNT_CHUNK;
	void *rows = bpf_map_lookup_elem(&rf_account_map, &chunk);

	return rows ? bpf_map_lookup_elem(rows, &at) : NULL;
}

/* As rf_hook_seen(), by the workload's row. */
static __always_inline void rf_hook_seen_by(enum rf_hook hook, __u32 row)
{
	if (rf_unlikely(row - RF_ACCOUNT(RF_WORKLOAD_PROBE, 0) < RF_PEER_CLASSES))
		rf_hook_seen(hook, RF_WORKLOAD_PROBE);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compiled network and device policy, as the kernel reads it.
 *
 * A rule set is an ordered list of up to RF_MAX_RULES rules. One longest
 * prefix match of (rule set, peer address) and one of (rule set, protocol,
 * port) each give the bit vector of the rules that match on that side; the
 * first bit of their intersection is the rule that decides, and its bit in the
 * allow vector is the verdict. No bit: the default. (The scheme is the
 * "bit vector" packet classification of Lakshman and Stiliadis, SIGCOMM 1998.)
 *
 * Rule sets are immutable. A change writes new ones beside the old, flips the
 * generation, waits for running programs, and removes what is unused.
 */
#ifndef RINGFENCE_POLICY_MAP_H
#define RINGFENCE_POLICY_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "limits.h"

/* rf_ruleset_map: array indexed by rule set id. */
struct rf_ruleset {
	__u32 words;	     /* 64-bit words a vector, 1..RF_RULE_WORDS */
	__u32 allow_set;     /* offset in rf_set_map: bit i says rule i allows */
	__u32 default_allow; /* 0 or 1: the verdict when no rule matches */
	__u32 any_peer_set;  /* offset of the rules without a peer limit (also merged into every prefix) */
	__u32 any_port_set;  /* offset of the rules without a port limit (also merged into every prefix) */
	__u32 flags;	     /* RF_RULESET_* */
	__u64 digest;	     /* of the image, so that a new daemon knows what it adopts */
};

#define RF_RULESET_PEERS (1u << 0) /* some rules choose peers by what they are: ask rf_member_map too */
#define RF_RULESET_NAMES (1u << 1) /* some rules choose peers by DNS name: ask rf_learnt_map too */

/*
 * Who a peer is. A pod, whether policies select it or not, has RF_PEER_POD and
 * the low bits of its cgroup's id, and so has every workload in it; any other
 * workload has its own id. An address that nobody here has is the world's.
 */
#define RF_PEER_NONE_ID	 0u /* not known: matches no rule that asks what a peer is */
#define RF_PEER_HOST_ID	 1u
#define RF_PEER_SELF_ID	 0x7ffffffeu
#define RF_PEER_WORLD_ID 0x7fffffffu
#define RF_PEER_NAME	 0x40000000u /* and the number of a DNS name: what answers said is at an address */
#define RF_PEER_POD	 0x80000000u

/* rf_address_map: hash; value __u32, who has the address: RF_PEER_HOST_ID, a workload or a pod. */
struct rf_address_key {
	__u64 addr[2]; /* network order; IPv4 in the first four bytes, the rest zero */
	__u32 family;  /* AF_INET 2, AF_INET6 10 */
	__u32 pad;
};

/* rf_member_map: hash; value __u32 offset in rf_set_map of the rules that @peer matches by what it is. */
struct rf_member_key {
	__u32 ruleset;
	__u32 peer;
};

/*
 * rf_name_map: hash; key a DNS name in wire format, lower case, zero padded to
 * RF_NAME_KEY bytes ("*" as first label stands for any one label); value its
 * number, which no other name has had.
 */
#define RF_NAME_KEY 256

/* rf_dns_map: hash; what differs from the defaults below for a workload in one bank. */
struct rf_dns_key {
	__u32 workload;
	__u32 bank;
};

struct rf_dns_resolver {
	__u64 addr[2]; /* network order, host bits zero */
	__u64 mask[2];
	__u32 family;
	__u32 pad;
};

struct rf_dns_config {
	__u32 min_ttl_s;
	__u32 max_ttl_s;
	__u32 n_resolvers; /* 0: any that the rules let the workload ask */
	__u32 pad;
	struct rf_dns_resolver resolver[RF_MAX_RESOLVERS];
};

#define RF_DNS_MIN_TTL_S 5
#define RF_DNS_MAX_TTL_S 3600

/* rf_learnt_map: LRU hash; the names that answers to a workload gave for an address, and until when. */
#define RF_LEARNT_NAMES 4

struct rf_learnt_key {
	__u64 addr[2];
	__u32 owner; /* as in struct rf_workload_bank */
	__u32 family;
};

struct rf_learnt {
	__u64 until_ns[RF_LEARNT_NAMES]; /* CLOCK_MONOTONIC */
	__u32 name[RF_LEARNT_NAMES];	 /* 0: none */
};

/*
 * rf_set_map: chunks of RF_SET_CHUNK __u64, mmapable. Offset 0 starts RF_RULE_WORDS zero
 * words, the empty vector.
 */

/* rf_peer4_map, LPM trie; value __u32 offset in rf_set_map. */
struct rf_peer4_key {
	__u32 prefixlen; /* 32 + 0..32 */
	__u32 ruleset;
	__u8 addr[4]; /* network order */
};

/* rf_peer6_map, LPM trie; value __u32 offset. IPv4-mapped addresses are looked up as IPv4. */
struct rf_peer6_key {
	__u32 prefixlen; /* 32 + 0..128 */
	__u32 ruleset;
	__u8 addr[16];
};

/* rf_port_map, LPM trie; value __u32 offset. prefixlen 32 any protocol, 40 any port of one, 40 + 1..16. */
struct rf_port_key {
	__u32 prefixlen;
	__u32 ruleset;
	__u8 protocol; /* IPPROTO_* */
	__u8 port[2];  /* network order; 0 where the protocol has none; type and code of ICMP and ICMPv6 */
	__u8 pad;
};

#define RF_PORT_PREFIX_ANY   32
#define RF_PORT_PREFIX_PROTO 40

/*
 * What ICMP and ICMPv6 have for a port: a type is a prefix of 8 bits, a type and a code one of 16. Where the type was
 * not read (a later fragment) it is RF_ICMP_UNREAD, of type 255, which is reserved and no rule can name: only rules
 * without a type match.
 */
#define RF_ICMP_PORT(type, code) ((__u16)((type) << 8 | (code)))
#define RF_ICMP_UNREAD		 0xffffu
#define RF_ICMP_TYPE_MAX	 254

/*
 * rf_device_map, hash. Looked up exactly, then with minor RF_DEVICE_ANY, then
 * with both RF_DEVICE_ANY; the first hit decides each access bit, which is why
 * the compiler folds the rules' order into every entry.
 */
struct rf_device_key {
	__u32 set;
	__u32 type; /* BPF_DEVCG_DEV_BLOCK 1, BPF_DEVCG_DEV_CHAR 2 */
	__u32 major;
	__u32 minor;
};

#define RF_DEVICE_ANY 0xffffffffu

#define RF_DEVICE_MKNOD	      (1u << 0) /* BPF_DEVCG_ACC_* */
#define RF_DEVICE_READ	      (1u << 1)
#define RF_DEVICE_WRITE	      (1u << 2)
#define RF_DEVICE_SUBMIT      (1u << 3) /* ioctls of an accelerator, see accel_map.h; what is none has all of these */
#define RF_DEVICE_ALLOC	      (1u << 4)
#define RF_DEVICE_MAP	      (1u << 5) /* and mmap() of its node */
#define RF_DEVICE_ADMIN	      (1u << 6)
#define RF_DEVICE_BITS	      7
#define RF_DEVICE_ACCELERATOR (1u << 15) /* no access: the node is an accelerator's */
#define RF_DEVICE_OPEN	      (RF_DEVICE_MKNOD | RF_DEVICE_READ | RF_DEVICE_WRITE)
#define RF_DEVICE_IOCTLS      (RF_DEVICE_SUBMIT | RF_DEVICE_ALLOC | RF_DEVICE_MAP | RF_DEVICE_ADMIN)

struct rf_device_value {
	__u16 allow;		    /* RF_DEVICE_* bits that are allowed; the others are denied */
	__u16 rule[RF_DEVICE_BITS]; /* deciding rule of each bit; RF_RULE_DEFAULT, RF_RULE_ACCELERATOR_DEFAULT */
};

#define RF_RULE_DEFAULT		    0xffffu /* "no rule matched, the default decided" */
#define RF_RULE_ACCELERATOR_DEFAULT 0xfffeu /* of device sets: that of spec.accelerators did */

#endif

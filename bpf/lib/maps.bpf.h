/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, declared once. identity.bpf.c defines them (RF_DEFINE_MAPS); the
 * other objects refer to them and the linker makes them one.
 *
 * Sizes are fixed by limits.h: nothing grows with CPUs x policies. Only the
 * verdict cache and the loss counters are per CPU.
 */
#ifndef RF_BPF_MAPS_H
#define RF_BPF_MAPS_H

#include "common.bpf.h"

#ifdef RF_DEFINE_MAPS
#define RF_MAP
#else
#define RF_MAP extern
#endif

/* cgroup id -> workload. Preallocated: the kernel inserts from a tracepoint. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RF_MAX_CGROUPS);
	__type(key, __u64);
	__type(value, struct rf_cgroup_entry);
} rf_cgroup_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_workload_entry);
} rf_workload_map SEC(".maps");

/* A map of its own, whose one value programs reach without a lookup: every packet reads it. */
#ifdef RF_DEFINE_MAPS
struct rf_config rf_config SEC(".data.rf_config") = {};
#else
extern struct rf_config rf_config;
#endif

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_MAX_RULESETS);
	__type(key, __u32);
	__type(value, struct rf_ruleset);
} rf_ruleset_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_SET_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} rf_set_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_PEERS4);
	__type(key, struct rf_peer4_key);
	__type(value, __u32);
} rf_peer4_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_PEERS6);
	__type(key, struct rf_peer6_key);
	__type(value, __u32);
} rf_peer6_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_PORTS);
	__type(key, struct rf_port_key);
	__type(value, __u32);
} rf_port_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_ADDRESSES);
	__type(key, struct rf_address_key);
	__type(value, __u32);
} rf_address_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_MEMBERS);
	__type(key, struct rf_member_key);
	__type(value, __u32);
} rf_member_map SEC(".maps");

struct rf_name_key {
	__u8 name[RF_NAME_KEY];
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_NAMES);
	__type(key, struct rf_name_key);
	__type(value, __u32);
} rf_name_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * RF_MAX_WORKLOADS);
	__type(key, struct rf_dns_key);
	__type(value, struct rf_dns_config);
} rf_dns_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_LEARNT);
	__type(key, struct rf_learnt_key);
	__type(value, struct rf_learnt);
} rf_learnt_map SEC(".maps");

/* A question that a workload has sent. */
struct rf_query_key {
	__u64 resolver[2];
	__u32 owner; /* as in struct rf_workload_bank */
	__u16 id;
	__u16 local_port;
	__u8 family;
	__u8 protocol;
	__u8 pad[6];
};

struct rf_query {
	__u64 asked_ns;
	__u64 question; /* digest of name and type */
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_QUERIES);
	__type(key, struct rf_query_key);
	__type(value, struct rf_query);
} rf_query_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_DEVICE_ENTRIES);
	__type(key, struct rf_device_key);
	__type(value, struct rf_device_value);
} rf_device_map SEC(".maps");

/* One verdict that was reached under @version. @seq is odd while it is written. */
struct rf_cache_entry {
	__u64 addr[2];
	__u64 version;
	__u64 cgroup_id;
	__u32 seq;
	__u32 key; /* port << 16 | protocol << 8 | direction << 4 | (family == AF_INET6) */
	__u32 workload;
	__u32 telemetry;
	__u32 ruleset;
	__u16 rule;
	__u8 verdict;
	__u8 tier;
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_CACHE_SLOTS);
	__type(key, __u32);
	__type(value, struct rf_cache_entry);
} rf_cache_map SEC(".maps");

/*
 * A flow that this CPU has lately seen of a cgroup: whose it is, and what was
 * allowed of it. Never a denial. @seq as above.
 */
struct rf_flow_entry {
	__u64 cgroup_id;
	__u64 version;
	__u64 remote[2];
	__u64 jiffies; /* of the last full verdict */
	__u32 seq;
	__u32 workload;
	__u32 ports; /* local << 16 | remote */
	__u8 protocol;
	__u8 allowed; /* RF_FLOW_* */
	__u8 pad[2];
};

#define RF_FLOW_OUT	    (1u << RF_EGRESS)  /* a first or only packet out */
#define RF_FLOW_IN	    (1u << RF_INGRESS) /* a first or only packet in */
#define RF_FLOW_ESTABLISHED (1u << 2)	       /* TCP packets that open nothing, both ways */

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_CACHE_SLOTS);
	__type(key, __u32);
	__type(value, struct rf_flow_entry);
} rf_flow_map SEC(".maps");

/* Who a socket without connections has sent to: their answers may come in. */
struct rf_reply_key {
	__u64 cookie;
	__u8 addr[16];
	__u16 port;
	__u16 protocol;
	__u32 pad;
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rf_reply_key);
	__type(value, __u64); /* ns, when it was last sent to */
} rf_reply_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_WORKLOADS * 2);
	__type(key, __u32);
	__type(value, struct rf_rate_limits);
} rf_rate_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_rate_state);
} rf_rate_state_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_connections);
} rf_connections_map SEC(".maps");

/* For which workload, in which epoch of its id, a socket is counted as a connection that is open. */
struct rf_socket {
	__u32 workload; /* RF_WORKLOAD_NONE: not counted */
	__u32 epoch;
	__u32 closed; /* it has left; a packet that is still on its way must not count it again */
	__u32 pad;
};

/* Goes with the socket: what is counted is never forgotten, and what is gone takes no room. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_socket);
} rf_socket_map SEC(".maps");

struct rf_tenant_key {
	char name[RF_TENANT_KEY];
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_TENANTS);
	__type(key, struct rf_tenant_key);
	__type(value, __u32);
} rf_tenant_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_workload_stats);
} rf_stats_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_share);
} rf_share_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_LANES);
	__type(key, __u32);
	__type(value, struct rf_lane_stats);
} rf_lane_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_HOOK_COUNT);
	__type(key, __u32);
	__type(value, struct rf_hook_stats);
} rf_hook_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_ERROR_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} rf_error_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RF_RING_TELEMETRY);
} rf_telemetry_rb SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RF_RING_AUDIT);
} rf_audit_rb SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RF_RING_IDENTITY);
} rf_identity_rb SEC(".maps");

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, declared once. identity.bpf.c defines them (RF_DEFINE_MAPS); the
 * other objects refer to them and the linker makes them one.
 *
 * Sizes are fixed by limits.h: nothing grows with CPUs x policies. Only the
 * verdict cache and the loss counters are per CPU.
 *
 * An array of maps is one map whose memory is made when it is asked for, a
 * chunk at a time (user/engine/chunks.h). Before a bank says that programs may
 * look into it, it is there. Of a chunk sizes are said, not types: an object
 * that only refers to the map would know no more of those than their names.
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

/* What of that hooks of processes have asked, by the low bits of the id: rf_workload_of_live(). */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_CGROUP_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} rf_cgroup_cache_map SEC(".maps");

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

struct rf_set_chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_SET_CHUNK);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
};

/* A vector lies in one chunk. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RF_MAX_SET_WORDS / RF_SET_CHUNK);
	__type(key, __u32);
	__array(values, struct rf_set_chunk);
} rf_set_map SEC(".maps");
_Static_assert(RF_MAX_SET_WORDS % RF_SET_CHUNK == 0, "the last chunk is cut");

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

struct rf_learnt_chunk {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_LEARNT);
	__uint(key_size, sizeof(struct rf_learnt_key));
	__uint(value_size, sizeof(struct rf_learnt));
};

/* One: there while policies have names. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rf_learnt_chunk);
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

struct rf_query_chunk {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_QUERIES);
	__uint(key_size, sizeof(struct rf_query_key));
	__uint(value_size, sizeof(struct rf_query));
};

/* As rf_learnt_map. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rf_query_chunk);
} rf_query_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_DEVICE_ENTRIES);
	__type(key, struct rf_device_key);
	__type(value, struct rf_device_value);
} rf_device_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RF_MAX_ACCEL_NODES);
	__type(key, struct rf_accel_node_key);
	__type(value, struct rf_accel_node);
} rf_accel_node_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_ACCEL_SLOTS *RF_ACCEL_SLOT_NODES);
	__type(key, __u32);
	__type(value, struct rf_accel_node);
} rf_accel_slot_map SEC(".maps");

/* Of a device by its address in the kernel: what its name was found to be. Emptied when devices come or go. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_ACCEL_ADDRESSES);
	__type(key, __u32);
	__type(value, struct rf_accel_address);
} rf_accel_address_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RF_MAX_ACCEL_DEVICES);
	__type(key, struct rf_accel_device_key);
	__type(value, __u32);
} rf_accel_device_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY); /* not a hash: each ioctl of an accelerator asks it */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_ACCEL_USES);
	__type(key, __u32);
	__type(value, struct rf_accel_use);
} rf_accel_use_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_ACCEL_QUOTAS);
	__type(key, struct rf_accel_quota_key);
	__type(value, struct rf_accel_quota);
} rf_accel_quota_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_ACCEL_DEVICE_LIBRARY + 1);
	__type(key, __u32);
	__type(value, struct rf_accel_active);
} rf_accel_active_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY); /* not a hash: one comes and goes with each job */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_ACCEL_JOBS);
	__type(key, __u32);
	__type(value, struct rf_accel_job);
} rf_accel_job_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_ACCEL_OBJECTS);
	__type(key, __u64);
	__type(value, struct rf_accel_object);
} rf_accel_object_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_ACCEL_FILES);
	__type(key, __u64);
	__type(value, struct rf_accel_file);
} rf_accel_file_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_ACCEL_CLIENTS);
	__type(key, struct rf_accel_file_key);
	__type(value, struct rf_accel_told);
} rf_accel_told_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_INTERFACE_COUNT);
	__type(key, __u32);
	__type(value, struct rf_accel_ioctls);
} rf_accel_interface_map SEC(".maps");

#include "call_maps.bpf.h"

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_TREES);
	__type(key, struct rf_tree_key);
	__type(value, struct rf_tree_value);
} rf_tree_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_FILE_ENTRIES);
	__type(key, struct rf_file_key);
	__type(value, __u32);
} rf_file_map SEC(".maps");

/* Made where BPF LSM runs: other kernels may have no such type of map. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_zone_cache);
} rf_zone_storage SEC(".maps");

/* One verdict that was reached under @version. @seq is odd while it is written. */
struct rf_cache_entry {
	__u64 addr[2];
	__u64 version;
	__u64 cgroup_id;
	__u32 seq;
	__u32 key; /* port << 16 | protocol << 8 | direction << 4 | (family == AF_INET6) */
	__u16 workload;
	__u8 class; /* of the peer, enum rf_account_class */
	__u8 pad;
	__u32 telemetry;
	__u32 ruleset;
	__u16 rule;
	__u8 verdict;
	__u8 tier;
};

_Static_assert(RF_MAX_WORKLOADS <= 1 << 16, "a workload does not fit");

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
	__u32 row;   /* in rf_account_map: the workload and the peer's class; below RF_PEER_CLASSES: nobody's */
	__u32 ports; /* local << 16 | remote */
	__u8 protocol;
	__u8 allowed; /* RF_FLOW_* */
	__u8 pad[2];
};

#define RF_FLOW_OUT	     (1u << RF_EGRESS)	/* a first or only packet out */
#define RF_FLOW_IN	     (1u << RF_INGRESS) /* a first or only packet in */
#define RF_FLOW_ESTABLISHED  (1u << 2)		/* TCP packets that open nothing, both ways */
#define RF_FLOW_PASSES	     (RF_FLOW_OUT | RF_FLOW_IN | RF_FLOW_ESTABLISHED)
#define RF_FLOW_LOGGED_SHIFT 4	       /* the above of a flow that is logged: the fast road does not know them */
#define RF_FLOW_WOULD	     (1u << 3) /* of TCP: they pass, and enforcing would deny them */

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RF_CACHE_SLOTS);
	__type(key, __u32);
	__type(value, struct rf_flow_entry);
} rf_flow_map SEC(".maps");

/* A flow that is logged. As its workload sees it: what is local is its own. */
struct rf_log_key {
	__u64 cgroup_id;
	__u64 local[2]; /* as in struct rf_packet */
	__u64 remote[2];
	__u32 ports; /* local << 16 | remote */
	__u8 protocol;
	__u8 family;
	__u8 pad[2];
};

struct rf_log {
	__u64 start_ns; /* CLOCK_BOOTTIME, as @last_ns */
	__u64 last_ns;
	__u64 bytes[RF_DIRECTIONS];
	__u64 packets[RF_DIRECTIONS];
	__u32 workload;
	__u32 ruleset;
	__u32 retransmits;
	__u32 rtt_us;
	__u32 ended; /* whoever sets it sends the end */
	__u16 rule;
	__u8 verdict;
	__u8 tier;
	__u8 direction; /* who began */
	__u8 class;
	__u8 pad[6];
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_FLOWS);
	__type(key, struct rf_log_key);
	__type(value, struct rf_log);
} rf_log_map SEC(".maps");

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

/* Two generations. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_RULE_STATES * 2);
	__type(key, struct rf_rule_rate_key);
	__type(value, struct rf_rule_rate);
} rf_rule_rate_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_RULE_STATES);
	__type(key, __u64);
	__type(value, struct rf_rate_state);
} rf_rule_state_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_RULE_STATES);
	__type(key, __u64);
	__type(value, struct rf_connections);
} rf_rule_connections_map SEC(".maps");

/* Under which rule of the tier a flow of a cgroup is. */
struct rf_rate_flow_key {
	__u64 remote[2]; /* as in struct rf_packet */
	__u64 cgroup_id;
	__u32 ports; /* local << 16 | remote */
	__u16 protocol;
	__u16 tier;
};

struct rf_rate_flow {
	__u64 version; /* of the configuration under which the rules were asked */
	__u64 asked_ns;
	__u64 seen_ns;
	__u16 rule;  /* RF_RULE_DEFAULT: none */
	__u8 opened; /* 1 + enum rf_direction; 0: under none, whoever opened it */
	__u8 none;   /* then: 1 << enum rf_direction, packets whose rules were asked */
	__u32 pad;
};

struct rf_rate_flow_chunk {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_RATE_FLOWS);
	__uint(key_size, sizeof(struct rf_rate_flow_key));
	__uint(value_size, sizeof(struct rf_rate_flow));
};

/* One: there while rules have rates. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rf_rate_flow_chunk);
} rf_rate_flow_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_connections);
} rf_connections_map SEC(".maps");

/* A place among the connections that somebody may have open. */
struct rf_seat {
	__u64 of;      /* for whom the socket is counted: a workload, or a rule's struct rf_rule_rate; 0: nobody */
	__u64 refused; /* who had no place for it when it was made */
	__u32 epoch;   /* of @of */
	__u32 pad;
};

enum rf_seats { RF_SEAT_WORKLOAD, RF_SEAT_RULE, RF_SEATS = RF_SEAT_RULE + RF_TIERS };

struct rf_socket {
	struct rf_seat seat[RF_SEATS]; /* of rules, by tier */
	__u32 closed;		       /* it has left; a packet that is still on its way must not count it again */
	__u32 pad;
};

/* Goes with the socket: what is counted is never forgotten, and what is gone takes no room. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_socket);
} rf_socket_map SEC(".maps");

struct rf_newcomer {
	__u64 cgroup_id; /* that it was put into */
};

/* A process that was put into a cgroup from outside, and what it forks, until they execute a program of their own. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_newcomer);
} rf_newcomer_map SEC(".maps");
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_EXEC_SETS);
	__type(key, __u32);
	__type(value, struct rf_exec_set);
} rf_exec_set_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_EXEC_TEXTS);
	__type(key, struct rf_exec_key);
	__type(value, struct rf_exec_value);
} rf_exec_map SEC(".maps");

/* Where a path is put together. LSM programs may be preempted by others of the same CPU: taken, and given back. */
struct rf_path_slot {
	__u32 taken;
	__u32 n; /* components */
	__u32 length;
	__u32 last;			   /* where the last component begins in @text */
	__u64 dentry[RF_EXEC_DEPTH_MAX];   /* of the components, the last first */
	char text[RF_EXEC_PATH_MAX + 256]; /* a name may begin at any place before RF_EXEC_PATH_MAX */
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct rf_path_slot);
} rf_path_map SEC(".maps");

struct rf_first_key {
	__u64 inode;
	__u64 changed_ns;
	__u32 device;
	__u32 owner; /* as in struct rf_workload_bank */
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_EXEC_FIRST);
	__type(key, struct rf_first_key);
	__type(value, __u32);
} rf_first_map SEC(".maps");

/* IMA's digest of the program that a task is about to run. */
struct rf_digest_value {
	__u32 len;
	__u8 digest[RF_DIGEST_MAX];
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_digest_value);
} rf_digest_map SEC(".maps");

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

/* Keys are addresses in the kernel: never read, never shown. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_MAKERS);
	__type(key, __u64);
	__type(value, struct rf_maker);
} rf_maker_map SEC(".maps");

/* From 6.12 no hook tells that a key has gone: one made at the same address takes its entry. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_KEY_MAKERS);
	__type(key, __u64);
	__type(value, struct rf_maker);
} rf_key_map SEC(".maps");

/* As of keys, nothing tells that a file has gone; one that has no owner sends no signals. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_FILE_OWNERS);
	__type(key, __u64);
	__type(value, struct rf_maker);
} rf_owner_map SEC(".maps");

/* Level 1: left out where the host has no BPF LSM. */
RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_maker);
} rf_shared_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_MAX_WORKLOADS);
	__type(key, __u32);
	__type(value, struct rf_workload_stats);
} rf_stats_map SEC(".maps");

struct rf_account_chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_ACCOUNT_CHUNK);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct rf_account));
};

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RF_ACCOUNT(RF_MAX_WORKLOADS, 0) / RF_ACCOUNT_CHUNK);
	__type(key, __u32);
	__array(values, struct rf_account_chunk);
} rf_account_map SEC(".maps");
_Static_assert(RF_ACCOUNT(RF_MAX_WORKLOADS, 0) % RF_ACCOUNT_CHUNK == 0, "the last chunk is cut");

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
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_guard);
} rf_guard_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_GUARD_OBJECTS);
	__type(key, __u64);
	__type(value, __u32);
} rf_guard_object_map SEC(".maps");

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

/* Of a map of one chunk: NULL, nobody has asked for it yet. */
static __always_inline void *rf_only_chunk(void *map)
{
	__u32 chunk = 0;

	return bpf_map_lookup_elem(map, &chunk);
}

#endif

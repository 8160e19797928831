/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of calls of libraries; part of maps.bpf.h, which says how. */
#ifndef RF_BPF_CALL_MAPS_H
#define RF_BPF_CALL_MAPS_H

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_CALL_USES);
	__type(key, struct rf_call_key);
	__type(value, struct rf_call_use);
} rf_call_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_call_thread);
} rf_call_thread_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RF_MAX_CALL_PROCESSES);
	__type(key, __u32);
	__type(value, struct rf_call_process);
} rf_call_process_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_CALL_NAMES);
	__type(key, struct rf_call_name);
	__type(value, __u64);
} rf_call_name_map SEC(".maps");

RF_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_MAX_CALL_SITES);
	__type(key, struct rf_call_site_key);
	__type(value, struct rf_call_site);
} rf_call_site_map SEC(".maps");

#endif

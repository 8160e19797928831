/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every metric that Ringfence exports, in one table, and the two text formats.
 * Documentation/metrics.md shows the same table; a test compares the two.
 *
 * Names follow prometheus.io/docs/practices/naming: base units, the unit as
 * the last word. A metric's name here is that of its family as OpenMetrics
 * has it: a counter's samples end in _total, an info's in _info. The unit of
 * a family is the last word of its name where that is a unit.
 */
#ifndef RF_EXPORT_METRICS_H
#define RF_EXPORT_METRICS_H

#include <stdbool.h>

#include "ringfence/stats_map.h"
#include "user/model/accelerator_health.h"

/* The version that ringfence_build_info tells; the build gives it. */
#ifndef RF_VERSION
#define RF_VERSION "unknown"
#endif

/* Workloads with series of their own; what is beyond is summed as workload="_other". */
#define RF_METRICS_WORKLOADS 10000
/* No tenant, namespace or workload has this name: it is no DNS label. */
#define RF_METRICS_OTHER     "_other"

#define RF_METRICS_WORKLOAD_PREFIX "ringfence_workload_"
#define RF_METRICS_WORKLOAD_LABELS "tenant,namespace,workload"
#define RF_METRICS_ACCEL_PREFIX	   RF_METRICS_WORKLOAD_PREFIX "accelerator_"
#define RF_METRICS_ACCEL_LABELS	   RF_METRICS_WORKLOAD_LABELS ",device"
#define RF_METRICS_CALL_LABELS	   RF_METRICS_WORKLOAD_LABELS ",call"
#define RF_METRICS_NVML_PREFIX	   RF_METRICS_ACCEL_PREFIX "nvml_"
#define RF_METRICS_NVML_LABELS	   RF_METRICS_ACCEL_LABELS ",mig"
#define RF_METRICS_HEALTH_PREFIX   "ringfence_accelerator_"
#define RF_METRICS_HEALTH_LABELS   "device,address"

enum rf_metrics_format {
	RF_METRICS_TEXT,	/* Prometheus text format 0.0.4 */
	RF_METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
	RF_METRICS_FORMATS
};

enum rf_metric_type {
	RF_METRIC_GAUGE,
	RF_METRIC_COUNTER,
	RF_METRIC_INFO,
	RF_METRIC_HISTOGRAM, /* its samples end in _bucket, _sum and _count, see rf_exposition_part() */
	RF_METRIC_TYPES
};

/*
 * X(enum suffix, family name, type, label names, help). Those of the workloads that RF_COUNTERS has, and those of
 * devices that RF_HEALTH_READINGS has, are not repeated here. In the order in which they are written.
 */
#define RF_METRICS(X)                                                                                                  \
	X(BUILD, "ringfence_build", INFO, "version,map_abi,module_abi,control_abi",                                    \
	  "Version of the daemon and of its interfaces.")                                                              \
	X(UPTIME, "ringfence_uptime_seconds", GAUGE, "", "Time since the daemon started.")                             \
	X(LEVEL, "ringfence_level", GAUGE, "",                                                                         \
	  "What the host offers: 0 cgroup hooks and tracepoints, 1 also BPF LSM, 2 also the module.")                  \
	X(ADOPTED, "ringfence_adopted", GAUGE, "",                                                                     \
	  "1 if the daemon took over programs that an earlier one had pinned.")                                        \
	X(FEATURE_SUPPORT, "ringfence_feature_support", GAUGE, "feature",                                              \
	  "What this host can do with a feature: 0 unavailable, 1 best effort, 2 enforced.")                           \
	X(POLICIES, "ringfence_policies", GAUGE, "", "Policies in force.")                                             \
	X(POLICY_GENERATION, "ringfence_policy_generation", GAUGE, "",                                                 \
	  "Generation in force; each change of policy or of workloads makes one.")                                     \
	X(POLICY_SOURCE, "ringfence_policy_source", GAUGE, "source", "1 for where the policy in force comes from.")    \
	X(POLICY_CONFIRM, "ringfence_policy_confirm_remaining_seconds", GAUGE, "",                                     \
	  "Time until an unconfirmed policy is rolled back; absent when none is pending.")                             \
	X(APPLY_SUCCESS, "ringfence_policy_last_apply_success", GAUGE, "",                                             \
	  "1 if the last apply succeeded, 0 if it failed and the old policy is in force.")                             \
	X(APPLY_TIME, "ringfence_policy_last_apply_timestamp_seconds", GAUGE, "",                                      \
	  "When a policy was last applied with success; 0: never.")                                                    \
	X(APPLY_ERROR_TIME, "ringfence_policy_last_error_timestamp_seconds", GAUGE, "",                                \
	  "When an apply last failed; 0: never.")                                                                      \
	X(APPLIES, "ringfence_policy_applies", COUNTER, "result", "Policy applies by result.")                         \
	X(ROLLBACKS, "ringfence_policy_rollbacks", COUNTER, "", "Policies rolled back.")                               \
	X(RULESETS, "ringfence_rulesets", GAUGE, "", "Distinct rule sets in the kernel.")                              \
	X(WORKLOADS, "ringfence_workloads", GAUGE, "", "Workloads that a policy selects.")                             \
	X(WORKLOADS_OTHER, "ringfence_workloads_other", GAUGE, "",                                                     \
	  "Workloads without series of their own, summed under workload=\"" RF_METRICS_OTHER "\".")                    \
	X(CGROUPS, "ringfence_cgroups", GAUGE, "", "Cgroups below all workloads.")                                     \
	X(HOOK_WANTED, "ringfence_hook_wanted", GAUGE, "hook", "1 if this host could have the hook.")                  \
	X(HOOK_ATTACHED, "ringfence_hook_attached", GAUGE, "hook", "1 if the hook is attached.")                       \
	X(HOOK_SELF_TEST, "ringfence_hook_self_test", GAUGE, "hook,result",                                            \
	  "1 for the result of the hook's last self-test, 0 for the others.")                                          \
	X(HOOK_PROBE_HITS, "ringfence_hook_probe_hits", COUNTER, "hook", "Runs on behalf of the self-test.")           \
	X(HOOK_ERRORS, "ringfence_hook_errors", COUNTER, "hook", "Runs in which a helper failed.")                     \
	X(HOOK_REPAIRS, "ringfence_hook_repairs", COUNTER, "hook",                                                     \
	  "Times the hook was found gone and attached again.")                                                         \
	X(HOOK_RUNS, "ringfence_hook_runs", COUNTER, "hook",                                                           \
	  "Runs of the program; absent unless kernel.bpf_stats_enabled is 1.")                                         \
	X(HOOK_RUN_TIME, "ringfence_hook_run_seconds", COUNTER, "hook",                                                \
	  "CPU time of the program; absent unless kernel.bpf_stats_enabled is 1.")                                     \
	X(HOOK_RECURSION, "ringfence_hook_recursion_misses", COUNTER, "hook",                                          \
	  "Runs that the kernel left out because the program was already running on the CPU.")                         \
	X(LANE_SUBMITTED, "ringfence_lane_events_submitted", COUNTER, "lane", "Events put on the lane's ring.")        \
	X(LANE_SHED, "ringfence_lane_events_shed", COUNTER, "lane",                                                    \
	  "Events not sent because their workload used up its fair share.")                                            \
	X(LANE_LOST, "ringfence_lane_events_lost", COUNTER, "lane", "Events lost because the ring was full.")          \
	X(LANE_GAPS, "ringfence_lane_gaps", COUNTER, "lane", "Gaps in the sequence that the daemon read.")             \
	X(LANE_RING, "ringfence_lane_ring_size_bytes", GAUGE, "lane", "Size of the lane's ring.")                      \
	X(LANE_RING_USED, "ringfence_lane_ring_used_bytes", GAUGE, "lane", "Bytes on the ring that are not read yet.") \
	X(GUARD_LOCKED, "ringfence_guard_locked", GAUGE, "",                                                           \
	  "1 while nobody but the daemon may end or change enforcement.")                                              \
	X(GUARD_REFUSED, "ringfence_guard_refused", COUNTER, "operation", "What the lock refused.")                    \
	X(ERRORS, "ringfence_errors", COUNTER, "error", "Failures inside the BPF programs, by what they cost.")        \
	X(MAP_ENTRIES, "ringfence_map_entries", GAUGE, "map",                                                          \
	  "Entries in a BPF map; absent where they are not counted.")                                                  \
	X(MAP_MAX_ENTRIES, "ringfence_map_max_entries", GAUGE, "map", "Entries that fit in a BPF map.")                \
	X(MAP_BYTES, "ringfence_map_memory_bytes", GAUGE, "map", "Kernel memory of a BPF map.")                        \
	X(FLOW_ROWS, "ringfence_flow_history_rows", GAUGE, "", "Flows that are remembered for policy diff.")           \
	X(FLOW_MAX, "ringfence_flow_history_max_rows", GAUGE, "", "Flows that can be.")                                \
	X(FLOW_DROPPED, "ringfence_flow_history_dropped", COUNTER, "",                                                 \
	  "Flows forgotten before their day was over, because there were too many.")                                   \
	X(FLOW_LOST, "ringfence_flow_history_lost", COUNTER, "",                                                       \
	  "Flows not remembered: no memory, a cgroup that was gone too soon, or a row on disk that makes no sense.")   \
	X(FLOW_STORED, "ringfence_flow_history_stored", GAUGE, "",                                                     \
	  "1 if they are kept on disk, 0 if the file cannot be used and they are in memory alone.")                    \
	X(FLOW_BYTES, "ringfence_flow_history_disk_bytes", GAUGE, "", "Size of their file, with its log.")             \
	X(LINEAGE_ROWS, "ringfence_lineage_rows", GAUGE, "",                                                           \
	  "Rows of the lineage that are kept: a workload, a label, a file written, a program.")                        \
	X(LINEAGE_MAX, "ringfence_lineage_max_rows", GAUGE, "", "Rows that can be.")                                   \
	X(LINEAGE_DROPPED, "ringfence_lineage_dropped", COUNTER, "",                                                   \
	  "Rows forgotten because there were too many, since the file was made.")                                      \
	X(LINEAGE_LOST, "ringfence_lineage_lost", COUNTER, "",                                                         \
	  "Rows not kept, because nobody knew their workload any more.")                                               \
	X(LINEAGE_STORED, "ringfence_lineage_stored", GAUGE, "",                                                       \
	  "1 if the lineage is kept on disk, 0 if the file cannot be used and it waits in the kernel.")                \
	X(LINEAGE_BYTES, "ringfence_lineage_disk_bytes", GAUGE, "", "Size of its file, with its log.")                 \
	X(BPF_MEMORY, "ringfence_bpf_memory_bytes", GAUGE, "", "Kernel memory of all BPF maps and programs.")          \
	X(BPF_RUN_TIME, "ringfence_bpf_run_seconds", COUNTER, "",                                                      \
	  "CPU time of all BPF programs; absent unless kernel.bpf_stats_enabled is 1.")                                \
	X(OWN_CPU, "ringfence_process_cpu_seconds", COUNTER, "", "User and system CPU time of the daemon.")            \
	X(OWN_MEMORY, "ringfence_process_resident_memory_bytes", GAUGE, "", "Resident memory of the daemon.")          \
	X(CHILDREN_CPU, "ringfence_children_cpu_seconds", COUNTER, "",                                                 \
	  "User and system CPU time of the daemon's children.")                                                        \
	X(CHILDREN_MEMORY, "ringfence_children_resident_memory_bytes", GAUGE, "",                                      \
	  "Resident memory of the daemon's children, with what they share with it.")                                   \
	X(OWN_FDS, "ringfence_process_open_fds", GAUGE, "", "Open file descriptors of the daemon.")                    \
	X(PROCESS_CPU, "process_cpu_seconds", COUNTER, "", "Total user and system CPU time spent in seconds.")         \
	X(PROCESS_MEMORY, "process_resident_memory_bytes", GAUGE, "", "Resident memory size in bytes.")                \
	X(PROCESS_FDS, "process_open_fds", GAUGE, "", "Number of open file descriptors.")                              \
	X(WORKLOAD, "ringfence_workload", INFO, RF_METRICS_WORKLOAD_LABELS ",manager,mode,policies",                   \
	  "A workload: who made its cgroup, its mode, how many policies select it.")                                   \
	X(WORKLOAD_CPU, RF_METRICS_WORKLOAD_PREFIX "cpu_seconds", COUNTER, RF_METRICS_WORKLOAD_LABELS, "CPU time.")    \
	X(WORKLOAD_MEMORY, RF_METRICS_WORKLOAD_PREFIX "memory_bytes", GAUGE, RF_METRICS_WORKLOAD_LABELS,               \
	  "Memory charged to the workload.")                                                                           \
	X(WORKLOAD_TASKS, RF_METRICS_WORKLOAD_PREFIX "tasks", GAUGE, RF_METRICS_WORKLOAD_LABELS, "Tasks (threads).")   \
	X(NETWORK_BYTES, RF_METRICS_WORKLOAD_PREFIX "network_bytes", COUNTER,                                          \
	  RF_METRICS_WORKLOAD_LABELS ",direction,peer,verdict", "IP bytes by their verdict; absent while 0.")          \
	X(NETWORK_PACKETS, RF_METRICS_WORKLOAD_PREFIX "network_packets", COUNTER,                                      \
	  RF_METRICS_WORKLOAD_LABELS ",direction,peer,verdict", "IP packets by their verdict; absent while 0.")        \
	X(NETWORK_CONNECTIONS, RF_METRICS_WORKLOAD_PREFIX "network_connections", COUNTER,                              \
	  RF_METRICS_WORKLOAD_LABELS ",direction,peer,verdict",                                                        \
	  "TCP connections by the verdict on their first packet or connect(); absent while 0.")                        \
	X(NETWORK_RETRANSMITS, RF_METRICS_WORKLOAD_PREFIX "network_retransmits", COUNTER,                              \
	  RF_METRICS_WORKLOAD_LABELS ",peer", "TCP segments sent again; absent while 0.")                              \
	X(NETWORK_RTT, RF_METRICS_WORKLOAD_PREFIX "network_rtt_seconds", COUNTER, RF_METRICS_WORKLOAD_LABELS ",peer",  \
	  "Sum of the smoothed round-trip times that TCP sockets had when they went; absent while 0.")                 \
	X(NETWORK_RTT_SAMPLES, RF_METRICS_WORKLOAD_PREFIX "network_rtt_samples", COUNTER,                              \
	  RF_METRICS_WORKLOAD_LABELS ",peer", "TCP sockets whose round-trip time was summed; absent while 0.")         \
	X(NETWORK_DNS, RF_METRICS_WORKLOAD_PREFIX "network_dns_messages", COUNTER,                                     \
	  RF_METRICS_WORKLOAD_LABELS ",kind,peer", "DNS messages read for rules by name; absent while 0.")             \
	X(ACCEL_DEVICE, "ringfence_accelerator", INFO, "device,driver,address,uuid", "An accelerator of this host.")   \
	X(ACCEL_OPENS, RF_METRICS_ACCEL_PREFIX "opens", COUNTER, RF_METRICS_ACCEL_LABELS, "Opened nodes.")             \
	X(ACCEL_FILES, RF_METRICS_ACCEL_PREFIX "open_files", GAUGE, RF_METRICS_ACCEL_LABELS, "Nodes that are open.")   \
	X(ACCEL_HELD, RF_METRICS_ACCEL_PREFIX "held_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                        \
	  "Time that nodes had been open, when they were closed.")                                                     \
	X(ACCEL_IOCTLS, RF_METRICS_ACCEL_PREFIX "ioctls", COUNTER, RF_METRICS_ACCEL_LABELS ",class",                   \
	  "Ioctls by what they ask for, while policies have rules or quotas of them.")                                 \
	X(ACCEL_JOBS, RF_METRICS_ACCEL_PREFIX "jobs", COUNTER, RF_METRICS_ACCEL_LABELS, "Jobs that ended.")            \
	X(ACCEL_BUSY, RF_METRICS_ACCEL_PREFIX "busy_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                        \
	  "Device time of jobs, from the start to the end of each.")                                                   \
	X(ACCEL_QUEUED, RF_METRICS_ACCEL_PREFIX "queued_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                    \
	  "Time from submission to start of the jobs that ended.")                                                     \
	X(ACCEL_MEMORY, RF_METRICS_ACCEL_PREFIX "memory_bytes", GAUGE, RF_METRICS_ACCEL_LABELS, "Buffers.")            \
	X(ACCEL_PEAK, RF_METRICS_ACCEL_PREFIX "memory_peak_bytes", GAUGE, RF_METRICS_ACCEL_LABELS,                     \
	  "The most that buffers have been.")                                                                          \
	X(ACCEL_UNDER_WAY, RF_METRICS_ACCEL_PREFIX "jobs_under_way", GAUGE, RF_METRICS_ACCEL_LABELS,                   \
	  "Jobs that were submitted and have not ended.")                                                              \
	X(ACCEL_ENERGY, RF_METRICS_ACCEL_PREFIX "energy_joules", COUNTER, RF_METRICS_ACCEL_LABELS,                     \
	  "Of what the device drew, the part of its time that was the workload's.")                                    \
	X(ACCEL_WAITS, RF_METRICS_ACCEL_PREFIX "quota_waits", COUNTER, RF_METRICS_ACCEL_LABELS,                        \
	  "Waits of submissions that were beyond a quota; one may wait several times.")                                \
	X(ACCEL_WAITED, RF_METRICS_ACCEL_PREFIX "quota_wait_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                \
	  "What these waits were asked to take.")                                                                      \
	X(ACCEL_OVER, RF_METRICS_ACCEL_PREFIX "quota_denials", COUNTER, RF_METRICS_ACCEL_LABELS,                       \
	  "Submissions, allocations and opens that failed by a quota.")                                                \
	X(ACCEL_SHARE, RF_METRICS_ACCEL_PREFIX "quota_share", GAUGE, RF_METRICS_ACCEL_LABELS,                          \
	  "Weight in sharing device time; 0 where it has none.")                                                       \
	X(CALL_DURATION, RF_METRICS_ACCEL_PREFIX "call_duration_seconds", HISTOGRAM, RF_METRICS_CALL_LABELS,           \
	  "Calls of accelerators' libraries that returned, without what a quota made them wait.")                      \
	X(CALL_FAILURES, RF_METRICS_ACCEL_PREFIX "call_failures", COUNTER, RF_METRICS_CALL_LABELS,                     \
	  "Of those, the ones that failed.")                                                                           \
	X(CALL_BYTES, RF_METRICS_ACCEL_PREFIX "call_bytes", COUNTER, RF_METRICS_CALL_LABELS,                           \
	  "What those that did not fail copied or allocated.")                                                         \
	X(ACCEL_TOLD_BUSY, RF_METRICS_ACCEL_PREFIX "fdinfo_busy_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,            \
	  "Device time as drivers tell it of open files, beside what was measured.")                                   \
	X(ACCEL_TOLD_CYCLES, RF_METRICS_ACCEL_PREFIX "fdinfo_cycles", COUNTER, RF_METRICS_ACCEL_LABELS,                \
	  "Cycles of the device, of drivers that tell these.")                                                         \
	X(ACCEL_TOLD_MEMORY, RF_METRICS_ACCEL_PREFIX "fdinfo_resident_bytes", GAUGE, RF_METRICS_ACCEL_LABELS,          \
	  "Resident memory as drivers tell it.")                                                                       \
	X(ACCEL_TOLD_CLIENTS, RF_METRICS_ACCEL_PREFIX "fdinfo_clients", GAUGE, RF_METRICS_ACCEL_LABELS,                \
	  "Open files of which that is told.")                                                                         \
	X(ACCEL_IDLE, RF_METRICS_ACCEL_PREFIX "idle_seconds", GAUGE, RF_METRICS_ACCEL_LABELS,                          \
	  "For how long it has been held without work; absent where it is not held.")                                  \
	X(ACCEL_FINDING, RF_METRICS_ACCEL_PREFIX "finding_seconds", GAUGE, RF_METRICS_ACCEL_LABELS ",finding",         \
	  "For how long it has been held for nothing, or waited for: idle, no-process, waits-for-cpu, waits-for-io, "  \
	  "waits-for-network.")                                                                                        \
	X(KFD_MEMORY, RF_METRICS_ACCEL_PREFIX "kfd_memory_bytes", GAUGE, RF_METRICS_ACCEL_LABELS,                      \
	  "Memory of processes with compute queues, as amdkfd tells it; absent where it tells none.")                  \
	X(KFD_UNITS, RF_METRICS_ACCEL_PREFIX "kfd_compute_units", GAUGE, RF_METRICS_ACCEL_LABELS,                      \
	  "Compute units with work of theirs now.")                                                                    \
	X(KFD_SDMA, RF_METRICS_ACCEL_PREFIX "kfd_copy_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                      \
	  "Time of the GPU's copy engines for them.")                                                                  \
	X(KFD_EVICTED, RF_METRICS_ACCEL_PREFIX "kfd_evicted_seconds", COUNTER, RF_METRICS_ACCEL_LABELS,                \
	  "Time that their queues were off the GPU for want of memory.")                                               \
	X(ACCEL_SKIPS, "ringfence_accelerator_accounting_skips", COUNTER, "",                                          \
	  "Events that a program of the accounting was not run for; its twin may have been.")                          \
	X(CLIENTS, "ringfence_accelerator_clients", GAUGE, "state",                                                    \
	  "Open files: fdinfo is read, nobody is found who has it open, or no room to read it.")                       \
	X(CLIENTS_UNREAD, "ringfence_accelerator_clients_unread", COUNTER, "",                                         \
	  "Open files that were closed before their fdinfo was read.")                                                 \
	X(CLIENTS_SEARCHES, "ringfence_accelerator_clients_searches", COUNTER, "",                                     \
	  "Walks of all open files in the kernel, for the holder of one.")                                             \
	X(CLIENTS_CPU, "ringfence_accelerator_clients_cpu_seconds", COUNTER, "",                                       \
	  "CPU time of the daemon for reading fdinfo.")                                                                \
	X(NVML_BUSY, RF_METRICS_NVML_PREFIX "busy_seconds", COUNTER, RF_METRICS_NVML_LABELS,                           \
	  "Device time that NVML's samples of utilization stand for, since the daemon started.")                       \
	X(NVML_ENERGY, RF_METRICS_NVML_PREFIX "energy_joules", COUNTER, RF_METRICS_NVML_LABELS,                        \
	  "Its part of what the device has drawn since the daemon started, by that time.")                             \
	X(NVML_MEMORY, RF_METRICS_NVML_PREFIX "memory_bytes", GAUGE, RF_METRICS_NVML_LABELS,                           \
	  "Device memory of its processes, as NVML tells it.")                                                         \
	X(NVML_PEAK, RF_METRICS_NVML_PREFIX "memory_peak_bytes", GAUGE, RF_METRICS_NVML_LABELS,                        \
	  "The most that it was in any round.")                                                                        \
	X(NVML_PROCESSES, RF_METRICS_NVML_PREFIX "processes", GAUGE, RF_METRICS_NVML_LABELS,                           \
	  "Its processes on the device.")                                                                              \
	X(MEMORY_LIMIT, RF_METRICS_ACCEL_PREFIX "memory_limit_bytes", GAUGE, RF_METRICS_ACCEL_LABELS ",method",        \
	  "Limit of its memory on the device, and who keeps it: dmem, nvml, ioctl, detect, none.")                     \
	X(MEMORY_LIMIT_USED, RF_METRICS_ACCEL_PREFIX "memory_limit_used_bytes", GAUGE, RF_METRICS_ACCEL_LABELS,        \
	  "What counts for that limit, as dmem, NVML or the detection tells it.")                                      \
	X(MEMORY_LIMIT_FAILURES, "ringfence_accelerator_memory_limit_failures", COUNTER, "",                           \
	  "Limits of device memory that could not be set or read.")                                                    \
	X(XID, "ringfence_accelerator_xid_errors", COUNTER, "device,code",                                             \
	  "Errors of a device of NVIDIA's in the kernel's log, since the daemon started.")                             \
	X(XID_MISSED, "ringfence_accelerator_kernel_log_gaps", COUNTER, "",                                            \
	  "Times that the kernel's log was overwritten before it was read for such errors.")                           \
	X(GPU_STATE, "ringfence_gpu_helper_state", GAUGE, "state",                                                     \
	  "1 for what the helper that asks NVML does; absent on a host without NVIDIA devices.")                       \
	X(GPU_RESTARTS, "ringfence_gpu_helper_restarts", COUNTER, "",                                                  \
	  "Times that it hung, crashed or said nonsense, and was started again.")                                      \
	X(GPU_REFUSED, "ringfence_gpu_helper_refused_messages", COUNTER, "", "Of these, when it said nonsense.")       \
	X(GPU_ERRORS, "ringfence_gpu_nvml_errors", COUNTER, "", "Calls of NVML that failed.")                          \
	X(GPU_UNJOINED, "ringfence_gpu_unjoined_messages", COUNTER, "",                                                \
	  "Messages about processes that nobody knew, so that they are charged to nobody.")                            \
	X(GPU_DROPPED, "ringfence_gpu_dropped_messages", COUNTER, "",                                                  \
	  "Messages about processes that there was no room for.")

enum rf_metric {
#define X(id, name, type, labels, help) RF_METRIC_##id,
	RF_METRICS(X)
#undef X
		RF_METRIC_COUNT
};

struct rf_metric_family {
	const char *name;
	enum rf_metric_type type;
	const char *labels; /* names, separated by commas */
	const char *fixed;  /* labels of the counter itself with their values, as in RF_COUNTERS; "" */
	const char *help;
};

const struct rf_metric_family *rf_metric_family(enum rf_metric m);
/* Several counters of RF_COUNTERS may have one family; their entries differ in @fixed alone. */
const struct rf_metric_family *rf_metric_counter(enum rf_counter c);
/* Is @c the first of RF_COUNTERS in its family? */
bool rf_metric_counter_leads(enum rf_counter c);
const struct rf_metric_family *rf_metric_health(enum rf_health_reading r);
const char *rf_metric_type_name(enum rf_metric_type t, enum rf_metrics_format f);
/* What a sample's name has after the family's: "_total", "_info", "". */
const char *rf_metric_suffix(enum rf_metric_type t);
/* "bytes", "seconds", "celsius", ... or NULL. */
const char *rf_metric_unit(const char *family_name);

/*
 * The format for an HTTP Accept header (NULL: none), by its q values. What names a format beats what it matches by
 * wildcard; among equals the first wins. Text when nothing matches: a scraper that cannot use it says so better than
 * a 406 would.
 */
enum rf_metrics_format rf_metrics_negotiate(const char *accept);
const char *rf_metrics_content_type(enum rf_metrics_format f);

#endif

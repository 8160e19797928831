/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The wire format of the ring buffers: one header for every event.
 *
 * Three lanes, each a ring buffer of its own, so that none can fill another.
 * A lane numbers what it was asked to carry, the lost included: a jump in
 * @sequence is a gap, and the consumer writes down how many were lost between
 * which two. Sequences start at 1 when the maps are created.
 */
#ifndef RINGFENCE_EVENT_H
#define RINGFENCE_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "kernel_map.h"
#include "limits.h"

#define RF_EVENT_VERSION 1

enum rf_lane { RF_LANE_TELEMETRY, RF_LANE_AUDIT, RF_LANE_IDENTITY, RF_LANES };

enum rf_event_kind {
	RF_EVENT_NONE,
	RF_EVENT_EXEC,	      /* struct rf_event_exec */
	RF_EVENT_FORK,	      /* struct rf_event_fork */
	RF_EVENT_EXIT,	      /* struct rf_event_exit */
	RF_EVENT_CONNECT,     /* struct rf_event_flow */
	RF_EVENT_ACCEPT,      /* struct rf_event_flow */
	RF_EVENT_FLOW_DENY,   /* struct rf_event_flow, verdict deny or would-deny */
	RF_EVENT_DEVICE_DENY, /* struct rf_event_device */
	RF_EVENT_POLICY,      /* struct rf_event_policy */
	RF_EVENT_CGROUP_NEW,  /* struct rf_event_cgroup */
	RF_EVENT_CGROUP_GONE, /* struct rf_event_cgroup */
	RF_EVENT_GAP,	      /* struct rf_event_gap; made by the consumer, never on a ring */
	RF_EVENT_SOCKET_DENY, /* struct rf_event_socket */
	RF_EVENT_FLOW_START,  /* struct rf_event_flow_record */
	RF_EVENT_FLOW_END,    /* struct rf_event_flow_record */
	RF_EVENT_GUARD_DENY,  /* struct rf_event_guard */
	RF_EVENT_ISOLATION,   /* struct rf_event_isolation */
	RF_EVENT_KERNEL_DENY, /* struct rf_event_kernel */
	RF_EVENT_FILE_DENY,   /* struct rf_event_file */
	RF_EVENT_EXEC_DENY,   /* struct rf_event_exec_deny */
	RF_EVENT_EXEC_FIRST,  /* struct rf_event_exec_first */
	RF_EVENT_QUOTA,	      /* struct rf_event_quota */
	RF_EVENT_XID,	      /* struct rf_event_xid; made by the daemon, never on a ring */
	RF_EVENT_KINDS
};

enum rf_verdict { RF_ALLOW, RF_DENY, RF_WOULD_DENY, RF_VERDICTS };

struct rf_event_header {
	__u16 version;	/* RF_EVENT_VERSION */
	__u16 kind;	/* enum rf_event_kind */
	__u16 size;	/* bytes, header included */
	__u8 lane;	/* enum rf_lane */
	__u8 verdict;	/* enum rf_verdict */
	__u64 sequence; /* of the lane */
	__u64 time_ns;	/* CLOCK_BOOTTIME */
	__u64 cgroup_id;
	__u32 workload; /* id, RF_WORKLOAD_NONE when unmanaged */
	__u32 tgid;	/* 0 where the kernel acted for no process (softirq) */
	__u32 tid;
	__u32 uid;
	char comm[16]; /* NUL-terminated; empty where tgid is 0 */
};

struct rf_event_exec {
	struct rf_event_header header;
	__u32 parent_tgid;
	__u32 path_len;		/* bytes of @path before the NUL */
	char path[RF_PATH_MAX]; /* as given to execve; cut at RF_PATH_MAX - 1 */
};

struct rf_event_fork {
	struct rf_event_header header;
	__u32 child_tgid;
	__u32 pad;
};

struct rf_event_exit {
	struct rf_event_header header;
	__s32 exit_code; /* as wait(2) gives it */
	__u32 pad;
	__u64 lifetime_ns; /* since the process started */
};

struct rf_event_flow {
	struct rf_event_header header;
	__u8 family;	   /* AF_INET 2, AF_INET6 10 */
	__u8 protocol;	   /* IPPROTO_* */
	__u8 direction;	   /* enum rf_direction */
	__u8 tier;	   /* enum rf_tier that decided */
	__u16 local_port;  /* host order; RF_ICMP_PORT() of ICMP and ICMPv6 */
	__u16 remote_port; /* host order; likewise */
	__u8 local[16];	   /* network order; IPv4 in the first four bytes */
	__u8 remote[16];
	__u32 ruleset; /* id of the deciding rule set */
	__u16 rule;    /* index in it, RF_RULE_DEFAULT for its default */
	__u16 hook;    /* enum rf_hook that decided */
};

/* Why a flow's record ends. */
#define RF_REASONS(X)                                                                          \
	X(OPEN, "open")	      /* it does not: its start */                                     \
	X(CLOSED, "closed")   /* its TCP socket has gone */                                    \
	X(IDLE, "idle")	      /* no packet for as long as the policy says */                   \
	X(CUT, "cut")	      /* denied: from its first packet on, or by a change of policy */ \
	X(STOPPED, "stopped") /* nobody asks for it any more */

enum rf_flow_reason {
#define X(id, name) RF_REASON_##id,
	RF_REASONS(X)
#undef X
		RF_REASON_COUNT
};

/*
 * A flow of a workload whose policy asks for them. RF_EVENT_FLOW_START: its first packet, which is in the counts;
 * RF_EVENT_FLOW_END: all of it. What is denied at once has an end alone. @verdict in the header is the flow's.
 */
struct rf_event_flow_record {
	struct rf_event_header header;
	__u8 family;	   /* AF_INET 2, AF_INET6 10 */
	__u8 protocol;	   /* IPPROTO_* */
	__u8 direction;	   /* enum rf_direction: who began */
	__u8 tier;	   /* enum rf_tier that decided */
	__u16 local_port;  /* host order; 0 where connect() was denied */
	__u16 remote_port; /* host order */
	__u8 local[16];	   /* network order; IPv4 in the first four bytes */
	__u8 remote[16];
	__u32 ruleset;	 /* id of the deciding rule set, 0: none */
	__u16 rule;	 /* index in it, RF_RULE_DEFAULT for its default */
	__u8 peer_class; /* enum rf_account_class */
	__u8 reason;	 /* enum rf_flow_reason */
	__u64 start_ns;	 /* CLOCK_BOOTTIME */
	__u64 tx_bytes;	 /* of IP, as in struct rf_traffic */
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 rx_packets;
	__u32 retransmits; /* TCP segments, known when it is closed */
	__u32 rtt_us;	   /* the last smoothed round-trip time, likewise */
};

struct rf_event_device {
	struct rf_event_header header;
	__u32 type;   /* 1 block, 2 char */
	__u32 access; /* RF_DEVICE_* that were asked for and denied */
	__u32 major;
	__u32 minor;
	__u32 device_set;
	__u16 rule;
	__u8 tier;
	__u8 use; /* 1: an ioctl of no class on what may not be opened */
};

struct rf_event_socket {
	struct rf_event_header header;
	__u16 family; /* AF_* */
	__u16 type;   /* SOCK_* */
	__u32 protocol;
	__u32 peer_workload; /* of AF_UNIX: whose the other end is; else RF_WORKLOAD_NONE */
	__u16 rule;	     /* see RF_SOCKET_RULES */
	__u8 tier;
	__u8 direction; /* enum rf_direction: RF_INGRESS, the peer tried to reach this workload */
};

/* Something was refused that would have ended or changed enforcement. */
struct rf_event_guard {
	struct rf_event_header header;
	__u32 operation; /* enum rf_guard_operation */
	__u32 target;	 /* a signal, or the id of a map, program or link; else 0 */
};

/* Of two workloads, @header's is the one whose policy denied. */
struct rf_event_isolation {
	struct rf_event_header header;
	__u32 peer_workload; /* RF_WORKLOAD_NONE: nobody in particular */
	__u32 peer_tgid;     /* of the process at the other end; 0: it is none */
	__u32 argument;	     /* see RF_ISOLATION_OPERATIONS */
	__u8 operation;	     /* enum rf_isolation_operation */
	__u8 between;	     /* enum rf_between */
	__u8 tier;
	__u8 direction; /* enum rf_direction: RF_INGRESS, the peer acted on this workload */
};

/* One interface of the kernel that was asked for. */
struct rf_event_kernel {
	struct rf_event_header header;
	__u16 rule;	  /* see RF_KERNEL_RULES */
	__u16 capability; /* CAP_* that was asked for, RF_KERNEL_NONE: none */
	__u16 syscall;	  /* enum rf_syscall it came by, RF_KERNEL_NONE: another, or not known */
	__u8 tier;
	__u8 pad;
	char detail[RF_KERNEL_DETAIL]; /* a file, a module, a sysctl; empty where there is nothing to tell */
};

struct rf_event_file {
	struct rf_event_header header;
	__u64 inode;
	__u32 device; /* of the file system, as the kernel has it: major << 20 | minor */
	__u32 zone;   /* that the file is in, RF_ZONE_UNPLACED */
	__u16 access; /* 1 << enum rf_file_access: what was asked for */
	__u16 denied; /* of all that would have to be allowed for it, what is not */
	__u8 tier;
	__u8 pad[3];
	char name[RF_FILE_NAME]; /* the last component alone; cut */
};

/* A program, or what it maps to be executed, that a policy forbids. */
struct rf_event_exec_deny {
	struct rf_event_header header;
	__u32 set; /* in rf_exec_set_map */
	__u16 rule;
	__u8 tier;
	__u8 reason; /* enum rf_exec_reason */
	__u8 role;   /* enum rf_exec_role */
	__u8 pad[3];
	__u32 path_len;		/* of the whole path */
	char path[RF_PATH_MAX]; /* as it was judged, cut at RF_PATH_MAX - 1; the bare name where it has no path */
};

enum rf_digest {
	RF_DIGEST_NONE,
	RF_DIGEST_VERITY, /* fs-verity's, of a tree of hashes */
	RF_DIGEST_IMA,	  /* IMA's, of the content */
	RF_DIGESTS
};

/*
 * A quota of an accelerator is used up: @verdict in the header is deny, would-deny, or allow for what was let to wait.
 * One a second at most of a workload on a device.
 */
struct rf_event_quota {
	struct rf_event_header header;
	__u8 kind;  /* enum rf_quota_kind */
	__u8 level; /* enum rf_accel_level: whose quota it is */
	__u16 pad;
	__u32 major; /* of the node */
	__u32 minor;
	__u32 pad2;
	__u64 wait_ns; /* how much it is over; 0: nothing that passes with time */
};

/*
 * An error that NVIDIA's driver wrote into the kernel's log, once for the workload of the process that it names and
 * once for each other that had the device open then; for no workload, if there was none. Only in the first are the
 * header's process id and name those of the log.
 */
#define RF_XID_TOLD 96

struct rf_event_xid {
	struct rf_event_header header;
	__u32 code;
	__u32 gpu_instance, compute_instance; /* of MIG; all bits set: none */
	__u32 bystander;		      /* 1: it only had the device open */
	char device[32];		      /* its address */
	char text[RF_XID_TOLD];		      /* what else the log says, cut */
};

/*
 * A program that the workload had not run before, or not since it changed: told by device, inode and the time of its
 * last change. The digest is fs-verity's, where the file has one and the kernel keeps it with the inode, else IMA's.
 */
struct rf_event_exec_first {
	struct rf_event_header header;
	__u64 inode;
	__u32 device;	  /* major << 20 | minor */
	__u32 digest_len; /* 0: none; 20 SHA-1, 32 SHA-256, 48 SHA-384, 64 SHA-512 */
	__u8 digest[RF_DIGEST_MAX];
	__u32 digest_of;	/* enum rf_digest */
	__u32 path_len;		/* of the whole path */
	char path[RF_PATH_MAX]; /* as in struct rf_event_exec_deny */
};

/* A generation came into force. Written by the program that flips it. */
struct rf_event_policy {
	struct rf_event_header header;
	__u32 generation;
	__u32 workloads;
	__u32 rulesets;
	__u32 policies;
};

struct rf_event_cgroup {
	struct rf_event_header header; /* cgroup_id is the cgroup's own */
	__u64 parent_id;
	__u32 level;
	__u32 path_len;
	char path[RF_PATH_MAX]; /* below the v2 root; longer ones are cut, path_len is the true length */
};

struct rf_event_gap {
	struct rf_event_header header; /* lane: where the gap is; time_ns: of the event after it */
	__u64 lost;
	__u64 after_sequence;  /* last one seen before the gap; 0: none */
	__u64 before_sequence; /* first one seen after it */
	__u64 after_time_ns;
};

/* Every hook we attach; also the index of rf_hook_map. */
#define RF_HOOKS(X)                             \
	X(CGROUP_MKDIR, "cgroup_mkdir")         \
	X(CGROUP_RMDIR, "cgroup_rmdir")         \
	X(CGROUP_RELEASE, "cgroup_release")     \
	X(EXEC, "sched_process_exec")           \
	X(FORK, "sched_process_fork")           \
	X(EXIT, "sched_process_exit")           \
	X(CONNECT4, "connect4")                 \
	X(CONNECT6, "connect6")                 \
	X(SENDMSG4, "sendmsg4")                 \
	X(SENDMSG6, "sendmsg6")                 \
	X(SKB_EGRESS, "skb_egress")             \
	X(SKB_INGRESS, "skb_ingress")           \
	X(DEVICE, "device")                     \
	X(LSM_PROBE, "lsm_probe")               \
	X(RATE_EGRESS, "rate_egress")           \
	X(RATE_INGRESS, "rate_ingress")         \
	X(SOCKET_STATE, "socket_state")         \
	X(SOCKET_AGAIN, "socket_state_again")   \
	X(SOCK_CREATE, "sock_create")           \
	X(SOCKET_CREATE, "socket_create")       \
	X(SOCKET_CONNECT, "socket_connect")     \
	X(UNIX_CONNECT, "unix_stream_connect")  \
	X(UNIX_SEND, "unix_may_send")           \
	X(TCP_RETRANSMIT, "tcp_retransmit")     \
	X(TCP_DESTROY, "tcp_destroy")           \
	X(GUARD_KILL, "guard_kill")             \
	X(GUARD_TRACE, "guard_trace")           \
	X(GUARD_BPF, "guard_bpf")               \
	X(GUARD_MAP, "guard_bpf_map")           \
	X(GUARD_PROGRAM, "guard_bpf_prog")      \
	X(GUARD_UNLINK, "guard_unlink")         \
	X(GUARD_RMDIR, "guard_rmdir")           \
	X(GUARD_RENAME, "guard_rename")         \
	X(GUARD_UMOUNT, "guard_umount")         \
	X(GUARD_MOUNT, "guard_mount")           \
	X(GUARD_MOVE, "guard_move_mount")       \
	X(GUARD_CAPABLE, "guard_capable")       \
	X(GUARD_OPEN, "guard_open")             \
	X(TASK_KILL, "task_kill")               \
	X(FILE_OWNER, "file_set_fowner")        \
	X(SIGIO, "file_send_sigiotask")         \
	X(PTRACE, "ptrace_access_check")        \
	X(TRACEME, "ptrace_traceme")            \
	X(APART_CAPABLE, "capable_apart")       \
	X(TASK_SCHEDULER, "task_setscheduler")  \
	X(TASK_NICE, "task_setnice")            \
	X(TASK_IOPRIO, "task_setioprio")        \
	X(TASK_RLIMIT, "task_setrlimit")        \
	X(TASK_MEMORY, "task_movememory")       \
	X(IPC_PERMISSION, "ipc_permission")     \
	X(SHM_ALLOC, "shm_alloc")               \
	X(SEM_ALLOC, "sem_alloc")               \
	X(MSG_ALLOC, "msg_queue_alloc")         \
	X(SHM_FREE, "shm_free")                 \
	X(SEM_FREE, "sem_free")                 \
	X(MSG_FREE, "msg_queue_free")           \
	X(SHM_CONTROL, "shm_shmctl")            \
	X(SEM_CONTROL, "sem_semctl")            \
	X(MSG_CONTROL, "msg_queue_msgctl")      \
	X(APART_OPEN, "file_open_apart")        \
	X(APART_RECEIVE, "file_receive_apart")  \
	X(PERF_ALLOC, "perf_event_alloc")       \
	X(KEY_ALLOC, "key_alloc")               \
	X(KEY_PERMISSION, "key_permission")     \
	X(CAPABLE, "capable")                   \
	X(BPF, "bpf")                           \
	X(PERF_OPEN, "perf_event_open")         \
	X(LOAD_DATA, "kernel_load_data")        \
	X(READ_FILE, "kernel_read_file")        \
	X(MODULE_REQUEST, "module_request")     \
	X(ANON_INODE, "anon_inode")             \
	X(USERNS, "userns_create")              \
	X(SB_MOUNT, "sb_mount")                 \
	X(SB_UMOUNT, "sb_umount")               \
	X(MOVE_MOUNT, "move_mount")             \
	X(PIVOT_ROOT, "sb_pivotroot")           \
	X(KERNEL_PTRACE, "kernel_ptrace")       \
	X(LOCKED_DOWN, "locked_down")           \
	X(KERNEL_OPEN, "kernel_open")           \
	X(FIX_SETUID, "task_fix_setuid")        \
	X(FIX_SETGID, "task_fix_setgid")        \
	X(FIX_SETGROUPS, "task_fix_setgroups")  \
	X(KERNEL_EXEC, "kernel_exec")           \
	X(SYSCTL, "sysctl")                     \
	X(KERNEL_FORK, "kernel_fork")           \
	X(NEWCOMER_MOVE, "newcomer_move")       \
	X(NEWCOMER_FORK, "newcomer_fork")       \
	X(NEWCOMER_EXEC, "newcomer_exec")       \
	X(KERNEL_TRACEME, "kernel_traceme")     \
	X(FILES_OPEN, "files_open")             \
	X(FILES_RECEIVE, "files_receive")       \
	X(FILES_MMAP, "files_mmap")             \
	X(FILES_BACKING, "files_mmap_backing")  \
	X(FILES_MPROTECT, "files_mprotect")     \
	X(FILES_CREATE, "files_create")         \
	X(FILES_MKDIR, "files_mkdir")           \
	X(FILES_MKNOD, "files_mknod")           \
	X(FILES_SYMLINK, "files_symlink")       \
	X(FILES_UNLINK, "files_unlink")         \
	X(FILES_RMDIR, "files_rmdir")           \
	X(FILES_RENAME, "files_rename")         \
	X(FILES_LINK, "files_link")             \
	X(FILES_SETATTR, "files_setattr")       \
	X(FILES_SETXATTR, "files_setxattr")     \
	X(FILES_RMXATTR, "files_removexattr")   \
	X(FILES_SET_ACL, "files_set_acl")       \
	X(FILES_RM_ACL, "files_remove_acl")     \
	X(FILES_MOUNT, "files_mount")           \
	X(FILES_MOVE, "files_move_mount")       \
	X(BPRM_CHECK, "bprm_check_security")    \
	X(MMAP_FILE, "mmap_file")               \
	X(FILE_MPROTECT, "file_mprotect")       \
	X(EXEC_KILL, "sched_process_exec_kill") \
	X(EXEC_DIGEST, "exec_digest")           \
	X(LINEAGE_IO, "lineage_io")             \
	X(LINEAGE_MMAP, "lineage_mmap")         \
	X(LINEAGE_SENDFILE, "lineage_sendfile") \
	X(LINEAGE_SPLICE, "lineage_splice")     \
	X(LINEAGE_SENT, "lineage_sent")         \
	X(LINEAGE_COPY, "lineage_copy")         \
	X(LINEAGE_COPIED, "lineage_copied")     \
	X(LINEAGE_CLONE, "lineage_clone")       \
	X(LINEAGE_RENAME, "lineage_rename")     \
	X(LINEAGE_LINK, "lineage_link")         \
	X(FILES_NOTIFY, "files_notify")         \
	X(ACCEL_IOCTL, "accel_ioctl")           \
	X(ACCEL_COMPAT, "accel_ioctl_compat")   \
	X(ACCEL_MMAP, "accel_mmap")             \
	X(ACCEL_RECEIVE, "accel_receive")

enum rf_hook {
#define X(id, name) RF_HOOK_##id,
	RF_HOOKS(X)
#undef X
		RF_HOOK_COUNT
};

#endif

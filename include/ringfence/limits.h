/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every size, count and rate that bounds Ringfence, in one place.
 *
 * The kernel side sizes its maps from these; the policy checker refuses what
 * would not fit, and the tests try each limit and one past it.
 */
#ifndef RINGFENCE_LIMITS_H
#define RINGFENCE_LIMITS_H

/* Identity. */
#define RF_MAX_WORKLOADS 16384 /* workload ids 0..16383; 0 is "unmanaged" */
#define RF_MAX_CGROUPS	 65536 /* cgroups below all workloads together */
#define RF_CGROUP_SLOTS	 16384 /* cgroups whose workload is remembered, direct mapped; a power of two */
#define RF_ACCOUNT_CHUNK 4096  /* rows of accounts that are allocated at once */
#define RF_PATH_MAX	 256   /* bytes of a path in an event, NUL included */

/* Network policy. */
#define RF_MAX_RULES	   1024 /* rules of one rule set (a direction of a workload) */
#define RF_RULE_WORDS	   (RF_MAX_RULES / 64)
#define RF_MAX_RULESETS	   65536   /* rule sets in force at once, two generations; 0 is "none" */
#define RF_MAX_PEERS4	   2097152 /* IPv4 prefixes of all rule sets (allocated as used) */
#define RF_MAX_PEERS6	   1048576 /* IPv6 prefixes of all rule sets (allocated as used) */
#define RF_MAX_PORTS	   2097152 /* (protocol, port prefix) of all rule sets */
#define RF_MAX_SET_WORDS   1048576 /* 64-bit words of distinct rule bit vectors: 8 MiB */
#define RF_MAX_MEMBERS	   262144  /* (rule set, peer) of peers chosen by what they are (allocated as used) */
#define RF_MAX_ADDRESSES   65536   /* addresses of the host and of the workloads on it */
#define RF_MAX_CLASSES	   1024	   /* different peers by what they are, of one rule set */
#define RF_MAX_NAMES	   16384   /* DNS names of all policies (allocated as used) */
#define RF_MAX_LEARNT	   16384   /* (workload, address) that DNS answers have given; the least used goes */
#define RF_MAX_QUERIES	   8192	   /* DNS questions that wait for their answer; the oldest goes */
#define RF_MAX_DNS_STREAMS 256	   /* connections with a part of a DNS message, 4 KiB each; the least used goes */
#define RF_MAX_RESOLVERS   16	   /* of one workload */
#define RF_MAX_TENANTS	   32768   /* tenants and namespaces with a workload at a time (allocated as used) */
#define RF_MAX_MAKERS	   131072  /* System V objects that workloads made (allocated as used) */
#define RF_MAX_KEY_MAKERS  32768   /* keys that workloads made; the one unused longest goes */
#define RF_MAX_FILE_OWNERS 2048	   /* open files whose signals workloads have sent to somebody; the same */
#define RF_MAX_FLOWS	   32768   /* flows in the flow log at once (allocated as used) */
#define RF_SET_CHUNK	   16384   /* of RF_MAX_SET_WORDS: so many are allocated at once */
#define RF_CACHE_SLOTS	   1024	   /* verdict cache, per CPU, direct mapped; a power of two */

/* Rates. */
#define RF_RATE_BYTES_MIN	 8192		 /* bytes a second: a 64 KiB packet is paid for in 8 s */
#define RF_RATE_BYTES_MAX	 1000000000000LL /* 8 Tbit/s */
#define RF_RATE_PACKETS_MAX	 1000000000
#define RF_RATE_BURST_MIN	 65536	     /* bytes: one packet as large as segmentation offload makes them */
#define RF_RATE_BURST_MAX	 (1LL << 34) /* bytes */
/*
 * The burst where a policy gives none, in time. What comes in is not asked to wait but dropped, and TCP then pauses
 * for at least 200 ms: a burst worth less than that would lose rate.
 */
#define RF_RATE_BURST_EGRESS_MS	 20
#define RF_RATE_BURST_INGRESS_MS 250
#define RF_RATE_CONNECTIONS_MAX	 1000000
#define RF_MAX_RULE_RATES	 256   /* rules with a rate, of one workload */
#define RF_MAX_RULE_STATES	 65536 /* of all workloads (allocated as used) */
#define RF_MAX_RATE_FLOWS	 65536 /* flows of workloads that have some; the least used is asked about again */

/* Devices. */
#define RF_MAX_DEVICE_ENTRIES 65536  /* (set, type, major, minor) of all device sets */
#define RF_MAX_DEVICE_RULES   256    /* device rules of one workload, and as many of accelerators */
#define RF_MAX_ACCEL_DEVICES  255    /* accelerators since the maps were made */
#define RF_MAX_ACCEL_JOBS     16384  /* submitted and not yet ended; a power of two */
#define RF_MAX_ACCEL_USES     8192   /* (workload, namespace or tenant; accelerator); a power of two */
#define RF_MAX_ACCEL_QUOTAS   65536  /* of workloads, namespaces and tenants, by bank; this and the next two as used */
#define RF_MAX_ACCEL_OBJECTS  262144 /* buffers */
#define RF_MAX_ACCEL_FILES    65536
#define RF_MAX_ACCEL_CLIENTS  8192  /* open files whose fdinfo is read: each is a descriptor of the daemon */
#define RF_MAX_ACCEL_NODES    4096  /* device nodes of accelerators, of the host */
#define RF_MAX_GPU_PROCESSES  16384 /* (process, device, instance) that NVML tells of */
#define RF_MAX_GPU_USES	      16384 /* (workload, device, instance) that have been summed up; both as used */
#define RF_MAX_CALL_USES      65536 /* (workload, kind of call); this and the next as used */
#define RF_MAX_CALL_SITES     8192  /* addresses of functions that programs asked for by name */
#define RF_MAX_CALL_NAMES     1024
#define RF_MAX_CALL_PROCESSES 16384 /* that work by a library; the least used is forgotten */
#define RF_MAX_CALL_LIBRARIES 256   /* files that are probed at a time */
#define RF_MAX_CALL_PROBES    256   /* functions of one */

/* Of jobs and of buffers, what is followed of one workload on one accelerator: it does not take the room of others. */
#define RF_MAX_ACCEL_JOBS_EACH	  (RF_MAX_ACCEL_JOBS / 8)
#define RF_MAX_ACCEL_OBJECTS_EACH (RF_MAX_ACCEL_OBJECTS / 8)

/* Files. */
#define RF_MAX_ZONES	    4096   /* paths of all labels and file rules */
#define RF_MAX_LABEL_PATHS  256	   /* of one label */
#define RF_MAX_FILE_RULES   1024   /* file rules of one workload */
#define RF_MAX_FILE_ENTRIES 262144 /* (file set, zone) of all file sets (allocated as used) */
#define RF_MAX_TREES	    65536  /* inodes where a zone begins, those of mounts and links in it too (as used) */
#define RF_MAX_FILE_DEPTH   1024   /* directories above a file; what is deeper is denied to who has file rules */
#define RF_MAX_LINK_SCAN    200000 /* files of a zone that are looked at for other names */
#define RF_FILE_NAME	    64	   /* bytes of a file's name in an event, NUL included */
#define RF_PLACE_SLOTS	    1024   /* files whose labelled tree is remembered, per CPU, direct mapped; a power of two */
#define RF_MAX_LINEAGE_ROWS 32768  /* (workload, label, file written, process) in a second or two (as used) */
#define RF_LINEAGE_SHARE    1024   /* of one workload */

/* Programs. */
#define RF_MAX_EXEC_SETS  16384	 /* sets in force at once (allocated as used) */
#define RF_MAX_EXEC_TEXTS 262144 /* paths, trees, stems and zones of all sets (as used) */
#define RF_EXEC_TEXT_MAX  256	 /* bytes of a path in a rule, NUL included */
#define RF_EXEC_STEM_MAX  63	 /* bytes of the last component before a '*' */
#define RF_EXEC_DEPTH_MAX 32	 /* components of a path that can be judged */
#define RF_EXEC_PATH_MAX  1024	 /* and its bytes, NUL included; a power of two */
#define RF_MAX_EXEC_FIRST 16384	 /* (workload, program) that have run; the least used is told of again */
#define RF_DIGEST_MAX	  64	 /* bytes of a digest */
#define RF_PATH_SLOTS	  256	 /* paths that are read at the same time; a power of two */

/* Events. */
#define RF_RING_TELEMETRY (4 * 1024 * 1024) /* bytes */
#define RF_RING_AUDIT	  (2 * 1024 * 1024) /* denials, policy changes */
#define RF_RING_IDENTITY  (1 * 1024 * 1024) /* cgroups coming and going */
#define RF_SHARE_BURST	  512		    /* events a workload may send at once on a crowded lane */
#define RF_SHARE_RATE	  512		    /* and a second after that */

/* The flow log. */
#define RF_FLOW_SAMPLE_MAX 65535
#define RF_FLOW_IDLE_S	   30 /* the default */
#define RF_FLOW_IDLE_S_MAX 3600
#define RF_MAX_FLOWS_SHARE 512 /* flows of one workload once half of RF_MAX_FLOWS are taken */

/* Policy files. */
#define RF_POLICY_FILE_MAX    (16 * 1024 * 1024) /* bytes of one file */
#define RF_POLICY_FILES_MAX   16384		 /* files of one directory */
#define RF_POLICIES_MAX	      16384		 /* documents in force */
#define RF_YAML_DEPTH_MAX     32
#define RF_MAX_KEYS	      1024 /* of one mapping */
#define RF_NAME_MAX	      253  /* bytes of a policy, tenant, namespace name (DNS subdomain) */
#define RF_STRING_MAX	      4096 /* bytes of any one scalar */
#define RF_MAX_SELECTORS      64   /* of one policy */
#define RF_MAX_PEERS_PER_RULE 256
#define RF_MAX_PORTS_PER_RULE 64
#define RF_MAX_EXCEPTS	      64  /* of one CIDR */
#define RF_MAX_COUNTRIES      256 /* per peer; there are fewer */
#define RF_MAX_DIAGS	      200 /* diagnostics printed; the rest are counted */

/* Control protocol. */
#define RF_CONTROL_LINE_MAX    (1024 * 1024) /* bytes of one request or reply line */
#define RF_CONTROL_CLIENTS_MAX 64
#define RF_CONFIRM_MIN_S       1
#define RF_CONFIRM_MAX_S       86400
#define RF_UNLOCK_S	       600 /* the lock is open for so long when it is asked to be */
#define RF_UNLOCK_MAX_S	       86400
#define RF_EVENT_HISTORY       4096 /* events kept for `ringfence events` */

/* Flows that are remembered for `ringfence policy diff`. */
#define RF_MAX_FLOW_HISTORY   65536 /* rows; the one unseen longest goes */
#define RF_FLOW_HISTORY_S     86400 /* seconds until a flow that is not seen again is forgotten */
#define RF_FLOW_HISTORY_BATCH 4096  /* rows written to disk in one turn of the daemon */

/* The lineage of data. */
#define RF_MAX_LINEAGE	     131072 /* rows on disk; the one untouched longest goes */
#define RF_LINEAGE_EDGES     4096   /* of one graph that is asked for; more are counted */
#define RF_LINEAGE_PROCESSES 8	    /* programs that are named with an edge; more are counted */
#define RF_LINEAGE_PATHS     8	    /* files, likewise */

/* The module. */
#define RF_THROTTLE_MAX_NS 200000000ULL /* that a task waits at once */
#define RF_MAX_THROTTLED   16384	/* tasks that wait at a time; a power of two */
#define RF_MAX_HELD_LINKS  512

#endif

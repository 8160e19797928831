// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table. Sections that this version does not enforce yet are declared in
 * full: a file that uses them is checked today and means the same tomorrow.
 */
#include "user/policy/schema.h"

#include <string.h>
#include <strings.h>

#include "user/lib/util.h"
#include "user/model/accelerator_ioctl.h"
#include "user/model/isolation.h"
#include "user/model/kernel.h"
#include "user/model/label.h"
#include "user/model/sockets.h"

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define FIELDS(...)  ((const struct rf_field[]){ __VA_ARGS__, { .key = NULL } })
#define F(k, t, ...) { .key = (k), .type = RF_TYPE_##t, __VA_ARGS__ }
#define ALLOW_DENY   STRINGS("allow", "deny")
#define NAME_OF_RULE \
	F("name", STRING, .text = "A name for the rule, shown in denials. Default: its place, \"egress[3]\".")
#define ACTION F("action", ENUM, .dflt = "allow", .values = ALLOW_DENY, .text = "What happens to what matches.")

#define PEER_FIELDS                                                                                                \
	F("cidr", CIDR, .example = "cidr: 10.0.0.0/8",                                                             \
	  .text = "IPv4 or IPv6 prefix, host bits zero. A bare address is a /32 or /128."),                        \
		F("except", CIDR, .list = true, .max = RF_MAX_EXCEPTS, .example = "except: [10.1.0.0/16]",         \
		  .text = "Parts of cidr that the rule does not match. Each is smaller than it."),                 \
		F("dns", STRING, .needs = 1 + RF_FEATURE_NETWORK_NAMES, .example = "dns: \"*.example.com\"",       \
		  .text = "A DNS name; * stands for one label at the start."),                                     \
		F("country", STRING, .list = true, .min = 1, .max = RF_MAX_COUNTRIES,                              \
		  .needs = 1 + RF_FEATURE_NETWORK_COUNTRIES, .example = "country: [DE, FR]",                       \
		  .text = "ISO 3166-1 alpha-2 codes of the peer's country; any of them."),                         \
		F("tenant", GLOB, .needs = 1 + RF_FEATURE_NETWORK_PEERS,                                           \
		  .text = "Workloads of this tenant on the host; the policy's own where not given."),              \
		F("namespace", GLOB, .needs = 1 + RF_FEATURE_NETWORK_PEERS,                                        \
		  .text = "Workloads of this namespace; where neither it nor tenant is given, the policy's own."), \
		F("workload", GLOB, .needs = 1 + RF_FEATURE_NETWORK_PEERS, .text = "Workloads of this name."),     \
		F("labels", LABELS, .needs = 1 + RF_FEATURE_NETWORK_PEERS,                                         \
		  .text = "Pods with all these labels; one without a value need only be there."),                  \
		F("host", BOOLEAN, .needs = 1 + RF_FEATURE_NETWORK_PEERS,                                          \
		  .text = "The host's own addresses, loopback included, where no workload answers."),              \
		F("world", BOOLEAN, .needs = 1 + RF_FEATURE_NETWORK_PEERS,                                         \
		  .text = "Every address that is neither the host's nor a workload's on it.")

#define PORTS                                                                                                          \
	F("ports", OBJECT, .list = true, .max = RF_MAX_PORTS_PER_RULE, .text = "Protocols and ports; none means any.", \
	  .children = FIELDS(                                                                                          \
		  F("protocol", ENUM, .dflt = "TCP", .values = STRINGS("TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "any"), \
		    .text = "The protocol. \"any\" with a port means every protocol that has ports."),                 \
		  F("port", INTEGER, .min = 1, .max = 65535,                                                           \
		    .text = "The peer's port for egress, our own for ingress; none means any."),                       \
		  F("endPort", INTEGER, .min = 1, .max = 65535, .text = "Last port of a range that begins at port."),  \
		  F("type", NUMBER_OR_NAME, .example = "type: echo-request",                                           \
		    .text = "With ICMP and ICMPv6: the type, 0 to 254 or IANA's name; none means any."),               \
		  F("code", NUMBER_OR_NAME, .example = "code: fragmentation-needed",                                   \
		    .text = "With type: the code, 0 to 255 or its name; none means any.")))

/* One way of a workload, or both ways of a rule. */
#define RATE_FIELDS                                                                                                    \
	F("bytesPerSecond", QUANTITY, .example = "bytesPerSecond: 100M", .text = "Bytes a second, headers included."), \
		F("packetsPerSecond", INTEGER, .min = 1, .max = RF_RATE_PACKETS_MAX, .text = "Packets a second."),     \
		F("burst", QUANTITY, .example = "burst: 256Ki",                                                        \
		  .text = "Bytes that may go at once after a pause, 64Ki or more. "                                    \
			  "Default: 20 ms' worth out, 250 ms' worth in.")

#define CONNECTION_FIELDS                                                            \
	F("connectionsPerSecond", INTEGER, .min = 1, .max = RF_RATE_CONNECTIONS_MAX, \
	  .text = "New TCP connections a second, both ways together."),              \
		F("connections", INTEGER, .min = 0, .max = RF_RATE_CONNECTIONS_MAX,  \
		  .text = "TCP connections open at a time, both ways together.")

#define DIRECTION(k, feature_, peers_key, peers_text, text_)                                                       \
	F(k, OBJECT, .needs = 1 + feature_, .text = text_,                                                         \
	  .children = FIELDS(F("default", ENUM, .dflt = "deny", .values = ALLOW_DENY,                              \
			       .text = "What happens where no rule matches. Of several policies, deny wins."),     \
			     F("rules", OBJECT, .list = true, .max = RF_MAX_RULES,                                 \
			       .text = "In order; the first that matches decides.",                                \
			       .children = FIELDS(NAME_OF_RULE, ACTION,                                            \
						  F(peers_key, OBJECT, .list = true, .max = RF_MAX_PEERS_PER_RULE, \
						    .text = peers_text, .children = FIELDS(PEER_FIELDS)),          \
						  PORTS,                                                           \
						  F("rate", OBJECT, .needs = 1 + RF_FEATURE_NETWORK_RULE_RATES,    \
						    .text = "What the flows that the rule allows may take "        \
							    "together, each way.",                                 \
						    .children = FIELDS(RATE_FIELDS, CONNECTION_FIELDS))))))

static const struct rf_field select_fields[] = {
	F("cgroup", GLOB, .example = "cgroup: \"/kubepods.slice/**\"",
	  .text = "Path of the cgroup below the cgroup v2 root. * stays within a component, ** crosses them."),
	F("systemd", GLOB, .example = "systemd: nginx.service", .text = "The innermost systemd unit."),
	F("container", OBJECT, .text = "A container, by what its runtime's files tell. {} matches any container.",
	  .children = FIELDS(F("runtime", ENUM,
			       .values = STRINGS("containerd", "cri-o", "docker", "podman", "nspawn", "lxc"),
			       .text = "The runtime that started it."),
			     F("image", GLOB, .example = "image: \"docker.io/library/nginx:*\"", .text = "Its image."),
			     F("name", GLOB, .text = "Its name."),
			     F("annotations", LABELS, .text = "OCI annotations that it must have."))),
	F("kubernetes", OBJECT, .text = "A container of a pod. {} matches any.",
	  .children = FIELDS(F("namespace", GLOB, .text = "The pod's namespace."),
			     F("pod", GLOB, .text = "The pod's name."),
			     F("container", GLOB, .text = "The container's name in the pod."),
			     F("labels", LABELS,
			       .text = "Labels that the pod must have, as far as files on the host tell them."))),
	F("slurm", OBJECT, .text = "A Slurm job. {} matches any.",
	  .children =
		  FIELDS(F("job", GLOB, .text = "The job id."), F("user", GLOB, .text = "The user id, as a number."))),
	{ .key = NULL },
};

static const struct rf_field device_fields[] = {
	NAME_OF_RULE,
	ACTION,
	F("path", ABSPATH, .example = "path: /dev/null",
	  .text = "The node; its numbers are looked up when the policy is applied."),
	F("type", ENUM, .values = STRINGS("char", "block"), .text = "With major and minor: the kind of node."),
	F("major", NUMBER_OR_ANY, .text = "Major number, or \"*\"."),
	F("minor", NUMBER_OR_ANY, .dflt = "\"*\"", .text = "Minor number, or \"*\"."),
	F("access", STRING, .dflt = "rwm", .example = "access: rw", .text = "Of r (read), w (write), m (mknod)."),
	{ .key = NULL },
};

#define EXEC_MATCH                                                                                              \
	FIELDS(NAME_OF_RULE, ACTION,                                                                            \
	       F("path", ABSPATH, .example = "path: /usr/bin/**",                                               \
		 .text = "The file, as its mount namespace has it, links resolved: a program, a script, or an " \
			 "interpreter. May end with /** (all below), or with * (the rest of a name)."),         \
	       F("label", NAME, .example = "label: tools",                                                      \
		 .text = "The file, by the label of the tree that it lies in, a document of kind Label: a "     \
			 "program, a script, or an interpreter, whatever its path."),                           \
	       F("interpreter", ABSPATH, .example = "interpreter: /usr/bin/dash",                               \
		 .text = "As path, but only where a script's #! names it, or binfmt_misc."))

static const struct rf_field process_fields[] = {
	F("default", ENUM, .dflt = "allow", .values = ALLOW_DENY,
	  .text = "What happens to programs that no rule names. Of several policies, deny wins."),
	F("exec", OBJECT, .list = true, .max = RF_MAX_RULES,
	  .text = "In order; the first that matches decides. Asked for the program, and for a script's interpreter.",
	  .children = EXEC_MATCH),
	F("drift", ENUM, .dflt = "allow", .values = STRINGS("allow", "report", "deny"),
	  .text = "Programs and libraries that did not come with the image: in the upper layer of an overlay, on tmpfs "
		  "or ramfs, or without a name. report is told as would-deny, whatever the mode."),
	F("memfd", ENUM, .dflt = "allow", .values = STRINGS("allow", "report", "deny"),
	  .text = "Programs without a name: memfd_create(), O_TMPFILE, deleted files."),
	{ .key = NULL },
};

static const struct rf_field files_fields[] = {
	F("rules", OBJECT, .list = true, .max = RF_MAX_FILE_RULES,
	  .text = "In order; for each access the first that matches decides. What none matches is allowed.",
	  .children = FIELDS(
		  NAME_OF_RULE, ACTION,
		  F("label", NAME, .example = "label: weights",
		    .text = "Files that have this label: a document of kind Label."),
		  F("path", ABSPATH, .example = "path: /etc/ssl/private/**",
		    .text = "A directory with all below it, or a file, as the host sees it; /** at its end changes "
			    "nothing. Other globs are refused."),
		  F("access", ENUM, .list = true, .min = 1, .max = 16, .values = rf_file_access_names,
		    .example = "access: [write, create, delete]",
		    .text = "What is done with it; without it, anything."))),
	{ .key = NULL },
};

static const struct rf_field label_fields[] = {
	F("kind", ENUM, .dflt = "other", .values = STRINGS("dataset", "model", "secret", "other"),
	  .text = "What it is, for people and reports."),
	F("access", ENUM, .values = STRINGS("tenant", "policy"),
	  .text = "tenant: workloads of other tenants are denied everything that no rule of theirs allows. It is the "
		  "default where metadata.tenant is given. policy: only file rules decide."),
	F("paths", ABSPATH, .list = true, .required = true, .min = 1, .max = RF_MAX_LABEL_PATHS,
	  .example = "paths: [/srv/models/llama]",
	  .text = "Directories with all below them, or files, as the host sees them. Inside another label's the "
		  "innermost counts. One that is not there yet is looked for every second."),
	{ .key = NULL },
};

static const struct rf_field kernel_fields[] = {
	F("preset", ENUM, .values = rf_kernel_preset_names, .example = "preset: restricted",
	  .text = "A named set of denials; Documentation/presets.md has each of them line by line. What else the "
		  "section denies is denied as well."),
	F("deny", ENUM, .list = true, .max = 32, .values = rf_kernel_kind_names, .example = "deny: [moduleLoad, bpf]",
	  .text = "Interfaces that the workload may not use. sysctl and corePattern need kernel-sysctl, the others "
		  "kernel-surface. What somebody outside starts in the workload is judged from its first program on."),
	F("capabilities", OBJECT, .text = "Capabilities, as they are used: to have one is not denied.",
	  .children = FIELDS(
		  F("deny", ENUM, .list = true, .max = 64, .values = rf_capability_names,
		    .expected = "expected a capability of capabilities(7), such as CAP_NET_ADMIN",
		    .example = "deny: [CAP_NET_ADMIN]", .text = "These are denied."),
		  F("allow", ENUM, .list = true, .max = 64, .values = rf_capability_names,
		    .expected = "expected a capability of capabilities(7), such as CAP_NET_ADMIN",
		    .example = "allow: [CAP_NET_BIND_SERVICE]",
		    .text = "Only these; all others are denied, and with an empty list all. Of a preset and several "
			    "policies, those that all of them allow."))),
	F("syscalls", OBJECT, .text = "System calls by name.",
	  .children = FIELDS(
		  F("deny", ENUM, .list = true, .max = 64, .values = rf_syscall_names,
		    .expected = "expected a system call that the kernel asks its hooks about before anything is done",
		    .example = "deny: [ptrace, setns]",
		    .text = "These are denied. Others cannot be: the kernel would carry them out unasked; "
			    "seccomp, in the container's runtime or its unit, is for those."))),
	{ .key = NULL },
};

#define QUOTAS .needs = 1 + RF_FEATURE_ACCELERATOR_QUOTAS

static const struct rf_field quota_fields[] = {
	F("share", INTEGER, QUOTAS, .min = 1, .max = 10000,
	  .text = "Weight in sharing the time of each device among those that have a share and want the device. A "
		  "workload shares in its namespace's where that has one, and that in its tenant's."),
	F("limitPercent", INTEGER, QUOTAS, .min = 1, .max = 100, .text = "Time of each device at most, in percent."),
	F("burst", DURATION, QUOTAS, .dflt = "10ms",
	  .text = "Device time that may be taken ahead of the others, or at once after a pause. At most a minute."),
	F("workConserving", BOOLEAN, QUOTAS, .dflt = "true",
	  .text = "Time that others leave may be taken beyond the share. false: what the share is of all that are in "
		  "force on the host is a limit."),
	F("memory", QUANTITY, .needs = 1 + RF_FEATURE_ACCELERATOR_MEMORY,
	  .text = "Device memory, of each device. An allocation is denied when as much is there; one that goes beyond "
		  "it stops submissions until it is given back."),
	F("submissionsPerSecond", INTEGER, QUOTAS, .min = 1, .max = 1000000,
	  .text = "Submissions to each device a second."),
	F("contexts", INTEGER, QUOTAS, .min = 0, .max = 65536,
	  .text = "Open files of each device, which contexts of DRM drivers belong to. One more fails with EPERM."),
	F("budget", OBJECT, QUOTAS, .text = "What may be taken of each device in a window of time.",
	  .children = FIELDS(
		  F("deviceTime", DURATION, .example = "deviceTime: 1h", .text = "Time of the device."),
		  F("joules", INTEGER, .min = 1, .max = 1000000000000,
		    .text = "Energy: of what the device draws, the part of its time that was the workload's. Of "
			    "devices that tell what they draw."),
		  F("window", DURATION, .dflt = "24h", .example = "window: 24h",
		    .text = "1m to 366d. Windows are counted from 1970-01-01, midnight UTC: those of a day, or of what "
			    "divides one, begin with each day."),
		  F("whenSpent", ENUM, .dflt = "deny", .values = STRINGS("deny", "slow", "report"),
		    .text = "What becomes of submissions until the next window: they fail with EDQUOT; five a "
			    "second pass; or it is only told. Jobs that are under way end in any case."))),
	{ .key = NULL },
};

static const struct rf_field accelerator_fields[] = {
	F("default", ENUM, .dflt = "deny", .values = ALLOW_DENY, .text = "Accelerators that no rule names."),
	F("rules", OBJECT, .list = true, .max = RF_MAX_DEVICE_RULES,
	  .text = "In order; for each device and operation the first that matches decides. All that a rule gives must "
		  "match; one that gives nothing matches every accelerator.",
	  .children = FIELDS(
		  NAME_OF_RULE, ACTION,
		  F("class", ENUM, .values = rf_accelerator_class_names,
		    .text = "The kind of device. drm is every GPU with a render node, accel every device of that "
			    "subsystem; a device may be of several classes."),
		  F("index", INTEGER, .min = 0, .max = 255, .example = "index: 0",
		    .text = "Its number in its class: N of nvidiaN, accelN, uverbsN, of renderD(128 + N); of amd and "
			    "intel, in the order of PCI addresses."),
		  F("pci", STRING, .example = "pci: \"0000:03:00.0\"", .text = "Its PCI address."),
		  F("uuid", STRING, .example = "uuid: GPU-5e0c3c7b-0000-0000-0000-000000000000",
		    .text = "Its UUID, of NVIDIA's GPUs."),
		  F("mig", STRING, .example = "mig: \"1/0\"",
		    .text = "A MIG instance: the GPU instance's number, and after a / the compute instance's. Its GPU "
			    "is matched as well, other instances of that are not."),
		  F("operations", ENUM, .list = true, .max = 8, .values = &rf_accel_class_names[RF_ACCEL_SUBMIT],
		    .needs = 1 + RF_FEATURE_ACCELERATOR_IOCTLS,
		    .text = "Kinds of ioctl that the rule speaks of; without it, of all and of opening. An allowing "
			    "rule with it allows opening as well, a denying one does not deny that. map is mmap() of "
			    "the node, too."))),
	F("quota", OBJECT,
	  .text = "What the workload may take of each device. A section that gives quotas, and neither default nor "
		  "rules, says nothing of access.",
	  .children = quota_fields),
	F("namespaceQuota", OBJECT, QUOTAS,
	  .text = "What all workloads of its namespace may take together. Any policy of one of them may give it; of "
		  "several, the strictest of each value.",
	  .children = quota_fields),
	F("tenantQuota", OBJECT, QUOTAS, .text = "What all workloads of its tenant may take together, likewise.",
	  .children = quota_fields),
	F("overQuota", ENUM, .dflt = "wait", .values = rf_over_quota_names, QUOTAS,
	  .text = "What a submission beyond the quota gets: it waits until it may go on, which takes ringfence.ko, or "
		  "fails. Without the module, wait is EAGAIN. What no waiting helps (memory, a budget) fails with "
		  "EDQUOT in each case. Of several policies, the last of these words."),
	F("overMemory", ENUM, .dflt = "EDQUOT", .values = STRINGS("EDQUOT", "ENOMEM"), QUOTAS,
	  .text = "What an allocation beyond the quota gets: ENOMEM is what a device that is full answers."),
	F("userModeSubmission", BOOLEAN, .dflt = "false", .needs = 1 + RF_FEATURE_ACCELERATOR_CALLS,
	  .text = "Count what the workload calls of the CUDA, HIP and OpenCL libraries, which hand work to a device "
		  "without a system call; the share, the limits of time and of submissions of its quotas hold for its "
		  "launches, as of a device of its own. A launch beyond them waits; it never fails. A section that "
		  "has it, and neither default nor rules, says nothing of access."),
	{ .key = NULL },
};

static const struct rf_field anomaly_fields[] = {
	F("enabled", BOOLEAN, .dflt = "true", .text = "Whether the detector watches this workload."),
	F("sensitivity", ENUM, .dflt = "medium", .values = STRINGS("low", "medium", "high"),
	  .text = "How little it takes."),
	F("alarmBudget", INTEGER, .min = 0, .max = 1000, .dflt = "5", .text = "Alarms a day at most."),
	{ .key = NULL },
};

static const struct rf_field respond_fields[] = {
	F("ladder", ENUM, .list = true, .max = 8,
	  .values = STRINGS("notify", "throttle", "quarantine", "revokeAccelerators", "freeze", "kill"),
	  .text = "Actions, mildest first."),
	F("ttl", DURATION, .dflt = "10m", .text = "After this an action is undone."),
	F("rateLimit", INTEGER, .min = 1, .max = 3600, .dflt = "6", .text = "Actions an hour at most."),
	F("dryRun", BOOLEAN, .dflt = "false", .text = "Only say what would be done."),
	{ .key = NULL },
};

static const struct rf_field spec_fields[] = {
	F("priority", INTEGER, .min = 0, .max = 1000, .dflt = "100",
	  .text = "Of several policies on a workload the lower goes first; then by tenant, namespace and name."),
	F("mode", ENUM, .dflt = "enforce", .values = STRINGS("enforce", "audit"),
	  .text = "enforce denies; audit decides and reports without denying."),
	F("ifUnsupported", ENUM, .dflt = "refuse", .values = STRINGS("refuse", "audit"),
	  .text = "Where the host cannot enforce a section: refuse the policy, or load all of it in mode audit."),
	F("workload", NAME,
	  .text = "The workload's stable name; by default it is taken from the container, pod, unit or cgroup."),
	F("select", OBJECT, .list = true, .required = true, .min = 1, .max = RF_MAX_SELECTORS,
	  .text = "Cgroups that the policy applies to, with all below them. Any entry may match; all of it must.",
	  .children = select_fields),
	F("network", OBJECT, .text = "Network flows.",
	  .children = FIELDS(
		  DIRECTION("egress", RF_FEATURE_NETWORK_EGRESS, "to", "Peers; none means any.",
			    "Flows that the workload opens. Without it, all are allowed."),
		  DIRECTION("ingress", RF_FEATURE_NETWORK_INGRESS, "from", "Peers; none means any.",
			    "Flows that are opened to the workload. Without it, all are allowed."),
		  F("rates", OBJECT, .needs = 1 + RF_FEATURE_NETWORK_RATES,
		    .text = "What the workload may take of the network. Of several policies, the strictest value.",
		    .children = FIELDS(F("egress", OBJECT, .text = "Sent.", .children = FIELDS(RATE_FIELDS)),
				       F("ingress", OBJECT, .text = "Received.", .children = FIELDS(RATE_FIELDS)),
				       CONNECTION_FIELDS)),
		  F("dns", OBJECT, .needs = 1 + RF_FEATURE_NETWORK_NAMES,
		    .text = "Whose answers fill the peers by name.",
		    .children = FIELDS(
			    F("resolvers", CIDR, .list = true, .max = RF_MAX_RESOLVERS,
			      .text = "Only answers from these count; none means every resolver that a rule allows."),
			    F("minTTL", DURATION, .dflt = "5s", .text = "A shorter TTL is taken for this."),
			    F("maxTTL", DURATION, .dflt = "1h", .text = "A longer TTL is taken for this."))),
		  F("geo", OBJECT, .text = "The database that peers by country are looked up in.",
		    .children =
			    FIELDS(F("maxAge", DURATION, .example = "maxAge: 30d",
				     .text = "An older database counts as none; without it any age will do."),
				   F("ifUnavailable", ENUM, .dflt = "refuse", .values = STRINGS("refuse", "skip"),
				     .text = "Without a database: refuse the policy, or let country match nobody."))),
		  F("sockets", OBJECT,
		    .text = "Sockets that addresses and ports say nothing of. Of several policies, what any denies.",
		    .children = FIELDS(
			    F("deny", ENUM, .list = true, .max = 16, .values = rf_socket_kind_names,
			      .example = "deny: [raw, packet]",
			      .text = "Kinds that the workload may not make or reach. raw needs network-raw-sockets, "
				      "the others network-sockets. packet is AF_PACKET and AF_XDP; unixOtherTenants is "
				      "Unix sockets between it and workloads of other tenants, whoever connects."),
			    F("netlink", ENUM, .list = true, .max = 32, .needs = 1 + RF_FEATURE_NETWORK_SOCKETS,
			      .values = rf_netlink_names, .example = "netlink: [NETLINK_ROUTE]",
			      .text = "The netlink families that it may open; none of the others, and none at all if "
				      "the list is empty."))))),
	F("devices", OBJECT, .needs = 1 + RF_FEATURE_DEVICES, .text = "Device nodes: open and mknod.",
	  .children =
		  FIELDS(F("default", ENUM, .dflt = "deny", .values = ALLOW_DENY, .text = "Nodes that no rule names."),
			 F("rules", OBJECT, .list = true, .max = RF_MAX_DEVICE_RULES,
			   .text = "In order; for each kind of access the first that matches decides.",
			   .children = device_fields))),
	F("isolation", OBJECT, .needs = 1 + RF_FEATURE_ISOLATION,
	  .text = "How far the workload is kept apart from others on the host. Without the section, where the host "
		  "can: from other tenants. Of several policies with it, what any denies.",
	  .children = FIELDS(
		  F("between", ENUM, .dflt = "tenants", .values = rf_between_names,
		    .text = "Whom it is kept apart from: workloads of other tenants, also of other namespaces of its "
			    "own, or all others. What is in no workload is not meant."),
		  F("allow", ENUM, .list = true, .max = 16, .values = rf_isolation_kind_names,
		    .example = "allow: [signal, unix]",
		    .text = "What is let through all the same, if the other end's policy lets it, too. ipc is System "
			    "V and POSIX queues, semaphores and shared memory; perf is performance events on "
			    "processes, and on whole CPUs."))),
	F("process", OBJECT, .needs = 1 + RF_FEATURE_PROCESS, .text = "Programs that may run.",
	  .children = process_fields),
	F("files", OBJECT, .needs = 1 + RF_FEATURE_FILES, .text = "Files and labelled trees.",
	  .children = files_fields),
	F("kernel", OBJECT, .text = "Interfaces of the kernel. Of several policies, what any denies.",
	  .children = kernel_fields),
	F("accelerators", OBJECT, .needs = 1 + RF_FEATURE_ACCELERATORS,
	  .text = "GPUs and other accelerators. A device that no rule of this host's allows is out of reach when it "
		  "comes, too. Of several policies, rules as those of devices; both sections must allow.",
	  .children = accelerator_fields),
	F("resources", OBJECT, .needs = 1 + RF_FEATURE_RESOURCES, .text = "What the workload may take of the host.",
	  .children = FIELDS(F("cpu", QUANTITY, .example = "cpu: \"1.5\"", .text = "CPUs."),
			     F("memory", QUANTITY, .text = "Memory."),
			     F("pids", INTEGER, .min = 1, .max = 4194304, .text = "Tasks."))),
	F("anomaly", OBJECT, .needs = 1 + RF_FEATURE_ANOMALY, .text = "The anomaly detector.",
	  .children = anomaly_fields),
	F("respond", OBJECT, .needs = 1 + RF_FEATURE_RESPOND, .text = "What is done about findings.",
	  .children = respond_fields),
	F("telemetry", OBJECT, .text = "What is reported besides denials, which always are.",
	  .children = FIELDS(
		  F("events", ENUM, .list = true, .max = 8, .dflt = "[exec]",
		    .values = STRINGS("exec", "fork", "exit", "connect", "accept", "execFirst", "acceleratorOpen"),
		    .text = "Events to send for every occurrence; all are counted anyway. execFirst is each "
			    "program once, and again when it has changed."),
		  F("flows", OBJECT, .text = "The flow log: the start and the end of flows, with what they carried.",
		    .children = FIELDS(F("sample", INTEGER, .min = 1, .max = RF_FLOW_SAMPLE_MAX, .dflt = "1",
					 .text = "One in so many flows; both events of a flow are sent, or neither."),
				       F("idle", DURATION, .dflt = "30s", .example = "idle: 10s",
					 .text = "A flow without a packet for so long has ended; 1s to 1h."))))),
	{ .key = NULL },
};

const struct rf_field rf_schema = F(
	"", OBJECT, .text = "A document of a policy file.",
	.children = FIELDS(
		F("apiVersion", ENUM, .required = true, .values = STRINGS("ringfence/v1"),
		  .text = "The version of the language."),
		F("kind", ENUM, .required = true, .values = STRINGS("WorkloadPolicy"), .text = "The kind of document."),
		F("metadata", OBJECT, .required = true, .text = "Names.",
		  .children = FIELDS(
			  F("name", NAME, .required = true, .text = "The policy's name, unique in its namespace."),
			  F("tenant", NAME, .dflt = "default", .text = "The tenant that its workloads belong to."),
			  F("namespace", NAME, .dflt = "default", .text = "A part of the tenant."),
			  F("labels", LABELS, .text = "For people and tools."),
			  F("annotations", LABELS, .text = "For people and tools."))),
		F("spec", OBJECT, .required = true, .text = "What the policy says.", .children = spec_fields)));

const struct rf_field rf_schema_label =
	F("", OBJECT, .text = "A label on trees of files, which file rules can name.",
	  .children =
		  FIELDS(F("apiVersion", ENUM, .required = true, .values = STRINGS("ringfence/v1"),
			   .expected = RF_DOCUMENT_KINDS, .text = "The version of the language."),
			 F("kind", ENUM, .required = true, .values = STRINGS("Label"), .expected = RF_DOCUMENT_KINDS,
			   .text = "The kind of document."),
			 F("metadata", OBJECT, .required = true, .text = "Names.",
			   .children = FIELDS(F("name", NAME, .required = true,
						.text = "The label. No other document has the same."),
					      F("tenant", NAME, .text = "The tenant whose files these are."),
					      F("labels", LABELS, .text = "For people and tools."),
					      F("annotations", LABELS, .text = "For people and tools."))),
			 F("spec", OBJECT, .required = true, .text = "What has the label.", .children = label_fields)));

const char *rf_type_name(const struct rf_field *f)
{
	static const char *const names[RF_TYPES][2] = {
		[RF_TYPE_STRING] = { "string", "list of strings" },
		[RF_TYPE_NAME] = { "name", "list of names" },
		[RF_TYPE_GLOB] = { "glob", "list of globs" },
		[RF_TYPE_INTEGER] = { "integer", "list of integers" },
		[RF_TYPE_BOOLEAN] = { "true or false", "list of true or false" },
		[RF_TYPE_ENUM] = { "word", "list of words" },
		[RF_TYPE_CIDR] = { "CIDR", "list of CIDRs" },
		[RF_TYPE_DURATION] = { "duration", "list of durations" },
		[RF_TYPE_QUANTITY] = { "quantity", "list of quantities" },
		[RF_TYPE_NUMBER_OR_ANY] = { "number or \"*\"", "list of numbers" },
		[RF_TYPE_NUMBER_OR_NAME] = { "number or name", "list of numbers or names" },
		[RF_TYPE_ABSPATH] = { "absolute path", "list of absolute paths" },
		[RF_TYPE_LABELS] = { "mapping of strings", "list of mappings of strings" },
		[RF_TYPE_OBJECT] = { "mapping", "list of mappings" },
	};

	return names[f->type][f->list];
}

bool rf_field_is_enforced(const struct rf_field *f)
{
	/* What no program of this version carries out; a host that has it can come with a later one. */
	switch (f->needs - 1) {
	case RF_FEATURE_RESOURCES:
	case RF_FEATURE_ANOMALY:
	case RF_FEATURE_RESPOND:
		return false;
	default:
		return true;
	}
}

const struct rf_field *rf_field_child(const struct rf_field *object, const char *key)
{
	for (const struct rf_field *f = object->children; f && f->key; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}

/* How many letters were left out, added, changed, or swapped with the next; on words of at most 31 bytes. */
static unsigned int distance(const char *a, const char *b)
{
	size_t n = strnlen(a, 32), m = strnlen(b, 32);
	unsigned int d[32][32];

	if (n == 32 || m == 32)
		return 100;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned int least = d[i - 1][j - 1] + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);

			least = MIN(least, d[i - 1][j] + 1);
			least = MIN(least, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && strncasecmp(&a[i - 1], &b[j - 2], 1) == 0 &&
			    strncasecmp(&a[i - 2], &b[j - 1], 1) == 0)
				least = MIN(least, d[i - 2][j - 2] + 1);
			d[i][j] = least;
		}
	}
	return d[n][m];
}

/* Near: a third of the word, or one word is the beginning of the other. */
static bool is_near(const char *word, const char *candidate, unsigned int d)
{
	size_t n = strlen(word);

	return d <= (n + 2) / 3 || (n >= 2 && (strncasecmp(word, candidate, n) == 0));
}

const char *rf_nearest(const char *const *words, const char *word)
{
	const char *best = NULL;
	unsigned int least = 100;

	for (; words && *words; words++) {
		unsigned int d = distance(word, *words);

		/* What begins with the word is what was meant, however much is missing. */
		if (strlen(word) >= 2 && strncasecmp(word, *words, strlen(word)) == 0)
			d = 0;
		if (is_near(word, *words, d) && d < least) {
			least = d;
			best = *words;
		}
	}
	return best;
}

const char *rf_field_nearest(const struct rf_field *object, const char *key)
{
	const char *words[64];
	size_t n = 0;

	for (const struct rf_field *f = object->children; f && f->key && n < 63; f++)
		words[n++] = f->key;
	words[n] = NULL;
	return rf_nearest(words, key);
}

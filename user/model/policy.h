/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A WorkloadPolicy after parsing and checking: plain data, everything owned.
 * Nothing here is unchecked text: addresses are binary, ranges are ordered,
 * globs are valid. Defined by user/policy/schema.c; read by the compiler.
 *
 * Merging several policies on one workload: policies are ordered by
 * (priority ascending, then tenant, namespace, name); their rules are
 * concatenated in that order and the first rule that matches decides; where
 * none does, "deny" wins if any policy that has the section says
 * `default: deny`. A policy selects a cgroup and everything below it.
 */
#ifndef RF_MODEL_POLICY_H
#define RF_MODEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/exec_map.h"
#include "ringfence/limits.h"
#include "ringfence/isolation_map.h"
#include "ringfence/kernel_map.h"
#include "ringfence/socket_map.h"
#include "user/model/accelerator.h"
#include "user/model/action.h"
#include "user/model/identity.h"
#include "user/model/kernel.h"
#include "user/model/label.h"
#include "user/model/peer.h"

/* Where something stands in a file; line and column from 1, 0 when not known. */
struct rf_mark {
	uint32_t line;
	uint32_t column;
};

/* One entry of spec.select. All that is given must match; a cgroup matches a policy if any entry does. */
struct rf_selector {
	struct rf_mark mark;
	char *cgroup;	      /* glob over the whole path below the v2 root; '*' stays in a component, "**" crosses */
	char *systemd;	      /* glob over the innermost unit */
	bool container;	      /* "is a container" or any of the next four */
	char *runtime;	      /* exact */
	char *image;	      /* glob; '*' crosses '/' */
	char *container_name; /* glob */
	struct rf_label *annotations; /* all must be equal; value NULL: must exist */
	size_t n_annotations;
	bool kubernetes;
	char *k8s_namespace;	     /* glob */
	char *k8s_pod;		     /* glob */
	char *k8s_container;	     /* glob */
	struct rf_label *k8s_labels; /* all must be equal */
	size_t n_k8s_labels;
	struct rf_label_matches k8s_expressions; /* and all of these must hold */
	bool slurm;
	char *slurm_job;  /* glob */
	char *slurm_user; /* glob over the uid */
};

struct rf_cidr {
	uint8_t family;	  /* AF_INET, AF_INET6; an IPv4-mapped prefix of /96 or longer is stored as IPv4 */
	uint8_t prefix;	  /* 0..32, 0..128 */
	uint8_t addr[16]; /* network order, host bits zero */
};

/* Prefixes that several peers share; counted. */
struct rf_cidr_list {
	unsigned int refs;
	size_t n;
	struct rf_cidr list[];
};

struct rf_cidr_list *rf_cidr_list_new(const struct rf_cidr *list, size_t n); /* one reference; NULL: no memory */
struct rf_cidr_list *rf_cidr_list_ref(struct rf_cidr_list *list);
void rf_cidr_list_unref(struct rf_cidr_list *list); /* NULL is allowed */

enum rf_peer_kind {
	RF_PEER_CIDR,
	RF_PEER_DNS,	  /* addresses that answers to the workload gave for the name */
	RF_PEER_COUNTRY,  /* its prefixes are looked up when the policy is applied */
	RF_PEER_WORKLOAD, /* workloads and pods of this host */
	RF_PEER_HOST,	  /* the host's own addresses, and what runs there outside of all workloads */
	RF_PEER_WORLD,	  /* every address that is neither the host's nor a known workload's */
	RF_PEER_SELF,	  /* the workload's own sockets */
	RF_PEERS
};

struct rf_peer {
	struct rf_mark mark;
	enum rf_peer_kind kind;
	struct rf_cidr cidr;
	struct rf_cidr *excepts; /* each inside @cidr */
	size_t n_excepts;
	struct rf_peer_selector selector; /* of RF_PEER_WORKLOAD */
	struct rf_cidr_list *country;	  /* of RF_PEER_COUNTRY; NULL: not looked up, matches nobody */
	char *text; /* DNS name, country codes, or the selector as people read it; NULL for a CIDR */
};

struct rf_port_match {
	uint8_t protocol; /* IPPROTO_TCP, UDP, SCTP, ICMP, ICMPV6; 0: any protocol */
	uint16_t first;	  /* 0..65535; 0 and 65535: any port; of ICMP from and to RF_ICMP_PORT(), any code: 0 to 255 */
	uint16_t last;
};

/*
 * What a workload, or the flows of a rule, may take of the network: for
 * each direction the first three, then what counts connections.
 */
enum rf_rate_kind {
	RF_RATE_KIND_BYTES,   /* a second */
	RF_RATE_KIND_PACKETS, /* a second */
	RF_RATE_KIND_BURST,   /* bytes */
	RF_RATE_KINDS_OF_WAY,
	RF_RATE_KIND_CONNECTION_RATE = 2 * RF_RATE_KINDS_OF_WAY,
	RF_RATE_KIND_CONNECTIONS,
	RF_RATE_KINDS
};
#define RF_RATE_KIND(direction, kind) ((direction) * RF_RATE_KINDS_OF_WAY + (kind))

/* Merging: the strictest of each value wins; of equal ones the first. */
struct rf_rates {
	struct {
		bool given;
		uint64_t value;
		struct rf_mark mark;
	} of[RF_RATE_KINDS];
};

struct rf_network_rule {
	struct rf_mark mark;
	char *name; /* never NULL: "egress[3]" where none was given */
	enum rf_action action;
	struct rf_peer *peers; /* none: any peer */
	size_t n_peers;
	struct rf_port_match *ports; /* none: any protocol and port */
	size_t n_ports;
	struct rf_rates *rate; /* the same both ways; NULL: none */
};

struct rf_network_direction {
	bool present;
	struct rf_mark mark;
	enum rf_action default_action;
	struct rf_network_rule *rules;
	size_t n_rules;
};

struct rf_dns {
	bool present;
	struct rf_mark mark;
	uint32_t min_ttl_s, max_ttl_s;
	struct rf_cidr *resolvers; /* none: any that the rules allow */
	size_t n_resolvers;
};

/* Merging: what any denies is denied; of netlink the families are left that all of them allow. */
struct rf_sockets {
	struct rf_socket_limits limits;
	struct rf_mark mark[RF_SOCKET_KINDS]; /* where each kind of limits.deny is denied */
};

/* Merging: of those that have the section, what any denies is denied; where none has it, the default holds. */
struct rf_isolation {
	bool present;
	struct rf_mark mark;
	struct rf_isolation_limits limits; /* where @present */
};

/* Merging: what any denies is denied. */
struct rf_kernel {
	struct rf_kernel_limits limits;	       /* what the preset denies included */
	const struct rf_kernel_preset *preset; /* NULL: none */
	uint32_t preset_line;
	uint32_t allow_line;		/* of capabilities.allow, 0: there is none */
	uint32_t line[RF_KERNEL_RULES]; /* where it is listed by its own name; 0: it is not */
};

struct rf_device_rule {
	struct rf_mark mark;
	char *name; /* never NULL */
	enum rf_action action;
	char *path;	/* "/dev/null": looked up when applied; NULL when given by number */
	uint32_t type;	/* 1 block, 2 char */
	uint32_t major; /* RF_DEVICE_ANY: any */
	uint32_t minor;
	uint32_t access; /* RF_DEVICE_MKNOD | READ | WRITE */
};

struct rf_devices {
	bool present;
	struct rf_mark mark;
	enum rf_action default_action;
	struct rf_device_rule *rules;
	size_t n_rules;
};

#define RF_ACCELERATOR_ANY (-1)

/* All that is given must match. */
struct rf_accelerator_rule {
	struct rf_mark mark;
	char *name; /* never NULL */
	enum rf_action action;
	enum rf_accelerator_class class;	/* RF_ACCELERATOR_CLASS_COUNT: any */
	int32_t index;				/* in the class; RF_ACCELERATOR_ANY */
	char *pci, *uuid;			/* NULL: any */
	int32_t gpu_instance, compute_instance; /* of MIG; RF_MIG_NONE: any */
	uint32_t operations;			/* RF_DEVICE_* of ioctls that it speaks of; 0: of all, and of opening */
};

/* What may be taken of each device in a window; windows are counted from 1970-01-01, UTC. */
struct rf_accelerator_budget {
	uint64_t time_ns;   /* of the device; 0: no limit */
	uint64_t joules;    /* 0: no limit */
	uint64_t window_ns; /* 0: there is no budget */
	enum rf_when_spent when_spent;
};

/* What may be taken of each device. Merging: the strictest of each value, those of policies in audit mode apart. */
struct rf_accelerator_quota {
	bool given;
	struct rf_mark mark;
	uint32_t share;	      /* weight, 1..10000; 0: none */
	uint32_t percent;     /* of time, 1..100; 0: no limit */
	uint64_t burst_ns;    /* 0: the default */
	bool not_conserving;  /* the share is a limit */
	uint64_t memory;      /* bytes; 0: no limit */
	uint32_t submissions; /* a second; 0: no limit */
	uint32_t contexts;    /* RF_ACCEL_CONTEXTS_ANY: no limit */
	struct rf_accelerator_budget budget;
};

struct rf_accelerator_section {
	bool present; /* it says who may use what */
	struct rf_accelerator_quota quota[RF_ACCEL_LEVELS];
	enum rf_over_quota over;
	bool over_memory_full; /* ENOMEM */
	bool calls;	       /* of libraries are counted, and the quotas hold for them */
	struct rf_mark mark;
	enum rf_action default_action;
	struct rf_accelerator_rule *rules;
	size_t n_rules;
};

/* Of a label, or of a path as struct rf_label_path has it, with all below it: one of the two is NULL. */
struct rf_file_rule {
	struct rf_mark mark;
	struct rf_mark place; /* of the label or the path */
	char *name;	      /* never NULL */
	enum rf_action action;
	char *label;
	char *path;
	uint32_t access; /* 1 << enum rf_file_access */
};

/* Merging: one list in the order of policies; for each access the first that matches decides, and none allows. */
struct rf_files {
	struct rf_file_rule *rules;
	size_t n_rules;
};

/* A rule of spec.process.exec: a label, or a path and what may stand in for the rest of it. */
struct rf_exec_rule {
	struct rf_mark mark;
	struct rf_mark place; /* of the label or the path */
	char *name;	      /* never NULL */
	enum rf_action action;
	char *label;	  /* NULL: it names a path */
	char *pattern;	  /* as written; NULL: it names a label */
	size_t length;	  /* of @pattern, without what stands for the rest: the text of include/ringfence/exec_map.h */
	size_t in_last;	  /* bytes of the last component in that, or for a tree the components */
	bool interpreter; /* speaks of interpreters alone; else of programs and of interpreters */
	enum rf_exec_kind kind;
};

/* Merging: rules as those of the network; of memfd and drift, what any policy denies, or reports. */
struct rf_process {
	bool present; /* there are rules, or a default */
	struct rf_mark mark;
	enum rf_action default_action;
	struct rf_exec_rule *rules;
	size_t n_rules;
	struct {
		bool deny, report; /* report: only told of, whatever the mode */
		struct rf_mark mark;
	} limits[RF_EXEC_LIMITS];
};

/* A section that needs a feature, and where it stands, to be refused or audited by name. */
struct rf_requirement {
	enum rf_feature feature;
	struct rf_mark mark;
};

/* spec.telemetry.flows. Of several policies the one that asks for most is heard. */
struct rf_flow_sampling {
	uint32_t sample; /* one in so many flows; 0: none */
	uint32_t idle_s;
};

struct rf_policy {
	unsigned int shared; /* owners besides the first: sets share the policies of files that did not change */
	char *file;	     /* as given to the parser */
	uint32_t document;   /* of the file, from 0 */
	struct rf_mark mark;
	char *name;
	char *tenant;	     /* "default" where not given */
	char *namespace;     /* "default" where not given */
	char *workload_name; /* spec.workload: the stable name; NULL: taken from the identity */
	int32_t priority;    /* 0..1000, default 100; lower goes first */
	enum rf_mode mode;
	bool unsupported_audit; /* ifUnsupported: audit */
	struct rf_selector *selectors;
	size_t n_selectors;
	struct rf_network_direction network[2]; /* enum rf_direction */
	struct rf_dns dns;
	uint64_t geo_max_age_ns; /* of the country database; 0: any */
	bool geo_skip;		 /* without a database peers by country match nobody; else the policy is refused */
	struct rf_rates rates;
	struct rf_sockets sockets;
	struct rf_isolation isolation;
	struct rf_kernel *kernel; /* NULL: no such section */
	struct rf_devices devices;
	struct rf_accelerator_section accelerators;
	struct rf_files files;
	struct rf_process process;
	uint32_t telemetry; /* 1 << enum rf_event_kind */
	struct rf_flow_sampling flows;
	struct rf_requirement *requirements;
	size_t n_requirements;
};

/* Another owner; each frees it. Not from several threads. */
struct rf_policy *rf_policy_share(struct rf_policy *p);
void rf_policy_free(struct rf_policy *p);
RF_DEFINE_CLEANUP(struct rf_policy, rf_policy_free)
#define _cleanup_policy_ _cleanup_(rf_policy_freep)

/* The parsed content of a policy directory: an immutable snapshot, sorted in merge order. */
struct rf_policy_set {
	struct rf_policy **policies;
	size_t n;
	struct rf_file_label **labels;
	size_t n_labels;
	struct rf_zones *zones; /* user/policy/zones.h; NULL: not made yet */
};

/* Takes @p unless it fails (-ENOMEM); the order is the caller's. */
int rf_policy_set_add(struct rf_policy_set *s, struct rf_policy *p);
/* The same of a label. */
int rf_policy_set_add_label(struct rf_policy_set *s, struct rf_file_label *l);
void rf_policy_set_free(struct rf_policy_set *s);
RF_DEFINE_CLEANUP(struct rf_policy_set, rf_policy_set_free)
#define _cleanup_policy_set_ _cleanup_(rf_policy_set_freep)

/* Order of precedence, for qsort() over struct rf_policy *. */
int rf_policy_compare(const void *a, const void *b);

#endif

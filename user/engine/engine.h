/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: the only user of libbpf. It loads the programs, pins what must
 * outlive the daemon, puts compiled images in force and reads the maps.
 *
 * Order of life: new (maps, adopted or made) -> attach_identity -> [scan] ->
 * apply -> attach_verdicts -> verify every second -> free (everything stays in
 * force) or detach (nothing does).
 */
#ifndef RF_ENGINE_ENGINE_H
#define RF_ENGINE_ENGINE_H

#include "ringfence/call_map.h"
#include "ringfence/event.h"
#include "ringfence/lineage_map.h"
#include "ringfence/policy_map.h"
#include "user/lib/cleanup.h"
#include "user/lib/strbuf.h"
#include "user/model/accelerator.h"
#include "user/model/snapshot.h"
#include "user/policy/image.h"

struct rf_engine;

/* The self-test's own cgroup, below the attach point. */
#define RF_PROBE_CGROUP "ringfence.probe"

struct rf_engine_options {
	const char *bpffs;		  /* directory for the pins; a bpffs is mounted there when it is on none */
	const char *cgroup_root;	  /* where the programs attach */
	uint32_t share_rate, share_burst; /* 0: the defaults of limits.h */
	bool verbose;			  /* libbpf's own words go to stderr */
};

/*
 * Loads the programs; reuses pinned maps of the same ABI. On failure @ret_error (caller frees) says what, and what to
 * do.
 */
int rf_engine_new(const struct rf_engine_options *options, struct rf_engine **ret, char **ret_error);
/* Leaves programs, links and maps in force. */
void rf_engine_free(struct rf_engine *e);
RF_DEFINE_CLEANUP(struct rf_engine, rf_engine_free)

/* Did another daemon leave links and maps that we took over? */
bool rf_engine_adopted(const struct rf_engine *e);
int rf_engine_root_fd(const struct rf_engine *e);

/* The hooks that keep identity; call before the start-up scan. */
int rf_engine_attach_identity(struct rf_engine *e, char **ret_error);
/* The rest; call when the first image is in force. Replaces adopted links whose program differs, one by one. */
int rf_engine_attach_verdicts(struct rf_engine *e, char **ret_error);
/* Puts back links and pins that somebody detached, replaced or removed. Returns how many; @report gets a line each. */
int rf_engine_verify(struct rf_engine *e, struct rf_strbuf *report);
/* Removes every link, pin and map. Returns how many. */
int rf_engine_detach(struct rf_engine *e);

/* cgroup -> workload. */
int rf_engine_cgroup_set(struct rf_engine *e, uint64_t cgroup_id, uint32_t workload);
int rf_engine_cgroup_delete(struct rf_engine *e, uint64_t cgroup_id);
/* The workload that the kernel has for this cgroup; RF_WORKLOAD_NONE when it has none. */
uint32_t rf_engine_cgroup_get(struct rf_engine *e, uint64_t cgroup_id);
/* Calls @fn for each entry; @fn must not change the map. */
int rf_engine_cgroup_each(struct rf_engine *e, void (*fn)(uint64_t id, uint32_t workload, void *arg), void *arg);

/*
 * Who may be a peer, and under which addresses. @id as in include/ringfence/policy_map.h.
 * @facts is copied. Every rule set in the maps, and every later one, knows the peer before this returns. -ENOSPC.
 */
int rf_engine_peer_set(struct rf_engine *e, uint32_t id, const struct rf_peer_facts *facts, char **ret_error);
/*
 * From here on rf_engine_peer_set() of a peer that is known already says what it will be with the next generation: new
 * rule sets know that, those in force keep what they know. rf_engine_apply() ends this where it succeeds;
 * rf_engine_peers_cancel() where it does not, and the peers are again what they were.
 */
void rf_engine_peers_hold(struct rf_engine *e);
void rf_engine_peers_cancel(struct rf_engine *e);
void rf_engine_peer_drop(struct rf_engine *e, uint32_t id);
/* NULL when @id is not known. */
const struct rf_peer_view *rf_engine_peer_get(const struct rf_engine *e, uint32_t id);
/* Does any rule set in the maps choose peers by what they are? Else nobody need be known. */
bool rf_engine_wants_peers(const struct rf_engine *e);
/* @family AF_INET or AF_INET6, @addr in network order; @peer RF_PEER_HOST_ID or as above. */
int rf_engine_address_set(struct rf_engine *e, uint8_t family, const uint8_t *addr, uint32_t peer);
void rf_engine_address_drop(struct rf_engine *e, uint8_t family, const uint8_t *addr);
/* Who has it: RF_PEER_WORLD_ID when nobody here. */
uint32_t rf_engine_address_get(const struct rf_engine *e, uint8_t family, const uint8_t *addr);
/*
 * A DNS name that answers to the workload with this @owner (struct rf_assignment) gave for the address and that holds
 * now: one without "*" if there is one. False: none.
 */
bool rf_engine_learnt_name(const struct rf_engine *e, uint32_t owner, uint8_t family, const uint8_t *addr,
			   char ret[static RF_NAME_KEY]);
/* Every address in the kernel's map; @fn must not change it. */
void rf_engine_address_each(const struct rf_engine *e,
			    void (*fn)(const struct rf_address_key *key, uint32_t peer, void *arg), void *arg);

struct rf_assignment {
	uint32_t workload;
	uint32_t peer;		/* who it is to others: its own id, or a pod's */
	uint32_t owner;		/* of what DNS answers teach: another number than the id's former owners had */
	const char *tenant;	/* NULL: nobody knows, and it is nobody's other tenant */
	const char *namespace;	/* NULL: likewise */
	bool fresh;		/* no cgroup points to this id yet: put it in force in both banks */
	struct rf_image *image; /* borrowed; the engine takes references. NULL: what is in force for it stays */
};

/*
 * Puts exactly these assignments in force, all or nothing: new rule sets are written beside the live ones, one word
 * flips, running programs are waited for, and what is unused goes. -ENOSPC names the map that is full in @ret_error.
 * @before_flip, if given, runs when everything is written and nothing in force.
 */
int rf_engine_apply(struct rf_engine *e, const struct rf_assignment *assignments, size_t n, uint64_t n_policies,
		    void (*before_flip)(void *arg), void *arg, char **ret_error);
/* Adds one workload that no cgroup points to yet (@fresh), in the generation in force. */
int rf_engine_assign(struct rf_engine *e, const struct rf_assignment *assignment, char **ret_error);
/*
 * Programs that are attached only where they are needed, in one plan: begin, add each, and when it is in force trim,
 * which detaches all that were not added. Add before the apply, so that no generation is in force without them.
 * @path: of the cgroup, below the attach point. All below that cgroup is under it, too: never add both.
 */
void rf_engine_rates_begin(struct rf_engine *e);
int rf_engine_rates_add(struct rf_engine *e, uint64_t cgroup_id, const char *path, char **ret_error);
/* Connections of some workload are counted: see them close. */
int rf_engine_connections_watch(struct rf_engine *e, char **ret_error);
void rf_engine_rates_trim(struct rf_engine *e);
/*
 * Hooks that are attached while some workload asks for them, in plans of the same kind: begin, want what the workloads
 * of the plan need, and when it is in force trim.
 */
enum rf_section {
	RF_SECTION_GUARD,     /* 1: the daemon is locked, see guard.h */
	RF_SECTION_SOCKETS,   /* 1 << enum rf_socket_kind that is denied */
	RF_SECTION_ISOLATION, /* 1 << enum rf_isolation_kind that is denied */
	RF_SECTION_KERNEL,    /* 1 << enum rf_kernel_kind that is denied */
	RF_SECTION_CAPABILITIES,
	RF_SECTION_SYSCALLS,	 /* 1 << enum rf_syscall that is denied */
	RF_SECTION_NEWCOMERS,	 /* 1: who sets workloads up is told apart */
	RF_SECTION_FILES,	 /* 1 << enum rf_file_access that must be asked for, struct rf_file_set */
	RF_SECTION_EXEC,	 /* RF_EXEC_ASKED_* */
	RF_SECTION_EVENTS,	 /* 1 << enum rf_event_kind that is wanted */
	RF_SECTION_LINEAGE,	 /* 1: there is a label */
	RF_SECTION_ACCELERATORS, /* 1: there are rules of them */
	RF_SECTIONS
};
#define RF_EXEC_ASKED_RULES (1u << 0) /* what runs: rules, memfd */
#define RF_EXEC_ASKED_DRIFT (1u << 1) /* and what is mapped to be executed */
struct rf_asked {
	uint64_t kinds[RF_SECTIONS];
};
void rf_engine_hooks_begin(struct rf_engine *e);
int rf_engine_hooks_want(struct rf_engine *e, const struct rf_asked *asked, char **ret_error);
void rf_engine_hooks_trim(struct rf_engine *e);
/* After the first plan, in force or refused: what the self-test attached and nobody asked for goes. */
void rf_engine_probes_end(struct rf_engine *e);
/* Where a zone of files begins (include/ringfence/file_map.h). */
struct rf_tree {
	uint64_t inode;
	uint32_t device; /* as struct rf_tree_key has it */
	uint32_t zone;
};
/* These, and no others, are so in the generation that the next rf_engine_apply() puts in force. -ENOSPC. */
int rf_engine_trees_stage(struct rf_engine *e, const struct rf_tree *trees, size_t n, char **ret_error);
/* One more, in the generation in force. -EEXIST: another zone begins there. */
int rf_engine_tree_add(struct rf_engine *e, const struct rf_tree *tree);
/* Before them, the label of each zone (rf_file_label_id(), RF_LABEL_NONE), zone 1 first. */
void rf_engine_labels_stage(struct rf_engine *e, const uint64_t *labels, uint32_t n);
/*
 * Who takes rows of the lineage out of the kernel. Rows that were given are deleted there when @end has returned 0;
 * where anything fails they stay, and are given again.
 */
struct rf_lineage_taker {
	/* 1: the rows with this number have been taken already. */
	int (*begin)(uint32_t fill, void *arg);
	int (*row)(const struct rf_lineage_key *key, const struct rf_lineage_value *value, void *arg);
	int (*end)(void *arg);
	void *arg;
};
/* Has the module, where there is one, hold what is attached now; and let go of all else that it held. */
int rf_engine_hold(struct rf_engine *e);
void rf_engine_let_go(void); /* of everything */

/* Which device nodes are accelerators' from here on. -E2BIG past RF_MAX_ACCEL_NODES. */
int rf_engine_accelerators_set(struct rf_engine *e, const struct rf_accelerators *a);
/* Attaches what accounts for them, as far as their modules are there; again when another has come. */
int rf_engine_accelerators_account(struct rf_engine *e);
/* The end of what libbpf said of the last load: the verifier's reason is there; "". */
const char *rf_engine_libbpf_words(void);
/* Once a second. */
void rf_engine_accelerators_sweep(struct rf_engine *e);
/* Of the device of that name on its bus; RF_ACCEL_DEVICE_NONE: it was never there. */
uint32_t rf_engine_accel_device(const struct rf_engine *e, const char *parent);
/* Every row of what workloads have taken. A negative value of @fn ends it. */
typedef int (*rf_accel_use_fn)(const struct rf_accel_use *use, void *arg);
int rf_engine_accel_uses_each(const struct rf_engine *e, rf_accel_use_fn fn, void *arg);
/* Events of the kernel's that a program was not run for, because it was already running on that processor. */
uint64_t rf_engine_accel_skips(const struct rf_engine *e);
/* What the device drew for the row of @whose, and for those above it. */
void rf_engine_accel_energy_add(struct rf_engine *e, uint64_t whose, uint64_t microjoules);
/*
 * The workload has more memory of the device than its quota, as others tell it: for the next few seconds nothing is to
 * be submitted or asked for, nor of what belongs to no device alone, nor to be launched by libraries.
 */
void rf_engine_accel_memory_over(struct rf_engine *e, uint32_t workload, uint32_t device);
/* accel_clients.c: open files of accelerators, and what their drivers tell by fdinfo. */
bool rf_engine_accel_files_known(const struct rf_engine *e);	   /* else none of what follows finds any */
uint64_t rf_engine_accel_files_changes(const struct rf_engine *e); /* the same as before: they are */
typedef void (*rf_accel_file_fn)(const struct rf_accel_file_key *key, const struct rf_accel_file *file, void *arg);
int rf_engine_accel_files_each(const struct rf_engine *e, rf_accel_file_fn fn, void *arg);
/* Who has them open: of one process, or of all where @tgid is 0, which walks every open file of the host in the kernel.
 */
typedef void (*rf_accel_holder_fn)(const struct rf_accel_holder *holder, void *arg);
int rf_engine_accel_holders_each(const struct rf_engine *e, uint32_t tgid, rf_accel_holder_fn fn, void *arg);
/* What was told of a file before; zeros where nothing was. */
void rf_engine_accel_told_get(const struct rf_engine *e, const struct rf_accel_file_key *key,
			      struct rf_accel_told *ret);
/* -E2BIG: there is no room for another. */
int rf_engine_accel_told_set(const struct rf_engine *e, const struct rf_accel_file_key *key,
			     const struct rf_accel_told *told);
void rf_engine_accel_told_delete(const struct rf_engine *e, const struct rf_accel_file_key *key);
/* Of files that are not open any more, from a daemon before this one. */
void rf_engine_accel_told_sweep(const struct rf_engine *e);
/* Its row at that place; members fdinfo_* are the caller's to write. NULL: there is none. */
struct rf_accel_use *rf_engine_accel_use(const struct rf_engine *e, uint32_t at);

/*
 * Functions of a library that are probed: where in the file, and what they are (user/model/calls.h). @name is the
 * file's, for the pins, which go on without a daemon; those of an earlier daemon go with rf_engine_calls_settle(), once
 * all that is mapped has been looked at. -EEXIST: it is probed already; what is not yet, is added.
 */
struct rf_call_probe {
	uint64_t offset;
	uint64_t cookie;
};
int rf_engine_calls_attach(struct rf_engine *e, const char *name, int fd, const struct rf_call_probe *probes, size_t n,
			   char **ret_error);
void rf_engine_calls_detach(struct rf_engine *e, const char *name);
void rf_engine_calls_settle(struct rf_engine *e);
/* What programs were told where functions are: as they say, until the daemon has found it right. */
enum rf_call_site_is {
	RF_CALL_SITE_OPEN,
	RF_CALL_SITE_RIGHT,
	RF_CALL_SITE_LATE, /* it could not be looked at: open, but for RF_CALL_SITE_TRIES times */
	RF_CALL_SITE_WRONG /* it is forgotten */
};
/* Returns enum rf_call_site_is; a negative value ends it and is its result. */
typedef int (*rf_call_site_fn)(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg);
int rf_engine_call_sites_each(struct rf_engine *e, rf_call_site_fn fn, void *arg);
typedef int (*rf_call_use_fn)(const struct rf_call_key *key, const struct rf_call_use *use, void *arg);
int rf_engine_call_uses_each(const struct rf_engine *e, rf_call_use_fn fn, void *arg);
/* Processes that ended at work. Once a second. */
void rf_engine_calls_sweep(struct rf_engine *e);
/* The row of what a workload has taken by libraries, to be read and written; NULL: none. */
struct rf_accel_use *rf_engine_call_row(const struct rf_engine *e, uint32_t workload);

/* All that there is until now. Waits for programs that run. */
int rf_engine_lineage_take(struct rf_engine *e, const struct rf_lineage_taker *taker);
uint32_t rf_engine_generation(const struct rf_engine *e);
/* Counters from zero, and room for them. -ENOMEM. */
int rf_engine_stats_reset(struct rf_engine *e, uint32_t workload);
/* Telemetry that some subscriber wants from everywhere: 1 << kind. */
void rf_engine_telemetry_set(struct rf_engine *e, uint32_t kinds);

/*
 * Names for the ids in an event; NULL when they are no longer known. Rule sets with the same content are one in the
 * kernel, whoever wrote them: @image, that of the event's workload, is asked first, so that the name is its own.
 * Borrowed until the next apply.
 */
const struct rf_rule_ref *rf_engine_rule_ref(const struct rf_engine *e, const struct rf_image *image,
					     enum rf_direction direction, enum rf_tier tier, uint32_t ruleset,
					     uint16_t rule);
const struct rf_rule_ref *rf_engine_device_ref(const struct rf_engine *e, const struct rf_image *image, uint32_t set,
					       uint16_t rule);
const struct rf_rule_ref *rf_engine_exec_ref(const struct rf_engine *e, const struct rf_image *image,
					     const struct rf_event_exec_deny *event);

/* Events. The callback gets validated events and gap records, in order a lane. */
typedef void (*rf_event_fn)(const struct rf_event_header *event, void *arg);
int rf_engine_ring_open(struct rf_engine *e, rf_event_fn fn, void *arg);
int rf_engine_ring_fd(const struct rf_engine *e);
/* Reads what is there, as much as one turn may; the descriptor stays readable while there is more. */
void rf_engine_ring_consume(struct rf_engine *e);
/* Ends gaps that nothing can fill any more; call about once a second. */
void rf_engine_ring_flush(struct rf_engine *e);

/*
 * Ends the flows in the flow log that nothing has come of for long, or that nobody asks for any more; call about once a
 * second. 0, and at once where there are none; a negative errno.
 */
int rf_engine_flows_sweep(struct rf_engine *e);

/* Runs every hook once on a cgroup of our own and probes LSM and module. Takes well under a second. */
int rf_engine_self_test(struct rf_engine *e);
enum rf_support rf_engine_support(const struct rf_engine *e, enum rf_feature feature);
/* Why it is so, in words; the caller frees. NULL: no memory. */
char *rf_engine_support_why(const struct rf_engine *e, enum rf_feature feature);
/*
 * What there is besides ioctls to keep quotas of memory, which others look after: @support and why, in words that live
 * on; NULL: nothing.
 */
void rf_engine_memory_kept(struct rf_engine *e, enum rf_support support, const char *why);
/* Fills level, features, hooks, lanes, errors, maps, counters of rows already in @s, bpf cost. */
int rf_engine_snapshot(struct rf_engine *e, struct rf_snapshot *s);

#endif

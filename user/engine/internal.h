/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine's own files share. Nobody else includes this. */
#ifndef RF_ENGINE_INTERNAL_H
#define RF_ENGINE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>

#include "ringfence/abi.h"
#include "ringfence/account_map.h"
#include "ringfence/lineage_map.h"
#include "ringfence/policy_map.h"
#include "ringfence/rate_map.h"
#include "ringfence/workload_map.h"
#include "user/engine/chunks.h"
#include "user/engine/engine.h"
#include "user/engine/gap.h"
#include "user/engine/words.h"
#include "user/lib/hashmap.h"

#define RF_PATH_SIZE 4096

struct ringfence_bpf; /* the skeleton */

/* One row of the attach table, tied to enum rf_hook. */
struct rf_hook_ops {
	const char *program;
	bool identity;	       /* attached before the start-up scan */
	bool cgroup;	       /* a cgroup link, which can be updated in place; else a tracing link */
	const char *if_failed; /* which way it fails, for status */
	bool on_demand;	       /* attached elsewhere and only where it is needed, see rate_links.c */
	bool when_asked;       /* attached while some workload asks for it, see rf_hook_want() */
	uint8_t level;	       /* that it needs: 1, BPF LSM; 2, and the module. Below, its program is not loaded */
	bool traces;	       /* a function of the kernel, which one without ftrace cannot: then it is left out */
	bool without_lsm;      /* stands in for what BPF LSM would decide: not loaded where that runs */
	uint32_t since;	       /* RF_KERNEL(): older kernels have no need of it; 0: all have */
};

#define RF_KERNEL(major, minor) ((uint32_t)(major) << 16 | (minor))

extern const struct rf_hook_ops rf_hook_table[RF_HOOK_COUNT];

struct rf_hook_state {
	struct bpf_link *link;
	uint32_t program_id; /* what the link must run */
	bool adopted;
	uint64_t repairs;
	uint64_t self_test_hits;
	bool loaded;		/* the host has what it needs */
	uint64_t wanted;	/* of those that are attached when asked for: the plan that wanted it last */
	struct bpf_link *probe; /* and the link of it that the self-test has made; the first plan may take it */
	int self_test;		/* 1 ok, 0 not run, negative errno */
	char why[160];
};

/* leave.c: links that are to go. */
struct rf_leaving {
	pthread_mutex_t lock; /* of the next four */
	pthread_cond_t gone;  /* @now is */
	struct bpf_link *links[RF_HOOK_COUNT];
	enum rf_hook now; /* whose the thread ends; RF_HOOK_COUNT: none */
	bool ended;	  /* the thread has */
	bool running;	  /* and is to be joined */
	pthread_t thread;
};

/* A key of one of the LPM tries, for removal. */
struct rf_trie_keys {
	void *keys;
	uint32_t n;
};

/* A rule set that is in the maps. */
struct rf_installed {
	uint32_t id;
	uint64_t digest;
	const struct rf_ruleset_image *image; /* NULL: adopted and not yet recognised */
	struct rf_image *owner;		      /* keeps @image alive */
	struct rf_trie_keys peers4, peers6, ports;
	struct rf_hashmap *members; /* peer -> its entry in rf_member_map, as struct rf_member; NULL: none */
	uint32_t *offsets;	    /* words taken in the set map, one reference each */
	uint32_t n_offsets;
	uint32_t words;
	uint64_t used; /* apply count that used it last */
	bool unpruned; /* adopted, and may know peers that are no more */
};

/* One entry of rf_member_map: a reference to the words at @offset. */
struct rf_member {
	uint32_t peer;
	uint32_t offset;
};

/* Somebody who may be a peer; what it is, is copied. */
struct rf_engine_peer {
	uint32_t id;
	struct rf_identity identity; /* pod, namespace and labels alone */
	char *tenant, *namespace, *workload;
	struct rf_peer_view view;      /* of the above */
	struct rf_engine_peer *former; /* owned: as the rule sets in force know it, until the flip; else NULL */
};

struct rf_installed_devices {
	uint32_t id;
	const struct rf_device_image *image; /* NULL: adopted */
	struct rf_image *owner;
	struct rf_device_key *keys;
	uint32_t n_keys;
	uint64_t used;
};

struct rf_installed_exec {
	uint32_t id;
	const struct rf_exec_image *image; /* NULL: adopted */
	struct rf_image *owner;
	struct rf_exec_key *keys;
	uint32_t n_keys;
	uint64_t used;
};

struct rf_lane_reader {
	struct rf_engine *engine;
	enum rf_lane lane;
	struct rf_gaps gaps;
	uint64_t invalid; /* records that were no events */
	struct ring_buffer *ring;
	unsigned int left; /* records that this turn may still read */
	bool emptied;	   /* the last turn read all there was */
};

struct rf_engine {
	struct ringfence_bpf *skeleton;
	char bpffs[RF_PATH_SIZE];
	char cgroup_root[RF_PATH_SIZE];
	int root_fd;
	uint64_t root_id;
	bool maps_adopted;

	/* mapped arrays */
	struct rf_config *config;
	struct rf_workload_entry *workloads;
	struct rf_workload_stats *stats;
	struct rf_lane_stats *lanes;
	uint64_t *labels; /* by RF_LABEL_AT() */
	struct rf_lineage_state *lineage_states;
	struct rf_accel_job *accel_jobs; /* RF_MAX_ACCEL_JOBS */
	struct rf_accel_use *accel_uses; /* RF_MAX_ACCEL_USES */

	struct rf_chunks accounts; /* memory: struct rf_account, by RF_ACCOUNT() */
	struct rf_chunks set_words;
	struct rf_chunks rate_flows, learnt, queries, dns_streams;

	int sync_outer, sync_inner; /* array of maps whose update waits for running programs */

	struct rf_hook_state hooks[RF_HOOK_COUNT];

	unsigned int links_held; /* by the module */

	/* accounting of accelerators */
	bool accel_looked;
	unsigned int accel_modules;  /* that were there then, a bit each */
	unsigned int accel_programs; /* that are attached */
	unsigned int accel_ticks;
	uint32_t accel_devices; /* the highest number of a device */
	int accel_holders;	/* the program that iterates over open files, -1: none */
	char accel_why[160];
	enum rf_support memory_support; /* by others than us */
	const char *memory_why;
	struct rf_hashmap *quotas, *quotas_staged; /* quotas.c */
	struct rf_calls *calls;			   /* calls.c; NULL: no library was found yet */

	/* what is installed */
	struct rf_words *words;
	struct rf_installed **rulesets; /* by id, RF_MAX_RULESETS */
	struct rf_hashmap *by_digest;	/* digest -> struct rf_installed, borrowed */
	uint32_t ruleset_cursor;
	size_t n_rulesets;
	struct rf_hashmap *peers;    /* id -> struct rf_engine_peer, owned */
	bool peers_held;	     /* see rf_engine_peers_hold() */
	struct rf_hashmap *names;    /* wire form -> struct rf_engine_name, owned */
	struct rf_hashmap *names_by; /* number -> the same, borrowed */
	uint32_t name_cursor;
	struct rf_hashmap *tenants; /* name -> its number, see tenants.c */
	uint32_t tenant_last;
	uint8_t *dns_set; /* by workload: a bit a bank that may have an entry in rf_dns_map */
	size_t n_members;
	size_t n_addresses;
	size_t n_asking; /* rule sets whose image chooses peers by what they are */
	struct rf_installed_devices **devices;
	size_t n_devices, devices_capacity;
	uint32_t device_cursor;
	struct rf_installed_files *file_sets; /* files.c */
	size_t n_file_sets;
	uint32_t file_cursor;
	struct rf_installed_exec **execs;
	size_t n_execs, execs_capacity;
	uint32_t exec_cursor;
	uint64_t applies;
	uint64_t n_policies, n_workloads;

	/* rate_links.c */
	struct rf_rate_link *rate_links;
	size_t n_rate_links, rate_links_cursor;
	uint64_t rate_links_wanted;
	bool rate_links_adopted;
	uint64_t hooks_plan; /* counts the plans that ask for hooks */
	struct rf_leaving leaving;

	/* events */
	int ring_fd; /* epoll over all lanes */
	struct rf_lane_reader readers[RF_LANES];
	rf_event_fn event_fn;
	void *event_arg;

	/* probed */
	bool lsm_runs, module_present;
	bool module_waits_probes; /* the module may be called from probes */
	bool traces_run;	  /* programs on functions of the kernel */
	char lsm_why[160], trace_why[160], module_why[160];
	bool self_tested;
};

int rf_engine_format_error(char **ret_error, int r, const char *fmt, ...) RF_PRINTF(3, 4);
void rf_engine_libbpf_forget(void); /* what it said before the next load */

/* apply.c: returns when every program that runs now has ended */
void rf_engine_programs_wait(struct rf_engine *e);
/* what the kernel remembers of sockets and verdicts is forgotten; the generation stays */
void rf_engine_caches_drop(struct rf_engine *e);

/* map fds, by their one name */
int rf_engine_map_fd(const struct rf_engine *e, const char *name);
const char *rf_engine_map_name(const struct bpf_map *map);
/* Of another object, before it is loaded: its maps of our names are ours; others it does without. */
int rf_engine_maps_share(const struct rf_engine *e, struct bpf_object *object);
/* NULL: a map whose memory is all there. */
struct rf_chunks *rf_engine_chunks(const struct rf_engine *e, const char *map);
/* RF_PEER_CLASSES of them. */
struct rf_account *rf_engine_accounts(const struct rf_engine *e, uint32_t workload);

/* install.c */
int rf_install_ruleset(struct rf_engine *e, struct rf_image *owner, const struct rf_ruleset_image *image,
		       struct rf_installed **ret, char **ret_error);
void rf_uninstall_ruleset(struct rf_engine *e, struct rf_installed *installed);
int rf_install_devices(struct rf_engine *e, struct rf_image *owner, const struct rf_device_image *image,
		       struct rf_installed_devices **ret, char **ret_error);
void rf_uninstall_devices(struct rf_engine *e, struct rf_installed_devices *installed);
void rf_installed_free(struct rf_installed *installed);
void rf_installed_devices_free(struct rf_installed_devices *installed);

/* exec.c */
int rf_install_exec(struct rf_engine *e, struct rf_image *owner, const struct rf_exec_image *image,
		    struct rf_installed_exec **ret, char **ret_error);
void rf_uninstall_exec(struct rf_engine *e, struct rf_installed_exec *installed);
void rf_installed_exec_free(struct rf_installed_exec *installed);
/* Installs what @image has for @tier, and says what to write in the bank. */
int rf_exec_fill(struct rf_engine *e, struct rf_image *image, enum rf_tier tier, struct rf_exec_limits *ret,
		 char **ret_error);
int rf_execs_adopt(struct rf_engine *e);
/* What @live names is used by this apply, too. */
void rf_execs_keep(struct rf_engine *e, const struct rf_workload_bank *live);
/* Removes what no apply since @keep has used. */
void rf_execs_sweep(struct rf_engine *e, uint64_t keep);
void rf_execs_free(struct rf_engine *e);

/* names.c: numbers of DNS names, counted by the entries of rf_member_map that speak of them */
struct rf_engine_name {
	uint32_t id;
	uint32_t refs;
	uint8_t wire[RF_NAME_KEY];
};

/* What programs remember of names is there. */
int rf_names_need(struct rf_engine *e);
int rf_name_get(struct rf_engine *e, const char *name, uint32_t *ret_id);
void rf_name_ref(struct rf_engine *e, uint32_t id);
void rf_name_put(struct rf_engine *e, uint32_t id);
int rf_names_adopt(struct rf_engine *e);
/* Names that no entry speaks of: what a daemon died writing. */
void rf_names_prune(struct rf_engine *e);
/* How @workload learns names in @bank. */
int rf_dns_write(struct rf_engine *e, uint32_t workload, uint32_t bank, const struct rf_dns_image *dns);
/* As in the other bank: of a workload whose policies nobody knows any more. */
int rf_dns_keep(struct rf_engine *e, uint32_t workload, uint32_t bank);

/* peers.c */
int rf_members_write(struct rf_engine *e, struct rf_installed *in, char **ret_error);
/* Does @in, of the same content as @image, know all peers as they will be after the flip? */
bool rf_members_current(struct rf_engine *e, const struct rf_installed *in, const struct rf_ruleset_image *image);
/* After the flip: ends what rf_engine_peers_hold() began. */
void rf_members_commit(struct rf_engine *e);
void rf_members_remove(struct rf_engine *e, struct rf_installed *in);
int rf_members_adopt(struct rf_engine *e);
void rf_engine_peer_free(void *peer);

/* adopt.c: learns from the maps what another daemon installed */
int rf_engine_adopt(struct rf_engine *e, char **ret_error);

/* tenants.c: what a bank has in place of a tenant's name */
int rf_tenant_get(struct rf_engine *e, const char *name, uint32_t *ret_id, char **ret_error);
int rf_tenants_adopt(struct rf_engine *e);
/* Those that no bank in force has. */
void rf_tenants_sweep(struct rf_engine *e);

/* files.c: file sets of images, and where zones begin */
int rf_install_files(struct rf_engine *e, struct rf_image *image, enum rf_tier tier, uint32_t *ret_set,
		     char **ret_error);
/* What @live names goes on. */
void rf_files_keep(struct rf_engine *e, const struct rf_workload_bank *live);
/* After an apply that failed: what it wrote. */
void rf_files_undo(struct rf_engine *e);
/* After one that succeeded: what it did not use, and zones of the generation before. */
void rf_files_sweep(struct rf_engine *e);
int rf_files_adopt(struct rf_engine *e);
void rf_files_free(struct rf_engine *e);
/* Of a hook that is attached when asked for: what ran in the self-test runs then. */
bool rf_hook_can_run(const struct rf_engine *e, enum rf_hook hook);
/* Of all the hooks that any of @kinds of @section asks for. */
enum rf_support rf_asked_support(const struct rf_engine *e, enum rf_section section, uint64_t kinds);

bool rf_files_are_supported(const struct rf_engine *e);

/* lineage.c */
int rf_lineage_open(struct rf_engine *e);
/* Of an id that is somebody else's from now on. */
void rf_lineage_reset(struct rf_engine *e, uint32_t workload);

/* accel_account.c */
/* The place of its row; 0: it has none. */
uint32_t rf_accel_use_find(const struct rf_engine *e, uint32_t workload, uint32_t device);
void rf_accel_uses_reset(struct rf_engine *e, uint32_t workload);
/* Rows of namespaces and tenants that nobody is in and nobody wants, when half of all are taken. */
void rf_accel_groups_sweep(struct rf_engine *e, bool (*is_wanted)(const struct rf_engine *e, uint32_t owner));
enum rf_support rf_accel_account_support(const struct rf_engine *e);

/* accel_clients.c: the rows of a map by address, in calls of many; it ends, however many come and go meanwhile. */
typedef void (*rf_accel_row_fn)(uint64_t address, const void *value, void *arg);
int rf_accel_rows_each(int fd, size_t value_size, rf_accel_row_fn fn, void *arg);

/* calls.c */
void rf_calls_free(struct rf_engine *e);
/* Of an id that is somebody else's from now on. */
void rf_calls_reset(struct rf_engine *e, uint32_t workload);
enum rf_support rf_calls_support(const struct rf_engine *e);
const char *rf_calls_why(const struct rf_engine *e);

/*
 * quotas.c. Of all workloads of an apply, whose tenants and namespaces @banks has, for @bank, which is not in force;
 * after the flip it is committed. And of one more workload, in both.
 */
int rf_quotas_stage(struct rf_engine *e, const struct rf_assignment *assignments, size_t n,
		    const struct rf_workload_bank *banks, uint32_t bank, char **ret_error);
void rf_quotas_commit(struct rf_engine *e);
int rf_quotas_assign(struct rf_engine *e, const struct rf_assignment *a, const struct rf_workload_bank *bank,
		     char **ret_error);
void rf_quotas_free(struct rf_engine *e);
enum rf_support rf_quotas_support(const struct rf_engine *e);
const char *rf_quotas_why(const struct rf_engine *e);
/* Of quotas of memory. */
enum rf_support rf_quotas_memory_support(const struct rf_engine *e);
const char *rf_quotas_memory_why(const struct rf_engine *e);

/* level.c: before the skeleton is loaded */
void rf_level_probe(struct rf_engine *e);
/* Of the opened skeleton, leaves out the programs that this host cannot run. */
int rf_level_choose(struct rf_engine *e);
unsigned int rf_level(const struct rf_engine *e);

/* attach.c */
/* Of those that are attached when asked for: attached, if it is not, for the plan that is made. */
int rf_hook_want(struct rf_engine *e, enum rf_hook hook, char **ret_error);
/*
 * The same, on the self-test's cgroup where they hang on one, as long as it runs. Those of the kernel's functions stay
 * until rf_engine_probes_end(), for who wants them.
 */
void rf_hooks_probe(struct rf_engine *e, int cgroup_fd, bool attach);
/* Is the program that @link runs the very one we would load, on the same maps? */
bool rf_link_is_current(const struct rf_engine *e, const struct bpf_link *link, struct bpf_program *program);
void rf_engine_links_free(struct rf_engine *e);

/* leave.c */
void rf_leaving_init(struct rf_leaving *l);
/* Takes @link (NULL: none), which goes with the next rf_links_leave(). */
void rf_link_leaves(struct rf_engine *e, enum rf_hook hook, struct bpf_link *link);
/* The link of @hook that has not gone yet; NULL: none, and it can be attached. */
struct bpf_link *rf_link_take_back(struct rf_engine *e, enum rf_hook hook);
void rf_links_leave(struct rf_engine *e);
void rf_links_leave_wait(struct rf_engine *e);

#endif

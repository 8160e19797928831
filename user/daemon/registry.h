/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every cgroup below the attach point, which workload it belongs to, and which
 * policies that workload has.
 *
 * A policy selects a cgroup and everything below it. A cgroup that a policy
 * selects for the first time on the way down is the root of a workload, with
 * that policy and all those of its ancestors; any other cgroup belongs to its
 * parent's workload.
 */
#ifndef RF_DAEMON_REGISTRY_H
#define RF_DAEMON_REGISTRY_H

#include "user/engine/engine.h"
#include "user/lib/hashmap.h"
#include "user/model/identity.h"
#include "user/model/policy.h"

struct rf_workload {
	uint32_t id;
	uint32_t peer; /* who it is to others, see user/daemon/peers.h */
	uint64_t cgroup_id;
	char *tenant, *namespace, *short_name;
	char *name; /* tenant/namespace/name, unique */
	struct rf_image *image;
	bool fresh;   /* not yet in force */
	bool retired; /* its cgroup is gone; waiting for the kernel to drop the last socket */
};

struct rf_cgroup {
	uint64_t id, parent_id;
	unsigned int depth;
	char *path; /* below the v2 root */
	struct rf_identity *identity;
	struct rf_workload *root_of; /* NULL: belongs to its parent's */
	uint32_t workload;	     /* what the kernel was told */
	/* while planning */
	uint32_t *policies; /* indices, ascending; shared with the parent when it adds none */
	size_t n_policies;
	bool owns_policies;
	bool is_root;
	struct rf_image *image;
};

struct rf_registry {
	struct rf_engine *engine;
	const struct rf_accelerators *accelerators; /* of the host, borrowed; NULL: not known */
	char *prefix;		    /* path of the attach point below the v2 root; "" for the root itself */
	struct rf_hashmap *cgroups; /* id -> struct rf_cgroup, owned */
	struct rf_workload *by_id[RF_MAX_WORKLOADS];
	uint32_t id_cursor;
	/* Before the first apply: a bit for each id that the kernel, told by an earlier daemon, knows a cgroup by. */
	uint8_t left_over[RF_MAX_WORKLOADS / 8];
	size_t n_workloads;
	/* peers.c: struct rf_net_address -> who has it */
	struct rf_hashmap *addresses;
	uint64_t pass;
	unsigned int soon, ticks;
	bool cgroups_changed;
	bool pods_open; /* pods that no policy selects may use accelerators, see pods.h */
	bool guarded;	/* the daemon is locked: its hooks are asked for, whatever the policies say */
	/* the set in force; NULL before the first apply */
	struct rf_policy_set *set;
	bool labels_told;		   /* since then: that the labels of a new pod are unknown */
	struct rf_hashmap *images;	   /* policy indices -> struct rf_image, one reference each */
	struct rf_hashmap *by_cgroup_path; /* literal selectors: path -> index list */
	uint32_t *general;		   /* policies that must be tried on every cgroup */
	size_t n_general;
};

int rf_registry_new(struct rf_engine *engine, const char *prefix, struct rf_registry **ret);
void rf_registry_free(struct rf_registry *r);
RF_DEFINE_CLEANUP(struct rf_registry, rf_registry_free)

/*
 * Adds what exists, under the set in force, and drops what does not. At start, and when the kernel could not report
 * every cgroup. One that cannot be added is logged and stays under its parent's policy.
 */
int rf_registry_scan(struct rf_registry *r);
/* A cgroup came (path below the v2 root) or went. Known or foreign ones are ignored. */
int rf_registry_cgroup_new(struct rf_registry *r, uint64_t id, uint64_t parent_id, const char *path, char **ret_error);
void rf_registry_cgroup_gone(struct rf_registry *r, uint64_t id);
/* Frees ids of workloads that the kernel has let go. Call about once a second. */
void rf_registry_reap(struct rf_registry *r);

/*
 * Puts @set in force on all known cgroups, all or nothing; on success the registry owns it, on failure the old one
 * stays and @diags or @ret_error says why. @check may refuse the plan (it sees cgroups with their new image).
 */
typedef int (*rf_registry_check_fn)(struct rf_registry *r, const struct rf_policy_set *set, void *arg,
				    char **ret_error);
int rf_registry_apply(struct rf_registry *r, struct rf_policy_set *set, rf_registry_check_fn check, void *arg,
		      struct rf_diags *diags, char **ret_error);
/* While checking: the image that the plan gives to the cgroup with this path, NULL when none. */
const struct rf_image *rf_registry_planned_image(struct rf_registry *r, const char *path);

struct rf_workload *rf_registry_by_name(struct rf_registry *r, const char *name);
const char *rf_registry_name(const struct rf_registry *r, uint32_t id); /* NULL when unknown */
const struct rf_cgroup *rf_registry_cgroup_of(const struct rf_registry *r, const struct rf_workload *w);

#endif

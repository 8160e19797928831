/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload was seen to do, and the policy that allows just that. Filled
 * from the daemon's JSON: flows as policy-diff tells them, and events of a time
 * in which a policy in mode audit would have denied everything.
 */
#ifndef RF_CLI_LEARNT_H
#define RF_CLI_LEARNT_H

#include "user/lib/json_in.h"
#include "user/lib/strbuf.h"

/* Of one kind (peers, programs, ...); what is beyond is counted, and said in the policy. */
#define RF_LEARNT_MAX	    4096
/* More addresses than these with one port are not told one by one: they become the world, or the host. */
#define RF_LEARNT_ADDRESSES 32
/* More labels than these are not looked at: each takes up to two of a workload's file rules. */
#define RF_LEARNT_LABELS    256

struct rf_learnt;

int rf_learnt_new(struct rf_learnt **ret);
void rf_learnt_free(struct rf_learnt *l); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_learnt, rf_learnt_free)
#define _cleanup_learnt_ _cleanup_(rf_learnt_freep)

/* -ENOMEM; what is no flow, or no event that says what was used, is passed over. */
int rf_learnt_flow(struct rf_learnt *l, const struct rf_jin *flow);
int rf_learnt_event(struct rf_learnt *l, const struct rf_jin *event);
/* Events were lost: the policy may deny what was done then. */
void rf_learnt_lost(struct rf_learnt *l, uint64_t n);
bool rf_learnt_is_empty(const struct rf_learnt *l);

struct rf_learnt_subject {
	const char *tenant, *namespace, *name;
	const char *unit;    /* systemd's, or NULL */
	const char *cgroup;  /* below the v2 root */
	const char *image;   /* a container's, or NULL */
	unsigned int time_s; /* how long was looked */
	uint32_t sections;   /* 1 << enum rf_learnt_section: what this host could see */
	const char **labels; /* in force, at most RF_LEARNT_LABELS */
	size_t n_labels;
	size_t n_more_labels; /* and those beyond */
};

enum rf_learnt_section {
	RF_LEARNT_NETWORK,
	RF_LEARNT_RAW,
	RF_LEARNT_SOCKETS,
	RF_LEARNT_DEVICES,
	RF_LEARNT_PROCESS,
	RF_LEARNT_KERNEL, /* all of it */
	RF_LEARNT_SYSCTL, /* of the kernel's surface, what every host can judge */
	RF_LEARNT_FILES,  /* by label */
};

/* The policy that denies all of it, in mode audit, so that it is told. */
void rf_learnt_watcher(const struct rf_learnt_subject *s, struct rf_strbuf *out);
/* The policy that was learnt, in mode enforce. -ENOMEM: @out is not to be used. */
int rf_learnt_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out);

#endif

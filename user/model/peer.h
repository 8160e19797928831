/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers by what they are: workloads and pods of this host, chosen by tenant,
 * namespace, name and labels. The requirements are those of Kubernetes' label
 * selectors (meta/v1 LabelSelectorRequirement); all of them must hold.
 */
#ifndef RF_MODEL_PEER_H
#define RF_MODEL_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "user/model/identity.h"

enum rf_label_operator { RF_LABEL_IN, RF_LABEL_NOT_IN, RF_LABEL_EXISTS, RF_LABEL_ABSENT };

struct rf_label_match {
	char *key;
	enum rf_label_operator operator;
	char **values; /* of IN and NOT_IN; never empty there */
	size_t n_values;
};

struct rf_label_matches {
	struct rf_label_match *list; /* none: everything matches */
	size_t n;
};

/* NotIn holds where the label is absent, as upstream. */
bool rf_label_matches_hold(const struct rf_label_matches *m, const struct rf_label *labels, size_t n);
/* Appends one; @values may be NULL. -ENOMEM leaves @m as it was. */
int rf_label_matches_add(struct rf_label_matches *m, const char *key, enum rf_label_operator operator,
			 const char * const * values, size_t n_values);
int rf_label_matches_copy(struct rf_label_matches *to, const struct rf_label_matches *from);
bool rf_label_matches_equal(const struct rf_label_matches *a, const struct rf_label_matches *b);
void rf_label_matches_fini(struct rf_label_matches *m);

/* The one label of a namespace that this host knows (its name). */
#define RF_NAMESPACE_NAME_LABEL "kubernetes.io/metadata.name"

struct rf_peer_selector {
	char *tenant, *namespace, *workload;	  /* globs; NULL: any */
	bool pods;				  /* Kubernetes pods alone */
	struct rf_label_matches labels;		  /* of the pod */
	struct rf_label_matches namespace_labels; /* of its namespace */
};

/* Somebody who may be a peer. Borrowed strings; those of a pod that no policy selects are NULL. */
struct rf_peer_facts {
	const char *tenant, *namespace, *workload;
	const struct rf_identity *identity; /* NULL: not known */
};

/* The other end of a flow, beyond its address. */
enum rf_peer_place { RF_PLACE_UNKNOWN, RF_PLACE_WORLD, RF_PLACE_HOST, RF_PLACE_WORKLOAD };

struct rf_peer_view {
	enum rf_peer_place place;
	bool self;		    /* it is the very workload that is judged */
	struct rf_peer_facts facts; /* of RF_PLACE_WORKLOAD */
	const char *name;	    /* the DNS name that it was reached by; NULL: none */
};

/* Is @name, without regard to case, @pattern's? "*." at its start stands for one label. */
bool rf_dns_name_match(const char *pattern, const char *name);

bool rf_peer_selector_match(const struct rf_peer_selector *s, const struct rf_peer_facts *facts);
int rf_peer_selector_copy(struct rf_peer_selector *to, const struct rf_peer_selector *from);
bool rf_peer_selector_equal(const struct rf_peer_selector *a, const struct rf_peer_selector *b);
void rf_peer_selector_fini(struct rf_peer_selector *s);

#endif

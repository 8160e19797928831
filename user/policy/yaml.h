/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML text -> trees of nodes that know where they stand. The one owner of
 * libyaml. A strict subset: no anchors, aliases, tags or merge keys, no key
 * twice, bounded depth and scalar size, so that what a person reads is what is
 * meant.
 */
#ifndef RF_POLICY_YAML_H
#define RF_POLICY_YAML_H

#include "user/policy/diag.h"

enum rf_node_kind { RF_NODE_SCALAR, RF_NODE_SEQUENCE, RF_NODE_MAPPING };

struct rf_node {
	enum rf_node_kind kind;
	struct rf_mark mark;
	unsigned int length;	/* bytes in the source line, for the underline */
	char *text;		/* scalar */
	bool quoted;		/* scalar: a string whatever it looks like */
	struct rf_node **keys;	/* mapping: n scalars */
	struct rf_node **items; /* sequence: n nodes; mapping: n values */
	size_t n;
};

struct rf_documents {
	struct rf_node **list; /* a document's root; empty documents are left out */
	size_t n;
};

void rf_documents_fini(struct rf_documents *d);
/* -EINVAL with diagnostics (every key that is there twice, then the first error of syntax), -ENOMEM. */
int rf_yaml_parse(const char *file, const char *text, size_t len, struct rf_documents *ret, struct rf_diags *diags);
const struct rf_node *rf_node_get(const struct rf_node *mapping, const char *key); /* NULL when absent */
/* null, ~ or nothing, unquoted. */
bool rf_node_is_null(const struct rf_node *node);

#endif

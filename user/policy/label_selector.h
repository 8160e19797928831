/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kubernetes' label selectors (meta/v1 LabelSelector): matchLabels and
 * matchExpressions into struct rf_label_matches. They are checked as upstream's
 * API server does: a label that nothing can have would select nobody.
 */
#ifndef RF_POLICY_LABEL_SELECTOR_H
#define RF_POLICY_LABEL_SELECTOR_H

#include "user/policy/check.h"

/* NULL when absent, null, or of another kind than @kind, which the schema has told. */
const struct rf_node *rf_node_of(const struct rf_node *mapping, const char *key, enum rf_node_kind kind);

/* Both halves as one list of requirements, behind what @m has; @selector may be NULL. 0 or -ENOMEM, here and below. */
int rf_label_selector_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label_matches *m);
/* The halves apart. */
int rf_match_labels_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label **ret, size_t *ret_n);
int rf_match_expressions_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label_matches *m);

/* As kubectl prints selectors: "app=web,tier in (a,b),!old". */
void rf_label_matches_print(const struct rf_label_matches *m, struct rf_strbuf *out);

#endif

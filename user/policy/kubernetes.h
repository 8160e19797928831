/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kubernetes' NetworkPolicy (networking.k8s.io/v1), as its manifests are, into
 * struct rf_policy: the same meaning in our terms. What cannot be decided on a
 * host is an error of the document, never a rule that matches something else.
 */
#ifndef RF_POLICY_KUBERNETES_H
#define RF_POLICY_KUBERNETES_H

#include "user/policy/check.h"

/* Is the document one, or was it meant to be? */
bool rf_kubernetes_is_policy(const struct rf_node *root);
/* The List (v1) of `kubectl get -o yaml`. */
bool rf_kubernetes_is_list(const struct rf_node *root);

/*
 * After rf_check_node() with rf_schema_kubernetes, whatever that found: nothing here relies on a node's kind. What is
 * wrong is told to @c; -ENOMEM.
 */
int rf_kubernetes_policy_fill(struct rf_checker *c, const struct rf_node *root, struct rf_policy *p);

#endif

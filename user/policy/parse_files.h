/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section spec.files, and the document of kind Label. */
#ifndef RF_POLICY_PARSE_FILES_H
#define RF_POLICY_PARSE_FILES_H

#include "user/policy/check.h"

/* @node may be NULL: the section is absent. -ENOMEM. */
int rf_files_parse(struct rf_checker *c, const struct rf_node *node, struct rf_files *ret);

/* Is the document a Label, or was it meant to be? */
bool rf_label_is_document(const struct rf_node *root);
/* After rf_check_node() with rf_schema_label, whatever that found; what else is wrong is told to @c. -ENOMEM. */
int rf_label_fill(struct rf_checker *c, const struct rf_node *root, struct rf_file_label *l);

/* Across files: every label of one name, and there when a rule names it. -EINVAL with @diags, -ENOMEM. */
int rf_labels_check(const struct rf_policy_set *set, struct rf_diags *diags);

#endif

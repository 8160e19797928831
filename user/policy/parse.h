/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy text -> checked policies. Pure: no files are opened, no clock read.
 */
#ifndef RF_POLICY_PARSE_H
#define RF_POLICY_PARSE_H

#include "user/policy/diag.h"

/*
 * Parses every document of @text (a file of one or more YAML documents) and appends the good ones to @set (sorted by
 * the caller with rf_policy_set_finish()). -EINVAL when the file has any error: then nothing of it is added and @diags
 * says why. -ENOMEM.
 */
int rf_policy_parse(const char *file, const char *text, size_t len, struct rf_policy_set *set, struct rf_diags *diags);

/* Sorts and checks across files: two policies of the same tenant/namespace/name are an error (-EINVAL). */
int rf_policy_set_finish(struct rf_policy_set *set, struct rf_diags *diags);

#endif

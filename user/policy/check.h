/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document against the schema: every error, none of the meaning. */
#ifndef RF_POLICY_CHECK_H
#define RF_POLICY_CHECK_H

#include "user/policy/diag.h"
#include "user/policy/schema.h"
#include "user/policy/yaml.h"

/* Where a file's diagnostics go. */
struct rf_checker {
	const char *file, *source;
	size_t source_len;
	struct rf_diags *diags;
	size_t errors;		  /* of this file */
	bool no_memory;		  /* something could not be kept: the document must not be used */
	struct rf_policy *policy; /* requirements are collected here; may be NULL */
};

/* Checks @node and all below it against @field. */
void rf_check_node(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field, const char *path);
void rf_check_error(struct rf_checker *c, const struct rf_node *node, const char *hint, const char *fmt, ...)
	RF_PRINTF(4, 5);
void rf_check_warning(struct rf_checker *c, const struct rf_node *node, const char *hint, const char *fmt, ...)
	RF_PRINTF(4, 5);
void rf_check_require(struct rf_checker *c, enum rf_feature feature, struct rf_mark mark);

/* Scalars. 0 or -EINVAL, output untouched. */
int rf_scalar_integer(const char *text, int64_t *ret);
int rf_scalar_boolean(const char *text, bool *ret);
/* -EINVAL: no CIDR; -ERANGE: host bits set (then @ret is the prefix with them cleared). */
int rf_scalar_cidr(const char *text, struct rf_cidr *ret);
/* "1.5Gi" in whole units, what is left over cut off. -ERANGE: past 2^64, or more than nine digits after the point. */
int rf_scalar_quantity(const char *text, uint64_t *ret);
void rf_cidr_format(const struct rf_cidr *cidr, char text[static 64]);
bool rf_cidr_contains(const struct rf_cidr *outer, const struct rf_cidr *inner);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON reader: the one owner of json-c. Values are borrowed from the root and
 * live until rf_jin_free(root). Getters are total: a missing member, a NULL
 * value or another type gives the default.
 */
#ifndef RF_LIB_JSON_IN_H
#define RF_LIB_JSON_IN_H

#include <stdint.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define RF_JIN_DEPTH 32

struct rf_jin; /* a JSON value */

/*
 * -EBADMSG: not one valid JSON value (or deeper than RF_JIN_DEPTH, or trailing bytes);
 * then @ret_offset, if not NULL, is the byte where it failed. -ENOMEM.
 */
int rf_jin_parse(const char *text, size_t len, struct rf_jin **ret, size_t *ret_offset);
void rf_jin_free(struct rf_jin *root);
RF_DEFINE_CLEANUP(struct rf_jin, rf_jin_free)
#define _cleanup_jin_ _cleanup_(rf_jin_freep)

bool rf_jin_is_object(const struct rf_jin *v);
bool rf_jin_is_array(const struct rf_jin *v);
const struct rf_jin *rf_jin_get(const struct rf_jin *object, const char *key); /* NULL when absent */
size_t rf_jin_len(const struct rf_jin *array);
const struct rf_jin *rf_jin_at(const struct rf_jin *array, size_t i);
const char *rf_jin_string(const struct rf_jin *object, const char *key, const char *dflt);
int64_t rf_jin_i64(const struct rf_jin *object, const char *key, int64_t dflt);
double rf_jin_double(const struct rf_jin *object, const char *key, double dflt);
bool rf_jin_bool(const struct rf_jin *object, const char *key, bool dflt);
const char *rf_jin_as_string(const struct rf_jin *v, const char *dflt);
int64_t rf_jin_as_i64(const struct rf_jin *v, int64_t dflt);
/* Calls @fn for each member until it returns non-zero; returns that. */
int rf_jin_each(const struct rf_jin *object, int (*fn)(const char *key, const struct rf_jin *value, void *arg),
		void *arg);

#endif

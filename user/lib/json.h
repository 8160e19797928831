/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON writer into a strbuf. Commas and escaping are its business; nesting is
 * the caller's (asserted). Bytes that are not valid UTF-8 become U+FFFD, so
 * that output always parses. Depth at most 64.
 *
 * Every call takes the member name as @key, or NULL inside an array.
 */
#ifndef RF_LIB_JSON_H
#define RF_LIB_JSON_H

#include <stdint.h>

#include "user/lib/strbuf.h"

struct rf_json {
	struct rf_strbuf *out;
	uint64_t has_member; /* bit per depth: a comma is due */
	unsigned int depth;
};

void rf_json_init(struct rf_json *j, struct rf_strbuf *out);
void rf_json_object(struct rf_json *j, const char *key);
void rf_json_object_end(struct rf_json *j);
void rf_json_array(struct rf_json *j, const char *key);
void rf_json_array_end(struct rf_json *j);
void rf_json_string(struct rf_json *j, const char *key, const char *value); /* NULL value: null */
void rf_json_stringn(struct rf_json *j, const char *key, const char *value, size_t len);
void rf_json_stringf(struct rf_json *j, const char *key, const char *fmt, ...) RF_PRINTF(3, 4);
void rf_json_u64(struct rf_json *j, const char *key, uint64_t value);
void rf_json_i64(struct rf_json *j, const char *key, int64_t value);
void rf_json_double(struct rf_json *j, const char *key, double value); /* not finite: null */
void rf_json_bool(struct rf_json *j, const char *key, bool value);
/* As rf_clock_format() writes it. */
void rf_json_time(struct rf_json *j, const char *key, uint64_t real_ns);
void rf_json_null(struct rf_json *j, const char *key);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing string. An allocation failure is remembered: later appends do
 * nothing and rf_strbuf_error() is -ENOMEM, so that a long run of appends needs
 * one check. @data is always NUL-terminated after the first append; use
 * rf_strbuf_str() for a string that is never NULL.
 */
#ifndef RF_LIB_STRBUF_H
#define RF_LIB_STRBUF_H

#include <stdarg.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

struct rf_strbuf {
	char *data;
	size_t len;
	size_t capacity;
	int error;
};

#define RF_STRBUF_INIT	 { NULL, 0, 0, 0 }
#define _cleanup_strbuf_ _cleanup_(rf_strbuf_fini)

void rf_strbuf_fini(struct rf_strbuf *b);
void rf_strbuf_reset(struct rf_strbuf *b); /* keeps the memory, clears the error */
void rf_strbuf_add(struct rf_strbuf *b, const void *data, size_t len);
void rf_strbuf_adds(struct rf_strbuf *b, const char *s);
void rf_strbuf_addc(struct rf_strbuf *b, char c);
void rf_strbuf_addf(struct rf_strbuf *b, const char *fmt, ...) RF_PRINTF(2, 3);
void rf_strbuf_vaddf(struct rf_strbuf *b, const char *fmt, va_list ap) RF_PRINTF(2, 0);
int rf_strbuf_error(const struct rf_strbuf *b);
const char *rf_strbuf_str(const struct rf_strbuf *b);
/* Gives the string away (caller frees); NULL after an error or out of memory. Resets @b. */
char *rf_strbuf_take(struct rf_strbuf *b);

#endif

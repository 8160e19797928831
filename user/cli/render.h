/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people: escaping, widths, numbers. Pure.
 *
 * Names of workloads, commands and paths are chosen by tenants. Everything
 * that reaches a terminal goes through rf_render_escape() first, so that a
 * name cannot move the cursor, change colours or reverse the reading order.
 */
#ifndef RF_CLI_RENDER_H
#define RF_CLI_RENDER_H

#include <stdint.h>

#include "user/lib/strbuf.h"

enum rf_color { RF_COLOR_NONE, RF_COLOR_BOLD, RF_COLOR_RED, RF_COLOR_GREEN, RF_COLOR_YELLOW, RF_COLORS };

/* Starts or (with RF_COLOR_NONE) ends a colour; nothing when @on is false. */
void rf_render_color(struct rf_strbuf *out, enum rf_color color, bool on);

/*
 * Appends @s with control characters, invalid UTF-8 and invisible format characters as \xNN, each byte. @lines keeps
 * newlines and tabs. A backslash stays as it is: the text may have been escaped before.
 */
void rf_render_escape(struct rf_strbuf *out, const char *s, bool lines);
/* The same for a line of JSON, which stays the same JSON: \uNNNN. */
void rf_render_escape_json(struct rf_strbuf *out, const char *s, size_t len);

/* One character of @s: its bytes (at least 1 unless at the end) and its columns (0, 1, 2). */
size_t rf_render_char(const char *s, unsigned int *ret_columns);
/* Columns that an escaped string takes. */
size_t rf_render_width(const char *s);

#define RF_RENDER_MAX 32

/* "0 B", "1023 B", "1.5 KiB", "12 GiB" */
void rf_render_bytes(char out[static RF_RENDER_MAX], uint64_t bytes);
/* At most five columns: "0", "0.3", "999", "1.2k", "123M"; @base 1000 or 1024; "-" when not finite. */
void rf_render_short(char out[static RF_RENDER_MAX], double value, unsigned int base);
/* "42s", "5m 12s", "3h 4m", "12d 3h" */
void rf_render_duration(char out[static RF_RENDER_MAX], uint64_t seconds);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON writer. Whatever bytes it is given, the text parses and holds no
 * control character, so that it is also safe on a terminal.
 */
#include "user/lib/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "user/lib/clock.h"
#include "user/lib/utf8.h"

#define DEPTH_MAX 64

void rf_json_init(struct rf_json *j, struct rf_strbuf *out)
{
	*j = (struct rf_json){ .out = out };
}

static void add_quoted(struct rf_strbuf *out, const char *value, size_t len)
{
	const unsigned char *s = (const unsigned char *)value, *end = s + len;

	rf_strbuf_addc(out, '"');
	while (s < end) {
		uint32_t code;
		size_t n = rf_utf8_decode(s, end - s, &code);

		if (n == 0) {
			rf_strbuf_adds(out, "\xef\xbf\xbd");
			s++;
			continue;
		}
		if (code == '"' || code == '\\')
			rf_strbuf_addf(out, "\\%c", (char)code);
		else if (code == '\n')
			rf_strbuf_adds(out, "\\n");
		else if (code == '\t')
			rf_strbuf_adds(out, "\\t");
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) /* C0, DEL and C1 */
			rf_strbuf_addf(out, "\\u%04x", (unsigned int)code);
		else
			rf_strbuf_add(out, s, n);
		s += n;
	}
	rf_strbuf_addc(out, '"');
}

static void begin_value(struct rf_json *j, const char *key)
{
	uint64_t bit = 1ULL << j->depth;

	if (j->has_member & bit)
		rf_strbuf_addc(j->out, ',');
	j->has_member |= bit;
	if (key) {
		add_quoted(j->out, key, strlen(key));
		rf_strbuf_addc(j->out, ':');
	}
}

static void open_nested(struct rf_json *j, const char *key, char bracket)
{
	begin_value(j, key);
	rf_strbuf_addc(j->out, bracket);
	assert(j->depth + 1 < DEPTH_MAX);
	j->depth++;
	j->has_member &= ~(1ULL << j->depth);
}

static void close_nested(struct rf_json *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	rf_strbuf_addc(j->out, bracket);
}

void rf_json_object(struct rf_json *j, const char *key)
{
	open_nested(j, key, '{');
}

void rf_json_object_end(struct rf_json *j)
{
	close_nested(j, '}');
}

void rf_json_array(struct rf_json *j, const char *key)
{
	open_nested(j, key, '[');
}

void rf_json_array_end(struct rf_json *j)
{
	close_nested(j, ']');
}

void rf_json_string(struct rf_json *j, const char *key, const char *value)
{
	if (!value)
		rf_json_null(j, key);
	else
		rf_json_stringn(j, key, value, strlen(value));
}

void rf_json_stringn(struct rf_json *j, const char *key, const char *value, size_t len)
{
	begin_value(j, key);
	add_quoted(j->out, value, len);
}

void rf_json_stringf(struct rf_json *j, const char *key, const char *fmt, ...)
{
	_cleanup_strbuf_ struct rf_strbuf value = RF_STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	rf_strbuf_vaddf(&value, fmt, ap);
	va_end(ap);
	if (rf_strbuf_error(&value))
		j->out->error = rf_strbuf_error(&value);
	rf_json_stringn(j, key, rf_strbuf_str(&value), value.len);
}

void rf_json_u64(struct rf_json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	rf_strbuf_addf(j->out, "%" PRIu64, value);
}

void rf_json_i64(struct rf_json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	rf_strbuf_addf(j->out, "%" PRId64, value);
}

void rf_json_double(struct rf_json *j, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		rf_json_null(j, key);
		return;
	}
	begin_value(j, key);
	/* The shorter form where it says the same. */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	/* JSON knows no decimal comma. */
	for (char *c = text; *c; c++)
		if (*c == ',')
			*c = '.';
	rf_strbuf_adds(j->out, text);
}

void rf_json_bool(struct rf_json *j, const char *key, bool value)
{
	begin_value(j, key);
	rf_strbuf_adds(j->out, value ? "true" : "false");
}

void rf_json_time(struct rf_json *j, const char *key, uint64_t real_ns)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_clock_format(&text, real_ns);
	if (rf_strbuf_error(&text))
		j->out->error = rf_strbuf_error(&text);
	rf_json_string(j, key, rf_strbuf_str(&text));
}

void rf_json_null(struct rf_json *j, const char *key)
{
	begin_value(j, key);
	rf_strbuf_adds(j->out, "null");
}

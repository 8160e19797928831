// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Diagnostics. The text comes from tenants' files: control characters in it
 * are shown as '?', tabs keep the caret under what it points at. Columns and
 * lengths count characters, as libyaml does.
 */
#include "user/policy/diag.h"

#include <stdarg.h>

void rf_diags_fini(struct rf_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].file);
		free(d->list[i].source);
		free(d->list[i].message);
		free(d->list[i].hint);
	}
	free(d->list);
	*d = (struct rf_diags)RF_DIAGS_INIT;
}

/* Line @number (from 1) of @source; NULL when there is none. */
static char *source_line(const char *source, size_t len, uint32_t number)
{
	const char *at = source, *end, *stop;

	if (!source || number == 0)
		return NULL;
	end = source + len;
	while (--number) {
		at = memchr(at, '\n', end - at);
		if (!at)
			return NULL;
		at++;
	}
	stop = memchr(at, '\n', end - at);
	if (!stop)
		stop = end;
	if (stop > at && stop[-1] == '\r')
		stop--;
	return strndup(at, MIN(stop - at, (ptrdiff_t)400));
}

void rf_diags_add(struct rf_diags *d, enum rf_severity severity, const char *file, struct rf_mark mark,
		  unsigned int length, const char *source, size_t source_len, const char *hint, const char *fmt, ...)
{
	_cleanup_strbuf_ struct rf_strbuf message = RF_STRBUF_INIT;
	struct rf_diag *grown;
	va_list ap;

	if (severity == RF_SEVERITY_ERROR)
		d->n_errors++;
	else
		d->n_warnings++;
	if (d->n == RF_MAX_DIAGS)
		return;
	grown = reallocarray(d->list, d->n + 1, sizeof(*grown));
	if (!grown)
		return;
	d->list = grown;
	va_start(ap, fmt);
	rf_strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	d->list[d->n++] = (struct rf_diag){
		.severity = severity,
		.file = strdup(file ? file : ""),
		.mark = mark,
		.length = length,
		.source = source_line(source, source_len, mark.line),
		.message = rf_strbuf_take(&message),
		.hint = hint ? strdup(hint) : NULL,
	};
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* C0 but the tab, DEL, and C1, which some terminals obey as UTF-8, too: U+009B is ESC [. */
static size_t control_length(const char *s)
{
	if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
		return 1;
	return *s == '\xc2' && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0 ? 2 : 0;
}

static void text_clean(struct rf_strbuf *out, const char *s)
{
	while (s && *s) {
		size_t control = control_length(s);

		rf_strbuf_addc(out, control ? '?' : *s);
		s += control ? control : 1;
	}
}

static void source_print(const struct rf_diag *diag, struct rf_strbuf *out, bool color)
{
	const char *s = diag->source;

	rf_strbuf_addf(out, "%5u | ", diag->mark.line);
	text_clean(out, s);
	rf_strbuf_adds(out, "\n      | ");
	for (uint32_t column = 1; column < diag->mark.column && *s; column++) {
		rf_strbuf_addc(out, *s == '\t' ? '\t' : ' ');
		do
			s++;
		while (is_continuation(*s));
	}
	rf_strbuf_adds(out, color ? "\033[1;32m^" : "^");
	for (unsigned int i = 0; i < diag->length && *s; s++) {
		if (is_continuation(*s))
			continue;
		/* The caret stands for the first. */
		if (i++)
			rf_strbuf_addc(out, '~');
	}
	rf_strbuf_adds(out, color ? "\033[0m\n" : "\n");
}

void rf_diags_print(const struct rf_diags *d, struct rf_strbuf *out, bool color)
{
	size_t kept = d->n, all = d->n_errors + d->n_warnings;

	for (size_t i = 0; i < d->n; i++) {
		const struct rf_diag *diag = &d->list[i];
		bool error = diag->severity == RF_SEVERITY_ERROR;

		text_clean(out, diag->file);
		if (diag->mark.line)
			rf_strbuf_addf(out, ":%u:%u", diag->mark.line, diag->mark.column);
		rf_strbuf_addf(out, ": %s%s:%s ", color ? (error ? "\033[1;31m" : "\033[1;35m") : "",
			       error ? "error" : "warning", color ? "\033[0m" : "");
		text_clean(out, diag->message);
		rf_strbuf_addc(out, '\n');
		if (diag->source)
			source_print(diag, out, color);
		if (diag->hint) {
			rf_strbuf_adds(out, "   ");
			text_clean(out, diag->hint);
			rf_strbuf_addc(out, '\n');
		}
	}
	rf_strbuf_addf(out, "%zu error%s, %zu warning%s", d->n_errors, d->n_errors == 1 ? "" : "s", d->n_warnings,
		       d->n_warnings == 1 ? "" : "s");
	if (all > kept)
		rf_strbuf_addf(out, " (%zu not shown)", all - kept);
	rf_strbuf_addc(out, '\n');
}

void rf_diags_json(const struct rf_diags *d, struct rf_json *json, const char *key)
{
	rf_json_array(json, key);
	for (size_t i = 0; i < d->n; i++) {
		const struct rf_diag *diag = &d->list[i];

		rf_json_object(json, NULL);
		rf_json_string(json, "severity", diag->severity == RF_SEVERITY_ERROR ? "error" : "warning");
		rf_json_string(json, "file", diag->file);
		rf_json_u64(json, "line", diag->mark.line);
		rf_json_u64(json, "column", diag->mark.column);
		rf_json_string(json, "message", diag->message);
		rf_json_string(json, "hint", diag->hint);
		rf_json_object_end(json);
	}
	rf_json_array_end(json);
}

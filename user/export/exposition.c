// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The syntax of the two text formats. They differ in the metadata lines, in
 * the family name of counters and infos, in the escaping of help, and in the
 * "# EOF" at the end; the samples are the same.
 *
 * Numbers are not formatted by printf: it is slow where there are a hundred
 * thousand of them, and it follows the locale.
 */
#include "user/export/exposition.h"

#include <math.h>

#include "user/model/snapshot.h"

void rf_exposition_init(struct rf_exposition *x, enum rf_metrics_format format, struct rf_strbuf *out)
{
	*x = (struct rf_exposition){ .out = out, .format = format, .labels = RF_STRBUF_INIT };
}

void rf_exposition_fini(struct rf_exposition *x)
{
	rf_strbuf_fini(&x->labels);
}

/* Length of the valid UTF-8 sequence at @s (RFC 3629: no surrogates, nothing overlong), 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void add_escaped(struct rf_strbuf *out, const char *text, bool quotes)
{
	while (*text) {
		size_t plain = 0, n;

		while (text[plain] && text[plain] != '\\' && text[plain] != '\n' && (text[plain] != '"' || !quotes) &&
		       (n = utf8_sequence((const unsigned char *)text + plain)))
			plain += n;
		rf_strbuf_add(out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (*text == '\\')
			rf_strbuf_adds(out, "\\\\");
		else if (*text == '\n')
			rf_strbuf_adds(out, "\\n");
		else if (*text == '"' && quotes)
			rf_strbuf_adds(out, "\\\"");
		else
			rf_strbuf_adds(out, "\xef\xbf\xbd"); /* U+FFFD */
		text++;
	}
}

static void add_u64(struct rf_strbuf *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	rf_strbuf_add(out, digits + at, sizeof(digits) - at);
}

/* @value / 10^@decimals without rounding, which a double cannot promise past 2^53. */
static void add_fixed(struct rf_strbuf *out, uint64_t value, unsigned int decimals)
{
	char digits[20];
	uint64_t scale = 1;

	for (unsigned int i = 0; i < decimals; i++)
		scale *= 10;
	add_u64(out, value / scale);
	if (!decimals)
		return;
	rf_strbuf_addc(out, '.');
	value %= scale;
	for (unsigned int i = decimals; i; i--, value /= 10)
		digits[i - 1] = (char)('0' + value % 10);
	rf_strbuf_add(out, digits, decimals);
}

/* Counts of bytes in a double are whole: they get no decimals that it does not have. */
static void add_double(struct rf_strbuf *out, double value)
{
	double whole = floor(fabs(value));
	uint64_t millionths = (uint64_t)llround((fabs(value) - whole) * 1e6);

	if (value < 0)
		rf_strbuf_addc(out, '-');
	/* 999999.5 millionths and more make another whole one. */
	if (millionths >= 1000000) {
		whole += 1;
		millionths -= 1000000;
	}
	add_u64(out, (uint64_t)whole);
	if (!millionths)
		return;
	rf_strbuf_addc(out, '.');
	for (uint64_t scale = 100000; millionths; millionths %= scale, scale /= 10)
		rf_strbuf_addc(out, (char)('0' + millionths / scale));
}

static void metadata(struct rf_exposition *x)
{
	const struct rf_metric_family *f = x->family;
	const char *type = rf_metric_type_name(f->type, x->format);
	const char *unit = rf_metric_unit(f->name);

	if (x->format == RF_METRICS_OPENMETRICS) {
		rf_strbuf_addf(x->out, "# TYPE %s %s\n", f->name, type);
		if (unit)
			rf_strbuf_addf(x->out, "# UNIT %s %s\n", f->name, unit);
		rf_strbuf_addf(x->out, "# HELP %s ", f->name);
		add_escaped(x->out, f->help, true);
		rf_strbuf_addc(x->out, '\n');
	} else {
		rf_strbuf_addf(x->out, "# HELP %s%s ", f->name, rf_metric_suffix(f->type));
		add_escaped(x->out, f->help, false);
		rf_strbuf_addf(x->out, "\n# TYPE %s%s %s\n", f->name, rf_metric_suffix(f->type), type);
	}
}

void rf_exposition_begin(struct rf_exposition *x, const struct rf_metric_family *family)
{
	x->family = family;
	x->begun = false;
}

void rf_exposition_label(struct rf_exposition *x, const char *name, const char *value)
{
	if (x->labels.len)
		rf_strbuf_addc(&x->labels, ',');
	rf_strbuf_adds(&x->labels, name);
	rf_strbuf_adds(&x->labels, "=\"");
	add_escaped(&x->labels, value ? value : "", true);
	rf_strbuf_addc(&x->labels, '"');
}

void rf_exposition_labels(struct rf_exposition *x, const char *text, size_t len)
{
	if (!len)
		return;
	if (x->labels.len)
		rf_strbuf_addc(&x->labels, ',');
	rf_strbuf_add(&x->labels, text, len);
}

static void sample_open(struct rf_exposition *x)
{
	if (!x->begun)
		metadata(x);
	x->begun = true;
	rf_strbuf_adds(x->out, x->family->name);
	rf_strbuf_adds(x->out, rf_metric_suffix(x->family->type));
	if (x->labels.len) {
		rf_strbuf_addc(x->out, '{');
		rf_strbuf_add(x->out, x->labels.data, x->labels.len);
		rf_strbuf_addc(x->out, '}');
	}
	rf_strbuf_addc(x->out, ' ');
}

static void labels_drop(struct rf_exposition *x)
{
	int error = rf_strbuf_error(&x->labels);

	rf_strbuf_reset(&x->labels);
	x->labels.error = error; /* a reset forgets it, and a sample without its labels must not pass */
}

void rf_exposition_u64(struct rf_exposition *x, uint64_t value)
{
	if (value != RF_UNKNOWN) {
		sample_open(x);
		add_u64(x->out, value);
		rf_strbuf_addc(x->out, '\n');
	}
	labels_drop(x);
}

void rf_exposition_fixed(struct rf_exposition *x, uint64_t value, unsigned int decimals)
{
	if (value != RF_UNKNOWN) {
		sample_open(x);
		add_fixed(x->out, value, decimals);
		rf_strbuf_addc(x->out, '\n');
	}
	labels_drop(x);
}

void rf_exposition_double(struct rf_exposition *x, double value)
{
	if (isfinite(value) && fabs(value) < 0x1p63) {
		sample_open(x);
		add_double(x->out, value);
		rf_strbuf_addc(x->out, '\n');
	}
	labels_drop(x);
}

size_t rf_exposition_labels_take(struct rf_exposition *x, struct rf_strbuf *out)
{
	size_t len = x->labels.len;

	if (len)
		rf_strbuf_add(out, x->labels.data, len);
	labels_drop(x);
	return len;
}

int rf_exposition_end(struct rf_exposition *x)
{
	if (x->format == RF_METRICS_OPENMETRICS)
		rf_strbuf_adds(x->out, "# EOF\n");
	return rf_strbuf_error(&x->labels) ?: rf_strbuf_error(x->out);
}

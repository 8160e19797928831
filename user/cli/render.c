// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text for people: escaping, widths, numbers.
 *
 * Widths come from a short table and not from wcwidth(): its answer hangs on
 * the locale, and the same reply must give the same table everywhere.
 */
#include "user/cli/render.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const colors[] = {
	[RF_COLOR_NONE] = "\033[0m",   [RF_COLOR_BOLD] = "\033[1m",    [RF_COLOR_RED] = "\033[31m",
	[RF_COLOR_GREEN] = "\033[32m", [RF_COLOR_YELLOW] = "\033[33m",
};

static_assert(ARRAY_SIZE(colors) == RF_COLORS, "every colour has its sequence");

void rf_render_color(struct rf_strbuf *out, enum rf_color color, bool on)
{
	if (on)
		rf_strbuf_adds(out, colors[color]);
}

/* Bytes of the valid UTF-8 character at @s, 0 where there is none. NUL-terminated input is never overrun. */
static size_t utf8_decode(const char *s, uint32_t *ret)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c, min;
	size_t n;

	if (u[0] < 0x80) {
		*ret = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		n = 2;
		c = u[0] & 0x1f;
		min = 0x80;
	} else if ((u[0] & 0xf0) == 0xe0) {
		n = 3;
		c = u[0] & 0x0f;
		min = 0x800;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		n = 4;
		c = u[0] & 0x07;
		min = 0x10000;
	} else {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Controls, and what changes how its neighbours are read: zero-width characters, line separators, direction marks. */
static bool is_unprintable(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	return in_ranges(c, ranges, ARRAY_SIZE(ranges));
}

static unsigned int columns_of(uint32_t c)
{
	static const struct range combining[] = {
		{ 0x300, 0x36f },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
		{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },	  { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },	  { 0xffe0, 0xffe6 },
		{ 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};

	if (in_ranges(c, combining, ARRAY_SIZE(combining)))
		return 0;
	return in_ranges(c, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

void rf_render_escape(struct rf_strbuf *out, const char *s, bool lines)
{
	while (*s) {
		uint32_t c;
		size_t n = utf8_decode(s, &c);

		if (n && (!is_unprintable(c) || (lines && (c == '\n' || c == '\t')))) {
			rf_strbuf_add(out, s, n);
		} else {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				rf_strbuf_addf(out, "\\x%02x", (unsigned char)s[i]);
		}
		s += n;
	}
}

void rf_render_escape_json(struct rf_strbuf *out, const char *s, size_t len)
{
	/* @s is NUL-terminated at @len; valid JSON holds no raw control below 0x20 inside a string. */
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = utf8_decode(s + i, &c);

		if (!n) {
			rf_strbuf_adds(out, "\\ufffd");
			n = 1;
		} else if (c < 0x20 || !is_unprintable(c)) {
			rf_strbuf_add(out, s + i, n);
		} else if (c < 0x10000) {
			rf_strbuf_addf(out, "\\u%04" PRIx32, c);
		} else {
			c -= 0x10000;
			rf_strbuf_addf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
		}
		i += n;
	}
}

size_t rf_render_char(const char *s, unsigned int *ret_columns)
{
	uint32_t c;
	size_t n;

	if (!*s) {
		*ret_columns = 0;
		return 0;
	}
	n = utf8_decode(s, &c);
	*ret_columns = n ? columns_of(c) : 1;
	return n ? n : 1;
}

size_t rf_render_width(const char *s)
{
	size_t width = 0;

	while (*s) {
		unsigned int columns;

		s += rf_render_char(s, &columns);
		width += columns;
	}
	return width;
}

void rf_render_bytes(char out[static RF_RENDER_MAX], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(out, RF_RENDER_MAX, "%" PRIu64 " B", bytes);
		return;
	}
	/* 1023.5 would be printed as 1024 */
	while (value >= 1023.5 && i < ARRAY_SIZE(units) - 1) {
		value /= 1024;
		i++;
	}
	snprintf(out, RF_RENDER_MAX, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[i]);
}

void rf_render_short(char out[static RF_RENDER_MAX], double value, unsigned int base)
{
	static const char units[2][8] = { "kMGTPE", "KMGTPE" };
	size_t i = 0;

	if (!isfinite(value)) {
		snprintf(out, RF_RENDER_MAX, "-");
		return;
	}
	if (value < 0.05) {
		snprintf(out, RF_RENDER_MAX, "0");
		return;
	}
	if (value < 999.5) {
		/* whole numbers as such, others with one digit while there is room */
		snprintf(out, RF_RENDER_MAX, value < 99.95 && value != floor(value) ? "%.1f" : "%.0f", value);
		return;
	}
	for (value /= base; value >= 999.5 && units[0][i + 1]; i++)
		value /= base;
	if (value >= 999.5)
		value = 999;
	snprintf(out, RF_RENDER_MAX, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[base == 1024][i]);
}

void rf_render_duration(char out[static RF_RENDER_MAX], uint64_t s)
{
	if (s < 60)
		snprintf(out, RF_RENDER_MAX, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, RF_RENDER_MAX, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, RF_RENDER_MAX, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(out, RF_RENDER_MAX, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s % 86400 / 3600);
}

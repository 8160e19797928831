// SPDX-License-Identifier: GPL-2.0-or-later
/* Aligned tables. */
#include "user/cli/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

#define GAP 2

void rf_table_fini(struct rf_table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->n_cells = t->capacity = 0;
}

void rf_table_add(struct rf_table *t, enum rf_color color, const char *text)
{
	_cleanup_strbuf_ struct rf_strbuf escaped = RF_STRBUF_INIT;
	char *cell;

	if (t->error)
		return;
	if (t->n_cells == t->capacity) {
		size_t capacity = t->capacity ? t->capacity * 2 : 64;
		struct rf_cell *cells = reallocarray(t->cells, capacity, sizeof(*cells));

		if (!cells) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = cells;
		t->capacity = capacity;
	}
	rf_strbuf_adds(&escaped, ""); /* so that an empty cell is a string as well */
	rf_render_escape(&escaped, text ? text : "-", false);
	cell = rf_strbuf_error(&escaped) ? NULL : strdup(rf_strbuf_str(&escaped));
	if (!cell) {
		t->error = -ENOMEM;
		return;
	}
	t->cells[t->n_cells++] = (struct rf_cell){ cell, color };
}

void rf_table_addf(struct rf_table *t, enum rf_color color, const char *fmt, ...)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	rf_strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (rf_strbuf_error(&text))
		t->error = -ENOMEM;
	else
		rf_table_add(t, color, rf_strbuf_str(&text));
}

static bool may_shrink(const struct rf_column *c)
{
	return c->fit == RF_FIT_CUT || c->fit == RF_FIT_WRAP;
}

/* Takes what is too much from the widest column that allows it, until it fits or nothing is left to take. */
static void shrink(const struct rf_table *t, size_t *widths, size_t limit)
{
	for (;;) {
		size_t total = GAP * (t->n_columns - 1), widest = t->n_columns;

		for (size_t c = 0; c < t->n_columns; c++) {
			total += widths[c];
			if (may_shrink(&t->columns[c]) && widths[c] > RF_TABLE_COLUMN_MIN &&
			    (widest == t->n_columns || widths[c] > widths[widest]))
				widest = c;
		}
		if (total <= limit || widest == t->n_columns)
			return;
		widths[widest]--;
	}
}

/* Bytes of @s that fit in @width columns. */
static size_t bytes_in(const char *s, size_t width)
{
	size_t bytes = 0, used = 0;

	while (s[bytes]) {
		unsigned int columns;
		size_t n = rf_render_char(s + bytes, &columns);

		if (used + columns > width)
			break;
		used += columns;
		bytes += n;
	}
	return bytes;
}

/* Bytes of @s for one line of @width columns, broken at a space where there is one. At least one character. */
static size_t line_of(const char *s, size_t width)
{
	size_t n = bytes_in(s, width);
	unsigned int columns;

	if (!s[n])
		return n;
	for (size_t i = n; i > 0; i--)
		if (s[i] == ' ')
			return i;
	return n ? n : rf_render_char(s, &columns);
}

static void spaces(struct rf_strbuf *out, size_t n)
{
	while (n--)
		rf_strbuf_addc(out, ' ');
}

static void colored(struct rf_strbuf *out, const char *s, size_t n, enum rf_color c, bool on)
{
	rf_render_color(out, c, on && c != RF_COLOR_NONE && n);
	rf_strbuf_add(out, s, n);
	rf_render_color(out, RF_COLOR_NONE, on && c != RF_COLOR_NONE && n);
}

static void print_wrapped(struct rf_strbuf *out, const char *s, size_t indent, size_t width, enum rf_color c, bool on)
{
	for (bool first = true; first || *s; first = false) {
		size_t n = line_of(s, width);

		if (!first) {
			rf_strbuf_addc(out, '\n');
			spaces(out, indent);
		}
		colored(out, s, n, c, on);
		s += n;
		s += strspn(s, " ");
	}
}

static void print_row(const struct rf_table *t, const struct rf_cell *cells, const size_t *widths,
		      struct rf_strbuf *out, bool on)
{
	size_t indent = 0, owed = 0; /* owed: padding that is due only if something follows */

	for (size_t c = 0; c < t->n_columns; c++) {
		const char *s = cells[c].text;
		size_t used = rf_render_width(s);

		if (t->columns[c].fit == RF_FIT_RIGHT)
			owed += widths[c] - used;
		if (*s) {
			spaces(out, owed);
			owed = 0;
		}
		if (t->columns[c].fit == RF_FIT_WRAP && used > widths[c]) {
			print_wrapped(out, s, indent, widths[c], cells[c].color, on);
		} else if (used > widths[c]) {
			size_t n = bytes_in(s, widths[c] - 2);
			_cleanup_strbuf_ struct rf_strbuf cut = RF_STRBUF_INIT;

			rf_strbuf_add(&cut, s, n);
			rf_strbuf_adds(&cut, "..");
			colored(out, rf_strbuf_str(&cut), n + 2, cells[c].color, on);
			used = rf_render_width(rf_strbuf_str(&cut));
			owed += widths[c] - used;
		} else {
			colored(out, s, strlen(s), cells[c].color, on);
			if (t->columns[c].fit != RF_FIT_RIGHT)
				owed += widths[c] - used;
		}
		owed += GAP;
		indent += widths[c] + GAP;
	}
	rf_strbuf_addc(out, '\n');
}

void rf_table_print(const struct rf_table *t, struct rf_strbuf *out, unsigned int width, bool color)
{
	struct rf_cell titles[RF_TABLE_COLUMNS_MAX];
	size_t widths[RF_TABLE_COLUMNS_MAX];

	assert(t->n_columns && t->n_columns <= RF_TABLE_COLUMNS_MAX && t->n_cells % t->n_columns == 0);
	if (t->error) {
		out->error = t->error;
		return;
	}
	for (size_t c = 0; c < t->n_columns; c++) {
		titles[c] = (struct rf_cell){ (char *)t->columns[c].title, RF_COLOR_BOLD };
		widths[c] = rf_render_width(titles[c].text);
	}
	for (size_t i = 0; i < t->n_cells; i++)
		widths[i % t->n_columns] = MAX(widths[i % t->n_columns], rf_render_width(t->cells[i].text));
	if (width)
		shrink(t, widths, width);
	print_row(t, titles, widths, out, color);
	for (size_t i = 0; i < t->n_cells; i += t->n_columns)
		print_row(t, t->cells + i, widths, out, color);
}

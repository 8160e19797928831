/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned tables: a title row, cells with a colour, two spaces between. Where
 * the table is wider than it may be, columns that allow it are cut or wrapped.
 * Cells are escaped as they come in.
 */
#ifndef RF_CLI_TABLE_H
#define RF_CLI_TABLE_H

#include "user/cli/render.h"

enum rf_fit {
	RF_FIT_LEFT,  /* as wide as its widest cell */
	RF_FIT_RIGHT, /* likewise, numbers */
	RF_FIT_CUT,   /* may be cut, ".." says so */
	RF_FIT_WRAP,  /* the last column only: goes on below itself */
};

struct rf_column {
	const char *title;
	enum rf_fit fit;
};

#define RF_TABLE_COLUMNS_MAX 12
#define RF_TABLE_COLUMN_MIN  8 /* no column is made narrower than this */

struct rf_cell {
	char *text;
	enum rf_color color;
};

struct rf_table {
	const struct rf_column *columns; /* borrowed */
	size_t n_columns;
	struct rf_cell *cells; /* row by row */
	size_t n_cells, capacity;
	int error;
};

#define RF_TABLE_INIT(c) { .columns = (c), .n_columns = ARRAY_SIZE(c) }
#define _cleanup_table_	 _cleanup_(rf_table_fini)

void rf_table_fini(struct rf_table *t);
void rf_table_add(struct rf_table *t, enum rf_color color, const char *text); /* NULL: "-" */
void rf_table_addf(struct rf_table *t, enum rf_color color, const char *fmt, ...) RF_PRINTF(3, 4);
/* @width 0: no limit. A table without rows writes its titles. A cell lost for want of memory is an error of @out. */
void rf_table_print(const struct rf_table *t, struct rf_strbuf *out, unsigned int width, bool color);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The graph that `ringfence lineage` shows, written as text and as DOT. Pure. */
#ifndef RF_CLI_LINEAGE_H
#define RF_CLI_LINEAGE_H

#include "user/cli/cli.h"

/* @edges: an array of {"edge": EDGE}; @subject: what the last line says (include/ringfence/control.h). */
void rf_lineage_text(const struct rf_jin *edges, const struct rf_jin *subject, unsigned int width,
		     struct rf_strbuf *out);
/* For Graphviz: data goes from left to right. */
void rf_lineage_dot(const struct rf_jin *edges, const struct rf_jin *subject, struct rf_strbuf *out);

#endif

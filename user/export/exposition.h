/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes an exposition sample by sample: begin a family, then for each sample
 * its labels and its value. A family is begun once and its samples stand
 * together, as both formats ask; its metadata is written with its first
 * sample, so that a family without samples leaves nothing.
 *
 * Label values are made valid UTF-8 (U+FFFD for each bad byte), because a
 * scraper refuses a whole exposition for one of them.
 */
#ifndef RF_EXPORT_EXPOSITION_H
#define RF_EXPORT_EXPOSITION_H

#include <stdint.h>

#include "user/export/metrics.h"
#include "user/lib/strbuf.h"

struct rf_exposition {
	struct rf_strbuf *out;
	enum rf_metrics_format format;
	const struct rf_metric_family *family;
	bool begun;		 /* the family's metadata is written */
	const char *part;	 /* of a histogram: what the next sample's name ends in */
	struct rf_strbuf labels; /* of the next sample */
};

#define _cleanup_exposition_ _cleanup_(rf_exposition_fini)

void rf_exposition_init(struct rf_exposition *x, enum rf_metrics_format format, struct rf_strbuf *out);
void rf_exposition_fini(struct rf_exposition *x);

void rf_exposition_begin(struct rf_exposition *x, const struct rf_metric_family *family);
/* A label of the next sample. NULL is the empty value, which means the same as no label. */
void rf_exposition_label(struct rf_exposition *x, const char *name, const char *value);
/* Labels that are already in the form of the exposition: a="b",c="d". */
void rf_exposition_labels(struct rf_exposition *x, const char *text, size_t len);
/* The labels so far, in that form, appended to @out instead of being used; returns their length. */
size_t rf_exposition_labels_take(struct rf_exposition *x, struct rf_strbuf *out);
/* Of a histogram: the samples from here on are "_bucket", "_sum" or "_count"; static. */
void rf_exposition_part(struct rf_exposition *x, const char *part);
/* The sample. RF_UNKNOWN: none; its labels are dropped. */
void rf_exposition_u64(struct rf_exposition *x, uint64_t value);
/* Likewise, @value / 10^@decimals, exact. */
void rf_exposition_fixed(struct rf_exposition *x, uint64_t value, unsigned int decimals);
/* Likewise, to a millionth. Not a number: none. */
void rf_exposition_double(struct rf_exposition *x, double value);
/* What ends the exposition; 0 or -ENOMEM for all of it. */
int rf_exposition_end(struct rf_exposition *x);

#endif

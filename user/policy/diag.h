/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics of a policy file: all of them, in order, each with its place,
 * what was found and what was expected. Printed as
 *
 *	web.yaml:12:9: error: unknown key "prot"
 *	   12 |       - prot: tcp
 *	      |         ^~~~
 *	   expected one of: protocol, port, endPort; did you mean "protocol"?
 */
#ifndef RF_POLICY_DIAG_H
#define RF_POLICY_DIAG_H

#include "user/lib/json.h"
#include "user/model/policy.h"

enum rf_severity { RF_SEVERITY_ERROR, RF_SEVERITY_WARNING };

struct rf_diag {
	enum rf_severity severity;
	char *file;
	struct rf_mark mark;
	unsigned int length; /* bytes to underline; 0: only a caret */
	char *source;	     /* the line, NULL when not known */
	char *message;
	char *hint; /* what was expected; may be NULL */
};

struct rf_diags {
	struct rf_diag *list;
	size_t n;	 /* kept, at most RF_MAX_DIAGS */
	size_t n_errors; /* found, kept or not */
	size_t n_warnings;
};

#define RF_DIAGS_INIT	{ NULL, 0, 0, 0 }
#define _cleanup_diags_ _cleanup_(rf_diags_fini)

void rf_diags_fini(struct rf_diags *d);
/* @source (whole text of the file, @source_len bytes) may be NULL. @hint may be NULL. */
void rf_diags_add(struct rf_diags *d, enum rf_severity severity, const char *file, struct rf_mark mark,
		  unsigned int length, const char *source, size_t source_len, const char *hint, const char *fmt, ...)
	RF_PRINTF(9, 10);
/* The format above; @color: ANSI. Ends with "N errors, M warnings" and how many were not kept. */
void rf_diags_print(const struct rf_diags *d, struct rf_strbuf *out, bool color);
void rf_diags_json(const struct rf_diags *d, struct rf_json *json, const char *key);

#endif

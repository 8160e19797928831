/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy language, declared once, and Kubernetes' NetworkPolicy in a second
 * table of the same form. Parsing, checking, defaults, `policy explain` and the
 * reference page all read these tables; a field that is in neither does not
 * exist.
 */
#ifndef RF_POLICY_SCHEMA_H
#define RF_POLICY_SCHEMA_H

#include <stdbool.h>

#include "user/model/policy.h"

enum rf_type {
	RF_TYPE_STRING,
	RF_TYPE_NAME, /* DNS subdomain (RFC 1123): lower case letters, digits, '-', '.' */
	RF_TYPE_GLOB,
	RF_TYPE_INTEGER,
	RF_TYPE_BOOLEAN,
	RF_TYPE_ENUM, /* compared without case */
	RF_TYPE_CIDR,
	RF_TYPE_DURATION,	/* "60s" */
	RF_TYPE_QUANTITY,	/* "2Gi", "500k", "1.5" */
	RF_TYPE_NUMBER_OR_ANY,	/* an integer, or "*" */
	RF_TYPE_NUMBER_OR_NAME, /* which numbers and names there are depends on another field */
	RF_TYPE_ABSPATH,
	RF_TYPE_LABELS, /* a mapping of strings */
	RF_TYPE_OBJECT,
	RF_TYPES
};

struct rf_field {
	const char *key;
	enum rf_type type;
	bool list; /* a sequence of @type */
	bool required;
	const char *dflt;	   /* as written in a file; NULL: none */
	const char *const *values; /* of an enum, NULL at the end */
	const char *expected;	   /* the hint where a word is none of @values or no integer; NULL: made from those */
	int64_t min, max;	   /* of an integer, or items of a list */
	bool ignored;		   /* known, and without a meaning here: whatever it holds is right */
	bool nullable;		   /* null stands for a field that was left out */
	bool empty;		   /* of a string: "" is one */
	bool masked;		   /* of a CIDR: bits past the prefix are cleared with a warning, not refused */
	int needs;		   /* 1 + the enum rf_feature that a file with this field needs; 0: none */
	const char *text;
	const char *example;		 /* one line; NULL: none */
	const struct rf_field *children; /* of an object; key NULL at the end */
};

/* What a document may be, as a hint to whoever wrote another. */
#define RF_DOCUMENT_KINDS                                                          \
	"expected apiVersion: ringfence/v1 with kind: WorkloadPolicy or Label, or" \
	" apiVersion: networking.k8s.io/v1 with kind: NetworkPolicy"

/* The document itself, an object: a WorkloadPolicy. */
extern const struct rf_field rf_schema;
/* A Label. */
extern const struct rf_field rf_schema_label;
/* Kubernetes' NetworkPolicy, and the List that kubectl prints several of them in. */
extern const struct rf_field rf_schema_kubernetes;
extern const struct rf_field rf_schema_kubernetes_list;

const char *rf_type_name(const struct rf_field *f); /* "list of CIDR" */
/* False: this version checks the field and what is below it, and refuses to enforce them. */
bool rf_field_is_enforced(const struct rf_field *f);
const struct rf_field *rf_field_child(const struct rf_field *object, const char *key);
/* The key most like @key, or NULL when none is near. */
const char *rf_field_nearest(const struct rf_field *object, const char *key);
/* Nearest of a NULL-terminated list. */
const char *rf_nearest(const char *const *words, const char *word);

#endif

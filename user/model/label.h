/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A label on trees of files, after parsing; and the words that file rules have. Defined by user/policy/schema.c. */
#ifndef RF_MODEL_LABEL_H
#define RF_MODEL_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/file_map.h"
#include "user/lib/cleanup.h"

/* In the order of enum rf_file_access; NULL at the end. */
extern const char *const rf_file_access_names[];
/* Letters of either case. -EINVAL. */
int rf_file_access_parse(const char *name);
/* "read, write"; "nothing" of none. */
#define RF_FILE_ACCESS_TEXT 128
const char *rf_file_access_text(uint32_t access, char buffer[static RF_FILE_ACCESS_TEXT]);

/* One entry of spec.paths. */
struct rf_label_path {
	char *path; /* absolute, without "." and "..", doubled and trailing slashes */
	uint32_t line, column;
};

struct rf_file_label {
	unsigned int shared; /* as in struct rf_policy */
	char *file;	     /* as given to the parser */
	uint32_t line, column;
	char *name;
	char *tenant;	  /* NULL: nobody's */
	const char *kind; /* static: dataset, model, secret, other */
	bool is_private; /* access: tenant. To workloads of other tenants all is denied that no rule of theirs allows */
	struct rf_label_path *paths;
	size_t n_paths;
};

/* Another owner; each frees it. Not from several threads. */
struct rf_file_label *rf_file_label_share(struct rf_file_label *l);
void rf_file_label_free(struct rf_file_label *l);
RF_DEFINE_CLEANUP(struct rf_file_label, rf_file_label_free)

/*
 * What the kernel and the lineage have in place of a label's name: of the same name always the same, and never
 * RF_LABEL_NONE. FNV-1a (draft-eastlake-fnv).
 */
uint64_t rf_file_label_id(const char *name);

/*
 * The paths of all labels and file rules of a set, each once: zone i + 1 of the kernel's is list[i]. Made by
 * user/policy/zones.h, owned by the set whose labels it points to.
 */
struct rf_zone {
	char *path;			   /* as the host has it, symbolic links resolved */
	const struct rf_file_label *label; /* of the innermost path of a label that this is, or is below; NULL: none */
	uint32_t above;			   /* the zone around it; RF_ZONE_NONE */
	bool first;			   /* of its label: no zone before it has that */
};

struct rf_zones {
	struct rf_zone *list; /* sorted by path */
	uint32_t n;
	struct rf_zone_name {
		char *path; /* as a document has it */
		uint32_t zone;
	} *names; /* sorted by path */
	size_t n_names;
};

void rf_zones_free(struct rf_zones *z); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_zones, rf_zones_free)
#define _cleanup_zones_ _cleanup_(rf_zones_freep)

/* As struct rf_label_path has it; "/" stays. NULL: it is not absolute, or has ".." (or no memory). */
char *rf_file_path_normal(const char *path);
/* Is @path the same as @tree, or below it? Both as above. */
bool rf_file_path_is_below(const char *path, const char *tree);

#endif

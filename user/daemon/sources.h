/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy texts: read from a directory or from named files, overlaid, compared,
 * kept on disk. A bundle of sources is what is applied, stored as a generation
 * and returned to.
 */
#ifndef RF_DAEMON_SOURCES_H
#define RF_DAEMON_SOURCES_H

#include <stdint.h>

#include "user/lib/cleanup.h"
#include "user/model/policy.h"
#include "user/policy/diag.h"

struct rf_source {
	char *name; /* base name: unique in a bundle, "web.yaml" */
	char *path; /* where it was read, for people */
	char *text;
	size_t len;
};

struct rf_sources {
	struct rf_source *list; /* sorted by name */
	size_t n;
};

#define RF_SOURCES_INIT { NULL, 0 }

void rf_sources_fini(struct rf_sources *s);
#define _cleanup_sources_ _cleanup_(rf_sources_fini)

/* Every *.yaml and *.yml of @dir. -ENOENT when the directory is not there; @ret_error names the file that failed. */
int rf_sources_read_dir(struct rf_sources *s, const char *dir, char **ret_error);
/* A file, or every policy file of a directory; replaces what has the same base name. */
int rf_sources_overlay(struct rf_sources *s, const char *path, char **ret_error);
int rf_sources_copy(struct rf_sources *to, const struct rf_sources *from);
uint64_t rf_sources_hash(const struct rf_sources *s);
/*
 * All documents of all files; -EINVAL with @diags. A file that is in @old as it is in @s is not parsed again, and what
 * it warned of not repeated: its policies are shared with @old_set, which @old was parsed into (NULL: there is none).
 */
int rf_sources_parse(const struct rf_sources *s, const struct rf_sources *old, const struct rf_policy_set *old_set,
		     struct rf_policy_set **ret, struct rf_diags *diags);
/* The file that was read at @path; NULL when there is none. */
const struct rf_source *rf_sources_find(const struct rf_sources *s, const char *path);
/* Makes @dir hold exactly these files (other policy files in it are removed), each written atomically. */
int rf_sources_write_dir(const struct rf_sources *s, const char *dir);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file rules of several policies, and the labels that are private to other
 * tenants -> what is denied to one workload in each zone. One list in the order
 * of policies, for each access the first rule that matches decides; after them
 * a private label denies; what is left is allowed.
 */
#ifndef RF_POLICY_COMPILE_FILES_H
#define RF_POLICY_COMPILE_FILES_H

#include "user/lib/strbuf.h"
#include "user/policy/compile.h"
#include "user/policy/zones.h"

/* What is denied in one zone, and the place in refs of each denial. */
struct rf_file_entry {
	uint32_t zone;
	uint32_t deny; /* 1 << enum rf_file_access */
	uint32_t rule[RF_FILE_ACCESS_COUNT];
};

struct rf_file_set {
	struct rf_file_entry *entries; /* by zone, only those where something is denied */
	uint32_t n;
	uint32_t asked; /* what hooks must be asked for: what is denied somewhere; mmap-exec only of what may be read */
};

struct rf_files_image {
	struct rf_file_set set[RF_TIERS]; /* RF_TIER_AUDIT: of all policies, or empty where none is in audit */
	struct rf_rule_ref *refs;
};

/*
 * @zones may be NULL: there are no labels and no paths. *ret_image is NULL (and 0 returned) when nothing is denied. The
 * workload's tenant is that of the first policy. -E2BIG with a diagnostic past RF_MAX_FILE_RULES.
 */
int rf_files_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		     struct rf_diags *diags, struct rf_files_image **ret_image);
void rf_files_image_free(struct rf_files_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_files_image, rf_files_image_free)
#define _cleanup_files_image_ _cleanup_(rf_files_image_freep)

/* Same content for the kernel? */
bool rf_file_set_equal(const struct rf_file_set *a, const struct rf_file_set *b);
/* What decided, by zone and denied accesses of an event; NULL when nothing of @image did. */
const struct rf_rule_ref *rf_files_ref(const struct rf_files_image *image, enum rf_tier tier, uint32_t zone,
				       uint32_t denied);

/* For people: the rules in order. */
void rf_files_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of several policies -> sets of texts and zones, in the form of
 * include/ringfence/exec_map.h. Pure. The same image answers in user space
 * ("policy test") and is what the engine writes into the maps.
 */
#ifndef RF_POLICY_COMPILE_PROCESS_H
#define RF_POLICY_COMPILE_PROCESS_H

#include "user/policy/compile.h"
#include "user/policy/zones.h"

struct rf_exec_entry {
	struct rf_exec_key key; /* of set 0 */
	struct rf_exec_value value;
};

/* The rules of one tier. */
struct rf_exec_image {
	uint64_t digest; /* of everything the kernel sees */
	uint32_t n_rules;
	struct rf_rule_ref *refs; /* n_rules, then one for the default */
	struct rf_exec_set set;
	struct rf_exec_entry *entries; /* sorted by key */
	uint32_t n_entries;
};

struct rf_process_image {
	struct rf_exec_image *exec[RF_TIERS]; /* NULL: no opinion */
	uint32_t deny[RF_TIERS];	      /* 1 << RF_EXEC_MEMFD, RF_EXEC_DRIFT */
	struct rf_rule_ref *refs;
	const struct rf_rule_ref *ref[RF_TIERS][RF_EXEC_LIMITS]; /* into @refs; NULL: not denied */
};

/*
 * @zones may be NULL: rules by label match nothing. *ret_image is NULL (and 0 returned) when no policy has a say.
 * -E2BIG: too many rules, told in @diags.
 */
int rf_process_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		       struct rf_diags *diags, struct rf_process_image **ret_image);
void rf_process_image_free(struct rf_process_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_process_image, rf_process_image_free)
#define _cleanup_process_image_ _cleanup_(rf_process_image_freep)

/* Same content for the kernel? (compares all but refs) */
bool rf_exec_image_equal(const struct rf_exec_image *a, const struct rf_exec_image *b);

/*
 * The verdict of a set by the kernel's algorithm; *ret_rule: index in refs (n_rules: the default). @path is absolute,
 * without links, of a file in @zone (RF_ZONE_NONE: in none). True: allowed. A NULL image allows.
 */
bool rf_exec_evaluate(const struct rf_exec_image *image, enum rf_exec_role role, const char *path, uint32_t zone,
		      uint32_t *ret_rule);

/* What decided, by what is in an event; NULL when nothing of @image did. */
const struct rf_rule_ref *rf_process_ref(const struct rf_process_image *image, enum rf_tier tier,
					 enum rf_exec_reason reason, uint16_t rule);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which inodes the zones of a set of policies begin at: of each path, of what
 * is mounted below it, and of files below it that have other names as well.
 */
#ifndef RF_DAEMON_LABELS_H
#define RF_DAEMON_LABELS_H

#include "user/engine/engine.h"
#include "user/model/policy.h"
#include "user/policy/diag.h"

struct rf_labels {
	/* Of each zone of the set that was resolved last, what stat() told of its path; inode 0: it was not there. */
	struct rf_label_seen {
		uint64_t device, inode;
	} *seen;
	uint32_t n;
	int mounts_fd; /* the table of mounts, which says when it has changed; 0: not open */
};

/*
 * Makes the zones of @set and writes where they begin for the generation that is put in force next; then @ret takes the
 * place of what was resolved before. A path that is not there is a warning. On failure @diags or @ret_error says why.
 */
int rf_labels_resolve(struct rf_labels *ret, struct rf_engine *e, struct rf_policy_set *set, struct rf_diags *diags,
		      char **ret_error);
/*
 * Once a second, for @set in force: paths that have come, or are another file or directory now, and what has been
 * mounted below. What had the label keeps it.
 */
void rf_labels_tick(struct rf_labels *l, struct rf_engine *e, const struct rf_policy_set *set);
void rf_labels_fini(struct rf_labels *l);

/* For people: the label of a zone, or the path of one without. NULL: not known. */
const char *rf_labels_zone_name(const struct rf_policy_set *set, uint32_t zone);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of several policies -> what one workload may make or reach. What
 * any of them denies is denied, and of netlink only the families are left that
 * all of them allow; the order of policies matters for whose denial is named.
 */
#ifndef RF_POLICY_COMPILE_SOCKETS_H
#define RF_POLICY_COMPILE_SOCKETS_H

#include "user/lib/strbuf.h"
#include "user/policy/compile.h"

struct rf_sockets_image {
	struct rf_socket_limits limits[RF_TIERS]; /* RF_TIER_AUDIT: of all policies, or zero where none is in audit */
	struct rf_rule_ref *refs;
	const struct rf_rule_ref *ref[RF_TIERS][RF_SOCKET_RULES]; /* into @refs; NULL: not denied */
};

/* *ret_image is NULL (and 0 returned) when no policy denies anything. */
int rf_sockets_compile(const struct rf_policy *const *policies, size_t n, struct rf_sockets_image **ret_image);
void rf_sockets_image_free(struct rf_sockets_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_sockets_image, rf_sockets_image_free)
#define _cleanup_sockets_image_ _cleanup_(rf_sockets_image_freep)

/* What decided, by the rule in an event; NULL when nothing of @image did. */
const struct rf_rule_ref *rf_sockets_ref(const struct rf_sockets_image *image, enum rf_tier tier, uint16_t rule);

/* For people: each denial, and whose it is. */
void rf_sockets_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out);

#endif

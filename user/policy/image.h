/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that one combination of policies compiles to. Workloads that are
 * selected by the same policies share one image. Immutable and counted.
 */
#ifndef RF_POLICY_IMAGE_H
#define RF_POLICY_IMAGE_H

#include "ringfence/event.h"
#include "user/policy/compile.h"
#include "user/policy/compile_isolation.h"
#include "user/policy/compile_kernel.h"
#include "user/policy/compile_files.h"
#include "user/policy/compile_process.h"
#include "user/policy/compile_quotas.h"
#include "user/policy/compile_rates.h"
#include "user/policy/compile_sockets.h"

struct rf_image {
	unsigned int refs;
	struct rf_ruleset_image *ruleset[RF_DIRECTIONS][RF_TIERS]; /* NULL: no opinion */
	struct rf_device_image *device[RF_TIERS];
	struct rf_dns_image dns;
	struct rf_rates_image *rates;	      /* NULL: no limits */
	struct rf_sockets_image *sockets;     /* NULL: nothing denied */
	struct rf_isolation_image *isolation; /* NULL: nothing denied */
	struct rf_kernel_image *kernel;	      /* likewise */
	struct rf_files_image *files;	      /* likewise */
	struct rf_process_image *process;     /* NULL: every program runs */
	struct rf_quotas_image *quotas;	      /* NULL: none */
	bool calls;			      /* of libraries of accelerators are counted, and quotas hold for them */
	uint32_t telemetry;
	struct rf_flow_sampling flows;
	char **policies; /* full names, in merge order */
	size_t n_policies;
	const char *mode; /* static: enforce, audit, mixed, none */
};

/* @zones: those of the policies' set; NULL: there are no labels and no paths of file rules. */
int rf_image_compile(const struct rf_policy *const *policies, size_t n, const struct rf_zones *zones,
		     const struct rf_device_host *host, struct rf_diags *diags, struct rf_image **ret);
/* Only what judges flows: for what is asked and never put in force. */
int rf_image_compile_network(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
			     struct rf_image **ret);
struct rf_image *rf_image_ref(struct rf_image *image);
void rf_image_unref(struct rf_image *image); /* NULL is allowed */
RF_DEFINE_CLEANUP(struct rf_image, rf_image_unref)
#define _cleanup_image_ _cleanup_(rf_image_unrefp)

/* A flow as the rules see it; @address in network order, @port in host order. */
struct rf_flow_query {
	enum rf_direction direction;
	uint8_t family, protocol;
	uint16_t port;
	const uint8_t *address;
	const struct rf_peer_view *peer;
};

struct rf_flow_answer {
	enum rf_verdict verdict;
	enum rf_tier tier;	       /* that decided */
	const struct rf_rule_ref *ref; /* lives as long as the image; NULL: no policy speaks of the direction */
	const struct rf_rule_rate_image *limits; /* of the rule that allows; NULL: none */
	bool asks_peers;			 /* some rule that was tried asks what the peer is */
};

/* What the kernel would say, without and with the policies that only audit. A NULL image allows. */
struct rf_flow_answer rf_image_judge(const struct rf_image *image, const struct rf_flow_query *query);

#endif

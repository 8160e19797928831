/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policies of one workload -> rule sets and device sets, in the form of
 * include/ringfence/policy_map.h but with offsets relative to the set's own
 * table. Pure. The same image answers in user space ("policy test") and is
 * what the engine writes into the maps.
 */
#ifndef RF_POLICY_COMPILE_H
#define RF_POLICY_COMPILE_H

#include "ringfence/policy_map.h"
#include "ringfence/workload_map.h"
#include "user/policy/diag.h"

/* Where a rule came from, by its index in the compiled set. Borrowed strings are copied: an image outlives its
 * policies. */
struct rf_rule_ref {
	char *policy; /* tenant/namespace/name */
	char *rule;
	char *file;
	uint32_t line;
	enum rf_action action;
	enum rf_mode mode;
};

struct rf_peer_entry {
	uint8_t prefix; /* of the address, 0..32 or 0..128 */
	uint8_t addr[16];
	uint32_t set; /* index in @sets */
};

struct rf_port_entry {
	uint8_t prefixlen; /* as in struct rf_port_key: 32, 40..56 */
	uint8_t protocol;
	uint16_t port; /* host order, low bits zero */
	uint32_t set;
};

/* A way to choose peers by what they are, and the rules that use it. */
struct rf_peer_class {
	enum rf_peer_kind kind; /* RF_PEER_WORKLOAD, HOST, WORLD, SELF or DNS */
	struct rf_peer_selector selector;
	char *name;   /* of RF_PEER_DNS, lower case; else NULL */
	uint32_t set; /* index in @sets */
};

struct rf_ruleset_image {
	uint64_t digest; /* of everything the kernel sees; equal images have equal digests */
	uint32_t n_rules;
	uint32_t words;
	bool default_allow;
	struct rf_rule_ref *refs; /* n_rules, then one for the default (policy that set it, rule "default") */
	uint64_t *sets;		  /* n_sets * words; each distinct; set 0 is empty */
	uint32_t n_sets;
	uint32_t allow_set;
	uint32_t any_peer_set;
	uint32_t any_port_set;
	struct rf_peer_entry *peers4, *peers6; /* sorted, distinct prefixes */
	uint32_t n_peers4, n_peers6;
	struct rf_port_entry *ports; /* sorted, distinct */
	uint32_t n_ports;
	struct rf_peer_class *classes; /* distinct */
	uint32_t n_classes;
	bool asks_peers; /* some class is of another kind than RF_PEER_DNS */
	bool asks_names; /* some class is of the kind RF_PEER_DNS */
};

void rf_ruleset_image_free(struct rf_ruleset_image *image);
RF_DEFINE_CLEANUP(struct rf_ruleset_image, rf_ruleset_image_free)
#define _cleanup_ruleset_ _cleanup_(rf_ruleset_image_freep)

/*
 * Compiles @direction of @policies (in merge order). RF_TIER_ENFORCE takes the policies in mode enforce, RF_TIER_AUDIT
 * all of them. *ret_image is NULL (and 0 returned) when no policy of the tier has the section, and for RF_TIER_AUDIT
 * also when none of the policies with the section is in audit mode. A CIDR's exceptions do not match the rule. A peer
 * by country that was not looked up makes the rule match nobody if it allows; the host check refuses it
 * earlier if it denies. -E2BIG with a diagnostic past RF_MAX_RULES.
 */
int rf_ruleset_compile(const struct rf_policy *const *policies, size_t n, enum rf_direction direction,
		       enum rf_tier tier, struct rf_diags *diags, struct rf_ruleset_image **ret_image);

/*
 * The verdict of an image, by the kernel's algorithm. @addr in network order (4 or 16 bytes by @family; IPv4-mapped
 * IPv6 is judged as IPv4), @port in host order, of ICMP RF_ICMP_PORT(). @peer: NULL when nothing is known but the
 * address. *ret_rule: index in refs (n_rules: the default). True: allowed. A NULL image allows.
 */
bool rf_ruleset_evaluate_peer(const struct rf_ruleset_image *image, uint8_t family, const uint8_t *addr,
			      uint8_t protocol, uint16_t port, const struct rf_peer_view *peer, uint32_t *ret_rule);

static inline bool rf_ruleset_evaluate(const struct rf_ruleset_image *image, uint8_t family, const uint8_t *addr,
				       uint8_t protocol, uint16_t port, uint32_t *ret_rule)
{
	return rf_ruleset_evaluate_peer(image, family, addr, protocol, port, NULL, ret_rule);
}

/* The rules that @peer matches by what it is, into @ret (RF_RULE_WORDS). True: there is one. */
bool rf_ruleset_members(const struct rf_ruleset_image *image, const struct rf_peer_view *peer, uint64_t *ret);

/* Same content for the kernel? (compares all but refs) */
bool rf_ruleset_image_equal(const struct rf_ruleset_image *a, const struct rf_ruleset_image *b);

/* How names are learnt for the workload; the defaults where no policy says anything. */
struct rf_dns_image {
	uint32_t min_ttl_s, max_ttl_s;
	struct rf_cidr resolvers[RF_MAX_RESOLVERS];
	uint32_t n_resolvers;
};

/* The longest floor and the shortest ceiling; the resolvers of the first policy that names some. */
/* The smallest sample and the shortest idle time. */
void rf_flow_sampling_compile(const struct rf_policy *const *policies, size_t n, struct rf_flow_sampling *ret);
void rf_dns_compile(const struct rf_policy *const *policies, size_t n, struct rf_dns_image *ret);

struct rf_device_entry {
	uint32_t type, major, minor;
	uint16_t allow;
	uint16_t rule[RF_DEVICE_BITS]; /* RF_RULE_DEFAULT, RF_RULE_ACCELERATOR_DEFAULT */
};

struct rf_device_image {
	uint64_t digest;
	uint32_t n_rules;
	struct rf_rule_ref *refs;	 /* n_rules: devices, then accelerators; then the default of each */
	struct rf_device_entry *entries; /* always ends with one (ANY, ANY) per type */
	uint32_t n_entries;
	bool accelerators; /* some policy has spec.accelerators */
};

void rf_device_image_free(struct rf_device_image *image);
RF_DEFINE_CLEANUP(struct rf_device_image, rf_device_image_free)
#define _cleanup_device_image_ _cleanup_(rf_device_image_freep)

/*
 * @resolve turns a path into numbers (0, or -ENOENT: the rule matches nothing and a warning is added); it is a
 * parameter so that this stays pure.
 */
typedef int (*rf_device_resolve_fn)(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor,
				    void *arg);
/* What of the host the rules are compiled for. */
struct rf_device_host {
	rf_device_resolve_fn resolve; /* NULL: no path is there */
	void *arg;
	const struct rf_accelerators *accelerators; /* NULL: none */
};

/* Of spec.devices and spec.accelerators, both of which must allow. */
int rf_device_compile(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
		      const struct rf_device_host *host, struct rf_diags *diags, struct rf_device_image **ret_image);
/* The reference of a rule as an entry has it; NULL: there is no such rule. */
const struct rf_rule_ref *rf_device_image_ref(const struct rf_device_image *image, uint16_t rule);
/* @access one bit of RF_DEVICE_*. */
bool rf_device_evaluate(const struct rf_device_image *image, uint32_t type, uint32_t major, uint32_t minor,
			uint32_t access, uint32_t *ret_rule);
bool rf_device_image_equal(const struct rf_device_image *a, const struct rf_device_image *b);

#endif

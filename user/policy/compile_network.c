// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network rules -> a rule set. Both sides of a rule become claims on prefixes
 * (an address prefix; a protocol with a port prefix), which the sweep turns
 * into the vectors that the kernel looks up. A side without a limit is in the
 * base vector instead, and so in every other one.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <strings.h>

#include "user/policy/rule_refs.h"
#include "user/policy/ruleset.h"
#include "user/policy/sweep.h"

struct build {
	enum rf_direction direction;
	struct rf_diags *diags;
	struct rf_rule_source *sources; /* every rule, then the default */
	uint16_t n_rules;
	uint64_t allow[RF_RULE_WORDS];
	uint64_t any_peer[RF_RULE_WORDS];
	uint64_t any_port[RF_RULE_WORDS];
	struct rf_claims peers4, peers6, ports;
	struct class
	{
		const struct rf_peer *peer; /* the first that said it */
		uint64_t rules[RF_RULE_WORDS];
	} *classes;
	uint32_t n_classes;
	struct rf_vectors vectors;
};

static void build_fini(struct build *b)
{
	free(b->sources);
	free(b->classes);
	rf_claims_fini(&b->peers4);
	rf_claims_fini(&b->peers6);
	rf_claims_fini(&b->ports);
	rf_vectors_fini(&b->vectors);
}

#define _cleanup_build_ _cleanup_(build_fini)

static const char *direction_name(enum rf_direction direction)
{
	return direction == RF_EGRESS ? "egress" : "ingress";
}

static const char *peer_kind_name(enum rf_peer_kind kind)
{
	static const char *const names[] = {
		[RF_PEER_CIDR] = "cidr",	 [RF_PEER_DNS] = "dns",	  [RF_PEER_COUNTRY] = "country",
		[RF_PEER_WORKLOAD] = "workload", [RF_PEER_HOST] = "host", [RF_PEER_WORLD] = "world",
		[RF_PEER_SELF] = "self",
	};

	_Static_assert(ARRAY_SIZE(names) == RF_PEERS, "a name for every kind of peer");
	return names[kind];
}

static int peer_claim(struct build *b, uint16_t rule, const struct rf_peer *peer)
{
	const struct rf_cidr *cidr = &peer->cidr;
	struct rf_claims *claims = cidr->family == AF_INET6 ? &b->peers6 : &b->peers4;
	struct rf_prefix prefix = rf_prefix_address(cidr->family, cidr->addr, cidr->prefix);
	uint32_t claimant = claims->n_claimants++;
	int r;

	r = rf_claims_add(claims, prefix, false, rule, claimant);
	for (size_t i = 0; r == 0 && i < peer->n_excepts; i++) {
		const struct rf_cidr *except = &peer->excepts[i];
		struct rf_prefix hole = rf_prefix_address(except->family, except->addr, except->prefix);

		/* IPv4-mapped exceptions of an IPv6 prefix, say: that prefix never matches IPv4 anyway. */
		if (except->family == cidr->family && rf_prefix_contains(&prefix, &hole))
			r = rf_claims_add(claims, hole, true, rule, claimant);
	}
	return r;
}

static int country_claim(struct build *b, uint16_t rule, const struct rf_cidr_list *country)
{
	int r = 0;

	for (size_t i = 0; r == 0 && country && i < country->n; i++) {
		const struct rf_cidr *cidr = &country->list[i];
		struct rf_claims *claims = cidr->family == AF_INET6 ? &b->peers6 : &b->peers4;

		r = rf_claims_add(claims, rf_prefix_address(cidr->family, cidr->addr, cidr->prefix), false, rule,
				  claims->n_claimants++);
	}
	return r;
}

static bool is_class(enum rf_peer_kind kind)
{
	return kind == RF_PEER_DNS || kind == RF_PEER_WORKLOAD || kind == RF_PEER_HOST || kind == RF_PEER_WORLD ||
	       kind == RF_PEER_SELF;
}

static bool same_class(const struct rf_peer *a, const struct rf_peer *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == RF_PEER_DNS ? strcasecmp(a->text, b->text) == 0 :
					rf_peer_selector_equal(&a->selector, &b->selector);
}

/* A peer chosen by what it is: rules that choose alike share a class. */
static int class_claim(struct build *b, const struct rf_policy *p, const struct rf_network_rule *rule, uint16_t index,
		       const struct rf_peer *peer)
{
	uint32_t i = 0;

	while (i < b->n_classes && !same_class(b->classes[i].peer, peer))
		i++;
	if (i == RF_MAX_CLASSES) {
		rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, peer->mark, 0, NULL, 0,
			     "choose peers by tenant, namespace or labels rather than one by one",
			     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d different peers by "
			     "workload or name for one workload's %s",
			     rule->name, p->tenant, p->namespace, p->name, RF_MAX_CLASSES,
			     direction_name(b->direction));
		return -E2BIG;
	}
	if (i == b->n_classes) {
		/* Grows when the count is a power of two. */
		if ((i & (i - 1)) == 0) {
			struct class *grown = reallocarray(b->classes, i ? i * 2 : 1, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			b->classes = grown;
		}
		b->classes[b->n_classes++] = (struct class){ .peer = peer };
	}
	rf_vector_set(b->classes[i].rules, index);
	return 0;
}

/* 0 when every peer can be compiled; 1 when the rule can match nobody; -EOPNOTSUPP when it must not be lost. */
static int peers_check(struct build *b, const struct rf_policy *p, const struct rf_network_rule *rule)
{
	for (size_t i = 0; i < rule->n_peers; i++) {
		const struct rf_peer *peer = &rule->peers[i];

		if (peer->kind == RF_PEER_CIDR || is_class(peer->kind) || peer->country)
			continue;
		if (peer->kind == RF_PEER_COUNTRY && p->geo_skip)
			continue;
		if (rule->action == RF_ACTION_ALLOW || p->mode == RF_MODE_AUDIT || p->unsupported_audit)
			return 1;
		rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, peer->mark, 0, NULL, 0, "use cidr, or mode: audit",
			     "rule \"%s\" of policy \"%s/%s/%s\" denies a %s peer, which cannot be enforced yet",
			     rule->name, p->tenant, p->namespace, p->name, peer_kind_name(peer->kind));
		return -EOPNOTSUPP;
	}
	return 0;
}

static int peers_claim(struct build *b, const struct rf_policy *p, const struct rf_network_rule *rule, uint16_t index)
{
	int r = peers_check(b, p, rule);

	if (r)
		return r < 0 ? r : 0;
	if (!rule->n_peers)
		rf_vector_set(b->any_peer, index);
	for (size_t i = 0; i < rule->n_peers; i++) {
		const struct rf_peer *peer = &rule->peers[i];

		if (is_class(peer->kind))
			r = class_claim(b, p, rule, index, peer);
		else if (peer->kind == RF_PEER_COUNTRY)
			r = country_claim(b, index, peer->country);
		else
			r = peer_claim(b, index, peer);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The fewest aligned blocks that make up first..last. */
static int port_range_claim(struct build *b, uint16_t rule, uint8_t protocol, uint32_t first, uint32_t last)
{
	while (first <= last) {
		unsigned int bits = first ? (unsigned int)__builtin_ctz(first) : 16;
		int r;

		while (first + (1u << bits) - 1 > last)
			bits--;
		r = rf_claims_add(&b->ports, rf_prefix_port(protocol, first, 8 + 16 - bits), false, rule, 0);
		if (r < 0)
			return r;
		first += 1u << bits;
	}
	return 0;
}

static bool match_is_any(const struct rf_port_match *match)
{
	return !match->protocol && match->first == 0 && match->last == UINT16_MAX;
}

static int ports_claim(struct build *b, const struct rf_network_rule *rule, uint16_t index)
{
	/* Those whose ports the kernel reads (bpf/lib/packet.bpf.h). */
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_DCCP };
	bool any = !rule->n_ports;

	for (size_t i = 0; i < rule->n_ports; i++)
		any |= match_is_any(&rule->ports[i]);
	if (any) {
		rf_vector_set(b->any_port, index);
		return 0;
	}
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct rf_port_match *match = &rule->ports[i];
		size_t n = match->protocol ? 1 : ARRAY_SIZE(with_ports);

		for (size_t j = 0; j < n; j++) {
			uint8_t protocol = match->protocol ? match->protocol : with_ports[j];
			int r = port_range_claim(b, index, protocol, match->first, match->last);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int rule_add(struct build *b, const struct rf_policy *p, const struct rf_network_rule *rule)
{
	uint16_t index = b->n_rules;
	int r;

	if (index == RF_MAX_RULES) {
		rf_diags_add(b->diags, RF_SEVERITY_ERROR, p->file, rule->mark, 0, NULL, 0,
			     "put peers and ports that are treated alike into one rule",
			     "rule \"%s\" of policy \"%s/%s/%s\" is past the limit of %d %s rules for one workload",
			     rule->name, p->tenant, p->namespace, p->name, RF_MAX_RULES, direction_name(b->direction));
		return -E2BIG;
	}
	b->sources[b->n_rules++] = (struct rf_rule_source){ p, rule->name, rule->mark.line, rule->action };
	if (rule->action == RF_ACTION_ALLOW)
		rf_vector_set(b->allow, index);
	r = peers_claim(b, p, rule, index);
	return r < 0 ? r : ports_claim(b, rule, index);
}

static int peers_sweep(struct build *b, struct rf_claims *claims, uint8_t family, struct rf_peer_entry **ret_list,
		       uint32_t *ret_n)
{
	_cleanup_free_ struct rf_swept *swept = NULL;
	struct rf_peer_entry *list;
	uint32_t n;
	int r;

	r = rf_claims_sweep(claims, b->any_peer, &b->vectors, &swept, &n);
	if (r < 0)
		return r;
	if (n > (family == AF_INET6 ? RF_MAX_PEERS6 : RF_MAX_PEERS4))
		return -E2BIG;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t high = htobe64(swept[i].prefix.high), low = htobe64(swept[i].prefix.low);

		list[i].prefix = swept[i].prefix.length;
		memcpy(list[i].addr, &high, family == AF_INET6 ? 8 : 4);
		memcpy(list[i].addr + 8, &low, 8);
		list[i].set = swept[i].set;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

static int ports_sweep(struct build *b, struct rf_port_entry **ret_list, uint32_t *ret_n)
{
	_cleanup_free_ struct rf_swept *swept = NULL;
	struct rf_port_entry *list;
	uint32_t n;
	int r;

	b->ports.n_claimants = 1; /* ports have no exceptions */
	r = rf_claims_sweep(&b->ports, b->any_port, &b->vectors, &swept, &n);
	if (r < 0)
		return r;
	if (n > RF_MAX_PORTS)
		return -E2BIG;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		list[i].prefixlen = RF_PORT_PREFIX_ANY + swept[i].prefix.length;
		list[i].protocol = swept[i].prefix.high >> 56;
		list[i].port = swept[i].prefix.high >> 40 & UINT16_MAX;
		list[i].set = swept[i].set;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

static int classes_make(struct build *b, struct rf_ruleset_image *image)
{
	if (!b->n_classes)
		return 0;
	image->classes = calloc(b->n_classes, sizeof(*image->classes));
	if (!image->classes)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->n_classes; i++) {
		struct rf_peer_class *class = &image->classes[i];
		int r = rf_vectors_add(&b->vectors, b->classes[i].rules, &class->set);

		if (r == 0)
			r = rf_peer_selector_copy(&class->selector, &b->classes[i].peer->selector);
		if (r < 0)
			return r;
		class->kind = b->classes[i].peer->kind;
		image->n_classes++;
		image->asks_names |= class->kind == RF_PEER_DNS;
		image->asks_peers |= class->kind != RF_PEER_DNS;
		if (class->kind != RF_PEER_DNS)
			continue;
		class->name = strdup(b->classes[i].peer->text);
		if (!class->name)
			return -ENOMEM;
		for (char *s = class->name; *s; s++)
			*s = tolower((unsigned char)*s);
	}
	return 0;
}

static int image_make(struct build *b, const struct rf_merge *merge, struct rf_ruleset_image **ret)
{
	_cleanup_ruleset_ struct rf_ruleset_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	image->n_rules = b->n_rules;
	image->words = b->n_rules ? (b->n_rules + 63) / 64 : 1;
	image->default_allow = merge->dflt_action == RF_ACTION_ALLOW;
	b->sources[b->n_rules] = rf_merge_default(merge);
	r = rf_rule_refs_new(b->sources, (size_t)b->n_rules + 1, &image->refs);
	if (r == 0)
		r = rf_vectors_init(&b->vectors, image->words);
	if (r == 0)
		r = rf_vectors_add(&b->vectors, b->allow, &image->allow_set);
	if (r == 0)
		r = rf_vectors_add(&b->vectors, b->any_peer, &image->any_peer_set);
	if (r == 0)
		r = rf_vectors_add(&b->vectors, b->any_port, &image->any_port_set);
	if (r == 0)
		r = peers_sweep(b, &b->peers4, AF_INET, &image->peers4, &image->n_peers4);
	if (r == 0)
		r = peers_sweep(b, &b->peers6, AF_INET6, &image->peers6, &image->n_peers6);
	if (r == 0)
		r = ports_sweep(b, &image->ports, &image->n_ports);
	if (r == 0)
		r = classes_make(b, image);
	if (r < 0)
		return r;
	image->n_sets = b->vectors.n;
	image->sets = TAKE_PTR(b->vectors.list);
	image->digest = rf_ruleset_image_digest(image);
	*ret = TAKE_PTR(image);
	return 0;
}

/* Not from any one rule: the prefixes or vectors of all of them together are more than the kernel's maps hold. */
static void too_big(struct build *b, const struct rf_merge *merge)
{
	rf_diags_add(b->diags, RF_SEVERITY_ERROR, merge->dflt->file, (struct rf_mark){ .line = merge->dflt_line }, 0,
		     NULL, 0, NULL,
		     "the %s rules of policy \"%s/%s/%s\" and of those that share its workloads need more prefixes or "
		     "rule vectors than the kernel's maps hold",
		     direction_name(b->direction), merge->dflt->tenant, merge->dflt->namespace, merge->dflt->name);
}

int rf_ruleset_compile(const struct rf_policy *const *policies, size_t n, enum rf_direction direction,
		       enum rf_tier tier, struct rf_diags *diags, struct rf_ruleset_image **ret_image)
{
	_cleanup_build_ struct build b = { .direction = direction, .diags = diags };
	struct rf_merge merge = { 0 };
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (d->present && rf_tier_takes(tier, policies[i]))
			rf_merge_add(&merge, policies[i], d->default_action, d->mark, d->n_rules);
	}
	if (rf_merge_idle(&merge, tier)) {
		*ret_image = NULL;
		return 0;
	}
	b.sources = calloc(MIN(merge.n_rules, (size_t)RF_MAX_RULES) + 1, sizeof(*b.sources));
	if (!b.sources)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (!d->present || !rf_tier_takes(tier, policies[i]))
			continue;
		for (size_t j = 0; j < d->n_rules; j++) {
			r = rule_add(&b, policies[i], &d->rules[j]);
			if (r < 0)
				return r;
		}
	}
	r = image_make(&b, &merge, ret_image);
	if (r == -E2BIG)
		too_big(&b, &merge);
	return r;
}

void rf_dns_compile(const struct rf_policy *const *policies, size_t n, struct rf_dns_image *ret)
{
	bool said = false;

	*ret = (struct rf_dns_image){ .min_ttl_s = RF_DNS_MIN_TTL_S, .max_ttl_s = RF_DNS_MAX_TTL_S };
	for (size_t i = 0; i < n; i++) {
		const struct rf_dns *dns = &policies[i]->dns;

		if (!dns->present)
			continue;
		ret->min_ttl_s = said ? MAX(ret->min_ttl_s, dns->min_ttl_s) : dns->min_ttl_s;
		ret->max_ttl_s = said ? MIN(ret->max_ttl_s, dns->max_ttl_s) : dns->max_ttl_s;
		said = true;
		if (ret->n_resolvers)
			continue;
		ret->n_resolvers = MIN(dns->n_resolvers, (size_t)RF_MAX_RESOLVERS);
		if (ret->n_resolvers)
			memcpy(ret->resolvers, dns->resolvers, ret->n_resolvers * sizeof(*ret->resolvers));
	}
	ret->max_ttl_s = MAX(ret->min_ttl_s, ret->max_ttl_s);
}

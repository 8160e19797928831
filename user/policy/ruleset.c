// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule set images: life, comparison, and the kernel's verdict (bpf/lib/verdict.bpf.h) in user space. */
#include "user/policy/ruleset.h"

#include <errno.h>
#include <netinet/in.h>

#include "user/lib/inet.h"
#include "user/policy/digest.h"
#include "user/policy/prefix.h"

void rf_ruleset_image_free(struct rf_ruleset_image *image)
{
	if (!image)
		return;
	free(image->refs); /* with their strings */
	free(image->sets);
	free(image->peers4);
	free(image->peers6);
	free(image->ports);
	for (uint32_t i = 0; i < image->n_classes; i++) {
		rf_peer_selector_fini(&image->classes[i].selector);
		free(image->classes[i].name);
	}
	free(image->classes);
	free(image);
}

static uint64_t peers_digest(uint64_t digest, const struct rf_peer_entry *peers, uint32_t n)
{
	digest = rf_digest_add(digest, n);
	for (uint32_t i = 0; i < n; i++) {
		struct rf_prefix p = rf_prefix_address(AF_INET6, peers[i].addr, 128);

		digest = rf_digest_add(digest, p.high);
		digest = rf_digest_add(digest, p.low);
		digest = rf_digest_add(digest, (uint64_t)peers[i].set << 8 | peers[i].prefix);
	}
	return digest;
}

static uint64_t text_digest(uint64_t digest, const char *text)
{
	/* An absent one is not an empty one. */
	digest = rf_digest_add(digest, text ? strlen(text) : UINT64_MAX);
	for (; text && *text; text++)
		digest = rf_digest_add(digest, (unsigned char)*text);
	return digest;
}

static uint64_t matches_digest(uint64_t digest, const struct rf_label_matches *matches)
{
	digest = rf_digest_add(digest, matches->n);
	for (size_t i = 0; i < matches->n; i++) {
		const struct rf_label_match *m = &matches->list[i];

		digest = text_digest(digest, m->key);
		digest = rf_digest_add(digest, m->n_values << 8 | m->operator);
		for (size_t k = 0; k < m->n_values; k++)
			digest = text_digest(digest, m->values[k]);
	}
	return digest;
}

static uint64_t classes_digest(uint64_t digest, const struct rf_peer_class *classes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct rf_peer_selector *s = &classes[i].selector;

		digest = rf_digest_add(digest, (uint64_t)classes[i].set << 8 | classes[i].kind << 1 | s->pods);
		digest = text_digest(digest, classes[i].name);
		digest = text_digest(digest, s->tenant);
		digest = text_digest(digest, s->namespace);
		digest = text_digest(digest, s->workload);
		digest = matches_digest(digest, &s->labels);
		digest = matches_digest(digest, &s->namespace_labels);
	}
	return digest;
}

uint64_t rf_ruleset_image_digest(const struct rf_ruleset_image *image)
{
	size_t n = (size_t)image->n_sets * image->words;
	uint64_t digest = RF_DIGEST_INIT;

	digest = rf_digest_add(digest,
			       (uint64_t)image->n_rules << 33 | (uint64_t)image->words << 1 | image->default_allow);
	digest = rf_digest_add(digest, (uint64_t)image->allow_set << 32 | image->any_peer_set);
	digest = rf_digest_add(digest, (uint64_t)image->any_port_set << 32 | image->n_sets);
	for (size_t i = 0; i < n; i++)
		digest = rf_digest_add(digest, image->sets[i]);
	digest = peers_digest(digest, image->peers4, image->n_peers4);
	digest = peers_digest(digest, image->peers6, image->n_peers6);
	digest = rf_digest_add(digest, image->n_ports);
	for (uint32_t i = 0; i < image->n_ports; i++) {
		const struct rf_port_entry *port = &image->ports[i];

		digest = rf_digest_add(digest, (uint64_t)port->set << 32 | (uint64_t)port->prefixlen << 24 |
						       (uint64_t)port->protocol << 16 | port->port);
	}
	digest = classes_digest(digest, image->classes, image->n_classes);
	/* 0 is "no rule set" in the kernel's map. */
	return digest ? digest : 1;
}

static bool peers_equal(const struct rf_peer_entry *a, const struct rf_peer_entry *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].prefix != b[i].prefix || a[i].set != b[i].set ||
		    memcmp(a[i].addr, b[i].addr, sizeof(a[i].addr)))
			return false;
	return true;
}

static bool ports_equal(const struct rf_port_entry *a, const struct rf_port_entry *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].prefixlen != b[i].prefixlen || a[i].protocol != b[i].protocol || a[i].port != b[i].port ||
		    a[i].set != b[i].set)
			return false;
	return true;
}

static bool classes_equal(const struct rf_peer_class *a, const struct rf_peer_class *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].kind != b[i].kind || a[i].set != b[i].set || !a[i].name != !b[i].name ||
		    (a[i].name && !rf_streq(a[i].name, b[i].name)) ||
		    !rf_peer_selector_equal(&a[i].selector, &b[i].selector))
			return false;
	return true;
}

bool rf_ruleset_image_equal(const struct rf_ruleset_image *a, const struct rf_ruleset_image *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->digest != b->digest || a->n_rules != b->n_rules || a->words != b->words ||
	    a->default_allow != b->default_allow || a->n_sets != b->n_sets || a->allow_set != b->allow_set ||
	    a->any_peer_set != b->any_peer_set || a->any_port_set != b->any_port_set || a->n_peers4 != b->n_peers4 ||
	    a->n_peers6 != b->n_peers6 || a->n_ports != b->n_ports || a->n_classes != b->n_classes)
		return false;
	return !memcmp(a->sets, b->sets, (size_t)a->n_sets * a->words * sizeof(*a->sets)) &&
	       peers_equal(a->peers4, b->peers4, a->n_peers4) && peers_equal(a->peers6, b->peers6, a->n_peers6) &&
	       ports_equal(a->ports, b->ports, a->n_ports) && classes_equal(a->classes, b->classes, a->n_classes);
}

/* A sorted table of prefixes, whatever its entries are. */
struct table {
	const void *entries;
	uint32_t n;
	uint8_t family; /* of peers */
	struct rf_prefix (*prefix)(const struct table *t, uint32_t i);
};

static struct rf_prefix peer_prefix(const struct table *t, uint32_t i)
{
	const struct rf_peer_entry *peer = (const struct rf_peer_entry *)t->entries + i;

	return rf_prefix_address(t->family, peer->addr, peer->prefix);
}

static struct rf_prefix port_prefix(const struct table *t, uint32_t i)
{
	const struct rf_port_entry *port = (const struct rf_port_entry *)t->entries + i;

	return rf_prefix_port(port->protocol, port->port, port->prefixlen - RF_PORT_PREFIX_ANY);
}

/* How many entries are not after @key. */
static uint32_t table_rank(const struct table *t, const struct rf_prefix *key)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct rf_prefix p = t->prefix(t, middle);

		if (rf_prefix_compare(&p, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The longest prefix that contains @key, or -ENOENT. Where the entry before @key does not contain it, whatever does
 * contains that entry too, and so is no longer than what the two share.
 */
static int64_t table_match(const struct table *t, struct rf_prefix key)
{
	for (;;) {
		uint32_t rank = table_rank(t, &key);
		struct rf_prefix before;

		if (!rank)
			return -ENOENT;
		before = t->prefix(t, rank - 1);
		if (rf_prefix_contains(&before, &key))
			return rank - 1;
		key = rf_prefix_mask(key, rf_prefix_common(&before, &key));
	}
}

static uint32_t peer_set(const struct rf_ruleset_image *image, uint8_t family, const uint8_t *addr)
{
	const struct table peers = {
		.entries = family == AF_INET6 ? image->peers6 : image->peers4,
		.n = family == AF_INET6 ? image->n_peers6 : image->n_peers4,
		.family = family,
		.prefix = peer_prefix,
	};
	int64_t at = table_match(&peers, rf_prefix_address(family, addr, family == AF_INET6 ? 128 : 32));

	if (at < 0)
		return image->any_peer_set;
	return ((const struct rf_peer_entry *)peers.entries)[at].set;
}

static uint32_t port_set(const struct rf_ruleset_image *image, uint8_t protocol, uint16_t port)
{
	const struct table ports = { .entries = image->ports, .n = image->n_ports, .prefix = port_prefix };
	int64_t at = table_match(&ports, rf_prefix_port(protocol, port, 24));

	return at < 0 ? image->any_port_set : image->ports[at].set;
}

static bool class_holds(const struct rf_peer_class *class, const struct rf_peer_view *peer)
{
	switch (class->kind) {
	case RF_PEER_WORKLOAD:
		return peer->place == RF_PLACE_WORKLOAD && rf_peer_selector_match(&class->selector, &peer->facts);
	case RF_PEER_HOST:
		return peer->place == RF_PLACE_HOST;
	case RF_PEER_WORLD:
		return peer->place == RF_PLACE_WORLD;
	case RF_PEER_SELF:
		return peer->self;
	case RF_PEER_DNS:
		return peer->name && rf_dns_name_match(class->name, peer->name);
	default:
		return false;
	}
}

bool rf_ruleset_members(const struct rf_ruleset_image *image, const struct rf_peer_view *peer, uint64_t *ret)
{
	bool any = false;

	memset(ret, 0, sizeof(*ret) * RF_RULE_WORDS);
	for (uint32_t i = 0; i < image->n_classes; i++) {
		const uint64_t *rules = image->sets + (size_t)image->classes[i].set * image->words;

		if (!class_holds(&image->classes[i], peer))
			continue;
		any = true;
		for (uint32_t k = 0; k < image->words; k++)
			ret[k] |= rules[k];
	}
	return any;
}

bool rf_ruleset_evaluate_peer(const struct rf_ruleset_image *image, uint8_t family, const uint8_t *addr,
			      uint8_t protocol, uint16_t port, const struct rf_peer_view *peer, uint32_t *ret_rule)
{
	const uint8_t *mapped = rf_inet_mapped(family, addr);
	const uint64_t *peers, *ports, *allow;
	uint64_t members[RF_RULE_WORDS] = { 0 };

	if (!image) {
		*ret_rule = 0;
		return true;
	}
	if (mapped) {
		family = AF_INET;
		addr = mapped;
	}
	if (peer)
		(void)rf_ruleset_members(image, peer, members);
	peers = image->sets + (size_t)peer_set(image, family, addr) * image->words;
	ports = image->sets + (size_t)port_set(image, protocol, port) * image->words;
	allow = image->sets + (size_t)image->allow_set * image->words;
	for (uint32_t i = 0; i < image->words; i++) {
		uint64_t both = (peers[i] | members[i]) & ports[i];

		if (both) {
			unsigned int bit = __builtin_ctzll(both);

			*ret_rule = i * 64 + bit;
			return allow[i] >> bit & 1;
		}
	}
	*ret_rule = image->n_rules;
	return image->default_allow;
}

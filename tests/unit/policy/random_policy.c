// SPDX-License-Identifier: GPL-2.0-or-later
/* Included by the tests that use it. */
#include "tests/unit/policy/random_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringfence/policy_map.h"

#define SEED 20261121

void *arena_new(struct arena *a, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		abort();
	block->next = a->blocks;
	a->blocks = block;
	return block->data;
}

char *arena_format(struct arena *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		abort();
	return memcpy(arena_new(a, n + 1), text, n + 1);
}

void arena_free(struct arena *a)
{
	for (struct arena_block *block = a->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	a->blocks = NULL;
}

uint64_t random_seed(const char *what)
{
	const char *text = getenv("RF_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : SEED;

	printf("# %s: seed %llu (RF_SEED sets another)\n", what, (unsigned long long)seed);
	return seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return (random_next(r) >> 32) * n >> 32;
}

bool random_one_in(struct random *r, uint32_t n)
{
	return random_below(r, n) == 0;
}

struct rf_policy *policy_new(struct arena *a, const char *name, enum rf_mode mode)
{
	struct rf_policy *p = arena_new(a, sizeof(*p));

	p->file = arena_format(a, "%s.yaml", name);
	p->name = arena_format(a, "%s", name);
	p->tenant = arena_format(a, "t");
	p->namespace = arena_format(a, "ns");
	p->priority = 100;
	p->mode = mode;
	return p;
}

struct rf_network_direction *policy_network(struct arena *a, struct rf_policy *p, enum rf_direction direction,
					    enum rf_action dflt, uint32_t line, size_t n_rules)
{
	struct rf_network_direction *d = &p->network[direction];

	d->present = true;
	d->mark.line = line;
	d->mark.column = 5;
	d->default_action = dflt;
	d->rules = arena_new(a, n_rules * sizeof(*d->rules));
	d->n_rules = n_rules;
	for (size_t i = 0; i < n_rules; i++) {
		d->rules[i].mark.line = line + 1 + i;
		d->rules[i].mark.column = 9;
		d->rules[i].name = arena_format(a, "r%zu", i);
	}
	return d;
}

struct rf_devices *policy_devices(struct arena *a, struct rf_policy *p, enum rf_action dflt, uint32_t line,
				  size_t n_rules)
{
	struct rf_devices *d = &p->devices;

	d->present = true;
	d->mark.line = line;
	d->default_action = dflt;
	d->rules = arena_new(a, n_rules * sizeof(*d->rules));
	d->n_rules = n_rules;
	for (size_t i = 0; i < n_rules; i++) {
		d->rules[i].mark.line = line + 1 + i;
		d->rules[i].name = arena_format(a, "d%zu", i);
		d->rules[i].type = 2;
	}
	return d;
}

/* Clears the bits from @from on. */
static void host_bits_clear(uint8_t addr[16], unsigned int from)
{
	for (unsigned int bit = from; bit < 128; bit++)
		addr[bit / 8] &= ~(0x80 >> bit % 8);
}

struct rf_cidr cidr_of(const char *text)
{
	char address[64];
	struct rf_cidr cidr = { 0 };
	unsigned int prefix;

	if (sscanf(text, "%63[^/]/%u", address, &prefix) != 2)
		abort();
	cidr.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	cidr.prefix = prefix;
	if (inet_pton(cidr.family, address, cidr.addr) != 1)
		abort();
	host_bits_clear(cidr.addr, prefix);
	return cidr;
}

/* From a few near addresses, so that prefixes of all lengths share bits. */
static void random_address(struct random *r, uint8_t family, uint8_t addr[16])
{
	static const uint8_t v4[3][16] = { { 10, 0, 0, 0 }, { 10, 1, 128, 0 }, { 192, 0, 2, 129 } };
	static const uint8_t v6[4][16] = {
		{ 0x20, 0x01, 0x0d, 0xb8 },
		{ 0x20, 0x01, 0x0d, 0xb8, [8] = 0x80, [15] = 1 },
		{ 0 },
		{ [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 }, /* IPv4-mapped */
	};
	unsigned int bits = family == AF_INET6 ? 128 : 32, flips = random_below(r, 4);

	memcpy(addr, family == AF_INET6 ? v6[random_below(r, 4)] : v4[random_below(r, 3)], 16);
	while (flips--) {
		unsigned int bit = random_below(r, bits);

		addr[bit / 8] ^= 0x80 >> bit % 8;
	}
}

static bool is_mapped_prefix(const struct rf_cidr *cidr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return cidr->family == AF_INET6 && cidr->prefix >= 96 && !memcmp(cidr->addr, mapped, sizeof(mapped));
}

static struct rf_cidr random_cidr(struct random *r, uint8_t family)
{
	static const uint8_t lengths4[] = { 0, 1, 8, 9, 15, 16, 17, 24, 30, 31, 32 };
	static const uint8_t lengths6[] = { 0, 1, 32, 33, 63, 64, 65, 80, 95, 96, 127, 128 };
	struct rf_cidr cidr = { .family = family };

	if (random_one_in(r, 3))
		cidr.prefix = random_below(r, family == AF_INET6 ? 129 : 33);
	else if (family == AF_INET6)
		cidr.prefix = lengths6[random_below(r, sizeof(lengths6))];
	else
		cidr.prefix = lengths4[random_below(r, sizeof(lengths4))];
	random_address(r, family, cidr.addr);
	host_bits_clear(cidr.addr, cidr.prefix);
	if (is_mapped_prefix(&cidr)) { /* as the parser stores it */
		memmove(cidr.addr, cidr.addr + 12, 4);
		memset(cidr.addr + 4, 0, 12);
		cidr.family = AF_INET;
		cidr.prefix -= 96;
	}
	return cidr;
}

/* Inside @outer, or as wide. */
static struct rf_cidr random_except(struct random *r, const struct rf_cidr *outer)
{
	unsigned int bits = outer->family == AF_INET6 ? 128 : 32;
	struct rf_cidr cidr = { .family = outer->family };

	random_address(r, outer->family, cidr.addr);
	for (unsigned int bit = 0; bit < outer->prefix; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		cidr.addr[bit / 8] = (cidr.addr[bit / 8] & ~mask) | (outer->addr[bit / 8] & mask);
	}
	cidr.prefix = outer->prefix + random_below(r, MIN(bits - outer->prefix, 10u) + 1);
	if (random_one_in(r, 4))
		cidr.prefix = bits;
	host_bits_clear(cidr.addr, cidr.prefix);
	if (is_mapped_prefix(&cidr))
		return cidr_of("0.0.0.0/0"); /* what ::/0 except ::ffff:0:0/96 is stored as */
	return cidr;
}

static char *random_word(struct arena *a, struct random *r)
{
	return arena_format(a, "w%u", (unsigned int)random_below(r, 3));
}

char *random_host(struct arena *a, struct random *r)
{
	return arena_format(a, "w%u%s", (unsigned int)random_below(r, 3), random_one_in(r, 4) ? "" : ".example");
}

static void random_selector(struct arena *a, struct random *r, struct rf_peer_selector *s)
{
	if (random_one_in(r, 2))
		s->tenant = random_word(a, r);
	if (random_one_in(r, 2))
		s->namespace = random_word(a, r);
	if (random_one_in(r, 3))
		s->workload = random_word(a, r);
	s->pods = random_one_in(r, 4);
	if (random_one_in(r, 4)) {
		s->labels.list = arena_new(a, sizeof(*s->labels.list));
		s->labels.n = 1;
		s->labels.list->key = random_word(a, r);
		s->labels.list->values = arena_new(a, sizeof(*s->labels.list->values));
		s->labels.list->values[0] = random_word(a, r);
		s->labels.list->n_values = 1;
	}
}

struct rf_peer_view *random_view(struct arena *a, struct random *r)
{
	struct rf_peer_view *view = arena_new(a, sizeof(*view));
	struct rf_identity *id = arena_new(a, sizeof(*id));

	if (random_one_in(r, 8))
		return NULL;
	view->place = random_below(r, RF_PLACE_WORKLOAD + 1);
	if (view->place != RF_PLACE_WORKLOAD)
		return view;
	view->self = random_one_in(r, 4);
	view->facts = (struct rf_peer_facts){ random_word(a, r), random_word(a, r), random_word(a, r), id };
	if (random_one_in(r, 5))
		view->facts = (struct rf_peer_facts){ .identity = random_one_in(r, 2) ? id : NULL };
	if (random_one_in(r, 2))
		id->pod_name = random_word(a, r);
	if (random_one_in(r, 2)) {
		id->labels = arena_new(a, sizeof(*id->labels));
		id->n_labels = 1;
		id->labels_known = true;
		id->labels->key = random_word(a, r);
		id->labels->value = random_word(a, r);
	}
	return view;
}

static void random_peers(struct arena *a, struct random *r, struct rf_network_rule *rule)
{
	rule->n_peers = random_one_in(r, 5) ? 0 : 1 + random_below(r, 4);
	rule->peers = arena_new(a, rule->n_peers * sizeof(*rule->peers));
	for (size_t i = 0; i < rule->n_peers; i++) {
		struct rf_peer *peer = &rule->peers[i];

		if (rule->action == RF_ACTION_ALLOW && random_one_in(r, 80)) {
			peer->kind = RF_PEER_COUNTRY;
			peer->text = arena_format(a, "XX");
			continue;
		}
		if (random_one_in(r, 60)) {
			peer->kind = RF_PEER_DNS;
			peer->text = random_one_in(r, 2) ? arena_format(a, "*.example") : random_host(a, r);
			continue;
		}
		if (random_one_in(r, 30)) {
			peer->kind = RF_PEER_WORKLOAD + random_below(r, RF_PEERS - RF_PEER_WORKLOAD);
			if (peer->kind == RF_PEER_WORKLOAD)
				random_selector(a, r, &peer->selector);
			continue;
		}
		peer->cidr = random_cidr(r, random_one_in(r, 3) ? AF_INET6 : AF_INET);
		peer->n_excepts = random_one_in(r, 2) ? random_below(r, 5) : 0;
		peer->excepts = arena_new(a, peer->n_excepts * sizeof(*peer->excepts));
		for (size_t j = 0; j < peer->n_excepts; j++)
			peer->excepts[j] = random_except(r, &peer->cidr);
	}
}

static uint8_t random_protocol(struct random *r)
{
	static const uint8_t protocols[] = { IPPROTO_TCP,  IPPROTO_TCP,	 IPPROTO_UDP,
					     IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6 };

	return protocols[random_below(r, sizeof(protocols))];
}

static uint16_t random_port(struct random *r)
{
	static const uint16_t ports[] = { 0, 1, 22, 53, 80, 443, 1023, 1024, 8080, 32767, 32768, 65534, 65535 };
	uint16_t port = ports[random_below(r, sizeof(ports) / sizeof(ports[0]))];

	return random_one_in(r, 3) ? port + random_below(r, 5) - 2 : port;
}

/* A type, or a type and a code; near one another, and at the edges of what a rule can name. */
static void random_icmp(struct random *r, struct rf_port_match *match)
{
	static const uint8_t types[] = { 0, 3, 3, 8, 11, 128, 253, 254 }, codes[] = { 0, 1, 4, 254, 255 };
	uint8_t type = types[random_below(r, sizeof(types))];

	match->first = RF_ICMP_PORT(type, 0);
	match->last = RF_ICMP_PORT(type, 255);
	if (random_one_in(r, 2))
		match->first = match->last = RF_ICMP_PORT(type, codes[random_below(r, sizeof(codes))]);
}

static void random_ports(struct arena *a, struct random *r, struct rf_network_rule *rule)
{
	rule->n_ports = random_one_in(r, 4) ? 0 : 1 + random_below(r, 3);
	rule->ports = arena_new(a, rule->n_ports * sizeof(*rule->ports));
	for (size_t i = 0; i < rule->n_ports; i++) {
		struct rf_port_match *match = &rule->ports[i];
		uint16_t x = random_port(r), y = random_one_in(r, 2) ? x : random_port(r);

		match->protocol = random_one_in(r, 6) ? 0 : random_protocol(r);
		match->first = x < y ? x : y;
		match->last = x < y ? y : x;
		if (match->protocol == IPPROTO_ICMP || match->protocol == IPPROTO_ICMPV6)
			random_icmp(r, match);
		if (random_one_in(r, 4)) {
			match->first = 0;
			match->last = 65535;
		}
	}
}

static void random_rules(struct arena *a, struct random *r, struct rf_policy *p, enum rf_direction direction,
			 size_t n_rules)
{
	enum rf_action dflt = random_below(r, RF_ACTIONS);
	struct rf_network_direction *d;

	if (random_one_in(r, 6))
		return;
	d = policy_network(a, p, direction, dflt, 10 + 1000 * direction, n_rules);
	for (size_t j = 0; j < n_rules; j++) {
		d->rules[j].action = random_below(r, RF_ACTIONS);
		random_peers(a, r, &d->rules[j]);
		random_ports(a, r, &d->rules[j]);
	}
}

size_t random_policies(struct arena *a, struct random *r, const struct rf_policy **policies, size_t max)
{
	size_t n = 1 + random_below(r, MIN(max, (size_t)4));

	for (size_t i = 0; i < n; i++) {
		enum rf_mode mode = random_one_in(r, 3) ? RF_MODE_AUDIT : RF_MODE_ENFORCE;
		struct rf_policy *p = policy_new(a, arena_format(a, "p%zu", i), mode);

		for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
			/* Now and then more than one word, and more than two. */
			size_t n_rules = random_one_in(r, 20) ? random_below(r, 150) : random_below(r, 10);

			random_rules(a, r, p, direction, n_rules);
		}
		policies[i] = p;
	}
	return n;
}

/* One of the 65536 addresses below 10.32.0.0 or 2001:db8:0:32::, with up to 256 of its neighbours. */
static struct rf_cidr narrow_cidr(struct random *r)
{
	struct rf_cidr cidr = cidr_of(random_one_in(r, 3) ? "2001:db8:0:32::/128" : "10.32.0.0/32");
	unsigned int bytes = cidr.prefix / 8;

	cidr.addr[bytes - 2] = random_below(r, 256);
	cidr.addr[bytes - 1] = random_below(r, 256);
	cidr.prefix -= random_below(r, 9);
	host_bits_clear(cidr.addr, cidr.prefix);
	return cidr;
}

static void narrow_peers(struct arena *a, struct random *r, struct rf_network_rule *rule)
{
	rule->n_peers = 1 + random_below(r, 2);
	rule->peers = arena_new(a, rule->n_peers * sizeof(*rule->peers));
	for (size_t i = 0; i < rule->n_peers; i++) {
		struct rf_peer *peer = &rule->peers[i];

		peer->cidr = narrow_cidr(r);
		peer->n_excepts = random_one_in(r, 3) ? 1 + random_below(r, 2) : 0;
		peer->excepts = arena_new(a, peer->n_excepts * sizeof(*peer->excepts));
		for (size_t j = 0; j < peer->n_excepts; j++)
			peer->excepts[j] = random_except(r, &peer->cidr);
	}
}

size_t random_policies_long(struct arena *a, struct random *r, const struct rf_policy **policies, size_t max,
			    enum rf_direction direction, size_t n_rules)
{
	size_t n = 1 + random_below(r, MIN(max, (size_t)4)), left = n_rules;

	for (size_t i = 0; i < n; i++) {
		enum rf_mode mode = random_one_in(r, 3) ? RF_MODE_AUDIT : RF_MODE_ENFORCE;
		struct rf_policy *p = policy_new(a, arena_format(a, "p%zu", i), mode);
		size_t share = i + 1 < n ? random_below(r, left + 1) : left;
		struct rf_network_direction *d =
			policy_network(a, p, direction, random_below(r, RF_ACTIONS), 10, share);

		for (size_t j = 0; j < share; j++) {
			d->rules[j].action = random_below(r, RF_ACTIONS);
			narrow_peers(a, r, &d->rules[j]);
			random_ports(a, r, &d->rules[j]);
		}
		left -= share;
		random_rules(a, r, p, !direction, random_below(r, 10));
		policies[i] = p;
	}
	return n;
}

/* The first or last address of @cidr, one before or after, or one inside. */
static void edge_address(struct random *r, const struct rf_cidr *cidr, uint8_t addr[16])
{
	unsigned int bits = cidr->family == AF_INET6 ? 128 : 32, where = random_below(r, 5);

	memcpy(addr, cidr->addr, 16);
	for (unsigned int bit = cidr->prefix; bit < bits; bit++)
		if (where == 1 || where == 3 || (where == 4 && random_one_in(r, 2)))
			addr[bit / 8] |= 0x80 >> bit % 8;
	if (where == 2)
		for (int i = bits / 8 - 1; i >= 0 && addr[i]-- == 0; i--)
			;
	if (where == 3)
		for (int i = bits / 8 - 1; i >= 0 && ++addr[i] == 0; i--)
			;
}

static void edge_port(struct random *r, const struct rf_port_match *match, struct reference_flow *flow)
{
	uint16_t edge = random_one_in(r, 2) ? match->first : match->last;

	flow->port = edge + random_below(r, 3) - 1;
	if (match->protocol)
		flow->protocol = match->protocol;
}

struct reference_flow random_flow(struct random *r, const struct rf_policy *const *policies, size_t n,
				  enum rf_direction direction)
{
	static const uint8_t others[] = { 1, 2, IPPROTO_DCCP, IPPROTO_UDPLITE, 47, 50, 255, 0 };
	const struct rf_network_direction *d = &policies[random_below(r, n)]->network[direction];
	struct reference_flow flow = { .family = random_one_in(r, 3) ? AF_INET6 : AF_INET };
	const struct rf_network_rule *rule;

	random_address(r, flow.family, flow.addr);
	flow.protocol = random_one_in(r, 5) ? others[random_below(r, sizeof(others))] : random_protocol(r);
	flow.port = random_port(r);
	if (d->n_rules) {
		rule = &d->rules[random_below(r, d->n_rules)];
		if (rule->n_peers && !random_one_in(r, 8)) {
			const struct rf_peer *peer = &rule->peers[random_below(r, rule->n_peers)];
			const struct rf_cidr *cidr = &peer->cidr;

			if (peer->n_excepts && random_one_in(r, 2))
				cidr = &peer->excepts[random_below(r, peer->n_excepts)];
			if (peer->kind == RF_PEER_CIDR) {
				flow.family = cidr->family;
				edge_address(r, cidr, flow.addr);
			}
		}
		/* The peer of one rule with the port of another is where rules meet. */
		if (random_one_in(r, 3))
			rule = &d->rules[random_below(r, d->n_rules)];
		if (rule->n_ports && !random_one_in(r, 8))
			edge_port(r, &rule->ports[random_below(r, rule->n_ports)], &flow);
	}
	if (flow.family == AF_INET && random_one_in(r, 4)) { /* the same address, as an IPv6 socket sees it */
		memmove(flow.addr + 12, flow.addr, 4);
		memset(flow.addr, 0, 10);
		memset(flow.addr + 10, 0xff, 2);
		flow.family = AF_INET6;
	}
	return flow;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Directions, rules, peers and ports. */
#include "user/policy/parse_network.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>

#include "ringfence/policy_map.h"
#include "user/lib/clock.h"
#include "user/model/icmp.h"
#include "user/policy/parse_rates.h"

/* Kubernetes' rule for ipBlock.except, and ours: each is a part of the CIDR, not all of it. */
static int excepts_parse(struct rf_checker *c, const struct rf_node *list, struct rf_peer *peer)
{
	if (!list || list->kind != RF_NODE_SEQUENCE || !list->n)
		return 0;
	peer->excepts = calloc(list->n, sizeof(*peer->excepts));
	if (!peer->excepts)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		struct rf_cidr *except = &peer->excepts[peer->n_excepts++];

		if (list->items[i]->kind != RF_NODE_SCALAR || rf_scalar_cidr(list->items[i]->text, except) < 0)
			continue;
		if (!rf_cidr_contains(&peer->cidr, except))
			rf_check_error(c, list->items[i], "an exception is a part of the CIDR",
				       "\"%s\" is not inside the CIDR", list->items[i]->text);
		else if (except->prefix == peer->cidr.prefix)
			rf_check_error(c, list->items[i], "leave the peer out", "\"%s\" leaves nothing of the CIDR",
				       list->items[i]->text);
	}
	return 0;
}

static bool is_country(const char *s)
{
	return isupper((unsigned char)s[0]) && isupper((unsigned char)s[1]) && !s[2];
}

/* A host name (RFC 1123, '_' as services have it); "*." before it stands for one label. */
static bool is_dns_name(const char *s)
{
	size_t label = 0, len;

	if (rf_strprefix(s, "*."))
		s += 2;
	len = strlen(s);
	if (len == 0 || len > RF_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = label == 0 || s[i + 1] == '.' || i == len - 1;

		if (s[i] == '.' && label > 0 && i < len - 1)
			label = 0;
		else if ((isalnum((unsigned char)s[i]) || s[i] == '_' || (s[i] == '-' && !edge)) && label < 63)
			label++;
		else
			return false;
	}
	return true;
}

/* "tenant/namespace/workload" as people read it, '*' for any. */
static char *selector_text(const struct rf_peer_selector *s)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	rf_strbuf_addf(&b, "%s/%s/%s", s->tenant ? s->tenant : "*", s->namespace ? s->namespace : "*",
		       s->workload ? s->workload : "*");
	for (size_t i = 0; i < s->labels.n; i++) {
		const struct rf_label_match *m = &s->labels.list[i];

		rf_strbuf_addf(&b, "%s%s", i ? "," : "{", m->key);
		if (m->operator== RF_LABEL_IN)
			rf_strbuf_addf(&b, "=%s", m->values[0]);
	}
	if (s->labels.n)
		rf_strbuf_adds(&b, "}");
	return rf_strbuf_take(&b);
}

/*
 * What is not said is the policy's own: a peer of another tenant must be named. A tenant named alone means all of its
 * namespaces.
 */
static int selector_defaults(const struct rf_policy *p, struct rf_peer_selector *s)
{
	if (!p)
		return 0;
	if (!s->namespace && !s->tenant) {
		s->namespace = strdup(p->namespace);
		if (!s->namespace)
			return -ENOMEM;
	}
	if (!s->tenant)
		s->tenant = strdup(p->tenant);
	return s->tenant ? 0 : -ENOMEM;
}

static int selector_parse(struct rf_checker *c, const struct rf_node *node, struct rf_peer *peer)
{
	const struct rf_node *labels = rf_node_get(node, "labels");
	struct rf_peer_selector *s = &peer->selector;
	int r = 0;

	s->tenant = rf_node_string(c, node, "tenant");
	s->namespace = rf_node_string(c, node, "namespace");
	s->workload = rf_node_string(c, node, "workload");
	for (size_t i = 0; r == 0 && labels && labels->kind == RF_NODE_MAPPING && i < labels->n; i++) {
		const struct rf_node *value = labels->items[i];
		const char *text = value->kind == RF_NODE_SCALAR && !rf_node_is_null(value) ? value->text : NULL;

		r = rf_label_matches_add(&s->labels, labels->keys[i]->text, text ? RF_LABEL_IN : RF_LABEL_EXISTS, &text,
					 text ? 1 : 0);
	}
	if (r == 0)
		r = selector_defaults(c->policy, s);
	if (r == 0)
		peer->text = selector_text(s);
	return r < 0 ? r : peer->text ? 0 : -ENOMEM;
}

/* "DE,FR". */
static int countries_text(struct rf_checker *c, const struct rf_node *list, char **ret)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	if (list->kind != RF_NODE_SEQUENCE)
		return 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct rf_node *item = list->items[i];

		if (item->kind != RF_NODE_SCALAR)
			continue;
		if (!is_country(item->text))
			rf_check_error(c, item, "two capital letters, ISO 3166-1 alpha-2", "\"%s\" is no country code",
				       item->text);
		rf_strbuf_addf(&b, "%s%s", b.len ? "," : "", item->text);
	}
	*ret = rf_strbuf_take(&b);
	return *ret ? 0 : -ENOMEM;
}

/* One kind a peer: an address side, or one way to fill it. */
static int peer_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction,
		      struct rf_peer *peer)
{
	static const struct {
		const char *key;
		enum rf_peer_kind kind;
	} kinds[] = { { "cidr", RF_PEER_CIDR },		 { "dns", RF_PEER_DNS },
		      { "country", RF_PEER_COUNTRY },	 { "tenant", RF_PEER_WORKLOAD },
		      { "namespace", RF_PEER_WORKLOAD }, { "workload", RF_PEER_WORKLOAD },
		      { "labels", RF_PEER_WORKLOAD },	 { "host", RF_PEER_HOST },
		      { "world", RF_PEER_WORLD } };
	const struct rf_node *value = NULL;
	unsigned int seen = 0;

	peer->mark = node->mark;
	if (node->kind != RF_NODE_MAPPING)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct rf_node *found = rf_node_get(node, kinds[i].key);

		if (!found)
			continue;
		seen |= 1u << kinds[i].kind;
		peer->kind = kinds[i].kind;
		value = found;
	}
	if (!seen || seen & (seen - 1)) {
		rf_check_error(c, node, "cidr, dns, country, host, world, or tenant/namespace/workload/labels",
			       seen ? "the peer is of several kinds; write one entry for each" :
				      "the peer names nobody");
		return 0;
	}
	if (rf_node_get(node, "except") && peer->kind != RF_PEER_CIDR)
		rf_check_error(c, rf_node_get(node, "except"), NULL, "except goes with cidr alone");
	if (peer->kind == RF_PEER_CIDR) {
		if (value->kind != RF_NODE_SCALAR || rf_scalar_cidr(value->text, &peer->cidr) == -EINVAL)
			return 0;
		return excepts_parse(c, rf_node_get(node, "except"), peer);
	}
	if (peer->kind == RF_PEER_WORKLOAD)
		return selector_parse(c, node, peer);
	if (peer->kind == RF_PEER_COUNTRY)
		return countries_text(c, value, &peer->text);
	if (value->kind != RF_NODE_SCALAR)
		return 0;
	if (peer->kind == RF_PEER_HOST || peer->kind == RF_PEER_WORLD) {
		if (rf_streq(value->text, "false"))
			rf_check_error(c, value, "leave the peer out", "the peer names nobody");
		return 0;
	}
	if (peer->kind == RF_PEER_DNS && !is_dns_name(value->text))
		rf_check_error(c, value, "a name such as api.example.com, or *.example.com", "\"%s\" is no DNS name",
			       value->text);
	else if (peer->kind == RF_PEER_DNS && direction == RF_INGRESS)
		rf_check_error(c, value, "name who may connect by cidr, country, tenant, namespace, workload or labels",
			       "nobody is known by name when it connects: dns is for egress");
	peer->text = strdup(value->text);
	return peer->text ? 0 : -ENOMEM;
}

static int peers_parse(struct rf_checker *c, const struct rf_node *list, enum rf_direction direction,
		       struct rf_network_rule *rule)
{
	int r = 0;

	if (!list || list->kind != RF_NODE_SEQUENCE)
		return 0;
	/* An empty list is easily taken for "nobody" and would mean "anybody". */
	if (!list->n)
		rf_check_error(c, list, "leave it out for any peer", "the list of peers is empty");
	rule->peers = calloc(list->n ? list->n : 1, sizeof(*rule->peers));
	if (!rule->peers)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < list->n; i++) {
		rule->n_peers = i + 1;
		r = peer_parse(c, list->items[i], direction, &rule->peers[i]);
	}
	return r;
}

static uint8_t protocol_of(const struct rf_node *node)
{
	static const struct {
		const char *name;
		uint8_t protocol;
	} protocols[] = { { "TCP", IPPROTO_TCP },   { "UDP", IPPROTO_UDP },	  { "SCTP", IPPROTO_SCTP },
			  { "ICMP", IPPROTO_ICMP }, { "ICMPv6", IPPROTO_ICMPV6 }, { "any", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (rf_node_is(node, "protocol", protocols[i].name))
			return protocols[i].protocol;
	return IPPROTO_TCP;
}

/* A type that is none of @protocol, or a code (@type 0 or more). */
static void icmp_error(struct rf_checker *c, const struct rf_node *node, unsigned int protocol, int type, bool range)
{
	_cleanup_strbuf_ struct rf_strbuf hint = RF_STRBUF_INIT, names = RF_STRBUF_INIT;

	if (type < 0)
		rf_icmp_types_list(&names, protocol);
	else
		rf_icmp_codes_list(&names, protocol, type);
	rf_strbuf_addf(&hint, "expected a number from 0 to %u", type < 0 ? RF_ICMP_TYPE_MAX : UINT8_MAX);
	if (names.len)
		rf_strbuf_addf(&hint, " or one of: %s", rf_strbuf_str(&names));
	if (range)
		rf_check_error(c, node, rf_strbuf_str(&hint), "%s is out of range", node->text);
	else
		rf_check_error(c, node, rf_strbuf_str(&hint), "\"%s\" is no %s of %s", node->text,
			       type < 0 ? "type" : "code of this type", protocol == IPPROTO_ICMP ? "ICMP" : "ICMPv6");
}

/* Type and code are to ICMP what ports are to others. */
static void icmp_parse(struct rf_checker *c, const struct rf_node *node, struct rf_port_match *port)
{
	const struct rf_node *type = rf_node_get(node, "type"), *code = rf_node_get(node, "code");
	uint8_t number, sub = 0;
	int r;

	if (!rf_protocol_is_icmp(port->protocol)) {
		if (type || code)
			rf_check_error(c, type ? type : code, "write protocol: ICMP or protocol: ICMPv6",
				       "only ICMP and ICMPv6 have a %s", type ? "type" : "code");
		return;
	}
	if (code && !type)
		rf_check_error(c, code, "add type, which the code belongs to", "code without type");
	/* No scalar: the schema has said so. */
	if (!type || type->kind != RF_NODE_SCALAR || rf_node_is_null(type))
		return;
	r = rf_icmp_type_parse(port->protocol, type->text, &number);
	if (r < 0) {
		icmp_error(c, type, port->protocol, -1, r == -ERANGE);
		return;
	}
	port->first = RF_ICMP_PORT(number, 0);
	port->last = RF_ICMP_PORT(number, UINT8_MAX);
	if (!code || code->kind != RF_NODE_SCALAR || rf_node_is_null(code))
		return;
	r = rf_icmp_code_parse(port->protocol, number, code->text, &sub);
	if (r < 0)
		icmp_error(c, code, port->protocol, number, r == -ERANGE);
	port->first = port->last = RF_ICMP_PORT(number, sub);
}

static void port_parse(struct rf_checker *c, const struct rf_node *node, struct rf_port_match *port)
{
	const struct rf_node *first = rf_node_get(node, "port"), *last = rf_node_get(node, "endPort");

	int64_t begin = rf_node_integer(node, "port", 0), end = rf_node_integer(node, "endPort", first ? begin : 65535);

	port->protocol = protocol_of(node);
	port->first = begin;
	port->last = end;
	/* Out of range: the schema has said so. */
	if (begin < 0 || begin > 65535 || end < 0 || end > 65535)
		return;
	if (last && !first)
		rf_check_error(c, last, "add port, where the range begins", "endPort without port");
	else if (port->last < port->first)
		rf_check_error(c, last, "a range goes from port up to endPort", "endPort %u is below port %u",
			       port->last, port->first);
	if (first && rf_protocol_is_icmp(port->protocol))
		rf_check_error(c, first, "leave port out; type and code choose messages of ICMP", "ICMP has no ports");
	else
		icmp_parse(c, node, port);
}

static int ports_parse(struct rf_checker *c, const struct rf_node *list, struct rf_network_rule *rule)
{
	if (!list || list->kind != RF_NODE_SEQUENCE)
		return 0;
	if (!list->n)
		rf_check_error(c, list, "leave it out for any port", "the list of ports is empty");
	rule->ports = calloc(list->n ? list->n : 1, sizeof(*rule->ports));
	if (!rule->ports)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		port_parse(c, list->items[i], &rule->ports[rule->n_ports++]);
	return 0;
}

static int rule_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction, size_t index,
		      struct rf_network_rule *rule)
{
	const struct rf_node *rate = rf_node_get(node, "rate");
	bool egress = direction == RF_EGRESS;
	int r;

	rule->mark = node->mark;
	rule->action = rf_node_action(node, "action", RF_ACTION_ALLOW);
	rule->name = rf_node_string(c, node, "name");
	if (!rule->name && asprintf(&rule->name, "%s[%zu]", egress ? "egress" : "ingress", index) < 0)
		rule->name = NULL;
	if (!rule->name)
		return -ENOMEM;
	if (rate && rule->action == RF_ACTION_DENY)
		rf_check_error(c, rate, "leave rate out, or let the rule allow: action: allow",
			       "a rate of a rule that denies: it lets no flows pass");
	r = peers_parse(c, rf_node_get(node, egress ? "to" : "from"), direction, rule);
	if (r >= 0)
		r = ports_parse(c, rf_node_get(node, "ports"), rule);
	return r < 0 ? r : rf_rule_rate_parse(c, rate, &rule->rate);
}

int rf_direction_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction,
		       struct rf_network_direction *ret)
{
	const struct rf_node *rules = rf_node_get(node, "rules");
	int r = 0;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	ret->present = true;
	ret->mark = node->mark;
	ret->default_action = rf_node_action(node, "default", RF_ACTION_DENY);
	if (!rules || rules->kind != RF_NODE_SEQUENCE || !rules->n)
		return 0;
	ret->rules = calloc(rules->n, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < rules->n; i++) {
		ret->n_rules = i + 1;
		r = rule_parse(c, rules->items[i], direction, i, &ret->rules[i]);
	}
	return r;
}

/* Whole seconds, as a TTL is; a part of one counts as one. */
static uint32_t ttl_parse(const struct rf_node *node, uint32_t dflt)
{
	uint64_t ns;

	if (!node || node->kind != RF_NODE_SCALAR || rf_duration_parse(node->text, UINT64_MAX, &ns) < 0)
		return dflt;
	ns = (ns + RF_NSEC_PER_SEC - 1) / RF_NSEC_PER_SEC;
	return ns > UINT32_MAX ? UINT32_MAX : ns;
}

int rf_dns_parse_section(struct rf_checker *c, const struct rf_node *node, struct rf_dns *ret)
{
	const struct rf_node *list = rf_node_get(node, "resolvers");

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	ret->present = true;
	ret->mark = node->mark;
	ret->min_ttl_s = ttl_parse(rf_node_get(node, "minTTL"), RF_DNS_MIN_TTL_S);
	ret->max_ttl_s = ttl_parse(rf_node_get(node, "maxTTL"), RF_DNS_MAX_TTL_S);
	if (ret->min_ttl_s > ret->max_ttl_s)
		rf_check_error(c, node, "minTTL is at most maxTTL", "minTTL is %u s and maxTTL %u s", ret->min_ttl_s,
			       ret->max_ttl_s);
	if (!list || list->kind != RF_NODE_SEQUENCE || !list->n)
		return 0;
	ret->resolvers = calloc(list->n, sizeof(*ret->resolvers));
	if (!ret->resolvers)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->kind == RF_NODE_SCALAR &&
		    rf_scalar_cidr(list->items[i]->text, &ret->resolvers[ret->n_resolvers]) == 0)
			ret->n_resolvers++;
	return 0;
}

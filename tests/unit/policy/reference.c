// SPDX-License-Identifier: GPL-2.0-or-later
/* The obvious way, with no thought for speed. Included by the tests that use it. */
#include "tests/unit/policy/reference.h"

#include <netinet/in.h>
#include <string.h>

#include "ringfence/policy_map.h"

static bool bit_of(const uint8_t *addr, unsigned int bit)
{
	return addr[bit / 8] & 0x80 >> bit % 8;
}

static bool in_cidr(const struct rf_cidr *cidr, uint8_t family, const uint8_t *addr)
{
	if (cidr->family != family)
		return false;
	for (unsigned int bit = 0; bit < cidr->prefix; bit++)
		if (bit_of(cidr->addr, bit) != bit_of(addr, bit))
			return false;
	return true;
}

static bool in_peer(const struct rf_peer *peer, uint8_t family, const uint8_t *addr)
{
	if (!in_cidr(&peer->cidr, family, addr))
		return false;
	for (size_t i = 0; i < peer->n_excepts; i++)
		if (in_cidr(&peer->excepts[i], family, addr))
			return false;
	return true;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

static bool in_match(const struct rf_port_match *match, uint8_t protocol, uint16_t port)
{
	bool any_port = match->first == 0 && match->last == 65535;

	if (match->protocol && match->protocol != protocol)
		return false;
	if (any_port)
		return true;
	if (!match->protocol && !has_ports(protocol))
		return false;
	return port >= match->first && port <= match->last;
}

static bool is_word(const char *wanted, const char *text)
{
	return !wanted || (text && rf_streq(wanted, text));
}

/* Selectors of these tests name words, no patterns, and at most one label that must have one value. */
static bool in_class(const struct rf_peer *peer, const struct rf_peer_view *view)
{
	const struct rf_peer_selector *s = &peer->selector;
	const struct rf_identity *id;

	if (!view)
		return false;
	if (peer->kind == RF_PEER_HOST)
		return view->place == RF_PLACE_HOST;
	if (peer->kind == RF_PEER_WORLD)
		return view->place == RF_PLACE_WORLD;
	if (peer->kind == RF_PEER_SELF)
		return view->self;
	if (peer->kind == RF_PEER_DNS && view->name && peer->text[0] == '*')
		return strcspn(view->name, ".") && rf_streq(view->name + strcspn(view->name, "."), peer->text + 1);
	if (peer->kind == RF_PEER_DNS)
		return view->name && rf_streq(view->name, peer->text);
	if (peer->kind != RF_PEER_WORKLOAD || view->place != RF_PLACE_WORKLOAD)
		return false;
	id = view->facts.identity;
	if (s->pods && !(id && id->pod_name))
		return false;
	if (s->labels.n && !(id && id->n_labels == 1 && rf_streq(id->labels[0].key, s->labels.list[0].key) &&
			     rf_streq(id->labels[0].value, s->labels.list[0].values[0])))
		return false;
	return is_word(s->tenant, view->facts.tenant) && is_word(s->namespace, view->facts.namespace) &&
	       is_word(s->workload, view->facts.workload);
}

static bool rule_matches(const struct rf_network_rule *rule, uint8_t family, const uint8_t *addr,
			 const struct reference_flow *flow)
{
	bool peer = rule->n_peers == 0, match = rule->n_ports == 0;

	/* A country that was not looked up must not open anything. */
	for (size_t i = 0; i < rule->n_peers; i++)
		if (rule->peers[i].kind == RF_PEER_COUNTRY)
			return false;
	for (size_t i = 0; i < rule->n_peers; i++)
		peer = peer || (rule->peers[i].kind == RF_PEER_CIDR ? in_peer(&rule->peers[i], family, addr) :
								      in_class(&rule->peers[i], flow->peer));
	for (size_t i = 0; i < rule->n_ports; i++)
		match = match || in_match(&rule->ports[i], flow->protocol, flow->port);
	return peer && match;
}

static bool is_mapped(const uint8_t *addr)
{
	for (int i = 0; i < 10; i++)
		if (addr[i])
			return false;
	return addr[10] == 0xff && addr[11] == 0xff;
}

struct reference_answer reference_network(const struct rf_policy *const *policies, size_t n,
					  enum rf_direction direction, enum rf_tier tier,
					  const struct reference_flow *flow)
{
	bool mapped = flow->family == AF_INET6 && is_mapped(flow->addr), audit = false, decided = false;
	const uint8_t *addr = mapped ? flow->addr + 12 : flow->addr;
	uint8_t family = mapped ? AF_INET : flow->family;
	struct reference_answer answer = { .allow = true };
	uint32_t number = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (!d->present || (tier == RF_TIER_ENFORCE && policies[i]->mode == RF_MODE_AUDIT))
			continue;
		answer.present = true;
		if (policies[i]->mode == RF_MODE_AUDIT)
			audit = true;
		for (size_t j = 0; j < d->n_rules; j++, number++) {
			if (decided || !rule_matches(&d->rules[j], family, addr, flow))
				continue;
			decided = true;
			answer.allow = d->rules[j].action == RF_ACTION_ALLOW;
			answer.rule = number;
			answer.policy = policies[i];
			answer.line = d->rules[j].mark.line;
		}
	}
	if (!answer.present || (tier == RF_TIER_AUDIT && !audit))
		return (struct reference_answer){ .allow = true };
	if (decided)
		return answer;
	answer.rule = number;
	for (size_t i = n; i-- > 0;) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (!d->present || (tier == RF_TIER_ENFORCE && policies[i]->mode == RF_MODE_AUDIT))
			continue;
		if (d->default_action == RF_ACTION_ALLOW && !answer.allow)
			continue;
		answer.allow = d->default_action == RF_ACTION_ALLOW;
		answer.policy = policies[i];
		answer.line = d->mark.line;
	}
	return answer;
}

static bool device_matches(const struct rf_device_rule *rule, const struct reference_path *paths, size_t n_paths,
			   uint32_t type, uint32_t major, uint32_t minor)
{
	if (rule->path) {
		for (size_t i = 0; i < n_paths; i++)
			if (!strcmp(paths[i].path, rule->path))
				return paths[i].type == type && paths[i].major == major && paths[i].minor == minor;
		return false;
	}
	return rule->type == type && (rule->major == RF_DEVICE_ANY || rule->major == major) &&
	       (rule->minor == RF_DEVICE_ANY || rule->minor == minor);
}

struct reference_answer reference_device(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
					 const struct reference_path *paths, size_t n_paths, uint32_t type,
					 uint32_t major, uint32_t minor, uint32_t access)
{
	struct reference_answer answer = { .allow = true };
	bool audit = false, decided = false;
	uint32_t number = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		if (!d->present || (tier == RF_TIER_ENFORCE && policies[i]->mode == RF_MODE_AUDIT))
			continue;
		answer.present = true;
		if (policies[i]->mode == RF_MODE_AUDIT)
			audit = true;
		for (size_t j = 0; j < d->n_rules; j++, number++) {
			if (decided || !(d->rules[j].access & access) ||
			    !device_matches(&d->rules[j], paths, n_paths, type, major, minor))
				continue;
			decided = true;
			answer.allow = d->rules[j].action == RF_ACTION_ALLOW;
			answer.rule = number;
			answer.policy = policies[i];
			answer.line = d->rules[j].mark.line;
		}
	}
	if (!answer.present || (tier == RF_TIER_AUDIT && !audit))
		return (struct reference_answer){ .allow = true };
	if (decided)
		return answer;
	answer.rule = number;
	for (size_t i = n; i-- > 0;) {
		const struct rf_devices *d = &policies[i]->devices;

		if (!d->present || (tier == RF_TIER_ENFORCE && policies[i]->mode == RF_MODE_AUDIT))
			continue;
		if (d->default_action == RF_ACTION_ALLOW && !answer.allow)
			continue;
		answer.allow = d->default_action == RF_ACTION_ALLOW;
		answer.policy = policies[i];
		answer.line = d->mark.line;
	}
	return answer;
}

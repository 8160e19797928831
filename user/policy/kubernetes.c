// SPDX-License-Identifier: GPL-2.0-or-later
/* What a manifest means, field by field; upstream's names are those of the API reference of networking.k8s.io/v1. */
#include "user/policy/kubernetes.h"

#include <errno.h>
#include <netinet/in.h>
#include <strings.h>

#include "ringfence/event.h"
#include "user/policy/label_selector.h"
#include "user/policy/parse_network.h"

#define API_VERSION	  "networking.k8s.io/v1"
#define ANNOTATION_PREFIX "ringfence.io/"
#define ANNOTATION_MODE	  ANNOTATION_PREFIX "mode"

bool rf_kubernetes_is_policy(const struct rf_node *root)
{
	return rf_node_is(root, "apiVersion", API_VERSION) ||
	       (rf_node_is(root, "kind", "NetworkPolicy") && !rf_node_is(root, "apiVersion", "ringfence/v1"));
}

bool rf_kubernetes_is_list(const struct rf_node *root)
{
	return rf_node_is(root, "apiVersion", "v1") && rf_node_is(root, "kind", "List");
}

static void namespace_key_check(struct rf_checker *c, const struct rf_node *key)
{
	if (!rf_streq(key->text, RF_NAMESPACE_NAME_LABEL))
		rf_check_error(c, key,
			       "choose namespaces by " RF_NAMESPACE_NAME_LABEL ", their name, or all of them by {}",
			       "no file on the host tells the label \"%s\" of a namespace", key->text);
}

/* A label that is not known is not absent: with no operator can anything be said of it. */
static void namespace_keys_check(struct rf_checker *c, const struct rf_node *selector)
{
	const struct rf_node *labels = rf_node_of(selector, "matchLabels", RF_NODE_MAPPING),
			     *list = rf_node_of(selector, "matchExpressions", RF_NODE_SEQUENCE);

	for (size_t i = 0; labels && i < labels->n; i++)
		namespace_key_check(c, labels->keys[i]);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct rf_node *key = rf_node_of(list->items[i], "key", RF_NODE_SCALAR);

		if (key)
			namespace_key_check(c, key);
	}
}

/* One selector, of pods of the policy's namespace: its name was checked, and so is no glob but for itself. */
static int pods_select(struct rf_checker *c, const struct rf_node *spec, struct rf_policy *p)
{
	const struct rf_node *node = rf_node_of(spec, "podSelector", RF_NODE_MAPPING);
	struct rf_selector *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	p->selectors = s;
	p->n_selectors = 1;
	s->mark = node ? node->mark : spec->mark;
	s->kubernetes = true;
	s->k8s_namespace = strdup(p->namespace);
	if (!s->k8s_namespace)
		return -ENOMEM;
	r = rf_match_labels_parse(c, node, &s->k8s_labels, &s->n_k8s_labels);
	return r < 0 ? r : rf_match_expressions_parse(c, node, &s->k8s_expressions);
}

static char *pods_text(const struct rf_peer_selector *s)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_strbuf_adds(&out, "pods");
	if (s->labels.n) {
		rf_strbuf_adds(&out, "{");
		rf_label_matches_print(&s->labels, &out);
		rf_strbuf_adds(&out, "}");
	}
	if (s->namespace_labels.n) {
		rf_strbuf_adds(&out, " of namespaces{");
		rf_label_matches_print(&s->namespace_labels, &out);
		rf_strbuf_adds(&out, "}");
	}
	return rf_strbuf_take(&out);
}

/* Without namespaceSelector, pods of the policy's own namespace. */
static int pods_parse(struct rf_checker *c, const struct rf_node *node, struct rf_peer *peer)
{
	const struct rf_node *namespaces = rf_node_get(node, "namespaceSelector");
	const char *own = c->policy->namespace;
	struct rf_peer_selector *s = &peer->selector;
	int r;

	peer->kind = RF_PEER_WORKLOAD;
	s->pods = true;
	namespace_keys_check(c, namespaces);
	r = rf_label_selector_parse(c, rf_node_get(node, "podSelector"), &s->labels);
	if (r == 0 && namespaces)
		r = rf_label_selector_parse(c, namespaces, &s->namespace_labels);
	else if (r == 0)
		r = rf_label_matches_add(&s->namespace_labels, RF_NAMESPACE_NAME_LABEL, RF_LABEL_IN, &own, 1);
	if (r == 0)
		peer->text = pods_text(s);
	return r < 0 ? r : peer->text ? 0 : -ENOMEM;
}

static void except_check(struct rf_checker *c, const struct rf_node *node, const struct rf_cidr *cidr,
			 const struct rf_cidr *except)
{
	if (!rf_cidr_contains(cidr, except))
		rf_check_error(c, node, "an exception is a part of the CIDR", "\"%s\" is not inside the CIDR",
			       node->text);
	else if (except->prefix == cidr->prefix)
		rf_check_error(c, node, "leave the peer out", "\"%s\" leaves nothing of the CIDR", node->text);
}

static int block_parse(struct rf_checker *c, const struct rf_node *block, struct rf_peer *peer)
{
	const struct rf_node *cidr = rf_node_of(block, "cidr", RF_NODE_SCALAR),
			     *list = rf_node_of(block, "except", RF_NODE_SEQUENCE);

	peer->kind = RF_PEER_CIDR;
	/* -ERANGE was told as a warning, and what is here then is the prefix alone. */
	if (!cidr || rf_scalar_cidr(cidr->text, &peer->cidr) == -EINVAL || !list || !list->n)
		return 0;
	peer->excepts = calloc(list->n, sizeof(*peer->excepts));
	if (!peer->excepts)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		const struct rf_node *item = list->items[i];
		struct rf_cidr *except = &peer->excepts[peer->n_excepts];

		if (item->kind != RF_NODE_SCALAR || rf_scalar_cidr(item->text, except) == -EINVAL)
			continue;
		peer->n_excepts++;
		except_check(c, item, &peer->cidr, except);
	}
	return 0;
}

static int peer_parse(struct rf_checker *c, const struct rf_node *node, struct rf_peer *peer)
{
	const struct rf_node *block = rf_node_get(node, "ipBlock");
	bool pods = rf_node_get(node, "podSelector") || rf_node_get(node, "namespaceSelector");

	peer->mark = node->mark;
	if (node->kind != RF_NODE_MAPPING)
		return 0;
	if (block && pods) {
		rf_check_error(c, node, "write one entry for ipBlock and one for the selectors",
			       "ipBlock goes with no selector");
		return 0;
	}
	if (block)
		return block_parse(c, block, peer);
	if (pods)
		return pods_parse(c, node, peer);
	/* Where it has other keys, the schema has told those. */
	if (!node->n)
		rf_check_error(c, node, "podSelector, namespaceSelector, both, or ipBlock", "the peer names nobody");
	return 0;
}

/* Upstream, a list that is empty is one that is not there: any peer. */
static int peers_parse(struct rf_checker *c, const struct rf_node *list, struct rf_network_rule *rule)
{
	int r = 0;

	if (!list || !list->n)
		return 0;
	rule->peers = calloc(list->n, sizeof(*rule->peers));
	if (!rule->peers)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		rule->n_peers = i + 1;
		r = peer_parse(c, list->items[i], &rule->peers[i]);
	}
	return r;
}

static void port_parse(struct rf_checker *c, const struct rf_node *node, struct rf_port_match *port)
{
	const struct rf_node *first = rf_node_of(node, "port", RF_NODE_SCALAR),
			     *last = rf_node_of(node, "endPort", RF_NODE_SCALAR);
	int64_t begin = rf_node_integer(node, "port", 0), end = rf_node_integer(node, "endPort", first ? begin : 65535);

	port->protocol = rf_node_is(node, "protocol", "UDP")  ? IPPROTO_UDP :
			 rf_node_is(node, "protocol", "SCTP") ? IPPROTO_SCTP :
								IPPROTO_TCP;
	port->first = begin;
	port->last = end;
	/* Out of range, or a name: the schema has said so. */
	if (begin < !!first || begin > 65535 || end < 0 || end > 65535)
		return;
	if (last && !first)
		rf_check_error(c, last, "add port, where the range begins", "endPort without port");
	else if (port->last < port->first)
		rf_check_error(c, last, "a range goes from port up to endPort", "endPort %u is below port %u",
			       port->last, port->first);
}

static int ports_parse(struct rf_checker *c, const struct rf_node *list, struct rf_network_rule *rule)
{
	if (!list || !list->n)
		return 0;
	rule->ports = calloc(list->n, sizeof(*rule->ports));
	if (!rule->ports)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		port_parse(c, list->items[i], &rule->ports[rule->n_ports++]);
	return 0;
}

static int rule_parse(struct rf_checker *c, const struct rf_node *node, enum rf_direction direction, size_t index,
		      struct rf_network_rule *rule)
{
	bool egress = direction == RF_EGRESS;
	int r;

	rule->mark = node->mark;
	rule->action = RF_ACTION_ALLOW;
	if (asprintf(&rule->name, "%s[%zu]", egress ? "egress" : "ingress", index) < 0) {
		rule->name = NULL;
		return -ENOMEM;
	}
	r = peers_parse(c, rf_node_of(node, egress ? "to" : "from", RF_NODE_SEQUENCE), rule);
	return r < 0 ? r : ports_parse(c, rf_node_of(node, "ports", RF_NODE_SEQUENCE), rule);
}

/* Upstream, a pod cannot be kept from itself, nor from the node that it runs on. */
static int always_allow(struct rf_network_direction *d, const char *name, enum rf_peer_kind kind, const char *text)
{
	struct rf_network_rule *rule = &d->rules[d->n_rules++];

	rule->mark = d->mark;
	rule->action = RF_ACTION_ALLOW;
	rule->name = strdup(name);
	rule->peers = calloc(1, sizeof(*rule->peers));
	if (!rule->name || !rule->peers)
		return -ENOMEM;
	rule->n_peers = 1;
	rule->peers[0].mark = d->mark;
	rule->peers[0].kind = kind;
	rule->peers[0].text = strdup(text);
	return rule->peers[0].text ? 0 : -ENOMEM;
}

static int direction_parse(struct rf_checker *c, const struct rf_node *rules, enum rf_direction direction,
			   struct rf_network_direction *d)
{
	size_t n = rules ? rules->n : 0;
	int r = 0;

	d->present = true;
	d->default_action = RF_ACTION_DENY;
	d->rules = calloc(n + 2, sizeof(*d->rules));
	if (!d->rules)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		d->n_rules = i + 1;
		r = rule_parse(c, rules->items[i], direction, i, &d->rules[i]);
	}
	if (r == 0)
		r = always_allow(d, "itself", RF_PEER_SELF, "itself");
	if (r == 0)
		r = always_allow(d, "its node", RF_PEER_HOST, "host");
	if (r < 0)
		return r;
	rf_check_require(c, direction == RF_EGRESS ? RF_FEATURE_NETWORK_EGRESS : RF_FEATURE_NETWORK_INGRESS, d->mark);
	rf_check_require(c, RF_FEATURE_NETWORK_PEERS, d->mark);
	return 0;
}

/* Where policyTypes is not given or empty: Ingress, and Egress if it has a rule. An empty list of rules is none. */
static bool is_isolated(const struct rf_node *spec, const char *type, const struct rf_node *rules)
{
	const struct rf_node *types = rf_node_of(spec, "policyTypes", RF_NODE_SEQUENCE);

	if (!types || !types->n)
		return rf_streq(type, "Ingress") || (rules && rules->n);
	for (size_t i = 0; i < types->n; i++)
		if (types->items[i]->kind == RF_NODE_SCALAR && strcasecmp(types->items[i]->text, type) == 0)
			return true;
	return false;
}

static int directions_parse(struct rf_checker *c, const struct rf_node *spec, struct rf_policy *p)
{
	static const struct {
		const char *type, *key;
		enum rf_direction direction;
	} directions[] = { { "Ingress", "ingress", RF_INGRESS }, { "Egress", "egress", RF_EGRESS } };
	const struct rf_node *types = rf_node_of(spec, "policyTypes", RF_NODE_SEQUENCE);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directions); i++) {
		const struct rf_node *rules = rf_node_of(spec, directions[i].key, RF_NODE_SEQUENCE);
		struct rf_network_direction *d = &p->network[directions[i].direction];

		d->mark = rules ? rules->mark : types ? types->mark : spec->mark;
		if (is_isolated(spec, directions[i].type, rules))
			r = direction_parse(c, rules, directions[i].direction, d);
		else if (rules && rules->n)
			rf_check_warning(c, rules, "add it to policyTypes, or leave the rules out",
					 "policyTypes does not have %s: the %s rules are without effect",
					 directions[i].type, directions[i].key);
	}
	return r;
}

static void annotation_parse(struct rf_checker *c, const struct rf_node *key, const struct rf_node *value,
			     struct rf_policy *p)
{
	if (!rf_streq(key->text, ANNOTATION_MODE))
		rf_check_warning(c, key, "the one annotation that has a meaning is " ANNOTATION_MODE,
				 "annotation \"%s\" is not known", key->text);
	else if (rf_streq(value->text, "audit"))
		p->mode = RF_MODE_AUDIT;
	else if (!rf_streq(value->text, "enforce"))
		rf_check_error(c, value, "expected one of: enforce, audit", "\"%s\" is no mode", value->text);
}

int rf_kubernetes_policy_fill(struct rf_checker *c, const struct rf_node *root, struct rf_policy *p)
{
	const struct rf_node *metadata = rf_node_of(root, "metadata", RF_NODE_MAPPING),
			     *spec = rf_node_of(root, "spec", RF_NODE_MAPPING),
			     *annotations = rf_node_of(metadata, "annotations", RF_NODE_MAPPING);
	int r;

	p->name = rf_node_string(c, metadata, "name");
	p->tenant = strdup("default");
	p->namespace = rf_node_of(metadata, "namespace", RF_NODE_SCALAR) ? rf_node_string(c, metadata, "namespace") :
									   strdup("default");
	p->priority = 100;
	p->mode = RF_MODE_ENFORCE;
	p->telemetry = 1u << RF_EVENT_EXEC;
	if ((!p->name && !c->errors) || !p->tenant || !p->namespace)
		return -ENOMEM;
	for (size_t i = 0; annotations && i < annotations->n; i++)
		if (rf_strprefix(annotations->keys[i]->text, ANNOTATION_PREFIX) &&
		    annotations->items[i]->kind == RF_NODE_SCALAR)
			annotation_parse(c, annotations->keys[i], annotations->items[i], p);
	if (!spec)
		return 0;
	r = pods_select(c, spec, p);
	return r < 0 ? r : directions_parse(c, spec, p);
}

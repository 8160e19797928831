// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What NetworkPolicy manifests mean, against upstream's own description. The
 * table asks, of a manifest and two ends of a flow, whether it passes; the
 * answer is found over the model alone, with none of the compiler: rules in
 * order, the first that matches decides, a direction that is isolated denies.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"
#include "user/model/selector.h"
#include "user/policy/check.h"

/* Who may be an end of a flow. Pods are of this host; the others have an address alone. */
enum who { WEB, API, DB, BARE, PROBE, OTHER_WEB, DNS, INNER_DNS, NODE, CLIENT, OFFICE, OFFICE_GUEST, CLIENT6, WHOS };

static struct rf_label web_labels[] = { { "app", "web" }, { "role", "frontend" } };
static struct rf_label api_labels[] = { { "app", "api" }, { "role", "backend" }, { "tier", "" } };
static struct rf_label db_labels[] = { { "app", "db" }, { "role", "store" } };
static struct rf_label probe_labels[] = { { "app", "probe" }, { "type", "monitoring" } };
static struct rf_label dns_labels[] = { { "k8s-app", "kube-dns" } };

#define POD(namespace_, name_, labels_)       \
	{ .pod_name = (name_),                \
	  .namespace = (namespace_),          \
	  .pod_uid = "uid-" namespace_ name_, \
	  .labels = labels_,                  \
	  .labels_known = true,               \
	  .n_labels = ARRAY_SIZE(labels_) }

static const struct rf_identity pods[] = {
	[WEB] = POD("shop", "web", web_labels),
	[API] = POD("shop", "api", api_labels),
	[DB] = POD("shop", "db", db_labels),
	[BARE] = { .pod_name = "bare", .namespace = "shop", .pod_uid = "uid-bare", .labels_known = true },
	[PROBE] = POD("ops", "probe", probe_labels),
	[OTHER_WEB] = POD("ops", "web", web_labels),
	[DNS] = POD("kube-system", "dns", dns_labels),
	[INNER_DNS] = POD("default", "dns", dns_labels),
};

static const char *const addresses[WHOS] = {
	[WEB] = "10.244.0.1",	   [API] = "10.244.0.2",       [DB] = "10.244.0.3",	[BARE] = "10.244.0.4",
	[PROBE] = "10.244.0.5",	   [OTHER_WEB] = "10.244.0.6", [DNS] = "10.244.0.7",	[INNER_DNS] = "10.244.0.8",
	[NODE] = "192.168.0.1",	   [CLIENT] = "203.0.113.9",   [OFFICE] = "172.17.4.4", [OFFICE_GUEST] = "172.17.1.4",
	[CLIENT6] = "2001:db8::9",
};

static bool is_pod(enum who who)
{
	return who < ARRAY_SIZE(pods);
}

struct flow {
	enum who from, to;
	uint8_t protocol;
	uint16_t port;
};

static bool block_matches(const struct rf_peer *peer, enum who who)
{
	struct rf_cidr address;

	assert_int_equal(rf_scalar_cidr(addresses[who], &address), 0);
	if (!rf_cidr_contains(&peer->cidr, &address))
		return false;
	for (size_t i = 0; i < peer->n_excepts; i++)
		if (rf_cidr_contains(&peer->excepts[i], &address))
			return false;
	return true;
}

static bool peer_matches(const struct rf_peer *peer, enum who own, enum who other)
{
	const struct rf_peer_facts facts = { .identity = is_pod(other) ? &pods[other] : NULL };

	switch (peer->kind) {
	case RF_PEER_CIDR:
		return block_matches(peer, other);
	case RF_PEER_WORKLOAD:
		return rf_peer_selector_match(&peer->selector, &facts);
	case RF_PEER_HOST:
		return other == NODE;
	case RF_PEER_SELF:
		return other == own;
	default:
		fail_msg("a peer of kind %d", peer->kind);
		return false;
	}
}

static bool rule_matches(const struct rf_network_rule *rule, const struct flow *flow, enum who own, enum who other)
{
	bool peer = !rule->n_peers, port = !rule->n_ports;

	for (size_t i = 0; i < rule->n_peers; i++)
		peer |= peer_matches(&rule->peers[i], own, other);
	for (size_t i = 0; i < rule->n_ports; i++)
		port |= rule->ports[i].protocol == flow->protocol && flow->port >= rule->ports[i].first &&
			flow->port <= rule->ports[i].last;
	return peer && port;
}

/* One end's side of it. */
static bool passes(const struct rf_policy_set *set, const struct flow *flow, enum rf_direction direction)
{
	enum who own = direction == RF_EGRESS ? flow->from : flow->to,
		 other = direction == RF_EGRESS ? flow->to : flow->from;
	bool isolated = false;

	for (size_t i = 0; is_pod(own) && i < set->n; i++) {
		const struct rf_network_direction *d = &set->policies[i]->network[direction];

		if (!d->present || !rf_policy_selects(set->policies[i], &pods[own]))
			continue;
		assert_int_equal(d->default_action, RF_ACTION_DENY);
		isolated = true;
		for (size_t k = 0; k < d->n_rules; k++) {
			assert_int_equal(d->rules[k].action, RF_ACTION_ALLOW);
			if (rule_matches(&d->rules[k], flow, own, other))
				return true;
		}
	}
	return !isolated;
}

#define NAMED(name, namespace)               \
	"apiVersion: networking.k8s.io/v1\n" \
	"kind: NetworkPolicy\n"              \
	"metadata: {name: " name ", namespace: " namespace "}\n"
#define SPEC	      "spec:\n"
#define POLICY	      NAMED("x", "shop") SPEC
#define OF(labels)    POLICY "  podSelector: {matchLabels: {" labels "}}\n"
#define OF_ALL	      POLICY "  podSelector: {}\n"
#define BY_NAME(name) "{matchLabels: {kubernetes.io/metadata.name: " name "}}"

#define DENY_ALL       OF("app: web") "  ingress: []\n"
#define LIMIT	       OF("app: api") "  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]\n"
#define ALLOW_ALL      OF("app: web") "  ingress: [{}]\n"
#define NAMESPACE_DENY OF_ALL "  ingress: []\n"
#define OWN_NAMESPACE  OF_ALL "  ingress: [{from: [{podSelector: {}}]}]\n"
#define ALL_NAMESPACES OF("app: web") "  ingress: [{from: [{namespaceSelector: {}}]}]\n"
#define FROM_OPS       OF("app: web") "  ingress: [{from: [{namespaceSelector: " BY_NAME("ops") "}]}]\n"
#define MONITORING_OF_OPS                                               \
	OF("app: web")                                                  \
	"  ingress:\n    - from:\n      - namespaceSelector: " BY_NAME( \
		"ops") "\n"                                             \
		       "        podSelector: {matchLabels: {type: monitoring}}\n"
#define MONITORING_OR_OPS                                               \
	OF("app: web")                                                  \
	"  ingress:\n    - from:\n      - namespaceSelector: " BY_NAME( \
		"ops") "\n"                                             \
		       "      - podSelector: {matchLabels: {role: backend}}\n"
#define EXTERNAL      OF("app: web") "  ingress: [{from: []}]\n"
#define EXTERNAL_PORT OF("app: web") "  ingress: [{ports: [{port: 80}]}]\n"
#define PORT_OF_API \
	OF("app: db") "  ingress: [{ports: [{port: 5432}], from: [{podSelector: {matchLabels: {app: api}}}]}]\n"
#define SEVERAL                                                            \
	OF("app: db")                                                      \
	"  ingress:\n    - from:\n"                                        \
	"      - podSelector: {matchLabels: {app: web, role: frontend}}\n" \
	"      - podSelector: {matchLabels: {app: api, role: frontend}}\n" \
	"      - podSelector: {matchLabels: {app: probe}}\n"
#define NO_EGRESS OF("app: web") "  policyTypes: [Egress]\n  egress: []\n"
#define ONLY_DNS \
	OF("app: web") "  policyTypes: [Egress]\n  egress: [{ports: [{port: 53, protocol: UDP}, {port: 53}]}]\n"
#define ONLY_CLUSTER_DNS                                                                            \
	OF_ALL "  policyTypes: [Egress]\n  egress:\n    - to:\n"                                    \
	       "        - namespaceSelector: " BY_NAME(                                             \
		       "kube-system") "\n"                                                          \
				      "          podSelector: {matchLabels: {k8s-app: kube-dns}}\n" \
				      "      ports: [{port: 53, protocol: UDP}]\n"
#define EGRESS_TO_CLUSTER OF("app: web") "  policyTypes: [Egress]\n  egress: [{to: [{namespaceSelector: {}}]}]\n"
#define RANGE		  OF("app: web") "  ingress: [{ports: [{port: 8000, endPort: 8010}]}]\n"
#define BLOCK                                                                                \
	OF("app: web")                                                                       \
	"  policyTypes: [Ingress, Egress]\n"                                                 \
	"  ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}]\n" \
	"  egress: [{to: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}]\n"
#define BLOCK6	    OF("app: web") "  ingress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]\n"
#define BLOCK_ALL   OF("app: web") "  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]\n"
#define SCTP	    OF("app: web") "  ingress: [{ports: [{protocol: SCTP, port: 7777}]}]\n"
#define ANY_TCP	    OF("app: web") "  ingress: [{ports: [{}]}]\n"
#define ANY_UDP	    OF("app: web") "  ingress: [{ports: [{protocol: UDP}]}]\n"
#define EMPTY_LISTS OF("app: web") "  ingress: [{from: [], ports: []}]\n"
#define NULL_LISTS  OF("app: web") "  ingress: [{from: ~, ports: null}]\n"

#define NO_TYPES	  OF("app: web")
#define NO_TYPES_EGRESS	  OF("app: web") "  egress: [{ports: [{port: 53}]}]\n"
#define NO_TYPES_EMPTY	  OF("app: web") "  egress: []\n"
#define TYPES_EMPTY	  OF("app: web") "  policyTypes: []\n  egress: [{ports: [{port: 53}]}]\n"
#define ONLY_EGRESS_TYPE  OF("app: web") "  policyTypes: [Egress]\n  ingress: [{ports: [{port: 80}]}]\n"
#define ONLY_INGRESS_TYPE OF("app: web") "  policyTypes: [Ingress]\n  egress: [{ports: [{port: 53}]}]\n"
#define BOTH_TYPES	  OF_ALL "  policyTypes: [Ingress, Egress]\n"
#define NO_POD_SELECTOR	  POLICY "  policyTypes: [Ingress]\n"
#define DEFAULT_NAMESPACE                                                                     \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec:\n" \
	"  podSelector: {}\n  ingress: [{from: [{podSelector: {}}]}]\n"

#define EXPRESSION(text)      POLICY "  podSelector: {matchExpressions: [" text "]}\n"
#define FROM_EXPRESSION(text) OF("app: db") "  ingress: [{from: [{podSelector: {matchExpressions: [" text "]}}]}]\n"
#define NAMESPACES(text)                                                                                       \
	OF("app: db")                                                                                          \
	"  ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, " text \
	"}]}}]}]\n"

#define DENY_THEN_ALLOW                                                                                               \
	NAMED("deny", "shop")                                                                                         \
	SPEC "  podSelector: {}\n---\n" NAMED("web", "shop") SPEC                                                     \
		"  podSelector: {matchLabels: {app: api}}\n"                                                          \
		"  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]\n---\n" NAMED("probes", "shop") SPEC \
		"  podSelector: {matchLabels: {app: api}}\n"                                                          \
		"  ingress: [{from: [{namespaceSelector: " BY_NAME("ops") "}], ports: [{port: 9090}]}]\n"
#define BOTH_ENDS                                                                                           \
	NAMED("out", "shop")                                                                                \
	SPEC "  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Egress]\n"                          \
	     "  egress: [{to: [{podSelector: {matchLabels: {app: api}}}]}]\n---\n" NAMED("in", "shop") SPEC \
		"  podSelector: {matchLabels: {app: api}}\n  ingress: [{ports: [{port: 443}]}]\n"

static const struct row {
	const char *recipe, *manifest;
	struct flow flow;
	bool pass;
} rows[] = {
#define TCP(from, to, port) { from, to, IPPROTO_TCP, port }
#define UDP(from, to, port) { from, to, IPPROTO_UDP, port }
	{ "deny all: a neighbour", DENY_ALL, TCP(API, WEB, 80), false },
	{ "deny all: another namespace", DENY_ALL, TCP(PROBE, WEB, 80), false },
	{ "deny all: from outside", DENY_ALL, TCP(CLIENT, WEB, 80), false },
	{ "deny all: what it opens itself", DENY_ALL, TCP(WEB, API, 80), true },
	{ "isolated only when selected", DENY_ALL, TCP(WEB, DB, 5432), true },
	{ "isolated only in its namespace", DENY_ALL, TCP(CLIENT, OTHER_WEB, 80), true },

	{ "limit: who has the label", LIMIT, TCP(WEB, API, 80), true },
	{ "limit: who has it not", LIMIT, TCP(DB, API, 80), false },
	{ "limit: who has no labels", LIMIT, TCP(BARE, API, 80), false },
	{ "limit: the label in another namespace", LIMIT, TCP(OTHER_WEB, API, 80), false },
	{ "limit: from outside", LIMIT, TCP(CLIENT, API, 80), false },

	{ "allow all: from outside", ALLOW_ALL, TCP(CLIENT, WEB, 80), true },
	{ "allow all: any protocol", ALLOW_ALL, UDP(PROBE, WEB, 9), true },
	{ "allow all: beside a deny", NAMED("deny", "shop") SPEC "  podSelector: {}\n---\n" ALLOW_ALL,
	  TCP(CLIENT, WEB, 80), true },

	{ "deny the namespace: a pod", NAMESPACE_DENY, TCP(WEB, API, 80), false },
	{ "deny the namespace: a pod without labels", NAMESPACE_DENY, TCP(WEB, BARE, 80), false },
	{ "deny the namespace: pods of another", NAMESPACE_DENY, TCP(WEB, PROBE, 80), true },

	{ "own namespace: a neighbour", OWN_NAMESPACE, TCP(BARE, WEB, 80), true },
	{ "own namespace: another", OWN_NAMESPACE, TCP(OTHER_WEB, WEB, 80), false },
	{ "own namespace: from outside", OWN_NAMESPACE, TCP(CLIENT, WEB, 80), false },

	{ "all namespaces: another", ALL_NAMESPACES, TCP(PROBE, WEB, 80), true },
	{ "all namespaces: its own", ALL_NAMESPACES, TCP(DB, WEB, 80), true },
	{ "all namespaces: from outside", ALL_NAMESPACES, TCP(CLIENT, WEB, 80), false },

	{ "a namespace: that one", FROM_OPS, TCP(PROBE, WEB, 80), true },
	{ "a namespace: its own", FROM_OPS, TCP(API, WEB, 80), false },
	{ "a namespace: a third", FROM_OPS, TCP(DNS, WEB, 80), false },

	{ "both selectors: both hold", MONITORING_OF_OPS, TCP(PROBE, WEB, 80), true },
	{ "both selectors: the namespace alone", MONITORING_OF_OPS, TCP(OTHER_WEB, WEB, 80), false },
	{ "both selectors: none", MONITORING_OF_OPS, TCP(API, WEB, 80), false },
	{ "two entries: the namespace alone", MONITORING_OR_OPS, TCP(OTHER_WEB, WEB, 80), true },
	{ "two entries: the pod alone", MONITORING_OR_OPS, TCP(API, WEB, 80), true },
	{ "two entries: neither", MONITORING_OR_OPS, TCP(DB, WEB, 80), false },

	{ "external: an empty list is anybody", EXTERNAL, TCP(CLIENT, WEB, 80), true },
	{ "external: IPv6 as well", EXTERNAL, TCP(CLIENT6, WEB, 80), true },
	{ "external, one port: that", EXTERNAL_PORT, TCP(CLIENT, WEB, 80), true },
	{ "external, one port: another", EXTERNAL_PORT, TCP(CLIENT, WEB, 443), false },
	{ "external, one port: TCP is meant", EXTERNAL_PORT, UDP(CLIENT, WEB, 80), false },

	{ "peer and port: both", PORT_OF_API, TCP(API, DB, 5432), true },
	{ "peer and port: the peer alone", PORT_OF_API, TCP(API, DB, 22), false },
	{ "peer and port: the port alone", PORT_OF_API, TCP(WEB, DB, 5432), false },

	{ "several selectors: one of them", SEVERAL, TCP(WEB, DB, 5432), true },
	{ "several selectors: half of one", SEVERAL, TCP(API, DB, 5432), false },
	{ "several selectors: in another namespace", SEVERAL, TCP(PROBE, DB, 5432), false },

	{ "no egress: to a pod", NO_EGRESS, TCP(WEB, API, 80), false },
	{ "no egress: to outside", NO_EGRESS, TCP(WEB, CLIENT, 443), false },
	{ "no egress: what is opened to it", NO_EGRESS, TCP(API, WEB, 80), true },
	{ "no egress: others", NO_EGRESS, TCP(API, CLIENT, 443), true },
	{ "egress of names alone: UDP", ONLY_DNS, UDP(WEB, DNS, 53), true },
	{ "egress of names alone: TCP", ONLY_DNS, TCP(WEB, CLIENT, 53), true },
	{ "egress of names alone: the rest", ONLY_DNS, TCP(WEB, DNS, 80), false },
	{ "egress to the cluster's names: there", ONLY_CLUSTER_DNS, UDP(DB, DNS, 53), true },
	{ "egress to the cluster's names: the label elsewhere", ONLY_CLUSTER_DNS, UDP(DB, INNER_DNS, 53), false },
	{ "egress to the cluster's names: another port", ONLY_CLUSTER_DNS, UDP(DB, DNS, 54), false },
	{ "egress to pods: one", EGRESS_TO_CLUSTER, TCP(WEB, PROBE, 80), true },
	{ "egress to pods: outside", EGRESS_TO_CLUSTER, TCP(WEB, CLIENT, 80), false },

	{ "a range: its first", RANGE, TCP(CLIENT, WEB, 8000), true },
	{ "a range: its last", RANGE, TCP(CLIENT, WEB, 8010), true },
	{ "a range: before", RANGE, TCP(CLIENT, WEB, 7999), false },
	{ "a range: behind", RANGE, TCP(CLIENT, WEB, 8011), false },

	{ "a block: in", BLOCK, TCP(OFFICE, WEB, 80), true },
	{ "a block: an exception", BLOCK, TCP(OFFICE_GUEST, WEB, 80), false },
	{ "a block: out of it", BLOCK, TCP(CLIENT, WEB, 80), false },
	{ "a block: egress in", BLOCK, TCP(WEB, OFFICE, 80), true },
	{ "a block: egress to an exception", BLOCK, TCP(WEB, OFFICE_GUEST, 80), false },
	{ "a block of IPv6: in", BLOCK6, TCP(CLIENT6, WEB, 80), true },
	{ "a block of IPv6: IPv4", BLOCK6, TCP(CLIENT, WEB, 80), false },
	{ "all of IPv4: IPv6", BLOCK_ALL, TCP(CLIENT6, WEB, 80), false },

	{ "SCTP: that port", SCTP, { CLIENT, WEB, IPPROTO_SCTP, 7777 }, true },
	{ "SCTP: TCP", SCTP, TCP(CLIENT, WEB, 7777), false },
	{ "a port of nothing is all of TCP", ANY_TCP, TCP(CLIENT, WEB, 1), true },
	{ "a port of nothing is not UDP", ANY_TCP, UDP(CLIENT, WEB, 1), false },
	{ "a protocol without port", ANY_UDP, UDP(CLIENT, WEB, 65535), true },
	{ "empty lists are left out", EMPTY_LISTS, UDP(CLIENT, WEB, 1), true },
	{ "null is left out", NULL_LISTS, UDP(CLIENT, WEB, 1), true },

	{ "no types: ingress is isolated", NO_TYPES, TCP(API, WEB, 80), false },
	{ "no types: egress is not", NO_TYPES, TCP(WEB, API, 80), true },
	{ "no types, egress rules: both are: ingress", NO_TYPES_EGRESS, TCP(API, WEB, 80), false },
	{ "no types, egress rules: both are: egress", NO_TYPES_EGRESS, TCP(WEB, API, 80), false },
	{ "no types, egress rules: what they allow", NO_TYPES_EGRESS, TCP(WEB, API, 53), true },
	{ "no types, an empty egress is none", NO_TYPES_EMPTY, TCP(WEB, API, 80), true },
	{ "empty types are none: ingress", TYPES_EMPTY, TCP(API, WEB, 80), false },
	{ "empty types are none: egress", TYPES_EMPTY, TCP(WEB, API, 80), false },
	{ "type Egress: ingress rules are without effect", ONLY_EGRESS_TYPE, TCP(API, WEB, 443), true },
	{ "type Egress: egress is isolated", ONLY_EGRESS_TYPE, TCP(WEB, API, 80), false },
	{ "type Ingress: egress rules are without effect", ONLY_INGRESS_TYPE, TCP(WEB, API, 80), true },
	{ "type Ingress: ingress is isolated", ONLY_INGRESS_TYPE, TCP(API, WEB, 53), false },
	{ "both types: egress", BOTH_TYPES, TCP(BARE, PROBE, 80), false },
	{ "both types: ingress", BOTH_TYPES, TCP(PROBE, BARE, 80), false },
	{ "no podSelector is all pods", NO_POD_SELECTOR, TCP(WEB, BARE, 80), false },
	{ "no namespace is default: in", DEFAULT_NAMESPACE, TCP(CLIENT, INNER_DNS, 53), false },
	{ "no namespace is default: its pods", DEFAULT_NAMESPACE, TCP(INNER_DNS, INNER_DNS, 53), true },
	{ "no namespace is default: others", DEFAULT_NAMESPACE, TCP(CLIENT, WEB, 53), true },

	{ "In selects", EXPRESSION("{key: app, operator: In, values: [db, api]}"), TCP(WEB, API, 80), false },
	{ "In selects no others", EXPRESSION("{key: app, operator: In, values: [db, api]}"), TCP(API, WEB, 80), true },
	{ "NotIn selects", EXPRESSION("{key: app, operator: NotIn, values: [db]}"), TCP(API, WEB, 80), false },
	{ "NotIn selects who has no label", EXPRESSION("{key: app, operator: NotIn, values: [db]}"), TCP(API, BARE, 80),
	  false },
	{ "NotIn leaves out", EXPRESSION("{key: app, operator: NotIn, values: [db]}"), TCP(API, DB, 80), true },
	{ "Exists selects", EXPRESSION("{key: tier, operator: Exists}"), TCP(WEB, API, 80), false },
	{ "Exists leaves out", EXPRESSION("{key: tier, operator: Exists}"), TCP(API, WEB, 80), true },
	{ "DoesNotExist selects", EXPRESSION("{key: app, operator: DoesNotExist}"), TCP(API, BARE, 80), false },
	{ "DoesNotExist leaves out", EXPRESSION("{key: app, operator: DoesNotExist}"), TCP(API, WEB, 80), true },
	{ "both halves must hold",
	  POLICY "  podSelector: {matchLabels: {app: api}, matchExpressions: [{key: tier, operator: DoesNotExist}]}\n",
	  TCP(WEB, API, 80), true },
	{ "an empty value is a value", OF("tier: ''"), TCP(WEB, API, 80), false },
	{ "a peer by expression: in", FROM_EXPRESSION("{key: role, operator: NotIn, values: [frontend]}"),
	  TCP(API, DB, 80), true },
	{ "a peer by expression: out", FROM_EXPRESSION("{key: role, operator: NotIn, values: [frontend]}"),
	  TCP(WEB, DB, 80), false },
	{ "an empty value in a list", FROM_EXPRESSION("{key: tier, operator: In, values: ['']}"), TCP(API, DB, 80),
	  true },
	{ "namespaces by expression: in", NAMESPACES("operator: In, values: [ops, kube-system]"), TCP(DNS, DB, 80),
	  true },
	{ "namespaces by expression: out", NAMESPACES("operator: In, values: [ops, kube-system]"), TCP(WEB, DB, 80),
	  false },
	{ "namespaces but one: in", NAMESPACES("operator: NotIn, values: [ops]"), TCP(WEB, DB, 80), true },
	{ "namespaces but one: that", NAMESPACES("operator: NotIn, values: [ops]"), TCP(PROBE, DB, 80), false },
	{ "namespaces with a name are all", NAMESPACES("operator: Exists"), TCP(PROBE, DB, 80), true },

	{ "several policies add up: the first", DENY_THEN_ALLOW, TCP(WEB, API, 80), true },
	{ "several policies add up: the second", DENY_THEN_ALLOW, TCP(PROBE, API, 9090), true },
	{ "several policies add up: neither", DENY_THEN_ALLOW, TCP(PROBE, API, 80), false },
	{ "several policies add up: selected by the deny alone", DENY_THEN_ALLOW, TCP(WEB, DB, 80), false },
	{ "both ends must allow", BOTH_ENDS, TCP(WEB, API, 443), true },
	{ "both ends must allow: not egress", BOTH_ENDS, TCP(WEB, DB, 443), false },
	{ "both ends must allow: not ingress", BOTH_ENDS, TCP(WEB, API, 80), false },

	{ "always: from its node", BOTH_TYPES, TCP(NODE, WEB, 10250), true },
	{ "always: to its node", BOTH_TYPES, UDP(WEB, NODE, 53), true },
	{ "always: itself", BOTH_TYPES, TCP(WEB, WEB, 80), true },
	{ "always: but no other pod", BOTH_TYPES, TCP(WEB, API, 80), false },
};

static void manifests_mean_what_upstream_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_parsed_ struct parsed p = parsed_text(rows[i].manifest);
		bool pass;

		assert_right(&p);
		pass = passes(p.set, &rows[i].flow, RF_EGRESS) && passes(p.set, &rows[i].flow, RF_INGRESS);
		if (pass != rows[i].pass)
			fail_msg("%s: %s", rows[i].recipe, pass ? "it passes" : "it is denied");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests_mean_what_upstream_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields of NetworkPolicy manifests: what is accepted, what is refused and how it is told; their meaning is in
 * test_kubernetes.c. */
#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"
#include "user/policy/check.h"
#include "user/policy/show.h"

#define NAMED(name, namespace)               \
	"apiVersion: networking.k8s.io/v1\n" \
	"kind: NetworkPolicy\n"              \
	"metadata: {name: " name ", namespace: " namespace "}\n"
#define OF(labels) NAMED("x", "shop") "spec:\n  podSelector: {matchLabels: {" labels "}}\n"

static bool is_required(const struct rf_policy *p, enum rf_feature feature)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return true;
	return false;
}

static void a_policy_needs_what_it_isolates(void **state)
{
	_cleanup_parsed_ struct parsed both = parsed_text(OF("app: web") "  policyTypes: [Ingress, Egress]\n"),
				       ingress = parsed_text(OF("app: web"));

	(void)state;
	assert_right(&both);
	assert_true(is_required(both.set->policies[0], RF_FEATURE_NETWORK_INGRESS));
	assert_true(is_required(both.set->policies[0], RF_FEATURE_NETWORK_EGRESS));
	assert_true(is_required(both.set->policies[0], RF_FEATURE_NETWORK_PEERS));
	assert_right(&ingress);
	assert_false(is_required(ingress.set->policies[0], RF_FEATURE_NETWORK_EGRESS));
	assert_int_equal(ingress.set->policies[0]->n_requirements, 2);
}

static void a_policy_has_our_defaults(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec:\n"
			    "  podSelector: {}\n  ingress: [{from: [{podSelector: {}}]}]\n");
	const struct rf_policy *policy;
	const struct rf_network_direction *d;

	(void)state;
	assert_right(&p);
	policy = p.set->policies[0];
	d = &policy->network[RF_INGRESS];
	assert_string_equal(policy->name, "x");
	assert_string_equal(policy->tenant, "default");
	assert_string_equal(policy->namespace, "default");
	assert_int_equal(policy->priority, 100);
	assert_int_equal(policy->mode, RF_MODE_ENFORCE);
	assert_null(policy->workload_name);
	assert_int_equal(policy->n_selectors, 1);
	assert_true(policy->selectors[0].kubernetes);
	assert_string_equal(policy->selectors[0].k8s_namespace, "default");
	assert_false(policy->network[RF_EGRESS].present);
	assert_int_equal(d->n_rules, 3);
	assert_string_equal(d->rules[0].name, "ingress[0]");
	assert_string_equal(d->rules[1].name, "itself");
	assert_string_equal(d->rules[2].name, "its node");
	assert_null(d->rules[0].peers[0].selector.tenant);
	assert_null(d->rules[0].peers[0].selector.namespace);
	assert_null(d->rules[0].peers[0].selector.workload);
}

#define ANNOTATED(text)                                                      \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n" \
	"  name: x\n  annotations: {" text "}\nspec: {}\n"

static void an_annotation_puts_it_on_trial(void **state)
{
	_cleanup_parsed_ struct parsed audit = parsed_text(ANNOTATED("ringfence.io/mode: audit")),
				       enforce = parsed_text(ANNOTATED("ringfence.io/mode: enforce, example.com/x: y")),
				       wrong = parsed_text(ANNOTATED("ringfence.io/mode: adit")),
				       unknown = parsed_text(ANNOTATED("ringfence.io/mod: audit"));

	(void)state;
	assert_right(&audit);
	assert_int_equal(audit.set->policies[0]->mode, RF_MODE_AUDIT);
	assert_right(&enforce);
	assert_int_equal(enforce.set->policies[0]->mode, RF_MODE_ENFORCE);
	assert_int_equal(enforce.diags.n_warnings, 0);
	assert_wrong(&wrong, "\"adit\" is no mode");
	assert_right(&unknown);
	assert_int_equal(unknown.diags.n_warnings, 1);
}

static void what_an_api_server_adds_is_accepted(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text("apiVersion: networking.k8s.io/v1\n"
			    "kind: NetworkPolicy\n"
			    "metadata:\n"
			    "  annotations:\n"
			    "    kubectl.kubernetes.io/last-applied-configuration: |\n"
			    "      {\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\"}\n"
			    "  creationTimestamp: \"2026-01-02T03:04:05Z\"\n"
			    "  deletionTimestamp: null\n"
			    "  finalizers: [example.com/x]\n"
			    "  generateName: x-\n"
			    "  generation: 3\n"
			    "  labels: null\n"
			    "  managedFields:\n"
			    "  - apiVersion: networking.k8s.io/v1\n"
			    "    fieldsType: FieldsV1\n"
			    "    fieldsV1:\n"
			    "      f:metadata:\n"
			    "        f:annotations:\n"
			    "          .: {}\n"
			    "          f:kubectl.kubernetes.io/last-applied-configuration: {}\n"
			    "      f:spec:\n"
			    "        f:policyTypes: {}\n"
			    "    manager: kubectl-client-side-apply\n"
			    "    operation: Update\n"
			    "    time: \"2026-01-02T03:04:05Z\"\n"
			    "  name: x\n"
			    "  namespace: shop\n"
			    "  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: y, uid: z}]\n"
			    "  resourceVersion: \"12345\"\n"
			    "  selfLink: /apis\n"
			    "  uid: 3c1ee9ee-6a2f-4a47-9d3a-6b2b4a2d2f1e\n"
			    "spec:\n"
			    "  podSelector: {}\n"
			    "  policyTypes:\n"
			    "  - Ingress\n"
			    "status: {}\n");

	(void)state;
	assert_right(&p);
	assert_int_equal(p.diags.n_warnings, 0);
	assert_true(p.set->policies[0]->network[RF_INGRESS].present);
}

#define ITEM(name)                                                                            \
	"- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: " name \
	"}\n  spec: {podSelector: {}}\n"
#define LIST_OF(items) "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: \"\"}\nitems:" items

static void a_list_is_its_items(void **state)
{
	_cleanup_parsed_ struct parsed two = parsed_text(LIST_OF("\n" ITEM("a") ITEM("b"))),
				       none = parsed_text(LIST_OF(" []\n")), no_list = parsed_text(LIST_OF(" {}\n")),
				       nothing = parsed_text("apiVersion: v1\nkind: List\n"),
				       other = parsed_text(LIST_OF("\n" ITEM("a") "- {apiVersion: v1, kind: Pod}\n")),
				       nested = parsed_text(LIST_OF("\n- {apiVersion: v1, kind: List, items: []}\n"));

	(void)state;
	assert_right(&two);
	assert_int_equal(two.set->n, 2);
	assert_right(&none);
	assert_int_equal(none.set->n, 0);
	assert_wrong(&no_list, "items: expected a list");
	assert_wrong(&nothing, "\"items\" is missing");
	assert_wrong(&other, "networking.k8s.io/v1 with kind: NetworkPolicy");
	assert_int_equal(other.set->n, 0);
	assert_wrong(&nested, "ringfence/v1 with kind: WorkloadPolicy");
}

static void both_kinds_go_in_one_file(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(OF("app: web") "---\n" HEAD_OF("x") "---\n" OF("app: api"));
	_cleanup_parsed_ struct parsed two = parsed_text(OF("app: web") "---\n" HEAD_OF("x"));

	(void)state;
	assert_wrong(&p, "policy default/shop/x is there twice");
	assert_right(&two);
	assert_int_equal(two.set->n, 2);
}

static void an_unknown_kind_is_told_both(void **state)
{
	static const char *const documents[] = {
		"apiVersion: v1\nkind: Pod\n",
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\n",
		"apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\n",
		"apiVersion: ringfence/v1\nkind: NetworkPolicy\n",
		"apiVersion: networking.k8s.io/v1\nkind: WorkloadPolicy\n",
		"apiVersion: ringfence/v2\nkind: WorkloadPolicy\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		_cleanup_parsed_ struct parsed p = parsed_text(documents[i]);

		assert_wrong(&p, RF_DOCUMENT_KINDS);
	}
}

static void bits_past_a_prefix_are_cleared_with_a_warning(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(
		OF("app: web") "  ingress: [{from: [{ipBlock: {cidr: 192.168.1.1/24, except: [192.168.1.9/30]}}]}]\n");
	const struct rf_peer *peer;
	char text[64];

	(void)state;
	assert_right(&p);
	assert_int_equal(p.diags.n_warnings, 2);
	peer = &p.set->policies[0]->network[RF_INGRESS].rules[0].peers[0];
	rf_cidr_format(&peer->cidr, text);
	assert_string_equal(text, "192.168.1.0/24");
	rf_cidr_format(&peer->excepts[0], text);
	assert_string_equal(text, "192.168.1.8/30");
}

static void rules_that_no_type_has_are_told(void **state)
{
	_cleanup_parsed_ struct parsed
		p = parsed_text(OF("app: web") "  policyTypes: [Egress]\n  ingress: [{}]\n"),
		both = parsed_text(OF("app: web") "  policyTypes: [Ingress, Egress]\n  ingress: [{}]\n  egress: []\n");

	(void)state;
	assert_right(&p);
	assert_int_equal(p.diags.n_warnings, 1);
	assert_non_null(strstr(rf_strbuf_str(&p.said), "the ingress rules are without effect"));
	assert_right(&both);
	assert_int_equal(both.diags.n_warnings, 0);
}

/* @spec alone, one line: wrong with @said. */
static void assert_spec(const char *spec, const char *said)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text, "%sspec: {%s}\n", NAMED("x", "shop"), spec);
	_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

	if (said)
		assert_wrong(&p, said);
	else
		assert_right(&p);
}

static void what_upstream_refuses_is_refused(void **state)
{
	(void)state;
	assert_spec("ingress: [{from: [{}]}]", "the peer names nobody");
	assert_spec("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]",
		    "ipBlock goes with no selector");
	assert_spec("ingress: [{from: [{ipBlock: {}}]}]", "\"cidr\" is missing");
	assert_spec("ingress: [{from: [{podSelector: }]}]", "expected a mapping, found nothing");
	assert_spec("ingress: [{to: [{podSelector: {}}]}]", "unknown key \"to\"");
	assert_spec("ingress: [null]", "expected a mapping, found nothing");
	assert_spec("ingress: {}", "expected a list of mappings");
	assert_spec("ingress: [{ports: [{endPort: 80}]}]", "endPort without port");
	assert_spec("ingress: [{ports: [{port: 81, endPort: 80}]}]", "endPort 80 is below port 81");
	assert_spec("ingress: [{ports: [{port: 80, endPort: 80}]}]", NULL);
	assert_spec("ingress: [{ports: [{port: 0}]}]", "0 is out of range");
	assert_spec("ingress: [{ports: [{port: 65536}]}]", "65536 is out of range");
	assert_spec("ingress: [{ports: [{port: http}]}]", "what a port's name stands for");
	assert_spec("ingress: [{ports: [{port: '80'}]}]", "\"80\" is no integer");
	assert_spec("ingress: [{ports: [{port: http, endPort: 90}]}]", "what a port's name stands for");
	assert_spec("ingress: [{ports: [{protocol: ICMP}]}]", "expected one of: TCP, UDP, SCTP");
	assert_spec("policyTypes: [Ingres]", "did you mean \"Ingress\"");
	assert_spec("policyTypes: [Ingress, Egress, Ingress]", "3 entries, at most 2");
	assert_spec("podSelector: {matchLabels: {app: a b}}", "\"a b\" is no value of a label");
	assert_spec("podSelector: {matchLabels: {app: }}", "expected a string, found nothing");
	assert_spec("podSelector: {matchLabels: {app: [a]}}", "expected a string");
	assert_spec("podSelector: {matchLabels: {-app: a}}", "\"-app\" is no name of a label");
	assert_spec("podSelector: {matchLabels: {/app: a}}", "\"/app\" is no name of a label");
	assert_spec("podSelector: {matchLabels: {example.com/: a}}", "\"example.com/\" is no name of a label");
	assert_spec("podSelector: {matchLabels: {example.com/app: a_b.c-d}}", NULL);
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: In}]}", "there are none");
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: NotIn, values: []}]}", "there are none");
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: Exists, values: [a]}]}", "with no values");
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: Exists, values: []}]}", NULL);
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: Is}]}",
		    "expected one of: In, NotIn, Exists");
	assert_spec("podSelector: {matchExpressions: [{operator: Exists}]}", "\"key\" is missing");
	assert_spec("podSelector: {matchExpressions: [{key: app, operator: In, values: [~]}]}", "found nothing");
}

/* A label that is not known is not absent, whatever the operator makes of it. */
static void other_labels_of_namespaces_are_an_error(void **state)
{
	static const char *const selectors[] = {
		"matchLabels: {team: a}",
		"matchLabels: {kubernetes.io/metadata.name: a, team: a}",
		"matchExpressions: [{key: team, operator: In, values: [a]}]",
		"matchExpressions: [{key: team, operator: NotIn, values: [a]}]",
		"matchExpressions: [{key: team, operator: Exists}]",
		"matchExpressions: [{key: team, operator: DoesNotExist}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		char spec[256];

		snprintf(spec, sizeof(spec), "ingress: [{from: [{namespaceSelector: {%s}}]}]", selectors[i]);
		assert_spec(spec, "no file on the host tells the label \"team\" of a namespace");
	}
}

static void add_times(struct rf_strbuf *text, const char *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rf_strbuf_addf(text, "%s%s", i ? "," : "", item);
}

static void assert_limit(const char *head, const char *item, size_t limit, const char *tail)
{
	for (size_t n = limit; n <= limit + 1; n++) {
		_cleanup_strbuf_ struct rf_strbuf spec = RF_STRBUF_INIT;

		rf_strbuf_adds(&spec, head);
		add_times(&spec, item, n);
		rf_strbuf_adds(&spec, tail);
		assert_spec(rf_strbuf_str(&spec), n > limit ? "entries, at most" : NULL);
	}
}

static void limits_hold_at_the_limit_and_not_past_it(void **state)
{
	(void)state;
	/* With the two that every direction ends with. */
	assert_limit("ingress: [", "{}", RF_MAX_RULES - 2, "]");
	assert_limit("ingress: [{from: [", "{podSelector: {}}", RF_MAX_PEERS_PER_RULE, "]}]");
	assert_limit("ingress: [{ports: [", "{port: 80}", RF_MAX_PORTS_PER_RULE, "]}]");
	assert_limit("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [", "10.1.0.0/16", RF_MAX_EXCEPTS,
		     "]}}]}]");
}

static void peers_are_shown_as_kubectl_prints_selectors(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(
		OF("app: web") "  ingress:\n    - from:\n"
			       "      - podSelector: {matchLabels: {app: api}, matchExpressions: "
			       "[{key: a, operator: In, values: [b, c]}, {key: d, operator: NotIn, values: [e]}, "
			       "{key: f, operator: Exists}, {key: g, operator: DoesNotExist}]}\n"
			       "      - namespaceSelector: {}\n");
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	(void)state;
	assert_right(&p);
	assert_int_equal(rf_policy_show((const struct rf_policy *const *)p.set->policies, p.set->n, "w", &out), 0);
	assert_non_null(strstr(rf_strbuf_str(&out),
			       "allow pods{app=api,a in (b,c),d notin (e),f,!g} of "
			       "namespaces{kubernetes.io/metadata.name=shop}, pods  (ingress[0], "));
	assert_non_null(strstr(rf_strbuf_str(&out), "allow itself  (itself, "));
	assert_non_null(strstr(rf_strbuf_str(&out), "allow host  (its node, "));
	assert_non_null(strstr(rf_strbuf_str(&out), "else deny  (default of x, "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_needs_what_it_isolates),
		cmocka_unit_test(a_policy_has_our_defaults),
		cmocka_unit_test(an_annotation_puts_it_on_trial),
		cmocka_unit_test(what_an_api_server_adds_is_accepted),
		cmocka_unit_test(a_list_is_its_items),
		cmocka_unit_test(both_kinds_go_in_one_file),
		cmocka_unit_test(an_unknown_kind_is_told_both),
		cmocka_unit_test(bits_past_a_prefix_are_cleared_with_a_warning),
		cmocka_unit_test(rules_that_no_type_has_are_told),
		cmocka_unit_test(what_upstream_refuses_is_refused),
		cmocka_unit_test(other_labels_of_namespaces_are_an_error),
		cmocka_unit_test(limits_hold_at_the_limit_and_not_past_it),
		cmocka_unit_test(peers_are_shown_as_kubectl_prints_selectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

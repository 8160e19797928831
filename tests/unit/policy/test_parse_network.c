// SPDX-License-Identifier: GPL-2.0-or-later
/* Directions, rules, peers and ports: what each becomes, and which are refused; limits of lists are in test_parse.c. */
#include <netinet/in.h>

#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"
#include "user/policy/check.h"

#define EGRESS	   "  network:\n    egress:\n      rules:\n"
#define PEER(text) EGRESS "        - to: [" text "]\n"
#define PORT(text) EGRESS "        - ports: [" text "]\n"

static const struct rf_network_rule *egress_rule(const struct parsed *p, size_t i)
{
	assert_right(p);
	assert_true(i < p->set->policies[0]->network[RF_EGRESS].n_rules);
	return &p->set->policies[0]->network[RF_EGRESS].rules[i];
}

static bool is_required(const struct rf_policy *p, enum rf_feature feature)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return true;
	return false;
}

static void a_cidr_becomes_bytes(void **state)
{
	static const struct {
		const char *peer;
		uint8_t family, prefix;
		const char *shown;
	} rows[] = {
		{ PEER("{cidr: 10.0.0.0/8}"), AF_INET, 8, "10.0.0.0/8" },
		{ PEER("{cidr: 10.1.2.3}"), AF_INET, 32, "10.1.2.3/32" },
		{ PEER("{cidr: 0.0.0.0/0}"), AF_INET, 0, "0.0.0.0/0" },
		{ PEER("{cidr: '::/0'}"), AF_INET6, 0, "::/0" },
		{ PEER("{cidr: '2001:DB8::/32'}"), AF_INET6, 32, "2001:db8::/32" },
		{ PEER("{cidr: '2001:db8::1'}"), AF_INET6, 128, "2001:db8::1/128" },
		{ PEER("{cidr: '::ffff:10.0.0.0/104'}"), AF_INET, 8, "10.0.0.0/8" },
		{ PEER("{cidr: '::ffff:10.1.2.3'}"), AF_INET, 32, "10.1.2.3/32" },
		{ PEER("{cidr: '::ffff:0.0.0.0/96'}"), AF_INET, 0, "0.0.0.0/0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		const struct rf_peer *peer;
		char shown[64];

		rf_strbuf_addf(&text, "%s%s", HEAD, rows[i].peer);
		_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

		peer = &egress_rule(&p, 0)->peers[0];
		assert_int_equal(peer->kind, RF_PEER_CIDR);
		assert_int_equal(peer->cidr.family, rows[i].family);
		assert_int_equal(peer->cidr.prefix, rows[i].prefix);
		assert_null(peer->text);
		rf_cidr_format(&peer->cidr, shown);
		assert_string_equal(shown, rows[i].shown);
	}
}

static void host_bits_are_an_error_that_shows_the_right_value(void **state)
{
	(void)state;
	assert_text(PEER("{cidr: 10.0.0.1/8}"), "write 10.0.0.0/8 for the network");
	assert_text(PEER("{cidr: 10.0.0.128/24}"), "write 10.0.0.0/24");
	assert_text(PEER("{cidr: '2001:db8::1/32'}"), "write 2001:db8::/32");
	assert_text(PEER("{cidr: '::ffff:10.0.0.1/104'}"), "write 10.0.0.0/8");
	assert_text(PEER("{cidr: 1.2.3.4/0}"), "write 0.0.0.0/0");
}

static void an_exception_lies_inside_its_cidr(void **state)
{
	_cleanup_parsed_ struct parsed p =
		parsed_text(HEAD PEER("{cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.1]}"));

	(void)state;
	assert_int_equal(egress_rule(&p, 0)->peers[0].n_excepts, 2);
	assert_int_equal(egress_rule(&p, 0)->peers[0].excepts[1].prefix, 32);
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [10.0.0.0/9]}"), NULL);
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [10.0.0.0/8]}"), "leaves nothing of the CIDR");
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}"), "is not inside the CIDR");
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [10.0.0.0/7]}"), "is not inside the CIDR");
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [0.0.0.0/0]}"), "is not inside the CIDR");
	assert_text(PEER("{cidr: 10.0.0.0/8, except: ['2001:db8::/64']}"), "is not inside the CIDR");
	assert_text(PEER("{cidr: 10.0.0.0/8, except: [10.0.0.1/16]}"), "write 10.0.0.0/16");
	assert_text(PEER("{except: [10.0.0.0/16]}"), "the peer names nobody");
	assert_text(PEER("{dns: a.example, except: [10.0.0.0/16]}"), "except goes with cidr alone");
}

static void a_peer_is_of_one_kind(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(
		HEAD PEER("{dns: '*.example.com'}, {country: [DE, FR]}, {workload: db}, {host: true}, {world: true}"));
	static const enum rf_peer_kind kinds[] = { RF_PEER_DNS, RF_PEER_COUNTRY, RF_PEER_WORKLOAD, RF_PEER_HOST,
						   RF_PEER_WORLD };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_int_equal(egress_rule(&p, 0)->peers[i].kind, kinds[i]);
	assert_string_equal(egress_rule(&p, 0)->peers[0].text, "*.example.com");
	assert_text(PEER("{tenant: a, namespace: b, workload: c, labels: {k: v}}"), NULL);
	assert_text(PEER("{}"), "the peer names nobody");
	assert_text(PEER("{cidr: 10.0.0.0/8, dns: a.example}"), "the peer is of several kinds");
	assert_text(PEER("{host: true, world: true}"), "the peer is of several kinds");
	assert_text(PEER("{country: [de]}"), "is no country code");
	assert_text(PEER("{country: [DE, DEU]}"), "is no country code");
	assert_text(PEER("{host: maybe}"), "expected true or false");
	assert_text(PEER(""), "the list of peers is empty");
}

static void a_peer_that_is_not_so_is_refused(void **state)
{
	(void)state;
	assert_text(PEER("{host: true}"), NULL);
	assert_text(PEER("{host: false}"), "the peer names nobody");
	assert_text(PEER("{world: true}"), NULL);
	assert_text(PEER("{world: false}"), "the peer names nobody");
}

static void a_workload_peer_keeps_every_part(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD PEER("{tenant: a, namespace: b}, {workload: 'db-*'}, "
								 "{labels: {k: v, l: }}, {tenant: a}, {namespace: b}, "
								 "{host: true}"));
	/* What is not said is the policy's own; a tenant alone is all of it. */
	static const char *const texts[] = { "a/b/*", "t/default/db-*", "t/default/*{k=v,l}", "a/*/*", "t/b/*" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(egress_rule(&p, 0)->peers[i].text, texts[i]);
	assert_null(egress_rule(&p, 0)->peers[ARRAY_SIZE(texts)].text);
}

static void a_dns_name_is_one(void **state)
{
	static const char *const good[] = { "example.com", "*.example.com", "a-b.C.example", "_x._tcp.example",
					    "localhost" };
	static const char *const bad[] = { "*",
					   "*.",
					   "a..b",
					   ".a",
					   "a.",
					   "a b",
					   "a.*.b",
					   "*a.example",
					   "-a.example",
					   "a-.example",
					   "a-",
					   "a/b",
					   "\xc3\xa9.example" };
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool right = i < ARRAY_SIZE(good);

		rf_strbuf_reset(&text);
		rf_strbuf_addf(&text, EGRESS "        - to: [{dns: '%s'}]\n",
			       right ? good[i] : bad[i - ARRAY_SIZE(good)]);
		assert_text(rf_strbuf_str(&text), right ? NULL : "is no DNS name");
	}
	for (int n = 63; n <= 64; n++) {
		rf_strbuf_reset(&text);
		rf_strbuf_addf(&text, EGRESS "        - to: [{dns: a.%0*d}]\n", n, 0);
		assert_text(rf_strbuf_str(&text), n == 63 ? NULL : "is no DNS name");
	}
}

static void a_direction_has_its_own_word_for_peers(void **state)
{
	(void)state;
	assert_text("  network: {ingress: {rules: [{from: [{cidr: 10.0.0.0/8}]}]}}\n", NULL);
	assert_text("  network: {ingress: {rules: [{to: [{cidr: 10.0.0.0/8}]}]}}\n", "unknown key \"to\"");
	assert_text("  network: {egress: {rules: [{from: [{cidr: 10.0.0.0/8}]}]}}\n", "unknown key \"from\"");
}

static void ports_become_ranges(void **state)
{
	static const struct {
		const char *port;
		uint8_t protocol;
		uint16_t first, last;
	} rows[] = {
		{ PORT("{port: 80}"), IPPROTO_TCP, 80, 80 },
		{ PORT("{protocol: udp, port: 53}"), IPPROTO_UDP, 53, 53 },
		{ PORT("{protocol: Sctp}"), IPPROTO_SCTP, 0, 65535 },
		{ PORT("{protocol: TCP, port: 1, endPort: 65535}"), IPPROTO_TCP, 1, 65535 },
		{ PORT("{protocol: TCP, port: 80, endPort: 80}"), IPPROTO_TCP, 80, 80 },
		{ PORT("{protocol: icmp}"), IPPROTO_ICMP, 0, 65535 },
		{ PORT("{protocol: ICMPV6}"), IPPROTO_ICMPV6, 0, 65535 },
		{ PORT("{protocol: any, port: 53}"), 0, 53, 53 },
		{ PORT("{protocol: ICMP, type: 0}"), IPPROTO_ICMP, 0, 255 },
		{ PORT("{protocol: ICMP, type: 0, code: 0}"), IPPROTO_ICMP, 0, 0 },
		{ PORT("{protocol: ICMP, type: 8}"), IPPROTO_ICMP, 8 << 8, (8 << 8) + 255 },
		{ PORT("{protocol: ICMP, type: echo-request}"), IPPROTO_ICMP, 8 << 8, (8 << 8) + 255 },
		{ PORT("{protocol: ICMP, type: 3, code: 4}"), IPPROTO_ICMP, (3 << 8) + 4, (3 << 8) + 4 },
		{ PORT("{protocol: ICMP, type: destination-unreachable, code: fragmentation-needed}"), IPPROTO_ICMP,
		  (3 << 8) + 4, (3 << 8) + 4 },
		{ PORT("{protocol: ICMPv6, type: 254, code: 255}"), IPPROTO_ICMPV6, 65279, 65279 },
		{ PORT("{protocol: ICMPv6, type: neighbour-solicitation}"), IPPROTO_ICMPV6, 135 << 8,
		  (135 << 8) + 255 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		const struct rf_port_match *port;

		rf_strbuf_addf(&text, "%s%s", HEAD, rows[i].port);
		_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

		port = &egress_rule(&p, 0)->ports[0];
		assert_int_equal(port->protocol, rows[i].protocol);
		assert_int_equal(port->first, rows[i].first);
		assert_int_equal(port->last, rows[i].last);
	}
}

static void ports_that_mean_nothing_are_refused(void **state)
{
	(void)state;
	assert_text(PORT("{port: 1}, {port: 65535}"), NULL);
	assert_text(PORT("{port: 0}"), "expected an integer from 1 to 65535");
	assert_text(PORT("{port: 65536}"), "expected an integer from 1 to 65535");
	assert_text(PORT("{port: 99999999999999999999}"), "is no integer");
	assert_text(PORT("{port: '80'}"), "is no integer");
	assert_text(PORT("{port: 0x50}"), "is no integer");
	assert_text(PORT("{port: 080}"), "is no integer");
	assert_text(PORT("{port: 1, endPort: 65536}"), "65536 is out of range");
	assert_text(PORT("{port: 81, endPort: 80}"), "endPort 80 is below port 81");
	assert_text(PORT("{endPort: 80}"), "endPort without port");
	assert_text(PORT("{protocol: ICMP, port: 8}"), "ICMP has no ports");
	assert_text(PORT("{protocol: icmpv6, port: 8}"), "ICMP has no ports");
	assert_text(PORT("{protocol: ICMP, type: 8, endPort: 9}"), "endPort without port");
	assert_text(PORT("{protocol: TCP, type: 8}"), "only ICMP and ICMPv6 have a type");
	assert_text(PORT("{type: 8}"), "only ICMP and ICMPv6 have a type");
	assert_text(PORT("{protocol: any, type: 8}"), "only ICMP and ICMPv6 have a type");
	assert_text(PORT("{protocol: UDP, port: 1, code: 0}"), "only ICMP and ICMPv6 have a code");
	assert_text(PORT("{protocol: ICMP, code: 0}"), "code without type");
	assert_text(PORT("{protocol: ICMP, type: 254}"), NULL);
	assert_text(PORT("{protocol: ICMP, type: 255}"), "expected a number from 0 to 254 or one of: echo-reply, ");
	assert_text(PORT("{protocol: ICMP, type: -1}"), "\"-1\" is no type of ICMP");
	assert_text(PORT("{protocol: ICMP, type: ping}"), "\"ping\" is no type of ICMP");
	assert_text(PORT("{protocol: ICMPv6, type: 128, code: 255}"), NULL);
	assert_text(PORT("{protocol: ICMPv6, type: 128, code: 256}"), "expected a number from 0 to 255\n");
	assert_text(PORT("{protocol: ICMPv6, type: 128, code: x}"), "\"x\" is no code of this type of ICMPv6");
	assert_text(PORT("{protocol: ICMP, type: [8]}"), "expected a number or name, found a list");
	assert_text(PORT("{protocol: ICMP, type: }"), "expected a number or name, found nothing");
	assert_text(PORT("{protocol: ICMP, type: 8, code: {}}"), "expected a number or name, found a mapping");
	assert_text(PORT("{protocol: TCPP}"), "did you mean \"TCP\"?");
	assert_text(PORT(""), "the list of ports is empty");
}

static void a_rule_without_a_name_is_called_by_its_place(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD EGRESS "        - action: deny\n"
								   "        - name: second\n"
								   "        - {}\n");

	(void)state;
	assert_string_equal(egress_rule(&p, 0)->name, "egress[0]");
	assert_int_equal(egress_rule(&p, 0)->action, RF_ACTION_DENY);
	assert_string_equal(egress_rule(&p, 1)->name, "second");
	assert_int_equal(egress_rule(&p, 1)->action, RF_ACTION_ALLOW);
	assert_int_equal(egress_rule(&p, 1)->mark.line, 11);
	assert_string_equal(egress_rule(&p, 2)->name, "egress[2]");
}

static void every_peer_that_is_no_address_needs_its_feature(void **state)
{
	static const struct {
		const char *peer;
		enum rf_feature feature;
	} rows[] = { { "dns: a.example", RF_FEATURE_NETWORK_NAMES }, { "country: [DE]", RF_FEATURE_NETWORK_COUNTRIES },
		     { "tenant: a", RF_FEATURE_NETWORK_PEERS },	     { "namespace: a", RF_FEATURE_NETWORK_PEERS },
		     { "workload: a", RF_FEATURE_NETWORK_PEERS },    { "labels: {a: b}", RF_FEATURE_NETWORK_PEERS },
		     { "host: true", RF_FEATURE_NETWORK_PEERS },     { "world: true", RF_FEATURE_NETWORK_PEERS } };
	_cleanup_parsed_ struct parsed cidr = parsed_text(HEAD PEER("{cidr: 10.0.0.0/8}, {cidr: '::/0'}"));

	(void)state;
	assert_right(&cidr);
	assert_int_equal(cidr.set->policies[0]->n_requirements, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s%s        - to: [{%s}, {%s}]\n", HEAD, EGRESS, rows[i].peer, rows[i].peer);
		_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

		assert_right(&p);
		assert_true(is_required(p.set->policies[0], rows[i].feature));
		assert_true(is_required(p.set->policies[0], RF_FEATURE_NETWORK_EGRESS));
		assert_int_equal(p.set->policies[0]->n_requirements, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cidr_becomes_bytes),
		cmocka_unit_test(host_bits_are_an_error_that_shows_the_right_value),
		cmocka_unit_test(an_exception_lies_inside_its_cidr),
		cmocka_unit_test(a_peer_is_of_one_kind),
		cmocka_unit_test(a_peer_that_is_not_so_is_refused),
		cmocka_unit_test(a_workload_peer_keeps_every_part),
		cmocka_unit_test(a_dns_name_is_one),
		cmocka_unit_test(a_direction_has_its_own_word_for_peers),
		cmocka_unit_test(ports_become_ranges),
		cmocka_unit_test(ports_that_mean_nothing_are_refused),
		cmocka_unit_test(a_rule_without_a_name_is_called_by_its_place),
		cmocka_unit_test(every_peer_that_is_no_address_needs_its_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

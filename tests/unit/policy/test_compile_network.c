// SPDX-License-Identifier: GPL-2.0-or-later
/* Network rules to rule sets: each point of the contract by hand. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/policy/compile.h"

/* In this translation unit, so that the build needs no rule for it. */
#include "tests/unit/policy/random_policy.c"

/* One policy in enforce mode with rules r0, r1, ... to fill in. */
struct fixture {
	struct arena arena;
	struct rf_policy *policy;
	struct rf_network_rule *rules;
	struct rf_diags diags;
	struct rf_ruleset_image *image;
};

static void fixture_make(struct fixture *f, enum rf_action dflt, size_t n_rules)
{
	*f = (struct fixture){ .diags = RF_DIAGS_INIT };
	f->policy = policy_new(&f->arena, "web", RF_MODE_ENFORCE);
	f->rules = policy_network(&f->arena, f->policy, RF_EGRESS, dflt, 10, n_rules)->rules;
}

static void fixture_end(struct fixture *f)
{
	rf_ruleset_image_free(f->image);
	rf_diags_fini(&f->diags);
	arena_free(&f->arena);
}

static struct rf_peer *peers_add(struct fixture *f, size_t rule, size_t n, const char *const *cidrs)
{
	struct rf_network_rule *to = &f->rules[rule];

	to->peers = arena_new(&f->arena, n * sizeof(*to->peers));
	to->n_peers = n;
	for (size_t i = 0; i < n; i++)
		to->peers[i].cidr = cidr_of(cidrs[i]);
	return to->peers;
}

#define PEERS(f, rule, ...) \
	peers_add(f, rule, ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), (const char *const[]){ __VA_ARGS__ })

static void excepts_add(struct fixture *f, struct rf_peer *peer, size_t n, const char *const *cidrs)
{
	peer->excepts = arena_new(&f->arena, n * sizeof(*peer->excepts));
	peer->n_excepts = n;
	for (size_t i = 0; i < n; i++)
		peer->excepts[i] = cidr_of(cidrs[i]);
}

#define EXCEPTS(f, peer, ...) \
	excepts_add(f, peer, ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), (const char *const[]){ __VA_ARGS__ })

static void ports_add(struct fixture *f, size_t rule, uint8_t protocol, uint16_t first, uint16_t last)
{
	struct rf_network_rule *to = &f->rules[rule];

	to->ports = arena_new(&f->arena, sizeof(*to->ports));
	to->n_ports = 1;
	to->ports[0] = (struct rf_port_match){ protocol, first, last };
}

static void compiled(struct fixture *f)
{
	const struct rf_policy *policies[] = { f->policy };

	assert_int_equal(rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_ENFORCE, &f->diags, &f->image), 0);
	assert_non_null(f->image);
	assert_int_equal(f->diags.n, 0);
}

/* The rule that decides; -1: the default. */
static int decided(const struct fixture *f, const char *address, uint8_t protocol, uint16_t port)
{
	uint8_t family = strchr(address, ':') ? AF_INET6 : AF_INET, addr[16];
	uint32_t rule = UINT32_MAX;
	bool allow;

	assert_int_equal(inet_pton(family, address, addr), 1);
	allow = rf_ruleset_evaluate(f->image, family, addr, protocol, port, &rule);
	assert_true(rule <= f->image->n_rules);
	assert_int_equal(allow, f->image->refs[rule].action == RF_ACTION_ALLOW);
	return rule == f->image->n_rules ? -1 : (int)rule;
}

static int to(const struct fixture *f, const char *address)
{
	return decided(f, address, IPPROTO_TCP, 443);
}

static void a_cidr_matches_its_addresses_and_no_others(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	PEERS(&f, 0, "10.1.0.0/16", "192.0.2.1/32");
	PEERS(&f, 1, "2001:db8:1::/48");
	compiled(&f);
	assert_int_equal(to(&f, "10.1.0.0"), 0);
	assert_int_equal(to(&f, "10.1.255.255"), 0);
	assert_int_equal(to(&f, "10.0.255.255"), -1);
	assert_int_equal(to(&f, "10.2.0.0"), -1);
	assert_int_equal(to(&f, "192.0.2.1"), 0);
	assert_int_equal(to(&f, "192.0.2.0"), -1);
	assert_int_equal(to(&f, "192.0.2.2"), -1);
	assert_int_equal(to(&f, "2001:db8:1::"), 1);
	assert_int_equal(to(&f, "2001:db8:1:ffff:ffff:ffff:ffff:ffff"), 1);
	assert_int_equal(to(&f, "2001:db8:0:ffff:ffff:ffff:ffff:ffff"), -1);
	assert_int_equal(to(&f, "2001:db8:2::"), -1);
	fixture_end(&f);
}

static void the_first_rule_decides_however_long_the_prefixes_are(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 3);
	PEERS(&f, 0, "10.1.0.0/16");
	f.rules[1].action = RF_ACTION_DENY;
	PEERS(&f, 1, "10.1.2.3/32", "10.2.0.0/16");
	PEERS(&f, 2, "0.0.0.0/0");
	compiled(&f);
	assert_int_equal(to(&f, "10.1.2.3"), 0);
	assert_int_equal(to(&f, "10.2.0.1"), 1);
	assert_int_equal(to(&f, "10.3.0.1"), 2);
	assert_int_equal(to(&f, "::1"), -1);
	fixture_end(&f);
}

static void an_exception_is_not_matched_but_what_is_beside_it_is(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	EXCEPTS(&f, PEERS(&f, 0, "10.0.0.0/8"), "10.1.0.0/16", "10.1.2.0/24");
	compiled(&f);
	assert_int_equal(to(&f, "10.0.255.255"), 0);
	assert_int_equal(to(&f, "10.1.0.0"), -1);
	assert_int_equal(to(&f, "10.1.2.3"), -1);
	assert_int_equal(to(&f, "10.1.3.3"), -1);
	assert_int_equal(to(&f, "10.1.255.255"), -1);
	assert_int_equal(to(&f, "10.2.0.0"), 0);
	fixture_end(&f);
}

static void another_peer_inside_an_exception_matches_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	EXCEPTS(&f, PEERS(&f, 0, "10.0.0.0/8", "10.1.2.0/24"), "10.1.0.0/16");
	compiled(&f);
	assert_int_equal(to(&f, "10.1.1.255"), -1);
	assert_int_equal(to(&f, "10.1.2.0"), 0);
	assert_int_equal(to(&f, "10.1.3.0"), -1);
	fixture_end(&f);
}

static void an_exception_takes_nothing_from_a_wider_peer(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	EXCEPTS(&f, PEERS(&f, 0, "10.0.0.0/8", "10.0.0.0/7"), "10.1.0.0/16");
	compiled(&f);
	assert_int_equal(to(&f, "10.1.0.1"), 0);
	fixture_end(&f);
}

static void an_exception_as_wide_as_its_peer_leaves_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	EXCEPTS(&f, PEERS(&f, 0, "10.0.0.0/8"), "10.0.0.0/8");
	PEERS(&f, 1, "10.0.0.0/8");
	compiled(&f);
	assert_int_equal(to(&f, "10.0.0.1"), 1);
	fixture_end(&f);
}

static void a_mapped_address_is_judged_as_ipv4(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	PEERS(&f, 0, "10.0.0.0/8");
	PEERS(&f, 1, "::/0");
	compiled(&f);
	assert_int_equal(to(&f, "::ffff:10.0.0.1"), 0);
	assert_int_equal(to(&f, "::ffff:11.0.0.1"), -1);
	assert_int_equal(to(&f, "11.0.0.1"), -1);
	assert_int_equal(to(&f, "::10.0.0.1"), 1);
	fixture_end(&f);
}

static void a_port_range_matches_its_ends_and_not_one_past(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	ports_add(&f, 0, IPPROTO_TCP, 1000, 1999);
	ports_add(&f, 1, IPPROTO_UDP, 53, 53);
	compiled(&f);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 999), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 1000), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 1999), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 2000), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 1000), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 53), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 53), -1);
	fixture_end(&f);
}

static void a_port_range_takes_the_fewest_prefixes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	ports_add(&f, 0, IPPROTO_TCP, 1, 65534);
	compiled(&f);
	assert_int_equal(f.image->n_ports, 30);
	fixture_end(&f);
	fixture_make(&f, RF_ACTION_DENY, 1);
	ports_add(&f, 0, IPPROTO_TCP, 0, 65535);
	compiled(&f);
	assert_int_equal(f.image->n_ports, 1);
	assert_int_equal(f.image->ports[0].prefixlen, RF_PORT_PREFIX_PROTO);
	fixture_end(&f);
}

static void a_protocol_alone_matches_all_its_ports_and_no_other_protocol(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	ports_add(&f, 0, IPPROTO_UDP, 0, 65535);
	ports_add(&f, 1, IPPROTO_ICMP, 0, 65535);
	compiled(&f);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 0), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 65535), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 80), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, 0), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, 80), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMPV6, 0), -1);
	fixture_end(&f);
}

static void a_type_is_one_prefix_and_a_type_with_a_code_another(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 4);
	ports_add(&f, 0, IPPROTO_ICMP, RF_ICMP_PORT(3, 4), RF_ICMP_PORT(3, 4));
	ports_add(&f, 1, IPPROTO_ICMP, RF_ICMP_PORT(3, 0), RF_ICMP_PORT(3, 255));
	ports_add(&f, 2, IPPROTO_ICMP, RF_ICMP_PORT(0, 0), RF_ICMP_PORT(0, 255));
	ports_add(&f, 3, IPPROTO_ICMPV6, 0, 65535);
	compiled(&f);
	assert_int_equal(f.image->n_ports, 4);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_PORT(3, 4)), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_PORT(3, 3)), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_PORT(3, 255)), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_PORT(4, 4)), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_PORT(0, 0)), 2);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, RF_ICMP_UNREAD), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMPV6, RF_ICMP_PORT(3, 4)), 3);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMPV6, RF_ICMP_UNREAD), 3);
	fixture_end(&f);
}

static void a_port_of_any_protocol_is_one_of_those_that_have_ports(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	ports_add(&f, 0, 0, 53, 53);
	ports_add(&f, 1, 0, 0, 1);
	compiled(&f);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 53), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 53), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_SCTP, 53), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 54), -1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_UDP, 0), 1);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_ICMP, 0), -1);
	assert_int_equal(decided(&f, "10.0.0.1", 47, 0), -1);
	fixture_end(&f);
}

static void a_rule_without_limits_is_in_every_vector(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 3);
	f.rules[0].action = RF_ACTION_DENY;
	PEERS(&f, 0, "10.0.0.0/8");
	ports_add(&f, 0, IPPROTO_TCP, 22, 22);
	ports_add(&f, 2, 0, 0, 65535);
	compiled(&f);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 22), 0);
	assert_int_equal(decided(&f, "10.0.0.1", IPPROTO_TCP, 23), 1);
	assert_int_equal(decided(&f, "11.0.0.1", IPPROTO_TCP, 22), 1);
	assert_int_equal(decided(&f, "::1", 47, 0), 1);
	fixture_end(&f);
}

static void a_prefix_that_changes_nothing_is_left_out(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	PEERS(&f, 0, "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16", "10.1.2.0/24");
	compiled(&f);
	assert_int_equal(f.image->n_peers4, 1);
	assert_int_equal(to(&f, "10.1.2.3"), 0);
	/* Empty; the allowing rules, which are also those of 10/8 and those of any port. */
	assert_int_equal(f.image->n_sets, 2);
	fixture_end(&f);
}

static void no_section_is_no_opinion_and_no_rules_is_the_default(void **state)
{
	struct rf_ruleset_image *image = (void *)1;
	uint8_t addr[16] = { 10, 0, 0, 1 };
	const struct rf_policy *policies[1];
	struct fixture f;
	uint32_t rule;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 0);
	policies[0] = f.policy;
	assert_int_equal(rf_ruleset_compile(policies, 1, RF_INGRESS, RF_TIER_ENFORCE, &f.diags, &image), 0);
	assert_null(image);
	assert_int_equal(rf_ruleset_compile(NULL, 0, RF_EGRESS, RF_TIER_ENFORCE, &f.diags, &image), 0);
	assert_null(image);
	assert_true(rf_ruleset_evaluate(image, AF_INET, addr, IPPROTO_TCP, 1, &rule));
	compiled(&f);
	assert_int_equal(f.image->words, 1);
	assert_int_equal(to(&f, "10.0.0.1"), -1);
	assert_false(rf_ruleset_evaluate(f.image, AF_INET, addr, IPPROTO_TCP, 1, &rule));
	fixture_end(&f);
	fixture_make(&f, RF_ACTION_ALLOW, 0);
	compiled(&f);
	assert_true(rf_ruleset_evaluate(f.image, AF_INET, addr, IPPROTO_TCP, 1, &rule));
	fixture_end(&f);
}

static void the_default_denies_if_any_policy_says_so_and_that_one_is_named(void **state)
{
	struct rf_ruleset_image *image = NULL;
	const struct rf_policy *policies[3];
	struct arena a = { NULL };
	struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct rf_policy *p = policy_new(&a, arena_format(&a, "p%d", i), RF_MODE_ENFORCE);

		policy_network(&a, p, RF_EGRESS, i ? RF_ACTION_DENY : RF_ACTION_ALLOW, 100 * i + 1, 1);
		policies[i] = p;
	}
	assert_int_equal(rf_ruleset_compile(policies, 3, RF_EGRESS, RF_TIER_ENFORCE, &diags, &image), 0);
	arena_free(&a); /* the image outlives the policies */
	assert_false(image->default_allow);
	assert_int_equal(image->n_rules, 3);
	assert_string_equal(image->refs[3].policy, "t/ns/p1");
	assert_string_equal(image->refs[3].rule, "default");
	assert_string_equal(image->refs[3].file, "p1.yaml");
	assert_int_equal(image->refs[3].line, 101);
	assert_int_equal(image->refs[3].action, RF_ACTION_DENY);
	assert_string_equal(image->refs[2].policy, "t/ns/p2");
	assert_string_equal(image->refs[2].rule, "r0");
	assert_int_equal(image->refs[2].line, 202);
	rf_ruleset_image_free(image);
	rf_diags_fini(&diags);
}

static void the_audited_tier_holds_all_rules_and_is_absent_without_an_audited_policy(void **state)
{
	struct rf_ruleset_image *image = NULL;
	const struct rf_policy *policies[2];
	struct arena a = { NULL };
	struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_policy *enforce = policy_new(&a, "e", RF_MODE_ENFORCE), *audit = policy_new(&a, "a", RF_MODE_AUDIT);

	(void)state;
	policy_network(&a, enforce, RF_EGRESS, RF_ACTION_ALLOW, 1, 2);
	policy_network(&a, audit, RF_EGRESS, RF_ACTION_DENY, 1, 3);
	policies[0] = enforce;
	policies[1] = audit;
	assert_int_equal(rf_ruleset_compile(policies, 2, RF_EGRESS, RF_TIER_ENFORCE, &diags, &image), 0);
	assert_int_equal(image->n_rules, 2);
	assert_true(image->default_allow);
	rf_ruleset_image_free(image);
	assert_int_equal(rf_ruleset_compile(policies, 2, RF_EGRESS, RF_TIER_AUDIT, &diags, &image), 0);
	assert_int_equal(image->n_rules, 5);
	assert_false(image->default_allow);
	assert_int_equal(image->refs[1].mode, RF_MODE_ENFORCE);
	assert_int_equal(image->refs[2].mode, RF_MODE_AUDIT);
	rf_ruleset_image_free(image);
	assert_int_equal(rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_AUDIT, &diags, &image), 0);
	assert_null(image);
	/* In audit mode, but without the section. */
	audit->network[RF_EGRESS].present = false;
	assert_int_equal(rf_ruleset_compile(policies, 2, RF_EGRESS, RF_TIER_AUDIT, &diags, &image), 0);
	assert_null(image);
	audit->network[RF_EGRESS].present = true;
	assert_int_equal(rf_ruleset_compile(policies + 1, 1, RF_EGRESS, RF_TIER_ENFORCE, &diags, &image), 0);
	assert_null(image);
	rf_diags_fini(&diags);
	arena_free(&a);
}

static void an_uncompiled_peer_allows_nobody_and_is_refused_where_it_denies(void **state)
{
	struct rf_ruleset_image *untouched = (void *)1;
	const struct rf_policy *policies[1];
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	PEERS(&f, 0, "10.0.0.0/8")->kind = RF_PEER_COUNTRY;
	compiled(&f);
	assert_int_equal(to(&f, "10.0.0.1"), -1);
	f.rules[0].peers[0].mark.line = 33;
	f.rules[0].action = RF_ACTION_DENY;
	policies[0] = f.policy;
	assert_int_equal(rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_ENFORCE, &f.diags, &untouched),
			 -EOPNOTSUPP);
	assert_ptr_equal(untouched, (void *)1);
	assert_int_equal(f.diags.n_errors, 1);
	assert_int_equal(f.diags.list[0].mark.line, 33);
	assert_non_null(strstr(f.diags.list[0].message, "country"));
	f.policy->mode = RF_MODE_AUDIT;
	assert_int_equal(rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_AUDIT, &f.diags, &untouched), 0);
	rf_ruleset_image_free(untouched);
	fixture_end(&f);
}

static void equal_rules_have_equal_images_and_digests_and_others_do_not(void **state)
{
	struct fixture f, g;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	PEERS(&f, 0, "10.0.0.0/8", "192.0.2.0/24");
	fixture_make(&g, RF_ACTION_DENY, 2);
	PEERS(&g, 0, "192.0.2.0/24", "10.0.0.0/8");
	g.policy->network[RF_EGRESS].rules[1].mark.line = 99;
	compiled(&f);
	compiled(&g);
	assert_true(rf_ruleset_image_equal(f.image, g.image));
	assert_true(f.image->digest == g.image->digest);
	for (int change = 0; change < 4; change++) {
		rf_ruleset_image_free(g.image);
		g.image = NULL;
		if (change == 0)
			g.rules[0].peers[1].cidr = cidr_of("10.0.0.0/9");
		if (change == 1)
			g.rules[1].action = RF_ACTION_DENY;
		if (change == 2)
			ports_add(&g, 1, IPPROTO_TCP, 80, 80);
		if (change == 3)
			g.policy->network[RF_EGRESS].default_action = RF_ACTION_ALLOW;
		compiled(&g);
		assert_false(rf_ruleset_image_equal(f.image, g.image));
		assert_true(f.image->digest != g.image->digest);
	}
	assert_false(rf_ruleset_image_equal(f.image, NULL));
	assert_true(rf_ruleset_image_equal(NULL, NULL));
	fixture_end(&f);
	fixture_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cidr_matches_its_addresses_and_no_others),
		cmocka_unit_test(the_first_rule_decides_however_long_the_prefixes_are),
		cmocka_unit_test(an_exception_is_not_matched_but_what_is_beside_it_is),
		cmocka_unit_test(another_peer_inside_an_exception_matches_again),
		cmocka_unit_test(an_exception_takes_nothing_from_a_wider_peer),
		cmocka_unit_test(an_exception_as_wide_as_its_peer_leaves_nothing),
		cmocka_unit_test(a_mapped_address_is_judged_as_ipv4),
		cmocka_unit_test(a_port_range_matches_its_ends_and_not_one_past),
		cmocka_unit_test(a_port_range_takes_the_fewest_prefixes),
		cmocka_unit_test(a_protocol_alone_matches_all_its_ports_and_no_other_protocol),
		cmocka_unit_test(a_type_is_one_prefix_and_a_type_with_a_code_another),
		cmocka_unit_test(a_port_of_any_protocol_is_one_of_those_that_have_ports),
		cmocka_unit_test(a_rule_without_limits_is_in_every_vector),
		cmocka_unit_test(a_prefix_that_changes_nothing_is_left_out),
		cmocka_unit_test(no_section_is_no_opinion_and_no_rules_is_the_default),
		cmocka_unit_test(the_default_denies_if_any_policy_says_so_and_that_one_is_named),
		cmocka_unit_test(the_audited_tier_holds_all_rules_and_is_absent_without_an_audited_policy),
		cmocka_unit_test(an_uncompiled_peer_allows_nobody_and_is_refused_where_it_denies),
		cmocka_unit_test(equal_rules_have_equal_images_and_digests_and_others_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

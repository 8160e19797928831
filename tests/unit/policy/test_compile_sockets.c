// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets of several policies: the union of denials, the intersection of netlink families, the tiers, and whose. */
#include <linux/netlink.h>

#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_sockets.h"

struct compiled {
	struct parsed parsed;
	struct rf_sockets_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_sockets_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define SOCKETS(what)	   "  network: {sockets: {" what "}}\n"
#define AUDIT		   "  mode: audit\n"
#define BIT(kind)	   (1u << RF_SOCKET_##kind)
#define FAMILY(name)	   (1u << NETLINK_##name)

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_sockets_compile(policies, c.parsed.set->n, &c.image), 0);
	rf_sockets_show(policies, c.parsed.set->n, &c.shown);
	return c;
}

static void assert_limits(const struct compiled *c, enum rf_tier tier, uint32_t deny, uint32_t netlink)
{
	assert_non_null(c->image);
	assert_int_equal(c->image->limits[tier].deny, deny);
	assert_int_equal(c->image->limits[tier].netlink, netlink);
}

static void assert_whose(const struct compiled *c, enum rf_tier tier, unsigned int rule, const char *policy,
			 const char *name, uint32_t line)
{
	const struct rf_rule_ref *ref = rf_sockets_ref(c->image, tier, rule);

	assert_non_null(ref);
	assert_string_equal(ref->policy, policy);
	assert_string_equal(ref->rule, name);
	assert_string_equal(ref->file, "t.yaml");
	assert_int_equal(ref->line, line);
}

static void without_denials_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD SOCKETS("deny: []"));

	(void)state;
	assert_null(c.image);
	assert_null(rf_sockets_ref(c.image, RF_TIER_ENFORCE, RF_SOCKET_RAW));
	assert_string_equal(rf_strbuf_str(&c.shown), "\nsockets: no policy speaks of them: all allowed\n");
}

static void one_policy_is_taken_as_it_is(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD SOCKETS("deny: [raw, vsock], netlink: [NETLINK_ROUTE, NETLINK_AUDIT]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, BIT(RAW) | BIT(VSOCK) | BIT(NETLINK), FAMILY(ROUTE) | FAMILY(AUDIT));
	assert_limits(&c, RF_TIER_AUDIT, 0, 0);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_RAW, "t/default/x", "sockets.deny[raw]", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_NETLINK + NETLINK_SMC, "t/default/x", "sockets.netlink", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_RULES - 1, "t/default/x", "sockets.netlink", 7);
	assert_null(rf_sockets_ref(c.image, RF_TIER_ENFORCE, RF_SOCKET_PACKET));
	assert_null(rf_sockets_ref(c.image, RF_TIER_ENFORCE, RF_SOCKET_NETLINK + NETLINK_ROUTE));
	assert_null(rf_sockets_ref(c.image, RF_TIER_AUDIT, RF_SOCKET_RAW));
	assert_null(rf_sockets_ref(c.image, RF_TIERS, RF_SOCKET_RAW));
	assert_null(rf_sockets_ref(c.image, RF_TIER_ENFORCE, RF_SOCKET_RULES));
	assert_string_equal(rf_strbuf_str(&c.shown),
			    "\nsockets:\n  deny raw  (x, t.yaml:7)\n  deny vsock  (x, t.yaml:7)\n"
			    "  allow of netlink only NETLINK_ROUTE NETLINK_AUDIT  (x, t.yaml:7)\n");
}

static void denials_are_united_and_netlink_is_intersected(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("b") SOCKETS("deny: [packet, raw], netlink: [NETLINK_ROUTE, NETLINK_AUDIT]") "---\n"	     //
		HEAD_OF("c") "  priority: 1\n" SOCKETS("deny: [raw], netlink: [NETLINK_ROUTE, NETLINK_SMC]") "---\n" //
		HEAD_OF("d") SOCKETS("deny: [unixOtherTenants]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, BIT(RAW) | BIT(PACKET) | BIT(UNIX) | BIT(NETLINK), FAMILY(ROUTE));
	/* The first in the order of precedence that denies is named. */
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_RAW, "t/default/c", "sockets.deny[raw]", 16);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_PACKET, "t/default/b", "sockets.deny[packet]", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_UNIX, "t/default/d", "sockets.deny[unixOtherTenants]", 24);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_NETLINK + NETLINK_SMC, "t/default/b", "sockets.netlink", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_SOCKET_NETLINK + NETLINK_AUDIT, "t/default/c", "sockets.netlink", 16);
	assert_non_null(strstr(rf_strbuf_str(&c.shown),
			       "  allow of netlink only NETLINK_ROUTE  (c, t.yaml:16; b, t.yaml:7)\n"));
}

static void lists_without_a_family_in_common_deny_all(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD_OF("a") SOCKETS("netlink: [NETLINK_ROUTE]") "---\n" //
							     HEAD_OF("b") SOCKETS("netlink: [NETLINK_SMC]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, BIT(NETLINK), 0);
	assert_string_equal(rf_strbuf_str(&c.shown), "\nsockets:\n  deny netlink  (a, t.yaml:7; b, t.yaml:15)\n");
}

static void audit_takes_all_policies_and_enforces_none_of_its_own(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") SOCKETS("deny: [raw], netlink: [NETLINK_ROUTE, NETLINK_SMC]") "---\n" //
			      HEAD_OF("b") AUDIT SOCKETS("deny: [raw, packet], netlink: [NETLINK_ROUTE]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, BIT(RAW) | BIT(NETLINK), FAMILY(ROUTE) | FAMILY(SMC));
	assert_limits(&c, RF_TIER_AUDIT, BIT(RAW) | BIT(PACKET) | BIT(NETLINK), FAMILY(ROUTE));
	assert_whose(&c, RF_TIER_AUDIT, RF_SOCKET_PACKET, "t/default/b", "sockets.deny[packet]", 16);
	assert_whose(&c, RF_TIER_AUDIT, RF_SOCKET_NETLINK + NETLINK_SMC, "t/default/b", "sockets.netlink", 16);
	assert_string_equal(rf_strbuf_str(&c.shown),
			    "\nsockets:\n  deny raw  (a, t.yaml:7)\n  in audit, deny packet  (b, t.yaml:16)\n"
			    "  allow of netlink only NETLINK_ROUTE NETLINK_SMC  (a, t.yaml:7)\n"
			    "  in audit, allow of netlink only NETLINK_ROUTE  (a, t.yaml:7; b, t.yaml:16)\n");
}

static void an_audited_policy_without_the_section_audits_nothing(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") SOCKETS("deny: [raw]") "---\n" HEAD_OF("b") AUDIT);

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, BIT(RAW), 0);
	assert_limits(&c, RF_TIER_AUDIT, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_denials_there_is_no_image),
		cmocka_unit_test(one_policy_is_taken_as_it_is),
		cmocka_unit_test(denials_are_united_and_netlink_is_intersected),
		cmocka_unit_test(lists_without_a_family_in_common_deny_all),
		cmocka_unit_test(audit_takes_all_policies_and_enforces_none_of_its_own),
		cmocka_unit_test(an_audited_policy_without_the_section_audits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

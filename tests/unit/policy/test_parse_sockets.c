// SPDX-License-Identifier: GPL-2.0-or-later
/* spec.network.sockets: kinds and netlink families, where they stand, and what each needs of the host. */
#include <linux/netlink.h>

#include "tests/unit/policy/parsed.h"

#define SOCKETS "  network:\n    sockets:\n"

static const struct rf_policy *policy_of(const struct parsed *p)
{
	assert_right(p);
	return p->set->policies[0];
}

static bool is_required(const struct rf_policy *p, enum rf_feature feature, uint32_t line)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return p->requirements[i].mark.line == line;
	return false;
}

static void each_kind_has_its_bit_and_its_line(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD SOCKETS "      deny:\n        - raw\n        - VSock\n"
								    "        - packet\n        - unixOtherTenants\n"
								    "        - raw\n");
	const struct rf_sockets *s = &policy_of(&p)->sockets;

	(void)state;
	assert_int_equal(s->limits.deny, 0xf);
	assert_int_equal(s->limits.netlink, 0);
	assert_int_equal(s->mark[RF_SOCKET_RAW].line, 10);
	assert_int_equal(s->mark[RF_SOCKET_VSOCK].line, 11);
	assert_int_equal(s->mark[RF_SOCKET_PACKET].line, 12);
	assert_int_equal(s->mark[RF_SOCKET_UNIX].line, 13);
	assert_true(is_required(policy_of(&p), RF_FEATURE_NETWORK_RAW, 10));
	assert_true(is_required(policy_of(&p), RF_FEATURE_NETWORK_SOCKETS, 11));
}

static void raw_alone_needs_no_lsm(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD SOCKETS "      deny: [raw]\n");

	(void)state;
	assert_int_equal(policy_of(&p)->n_requirements, 1);
	assert_true(is_required(policy_of(&p), RF_FEATURE_NETWORK_RAW, 9));
}

static void netlink_is_a_list_of_what_is_allowed(void **state)
{
	_cleanup_parsed_ struct parsed some = parsed_text(HEAD SOCKETS "      netlink: [NETLINK_ROUTE, netlink_smc]\n"),
				       none = parsed_text(HEAD SOCKETS "      netlink: []\n");

	(void)state;
	assert_int_equal(policy_of(&some)->sockets.limits.deny, 1u << RF_SOCKET_NETLINK);
	assert_int_equal(policy_of(&some)->sockets.limits.netlink, 1u << NETLINK_ROUTE | 1u << NETLINK_SMC);
	assert_int_equal(policy_of(&some)->sockets.mark[RF_SOCKET_NETLINK].line, 9);
	assert_true(is_required(policy_of(&some), RF_FEATURE_NETWORK_SOCKETS, 9));
	assert_int_equal(policy_of(&none)->sockets.limits.deny, 1u << RF_SOCKET_NETLINK);
	assert_int_equal(policy_of(&none)->sockets.limits.netlink, 0);
}

static void what_is_not_said_is_no_opinion(void **state)
{
	_cleanup_parsed_ struct parsed empty = parsed_text(HEAD "  network: {sockets: {}}\n"),
				       nothing = parsed_text(HEAD SOCKETS "      deny: []\n");

	(void)state;
	assert_int_equal(policy_of(&empty)->sockets.limits.deny, 0);
	assert_int_equal(policy_of(&empty)->n_requirements, 0);
	assert_int_equal(policy_of(&nothing)->sockets.limits.deny, 0);
}

static void what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *sockets, *said;
	} rows[] = {
		{ "deny: [rwa]", "expected one of: raw, packet, vsock, unixOtherTenants; did you mean \"raw\"?" },
		{ "deny: [unix]", "did you mean \"unixOtherTenants\"?" },
		{ "deny: [netlink]", "\"netlink\" is not known here" },
		{ "deny: raw", "expected a list of words" },
		{ "deny: [[raw]]", "network.sockets.deny[0]: expected a word, found a list" },
		{ "netlink: [NETLINK_ROUET]", "did you mean \"NETLINK_ROUTE\"?" },
		{ "netlink: [NETLINK_FIREWALL]", "\"NETLINK_FIREWALL\" is not known here" },
		{ "netlink: NETLINK_ROUTE", "expected a list of words" },
		{ "netlink: [0]", "expected one of: NETLINK_ROUTE, " },
		{ "allow: [raw]", "unknown key \"allow\" in spec.network.sockets" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s      %s\n", SOCKETS, rows[i].sockets);
		assert_text(rf_strbuf_str(&text), rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_bit_and_its_line),
		cmocka_unit_test(raw_alone_needs_no_lsm),
		cmocka_unit_test(netlink_is_a_list_of_what_is_allowed),
		cmocka_unit_test(what_is_not_said_is_no_opinion),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of sockets: every one that a policy can write is read back, and what has none is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "user/model/sockets.h"

static void every_kind_is_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < RF_SOCKET_NETLINK; i++)
		assert_int_equal(rf_socket_kind_parse(rf_socket_kind_names[i]), i);
	assert_null(rf_socket_kind_names[RF_SOCKET_NETLINK]);
	assert_int_equal(rf_socket_kind_parse("UNIXothertenants"), RF_SOCKET_UNIX);
	assert_int_equal(rf_socket_kind_parse("rawer"), -EINVAL);
	assert_int_equal(rf_socket_kind_parse(""), -EINVAL);
}

static void every_netlink_family_is_read_back(void **state)
{
	uint32_t seen = 0;

	(void)state;
	for (int i = 0; rf_netlink_names[i]; i++) {
		int family = rf_netlink_parse(rf_netlink_names[i]);

		assert_in_range(family, 0, RF_NETLINK_FAMILIES - 1);
		assert_false(seen & 1u << family);
		seen |= 1u << family;
		assert_string_equal(rf_netlink_name(family), rf_netlink_names[i]);
	}
	assert_int_equal(rf_netlink_parse("netlink_route"), NETLINK_ROUTE);
	assert_int_equal(rf_netlink_parse("NETLINK_AUDIT"), NETLINK_AUDIT);
	assert_int_equal(rf_netlink_parse("NETLINK_"), -EINVAL);
	assert_null(rf_netlink_name(NETLINK_UNUSED));
	assert_null(rf_netlink_name(RF_NETLINK_FAMILIES));
}

static void rules_families_and_types_have_names(void **state)
{
	char rule[RF_SOCKET_RULE_NAME], word[RF_SOCKET_WORD];

	(void)state;
	assert_string_equal(rf_socket_rule_name(RF_SOCKET_RAW, rule), "sockets.deny[raw]");
	assert_string_equal(rf_socket_rule_name(RF_SOCKET_UNIX, rule), "sockets.deny[unixOtherTenants]");
	assert_string_equal(rf_socket_rule_name(RF_SOCKET_NETLINK, rule), "sockets.netlink");
	assert_string_equal(rf_socket_rule_name(RF_SOCKET_RULES - 1, rule), "sockets.netlink");
	assert_string_equal(rf_socket_family_name(AF_XDP, word), "xdp");
	assert_string_equal(rf_socket_family_name(~0u, word), "4294967295");
	assert_string_equal(rf_socket_type_name(SOCK_SEQPACKET, word), "seqpacket");
	assert_string_equal(rf_socket_type_name(77, word), "77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read_back),
		cmocka_unit_test(every_netlink_family_is_read_back),
		cmocka_unit_test(rules_families_and_types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "user/lib/inet.h"

static const uint8_t *parsed(int family, const char *text)
{
	static uint8_t addr[16];

	assert_int_equal(inet_pton(family, text, addr), 1);
	return addr;
}

static void loopback_is_its_prefix_and_no_more(void **state)
{
	(void)state;
	assert_true(rf_inet_is_loopback(AF_INET, parsed(AF_INET, "127.0.0.1")));
	assert_true(rf_inet_is_loopback(AF_INET, parsed(AF_INET, "127.255.255.255")));
	assert_false(rf_inet_is_loopback(AF_INET, parsed(AF_INET, "128.0.0.1")));
	assert_true(rf_inet_is_loopback(AF_INET6, parsed(AF_INET6, "::1")));
	assert_false(rf_inet_is_loopback(AF_INET6, parsed(AF_INET6, "::2")));
	assert_false(rf_inet_is_loopback(AF_INET6, parsed(AF_INET6, "::ffff:127.0.0.1")));
}

static void a_mapped_address_is_ipv4(void **state)
{
	const uint8_t *v4 = rf_inet_mapped(AF_INET6, parsed(AF_INET6, "::ffff:10.1.2.3"));

	(void)state;
	assert_non_null(v4);
	assert_memory_equal(v4, "\x0a\x01\x02\x03", 4);
	assert_null(rf_inet_mapped(AF_INET6, parsed(AF_INET6, "::10.1.2.3")));
	assert_null(rf_inet_mapped(AF_INET, parsed(AF_INET6, "::ffff:10.1.2.3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_its_prefix_and_no_more),
		cmocka_unit_test(a_mapped_address_is_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

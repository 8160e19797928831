// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of a namespace, from the texts that the kernel shows. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/net_address.h"

static struct rf_net_addresses addresses;

static void expect(size_t i, int family, const char *text)
{
	uint8_t addr[16] = { 0 };

	assert_int_equal(inet_pton(family, text, addr), 1);
	assert_true(i < addresses.n);
	assert_int_equal(addresses.list[i].family, family);
	assert_memory_equal(addresses.list[i].addr, addr, sizeof(addr));
}

static void own_addresses_are_the_local_hosts_of_the_trie(void **state)
{
	static const char text[] = "Main:\n"
				   "  +-- 0.0.0.0/0 3 0 5\n"
				   "     |-- 0.0.0.0\n"
				   "        /0 universe UNICAST\n"
				   "     +-- 10.88.0.0/24 2 0 1\n"
				   "        |-- 10.88.0.0\n"
				   "           /24 link UNICAST\n"
				   "        |-- 10.88.0.5\n"
				   "           /32 host LOCAL\n"
				   "        |-- 10.88.0.255\n"
				   "           /32 link BROADCAST\n"
				   "Local:\n"
				   "        |-- 10.88.0.5\n"
				   "           /32 host LOCAL\n"
				   "        |-- 127.0.0.1\n"
				   "           /32 host LOCAL\n"
				   "        |-- 169.254.1.1\n"
				   "           /32 host LOCAL\n"
				   "        |-- 192.0.2.7\n"
				   "           /32 host LOCAL";

	(void)state;
	addresses.n = 0;
	rf_net_fib_trie_parse(text, strlen(text), &addresses);
	assert_int_equal(addresses.n, 2);
	expect(0, AF_INET, "10.88.0.5");
	expect(1, AF_INET, "192.0.2.7");
}

static void ipv6_without_loopback_link_local_and_multicast(void **state)
{
	static const char text[] = "00000000000000000000000000000001 01 80 10 80       lo\n"
				   "fe800000000000001c6d4ffffe4d5a01 02 40 20 80     eth0\n"
				   "fd000009000000000000000000000001 02 40 00 80     eth0\n"
				   "ff020000000000000000000000000001 02 40 00 80     eth0\n"
				   "fd000009000000000000000000000001 03 40 00 80     eth1\n"
				   "20010db8000000000000000000000002 02 40 00 80     eth0";

	(void)state;
	addresses.n = 0;
	rf_net_if_inet6_parse(text, strlen(text), &addresses);
	assert_int_equal(addresses.n, 2);
	expect(0, AF_INET6, "fd00:9::1");
	expect(1, AF_INET6, "2001:db8::2");
}

static void other_lines_are_passed_over(void **state)
{
	static const char *const texts[] = { "",
					     "\n\n",
					     "|-- ",
					     "|-- 10.0.0.1",
					     "/32 host LOCAL\n",
					     "|-- 10.0.0.999\n/32 host LOCAL",
					     "|-- 10.0.0.1 \n/32 host LOCAL",
					     "fd00",
					     "zz000009000000000000000000000001 02" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		addresses.n = 0;
		rf_net_fib_trie_parse(texts[i], strlen(texts[i]), &addresses);
		rf_net_if_inet6_parse(texts[i], strlen(texts[i]), &addresses);
		assert_int_equal(addresses.n, 0);
	}
}

static void no_more_than_the_limit_are_kept(void **state)
{
	char line[64];

	(void)state;
	addresses.n = 0;
	for (unsigned int i = 0; i <= RF_NET_ADDRESSES_MAX; i++) {
		int n = snprintf(line, sizeof(line), "|-- 10.0.%u.%u\n/32 host LOCAL\n", i >> 8, i & 255);

		rf_net_fib_trie_parse(line, n, &addresses);
		assert_int_equal(addresses.n, i < RF_NET_ADDRESSES_MAX ? i + 1 : RF_NET_ADDRESSES_MAX);
	}
}

static void those_of_this_process_can_be_read(void **state)
{
	uint64_t mine, same;

	(void)state;
	assert_int_equal(rf_net_addresses_read(getpid(), &addresses), 0);
	assert_int_equal(rf_net_namespace_read(getpid(), &mine), 0);
	assert_int_equal(rf_net_namespace_read(getppid(), &same), 0);
	assert_int_equal(mine, same);
	assert_true(rf_net_addresses_read(0, &addresses) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_addresses_are_the_local_hosts_of_the_trie),
		cmocka_unit_test(ipv6_without_loopback_link_local_and_multicast),
		cmocka_unit_test(other_lines_are_passed_over),
		cmocka_unit_test(no_more_than_the_limit_are_kept),
		cmocka_unit_test(those_of_this_process_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

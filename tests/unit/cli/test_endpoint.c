// SPDX-License-Identifier: GPL-2.0-or-later
/* ADDR:PORT/PROTO: what is taken, what is refused and why. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/endpoint.h"

static void every_form_is_taken(void **state)
{
	static const struct {
		const char *text, *address;
		uint16_t port;
		const char *protocol;
	} cases[] = {
		{ "192.0.2.1:443/tcp", "192.0.2.1", 443, "tcp" },
		{ "192.0.2.1:0/sctp", "192.0.2.1", 0, "sctp" },
		{ "192.0.2.1:65535", "192.0.2.1", 65535, "tcp" },
		{ "192.0.2.1/icmp", "192.0.2.1", 8 << 8, "icmp" },
		{ "192.0.2.1/icmp/0", "192.0.2.1", 0, "icmp" },
		{ "192.0.2.1/icmp/echo-reply", "192.0.2.1", 0, "icmp" },
		{ "192.0.2.1/icmp/3/4", "192.0.2.1", (3 << 8) + 4, "icmp" },
		{ "192.0.2.1/icmp/destination-unreachable/port-unreachable", "192.0.2.1", (3 << 8) + 3, "icmp" },
		{ "[2001:db8::1]/icmpv6/254/255", "2001:db8::1", 65279, "icmpv6" },
		{ "[2001:db8::1]:53/udp", "2001:db8::1", 53, "udp" },
		{ "[2001:db8::1]/icmpv6", "2001:db8::1", 128 << 8, "icmpv6" },
		{ "2001:db8::1/icmpv6", "2001:db8::1", 128 << 8, "icmpv6" },
		{ "[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1, "tcp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
		struct rf_endpoint e;

		assert_int_equal(rf_endpoint_parse(cases[i].text, &e, &error), 0);
		assert_string_equal(e.address, cases[i].address);
		assert_int_equal(e.port, cases[i].port);
		assert_string_equal(e.protocol, cases[i].protocol);
		assert_int_equal(error.len, 0);
	}
}

static void every_mistake_is_named(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "no IPv4 or IPv6 address" },
		{ "example.org:443/tcp", "no IPv4 or IPv6 address" },
		{ "192.0.2.256:1/tcp", "no IPv4 or IPv6 address" },
		{ "[192.0.2.1:1/tcp", "no IPv4 or IPv6 address" },
		{ "[::1]x:1/tcp", "no IPv4 or IPv6 address" },
		{ "192.0.2.1/tcp", "port is missing" },
		{ "2001:db8::1/tcp", "port is missing" },
		{ "192.0.2.1:/tcp", "no number from 0" },
		{ "192.0.2.1:65536/tcp", "no number from 0" },
		{ "192.0.2.1:http/tcp", "no number from 0" },
		{ "192.0.2.1:-1/tcp", "no number from 0" },
		{ "192.0.2.1:00080/", "none of tcp" },
		{ "192.0.2.1:80/TCP", "none of tcp" },
		{ "192.0.2.1:80/icmp", "ICMP has no ports" },
		{ "10.0.0.0/8", "none of tcp" },
		{ "192.0.2.1/icmp/", "icmp has no such type; write ADDR/icmp/TYPE" },
		{ "192.0.2.1/icmp/255", "icmp has no such type;" },
		{ "192.0.2.1/icmp/packet-too-big", "numbers or names: echo-reply, destination-unreachable" },
		{ "192.0.2.1/icmp/8/256", "icmp has no such type and code;" },
		{ "192.0.2.1/icmp/8/0/0", "icmp has no such type and code;" },
		{ "192.0.2.1:80/tcp/8", "none of tcp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
		struct rf_endpoint e = { .port = 4242 };

		assert_int_equal(rf_endpoint_parse(cases[i].text, &e, &error), -EINVAL);
		assert_int_equal(e.port, 4242);
		if (!strstr(rf_strbuf_str(&error), cases[i].part))
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].text, error.data, cases[i].part);
	}
}

static void the_length_is_bounded(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
	struct rf_endpoint e;
	char text[129];

	(void)state;
	memset(text, '1', sizeof(text));
	text[128] = '\0';
	assert_int_equal(rf_endpoint_parse(text, &e, &error), -EINVAL);
	assert_non_null(strstr(rf_strbuf_str(&error), "too long"));
	rf_strbuf_reset(&error);
	text[127] = '\0';
	assert_int_equal(rf_endpoint_parse(text, &e, &error), -EINVAL);
	assert_null(strstr(rf_strbuf_str(&error), "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_taken),
		cmocka_unit_test(every_mistake_is_named),
		cmocka_unit_test(the_length_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

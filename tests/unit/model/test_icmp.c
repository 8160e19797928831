// SPDX-License-Identifier: GPL-2.0-or-later
/* Types and codes of ICMP: by number and by name, to and fro, and what is none. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ringfence/policy_map.h"
#include "user/model/icmp.h"

static void names_have_the_numbers_that_the_systems_headers_give(void **state)
{
	static const struct {
		unsigned int protocol;
		const char *name;
		uint8_t type;
	} rows[] = {
		{ IPPROTO_ICMP, "echo-reply", ICMP_ECHOREPLY },
		{ IPPROTO_ICMP, "destination-unreachable", ICMP_DEST_UNREACH },
		{ IPPROTO_ICMP, "source-quench", ICMP_SOURCE_QUENCH },
		{ IPPROTO_ICMP, "redirect", ICMP_REDIRECT },
		{ IPPROTO_ICMP, "Echo-Request", ICMP_ECHO },
		{ IPPROTO_ICMP, "echo", ICMP_ECHO },
		{ IPPROTO_ICMP, "time-exceeded", ICMP_TIME_EXCEEDED },
		{ IPPROTO_ICMP, "parameter-problem", ICMP_PARAMETERPROB },
		{ IPPROTO_ICMP, "timestamp", ICMP_TIMESTAMP },
		{ IPPROTO_ICMP, "timestamp-reply", ICMP_TIMESTAMPREPLY },
		{ IPPROTO_ICMPV6, "destination-unreachable", ICMP6_DST_UNREACH },
		{ IPPROTO_ICMPV6, "packet-too-big", ICMP6_PACKET_TOO_BIG },
		{ IPPROTO_ICMPV6, "time-exceeded", ICMP6_TIME_EXCEEDED },
		{ IPPROTO_ICMPV6, "parameter-problem", ICMP6_PARAM_PROB },
		{ IPPROTO_ICMPV6, "echo-request", ICMP6_ECHO_REQUEST },
		{ IPPROTO_ICMPV6, "echo-reply", ICMP6_ECHO_REPLY },
		{ IPPROTO_ICMPV6, "multicast-listener-query", MLD_LISTENER_QUERY },
		{ IPPROTO_ICMPV6, "multicast-listener-report", MLD_LISTENER_REPORT },
		{ IPPROTO_ICMPV6, "multicast-listener-done", MLD_LISTENER_REDUCTION },
		{ IPPROTO_ICMPV6, "router-solicitation", ND_ROUTER_SOLICIT },
		{ IPPROTO_ICMPV6, "router-advertisement", ND_ROUTER_ADVERT },
		{ IPPROTO_ICMPV6, "neighbor-solicitation", ND_NEIGHBOR_SOLICIT },
		{ IPPROTO_ICMPV6, "neighbour-solicitation", ND_NEIGHBOR_SOLICIT },
		{ IPPROTO_ICMPV6, "neighbour-advertisement", ND_NEIGHBOR_ADVERT },
		{ IPPROTO_ICMPV6, "redirect", ND_REDIRECT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t type = 255;

		assert_int_equal(rf_icmp_type_parse(rows[i].protocol, rows[i].name, &type), 0);
		assert_int_equal(type, rows[i].type);
	}
}

static void codes_are_those_of_their_type(void **state)
{
	uint8_t code = 99;

	(void)state;
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, ICMP_DEST_UNREACH, "fragmentation-needed", &code), 0);
	assert_int_equal(code, ICMP_FRAG_NEEDED);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, ICMP_DEST_UNREACH, "port-unreachable", &code), 0);
	assert_int_equal(code, ICMP_PORT_UNREACH);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMPV6, ICMP6_DST_UNREACH, "port-unreachable", &code), 0);
	assert_int_equal(code, ICMP6_DST_UNREACH_NOPORT);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMPV6, ICMP6_TIME_EXCEEDED, "hop-limit-exceeded", &code), 0);
	assert_int_equal(code, ICMP6_TIME_EXCEED_TRANSIT);
	code = 99;
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, ICMP_ECHO, "fragmentation-needed", &code), -EINVAL);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMPV6, ICMP6_DST_UNREACH, "fragmentation-needed", &code), -EINVAL);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, ICMP_DEST_UNREACH, "echo-request", &code), -EINVAL);
	assert_int_equal(code, 99);
}

static void numbers_are_taken_to_their_limits(void **state)
{
	static const char *const wrong[] = { "", "-1", "08", "8 ", "0x8", "+8", "1.0", "*", "packet-too-big" };
	uint8_t number = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, wrong[i], &number), -EINVAL);
	assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, "255", &number), -ERANGE);
	assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, "4294967304", &number), -ERANGE);
	assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, "99999999999999999999999", &number), -ERANGE);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, 8, "256", &number), -ERANGE);
	assert_int_equal(number, 99);
	assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, "254", &number), 0);
	assert_int_equal(number, 254);
	assert_int_equal(rf_icmp_code_parse(IPPROTO_ICMP, 8, "255", &number), 0);
	assert_int_equal(number, 255);
	assert_int_equal(rf_icmp_type_parse(IPPROTO_ICMP, "0", &number), 0);
	assert_int_equal(number, 0);
}

static void assert_shown(unsigned int protocol, uint16_t first, uint16_t last, const char *shown)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_icmp_add(&text, protocol, first, last);
	assert_string_equal(rf_strbuf_str(&text), shown);
}

static void what_is_shown_is_the_name_where_there_is_one(void **state)
{
	(void)state;
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(8, 0), RF_ICMP_PORT(8, 0), "/echo-request");
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(8, 0), RF_ICMP_PORT(8, 255), "/echo-request");
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(8, 1), RF_ICMP_PORT(8, 1), "/echo-request/1");
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(3, 0), RF_ICMP_PORT(3, 255), "/destination-unreachable");
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(3, 0), RF_ICMP_PORT(3, 0), "/destination-unreachable/net-unreachable");
	assert_shown(IPPROTO_ICMP, RF_ICMP_PORT(3, 200), RF_ICMP_PORT(3, 200), "/destination-unreachable/200");
	assert_shown(IPPROTO_ICMPV6, RF_ICMP_PORT(135, 0), RF_ICMP_PORT(135, 0), "/neighbor-solicitation");
	assert_shown(IPPROTO_ICMPV6, RF_ICMP_PORT(8, 0), RF_ICMP_PORT(8, 0), "/8");
	assert_shown(IPPROTO_ICMP, RF_ICMP_UNREAD, RF_ICMP_UNREAD, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_the_numbers_that_the_systems_headers_give),
		cmocka_unit_test(codes_are_those_of_their_type),
		cmocka_unit_test(numbers_are_taken_to_their_limits),
		cmocka_unit_test(what_is_shown_is_the_name_where_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

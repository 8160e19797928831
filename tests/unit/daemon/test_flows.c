// SPDX-License-Identifier: GPL-2.0-or-later
/* What events tell of a flow, and that no flow is counted twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/model/sample_event.h"
#include "user/daemon/flows.h"

static const uint8_t remote[16] = { 192, 0, 2, 9 };

static struct rf_flow_seen told(const union sample_event *e, bool records)
{
	struct rf_flow_seen seen;

	assert_true(rf_flow_seen_from(&e->header, records, &seen));
	return seen;
}

static void expect_key(const struct rf_flow_seen *seen, enum rf_direction direction, uint16_t port)
{
	assert_int_equal(seen->key.direction, direction);
	assert_int_equal(seen->key.protocol, IPPROTO_TCP);
	assert_int_equal(seen->key.family, AF_INET);
	assert_int_equal(seen->key.port, port);
	assert_memory_equal(seen->key.address, remote, 16);
}

static void a_flow_is_known_by_the_port_of_the_service(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);
	struct rf_flow_seen seen;

	(void)state;
	e.header.verdict = RF_DENY;
	e.flow.direction = RF_EGRESS;
	memcpy(e.flow.remote, remote, 16);
	e.flow.local_port = 4242;
	e.flow.remote_port = 443;
	seen = told(&e, false);
	expect_key(&seen, RF_EGRESS, 443);
	assert_int_equal(seen.verdict, RF_DENY);
	assert_int_equal(seen.times, 1);
	e.flow.direction = RF_INGRESS;
	seen = told(&e, false);
	expect_key(&seen, RF_INGRESS, 4242);
}

static void an_ipv4_address_in_ipv6_is_the_ipv4_address(void **state)
{
	union sample_event e = sample_event(RF_EVENT_ACCEPT);
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 9 };
	struct rf_flow_seen seen;

	(void)state;
	e.flow.family = AF_INET6;
	e.flow.direction = RF_INGRESS;
	e.flow.local_port = 80;
	memcpy(e.flow.remote, mapped, 16);
	seen = told(&e, false);
	expect_key(&seen, RF_INGRESS, 80);
	e.flow.remote[0] = 1;
	seen = told(&e, false);
	assert_int_equal(seen.key.family, AF_INET6);
	assert_memory_equal(seen.key.address, e.flow.remote, 16);
}

static void a_record_counts_at_its_start_and_brings_its_bytes_at_its_end(void **state)
{
	union sample_event start = sample_event(RF_EVENT_FLOW_START), end = sample_event(RF_EVENT_FLOW_END);
	struct rf_flow_seen seen;

	(void)state;
	start.header.verdict = end.header.verdict = RF_ALLOW;
	seen = told(&start, true);
	expect_key(&seen, RF_EGRESS, 443);
	assert_int_equal(seen.times, 1);
	assert_int_equal(seen.tx_bytes, 0); /* its end has all of them */
	seen = told(&end, true);
	expect_key(&seen, RF_EGRESS, 443);
	assert_int_equal(seen.times, 0);
	assert_int_equal(seen.tx_bytes, 60);
	assert_int_equal(seen.rx_bytes, 9007199254740993ULL);
}

static void what_is_denied_is_counted_by_its_denial_alone(void **state)
{
	union sample_event start = sample_event(RF_EVENT_FLOW_START), end = sample_event(RF_EVENT_FLOW_END);

	(void)state;
	start.header.verdict = RF_WOULD_DENY;
	end.header.verdict = RF_DENY;
	end.record.reason = RF_REASON_CUT;
	assert_int_equal(told(&start, true).times, 0);
	assert_int_equal(told(&start, true).verdict, RF_WOULD_DENY);
	assert_int_equal(told(&end, true).times, 0);
	assert_int_equal(told(&end, true).verdict, RF_DENY);
}

static void connects_and_accepts_count_where_there_are_no_records(void **state)
{
	static const enum rf_event_kind kinds[] = { RF_EVENT_CONNECT, RF_EVENT_ACCEPT };
	struct rf_flow_seen seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		union sample_event e = sample_event(kinds[i]);

		assert_int_equal(told(&e, false).times, 1);
		assert_false(rf_flow_seen_from(&e.header, true, &seen));
	}
}

static void no_other_event_is_a_flow(void **state)
{
	struct rf_flow_seen seen;

	(void)state;
	for (unsigned int kind = RF_EVENT_NONE + 1; kind < RF_EVENT_KINDS; kind++) {
		union sample_event e = sample_event(kind);
		bool flow = kind == RF_EVENT_CONNECT || kind == RF_EVENT_ACCEPT || kind == RF_EVENT_FLOW_DENY ||
			    kind == RF_EVENT_FLOW_START || kind == RF_EVENT_FLOW_END;

		assert_int_equal(rf_flow_seen_from(&e.header, false, &seen), flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_known_by_the_port_of_the_service),
		cmocka_unit_test(an_ipv4_address_in_ipv6_is_the_ipv4_address),
		cmocka_unit_test(a_record_counts_at_its_start_and_brings_its_bytes_at_its_end),
		cmocka_unit_test(what_is_denied_is_counted_by_its_denial_alone),
		cmocka_unit_test(connects_and_accepts_count_where_there_are_no_records),
		cmocka_unit_test(no_other_event_is_a_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The merged view of a workload: order, numbers, origins, defaults and whose they are. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/show.h"

struct shown {
	struct parsed parsed;
	struct rf_strbuf text;
};

static void shown_fini(struct shown *s)
{
	parsed_fini(&s->parsed);
	rf_strbuf_fini(&s->text);
}

#define _cleanup_shown_ __attribute__((cleanup(shown_fini)))

static struct shown show(const char *text)
{
	struct shown s = { .parsed = parsed_text(text), .text = RF_STRBUF_INIT };

	assert_right(&s.parsed);
	assert_int_equal(rf_policy_show((const struct rf_policy *const *)s.parsed.set->policies, s.parsed.set->n,
					"t/default/w", &s.text),
			 0);
	return s;
}

static void assert_says(const struct shown *s, const char *said)
{
	if (!strstr(rf_strbuf_str(&s->text), said))
		fail_msg("\"%s\" is not said in: %s", said, rf_strbuf_str(&s->text));
}

static void assert_silent(const struct shown *s, const char *said)
{
	if (strstr(rf_strbuf_str(&s->text), said))
		fail_msg("\"%s\" is said in: %s", said, rf_strbuf_str(&s->text));
}

static void policies_are_told_in_order_with_their_origin(void **state)
{
	_cleanup_shown_ struct shown s =
		show(HEAD_OF("late") "---\n" HEAD_OF("early") "  priority: 5\n  mode: audit\n");

	(void)state;
	assert_says(&s, "workload t/default/w\n");
	assert_says(&s, "    1. t/default/early  priority 5, audit  (t.yaml:8)\n"
			"    2. t/default/late  priority 100, enforce  (t.yaml:1)\n");
}

static void what_no_policy_speaks_of_is_allowed(void **state)
{
	_cleanup_shown_ struct shown s = show(HEAD);
	struct rf_strbuf none = RF_STRBUF_INIT;

	(void)state;
	assert_says(&s, "egress: no policy speaks of it: all allowed\n");
	assert_says(&s, "ingress: no policy speaks of it: all allowed\n");
	assert_says(&s, "devices: no policy speaks of them: all allowed\n");
	assert_says(&s, "sockets: no policy speaks of them: all allowed\n");
	assert_says(&s, "isolation:\n  from other tenants: deny signal ");
	assert_int_equal(rf_policy_show(NULL, 0, "w", &none), 0);
	assert_non_null(strstr(rf_strbuf_str(&none), "all allowed"));
	rf_strbuf_fini(&none);
}

static void rules_of_all_policies_are_one_numbered_list(void **state)
{
	_cleanup_shown_ struct shown s =
		show(HEAD_OF("b") "  network: {egress: {default: allow, rules: [{action: deny, to: [{cidr: 10.0.0.0/8, "
				  "except: [10.1.0.0/16]}], ports: [{port: 80, endPort: 90}, {protocol: udp}]}]}}\n"
				  "---\n" HEAD_OF("a") "  network: {egress: {rules: [{name: first}]}}\n");

	(void)state;
	assert_says(&s, "    1. allow any peer  (first, t.yaml:15)\n"
			"    2. deny  10.0.0.0/8 except 10.1.0.0/16 tcp/80-90, udp  (egress[0], t.yaml:7)\n");
}

static void types_of_icmp_are_told_by_name(void **state)
{
	_cleanup_shown_ struct shown s =
		show(HEAD_OF("a") "  network: {egress: {rules: [{ports: [{protocol: ICMP}, {protocol: ICMP, type: 8}, "
				  "{protocol: ICMP, type: 3, code: 4}, {protocol: ICMPv6, type: 200, code: 0}]}]}}\n");

	(void)state;
	assert_says(&s, "any peer icmp, icmp/echo-request, icmp/destination-unreachable/fragmentation-needed, "
			"icmpv6/200  (egress[0]");
}

static void deny_wins_and_says_whose_it_is(void **state)
{
	_cleanup_shown_ struct shown denied = show(HEAD_OF("a") "  network: {egress: {default: allow}}\n---\n" HEAD_OF(
					     "b") "  network: {egress: {default: deny}}\n"),
				     allowed = show(HEAD_OF("a") "  network: {egress: {default: allow}}\n---\n" HEAD_OF(
					     "b") "  network: {egress: {default: allow}}\n");

	(void)state;
	assert_says(&denied, "  else deny  (default of b");
	assert_silent(&denied, "else allow");
	assert_says(&allowed, "  else allow  (default of a");
}

static void an_audited_default_does_not_pass_for_an_enforced_one(void **state)
{
	_cleanup_shown_ struct shown
		mixed = show(HEAD_OF("a") "  network: {egress: {default: allow}}\n---\n" HEAD_OF(
			"b") "  mode: audit\n  network: {egress: {default: deny}}\n  devices: {}\n"),
		enforced = show(HEAD "  network: {egress: {default: deny}}\n");

	(void)state;
	assert_says(&mixed, "egress:\n"
			    "  else allow  (default of a, t.yaml:7)\n"
			    "  in audit, else deny  (default of b, t.yaml:16)\n");
	assert_says(&mixed, "devices:\n"
			    "  else allow  (no policy in mode enforce speaks of it)\n"
			    "  in audit, else deny  (default of b, t.yaml:17)\n");
	assert_says(&enforced, "egress:\n  else deny  (default of x, t.yaml:7)\n");
	assert_silent(&enforced, "in audit");
}

static void what_an_audited_rule_would_do_is_marked(void **state)
{
	_cleanup_shown_ struct shown s =
		show(HEAD "  mode: audit\n  network: {ingress: {rules: [{name: r, from: [{host: true}, {world: true}, "
			  "{tenant: a, namespace: b}]}]}}\n");

	(void)state;
	assert_says(&s, "    1. allow host, world, a/b/*  (r, audit, t.yaml:8)\n");
}

static void telemetry_of_all_policies_is_told_together(void **state)
{
	_cleanup_shown_ struct shown both = show(
					     HEAD_OF("a") "---\n" HEAD_OF("b") "  telemetry: {events: [connect]}\n"),
				     none = show(HEAD "  telemetry: {events: []}\n"),
				     flows = show(
					     HEAD_OF("a") "  telemetry: {flows: {sample: 100, idle: 5s}}\n"
							  "---\n" HEAD_OF("b") "  telemetry: {flows: {sample: 10}}\n"),
				     flows_only = show(HEAD "  telemetry: {events: [], flows: {}}\n");

	(void)state;
	assert_says(&both, "telemetry: exec, connect\n");
	assert_says(&none, "telemetry: denials only\n");
	assert_says(&flows, "telemetry: exec, flows (1 in 10, idle after 5s)\n");
	assert_says(&flows_only, "telemetry: flows (1 in 1, idle after 30s)\n");
}

static void devices_are_told_by_path_or_by_numbers(void **state)
{
	_cleanup_shown_ struct shown s =
		show(HEAD "  devices: {rules: [{path: /dev/null}, {type: block, major: 8, access: r}, "
			  "{name: x, type: char, major: 1, minor: 3, action: deny, access: wm}]}\n");

	(void)state;
	assert_says(&s, "    1. allow /dev/null rwm  (devices[0], t.yaml:7)\n"
			"    2. allow block 8:* r  (devices[1], t.yaml:7)\n"
			"    3. deny  char 1:3 wm  (x, t.yaml:7)\n"
			"  else deny  (default of x");
}

static void accelerators_are_told_by_what_a_rule_gives(void **state)
{
	_cleanup_shown_ struct shown s = show(HEAD "  accelerators:\n"
						   "    rules:\n"
						   "      - {}\n"
						   "      - {class: drm, index: 1, pci: \"0000:03:00.0\"}\n"
						   "      - {pci: \"0000:03:00.0\", uuid: GPU-a, action: deny}\n"
						   "      - {class: nvidia, uuid: GPU-a}\n"
						   "      - {name: x, mig: 1/0, operations: [admin, submit]}\n"
						   "      - {mig: 2}\n"),
				     none = show(HEAD "  devices: {}\n"),
				     open = show(HEAD "  accelerators: {default: allow}\n");

	(void)state;
	assert_says(&s, "\naccelerators:\n"
			"    1. allow any  (accelerators[0], t.yaml:9)\n"
			"    2. allow drm 1 0000:03:00.0  (accelerators[1], t.yaml:10)\n"
			"    3. deny  0000:03:00.0 GPU-a  (accelerators[2], t.yaml:11)\n"
			"    4. allow nvidia GPU-a  (accelerators[3], t.yaml:12)\n"
			"    5. allow any MIG 1/0 submit admin  (x, t.yaml:13)\n"
			"    6. allow any MIG 2  (accelerators[5], t.yaml:14)\n"
			"  else deny  (default of x, t.yaml:8)\n");
	assert_says(&open, "\naccelerators:\n  else allow  (default of x, t.yaml:7)\n");
	assert_silent(&none, "accelerators");
}

static void audited_accelerators_are_marked(void **state)
{
	_cleanup_shown_ struct shown s = show(HEAD_OF("a") "  accelerators: {default: allow}\n---\n" HEAD_OF(
		"b") "  mode: audit\n  accelerators: {rules: [{class: amd}]}\n");

	(void)state;
	assert_says(&s, "\naccelerators:\n"
			"    1. allow amd  (accelerators[0], audit, t.yaml:16)\n"
			"  else allow  (default of a, t.yaml:7)\n"
			"  in audit, else deny  (default of b, t.yaml:16)\n");
}

static void a_rules_rate_is_told_below_it(void **state)
{
	_cleanup_shown_ struct shown s = show(
		HEAD
		"  network:\n    egress:\n      rules:\n"
		"        - {name: a, rate: {bytesPerSecond: 1M, burst: 100k, connections: 5}}\n        - {name: b}\n");

	(void)state;
	assert_says(&s, "  (a, t.yaml:10)\n"
			"       each way at most bytesPerSecond 1000000, burst 100000, connections 5\n"
			"    2. allow any peer  (b, t.yaml:11)\n  else");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_told_in_order_with_their_origin),
		cmocka_unit_test(what_no_policy_speaks_of_is_allowed),
		cmocka_unit_test(rules_of_all_policies_are_one_numbered_list),
		cmocka_unit_test(types_of_icmp_are_told_by_name),
		cmocka_unit_test(deny_wins_and_says_whose_it_is),
		cmocka_unit_test(an_audited_default_does_not_pass_for_an_enforced_one),
		cmocka_unit_test(what_an_audited_rule_would_do_is_marked),
		cmocka_unit_test(telemetry_of_all_policies_is_told_together),
		cmocka_unit_test(devices_are_told_by_path_or_by_numbers),
		cmocka_unit_test(accelerators_are_told_by_what_a_rule_gives),
		cmocka_unit_test(audited_accelerators_are_marked),
		cmocka_unit_test(a_rules_rate_is_told_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

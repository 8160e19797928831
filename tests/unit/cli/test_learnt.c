// SPDX-License-Identifier: GPL-2.0-or-later
/* What was seen becomes a policy that the parser takes, whatever the names hold. */
#include "user/cli/learnt.h"

#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"

static const struct rf_learnt_subject subject = { .tenant = "lab",
						  .namespace = "train",
						  .name = "app",
						  .cgroup = "/a \"quoted\\ path\"",
						  .time_s = 60,
						  .sections = 1u << RF_LEARNT_NETWORK | 1u << RF_LEARNT_RAW |
							      1u << RF_LEARNT_SOCKETS | 1u << RF_LEARNT_DEVICES |
							      1u << RF_LEARNT_PROCESS | 1u << RF_LEARNT_KERNEL };

static void flow(struct rf_learnt *l, const char *direction, const char *address, const char *more, int port)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *json = NULL;

	rf_strbuf_addf(&text,
		       "{\"direction\":\"%s\",\"protocol\":\"tcp\",\"port\":%d,\"recorded\":\"allow\",\"times\":3,"
		       "\"peer\":{\"address\":\"%s\"%s}}",
		       direction, port, address, more);
	assert_int_equal(rf_jin_parse(text.data, text.len, &json, NULL), 0);
	assert_int_equal(rf_learnt_flow(l, json), 0);
}

static void event(struct rf_learnt *l, const char *text)
{
	_cleanup_jin_ struct rf_jin *json = NULL;

	assert_int_equal(rf_jin_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(rf_learnt_event(l, json), 0);
}

/* The text has no error. */
static struct parsed parsed_right(const struct rf_strbuf *text)
{
	struct parsed p = parsed_text(rf_strbuf_str(text));

	assert_right(&p);
	return p;
}

static void test_nothing(void **state)
{
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_policy_set *set;
	struct parsed p;

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	assert_true(rf_learnt_is_empty(l));
	rf_learnt_write(l, &subject, &out);
	p = parsed_right(&out);
	set = p.set;
	assert_int_equal(set->n, 1);
	assert_string_equal(set->policies[0]->tenant, "lab");
	assert_int_equal(set->policies[0]->network[RF_EGRESS].n_rules, 0);
	parsed_fini(&p);
}

static void test_all(void **state)
{
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_policy_set *set;
	struct parsed p;

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	flow(l, "egress", "192.0.2.1", ",\"place\":\"world\"", 443);
	flow(l, "egress", "2001:db8::1", ",\"place\":\"world\"", 443);
	flow(l, "egress", "127.0.0.1", ",\"place\":\"host\"", 53);
	flow(l, "egress", "10.0.0.1", ",\"place\":\"workload\",\"workload\":\"lab/train/db\"", 5432);
	flow(l, "egress", "192.0.2.9", ",\"place\":\"world\",\"name\":\"api.example.com\"", 443);
	flow(l, "ingress", "192.0.2.7", ",\"place\":\"world\"", 8080);
	event(l, "{\"kind\":\"device-deny\",\"verdict\":\"would-deny\",\"type\":\"char\",\"major\":250,\"minor\":7,"
		 "\"access\":[\"read\",\"mknod\"]}");
	event(l, "{\"kind\":\"socket-deny\",\"verdict\":\"would-deny\",\"rule\":\"sockets.deny[packet]\"}");
	event(l, "{\"kind\":\"socket-deny\",\"verdict\":\"would-deny\",\"rule\":\"sockets.netlink\","
		 "\"netlink\":\"NETLINK_ROUTE\"}");
	event(l, "{\"kind\":\"device-deny\",\"verdict\":\"deny\",\"type\":\"char\",\"major\":9,\"minor\":9}");
	event(l, "{\"kind\":\"exec-deny\",\"verdict\":\"would-deny\",\"role\":\"program\","
		 "\"path\":\"/usr/bin/a \\\"b\\\"\","
		 "\"reason\":\"default\"}");
	event(l, "{\"kind\":\"exec-deny\",\"verdict\":\"would-deny\",\"role\":\"library\",\"path\":\"/tmp/lib.so\","
		 "\"reason\":\"drift\"}");
	event(l, "{\"kind\":\"kernel-deny\",\"verdict\":\"would-deny\",\"interface\":\"mount\","
		 "\"capability\":\"CAP_SYS_ADMIN\"}");
	event(l,
	      "{\"kind\":\"kernel-deny\",\"verdict\":\"would-deny\",\"interface\":null,\"capability\":\"CAP_CHOWN\"}");
	assert_false(rf_learnt_is_empty(l));
	rf_learnt_write(l, &subject, &out);
	p = parsed_right(&out);
	set = p.set;
	assert_int_equal(set->policies[0]->network[RF_EGRESS].n_rules, 3);
	assert_int_equal(set->policies[0]->network[RF_INGRESS].n_rules, 1);
	assert_int_equal(set->policies[0]->network[RF_EGRESS].rules[0].n_peers, 3);
	assert_non_null(strstr(out.data, "{tenant: \"lab\", namespace: \"train\", workload: \"db\"}"));
	assert_non_null(strstr(out.data, "major: 250, minor: 7, access: rm}"));
	assert_null(strstr(out.data, "major: 9"));
	assert_non_null(strstr(out.data, "deny: [raw, vsock]"));
	assert_non_null(strstr(out.data, "netlink: [NETLINK_ROUTE]"));
	assert_non_null(strstr(out.data, "drift: allow\n    memfd: deny\n"));
	assert_int_equal(set->policies[0]->process.n_rules, 1);
	assert_null(strstr(out.data, "lib.so"));
	assert_non_null(strstr(out.data, "perf, kexec, userfaultfd, ioUring, userNamespaces, ptrace"));
	assert_non_null(strstr(out.data, "allow: [CAP_CHOWN, CAP_SYS_ADMIN]"));
	parsed_fini(&p);
}

static void test_many_addresses_are_the_world(void **state)
{
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_policy_set *set;
	struct parsed p;
	char address[32];

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	for (int i = 0; i <= RF_LEARNT_ADDRESSES; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		flow(l, "egress", address, ",\"place\":\"world\"", 443);
	}
	rf_learnt_write(l, &subject, &out);
	p = parsed_right(&out);
	set = p.set;
	assert_int_equal(set->policies[0]->network[RF_EGRESS].rules[0].n_peers, 1);
	assert_non_null(strstr(out.data, "{world: true} # 33 addresses"));
	parsed_fini(&p);
}

static void test_what_was_lost_is_said(void **state)
{
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	char address[32];

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	event(l, "{\"kind\":\"gap\",\"lost\":17}");
	for (int i = 0; i < RF_LEARNT_MAX + 5; i++) {
		snprintf(address, sizeof(address), "10.%d.%d.1", i / 256, i % 256);
		flow(l, "egress", address, ",\"place\":\"world\"", 443);
	}
	rf_learnt_write(l, &subject, &out);
	assert_non_null(strstr(out.data, "# 17 events were lost"));
	assert_non_null(strstr(out.data, "# 5 things were left out: more than 4096 of a kind"));
}

static void test_watcher(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_policy_set *set;
	struct parsed p;

	(void)state;
	rf_learnt_watcher(&subject, &out);
	p = parsed_right(&out);
	set = p.set;
	assert_int_equal(set->policies[0]->mode, RF_MODE_AUDIT);
	assert_string_equal(set->policies[0]->name, "app-learning");
	parsed_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_many_addresses_are_the_world),
		cmocka_unit_test(test_what_was_lost_is_said),
		cmocka_unit_test(test_watcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	assert_int_equal(rf_learnt_write(l, &subject, &out), 0);
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
		 "\"capability\":\"CAP_SYS_ADMIN\",\"syscall\":\"mount\"}");
	event(l,
	      "{\"kind\":\"kernel-deny\",\"verdict\":\"would-deny\",\"interface\":null,\"capability\":\"CAP_CHOWN\"}");
	assert_false(rf_learnt_is_empty(l));
	assert_int_equal(rf_learnt_write(l, &subject, &out), 0);
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
	assert_true(set->policies[0]->kernel->limits.syscalls & 1ULL << RF_SYSCALL_ptrace);
	assert_false(set->policies[0]->kernel->limits.syscalls & 1ULL << RF_SYSCALL_mount);
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
	assert_int_equal(rf_learnt_write(l, &subject, &out), 0);
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
	assert_int_equal(rf_learnt_write(l, &subject, &out), 0);
	assert_non_null(strstr(out.data, "# 17 events were lost"));
	assert_non_null(strstr(out.data, "# 5 things were left out: more than 4096 of a kind"));
}

#define LABELS                                                                                                   \
	"---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: weights}\nspec: {paths: [/srv/weights]}\n" \
	"---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: secrets}\nspec: {paths: [/srv/secrets]}\n" \
	"---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: scratch}\nspec: {paths: [/srv/scratch]}\n"

static const char *labels[] = { "weights", "secrets", "scratch" };

static struct rf_learnt_subject labelled(bool seen)
{
	struct rf_learnt_subject s = subject;

	s.labels = labels;
	s.n_labels = ARRAY_SIZE(labels);
	s.sections |= seen ? 1u << RF_LEARNT_FILES : 0;
	return s;
}

static void test_labels(void **state)
{
	const struct rf_learnt_subject s = labelled(true);
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	const struct rf_files *files;
	struct parsed p;

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"access\":[\"read\"],\"denied\":[\"read\"],"
		 "\"label\":\"weights\"}");
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"access\":[\"mmap-exec\"],"
		 "\"denied\":[\"mmap-exec\"],\"label\":\"weights\"}");
	/* What leaves a label needs more than it asks for. */
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"access\":[\"rename\"],"
		 "\"denied\":[\"read\",\"rename\"],\"label\":\"scratch\"}");
	/* Denied in earnest, by the path of another policy's rule, of no label that is in force, or nothing at all. */
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"deny\",\"denied\":[\"read\"],\"label\":\"secrets\"}");
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"denied\":[\"read\"],\"label\":\"/srv\"}");
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"denied\":[\"read\"],\"label\":\"gone\"}");
	event(l, "{\"kind\":\"file-deny\",\"verdict\":\"would-deny\",\"denied\":[],\"label\":\"secrets\"}");
	assert_int_equal(rf_learnt_write(l, &s, &out), 0);
	assert_non_null(strstr(out.data, "- {label: \"weights\", access: [read, mmap-exec]} # 2 times\n"));
	assert_non_null(strstr(out.data, "- {action: deny, label: \"secrets\"} # was not used\n"));
	assert_null(strstr(out.data, "gone"));
	rf_strbuf_adds(&out, LABELS);
	p = parsed_right(&out);
	files = &p.set->policies[0]->files;
	assert_int_equal(files->n_rules, 5);
	assert_int_equal(files->rules[0].access, 1u << RF_FILE_READ | 1u << RF_FILE_MMAP);
	assert_int_equal(files->rules[1].action, RF_ACTION_DENY);
	assert_int_equal(files->rules[1].access, RF_FILE_ALL);
	assert_string_equal(files->rules[2].label, "secrets");
	assert_int_equal(files->rules[2].action, RF_ACTION_DENY);
	assert_int_equal(files->rules[3].access, 1u << RF_FILE_READ | 1u << RF_FILE_RENAME);
	parsed_fini(&p);
}

static void test_labels_that_cannot_be_seen_are_said(void **state)
{
	const struct rf_learnt_subject s = labelled(false);
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT, watcher = RF_STRBUF_INIT;
	struct parsed p;

	(void)state;
	assert_int_equal(rf_learnt_new(&l), 0);
	assert_int_equal(rf_learnt_write(l, &s, &out), 0);
	assert_non_null(strstr(out.data, "# files: not learnt. Without BPF LSM"));
	p = parsed_right(&out);
	assert_int_equal(p.set->policies[0]->files.n_rules, 0);
	parsed_fini(&p);
	rf_learnt_watcher(&s, &watcher);
	assert_null(strstr(watcher.data, "files:"));
}

static void test_labels_past_the_limit_are_said(void **state)
{
	struct rf_learnt_subject s = labelled(true);
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	(void)state;
	s.n_more_labels = 7;
	assert_int_equal(rf_learnt_new(&l), 0);
	assert_int_equal(rf_learnt_write(l, &s, &out), 0);
	assert_non_null(strstr(out.data, "# 7 more labels were not looked at, and are not denied\n"));
}

static void test_watcher(void **state)
{
	const struct rf_learnt_subject s = labelled(true);
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_policy_set *set;
	struct parsed p;

	(void)state;
	rf_learnt_watcher(&s, &out);
	rf_strbuf_adds(&out, LABELS);
	p = parsed_right(&out);
	set = p.set;
	assert_int_equal(set->policies[0]->mode, RF_MODE_AUDIT);
	assert_int_equal(set->policies[0]->files.n_rules, ARRAY_SIZE(labels));
	assert_int_equal(set->policies[0]->process.n_rules, 1);
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
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_labels_that_cannot_be_seen_are_said),
		cmocka_unit_test(test_labels_past_the_limit_are_said),
		cmocka_unit_test(test_watcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

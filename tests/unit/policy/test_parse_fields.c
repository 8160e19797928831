// SPDX-License-Identifier: GPL-2.0-or-later
/* What each field of the language becomes, and which values of it are refused; limits of lists are in test_parse.c. */
#include "ringfence/event.h"
#include "ringfence/policy_map.h"
#include "ringfence/workload_map.h"
#include "tests/unit/policy/parsed.h"
#include "user/policy/check.h"

#define DEVICE(text) "  devices: {rules: [" text "]}\n"
#define SELECT(entry) \
	"apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: x}\nspec:\n  select: [" entry "]\n"

static void the_defaults_are_the_schemas(void **state)
{
	const struct rf_field *spec = rf_field_child(&rf_schema, "spec");
	_cleanup_parsed_ struct parsed p = parsed_text(SELECT("{cgroup: /a}"));

	(void)state;
	assert_right(&p);
	assert_int_equal(p.set->policies[0]->priority, atoi(rf_field_child(spec, "priority")->dflt));
	assert_string_equal(rf_mode_name(p.set->policies[0]->mode), rf_field_child(spec, "mode")->dflt);
	assert_string_equal(rf_field_child(spec, "ifUnsupported")->dflt, "refuse");
	assert_string_equal(p.set->policies[0]->tenant,
			    rf_field_child(rf_field_child(&rf_schema, "metadata"), "tenant")->dflt);
}

static void a_section_that_is_there_denies_by_default(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD "  network: {egress: {}, ingress: {default: allow}}\n"
							    "  devices: {}\n");
	const struct rf_policy *policy;

	(void)state;
	assert_right(&p);
	policy = p.set->policies[0];
	assert_true(policy->network[RF_EGRESS].present);
	assert_int_equal(policy->network[RF_EGRESS].default_action, RF_ACTION_DENY);
	assert_int_equal(policy->network[RF_INGRESS].default_action, RF_ACTION_ALLOW);
	assert_true(policy->devices.present);
	assert_int_equal(policy->devices.default_action, RF_ACTION_DENY);
}

static void selectors_take_every_key(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(
		SELECT("{cgroup: '/a/**', systemd: x.service}, {container: {runtime: Docker, image: 'i:*', name: n, "
		       "annotations: {b: '1', a: }}}, {kubernetes: {namespace: ns, pod: 'p-*', container: c, "
		       "labels: {k: v}}}, {slurm: {job: '1*', user: '1000'}}, {container: {}}"));
	const struct rf_selector *s;

	(void)state;
	assert_right(&p);
	assert_int_equal(p.set->policies[0]->n_selectors, 5);
	s = p.set->policies[0]->selectors;
	assert_string_equal(s[0].cgroup, "/a/**");
	assert_string_equal(s[0].systemd, "x.service");
	assert_true(!s[0].container && !s[0].kubernetes && !s[0].slurm);
	assert_true(s[1].container);
	assert_string_equal(s[1].image, "i:*");
	assert_string_equal(s[1].container_name, "n");
	assert_int_equal(s[1].n_annotations, 2);
	assert_string_equal(s[1].annotations[0].key, "a"); /* sorted */
	assert_null(s[1].annotations[0].value);		   /* only has to exist */
	assert_string_equal(s[1].annotations[1].value, "1");
	assert_true(s[2].kubernetes);
	assert_string_equal(s[2].k8s_namespace, "ns");
	assert_string_equal(s[2].k8s_labels[0].value, "v");
	assert_string_equal(s[3].slurm_user, "1000");
	assert_true(s[4].container && !s[4].image);
}

static void a_selector_that_says_nothing_is_refused(void **state)
{
	_cleanup_parsed_ struct parsed empty = parsed_text(SELECT("{}")), none = parsed_text(SELECT("")),
				       null = parsed_text(SELECT("{container: }")),
				       relative = parsed_text(SELECT("{cgroup: a/b}")),
				       glob = parsed_text(SELECT("{cgroup: '/a['}")),
				       blank = parsed_text(SELECT("{systemd: ''}"));

	(void)state;
	assert_wrong(&empty, "the entry selects nothing");
	assert_wrong(&none, "at least 1 are needed");
	assert_wrong(&null, "expected a mapping, found nothing");
	assert_wrong(&relative, "does not start with /");
	assert_wrong(&glob, "is no glob");
	assert_wrong(&blank, "is no glob: it is empty");
}

static void devices_are_given_by_path_or_by_numbers(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD DEVICE(
		"{path: /dev/null}, {type: block, major: 8, minor: 1, access: r}, {type: char, major: 195}, "
		"{type: char, major: '*', action: deny, access: mw}"));
	const struct rf_device_rule *rule;

	(void)state;
	assert_right(&p);
	rule = p.set->policies[0]->devices.rules;
	assert_int_equal(p.set->policies[0]->devices.n_rules, 4);
	assert_string_equal(rule[0].path, "/dev/null");
	assert_string_equal(rule[0].name, "devices[0]");
	assert_int_equal(rule[0].access, RF_DEVICE_READ | RF_DEVICE_WRITE | RF_DEVICE_MKNOD);
	assert_null(rule[1].path);
	assert_int_equal(rule[1].type, 1);
	assert_int_equal(rule[1].major, 8);
	assert_int_equal(rule[1].minor, 1);
	assert_int_equal(rule[1].access, RF_DEVICE_READ);
	assert_int_equal(rule[2].type, 2);
	assert_int_equal(rule[2].minor, RF_DEVICE_ANY);
	assert_int_equal(rule[3].major, RF_DEVICE_ANY);
	assert_int_equal(rule[3].action, RF_ACTION_DENY);
	assert_int_equal(rule[3].access, RF_DEVICE_MKNOD | RF_DEVICE_WRITE);
}

static void a_device_rule_that_names_none_is_refused(void **state)
{
	(void)state;
	assert_text(DEVICE("{access: r}"), "the rule names no device");
	assert_text(DEVICE("{type: char}"), "the rule names no device");
	assert_text(DEVICE("{major: 1}"), "the rule names no device");
	assert_text(DEVICE("{path: /dev/null, major: 1}"), "a path and numbers together");
	assert_text(DEVICE("{path: null}"), "found nothing");
	assert_text(DEVICE("{path: dev/null}"), "is no absolute path");
	assert_text(DEVICE("{type: char, major: '*', minor: 3}"), "a minor number without a major one");
	assert_text(DEVICE("{type: char, major: -1}"), "expected a number, or \"*\"");
	assert_text(DEVICE("{type: char, major: 4294967294}"), NULL);
	assert_text(DEVICE("{type: char, major: 4294967295}"), "expected a number, or \"*\"");
	assert_text(DEVICE("{path: /dev/null, access: x}"), "\"x\" is no access");
	assert_text(DEVICE("{path: /dev/null, access: rr}"), "\"rr\" is no access");
}

static void telemetry_is_a_mask_of_events(void **state)
{
	_cleanup_parsed_ struct parsed all = parsed_text(
					       HEAD "  telemetry: {events: [exec, fork, exit, connect, ACCEPT]}\n"),
				       none = parsed_text(HEAD "  telemetry: {events: []}\n"),
				       silent = parsed_text(HEAD "  telemetry: {}\n");

	(void)state;
	assert_right(&all);
	assert_int_equal(all.set->policies[0]->telemetry, 1 << RF_EVENT_EXEC | 1 << RF_EVENT_FORK | 1 << RF_EVENT_EXIT |
								  1 << RF_EVENT_CONNECT | 1 << RF_EVENT_ACCEPT);
	assert_right(&none);
	assert_int_equal(none.set->policies[0]->telemetry, 0);
	assert_right(&silent);
	assert_int_equal(silent.set->policies[0]->telemetry, 1 << RF_EVENT_EXEC);
	assert_text("  telemetry: {events: [exce]}\n", "did you mean \"exec\"?");
}

static void what_a_policy_needs_is_recorded_once_and_with_its_place(void **state)
{
	static const struct {
		const char *text;
		enum rf_feature feature;
	} rows[] = {
		{ "  network: {egress: {}}\n", RF_FEATURE_NETWORK_EGRESS },
		{ "  network: {ingress: {}}\n", RF_FEATURE_NETWORK_INGRESS },
		{ "  devices: {}\n", RF_FEATURE_DEVICES },
		{ "  process: {drift: deny}\n", RF_FEATURE_PROCESS },
		{ "  files: {}\n", RF_FEATURE_FILES },
		{ "  kernel: {deny: [bpf]}\n", RF_FEATURE_KERNEL },
		{ "  accelerators: {}\n", RF_FEATURE_ACCELERATORS },
		{ "  resources: {pids: 1}\n", RF_FEATURE_RESOURCES },
		{ "  anomaly: {}\n", RF_FEATURE_ANOMALY },
		{ "  respond: {}\n", RF_FEATURE_RESPOND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s%s", HEAD, rows[i].text);
		_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

		assert_right(&p);
		assert_int_equal(p.set->policies[0]->n_requirements, 1);
		assert_int_equal(p.set->policies[0]->requirements[0].feature, rows[i].feature);
		assert_int_equal(p.set->policies[0]->requirements[0].mark.line, 7);
	}
}

static const char whole_language[] =
	"apiVersion: ringfence/v1\n"
	"kind: WorkloadPolicy\n"
	"metadata: {name: all, tenant: t, namespace: n, labels: {a: b}, annotations: {c: d}}\n"
	"spec:\n"
	"  priority: 1\n"
	"  mode: audit\n"
	"  ifUnsupported: audit\n"
	"  workload: w\n"
	"  select: [{cgroup: /a}]\n"
	"  process:\n"
	"    default: deny\n"
	"    exec: [{name: n, action: allow, path: /usr/bin/*}, {interpreter: /bin/sh}]\n"
	"    drift: report\n"
	"    memfd: deny\n"
	"  files: {rules: [{name: n, action: deny, path: '/m/**', access: [read, mmap-exec]}]}\n"
	"  kernel:\n"
	"    preset: ai-training\n"
	"    deny: [moduleLoad, bpf, perf, userfaultfd, ioUring, userNamespaces, mount, ptrace]\n"
	"    capabilities: {deny: [CAP_SYS_ADMIN], allow: [CAP_CHOWN]}\n"
	"    syscalls: {deny: [mount]}\n"
	"  accelerators:\n"
	"    default: deny\n"
	"    rules: [{name: n, action: allow, class: nvidia, index: 0, pci: '0000:03:00.0', uuid: GPU-1, mig: 1/0,\n"
	"             operations: [submit]}]\n"
	"    quota: {share: 100, burst: 500ms, workConserving: false, memory: 16Gi, submissionsPerSecond: 10,\n"
	"            contexts: 2, budget: {deviceTime: 1h}}\n"
	"    namespaceQuota: {limitPercent: 50}\n"
	"    tenantQuota: {memory: 64Gi}\n"
	"    overQuota: EDQUOT\n"
	"    overMemory: ENOMEM\n"
	"  resources: {cpu: 1.5, memory: 2Gi, pids: 100}\n"
	"  anomaly: {enabled: true, sensitivity: high, alarmBudget: 3}\n"
	"  respond: {ladder: [notify, throttle, quarantine, revokeAccelerators, freeze, kill], ttl: 1h, rateLimit: 2,\n"
	"            dryRun: true}\n"
	"  telemetry: {events: [exec]}\n";

static void a_file_of_later_versions_is_checked_today(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(whole_language);

	(void)state;
	assert_right(&p);
	assert_int_equal(p.set->policies[0]->n_requirements, 11);
	assert_true(p.set->policies[0]->unsupported_audit);
	assert_text("  process: {drift: dney}\n", "did you mean \"deny\"?");
	assert_text("  kernel: {preset: none}\n", "expected one of: baseline, restricted");
	assert_text("  kernel: {deny: [moduleload]}\n", NULL);
	assert_text("  accelerators: {quota: {share: 0}}\n", "expected an integer from 1 to 10000");
	assert_text("  accelerators: {overQuota: EPERM}\n", "expected one of: wait, EAGAIN, EDQUOT");
	assert_text("  resources: {memory: 2GiB}\n", "is no quantity");
	assert_text("  anomaly: {enabled: yes}\n", "expected true or false");
	assert_text("  respond: {ttl: 10}\n", "is no duration");
}

static void every_error_is_told_in_one_go_from_the_top(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text("apiVersion: ringfence/v2\n"
						       "kind: Policy\n"
						       "metadata: {name: X}\n"
						       "spec:\n"
						       "  select: [{cgroup: a}]\n"
						       "  priorty: 1\n"
						       "  network: {egress: {rules: [{to: [{cidr: 1.2.3.4/8}]}]}}\n"
						       "  devices: {rules: [{access: z}]}\n"
						       "---\n"
						       "spec: {}\n");
	static const char *const said[] = { "t.yaml:1:13:", "t.yaml:2:7:",  "t.yaml:3:18:",
					    "t.yaml:5:21:", "t.yaml:6:3:",  "t.yaml:7:43:",
					    "t.yaml:8:21:", "t.yaml:10:1:", "t.yaml:10:7:" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		assert_wrong(&p, said[i]);
	for (size_t i = 1; i < p.diags.n; i++)
		assert_true(p.diags.list[i - 1].mark.line <= p.diags.list[i].mark.line);
	assert_wrong(&p, "did you mean \"priority\"?");
	assert_int_equal(p.set->n, 0);
}

static void a_document_must_be_a_mapping(void **state)
{
	_cleanup_parsed_ struct parsed scalar = parsed_text("hello\n"), list = parsed_text("- a\n"),
				       nothing = parsed_text("# nothing\n");

	(void)state;
	assert_wrong(&scalar, "expected a mapping");
	assert_wrong(&list, "expected a mapping");
	assert_right(&nothing);
	assert_int_equal(nothing.set->n, 0);
}

static void a_file_with_an_error_leaves_the_earlier_ones(void **state)
{
	static const char first[] = HEAD_OF("a"), second[] = HEAD_OF("b") "---\nkind: x\n";
	_cleanup_policy_set_ struct rf_policy_set *set = calloc(1, sizeof(*set));
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	assert_int_equal(rf_policy_parse("1", first, sizeof(first) - 1, set, &diags), 0);
	assert_int_equal(rf_policy_parse("2", second, sizeof(second) - 1, set, &diags), -EINVAL);
	assert_int_equal(set->n, 1);
	assert_string_equal(set->policies[0]->name, "a");
}

static void a_name_is_there_once_in_its_namespace(void **state)
{
	_cleanup_parsed_ struct parsed twice = parsed_text(
					       HEAD_OF("a") "  priority: 7\n---\n" HEAD_OF("b") "---\n" HEAD_OF("a")),
				       apart = parsed_text(
					       HEAD_OF("a") "---\n"
							    "apiVersion: ringfence/v1\nkind: WorkloadPolicy\n"
							    "metadata: {name: a, tenant: t, namespace: other}\n"
							    "spec: {select: [{cgroup: /a}]}\n");

	(void)state;
	assert_wrong(&twice, "policy t/default/a is there twice");
	assert_right(&apart);
}

static void priority_ends_at_its_limits(void **state)
{
	(void)state;
	assert_text("  priority: 0\n", NULL);
	assert_text("  priority: 1000\n", NULL);
	assert_text("  priority: -1\n", "expected an integer from 0 to 1000");
	assert_text("  priority: 1001\n", "expected an integer from 0 to 1000");
}

static void a_name_ends_at_its_limit(void **state)
{
	static const char *const good[] = { "a", "a-b.c-1", "0", "a.b" };
	static const char *const bad[] = { "A", "-a", "a-", "a..b", ".a", "a_b", "a.-b", "a/b", "\"\"", "é" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad) + 2; i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
		bool right = i < ARRAY_SIZE(good) || i == ARRAY_SIZE(good) + ARRAY_SIZE(bad);

		rf_strbuf_addf(&text, "%s  workload: ", HEAD);
		if (i < ARRAY_SIZE(good))
			rf_strbuf_adds(&text, good[i]);
		else if (i < ARRAY_SIZE(good) + ARRAY_SIZE(bad))
			rf_strbuf_adds(&text, bad[i - ARRAY_SIZE(good)]);
		else
			rf_strbuf_addf(&text, "%0*d", right ? RF_NAME_MAX : RF_NAME_MAX + 1, 0);
		rf_strbuf_addc(&text, '\n');
		_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

		if (right)
			assert_right(&p);
		else
			assert_wrong(&p, "is no valid name");
	}
}

static void a_directory_ends_at_its_limit(void **state)
{
	_cleanup_policy_set_ struct rf_policy_set *set = calloc(1, sizeof(*set));
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	set->policies = calloc(RF_POLICIES_MAX + 1, sizeof(*set->policies));
	assert_non_null(set->policies);
	for (set->n = 0; set->n <= RF_POLICIES_MAX; set->n++) {
		struct rf_policy *p = calloc(1, sizeof(*p));

		assert_non_null(p);
		assert_true(asprintf(&p->name, "p%zu", set->n) > 0);
		p->tenant = strdup("t");
		p->namespace = strdup("n");
		p->file = strdup("f");
		set->policies[set->n] = p;
	}
	assert_int_equal(rf_policy_set_finish(set, &diags), -EINVAL);
	assert_int_equal(diags.n_errors, 1);
	rf_policy_free(set->policies[--set->n]);
	assert_int_equal(rf_policy_set_finish(set, &diags), 0);
	assert_int_equal(diags.n_errors, 1);
}

static void a_control_character_is_in_no_value(void **state)
{
	(void)state;
	assert_text("  network: {egress: {rules: [{name: \"a \xc3\xa9 b\"}]}}\n", NULL);
	assert_text("  network: {egress: {rules: [{name: \"\\e[2J\"}]}}\n", "the value has a control character");
	assert_text("  network: {egress: {rules: [{name: \"\\u009b2J\"}]}}\n", "the value has a control character");
	assert_text("  network: {egress: {rules: [{name: \"a\\nb\"}]}}\n", "the value has a control character");
	assert_text(DEVICE("{path: \"/dev/a\\tb\"}"), "the value has a control character");
	assert_text("  kernel: {syscalls: {deny: [\"a\\x7f\"]}}\n", "the value has a control character");
}

static void wrong_kinds_of_node_are_told(void **state)
{
	(void)state;
	assert_text("  network: []\n", "spec.network: expected a mapping, found a list");
	assert_text("  network: {egress: 1}\n", "spec.network.egress: expected a mapping, found a single value");
	assert_text("  network: {egress: {rules: {}}}\n", "expected a list of mappings, found a mapping");
	assert_text("  network: {egress: {rules: [1]}}\n", "spec.network.egress.rules[0]: expected a mapping");
	assert_text("  devices:\n", "spec.devices: expected a mapping, found nothing");
	assert_text("  mode: [audit]\n", "spec.mode: expected a word, found a list");
	assert_text("  priority: ten\n", "is no integer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_the_schemas),
		cmocka_unit_test(a_section_that_is_there_denies_by_default),
		cmocka_unit_test(selectors_take_every_key),
		cmocka_unit_test(a_selector_that_says_nothing_is_refused),
		cmocka_unit_test(devices_are_given_by_path_or_by_numbers),
		cmocka_unit_test(a_device_rule_that_names_none_is_refused),
		cmocka_unit_test(telemetry_is_a_mask_of_events),
		cmocka_unit_test(what_a_policy_needs_is_recorded_once_and_with_its_place),
		cmocka_unit_test(a_file_of_later_versions_is_checked_today),
		cmocka_unit_test(every_error_is_told_in_one_go_from_the_top),
		cmocka_unit_test(a_document_must_be_a_mapping),
		cmocka_unit_test(a_file_with_an_error_leaves_the_earlier_ones),
		cmocka_unit_test(a_name_is_there_once_in_its_namespace),
		cmocka_unit_test(priority_ends_at_its_limits),
		cmocka_unit_test(a_name_ends_at_its_limit),
		cmocka_unit_test(a_directory_ends_at_its_limit),
		cmocka_unit_test(a_control_character_is_in_no_value),
		cmocka_unit_test(wrong_kinds_of_node_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* spec.kernel: presets, kinds, capabilities and system calls, where they stand, and what each needs of the host. */
#include <linux/capability.h>

#include "tests/unit/policy/parsed.h"
#include "user/model/kernel.h"

#define KERNEL	  "  kernel:\n"
#define CAP(name) (1ULL << CAP_##name)

static const struct rf_policy *policy_of(const struct parsed *p)
{
	assert_right(p);
	return p->set->policies[0];
}

/* The line where @feature is required; 0: it is not. */
static uint32_t required_at(const struct rf_policy *p, enum rf_feature feature)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return p->requirements[i].mark.line;
	return 0;
}

static void each_kind_has_its_bit_and_its_line(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD KERNEL "    deny:\n      - sysctl\n      - BPF\n"
								   "      - moduleLoad\n      - bpf\n");
	const struct rf_kernel *k = policy_of(&p)->kernel;

	(void)state;
	assert_non_null(k);
	assert_int_equal(k->limits.deny, 1u << RF_KERNEL_SYSCTL | 1u << RF_KERNEL_BPF | 1u << RF_KERNEL_MODULE);
	assert_int_equal(k->limits.capabilities, 0);
	assert_int_equal(k->limits.syscalls, 0);
	assert_int_equal(k->line[RF_KERNEL_SYSCTL], 9);
	assert_int_equal(k->line[RF_KERNEL_BPF], 10);
	assert_int_equal(k->line[RF_KERNEL_MODULE], 11);
	assert_int_equal(k->line[RF_KERNEL_MOUNT], 0);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL_SYSCTL), 9);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL), 10);
}

static void sysctls_alone_need_no_lsm(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD KERNEL "    deny: [sysctl, corePattern]\n");

	(void)state;
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL_SYSCTL), 8);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL), 0);
}

static void a_preset_is_expanded(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD KERNEL "    preset: restricted\n    deny: [ptrace]\n");
	const struct rf_kernel *k = policy_of(&p)->kernel;
	const struct rf_kernel_preset *preset = rf_kernel_preset_find("restricted");

	(void)state;
	assert_ptr_equal(k->preset, preset);
	assert_int_equal(k->preset_line, 8);
	assert_int_equal(k->limits.deny, preset->deny | 1u << RF_KERNEL_PTRACE);
	assert_int_equal(k->limits.capabilities, ~CAP(NET_BIND_SERVICE));
	assert_int_equal(k->line[RF_KERNEL_PTRACE], 9);
	assert_int_equal(k->line[RF_KERNEL_MOUNT], 0);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL), 8);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL_SYSCTL), 8);
}

static void capabilities_are_denied_by_name_or_by_what_is_left(void **state)
{
	_cleanup_parsed_ struct parsed deny = parsed_text(HEAD KERNEL
							  "    capabilities: {deny: [CAP_BPF, cap_kill]}\n"),
				       allow = parsed_text(HEAD KERNEL "    capabilities:\n      allow: [CAP_KILL]\n"),
				       none = parsed_text(HEAD KERNEL "    capabilities: {allow: []}\n"),
				       both = parsed_text(HEAD KERNEL "    capabilities: {allow: [CAP_KILL, CAP_BPF],"
								      " deny: [CAP_BPF]}\n");

	(void)state;
	assert_int_equal(policy_of(&deny)->kernel->limits.capabilities, CAP(BPF) | CAP(KILL));
	assert_int_equal(policy_of(&deny)->kernel->line[RF_KERNEL_RULE_CAPABILITY(CAP_KILL)], 8);
	assert_int_equal(policy_of(&deny)->kernel->allow_line, 0);
	assert_int_equal(policy_of(&allow)->kernel->limits.capabilities, ~CAP(KILL));
	assert_int_equal(policy_of(&allow)->kernel->allow_line, 9);
	assert_int_equal(policy_of(&none)->kernel->limits.capabilities, UINT64_MAX);
	assert_int_equal(policy_of(&both)->kernel->limits.capabilities, ~CAP(KILL));
	assert_int_equal(required_at(policy_of(&none), RF_FEATURE_KERNEL), 8);
}

static void system_calls_have_their_bits(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD KERNEL "    syscalls: {deny: [setns, mount]}\n");
	const struct rf_kernel *k = policy_of(&p)->kernel;

	(void)state;
	assert_int_equal(k->limits.syscalls, 1ULL << RF_SYSCALL_setns | 1ULL << RF_SYSCALL_mount);
	assert_int_equal(k->line[RF_KERNEL_RULE_SYSCALL(RF_SYSCALL_mount)], 8);
	assert_int_equal(required_at(policy_of(&p), RF_FEATURE_KERNEL), 8);
}

static void what_is_not_said_is_no_opinion(void **state)
{
	_cleanup_parsed_ struct parsed absent = parsed_text(HEAD), empty = parsed_text(HEAD "  kernel: {}\n"),
				       nothing = parsed_text(HEAD "  kernel: {deny: [], syscalls: {deny: []}}\n");

	(void)state;
	assert_null(policy_of(&absent)->kernel);
	assert_int_equal(policy_of(&empty)->kernel->limits.deny, 0);
	assert_int_equal(policy_of(&empty)->n_requirements, 0);
	assert_int_equal(policy_of(&nothing)->kernel->limits.capabilities, 0);
	assert_int_equal(policy_of(&nothing)->n_requirements, 0);
}

static void what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *kernel, *said;
	} rows[] = {
		{ "preset: restrict", "did you mean \"restricted\"?" },
		{ "preset: privileged", "expected one of: baseline, restricted, ai-training, ai-serving, notebook" },
		{ "preset: [baseline]", "expected a word, found a list" },
		{ "deny: [modules]", "\"modules\" is not known here" },
		{ "deny: [mounts]", "did you mean \"mount\"?" },
		{ "deny: mount", "expected a list of words" },
		{ "deny: [[mount]]", "kernel.deny[0]: expected a word, found a list" },
		{ "capabilities: {deny: [SYS_ADMIN]}", "expected a capability of capabilities(7)" },
		{ "capabilities: {allow: [CAP_NET_ADMN]}", "did you mean \"CAP_NET_ADMIN\"?" },
		{ "capabilities: [CAP_KILL]", "capabilities: expected a mapping, found a list" },
		{ "syscalls: {deny: [openat]}",
		  "expected a system call that the kernel asks its hooks about before anything is done" },
		{ "syscalls: {allow: [mount]}", "unknown key \"allow\" in spec.kernel.syscalls" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

		rf_strbuf_addf(&text, "%s    %s\n", KERNEL, rows[i].kernel);
		assert_text(rf_strbuf_str(&text), rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_bit_and_its_line),
		cmocka_unit_test(sysctls_alone_need_no_lsm),
		cmocka_unit_test(a_preset_is_expanded),
		cmocka_unit_test(capabilities_are_denied_by_name_or_by_what_is_left),
		cmocka_unit_test(system_calls_have_their_bits),
		cmocka_unit_test(what_is_not_said_is_no_opinion),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

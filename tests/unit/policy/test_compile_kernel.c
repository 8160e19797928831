// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel sections of several policies: the union of denials, the tiers, and whose they are. */
#include <linux/capability.h>

#include "tests/unit/policy/parsed.h"
#include "user/model/kernel.h"
#include "user/policy/compile_kernel.h"

struct compiled {
	struct parsed parsed;
	struct rf_kernel_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_kernel_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define KERNEL(what)	   "  kernel: {" what "}\n"
#define AUDIT		   "  mode: audit\n"
#define KIND(name)	   (1u << RF_KERNEL_##name)
#define CAP(name)	   (1ULL << CAP_##name)
#define CALL(name)	   (1ULL << RF_SYSCALL_##name)

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)c.parsed.set->policies;
	assert_int_equal(rf_kernel_compile(policies, c.parsed.set->n, &c.image), 0);
	rf_kernel_show(policies, c.parsed.set->n, &c.shown);
	return c;
}

static void assert_limits(const struct compiled *c, enum rf_tier tier, uint32_t deny, uint64_t capabilities,
			  uint64_t syscalls)
{
	assert_non_null(c->image);
	assert_int_equal(c->image->limits[tier].deny, deny);
	assert_int_equal(c->image->limits[tier].capabilities, capabilities);
	assert_int_equal(c->image->limits[tier].syscalls, syscalls);
}

static void assert_whose(const struct compiled *c, enum rf_tier tier, unsigned int rule, const char *policy,
			 const char *name, uint32_t line)
{
	const struct rf_rule_ref *ref = rf_kernel_ref(c->image, tier, rule);

	assert_non_null(ref);
	assert_string_equal(ref->policy, policy);
	assert_string_equal(ref->rule, name);
	assert_string_equal(ref->file, "t.yaml");
	assert_int_equal(ref->line, line);
}

static void without_denials_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled none = compiled_from(HEAD), empty = compiled_from(HEAD KERNEL("deny: []"));

	(void)state;
	assert_null(none.image);
	assert_null(empty.image);
	assert_null(rf_kernel_ref(empty.image, RF_TIER_ENFORCE, RF_KERNEL_BPF));
	assert_string_equal(rf_strbuf_str(&empty.shown), "\nkernel: no policy speaks of it: all allowed\n");
}

static void each_denial_tells_its_line(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD KERNEL("deny: [bpf], capabilities: {deny: [CAP_KILL]}, syscalls: {deny: [setns]}"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, KIND(BPF), CAP(KILL), CALL(setns));
	assert_limits(&c, RF_TIER_AUDIT, 0, 0, 0);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_BPF, "t/default/x", "kernel.deny[bpf]", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_KILL), "t/default/x",
		     "kernel.capabilities.deny[CAP_KILL]", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_SYSCALL(RF_SYSCALL_setns), "t/default/x",
		     "kernel.syscalls.deny[setns]", 7);
	assert_null(rf_kernel_ref(c.image, RF_TIER_ENFORCE, RF_KERNEL_PERF));
	assert_null(rf_kernel_ref(c.image, RF_TIER_AUDIT, RF_KERNEL_BPF));
	assert_null(rf_kernel_ref(c.image, RF_TIERS, RF_KERNEL_BPF));
	assert_null(rf_kernel_ref(c.image, RF_TIER_ENFORCE, RF_KERNEL_RULES));
	assert_string_equal(rf_strbuf_str(&c.shown),
			    "\nkernel:\n  deny bpf  (x, kernel.deny[bpf], t.yaml:7)\n"
			    "  deny CAP_KILL  (x, kernel.capabilities.deny[CAP_KILL], t.yaml:7)\n"
			    "  deny the system call setns  (x, kernel.syscalls.deny[setns], t.yaml:7)\n");
}

static void a_preset_is_named_where_nothing_else_denies(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD "  kernel:\n    preset: restricted\n    deny: [ptrace, mount]\n"
				   "    capabilities:\n      allow: [CAP_KILL]\n");

	(void)state;
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_MODULE, "t/default/x", "kernel.preset[restricted]", 8);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_PTRACE, "t/default/x", "kernel.deny[ptrace]", 9);
	/* Both deny it: the line that names it is the one to look at. */
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_MOUNT, "t/default/x", "kernel.deny[mount]", 9);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_SYS_ADMIN), "t/default/x",
		     "kernel.preset[restricted]", 8);
	/* What the preset leaves the list does not, and the other way round. */
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_NET_BIND_SERVICE), "t/default/x",
		     "kernel.capabilities.allow", 11);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_KILL), "t/default/x",
		     "kernel.preset[restricted]", 8);
	assert_non_null(strstr(rf_strbuf_str(&c.shown), "  allow of capabilities only none  (x, "));
}

static void denials_are_united_and_what_is_allowed_is_intersected(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(
		HEAD_OF("b") KERNEL("deny: [bpf, perf], capabilities: {allow: [CAP_KILL, CAP_CHOWN]}") "---\n" //
		HEAD_OF("c") "  priority: 1\n" KERNEL(
			"deny: [bpf], capabilities: {allow: [CAP_KILL, CAP_BPF]}") "---\n" //
		HEAD_OF("d") KERNEL("syscalls: {deny: [mount]}"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, KIND(BPF) | KIND(PERF), ~CAP(KILL), CALL(mount));
	/* The first in the order of precedence that denies is named. */
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_BPF, "t/default/c", "kernel.deny[bpf]", 16);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_PERF, "t/default/b", "kernel.deny[perf]", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_BPF), "t/default/b",
		     "kernel.capabilities.allow", 7);
	assert_whose(&c, RF_TIER_ENFORCE, RF_KERNEL_RULE_CAPABILITY(CAP_CHOWN), "t/default/c",
		     "kernel.capabilities.allow", 16);
	assert_non_null(strstr(rf_strbuf_str(&c.shown),
			       "  allow of capabilities only CAP_KILL  (c, kernel.capabilities.allow, t.yaml:16)\n"));
}

static void audit_takes_all_policies_and_enforces_none_of_its_own(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD_OF("a") KERNEL("deny: [bpf]") "---\n" //
							     HEAD_OF("b") AUDIT KERNEL("deny: [bpf, kexec]"));

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, KIND(BPF), 0, 0);
	assert_limits(&c, RF_TIER_AUDIT, KIND(BPF) | KIND(KEXEC), 0, 0);
	assert_whose(&c, RF_TIER_AUDIT, RF_KERNEL_KEXEC, "t/default/b", "kernel.deny[kexec]", 16);
	assert_string_equal(rf_strbuf_str(&c.shown), "\nkernel:\n  deny bpf  (a, kernel.deny[bpf], t.yaml:7)\n"
						     "  in audit, deny kexec  (b, kernel.deny[kexec], t.yaml:16)\n");
}

static void an_audited_policy_without_the_section_audits_nothing(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD_OF("a") KERNEL("deny: [bpf]") "---\n" HEAD_OF("b") AUDIT);

	(void)state;
	assert_limits(&c, RF_TIER_ENFORCE, KIND(BPF), 0, 0);
	assert_limits(&c, RF_TIER_AUDIT, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_denials_there_is_no_image),
		cmocka_unit_test(each_denial_tells_its_line),
		cmocka_unit_test(a_preset_is_named_where_nothing_else_denies),
		cmocka_unit_test(denials_are_united_and_what_is_allowed_is_intersected),
		cmocka_unit_test(audit_takes_all_policies_and_enforces_none_of_its_own),
		cmocka_unit_test(an_audited_policy_without_the_section_audits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

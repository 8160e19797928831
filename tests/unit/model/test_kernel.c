// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of the kernel's surface: every one that a policy can write is read back; the presets, and how they differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "user/lib/util.h"
#include "user/model/kernel.h"

static void every_name_is_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < RF_KERNEL_KIND_COUNT; i++)
		assert_int_equal(rf_kernel_kind_parse(rf_kernel_kind_names[i]), i);
	assert_null(rf_kernel_kind_names[RF_KERNEL_KIND_COUNT]);
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		assert_int_equal(rf_capability_parse(rf_capability_names[i]), i);
	assert_null(rf_capability_names[CAP_LAST_CAP + 1]);
	for (int i = 0; i < RF_SYSCALL_COUNT; i++)
		assert_int_equal(rf_syscall_parse(rf_syscall_names[i]), i);
	assert_null(rf_syscall_names[RF_SYSCALL_COUNT]);
	for (int i = 0; rf_kernel_preset_names[i]; i++) {
		const struct rf_kernel_preset *preset = rf_kernel_preset_find(rf_kernel_preset_names[i]);

		assert_non_null(preset);
		assert_string_equal(preset->name, rf_kernel_preset_names[i]);
	}
}

static void letters_may_be_of_either_case(void **state)
{
	(void)state;
	assert_int_equal(rf_kernel_kind_parse("moduleload"), RF_KERNEL_MODULE);
	assert_int_equal(rf_capability_parse("cap_sys_admin"), CAP_SYS_ADMIN);
	assert_int_equal(rf_syscall_parse("SETNS"), RF_SYSCALL_setns);
	assert_ptr_equal(rf_kernel_preset_find("Restricted"), rf_kernel_preset_find("restricted"));
}

static void what_there_is_not_is_refused(void **state)
{
	(void)state;
	assert_int_equal(rf_kernel_kind_parse("modules"), -EINVAL);
	assert_int_equal(rf_kernel_kind_parse(""), -EINVAL);
	assert_int_equal(rf_capability_parse("SYS_ADMIN"), -EINVAL);
	assert_int_equal(rf_syscall_parse("openat"), -EINVAL);
	assert_null(rf_kernel_preset_find("privileged"));
	assert_null(rf_capability_name(CAP_LAST_CAP + 1));
	assert_null(rf_capability_name(RF_KERNEL_NONE));
	assert_null(rf_syscall_name(RF_SYSCALL_COUNT));
	assert_null(rf_syscall_name(RF_KERNEL_NONE));
}

/* The table of numbers against the C library's, where that knows the call. */
static void numbers_are_those_of_the_kernel(void **state)
{
	static const struct {
		int number, expected;
	} rows[] = {
#define X(name, number) { number, RF_SYSCALL_##name },
		RF_SYSCALLS(X)
#undef X
	};
	static const int known[] = {
		[RF_SYSCALL_acct] = SYS_acct,
		[RF_SYSCALL_bpf] = SYS_bpf,
		[RF_SYSCALL_chroot] = SYS_chroot,
		[RF_SYSCALL_delete_module] = SYS_delete_module,
		[RF_SYSCALL_finit_module] = SYS_finit_module,
		[RF_SYSCALL_fsmount] = SYS_fsmount,
		[RF_SYSCALL_fsopen] = SYS_fsopen,
		[RF_SYSCALL_fspick] = SYS_fspick,
		[RF_SYSCALL_init_module] = SYS_init_module,
		[RF_SYSCALL_io_uring_setup] = SYS_io_uring_setup,
		[RF_SYSCALL_ioperm] = SYS_ioperm,
		[RF_SYSCALL_iopl] = SYS_iopl,
		[RF_SYSCALL_kcmp] = SYS_kcmp,
		[RF_SYSCALL_kexec_file_load] = SYS_kexec_file_load,
		[RF_SYSCALL_kexec_load] = SYS_kexec_load,
		[RF_SYSCALL_mount] = SYS_mount,
		[RF_SYSCALL_mount_setattr] = SYS_mount_setattr,
		[RF_SYSCALL_move_mount] = SYS_move_mount,
		[RF_SYSCALL_open_by_handle_at] = SYS_open_by_handle_at,
		[RF_SYSCALL_open_tree] = SYS_open_tree,
		[RF_SYSCALL_open_tree_attr] = 467, /* younger than the C library of Debian 12 */
		[RF_SYSCALL_perf_event_open] = SYS_perf_event_open,
		[RF_SYSCALL_pidfd_getfd] = SYS_pidfd_getfd,
		[RF_SYSCALL_pivot_root] = SYS_pivot_root,
		[RF_SYSCALL_process_vm_readv] = SYS_process_vm_readv,
		[RF_SYSCALL_process_vm_writev] = SYS_process_vm_writev,
		[RF_SYSCALL_ptrace] = SYS_ptrace,
		[RF_SYSCALL_reboot] = SYS_reboot,
		[RF_SYSCALL_setdomainname] = SYS_setdomainname,
		[RF_SYSCALL_setfsgid] = SYS_setfsgid,
		[RF_SYSCALL_setfsuid] = SYS_setfsuid,
		[RF_SYSCALL_setgid] = SYS_setgid,
		[RF_SYSCALL_setgroups] = SYS_setgroups,
		[RF_SYSCALL_sethostname] = SYS_sethostname,
		[RF_SYSCALL_setns] = SYS_setns,
		[RF_SYSCALL_setregid] = SYS_setregid,
		[RF_SYSCALL_setresgid] = SYS_setresgid,
		[RF_SYSCALL_setresuid] = SYS_setresuid,
		[RF_SYSCALL_setreuid] = SYS_setreuid,
		[RF_SYSCALL_settimeofday] = SYS_settimeofday,
		[RF_SYSCALL_setuid] = SYS_setuid,
		[RF_SYSCALL_swapoff] = SYS_swapoff,
		[RF_SYSCALL_swapon] = SYS_swapon,
		[RF_SYSCALL_umount2] = SYS_umount2,
		[RF_SYSCALL_unshare] = SYS_unshare,
		[RF_SYSCALL_userfaultfd] = SYS_userfaultfd,
		[RF_SYSCALL_vhangup] = SYS_vhangup,
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), ARRAY_SIZE(known));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(rows[i].number, known[rows[i].expected]);
}

static void rules_have_names(void **state)
{
	char name[RF_KERNEL_RULE_NAME];

	(void)state;
	assert_string_equal(rf_kernel_rule_name(RF_KERNEL_MOUNT, name), "kernel.deny[mount]");
	assert_string_equal(rf_kernel_rule_name(RF_KERNEL_RULE_CAPABILITY(CAP_CHECKPOINT_RESTORE), name),
			    "kernel.capabilities.deny[CAP_CHECKPOINT_RESTORE]");
	assert_string_equal(rf_kernel_rule_name(RF_KERNEL_RULE_CAPABILITY(63), name), "kernel.capabilities.deny[63]");
	assert_string_equal(rf_kernel_rule_name(RF_KERNEL_RULE_SYSCALL(RF_SYSCALL_setns), name),
			    "kernel.syscalls.deny[setns]");
	assert_string_equal(rf_kernel_rule_name(RF_KERNEL_RULES, name), "kernel rule 126");
}

/* What the documentation says of them. */
static void presets_go_from_wide_to_narrow(void **state)
{
	const struct rf_kernel_preset *baseline = rf_kernel_preset_find("baseline"),
				      *restricted = rf_kernel_preset_find("restricted"),
				      *serving = rf_kernel_preset_find("ai-serving");

	(void)state;
	for (int i = 0; rf_kernel_preset_names[i]; i++) {
		assert_int_equal(rf_kernel_presets[i].deny & baseline->deny, baseline->deny);
		assert_true(rf_kernel_presets[i].allowed & 1ULL << CAP_NET_BIND_SERVICE);
		assert_false(rf_kernel_presets[i].allowed & 1ULL << CAP_SYS_ADMIN);
		assert_int_equal(rf_kernel_presets[i].allowed >> (CAP_LAST_CAP + 1), 0);
	}
	assert_int_equal(restricted->allowed, 1ULL << CAP_NET_BIND_SERVICE);
	assert_int_equal(restricted->allowed & baseline->allowed, restricted->allowed);
	assert_int_equal(serving->deny & restricted->deny, restricted->deny);
	assert_true(serving->deny & 1u << RF_KERNEL_PTRACE);
	assert_false(restricted->deny & 1u << RF_KERNEL_PTRACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_read_back),
		cmocka_unit_test(letters_may_be_of_either_case),
		cmocka_unit_test(what_there_is_not_is_refused),
		cmocka_unit_test(numbers_are_those_of_the_kernel),
		cmocka_unit_test(rules_have_names),
		cmocka_unit_test(presets_go_from_wide_to_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of names, and the presets: Documentation/presets.md says why each line of one is there. */
#include "user/model/kernel.h"

#include <assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <strings.h>

#include "user/lib/util.h"

const char *const rf_kernel_kind_names[] = {
#define X(id, word, text) [RF_KERNEL_##id] = word,
	RF_KERNEL_KINDS(X)
#undef X
		NULL,
};
static_assert(RF_KERNEL_KIND_COUNT <= 32, "a kind has no bit");

/* In the order of linux/capability.h. */
#define CAPABILITIES(X)     \
	X(CHOWN)            \
	X(DAC_OVERRIDE)     \
	X(DAC_READ_SEARCH)  \
	X(FOWNER)           \
	X(FSETID)           \
	X(KILL)             \
	X(SETGID)           \
	X(SETUID)           \
	X(SETPCAP)          \
	X(LINUX_IMMUTABLE)  \
	X(NET_BIND_SERVICE) \
	X(NET_BROADCAST)    \
	X(NET_ADMIN)        \
	X(NET_RAW)          \
	X(IPC_LOCK)         \
	X(IPC_OWNER)        \
	X(SYS_MODULE)       \
	X(SYS_RAWIO)        \
	X(SYS_CHROOT)       \
	X(SYS_PTRACE)       \
	X(SYS_PACCT)        \
	X(SYS_ADMIN)        \
	X(SYS_BOOT)         \
	X(SYS_NICE)         \
	X(SYS_RESOURCE)     \
	X(SYS_TIME)         \
	X(SYS_TTY_CONFIG)   \
	X(MKNOD)            \
	X(LEASE)            \
	X(AUDIT_WRITE)      \
	X(AUDIT_CONTROL)    \
	X(SETFCAP)          \
	X(MAC_OVERRIDE)     \
	X(MAC_ADMIN)        \
	X(SYSLOG)           \
	X(WAKE_ALARM)       \
	X(BLOCK_SUSPEND)    \
	X(AUDIT_READ)       \
	X(PERFMON)          \
	X(BPF)              \
	X(CHECKPOINT_RESTORE)

const char *const rf_capability_names[] = {
#define X(name) [CAP_##name] = "CAP_" #name,
	CAPABILITIES(X)
#undef X
		[CAP_LAST_CAP + 1] = NULL,
};
#define X(name) +1
static_assert(CAPABILITIES(X) == CAP_LAST_CAP + 1, "a capability has no name");
#undef X
static_assert(CAP_LAST_CAP < RF_CAPABILITIES, "a capability has no bit");

const char *const rf_syscall_names[] = {
#define X(name, number) [RF_SYSCALL_##name] = #name,
	RF_SYSCALLS(X)
#undef X
		NULL,
};
static_assert(RF_SYSCALL_COUNT <= 64, "a system call has no bit");

#define CAP(name)  (1ULL << CAP_##name)
#define KIND(name) (1u << RF_KERNEL_##name)

/* What the Pod Security Standards let a container of the baseline profile add. */
#define BASELINE_CAPABILITIES                                                                                     \
	(CAP(AUDIT_WRITE) | CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(MKNOD) | \
	 CAP(NET_BIND_SERVICE) | CAP(SETFCAP) | CAP(SETGID) | CAP(SETPCAP) | CAP(SETUID) | CAP(SYS_CHROOT))

/* What belongs to the host, whoever asks: nothing that runs in a container needs it. */
#define HOST_KINDS                                                                                        \
	(KIND(MODULE) | KIND(BPF) | KIND(PERF) | KIND(KEXEC) | KIND(MOUNT) | KIND(RAW_IO) | KIND(SYSRQ) | \
	 KIND(SYSCTL) | KIND(CGROUP) | KIND(CORE_PATTERN))

const struct rf_kernel_preset rf_kernel_presets[] = {
	{ "baseline", HOST_KINDS, BASELINE_CAPABILITIES },
	{ "restricted", HOST_KINDS | KIND(USERFAULTFD) | KIND(IO_URING) | KIND(USER_NAMESPACE) | KIND(SETUID),
	  CAP(NET_BIND_SERVICE) },
	{ "ai-training", HOST_KINDS | KIND(USERFAULTFD) | KIND(USER_NAMESPACE),
	  BASELINE_CAPABILITIES | CAP(IPC_LOCK) | CAP(SYS_NICE) },
	{ "ai-serving",
	  HOST_KINDS | KIND(USERFAULTFD) | KIND(IO_URING) | KIND(USER_NAMESPACE) | KIND(PTRACE) | KIND(SETUID),
	  CAP(NET_BIND_SERVICE) | CAP(IPC_LOCK) },
	{ "notebook", HOST_KINDS | KIND(USERFAULTFD) | KIND(IO_URING) | KIND(USER_NAMESPACE),
	  CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(NET_BIND_SERVICE) | CAP(SETGID) |
		  CAP(SETPCAP) | CAP(SETUID) },
};

const char *const rf_kernel_preset_names[] = {
	"baseline", "restricted", "ai-training", "ai-serving", "notebook", NULL,
};
static_assert(ARRAY_SIZE(rf_kernel_preset_names) == ARRAY_SIZE(rf_kernel_presets) + 1, "a preset has no name");

static int place_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (strcasecmp(names[i], name) == 0)
			return i;
	return -EINVAL;
}

int rf_kernel_kind_parse(const char *name)
{
	return place_of(rf_kernel_kind_names, name);
}

int rf_capability_parse(const char *name)
{
	return place_of(rf_capability_names, name);
}

int rf_syscall_parse(const char *name)
{
	return place_of(rf_syscall_names, name);
}

const char *rf_capability_name(unsigned int capability)
{
	return capability <= CAP_LAST_CAP ? rf_capability_names[capability] : NULL;
}

const char *rf_syscall_name(unsigned int syscall)
{
	return syscall < RF_SYSCALL_COUNT ? rf_syscall_names[syscall] : NULL;
}

const char *rf_kernel_rule_name(unsigned int rule, char buffer[static RF_KERNEL_RULE_NAME])
{
	unsigned int capability = rule - RF_KERNEL_RULE_CAPABILITY(0), syscall = rule - RF_KERNEL_RULE_SYSCALL(0);

	if (rule < RF_KERNEL_KIND_COUNT)
		snprintf(buffer, RF_KERNEL_RULE_NAME, "kernel.deny[%s]", rf_kernel_kind_names[rule]);
	else if (capability <= CAP_LAST_CAP)
		snprintf(buffer, RF_KERNEL_RULE_NAME, "kernel.capabilities.deny[%s]", rf_capability_names[capability]);
	else if (capability < RF_CAPABILITIES)
		snprintf(buffer, RF_KERNEL_RULE_NAME, "kernel.capabilities.deny[%u]", capability);
	else if (syscall < RF_SYSCALL_COUNT)
		snprintf(buffer, RF_KERNEL_RULE_NAME, "kernel.syscalls.deny[%s]", rf_syscall_names[syscall]);
	else
		snprintf(buffer, RF_KERNEL_RULE_NAME, "kernel rule %u", rule);
	return buffer;
}

const struct rf_kernel_preset *rf_kernel_preset_find(const char *name)
{
	int place = place_of(rf_kernel_preset_names, name);

	return place < 0 ? NULL : &rf_kernel_presets[place];
}

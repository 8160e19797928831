/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the kernel's surface: as policies write them, and as events show them. */
#ifndef RF_MODEL_KERNEL_H
#define RF_MODEL_KERNEL_H

#include <stdint.h>

#include "ringfence/kernel_map.h"

/* What "deny" can list, by enum rf_kernel_kind; capabilities by number; system calls by enum rf_syscall. NULL at the
 * end of each. */
extern const char *const rf_kernel_kind_names[];
extern const char *const rf_capability_names[];
extern const char *const rf_syscall_names[];

/* Place in the table of that name, letters of either case. -EINVAL. */
int rf_kernel_kind_parse(const char *name);
int rf_capability_parse(const char *name);
int rf_syscall_parse(const char *name);

/* "CAP_SYS_ADMIN", "mount"; NULL where it has no name. */
const char *rf_capability_name(unsigned int capability);
const char *rf_syscall_name(unsigned int syscall);

/* What a policy says to deny it: "kernel.deny[mount]", "kernel.capabilities.deny[CAP_KILL]"; @rule as in
 * RF_KERNEL_RULES. */
#define RF_KERNEL_RULE_NAME 56
const char *rf_kernel_rule_name(unsigned int rule, char buffer[static RF_KERNEL_RULE_NAME]);

/* A named set of denials; expanded when a policy is parsed. */
struct rf_kernel_preset {
	const char *name;
	uint32_t deny;	  /* 1 << enum rf_kernel_kind */
	uint64_t allowed; /* 1 << CAP_*: all the others are denied */
};

/* In the order of rf_kernel_preset_names, which ends with NULL. */
extern const struct rf_kernel_preset rf_kernel_presets[];
extern const char *const rf_kernel_preset_names[];
/* NULL: no such preset. */
const struct rf_kernel_preset *rf_kernel_preset_find(const char *name);

#endif

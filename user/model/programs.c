// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of names. */
#include "user/model/programs.h"

#include <assert.h>

#include "user/lib/util.h"

static const char *const role_names[] = {
	[RF_EXEC_PROGRAM] = "program",
	[RF_EXEC_INTERPRETER] = "interpreter",
	[RF_EXEC_LIBRARY] = "library",
};
static_assert(ARRAY_SIZE(role_names) == RF_EXEC_LIBRARY + 1, "a role has no name");

static const char *const reason_names[] = {
	[RF_EXEC_MEMFD] = "memfd",     [RF_EXEC_DRIFT] = "drift",	    [RF_EXEC_RULE] = "rule",
	[RF_EXEC_DEFAULT] = "default", [RF_EXEC_UNREADABLE] = "unreadable",
};
static_assert(ARRAY_SIZE(reason_names) == RF_EXEC_REASONS, "a reason has no name");

const char *rf_exec_role_name(unsigned int role)
{
	return role < ARRAY_SIZE(role_names) ? role_names[role] : "unknown";
}

const char *rf_exec_reason_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(reason_names) ? reason_names[reason] : "unknown";
}

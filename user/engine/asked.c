// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a policy asks for which hook. The hooks are the host's: one workload that asks is enough. */
#include "user/engine/internal.h"

static const struct {
	enum rf_section section;
	enum rf_hook hook;
	uint64_t kinds; /* any of these */
} rows[] = {
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCK_CREATE, 1u << RF_SOCKET_RAW },
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCKET_CREATE,
	  1u << RF_SOCKET_PACKET | 1u << RF_SOCKET_VSOCK | 1u << RF_SOCKET_NETLINK },
	{ RF_SECTION_SOCKETS, RF_HOOK_SOCKET_CONNECT, 1u << RF_SOCKET_VSOCK },
	{ RF_SECTION_SOCKETS, RF_HOOK_UNIX_CONNECT, 1u << RF_SOCKET_UNIX },
	{ RF_SECTION_SOCKETS, RF_HOOK_UNIX_SEND, 1u << RF_SOCKET_UNIX },
	{ RF_SECTION_EXEC, RF_HOOK_BPRM_CHECK, RF_EXEC_ASKED_RULES | RF_EXEC_ASKED_DRIFT },
	{ RF_SECTION_EXEC, RF_HOOK_EXEC_KILL, RF_EXEC_ASKED_RULES | RF_EXEC_ASKED_DRIFT },
	{ RF_SECTION_EXEC, RF_HOOK_MMAP_FILE, RF_EXEC_ASKED_DRIFT },
	{ RF_SECTION_EXEC, RF_HOOK_FILE_MPROTECT, RF_EXEC_ASKED_DRIFT },
};

int rf_engine_hooks_want(struct rf_engine *e, const struct rf_asked *asked, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].kinds & asked->kinds[rows[i].section])
			r = rf_hook_want(e, rows[i].hook, ret_error);
	return r;
}

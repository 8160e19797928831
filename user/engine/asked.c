// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a policy asks for which hook. The hooks are the host's: one workload that asks is enough. */
#include "user/engine/internal.h"

#define ISOLATION(hook, kind) { RF_SECTION_ISOLATION, RF_HOOK_##hook, 1u << RF_ISOLATION_##kind }

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
	ISOLATION(TASK_KILL, SIGNAL),
	ISOLATION(PTRACE, PTRACE),
	ISOLATION(TRACEME, PTRACE),
	ISOLATION(TASK_SCHEDULER, SCHEDULE),
	ISOLATION(TASK_NICE, SCHEDULE),
	ISOLATION(TASK_IOPRIO, SCHEDULE),
	ISOLATION(TASK_RLIMIT, SCHEDULE),
	ISOLATION(TASK_MEMORY, SCHEDULE),
	ISOLATION(IPC_PERMISSION, IPC),
	ISOLATION(SHM_ALLOC, IPC),
	ISOLATION(SEM_ALLOC, IPC),
	ISOLATION(MSG_ALLOC, IPC),
	ISOLATION(SHM_FREE, IPC),
	ISOLATION(SEM_FREE, IPC),
	ISOLATION(MSG_FREE, IPC),
	ISOLATION(SHM_CONTROL, IPC),
	ISOLATION(SEM_CONTROL, IPC),
	ISOLATION(MSG_CONTROL, IPC),
	ISOLATION(APART_OPEN, IPC),
	ISOLATION(APART_OPEN, PTRACE),
	ISOLATION(APART_RECEIVE, IPC),
	ISOLATION(APART_RECEIVE, UNIX),
	ISOLATION(UNIX_CONNECT, UNIX),
	ISOLATION(UNIX_SEND, UNIX),
	ISOLATION(PERF_ALLOC, PERF),
	ISOLATION(KEY_ALLOC, KEYS),
	ISOLATION(KEY_PERMISSION, KEYS),
};

int rf_engine_hooks_want(struct rf_engine *e, const struct rf_asked *asked, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].kinds & asked->kinds[rows[i].section])
			r = rf_hook_want(e, rows[i].hook, ret_error);
	return r;
}

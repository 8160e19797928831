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
	{ RF_SECTION_FILES, RF_HOOK_FILES_OPEN, 1u << RF_FILE_READ | 1u << RF_FILE_WRITE | 1u << RF_FILE_EXEC },
	{ RF_SECTION_FILES, RF_HOOK_FILES_RECEIVE, 1u << RF_FILE_READ | 1u << RF_FILE_WRITE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MMAP, 1u << RF_FILE_MMAP },
	{ RF_SECTION_FILES, RF_HOOK_FILES_BACKING, 1u << RF_FILE_MMAP },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MPROTECT, 1u << RF_FILE_MMAP },
	{ RF_SECTION_FILES, RF_HOOK_FILES_CREATE, 1u << RF_FILE_CREATE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MKDIR, 1u << RF_FILE_CREATE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MKNOD, 1u << RF_FILE_CREATE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_SYMLINK, 1u << RF_FILE_CREATE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_UNLINK, 1u << RF_FILE_DELETE },
	{ RF_SECTION_FILES, RF_HOOK_FILES_RMDIR, 1u << RF_FILE_DELETE },
	/* Whatever is denied must not be got around by leaving the tree. */
	{ RF_SECTION_FILES, RF_HOOK_FILES_RENAME, RF_FILE_ALL },
	{ RF_SECTION_FILES, RF_HOOK_FILES_LINK, RF_FILE_ALL },
	{ RF_SECTION_FILES, RF_HOOK_FILES_SETATTR, 1u << RF_FILE_WRITE | 1u << RF_FILE_CHMOD | 1u << RF_FILE_CHOWN },
	{ RF_SECTION_FILES, RF_HOOK_FILES_SETXATTR, 1u << RF_FILE_XATTR },
	{ RF_SECTION_FILES, RF_HOOK_FILES_RMXATTR, 1u << RF_FILE_XATTR },
	{ RF_SECTION_FILES, RF_HOOK_FILES_SET_ACL, 1u << RF_FILE_XATTR },
	{ RF_SECTION_FILES, RF_HOOK_FILES_RM_ACL, 1u << RF_FILE_XATTR },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MOUNT, 1u << RF_FILE_MOUNT },
	{ RF_SECTION_FILES, RF_HOOK_FILES_MOVE, 1u << RF_FILE_MOUNT },
};

int rf_engine_hooks_want(struct rf_engine *e, const struct rf_asked *asked, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].kinds & asked->kinds[rows[i].section])
			r = rf_hook_want(e, rows[i].hook, ret_error);
	return r;
}

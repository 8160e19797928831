// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The helper has a library of others in it and speaks to a driver: it runs as
 * nobody, without a way back, writes to no file but device nodes, and ends with
 * the daemon. NVML asks nothing for what we ask but the nodes' own permissions.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/helper/gpu/gpu.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define NOBODY 65534 /* the kernel's overflow id: it owns nothing */

/* All that the first version of Landlock knows of changing a file or a directory. */
#define WRITES                                                                                            \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |       \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |    \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Where the kernel has no Landlock, the permissions of files are what holds. stderr stays open, whatever it is. */
static void files_confine(void)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = WRITES };
	struct landlock_path_beneath_attr devices = { .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE };
	_cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	_cleanup_close_ int dev = open("/dev", O_PATH | O_CLOEXEC);

	if (ruleset < 0 || dev < 0)
		return;
	devices.parent_fd = dev;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &devices, 0) == 0)
		(void)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

static int limits_set(void)
{
	static const struct {
		int resource;
		rlim_t max;
	} limits[] = { { RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, 1024 } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit l = { limits[i].max, limits[i].max };

		if (setrlimit(limits[i].resource, &l) < 0)
			return -errno;
	}
	return 0;
}

int gpu_end_with(pid_t parent)
{
	/* It does not tell of a parent that went before. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return parent && getppid() != parent ? -ESRCH : 0;
}

int gpu_confine(pid_t parent)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = limits_set();
	if (r < 0)
		return r;
	files_confine();
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	/* A change of user clears it. */
	return gpu_end_with(parent);
}

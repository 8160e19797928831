// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading /proc/PID twice: the id may become another process's between two reads. */
#include "user/daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "user/lib/clock.h"
#include "user/lib/fs.h"

#define STAT_MAX   4096
#define CGROUP_MAX 16384

int rf_process_stat_parse(const char *text, long ticks_per_s, struct rf_process_stat *ret)
{
	/* The name may hold anything, a parenthesis too: what counts is behind the last one. */
	const char *at = strrchr(text, ')');
	uint64_t user, system, ticks, size, tick_ns;
	char state;

	if (!at || ticks_per_s <= 0 ||
	    sscanf(at + 1,
		   " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
		   " %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64,
		   &state, &user, &system, &ticks, &size) != 5)
		return -ESRCH;
	/* A zombie's cgroup is not that it was in. */
	if (state == 'Z' || state == 'X' || ticks > UINT64_MAX / RF_NSEC_PER_SEC)
		return -ESRCH;
	tick_ns = RF_NSEC_PER_SEC / (uint64_t)ticks_per_s;
	*ret = (struct rf_process_stat){
		.start_ns = ticks * tick_ns, .size = size, .state = state, .cpu_ns = (user + system) * tick_ns
	};
	return 0;
}

int rf_process_stat_read(uint32_t pid, struct rf_process_stat *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[32];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	if (rf_fs_read(AT_FDCWD, path, STAT_MAX, &text, &len) < 0)
		return -ESRCH;
	return rf_process_stat_parse(text, sysconf(_SC_CLK_TCK), ret);
}

/* Of the unified hierarchy, below the v2 root; NULL: it tells none. */
static char *cgroup_path_read(uint32_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[32], *at, *end;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
	if (rf_fs_read(AT_FDCWD, path, CGROUP_MAX, &text, &len) < 0)
		return NULL;
	at = rf_strprefix(text, "0::") ? text : strstr(text, "\n0::");
	if (!at)
		return NULL;
	at = strchr(at, '/');
	end = at ? strchr(at, '\n') : NULL;
	return end ? strndup(at, (size_t)(end - at)) : NULL;
}

static uint32_t workload_of(const struct rf_registry *r, const char *path)
{
	size_t len = strlen(r->prefix);
	const struct rf_cgroup *c;
	unsigned long long id;

	if (strncmp(path, r->prefix, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return RF_WORKLOAD_NONE;
	path += len;
	while (*path == '/')
		path++;
	if (rf_fs_cgroup_id(rf_engine_root_fd(r->engine), *path ? path : ".", &id) < 0)
		return RF_WORKLOAD_NONE;
	c = rf_hashmap_get64(r->cgroups, id);
	return c && c->workload < RF_MAX_WORKLOADS && r->by_id[c->workload] ? c->workload : RF_WORKLOAD_NONE;
}

int rf_process_identify(const struct rf_registry *r, uint32_t pid, struct rf_gpu_identity *ret)
{
	_cleanup_free_ char *path = NULL;
	struct rf_process_stat before, after;
	struct rf_gpu_identity who = { .workload = RF_WORKLOAD_NONE };

	if (rf_process_stat_read(pid, &before) < 0)
		return -ESRCH;
	path = cgroup_path_read(pid);
	if (!path || rf_process_stat_read(pid, &after) < 0 || after.start_ns != before.start_ns)
		return -ESRCH;
	who.start_ns = before.start_ns;
	who.workload = workload_of(r, path);
	if (who.workload != RF_WORKLOAD_NONE)
		who.cgroup = r->by_id[who.workload]->cgroup_id;
	*ret = who;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/daemon/cost.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/daemon/process.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

#define TEXT_MAX 4096

static double usage_read(int whose)
{
	struct rusage usage;

	if (getrusage(whose, &usage) < 0)
		return NAN;
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t resident_read(const char *path)
{
	_cleanup_free_ char *text = NULL;
	uint64_t pages;
	size_t len;

	if (rf_fs_read(AT_FDCWD, path, TEXT_MAX, &text, &len) < 0 || sscanf(text, "%*u %" SCNu64, &pages) != 1)
		return RF_UNKNOWN;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t open_fds_count(void)
{
	DIR *fds = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!fds)
		return 0;
	while (readdir(fds))
		n++;
	closedir(fds);
	/* ".", ".." and the directory itself. */
	return n - MIN(n, (uint64_t)3);
}

static void child_add(struct rf_snapshot *s, uint32_t pid)
{
	struct rf_process_stat stat;
	uint64_t resident;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/statm", pid);
	resident = resident_read(path);
	if (resident == RF_UNKNOWN || rf_process_stat_read(pid, &stat) < 0)
		return;
	s->children_cpu_s += (double)stat.cpu_ns / RF_NSEC_PER_SEC;
	s->children_rss_bytes += resident;
}

/* Those that live, and those that were waited for. Pages that they share with the daemon count as theirs, too. */
static void children_fill(struct rf_snapshot *s)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t len;

	s->children_cpu_s = usage_read(RUSAGE_CHILDREN);
	s->children_rss_bytes = RF_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if (rf_fs_read(AT_FDCWD, path, TEXT_MAX, &text, &len) < 0)
		return;
	s->children_rss_bytes = 0;
	for (char *save = NULL, *pid = strtok_r(text, " \n", &save); pid; pid = strtok_r(NULL, " \n", &save))
		child_add(s, (uint32_t)atoi(pid));
}

/* A counter: a child is counted in another way once it has been waited for, and not at all in between. */
static double growing(double value)
{
	static double highest;

	return highest = fmax(highest, value);
}

void rf_cost_fill(struct rf_snapshot *s)
{
	s->cpu_s = usage_read(RUSAGE_SELF);
	s->rss_bytes = resident_read("/proc/self/statm");
	s->open_fds = open_fds_count();
	children_fill(s);
	s->children_cpu_s = growing(s->children_cpu_s);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The truth about this host. A child in a cgroup of our own fires every hook
 * once, in a network namespace of its own; what was not counted did not run.
 * Whether LSM programs run was found out before they were loaded, see level.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "user/engine/fire.h"
#include "user/engine/rate.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

/*
 * For a host on which everybody waits for a processor: what has not run by then is not enforced, and policies that need
 * it are refused. A service may take three times as long to start.
 */
#define PROBE_TIMEOUT_MS 20000

/* Moves the child in before it does anything: it waits on the pipe. */
static int probe_run(int cgroup_fd)
{
	char pid_text[16], go = 'g';
	int pipe_fds[2], status;
	uint64_t deadline;
	pid_t pid;
	int r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		/* What the probe's own exec prints is nobody's business. */
		(void)!dup2(null, 1);
		(void)!dup2(null, 2);
		signal(SIGPIPE, SIG_IGN);
		close(pipe_fds[1]);
		if (read(pipe_fds[0], &go, 1) == 1)
			rf_self_test_fire(cgroup_fd);
		_exit(1);
	}
	close(pipe_fds[0]);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	r = rf_fs_write_control(cgroup_fd, "cgroup.procs", pid_text);
	if (r >= 0 && write(pipe_fds[1], &go, 1) != 1)
		r = -errno;
	close(pipe_fds[1]);
	deadline = rf_clock_monotonic() + PROBE_TIMEOUT_MS * RF_NSEC_PER_MSEC;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (rf_clock_monotonic() > deadline) {
			kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return -ETIMEDOUT;
		}
		usleep(1000);
	}
	return r;
}

static uint64_t probe_hits(const struct rf_engine *e, enum rf_hook hook)
{
	int n = libbpf_num_possible_cpus(), fd = rf_engine_map_fd(e, "rf_hook_map");
	_cleanup_free_ struct rf_hook_stats *stats = calloc(n > 0 ? n : 1, sizeof(*stats));
	uint32_t key = hook;
	uint64_t hits = 0;

	if (!stats || n <= 0 || bpf_map_lookup_elem(fd, &key, stats) < 0)
		return 0;
	for (int i = 0; i < n; i++)
		hits += stats[i].probe_hits;
	return hits;
}

/* A cgroup left by a daemon that died is taken as it is. */
static int probe_cgroup_make(struct rf_engine *e, uint64_t *ret_id)
{
	unsigned long long id;
	int r;

	if (mkdirat(e->root_fd, RF_PROBE_CGROUP, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = rf_fs_cgroup_id(e->root_fd, RF_PROBE_CGROUP, &id);
	if (r < 0)
		return r;
	*ret_id = id;
	return rf_engine_cgroup_set(e, id, RF_WORKLOAD_PROBE);
}

/* The last process may be a moment away from gone. */
static void probe_cgroup_remove(struct rf_engine *e)
{
	for (int i = 0; i < 100; i++) {
		if (unlinkat(e->root_fd, RF_PROBE_CGROUP, AT_REMOVEDIR) == 0 || errno != EBUSY)
			return;
		usleep(1000);
	}
}

/*
 * What a host may refuse before it asks a hook, by a sysctl or a build without it: modules, kexec, user namespaces,
 * tracing. There is nothing to deny then. Nobody loads a module from a file or makes the kernel ask for one: the kernel
 * would log the first, and run a program for the second.
 */
static const enum rf_hook may_be_refused[] = {
	RF_HOOK_LOAD_DATA, RF_HOOK_READ_FILE,	   RF_HOOK_MODULE_REQUEST, RF_HOOK_ANON_INODE,
	RF_HOOK_USERNS,	   RF_HOOK_KERNEL_TRACEME, RF_HOOK_PERF_OPEN,	   RF_HOOK_LOCKED_DOWN,
};

#define PROBED_MAJOR 1 /* /dev/null and /dev/zero, which fire_accel.c uses */

/* As if a zone began on every file system, and /dev/null were an accelerator; or as it is again. */
static void probe_everywhere(struct rf_engine *e, uint64_t saved[4], bool begin)
{
	__u64 *masks[4] = { &e->config->zone_devices[0], &e->config->zone_devices[1], &e->config->label_devices[0],
			    &e->config->label_devices[1] };

	e->config->accel_slot[PROBED_MAJOR] = begin ? RF_ACCEL_SLOT_NONE : 0;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		if (begin)
			saved[i] = *masks[i];
		__atomic_store_n(masks[i], begin ? UINT64_MAX : saved[i], __ATOMIC_RELAXED);
	}
}

int rf_engine_self_test(struct rf_engine *e)
{
	uint64_t devices[4], before[RF_HOOK_COUNT], id = 0;
	_cleanup_close_ int cgroup_fd = -1;
	int r;

	r = probe_cgroup_make(e, &id);
	if (r < 0)
		return r;
	cgroup_fd = openat(e->root_fd, RF_PROBE_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	e->config->probe_cgroup = id;
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++)
		before[hook] = probe_hits(e, hook);
	rf_rate_links_probe(e, cgroup_fd, true);
	rf_hooks_probe(e, cgroup_fd, true);
	probe_everywhere(e, devices, true);
	r = probe_run(cgroup_fd);
	probe_everywhere(e, devices, false);
	rf_hooks_probe(e, cgroup_fd, false);
	rf_rate_links_probe(e, cgroup_fd, false);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct rf_hook_state *state = &e->hooks[hook];

		if (!rf_hook_table[hook].program || !state->loaded)
			continue;
		state->self_test_hits = probe_hits(e, hook) - before[hook];
		/* What ran, ran: also where the probe did not come to its end. */
		state->self_test = state->self_test_hits ? 1 : r < 0 ? r : -ENODATA;
	}
	/* The kernel drops a cgroup in its own time, after the test: its release hook is judged by its entry going. */
	if (e->hooks[RF_HOOK_CGROUP_RELEASE].self_test == -ENODATA)
		e->hooks[RF_HOOK_CGROUP_RELEASE].self_test = 0;
	/* Nor are the things of the probe forgotten at once. */
	for (int hook = RF_HOOK_SHM_FREE; hook <= RF_HOOK_MSG_FREE; hook++)
		if (e->hooks[hook].self_test == -ENODATA)
			e->hooks[hook].self_test = 0;
	for (size_t i = 0; i < ARRAY_SIZE(may_be_refused); i++)
		if (e->hooks[may_be_refused[i]].self_test == -ENODATA)
			e->hooks[may_be_refused[i]].self_test = 0;
	/* Nothing is lost on the way from the probe to itself: there is nothing to send again. */
	if (e->hooks[RF_HOOK_TCP_RETRANSMIT].self_test == -ENODATA)
		e->hooks[RF_HOOK_TCP_RETRANSMIT].self_test = 0;
	/* A kernel without 32-bit system calls has nothing to ask it. */
	if (e->hooks[RF_HOOK_ACCEL_COMPAT].self_test == -ENODATA)
		e->hooks[RF_HOOK_ACCEL_COMPAT].self_test = 0;
	/* An overlay would have to be mounted. */
	if (e->hooks[RF_HOOK_FILES_BACKING].self_test == -ENODATA)
		e->hooks[RF_HOOK_FILES_BACKING].self_test = 0;
	probe_cgroup_remove(e);
	e->config->probe_cgroup = 0;
	e->self_tested = true;
	return r;
}

static enum rf_support hooks_support(const struct rf_engine *e, const enum rf_hook *hooks, size_t n,
				     enum rf_support when_well)
{
	for (size_t i = 0; i < n; i++) {
		const struct rf_hook_state *state = &e->hooks[hooks[i]];

		if (!state->link || (e->self_tested && state->self_test < 0))
			return RF_SUPPORT_UNAVAILABLE;
	}
	return when_well;
}

bool rf_hook_can_run(const struct rf_engine *e, enum rf_hook hook)
{
	return e->hooks[hook].loaded && !(e->self_tested && e->hooks[hook].self_test < 0);
}

static enum rf_support asked_support(const struct rf_engine *e, const enum rf_hook *hooks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!rf_hook_can_run(e, hooks[i]))
			return RF_SUPPORT_UNAVAILABLE;
	return RF_SUPPORT_ENFORCED;
}

#define ASKED_SUPPORT(e, ...) \
	asked_support(e, (const enum rf_hook[]){ __VA_ARGS__ }, ARRAY_SIZE(((const enum rf_hook[]){ __VA_ARGS__ })))

/*
 * Not asked of: the hooks that only forget, which run in the kernel's own time. What a host may have been built or set
 * up without (no keyrings, no performance events, no tracing by Yama) leaves the rest as it is.
 */
static enum rf_support isolation_support(const struct rf_engine *e)
{
	enum rf_support most =
		ASKED_SUPPORT(e, RF_HOOK_TASK_KILL, RF_HOOK_FILE_OWNER, RF_HOOK_SIGIO, RF_HOOK_PTRACE,
			      RF_HOOK_TASK_SCHEDULER, RF_HOOK_TASK_NICE, RF_HOOK_TASK_IOPRIO, RF_HOOK_TASK_RLIMIT,
			      RF_HOOK_TASK_MEMORY, RF_HOOK_IPC_PERMISSION, RF_HOOK_SHM_ALLOC, RF_HOOK_SEM_ALLOC,
			      RF_HOOK_MSG_ALLOC, RF_HOOK_SHM_CONTROL, RF_HOOK_SEM_CONTROL, RF_HOOK_MSG_CONTROL,
			      RF_HOOK_APART_OPEN, RF_HOOK_APART_RECEIVE, RF_HOOK_UNIX_CONNECT, RF_HOOK_UNIX_SEND);

	if (most == RF_SUPPORT_UNAVAILABLE)
		return most;
	return ASKED_SUPPORT(e, RF_HOOK_TRACEME, RF_HOOK_PERF_ALLOC, RF_HOOK_KEY_ALLOC, RF_HOOK_KEY_PERMISSION) ==
			       RF_SUPPORT_UNAVAILABLE ?
		       RF_SUPPORT_BEST_EFFORT :
		       most;
}

#define HOOKS_SUPPORT(e, when_well, ...)                                                                             \
	hooks_support(e, (const enum rf_hook[]){ __VA_ARGS__ }, ARRAY_SIZE(((const enum rf_hook[]){ __VA_ARGS__ })), \
		      when_well)

enum rf_support rf_engine_support(const struct rf_engine *e, enum rf_feature feature)
{
	switch (feature) {
	case RF_FEATURE_IDENTITY:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_CGROUP_MKDIR, RF_HOOK_CGROUP_RMDIR);
	case RF_FEATURE_NETWORK_EGRESS:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_SKB_EGRESS);
	case RF_FEATURE_NETWORK_INGRESS:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_SKB_INGRESS);
	case RF_FEATURE_NETWORK_CONNECT:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_CONNECT4);
	case RF_FEATURE_NETWORK_PEERS:
	case RF_FEATURE_NETWORK_COUNTRIES:
	case RF_FEATURE_NETWORK_NAMES:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_SKB_EGRESS, RF_HOOK_SKB_INGRESS);
	case RF_FEATURE_NETWORK_RATES:
	case RF_FEATURE_NETWORK_RULE_RATES:
		return rf_rate_support(e);
	case RF_FEATURE_NETWORK_RAW:
		return ASKED_SUPPORT(e, RF_HOOK_SOCK_CREATE);
	case RF_FEATURE_NETWORK_SOCKETS:
		return rf_asked_support(e, RF_SECTION_SOCKETS, ~(1ULL << RF_SOCKET_RAW));
	case RF_FEATURE_GUARD:
		return rf_asked_support(e, RF_SECTION_GUARD, UINT64_MAX);
	case RF_FEATURE_ISOLATION:
		return isolation_support(e);
	case RF_FEATURE_KERNEL:
		if (rf_asked_support(e, RF_SECTION_NEWCOMERS, UINT64_MAX) == RF_SUPPORT_UNAVAILABLE)
			return RF_SUPPORT_UNAVAILABLE;
		return rf_asked_support(e, RF_SECTION_KERNEL,
					~(1ULL << RF_KERNEL_SYSCTL | 1ULL << RF_KERNEL_CORE_PATTERN));
	case RF_FEATURE_KERNEL_SYSCTL:
		return ASKED_SUPPORT(e, RF_HOOK_SYSCTL);
	case RF_FEATURE_FILES:
		return rf_files_are_supported(e) ? RF_SUPPORT_ENFORCED : RF_SUPPORT_UNAVAILABLE;
	case RF_FEATURE_PROCESS:
		if (e->lsm_runs)
			return ASKED_SUPPORT(e, RF_HOOK_BPRM_CHECK, RF_HOOK_MMAP_FILE, RF_HOOK_FILE_MPROTECT);
		return ASKED_SUPPORT(e, RF_HOOK_EXEC_KILL) ? RF_SUPPORT_BEST_EFFORT : RF_SUPPORT_UNAVAILABLE;
	case RF_FEATURE_LINEAGE:
		return rf_asked_support(e, RF_SECTION_LINEAGE, UINT64_MAX);
	case RF_FEATURE_DEVICES:
		/* Open and mknod are closed; descriptors that are passed in need level 1. */
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_DEVICE);
	case RF_FEATURE_ACCELERATORS:
		/* Likewise. */
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_DEVICE);
	case RF_FEATURE_ACCELERATOR_ACCOUNTING:
		return rf_accel_account_support(e);
	case RF_FEATURE_ACCELERATOR_IOCTLS:
		return rf_asked_support(e, RF_SECTION_ACCELERATORS, UINT64_MAX);
	case RF_FEATURE_ACCELERATOR_QUOTAS:
		return rf_quotas_support(e);
	case RF_FEATURE_ACCELERATOR_MEMORY:
		return rf_quotas_memory_support(e);
	case RF_FEATURE_ACCELERATOR_CALLS:
		return rf_calls_support(e);
	case RF_FEATURE_EVENTS_PROCESS:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_EXEC, RF_HOOK_FORK, RF_HOOK_EXIT);
	case RF_FEATURE_EVENTS_NETWORK:
		return HOOKS_SUPPORT(e, RF_SUPPORT_ENFORCED, RF_HOOK_SKB_INGRESS, RF_HOOK_CONNECT4);
	case RF_FEATURE_BPF_LSM:
		return e->lsm_runs ? RF_SUPPORT_ENFORCED : RF_SUPPORT_UNAVAILABLE;
	case RF_FEATURE_MODULE:
		return e->module_present ? RF_SUPPORT_ENFORCED : RF_SUPPORT_UNAVAILABLE;
	default:
		return RF_SUPPORT_UNAVAILABLE;
	}
}

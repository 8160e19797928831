// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways to a process of another tenant. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* A signal that is ignored by default. */
static int cross_kill(const struct rf_victim *v)
{
	return rf_result(kill(v->pid, SIGURG));
}

static int cross_tgkill(const struct rf_victim *v)
{
	return rf_result(syscall(SYS_tgkill, v->pid, v->pid, SIGURG));
}

static int cross_sigqueue(const struct rf_victim *v)
{
	return rf_result(sigqueue(v->pid, SIGURG, (union sigval){ .sival_int = 0 }));
}

static int pidfd_of(const struct rf_victim *v)
{
	int fd = syscall(SYS_pidfd_open, v->pid, 0);

	return fd < 0 ? -errno : fd;
}

static int cross_pidfd_signal(const struct rf_victim *v)
{
	int fd = pidfd_of(v), r;

	if (fd < 0)
		return fd;
	r = rf_result(syscall(SYS_pidfd_send_signal, fd, SIGURG, NULL, 0));
	close(fd);
	return r;
}

static int cross_pidfd_getfd(const struct rf_victim *v)
{
	int fd = pidfd_of(v), got, r;

	if (fd < 0)
		return fd;
	got = syscall(SYS_pidfd_getfd, fd, v->fd, 0);
	r = rf_result(got);
	close(fd);
	if (got >= 0)
		close(got);
	return r;
}

/* Seized, not stopped: the other side does not notice. */
static int cross_ptrace(const struct rf_victim *v)
{
	int r = rf_result(ptrace(PTRACE_SEIZE, v->pid, 0, 0)), status;

	if (r)
		return r;
	ptrace(PTRACE_INTERRUPT, v->pid, 0, 0);
	waitpid(v->pid, &status, __WALL);
	ptrace(PTRACE_DETACH, v->pid, 0, 0);
	return 0;
}

static int cross_mem(const struct rf_victim *v)
{
	char path[64], byte;
	int fd, r;

	snprintf(path, sizeof(path), "/proc/%d/mem", v->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rf_result(pread(fd, &byte, 1, v->byte));
	close(fd);
	return r;
}

static int cross_environ(const struct rf_victim *v)
{
	return rf_try_proc(v, "environ", O_RDONLY);
}

static int cross_maps(const struct rf_victim *v)
{
	return rf_try_proc(v, "maps", O_RDONLY);
}

static int cross_root(const struct rf_victim *v)
{
	return rf_try_proc(v, "root/.", O_RDONLY | O_DIRECTORY);
}

static int cross_cwd(const struct rf_victim *v)
{
	return rf_try_proc(v, "cwd/.", O_RDONLY | O_DIRECTORY);
}

static int cross_exe(const struct rf_victim *v)
{
	return rf_try_proc(v, "exe", O_RDONLY);
}

static int cross_fd(const struct rf_victim *v)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%d", v->fd);
	return rf_try_proc(v, name, O_RDONLY);
}

static int cross_pagemap(const struct rf_victim *v)
{
	return rf_try_proc(v, "pagemap", O_RDONLY);
}

static int cross_readv(const struct rf_victim *v)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)v->byte, 1 };

	return rf_result(process_vm_readv(v->pid, &here, 1, &there, 1, 0));
}

static int cross_writev(const struct rf_victim *v)
{
	char byte = 's';
	struct iovec here = { &byte, 1 }, there = { (void *)v->byte, 1 };

	return rf_result(process_vm_writev(v->pid, &here, 1, &there, 1, 0));
}

static int cross_madvise(const struct rf_victim *v)
{
	struct iovec there = { (void *)(v->byte & ~4095UL), 4096 };
	int fd = pidfd_of(v), r;

	if (fd < 0)
		return fd;
	r = rf_result(syscall(SYS_process_madvise, fd, &there, 1, MADV_COLD, 0));
	close(fd);
	return r;
}

static int cross_kcmp(const struct rf_victim *v)
{
	return rf_result(syscall(SYS_kcmp, getpid(), v->pid, KCMP_FILES, 0, 0));
}

static int setns_try(const struct rf_victim *v, const char *name, int type)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", v->pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rf_result(setns(fd, type));
	close(fd);
	return r;
}

static int cross_setns_uts(const struct rf_victim *v)
{
	return setns_try(v, "uts", CLONE_NEWUTS);
}

static int cross_setns_net(const struct rf_victim *v)
{
	return setns_try(v, "net", CLONE_NEWNET);
}

static int cross_setns_pidfd(const struct rf_victim *v)
{
	int fd = pidfd_of(v), r;

	if (fd < 0)
		return fd;
	r = rf_result(setns(fd, CLONE_NEWUTS));
	close(fd);
	return r;
}

static int cross_scheduler(const struct rf_victim *v)
{
	return rf_result(sched_setscheduler(v->pid, SCHED_OTHER, &(struct sched_param){ 0 }));
}

static int cross_affinity(const struct rf_victim *v)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	return rf_result(sched_setaffinity(v->pid, sizeof(set), &set));
}

static int cross_priority(const struct rf_victim *v)
{
	return rf_result(setpriority(PRIO_PROCESS, v->pid, 0));
}

static int cross_ioprio(const struct rf_victim *v)
{
	return rf_result(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, v->pid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)));
}

static int cross_prlimit(const struct rf_victim *v)
{
	struct rlimit limit = { 1024, 4096 };

	return rf_result(prlimit(v->pid, RLIMIT_NOFILE, &limit, NULL));
}

static int cross_move_pages(const struct rf_victim *v)
{
	void *page = (void *)(v->byte & ~4095UL);
	int node = 0, status;
	int r = rf_result(syscall(SYS_move_pages, v->pid, 1UL, &page, &node, &status, 0));

	return r == -ENOSYS ? RF_ABSENT : r;
}

static int perf_try(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK, .disabled = 1
	};
	int fd = syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC), r = rf_result(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int cross_perf(const struct rf_victim *v)
{
	return perf_try(v->pid, -1);
}

static int cross_key(const struct rf_victim *v)
{
	char byte;
	int r;

	if (!v->key)
		return RF_ABSENT;
	r = rf_result(syscall(SYS_keyctl, 11 /* KEYCTL_READ */, v->key, &byte, 1));
	return r;
}

static int cross_freeze(const struct rf_victim *v)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/cgroup.freeze", v->cgroup);
	return rf_try_open(path, O_WRONLY);
}

static int cross_cgroup_kill(const struct rf_victim *v)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/cgroup.kill", v->cgroup);
	return rf_try_open(path, O_WRONLY);
}

#define MAN(page) "man7.org: " page
/* The neighbour of the same tenant is another cgroup, too: only its own may be written. */
static int own_cgroup(const struct rf_victim *v)
{
	(void)v;
	return rf_try_open("/proc/self/cgroup", O_RDONLY);
}

const struct rf_probe rf_probes_process[] = {
	{ "kill", "tenant", MAN("kill(2)"), cross_kill, NULL },
	{ "tgkill", "tenant", MAN("tgkill(2)"), cross_tgkill, NULL },
	{ "sigqueue", "tenant", MAN("sigqueue(3)"), cross_sigqueue, NULL },
	{ "pidfd-signal", "tenant", MAN("pidfd_send_signal(2)"), cross_pidfd_signal, NULL },
	{ "pidfd-getfd", "tenant", MAN("pidfd_getfd(2)"), cross_pidfd_getfd, NULL },
	{ "ptrace", "tenant", "MITRE ATT&CK T1055.008", cross_ptrace, NULL },
	{ "proc-mem", "tenant", "MITRE ATT&CK T1055.009", cross_mem, NULL },
	{ "proc-environ", "tenant", "MITRE ATT&CK T1552.007", cross_environ, NULL },
	{ "proc-maps", "tenant", MAN("proc_pid_maps(5)"), cross_maps, NULL },
	{ "proc-root", "tenant", "MITRE ATT&CK T1611", cross_root, NULL },
	{ "proc-cwd", "tenant", MAN("proc_pid_cwd(5)"), cross_cwd, NULL },
	{ "proc-exe", "tenant", "CVE-2019-5736", cross_exe, NULL },
	{ "proc-fd", "tenant", "CVE-2016-9962", cross_fd, NULL },
	{ "proc-pagemap", "tenant", MAN("proc_pid_pagemap(5)"), cross_pagemap, NULL },
	{ "process-vm-readv", "tenant", MAN("process_vm_readv(2)"), cross_readv, NULL },
	{ "process-vm-writev", "tenant", MAN("process_vm_readv(2)"), cross_writev, NULL },
	{ "process-madvise", "tenant", MAN("process_madvise(2)"), cross_madvise, rf_twin_read },
	{ "kcmp", "tenant", MAN("kcmp(2)"), cross_kcmp, NULL },
	{ "setns-uts", "tenant", "MITRE ATT&CK T1611", cross_setns_uts, rf_twin_read },
	{ "setns-net", "tenant", "MITRE ATT&CK T1611", cross_setns_net, rf_twin_read },
	{ "setns-pidfd", "tenant", MAN("setns(2)"), cross_setns_pidfd, rf_twin_read },
	{ "sched-setscheduler", "tenant", MAN("sched_setscheduler(2)"), cross_scheduler, NULL },
	{ "sched-setaffinity", "tenant", MAN("sched_setaffinity(2)"), cross_affinity, NULL },
	{ "setpriority", "tenant", MAN("setpriority(2)"), cross_priority, NULL },
	{ "ioprio-set", "tenant", MAN("ioprio_set(2)"), cross_ioprio, NULL },
	{ "prlimit", "tenant", MAN("prlimit(2)"), cross_prlimit, NULL },
	{ "move-pages", "tenant", MAN("move_pages(2)"), cross_move_pages, NULL },
	{ "perf-process", "tenant", MAN("perf_event_open(2)"), cross_perf, rf_twin_read },
	{ "keyctl-read", "tenant", MAN("keyrings(7)"), cross_key, NULL },
	{ "cgroup-freeze", "tenant", "kernel.org: cgroup-v2, cgroup.freeze", cross_freeze, own_cgroup },
	{ "cgroup-kill", "tenant", "kernel.org: cgroup-v2, cgroup.kill", cross_cgroup_kill, own_cgroup },
	{ NULL, NULL, NULL, NULL, NULL },
};

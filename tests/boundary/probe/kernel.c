// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways into the kernel, and through it to the host. What would do something is asked in a way that it cannot. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* @r with the error that the kernel gives once it has let somebody in. */
static int through(int r, int error)
{
	return r == -error ? 0 : r == -ENOSYS ? RF_ABSENT : r;
}

static int cross_init_module(const struct rf_victim *v)
{
	(void)v;
	return through(rf_result(syscall(SYS_init_module, "not an ELF file", 15UL, "")), ENOEXEC);
}

static int cross_finit_module(const struct rf_victim *v)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), r;

	(void)v;
	r = through(rf_result(syscall(SYS_finit_module, fd, "", 0)), ENOEXEC);
	close(fd);
	return r;
}

static int cross_delete_module(const struct rf_victim *v)
{
	(void)v;
	return through(rf_result(syscall(SYS_delete_module, "rf_no_such_module", O_NONBLOCK)), ENOENT);
}

static int cross_kexec(const struct rf_victim *v)
{
	(void)v;
	return through(rf_result(syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0xff00UL)), EINVAL);
}

static int cross_reboot(const struct rf_victim *v)
{
	(void)v;
	return through(rf_result(syscall(SYS_reboot, 1, 2, 3, NULL)), EINVAL);
}

static int cross_swapon(const struct rf_victim *v)
{
	(void)v;
	return through(rf_result(swapon("/rf-no-such-file", 0)), ENOENT);
}

static int cross_adjtimex(const struct rf_victim *v)
{
	struct timex timex = { .modes = ADJ_TICK, .tick = 1 };

	(void)v;
	return through(rf_result(adjtimex(&timex)), EINVAL);
}

static int bpf_call(int command, union bpf_attr *attr)
{
	int fd = syscall(SYS_bpf, command, attr, sizeof(*attr)), r = rf_result(fd);

	if (fd > 2)
		close(fd);
	return r;
}

static int cross_bpf_program(const struct rf_victim *v)
{
	struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insn_cnt = 2,
				.insns = (uintptr_t)code,
				.license = (uintptr_t)"GPL" };

	(void)v;
	return bpf_call(BPF_PROG_LOAD, &attr);
}

static int cross_bpf_map_walk(const struct rf_victim *v)
{
	union bpf_attr attr = { .start_id = 0 };

	(void)v;
	return through(bpf_call(BPF_MAP_GET_NEXT_ID, &attr), ENOENT);
}

static int cross_perf_host(const struct rf_victim *v)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK, .disabled = 1
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC), r = rf_result(fd);

	(void)v;
	if (fd >= 0)
		close(fd);
	return r;
}

static int cross_userfaultfd(const struct rf_victim *v)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC), r = rf_result(fd);

	(void)v;
	if (fd >= 0)
		close(fd);
	return r == -ENOSYS ? RF_ABSENT : r;
}

static int cross_io_uring(const struct rf_victim *v)
{
	uint32_t parameters[30] = { 0 };
	int fd = syscall(SYS_io_uring_setup, 1, parameters), r = rf_result(fd);

	(void)v;
	if (fd >= 0)
		close(fd);
	return r == -ENOSYS ? RF_ABSENT : r;
}

static int unshare_try(int flags)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(unshare(flags) < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int cross_user_namespace(const struct rf_victim *v)
{
	(void)v;
	return unshare_try(CLONE_NEWUSER);
}

static int cross_net_namespace(const struct rf_victim *v)
{
	(void)v;
	return unshare_try(CLONE_NEWNET);
}

static int twin_thread_of_files(const struct rf_victim *v)
{
	(void)v;
	return unshare_try(CLONE_FILES);
}

static int socket_try(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol), r = rf_result(fd);

	if (fd >= 0)
		close(fd);
	return r == -EAFNOSUPPORT ? RF_ABSENT : r;
}

static int cross_packet(const struct rf_victim *v)
{
	(void)v;
	return socket_try(AF_PACKET, SOCK_RAW, 0x300);
}

static int cross_raw(const struct rf_victim *v)
{
	(void)v;
	return socket_try(AF_INET, SOCK_RAW, 1);
}

#define OPEN_PROBE(name, path, flags)                      \
	static int cross_##name(const struct rf_victim *v) \
	{                                                  \
		(void)v;                                   \
		return rf_try_open(path, flags);           \
	}
OPEN_PROBE(sysrq, "/proc/sysrq-trigger", O_WRONLY)
OPEN_PROBE(uevent_helper, "/sys/kernel/uevent_helper", O_WRONLY)
OPEN_PROBE(kcore, "/proc/kcore", O_RDONLY)
OPEN_PROBE(dev_mem, "/dev/mem", O_RDWR)
OPEN_PROBE(dev_port, "/dev/port", O_RDWR)
OPEN_PROBE(dev_kmsg, "/dev/kmsg", O_RDWR)
OPEN_PROBE(tracing, "/sys/kernel/tracing/kprobe_events", O_WRONLY)

/* What is there is written again: the kernel asks when something is written, and nothing changes. */
static int sysctl_try(const char *path)
{
	char text[256];
	int fd = open(path, O_RDWR | O_CLOEXEC), n, r;

	if (fd < 0)
		return errno == ENOENT ? RF_ABSENT : -errno;
	n = read(fd, text, sizeof(text));
	r = n < 0 ? -errno : rf_result(pwrite(fd, text, n, 0));
	close(fd);
	return r;
}

static int cross_core_pattern(const struct rf_victim *v)
{
	(void)v;
	return sysctl_try("/proc/sys/kernel/core_pattern");
}

static int cross_modprobe_path(const struct rf_victim *v)
{
	(void)v;
	return sysctl_try("/proc/sys/kernel/modprobe");
}

static int cross_sysctl(const struct rf_victim *v)
{
	(void)v;
	return sysctl_try("/proc/sys/kernel/panic");
}

static int cross_iopl(const struct rf_victim *v)
{
	(void)v;
	return rf_result(ioperm(0x80, 1, 1));
}

static int cross_klog(const struct rf_victim *v)
{
	char text[16];

	(void)v;
	return rf_result(klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text)));
}

static int cross_mknod(const struct rf_victim *v)
{
	char directory[] = "/tmp/rf-node-XXXXXX", path[64];
	int r;

	(void)v;
	if (!mkdtemp(directory))
		return -errno;
	snprintf(path, sizeof(path), "%s/node", directory);
	r = rf_result(mknod(path, S_IFBLK | 0600, makedev(7, 0)));
	unlink(path);
	rmdir(directory);
	return r;
}

static int cross_chroot(const struct rf_victim *v)
{
	(void)v;
	return rf_result(chroot("/"));
}

/* Out of the workload's subtree: into the root's list. Itself alone, in a child that then ends. */
static int cross_cgroup_leave(const struct rf_victim *v)
{
	char path[300];
	int fd, r;

	snprintf(path, sizeof(path), "%s/../cgroup.procs", v->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rf_result(write(fd, "0", 1));
	close(fd);
	/* Its siblings use controllers, and no process may be there: the kernel had let it in. */
	return r == -EBUSY || r == -EOPNOTSUPP ? 0 : r;
}

static int cross_cgroup_join(const struct rf_victim *v)
{
	char path[300];
	int fd, r;

	snprintf(path, sizeof(path), "%s/cgroup.procs", v->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rf_result(write(fd, "0", 1));
	close(fd);
	return r;
}

#define MAN(page)  "man7.org: " page
#define ESCAPE	   "MITRE ATT&CK T1611"
#define ROOTKIT	   "MITRE ATT&CK T1547.006"
#define KERNEL_DOC "kernel.org: "

const struct rf_probe rf_probes_kernel[] = {
	{ "init-module", "kernel", ROOTKIT, cross_init_module, rf_twin_exec },
	{ "finit-module", "kernel", ROOTKIT, cross_finit_module, rf_twin_exec },
	{ "delete-module", "kernel", MAN("delete_module(2)"), cross_delete_module, rf_twin_exec },
	{ "kexec-load", "kernel", MAN("kexec_load(2)"), cross_kexec, rf_twin_exec },
	{ "reboot", "kernel", "MITRE ATT&CK T1529", cross_reboot, rf_twin_exec },
	{ "swapon", "kernel", MAN("swapon(2)"), cross_swapon, rf_twin_memory },
	{ "set-clock", "kernel", MAN("adjtimex(2)"), cross_adjtimex, rf_twin_read },
	{ "bpf-program", "kernel", "MITRE ATT&CK T1205.002", cross_bpf_program, rf_twin_tcp },
	{ "bpf-map-walk", "kernel", MAN("bpf(2)"), cross_bpf_map_walk, rf_twin_read },
	{ "perf-host", "kernel", MAN("perf_event_open(2)"), cross_perf_host, rf_twin_read },
	{ "userfaultfd", "kernel", "CVE-2021-22555", cross_userfaultfd, rf_twin_memory },
	{ "io-uring", "kernel", "CVE-2022-2602", cross_io_uring, rf_twin_write },
	{ "user-namespace", "kernel", "CVE-2022-0185", cross_user_namespace, twin_thread_of_files },
	{ "net-namespace", "kernel", "CVE-2023-32233", cross_net_namespace, twin_thread_of_files },
	{ "packet-socket", "kernel", "CVE-2020-14386", cross_packet, rf_twin_tcp },
	{ "raw-socket", "kernel", MAN("raw(7)"), cross_raw, rf_twin_tcp },
	{ "core-pattern", "kernel", ESCAPE ", CVE-2022-0811", cross_core_pattern, rf_twin_write },
	{ "modprobe-path", "kernel", ESCAPE, cross_modprobe_path, rf_twin_write },
	{ "sysctl", "kernel", "CVE-2022-0811", cross_sysctl, rf_twin_write },
	{ "sysrq-trigger", "kernel", KERNEL_DOC "sysrq", cross_sysrq, rf_twin_write },
	{ "uevent-helper", "kernel", ESCAPE, cross_uevent_helper, rf_twin_write },
	{ "proc-kcore", "kernel", MAN("proc_kcore(5)"), cross_kcore, rf_twin_read },
	{ "dev-mem", "kernel", MAN("mem(4)"), cross_dev_mem, rf_twin_memory },
	{ "dev-port", "kernel", MAN("mem(4)"), cross_dev_port, rf_twin_read },
	{ "dev-kmsg", "kernel", MAN("syslog(2)"), cross_dev_kmsg, rf_twin_read },
	{ "kprobe-events", "kernel", KERNEL_DOC "kprobetrace", cross_tracing, rf_twin_write },
	{ "ioperm", "kernel", MAN("ioperm(2)"), cross_iopl, rf_twin_read },
	{ "kernel-log", "kernel", MAN("syslog(2)"), cross_klog, rf_twin_read },
	{ "mknod", "kernel", ESCAPE, cross_mknod, rf_twin_write },
	{ "chroot", "kernel", MAN("chroot(2)"), cross_chroot, rf_twin_exec },
	{ "cgroup-leave", "kernel", ESCAPE, cross_cgroup_leave, rf_twin_exec },
	{ "cgroup-join", "tenant", ESCAPE, cross_cgroup_join, rf_twin_exec },
	{ NULL, NULL, NULL, NULL, NULL },
};

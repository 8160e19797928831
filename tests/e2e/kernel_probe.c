// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interfaces of the kernel, asked for from inside a workload.
 *
 *	kernel_probe WHAT [ARGUMENT]		asks once
 *	kernel_probe hold WHAT [ARGUMENT]	says "ready", and asks once a line comes in
 *
 * WHAT is a row of the table below; exec runs a program like this one, which asks for $RF_THEN. Prints allowed, denied
 *(EPERM), or the error, with the exit status 0, 3 or 6. Most are asked for in a way that the kernel refuses after its
 *hooks have let it pass: that error counts as allowed, and nothing of the host is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <glob.h>
#include <grp.h>
#include <unistd.h>

static int say(int error)
{
	puts(error == 0 ? "allowed" : error == EPERM ? "denied" : strerror(error));
	fflush(stdout);
	return error == 0 ? 0 : error == EPERM ? 3 : 6;
}

/* 0, or the error of a call that @after is the usual end of. */
static int result(long r, int after)
{
	return r >= 0 || errno == after ? 0 : errno;
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int ask_module(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_init_module, NULL, 4096, ""), EFAULT);
}

static int ask_modulefile(const char *arg)
{
	int fd = open("/etc/passwd", O_RDONLY);

	(void)arg;
	return result(syscall(SYS_finit_module, fd, "", 0), ENOEXEC);
}

static int ask_unload(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_delete_module, "rf_no_such_module", O_NONBLOCK), ENOENT);
}

/* The family of a protocol that went long ago: the kernel asks for a module that nobody has. */
static int ask_request(const char *arg)
{
	(void)arg;
	return result(socket(4, SOCK_DGRAM, 0), EAFNOSUPPORT);
}

static int ask_bpf(const char *arg)
{
	union bpf_attr attr = { .start_id = 0 };

	(void)arg;
	return result(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)), ENOENT);
}

static int ask_perf(const char *arg)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY };

	(void)arg;
	return result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), 0);
}

static int ask_kexec(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_kexec_load, 0, 0, NULL, 0x8000), EINVAL);
}

static int ask_kexecfile(const char *arg)
{
	int fd = open("/etc/passwd", O_RDONLY);

	(void)arg;
	return result(syscall(SYS_kexec_file_load, fd, -1, 0, NULL, 4 /* no initial file system */), ENOEXEC);
}

static int ask_userfaultfd(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_userfaultfd, O_CLOEXEC | 1), 0);
}

static int ask_uring(const char *arg)
{
	uint8_t params[120] = { 0 };

	(void)arg;
	return result(syscall(SYS_io_uring_setup, 1, params), 0);
}

static int ask_userns(const char *arg)
{
	(void)arg;
	return result(unshare(CLONE_NEWUSER), 0);
}

static int ask_mount(const char *arg)
{
	return result(mount("rf", arg, "tmpfs", 0, NULL), 0);
}

static int ask_umount(const char *arg)
{
	return result(umount2(arg, MNT_DETACH), 0);
}

static int ask_fsopen(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_fsopen, "tmpfs", 1), 0);
}

static int ask_clonetree(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_open_tree, AT_FDCWD, "/proc", 1 /* clone */), 0);
}

static int ask_opentree(const char *arg)
{
	(void)arg;
	return result(syscall(SYS_open_tree, AT_FDCWD, "/proc", 0), 0);
}

static int ask_setattr(const char *arg)
{
	uint64_t nothing[4] = { 0 };

	(void)arg;
	return result(syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0, nothing, sizeof(nothing)), 0);
}

static int ask_movemount(const char *arg)
{
	return result(syscall(SYS_move_mount, AT_FDCWD, arg, AT_FDCWD, arg, 0), EINVAL);
}

static int ask_pivot(const char *arg)
{
	(void)arg;
	if (syscall(SYS_pivot_root, "/", "/") == 0 || errno == EBUSY || errno == EINVAL)
		return 0;
	return errno;
}

/* Of a child that waits to be killed. */
static int with_child(int (*ask)(pid_t child))
{
	pid_t child = fork();
	int error;

	if (child == 0) {
		pause();
		_exit(0);
	}
	error = ask(child);
	kill(child, SIGKILL);
	return error;
}

static int child_seize(pid_t child)
{
	return result(ptrace(PTRACE_SEIZE, child, NULL, NULL), 0);
}

static int child_read(pid_t child)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return result(process_vm_readv(child, &here, 1, &there, 1, 0), 0);
}

static int child_look(pid_t child)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/exe", child);
	return result(readlink(path, text, sizeof(text)), 0);
}

static int ask_seize(const char *arg)
{
	(void)arg;
	return with_child(child_seize);
}

static int ask_vmread(const char *arg)
{
	(void)arg;
	return with_child(child_read);
}

static int ask_look(const char *arg)
{
	(void)arg;
	return with_child(child_look);
}

static int ask_traceme(const char *arg)
{
	(void)arg;
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
}

static int ask_ioport(const char *arg)
{
	(void)arg;
	return result(ioperm(0x80, 1, 1), 0);
}

/* The registers of some device, mapped and not touched. */
static int ask_pci(const char *arg)
{
	glob_t found;
	int error = ENODEV;

	(void)arg;
	if (glob("/sys/bus/pci/devices/*/resource[0-5]", 0, NULL, &found))
		return ENODEV;
	for (size_t i = 0; i < found.gl_pathc && error && error != EPERM; i++) {
		int fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);
		void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

		error = at == MAP_FAILED ? errno : 0;
	}
	return error;
}

static int ask_write(const char *arg)
{
	return opened(arg, O_WRONLY);
}

static int ask_read(const char *arg)
{
	return opened(arg, O_RDONLY);
}

/* Writes what it has. */
static int ask_sysctl(const char *arg)
{
	char value[256];
	int fd = open(arg, O_RDWR | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof(value));

	return n < 0 ? errno : result(pwrite(fd, value, n, 0), 0);
}

static int ask_setuid(const char *arg)
{
	return result(syscall(SYS_setuid, atoi(arg)), 0);
}

static int ask_setgid(const char *arg)
{
	return result(syscall(SYS_setgid, atoi(arg)), 0);
}

static int ask_setgroups(const char *arg)
{
	gid_t group = atoi(arg);

	return result(setgroups(1, &group), 0);
}

static int ask_exec(const char *arg)
{
	const char *then = getenv("RF_THEN");

	execl(arg, arg, then ? then : "yes", NULL);
	return errno;
}

static int ask_yes(const char *arg)
{
	(void)arg;
	return 0;
}

static int ask_chroot(const char *arg)
{
	(void)arg;
	return result(chroot("/"), 0);
}

static int ask_hostname(const char *arg)
{
	char name[64] = "";

	(void)arg;
	gethostname(name, sizeof(name) - 1);
	return result(sethostname(name, strlen(name)), 0);
}

static int ask_nice(const char *arg)
{
	(void)arg;
	return result(setpriority(PRIO_PROCESS, 0, -1), 0) == EACCES ? EPERM : 0;
}

/* A child that is born in the cgroup of that directory. */
static int ask_into(const char *arg)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(arg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long pid;

	if (fd < 0)
		return errno;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return result(pid, 0);
}

static int ask_setns(const char *arg)
{
	int fd = open("/proc/self/ns/net", O_RDONLY);

	(void)arg;
	return result(setns(fd, 0), 0);
}

static int ask_newuts(const char *arg)
{
	(void)arg;
	return result(unshare(CLONE_NEWUTS), 0);
}

static const struct {
	const char *name;
	int (*ask)(const char *arg);
} rows[] = {
	{ "module", ask_module },
	{ "modulefile", ask_modulefile },
	{ "unload", ask_unload },
	{ "request", ask_request },
	{ "bpf", ask_bpf },
	{ "perf", ask_perf },
	{ "kexec", ask_kexec },
	{ "kexecfile", ask_kexecfile },
	{ "userfaultfd", ask_userfaultfd },
	{ "uring", ask_uring },
	{ "userns", ask_userns },
	{ "mount", ask_mount },		/* DIRECTORY */
	{ "umount", ask_umount },	/* DIRECTORY */
	{ "movemount", ask_movemount }, /* DIRECTORY */
	{ "fsopen", ask_fsopen },
	{ "clonetree", ask_clonetree },
	{ "opentree", ask_opentree },
	{ "setattr", ask_setattr },
	{ "pivot", ask_pivot },
	{ "seize", ask_seize },
	{ "vmread", ask_vmread },
	{ "look", ask_look },
	{ "traceme", ask_traceme },
	{ "ioport", ask_ioport },
	{ "pci", ask_pci },
	{ "write", ask_write },	  /* FILE */
	{ "read", ask_read },	  /* FILE */
	{ "sysctl", ask_sysctl }, /* FILE */
	{ "setuid", ask_setuid }, /* ID */
	{ "setgid", ask_setgid }, /* ID */
	{ "setgroups", ask_setgroups },
	{ "exec", ask_exec }, /* PROGRAM */
	{ "yes", ask_yes },
	{ "chroot", ask_chroot },
	{ "hostname", ask_hostname },
	{ "nice", ask_nice },
	{ "setns", ask_setns },
	{ "newuts", ask_newuts },
	{ "into", ask_into }, /* DIRECTORY */
};

static int ask(const char *what, const char *arg)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, what) == 0)
			return say(rows[i].ask(arg));
	fprintf(stderr, "kernel_probe: no interface \"%s\"\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "hold") != 0)
		return ask(argv[1], argc > 2 ? argv[2] : "");
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin) || argc < 3)
		return 2;
	return ask(argv[2], argc > 3 ? argv[3] : "");
}

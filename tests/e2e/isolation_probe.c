// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one workload may do to another, for test_isolation.sh.
 *
 *	own NAME		has things by that name; says "ready PID KEY", ends on a signal
 *	try WHAT PID NAME KEY	does WHAT to that process or to its things
 *	traceme CGROUP		a child that is moved there asks this process to trace it
 *	pass WHAT CGROUP	a child that is moved there is passed a socket or shared memory of this process
 *
 * Says "allowed", "denied" (EPERM or EACCES), "unsupported" or what else went wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int say(long r)
{
	if (r >= 0)
		puts("allowed");
	else if (errno == EPERM || errno == EACCES)
		puts("denied");
	else if (errno == ENOSYS || errno == EOPNOTSUPP)
		puts("unsupported");
	else
		printf("failed: %s\n", strerror(errno));
	return 0;
}

static int die(const char *what)
{
	perror(what);
	return 1;
}

/* ---- things with an owner ---- */

struct target {
	pid_t pid;
	const char *name;
	long key;
};

static key_t sysv_key(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return (key_t)(hash & 0x7fffffff) | 1;
}

static struct sockaddr_un address_of(const char *name, socklen_t *len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "rf-%s", name);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 4 + strlen(name));
	return address;
}

static char shared_name[128];

static const char *shared(const char *name)
{
	snprintf(shared_name, sizeof(shared_name), "/rf-%s", name);
	return shared_name;
}

static int own(const char *name)
{
	key_t sysv = sysv_key(name);
	int shm = shmget(sysv, 4096, IPC_CREAT | 0666), sem = semget(sysv, 1, IPC_CREAT | 0666),
	    msg = msgget(sysv, IPC_CREAT | 0666), posix = shm_open(shared(name), O_CREAT | O_RDWR, 0666), server,
	    signal_number;
	mqd_t queue = mq_open(shared(name), O_CREAT | O_RDWR, 0666, NULL);
	long key = syscall(SYS_add_key, "user", name, "secret", 6UL, KEY_SPEC_USER_KEYRING);
	socklen_t len;
	struct sockaddr_un address = address_of(name, &len);
	sigset_t ends;
	char told[16];

	server = socket(AF_UNIX, SOCK_STREAM, 0);
	if (shm < 0 || sem < 0 || msg < 0 || posix < 0 || queue < 0 || server < 0 ||
	    bind(server, (struct sockaddr *)&address, len) < 0 || listen(server, 16) < 0)
		return die("own");
	if (key >= 0 && syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f0000) < 0)
		return die("keyctl");
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	printf("ready %d %ld\n", getpid(), key);
	fflush(stdout);
	for (int n = 1; sigwait(&ends, &signal_number) == 0 && signal_number != SIGTERM; n++) {
		snprintf(told, sizeof(told), "got-%d", n);
		prctl(PR_SET_NAME, told);
	}
	shmctl(shm, IPC_RMID, NULL);
	semctl(sem, 0, IPC_RMID);
	msgctl(msg, IPC_RMID, NULL);
	shm_unlink(shared(name));
	mq_unlink(shared(name));
	syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING);
	return 0;
}

/* ---- what may be tried ---- */

static long try_kill(const struct target *t)
{
	return kill(t->pid, 0);
}

/* What the owner says of the signals that it got: its name, which anybody may read. */
static void name_of(const struct target *t, char name[16])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", t->pid);
	f = fopen(path, "re");
	if (!f || !fgets(name, 16, f))
		name[0] = '\0';
	if (f)
		fclose(f);
}

/* What is written to a pipe of ours signals that process. */
static long try_sigio(const struct target *t)
{
	char before[16], after[16];
	int fds[2];

	name_of(t, before);
	if (pipe(fds) < 0 || fcntl(fds[0], F_SETOWN, t->pid) < 0 || fcntl(fds[0], F_SETSIG, SIGRTMIN) < 0 ||
	    fcntl(fds[0], F_SETFL, O_ASYNC) < 0 || write(fds[1], "", 1) < 0)
		return -1;
	for (int i = 0; i < 50; i++) {
		name_of(t, after);
		if (strcmp(before, after) != 0)
			return 0;
		usleep(10000);
	}
	errno = EPERM;
	return -1;
}

static long try_continue(const struct target *t)
{
	return kill(t->pid, SIGCONT);
}

static long try_pidfd_signal(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, t->pid, 0);

	return fd < 0 ? fd : syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
}

static long try_attach(const struct target *t)
{
	long r = ptrace(PTRACE_ATTACH, t->pid, NULL, NULL);

	if (r >= 0) {
		(void)waitpid(t->pid, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, t->pid, NULL, NULL);
	}
	return r;
}

static long proc_open(const struct target *t, const char *file, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", t->pid, file);
	return open(path, flags | O_CLOEXEC);
}

static long proc_link(const struct target *t, const char *file)
{
	char path[128], to[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", t->pid, file);
	return readlink(path, to, sizeof(to));
}

static long try_mem(const struct target *t)
{
	return proc_open(t, "mem", O_RDWR);
}

static long try_environ(const struct target *t)
{
	return proc_open(t, "environ", O_RDONLY);
}

static long try_maps(const struct target *t)
{
	return proc_open(t, "maps", O_RDONLY);
}

static long try_root(const struct target *t)
{
	return proc_link(t, "root");
}

static long try_cwd(const struct target *t)
{
	return proc_link(t, "cwd");
}

static long try_fd(const struct target *t)
{
	return proc_link(t, "fd/1");
}

static long try_ns(const struct target *t)
{
	return proc_open(t, "ns/net", O_RDONLY);
}

/* Anybody may read it; what only a tracer may see of it is left out. */
static long try_stat(const struct target *t)
{
	char text[4096];
	int fd = (int)proc_open(t, "stat", O_RDONLY);

	return fd < 0 ? fd : read(fd, text, sizeof(text));
}

static long try_readv(const struct target *t)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { &byte, 1 };
	long r = process_vm_readv(t->pid, &local, 1, &remote, 1, 0);

	/* There may be nothing at our address in that process. */
	return r < 0 && errno == EFAULT ? 0 : r;
}

static long try_getfd(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, t->pid, 0);

	return fd < 0 ? fd : syscall(SYS_pidfd_getfd, fd, 1, 0);
}

static long try_madvise(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, t->pid, 0);

	return fd < 0 ? fd : syscall(SYS_process_madvise, fd, NULL, 0, MADV_COLD, 0);
}

static long try_setns(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, t->pid, 0);

	return fd < 0 ? fd : setns(fd, CLONE_NEWUTS);
}

static long try_kcmp(const struct target *t)
{
	return syscall(SYS_kcmp, getpid(), t->pid, KCMP_VM, 0UL, 0UL);
}

static long perf_open(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK, .disabled = 1
	};

	return syscall(SYS_perf_event_open, &attr, pid, cpu, -1, 0UL);
}

static long try_perf(const struct target *t)
{
	return perf_open(t->pid, -1);
}

static long try_perf_cpu(const struct target *t)
{
	(void)t;
	return perf_open(-1, 0);
}

static long try_affinity(const struct target *t)
{
	cpu_set_t set;

	if (sched_getaffinity(t->pid, sizeof(set), &set) < 0)
		return -1;
	return sched_setaffinity(t->pid, sizeof(set), &set);
}

static long try_nice(const struct target *t)
{
	return setpriority(PRIO_PROCESS, (id_t)t->pid, 0);
}

static long try_ioprio(const struct target *t)
{
	return syscall(SYS_ioprio_set, 1, t->pid, 0);
}

static long try_prlimit(const struct target *t)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return -1;
	return prlimit(t->pid, RLIMIT_CORE, &limit, NULL);
}

static long try_movepages(const struct target *t)
{
	return syscall(SYS_move_pages, t->pid, 0UL, NULL, NULL, NULL, 0);
}

static long try_shm(const struct target *t)
{
	return shmget(sysv_key(t->name), 0, 0);
}

static long try_sem(const struct target *t)
{
	return semget(sysv_key(t->name), 0, 0);
}

static long try_msg(const struct target *t)
{
	return msgget(sysv_key(t->name), 0);
}

/* Ids are small numbers, and whoever is denied the key may guess them. */
static long shm_id(const struct target *t)
{
	struct shmid_ds ds;
	int last = shmctl(0, SHM_INFO, &ds);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT_ANY, &ds);

		if (id >= 0 && ds.shm_perm.__key == sysv_key(t->name))
			return id;
	}
	return -1;
}

static long try_shmany(const struct target *t)
{
	long id = shm_id(t);

	if (id < 0)
		errno = EPERM;
	return id;
}

static long try_posixshm(const struct target *t)
{
	return shm_open(shared(t->name), O_RDWR, 0);
}

static long try_queue(const struct target *t)
{
	return mq_open(shared(t->name), O_RDWR);
}

static long try_unix(const struct target *t)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len;
	struct sockaddr_un address = address_of(t->name, &len);

	return connect(fd, (struct sockaddr *)&address, len);
}

static long try_key(const struct target *t)
{
	char text[16];

	long r = syscall(SYS_keyctl, KEYCTL_READ, t->key, text, sizeof(text));

	/* Whatever kept the kernel from looking the key up, it says that there is none. */
	if (r < 0 && errno == ENOKEY)
		errno = EPERM;
	return r;
}

static const struct {
	const char *name;
	long (*fn)(const struct target *t);
} tries[] = {
	{ "kill", try_kill },
	{ "sigio", try_sigio },
	{ "continue", try_continue },
	{ "pidfd", try_pidfd_signal },
	{ "attach", try_attach },
	{ "mem", try_mem },
	{ "environ", try_environ },
	{ "maps", try_maps },
	{ "root", try_root },
	{ "cwd", try_cwd },
	{ "fd", try_fd },
	{ "ns", try_ns },
	{ "stat", try_stat },
	{ "readv", try_readv },
	{ "getfd", try_getfd },
	{ "madvise", try_madvise },
	{ "setns", try_setns },
	{ "kcmp", try_kcmp },
	{ "perf", try_perf },
	{ "perf-cpu", try_perf_cpu },
	{ "affinity", try_affinity },
	{ "nice", try_nice },
	{ "ioprio", try_ioprio },
	{ "prlimit", try_prlimit },
	{ "move-pages", try_movepages },
	{ "shm", try_shm },
	{ "sem", try_sem },
	{ "msg", try_msg },
	{ "shm-any", try_shmany },
	{ "posix-shm", try_posixshm },
	{ "queue", try_queue },
	{ "unix", try_unix },
	{ "key", try_key },
};

/* ---- a child in another cgroup ---- */

static int cgroup_enter(const char *cgroup)
{
	char path[512];
	int fd, r;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -1 : (int)write(fd, "0", 1);
	if (fd >= 0)
		close(fd);
	return r == 1 ? 0 : -1;
}

static int traceme(const char *cgroup)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (cgroup_enter(cgroup) < 0)
			_exit(die(cgroup));
		say(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0)
		return die("fork");
	return waitpid(pid, NULL, 0) < 0;
}

static int pass_receive(int carrier)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};

	if (recvmsg(carrier, &message, 0) != 1)
		return die("recvmsg");
	puts(CMSG_FIRSTHDR(&message) ? "allowed" : "denied");
	fflush(stdout);
	return 0;
}

static int pass(const char *what, const char *cgroup)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int carrier[2], pair[2], passed;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, carrier) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return die("socketpair");
	passed = strcmp(what, "socket") == 0 ? pair[0] : shm_open(shared("passed"), O_CREAT | O_RDWR, 0600);
	if (passed < 0)
		return die("shm_open");
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &passed, sizeof(passed));
	pid = fork();
	if (pid == 0)
		_exit(cgroup_enter(cgroup) < 0 ? die(cgroup) : pass_receive(carrier[1]));
	if (pid < 0 || sendmsg(carrier[0], &message, 0) != 1)
		return die("sendmsg");
	shm_unlink(shared("passed"));
	return waitpid(pid, NULL, 0) < 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "own") == 0)
		return own(argv[2]);
	if (argc == 3 && strcmp(argv[1], "traceme") == 0)
		return traceme(argv[2]);
	if (argc == 4 && strcmp(argv[1], "pass") == 0)
		return pass(argv[2], argv[3]);
	if (argc == 6 && strcmp(argv[1], "try") == 0) {
		struct target t = { atoi(argv[3]), argv[4], atol(argv[5]) };

		for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
			if (strcmp(tries[i].name, argv[2]) == 0)
				return say(tries[i].fn(&t));
	}
	fprintf(stderr,
		"usage: isolation_probe own NAME | try WHAT PID NAME KEY | traceme CGROUP | pass WHAT CGROUP\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * throttle_probe WHAT...: loads throttle.bpf.c, has tasks wait in one way or
 * another, and prints what came of it on one line. The claims are made by
 * test_throttle.sh.
 *
 * Where it matters that nobody is left out the hook is LSM's: tracing programs
 * are skipped when they are preempted by a task that comes to the same one.
 * Other processes may be slow, and the machine stand still, so a time that must
 * not be passed is that of the quickest of several attempts, or of the one in
 * the middle.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/kmod/throttle_load.h"

#define TRIES	5
#define MANY	20
#define THREADS 200

static void ask_by_number(void)
{
	syscall(SYS_getppid);
}

static void ask_by_program(void)
{
	run_program(skel->progs.from_syscall);
}

__attribute__((noinline)) static void ask_by_function(void)
{
	asm volatile("");
}

struct hook {
	const char *name;
	void (*ask)(void);
};

static const struct hook hooks[] = {
	{ "lsm", ask_by_ioctl },       { "fentry", ask_by_ioctl },    { "tracepoint", ask_by_number },
	{ "syscall", ask_by_program }, { "uprobe", ask_by_function },
};

static const struct hook *attach_hook(const char *name)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "ask_by_function");
	const struct hook *hook = hooks;

	while (strcmp(hook->name, name)) {
		if (++hook == hooks + sizeof(hooks) / sizeof(*hooks))
			errx(2, "'%s' is no hook", name);
	}
	skel->bss->tgid = getpid();
	skel->bss->number = SYS_getppid;
	if (!strcmp(name, "lsm"))
		attach(skel->progs.from_lsm);
	else if (!strcmp(name, "fentry"))
		attach(skel->progs.from_fentry);
	else if (!strcmp(name, "tracepoint"))
		attach(skel->progs.from_tracepoint);
	else if (!strcmp(name, "uprobe") &&
		 !bpf_program__attach_uprobe_opts(skel->progs.from_uprobe, 0, "/proc/self/exe", 0, &opts))
		err(1, "cannot attach a uprobe");
	return hook;
}

/* ask HOOK MS[,MS] [FLAGS [WORKLOAD]]: MS "none": the hook is there, and asks for nothing. */
static int ask(int argc, char **argv)
{
	const struct hook *hook = attach_hook(argv[0]);
	uint64_t begin, took, least = UINT64_MAX;
	struct rf_throttle_stat before, after;
	char *more;
	int i;

	if (argc > 2)
		skel->bss->flags = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		skel->bss->workload = strtoul(argv[3], NULL, 0);
	if (strcmp(argv[1], "none")) {
		more = strchr(argv[1], ',');
		arm(strtoul(argv[1], NULL, 10), more ? strtoul(more + 1, NULL, 10) : 0);
	}

	before = stat_now();
	for (i = 0; i < TRIES; i++) {
		memset(skel->bss->returned, 0x55, sizeof(skel->bss->returned));
		begin = now_ns();
		hook->ask();
		took = now_ns() - begin;
		if (took < least)
			least = took;
	}
	after = stat_now();
	printf("least_us=%llu returned=", (unsigned long long)least / 1000);
	for (i = 0; i < (int)skel->bss->n_asks; i++)
		printf("%s%d", i ? "," : "", skel->bss->returned[i]);
	printf(" waits=%g asked=%g refused=%g\n", (double)(after.waits - before.waits) / TRIES,
	       (double)(after.asked - before.asked) / TRIES, (double)(after.refused - before.refused) / TRIES);
	return 0;
}

/* What a child and its parent tell each other. */
static struct {
	uint64_t rounds;
	uint64_t took_ns[MANY];
	uint64_t early; /* waits shorter than asked for */
	uint64_t handled;
} *shared;

static void share(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
}

static void wait_over_and_over(void)
{
	for (;;) {
		ask_by_ioctl();
		__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_SEQ_CST);
	}
}

static const char *compared(uint64_t spent_ns, int n)
{
	static char text[64];

	/* Each begins just after its wait did, so that all of it is to come. */
	if (spent_ns < n * RF_THROTTLE_MAX_NS / 2)
		return "early";
	snprintf(text, sizeof(text), "%llu ms for %d", (unsigned long long)(spent_ns / THROTTLE_MS), n);
	return text;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t middle(uint64_t *took_ns)
{
	qsort(took_ns, MANY, sizeof(*took_ns), by_time);
	return took_ns[MANY / 2];
}

/* Tasks that wait are killed, one after another. */
static int do_kill(int argc, char **argv)
{
	struct rf_throttle_stat before = stat_now();
	uint64_t begin, took_ns[MANY];
	int i, ended = 0;
	pid_t pid;

	(void)argc, (void)argv;
	share();
	attach_hook("lsm");
	arm(LONGEST, 0);
	for (i = 0; i < MANY; i++) {
		pid = child(wait_over_and_over);
		until_pending(1);
		begin = now_ns();
		kill(pid, SIGKILL);
		ended += killed(pid);
		took_ns[i] = now_ns() - begin;
	}
	printf("killed=%d ended=%s cut=%d pending=%d\n", ended, compared(middle(took_ns), 1),
	       stat_now().cut - before.cut > MANY / 2, (int)stat_now().pending);
	return 0;
}

static void on_signal(int number)
{
	(void)number;
	shared->handled++;
}

static void wait_for_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t begin, took, i;

	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < MANY; i++) {
		begin = now_ns();
		ask_by_ioctl();
		took = now_ns() - begin;
		shared->took_ns[i] = took;
		shared->early += took < RF_THROTTLE_MAX_NS;
		/* The parent, when it has seen that this wait is over. */
		while (__atomic_load_n(&shared->rounds, __ATOMIC_SEQ_CST) == i)
			usleep(1000);
	}
}

/* A task that waits is sent signals that it has a handler for; with "none" it is sent none. */
static int do_signal(int argc, char **argv)
{
	bool none = argc && !strcmp(argv[0], "none");
	struct rf_throttle_stat before = stat_now();
	pid_t pid;
	int i;

	share();
	attach_hook("lsm");
	arm(LONGEST, 0);
	pid = child(wait_for_signals);
	for (i = 0; i < MANY; i++) {
		until_pending(1);
		if (!none)
			kill(pid, SIGUSR1);
		until_pending(0);
		__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_SEQ_CST);
	}
	waitpid(pid, NULL, 0);
	printf("waits=%d handled=%d counted=%d ended=%s\n", (int)(stat_now().waits - before.waits),
	       (int)shared->handled, stat_now().cut - before.cut == shared->early,
	       middle(shared->took_ns) >= RF_THROTTLE_MAX_NS ? "late" : compared(middle(shared->took_ns), 1));
	return 0;
}

static bool frozen(const char *dir)
{
	char path[256], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		err(1, "%s", path);
	close(fd);
	return strstr(text, "frozen 1");
}

static const char *child_cgroup;

static void wait_in_cgroup(void)
{
	write_file(child_cgroup, "cgroup.procs", "0");
	wait_over_and_over();
}

static uint64_t rounds(void)
{
	return __atomic_load_n(&shared->rounds, __ATOMIC_SEQ_CST);
}

/* freeze CGROUP: a process in it that waits over and over is frozen and thawed. */
static int do_freeze(int argc, char **argv)
{
	uint64_t seen, begin, took_ns[MANY];
	bool still, thawed, dead;
	pid_t pid;
	int i;

	if (argc != 1)
		errx(2, "freeze CGROUP");
	child_cgroup = argv[0];
	share();
	attach_hook("lsm");
	arm(LONGEST, 0);
	pid = child(wait_in_cgroup);
	UNTIL(rounds(), "a wait of the child");

	write_file(child_cgroup, "cgroup.freeze", "1");
	UNTIL(frozen(child_cgroup), "frozen 1");
	/* As long as the child needs for two rounds, by the same clock. */
	seen = rounds();
	ask_by_ioctl();
	ask_by_ioctl();
	ask_by_ioctl();
	still = rounds() == seen && frozen(child_cgroup);

	write_file(child_cgroup, "cgroup.freeze", "0");
	UNTIL(rounds() > seen, "a wait after the thaw");
	for (i = 0; i < MANY; i++) {
		until_pending(1);
		begin = now_ns();
		write_file(child_cgroup, "cgroup.freeze", "1");
		UNTIL(frozen(child_cgroup), "frozen 1");
		took_ns[i] = now_ns() - begin;
		write_file(child_cgroup, "cgroup.freeze", "0");
	}

	UNTIL(!frozen(child_cgroup), "frozen 0");
	seen = rounds();
	UNTIL(rounds() > seen, "a wait after the last thaw");
	thawed = !frozen(child_cgroup);
	kill(pid, SIGKILL);
	dead = killed(pid);
	printf("frozen=%s still=%d thawed=%d killed=%d pending=%d\n", compared(middle(took_ns), 1), still, thawed, dead,
	       (int)stat_now().pending);
	return 0;
}

/* cgroup_kill CGROUP: tasks that wait are killed, one after another, by their cgroup. */
static int do_cgroup_kill(int argc, char **argv)
{
	uint64_t begin, took_ns[MANY];
	int i, ended = 0;
	pid_t pid;

	if (argc != 1)
		errx(2, "cgroup_kill CGROUP");
	child_cgroup = argv[0];
	share();
	attach_hook("lsm");
	arm(LONGEST, 0);
	for (i = 0; i < MANY; i++) {
		pid = child(wait_in_cgroup);
		until_pending(1);
		begin = now_ns();
		write_file(child_cgroup, "cgroup.kill", "1");
		ended += killed(pid);
		took_ns[i] = now_ns() - begin;
	}
	printf("killed=%d ended=%s pending=%d\n", ended, compared(middle(took_ns), 1), (int)stat_now().pending);
	return 0;
}

static void exit_when_told(void)
{
	while (!__atomic_load_n(&shared->rounds, __ATOMIC_SEQ_CST))
		usleep(1000);
}

/* exit NUMBER: a child of which the call NUMBER is to ask, exits. */
static int do_exit(int argc, char **argv)
{
	struct rf_throttle_stat before, after;
	uint64_t begin, took, least = UINT64_MAX;
	pid_t pid;
	int i;

	if (argc != 1)
		errx(2, "exit NUMBER");
	share();
	attach_hook("tracepoint");
	arm(LONGEST, 0);
	skel->bss->number = !strcmp(argv[0], "exit_group") ? SYS_exit_group : -1;
	before = stat_now();
	for (i = 0; i < TRIES; i++) {
		shared->rounds = 0;
		pid = child(exit_when_told);
		skel->bss->tgid = pid;
		begin = now_ns();
		__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_SEQ_CST);
		waitpid(pid, NULL, 0);
		took = now_ns() - begin;
		if (took < least)
			least = took;
	}
	after = stat_now();
	printf("asked=%d skipped=%d waits=%d pending=%d ended=%s\n", (int)(after.asked - before.asked),
	       (int)(after.skipped - before.skipped), (int)(after.waits - before.waits), (int)after.pending,
	       compared(least, 1));
	return 0;
}

static bool crowd_over;
static pthread_barrier_t crowd_ready;

static void *crowd_thread(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&crowd_ready);
	do {
		ask_by_ioctl();
	} while (!__atomic_load_n(&crowd_over, __ATOMIC_SEQ_CST));
	return NULL;
}

/* Threads that all wait; "once": each does so one time. */
static int do_crowd(int argc, char **argv)
{
	struct rf_throttle_stat before = stat_now(), after;
	pthread_t threads[THREADS];
	uint64_t begin;
	int i;

	crowd_over = argc && !strcmp(argv[0], "once");
	attach_hook("lsm");
	arm(LONGEST, 0);
	pthread_barrier_init(&crowd_ready, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(threads + i, NULL, crowd_thread, NULL))
			errx(1, "no thread %d", i);
	}
	pthread_barrier_wait(&crowd_ready);
	begin = now_ns();
	if (!crowd_over) {
		until_pending(THREADS);
		printf("pending=%d ", THREADS);
	}
	__atomic_store_n(&crowd_over, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	after = stat_now();
	if (argc)
		printf("waits=%d cut=%d ended=%s ", (int)(after.waits - before.waits), (int)(after.cut - before.cut),
		       compared(now_ns() - begin, THREADS));
	printf("pending=%d\n", (int)after.pending);
	return 0;
}

/* The kernel skips a tracing program while the same one, preempted, is underway on the processor. */
static uint64_t skipped(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		err(1, "bpf_obj_get_info_by_fd");
	return info.recursion_misses;
}

static int full_pipe[2];

static void *full_thread(void *arg)
{
	char c;

	/* Asks, and then is nowhere near its wait until the pipe is closed. */
	return read(full_pipe[0], &c, 1) ? arg : NULL;
}

/* More waits to come than the table has room for near each other. */
static int do_full(int argc, char **argv)
{
	struct rf_throttle_stat before = stat_now(), now;
	static pthread_t threads[RF_MAX_THROTTLED / 8 * 7];
	int n = sizeof(threads) / sizeof(*threads), i;
	uint64_t first = 0;
	pthread_attr_t attr;

	(void)argc, (void)argv;
	if (pipe2(full_pipe, O_CLOEXEC))
		err(1, "pipe");
	attach_hook("tracepoint");
	skel->bss->number = SYS_read;
	arm(LONGEST, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
	pthread_attr_setguardsize(&attr, 0);
	for (i = 0; i < n; i++) {
		if (pthread_create(threads + i, &attr, full_thread, NULL))
			errx(1, "no thread %d", i);
		now = stat_now();
		if (!first && now.refused != before.refused)
			first = now.pending;
	}
	/* Other processes' calls are skipped too: it may be more. */
	UNTIL((now = stat_now(),
	       now.asked + now.refused - before.asked - before.refused + skipped(skel->progs.from_tracepoint) >=
		       (uint64_t)n),
	      "all to ask");
	UNTIL((now = stat_now(), now.pending == now.asked - before.asked), "all that may to have a wait to come");
	printf("before_one=%s refused=%s as=%d ", first > RF_MAX_THROTTLED / 2 ? "most" : "few",
	       now.refused == before.refused ? "none" : "some", skel->bss->refusal);
	/* Those that were refused are not held back either. */
	close(full_pipe[1]);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	now = stat_now();
	printf("waits=%s pending=%d\n", now.waits - before.waits == now.asked - before.asked ? "all" : "not all",
	       (int)now.pending);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} operations[] = {
		{ "ask", ask },
		{ "kill", do_kill },
		{ "signal", do_signal },
		{ "freeze", do_freeze },
		{ "cgroup_kill", do_cgroup_kill },
		{ "exit", do_exit },
		{ "crowd", do_crowd },
		{ "full", do_full },
	};
	size_t i;

	if (argc < 2)
		errx(2, "usage: throttle_probe WHAT...");
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!strcmp(operations[i].name, argv[1])) {
			setup();
			return operations[i].run(argc - 2, argv + 2);
		}
	}
	errx(2, "'%s' is nothing to do", argv[1]);
}

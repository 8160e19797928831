// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * throttle_count WHAT...: what the module says of those that wait: the
 * counters, the mapping, and who is refused. It prints one line, and the
 * claims are made by test_throttle.sh.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/kmod/throttle_load.h"

/* What the kfunc and the ioctl say, when nothing is pending. */
static int do_stat(int argc, char **argv)
{
	struct rf_throttle_stat stat;

	(void)argc, (void)argv;
	run_program(skel->progs.read_stat);
	stat = stat_now();
	printf("returned=%d agree=%d sum=%d used=%d short=%d long=%d\n", skel->bss->stat_returned,
	       !memcmp(&stat, &skel->bss->stat, sizeof(stat)),
	       stat.asked == stat.waits + stat.skipped + stat.extended && !stat.pending,
	       stat.asked && stat.waits && stat.waited_ns && stat.extended && stat.cut && stat.skipped && stat.refused,
	       skel->bss->stat_short_returned, skel->bss->stat_long_returned);
	return 0;
}

/* map WORKLOAD: one wait of 50 ms for it, and what the mapping says of all of them. */
static int do_map(int argc, char **argv)
{
	size_t size = RF_MAX_WORKLOADS * sizeof(struct rf_throttle_use);
	struct rf_throttle_stat stat, before;
	const struct rf_throttle_use *uses;
	struct rf_throttle_use *copy = malloc(size);
	uint64_t begin, took, counted_ns;
	unsigned long workload;
	int i, others = 0;

	if (argc != 1 || !copy)
		errx(2, "map WORKLOAD");
	workload = strtoul(argv[0], NULL, 0);
	uses = mmap(NULL, size, PROT_READ, MAP_SHARED, device, 0);
	if (uses == MAP_FAILED)
		err(1, "mmap");
	memcpy(copy, uses, size);
	before = stat_now();
	attach(skel->progs.from_lsm);
	skel->bss->workload = workload;
	arm(50, 0);
	begin = now_ns();
	ask_by_ioctl();
	took = now_ns() - begin;
	stat = stat_now();
	/* Less than asked for, when another task ran between the request and the wait. */
	counted_ns = stat.waited_ns - before.waited_ns;
	for (i = 0; i < RF_MAX_WORKLOADS; i++)
		others += (unsigned long)i != workload && memcmp(copy + i, uses + i, sizeof(*uses));
	printf("waited=%d",
	       stat.waits == before.waits + 1 && took >= 50 * THROTTLE_MS && counted_ns && counted_ns <= took);
	if (workload < RF_MAX_WORKLOADS)
		printf(" counted=%d exactly=%d", (int)(uses[workload].waits - copy[workload].waits),
		       uses[workload].waited_ns - copy[workload].waited_ns == counted_ns);
	printf(" others=%d\n", others);
	return 0;
}

static const char *mapped(size_t size, int protection, int kind)
{
	void *map = mmap(NULL, size, protection, kind, device, 0);

	if (map == MAP_FAILED)
		return strerrorname_np(errno);
	munmap(map, size);
	return "0";
}

static const char *made_writable(int kind)
{
	void *map = mmap(NULL, 4096, PROT_READ, kind, device, 0);

	if (map == MAP_FAILED)
		err(1, "mmap");
	return mprotect(map, 4096, PROT_READ | PROT_WRITE) ? strerrorname_np(errno) : "0";
}

/* How the mapping can be had. */
static int do_map_modes(int argc, char **argv)
{
	size_t size = RF_MAX_WORKLOADS * sizeof(struct rf_throttle_use);

	(void)argc, (void)argv;
	printf("read=%s write=%s private=%s past=%s", mapped(size, PROT_READ, MAP_SHARED),
	       mapped(size, PROT_READ | PROT_WRITE, MAP_SHARED), mapped(size, PROT_READ | PROT_WRITE, MAP_PRIVATE),
	       mapped(size + 4096, PROT_READ, MAP_SHARED));
	printf(" mprotect=%s", made_writable(MAP_SHARED));
	printf(" mprotect_private=%s\n", made_writable(MAP_PRIVATE));
	return 0;
}

static void nothing_to_do(void)
{
}

static void task_exits(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		for (;;)
			pause();
	}
	skel->bss->tgid = pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The worker is made for a request that is marked so. */
static void io_worker_works(void)
{
	struct io_uring_params params = { 0 };
	struct io_uring_sqe *entries;
	int ring = syscall(SYS_io_uring_setup, 1, &params);
	char *queue;

	if (ring < 0)
		err(1, "io_uring_setup");
	queue = mmap(NULL, params.sq_off.array + sizeof(__u32), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQ_RING);
	entries = mmap(NULL, sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || entries == MAP_FAILED)
		err(1, "mmap of a ring");
	entries[0].opcode = IORING_OP_NOP;
	entries[0].flags = IOSQE_ASYNC;
	*(__u32 *)(queue + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		err(1, "io_uring_enter");
}

static void vhost_worker_works(void)
{
	int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER))
		err(1, "/dev/vhost-net");
}

/* nobody KIND: who cannot wait is asked to. */
static int do_nobody(int argc, char **argv)
{
	const struct {
		const char *name;
		struct bpf_program *program;
		int refusal;
		const char *worker;
		void (*provoke)(void);
	} kinds[] = {
		{ "kthread", skel->progs.from_kthread, -EOPNOTSUPP, "", nothing_to_do },
		{ "interrupt", skel->progs.from_interrupt, -EOPNOTSUPP, "", nothing_to_do },
		{ "exit", skel->progs.from_exit, -ESRCH, "", task_exits },
		{ "io", skel->progs.from_worker, -EOPNOTSUPP, "iou-", io_worker_works },
		{ "vhost", skel->progs.from_worker, -EOPNOTSUPP, "vhos", vhost_worker_works },
	}, *kind = kinds;
	struct rf_throttle_stat before = stat_now(), after;
	struct bpf_link *link;

	while (argc != 1 || strcmp(kind->name, argv[0])) {
		if (argc != 1 || ++kind == kinds + sizeof(kinds) / sizeof(*kinds))
			errx(2, "nobody KIND");
	}
	memcpy(skel->bss->worker, kind->worker, strlen(kind->worker));
	skel->bss->nobody_refusal = kind->refusal;
	link = bpf_program__attach(kind->program);
	if (!link)
		err(1, "cannot attach %s", bpf_program__name(kind->program));
	kind->provoke();
	UNTIL(__atomic_load_n(&skel->bss->nobody_answered, __ATOMIC_SEQ_CST), "an answer");
	bpf_link__destroy(link);
	/* One may be in the middle of it. */
	UNTIL(__atomic_load_n(&skel->bss->nobody_asked, __ATOMIC_SEQ_CST) ==
		      __atomic_load_n(&skel->bss->nobody_answered, __ATOMIC_SEQ_CST),
	      "all answers");
	after = stat_now();
	printf("asked=%d refused=%s counted=%d pending=%d\n", (int)(after.asked - before.asked),
	       skel->bss->nobody_refused == skel->bss->nobody_answered ? "all" : "not all",
	       after.refused - before.refused == skel->bss->nobody_refused, (int)after.pending);
	return 0;
}

/* hold: the link of a program that can ask, kept by the module past our end. */
static int do_hold(int argc, char **argv)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.from_fentry);
	struct rf_module_hold hold = { .owner = 1 };

	(void)argc, (void)argv;
	if (!link)
		err(1, "cannot attach");
	hold.fd = bpf_link__fd(link);
	if (ioctl(device, RF_IOC_HOLD, &hold))
		err(1, "RF_IOC_HOLD");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} operations[] = {
		{ "stat", do_stat },	 { "map", do_map },   { "map_modes", do_map_modes },
		{ "nobody", do_nobody }, { "hold", do_hold },
	};
	size_t i;

	if (argc < 2)
		errx(2, "usage: throttle_count WHAT...");
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!strcmp(operations[i].name, argv[1])) {
			setup();
			return operations[i].run(argc - 2, argv + 2);
		}
	}
	errx(2, "'%s' is nothing to do", argv[1]);
}

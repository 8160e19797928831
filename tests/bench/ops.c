// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop that every figure of `make bench` comes from: operations that
 * a policy engine can make slower, each repeated, timed, and printed as a line
 * of JSON with the least of several rounds.
 *
 * In a guest whose clock advances by a nanosecond an instruction the figures
 * are instructions an operation. Anywhere else they are nanoseconds, and worth
 * little.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringfence/testaccel.h"

#define ROUNDS	  5
#define DEPTH	  16
#define PORT	  9999
#define PORT_NEW  9998
/* On tmpfs: file work measured on 9p or overlay measures those. */
#define FILE_PATH "/dev/shm/ringfence-bench"
/* The same in a tree that the subject "files" labels, and far down in it. */
#define TREE_PATH "/dev/shm/ringfence-bench-tree"
#define EXEC_PATH "/dev/shm/ringfence-bench-true"
#define ACCEL	  "/dev/accel/accel0"	  /* the test accelerator; without it its operations are left out */
#define LIBRARY	  "/dev/shm/libcuda.so.1" /* stands in for CUDA's driver, likewise */

struct bench {
	struct sockaddr_in address;
	int udp_receiver, udp_sender;
	int new_receiver;
	uint32_t new_address; /* the last that was sent to, in host order */
	int listener;
	int tcp_client, tcp_server;
	pid_t peer;
	int accelerator;			       /* -1: there is none */
	int (*alloc)(uint64_t *address, size_t bytes); /* of the library; NULL: there is none */
	int (*launch)(void *f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
		      unsigned int bz, unsigned int shared, void *stream, void **params, void **extra);
	int (*synchronize)(void *stream);
	int plain, labelled, elsewhere; /* files of a page: on tmpfs, in the tree, on another file system */
};

struct bench_op {
	const char *name;
	unsigned int repeat;
	void (*run)(struct bench *bench);
	unsigned int bursts; /* in a round, of which the least counts */
};

static int check(int r, const char *what)
{
	if (r < 0)
		err(1, "%s", what);
	return r;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void run_udp_64(struct bench *bench)
{
	char payload[64] = { 0 };

	check(sendto(bench->udp_sender, payload, sizeof(payload), 0, (struct sockaddr *)&bench->address,
		     sizeof(bench->address)),
	      "sendto");
	check(recv(bench->udp_receiver, payload, sizeof(payload), 0), "recv");
}

/* To an address of 127.0.0.0/8 that nobody has sent to: nothing that remembers flows knows it. */
static void run_udp_new(struct bench *bench)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT_NEW) };
	char payload[64] = { 0 };

	to.sin_addr.s_addr = htonl(++bench->new_address);
	check(sendto(bench->udp_sender, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)), "sendto");
	check(recv(bench->new_receiver, payload, sizeof(payload), 0), "recv");
}

static void run_tcp_connect(struct bench *bench)
{
	int client = check(socket(AF_INET, SOCK_STREAM, 0), "socket"), server;

	check(connect(client, (struct sockaddr *)&bench->address, sizeof(bench->address)), "connect");
	server = check(accept(bench->listener, NULL, NULL), "accept");
	close(client);
	close(server);
}

static void run_tcp_1000(struct bench *bench)
{
	char payload[1000] = { 0 };

	check(send(bench->tcp_client, payload, sizeof(payload), 0), "send");
	check(recv(bench->tcp_server, payload, sizeof(payload), MSG_WAITALL), "recv");
}

static void run_open_tmpfs(struct bench *bench)
{
	(void)bench;
	close(check(open(FILE_PATH, O_RDWR | O_CREAT, 0600), FILE_PATH));
}

static char labelled_path[] = TREE_PATH "/f";
static char deep_path[sizeof(TREE_PATH) + 2 * DEPTH + 2];

static void run_open_labelled(struct bench *bench)
{
	(void)bench;
	close(check(open(labelled_path, O_RDWR | O_CREAT, 0600), labelled_path));
}

static void run_open_deep(struct bench *bench)
{
	(void)bench;
	close(check(open(deep_path, O_RDWR | O_CREAT, 0600), deep_path));
}

static void make_trees(void)
{
	char *at = stpcpy(deep_path, TREE_PATH);

	(void)!mkdir(deep_path, 0700);
	for (int i = 0; i < DEPTH; i++) {
		at = stpcpy(at, "/d");
		(void)!mkdir(deep_path, 0700);
	}
	strcpy(at, "/f");
}

static void read_page(int fd)
{
	char page[4096];

	if (check(pread(fd, page, sizeof(page), 0), "pread") != sizeof(page))
		errx(1, "a page is not there");
}

static void run_read_tmpfs(struct bench *bench)
{
	read_page(bench->plain);
}

static void run_read_labelled(struct bench *bench)
{
	read_page(bench->labelled);
}

static void run_read_elsewhere(struct bench *bench)
{
	read_page(bench->elsewhere);
}

static void open_files(struct bench *bench)
{
	bench->plain = check(open(FILE_PATH, O_RDWR | O_CREAT, 0600), FILE_PATH);
	bench->labelled = check(open(labelled_path, O_RDWR | O_CREAT, 0600), labelled_path);
	bench->elsewhere = check(memfd_create("bench", 0), "memfd_create");
	check(ftruncate(bench->plain, 4096), "ftruncate");
	check(ftruncate(bench->labelled, 4096), "ftruncate");
	check(ftruncate(bench->elsewhere, 4096), "ftruncate");
}

/* Signal 0: all that a signal is asked, and nothing is sent. */
static void run_signal(struct bench *bench)
{
	check(kill(bench->peer, 0), "kill");
}

static void run_exec(struct bench *bench)
{
	int status;
	pid_t pid;

	(void)bench;
	pid = vfork();
	if (!pid) {
		execl(EXEC_PATH, EXEC_PATH, NULL);
		_exit(127);
	}
	check(pid, "vfork");
	check(waitpid(pid, &status, 0), "waitpid");
	if (status)
		errx(1, "%s: status %d", EXEC_PATH, status);
}

static void run_ioctl_accel(struct bench *bench)
{
	struct rf_testaccel_info info;

	check(ioctl(bench->accelerator, RF_TESTACCEL_IOC_INFO, &info), "ioctl");
}

static void run_ioctl_other(struct bench *bench)
{
	int bytes;

	check(ioctl(bench->plain, FIONREAD, &bytes), "FIONREAD");
}

static void run_accel_job(struct bench *bench)
{
	struct rf_testaccel_submit job = { .flags = RF_TESTACCEL_WAIT };

	check(ioctl(bench->accelerator, RF_TESTACCEL_IOC_SUBMIT, &job), "submit");
}

/* A call that is counted, and nothing else: where it begins and where it returns. */
static void run_uprobe(struct bench *bench)
{
	uint64_t address;

	if (bench->alloc(&address, 4096))
		errx(1, "alloc");
}

static void run_launch(struct bench *bench)
{
	if (bench->launch((void *)1, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL) || bench->synchronize(NULL))
		errx(1, "launch");
}

/* Whoever probes it has found it a few seconds later. */
static void open_library(struct bench *bench)
{
	void *library = dlopen(LIBRARY, RTLD_NOW);
	int (*init)(unsigned int flags);

	if (!library)
		return;
	*(void **)&init = dlsym(library, "cuInit");
	if (!init || init(0))
		errx(1, "%s cannot be used", LIBRARY);
	*(void **)&bench->launch = dlsym(library, "cuLaunchKernel");
	*(void **)&bench->synchronize = dlsym(library, "cuStreamSynchronize");
	*(void **)&bench->alloc = dlsym(library, "cuMemAlloc_v2");
	sleep(5);
}

static void open_sockets(struct bench *bench)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int one = 1;

	bench->address.sin_family = AF_INET;
	bench->address.sin_port = htons(PORT);
	bench->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	bench->udp_receiver = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	bench->udp_sender = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	check(bind(bench->udp_receiver, (struct sockaddr *)&bench->address, sizeof(bench->address)), "bind");

	any.sin_port = htons(PORT_NEW);
	bench->new_address = INADDR_LOOPBACK;
	bench->new_receiver = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	check(bind(bench->new_receiver, (struct sockaddr *)&any, sizeof(any)), "bind");

	bench->listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	check(setsockopt(bench->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	check(bind(bench->listener, (struct sockaddr *)&bench->address, sizeof(bench->address)), "bind");
	check(listen(bench->listener, 128), "listen");

	bench->tcp_client = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	check(connect(bench->tcp_client, (struct sockaddr *)&bench->address, sizeof(bench->address)), "connect");
	bench->tcp_server = check(accept(bench->listener, NULL, NULL), "accept");
}

/* Waits to be signalled, where the subject says in a cgroup of its own. */
static void start_peer(struct bench *bench)
{
	const char *cgroup = getenv("RF_BENCH_PEER");
	FILE *procs;
	char *path;

	bench->peer = check(fork(), "fork");
	if (!bench->peer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (!cgroup)
		return;
	check(asprintf(&path, "%s/cgroup.procs", cgroup), "asprintf");
	procs = fopen(path, "w");
	if (!procs || fprintf(procs, "%d\n", bench->peer) < 0 || fclose(procs))
		err(1, "%s", path);
	free(path);
}

/* Can it be run here, and is it asked for? Without names all are. */
static bool is_wanted(const struct bench_op *op, const struct bench *bench, char **names)
{
	bool accelerator = op->run == run_ioctl_accel || op->run == run_accel_job;
	bool library = op->run == run_uprobe || op->run == run_launch;

	if ((accelerator && bench->accelerator < 0) || (library && !bench->alloc))
		return false;
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(*names, op->name))
			return true;
	}
	return false;
}

static uint64_t burst_run(const struct bench_op *op, struct bench *bench)
{
	uint64_t start = now();

	for (unsigned int n = 0; n < op->repeat; n++)
		op->run(bench);
	return now() - start;
}

int main(int argc, char **argv)
{
	static const struct bench_op ops[] = {
		{ "udp_64", 2000, run_udp_64, 1 },	    /* unconnected send, receive */
		{ "udp_new", 500, run_udp_new, 1 },	    /* as udp_64, each to another address */
		{ "tcp_connect", 300, run_tcp_connect, 1 }, /* connect, accept, close twice */
		{ "tcp_1000", 2000, run_tcp_1000, 1 },	    /* send, receive on a connection */
		{ "open_tmpfs", 2000, run_open_tmpfs, 1 },  /* open, close */
		{ "open_labelled", 2000, run_open_labelled, 1 },
		{ "open_deep", 2000, run_open_deep, 1 },
		{ "read_tmpfs", 2000, run_read_tmpfs, 1 }, /* pread() of a page */
		{ "read_labelled", 2000, run_read_labelled, 1 },
		{ "read_elsewhere", 2000, run_read_elsewhere, 1 },
		{ "signal", 2000, run_signal, 1 },
		{ "exec", 100, run_exec, 1 }, /* vfork, execve, wait; dynamically linked */
		{ "ioctl_other", 2000, run_ioctl_other, 1 },
		{ "ioctl_accel", 2000, run_ioctl_accel, 1 }, /* one that only asks */
		/* Submitted, run for no time, waited for; a burst ends before the next tick, for which other threads
		   wait. */
		{ "accel_job", 50, run_accel_job, 40 },
		{ "uprobe", 2000, run_uprobe, 1 }, /* a library's function that is probed, begin and end */
		{ "launch", 2000, run_launch, 1 }, /* and two of them: a launch that is waited for */
	};
	uint64_t least[sizeof(ops) / sizeof(*ops)];
	struct bench bench = { 0 };

	(void)argc;
	if (access(EXEC_PATH, X_OK))
		err(1, "%s (a copy of true)", EXEC_PATH);
	make_trees();
	start_peer(&bench);
	open_sockets(&bench);
	open_files(&bench);
	bench.accelerator = open(ACCEL, O_RDWR | O_CLOEXEC);
	open_library(&bench);
	memset(least, 0xff, sizeof(least));

	/* Round by round rather than operation by operation: a disturbance that lasts then spoils one round of each. */
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
			if (!is_wanted(&ops[i], &bench, argv + 1))
				continue;
			for (unsigned int burst = 0; burst < ops[i].bursts; burst++) {
				uint64_t took = burst_run(&ops[i], &bench);

				if (took < least[i])
					least[i] = took;
			}
		}
	}
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (!is_wanted(&ops[i], &bench, argv + 1))
			continue;
		printf("{\"op\": \"%s\", \"instructions\": %.0f}\n", ops[i].name, (double)least[i] / ops[i].repeat);
	}
	unlink(FILE_PATH);
	check(kill(bench.peer, SIGKILL), "kill");
	check(waitpid(bench.peer, NULL, 0), "waitpid");
	return 0;
}

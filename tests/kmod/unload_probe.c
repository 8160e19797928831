// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unload_probe MODULE CGROUP ROUNDS: loads the module, has tasks wait, and
 * tries to unload it under them, over and over. Prints how many rounds came
 * to the end that they must come to, of each of three kinds:
 *
 *   kill         the tasks are killed, then the programs go
 *   cgroup.kill  the same, by their cgroup
 *   orphans      the programs go first, so that what waits is all that is left
 *
 * What is under test besides is that the kernel survives; test_unload.sh looks
 * at its log.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/kmod/throttle_load.h"

#define TASKS	       4
#define PROGRESS_EVERY 100

enum kind { KILL, CGROUP_KILL, ORPHANS, KINDS };

static const char *cgroup;
static int go[2];

static uint64_t n_refused, n_raced;

/* Forked before the programs are loaded: one that inherited their descriptors would keep them. */
static void wait_over_and_over(void)
{
	char c;

	write_file(cgroup, "cgroup.procs", "0");
	close(go[1]);
	if (read(go[0], &c, 1) < 0)
		err(1, "read");
	for (;;)
		ask_by_ioctl();
}

static int unload(void)
{
	return syscall(SYS_delete_module, "ringfence", O_NONBLOCK) ? -errno : 0;
}

static bool in_use(int r)
{
	if (r && r != -EAGAIN && r != -EWOULDBLOCK)
		errx(1, "unloading: %s", strerrorname_np(-r));
	return r;
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		err(1, "cannot load %s", path);
	close(fd);
}

static void load_programs(void)
{
	struct bpf_program *program;

	skel = throttle_bpf__open();
	if (!skel)
		err(1, "the programs");
	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == skel->progs.from_fentry);
	if (throttle_bpf__load(skel))
		err(1, "the kernel refuses the programs");
	skel->links.from_fentry = bpf_program__attach(skel->progs.from_fentry);
	if (!skel->links.from_fentry)
		err(1, "cannot attach");
	arm(LONGEST, 0);
}

static void end_tasks(enum kind kind, const pid_t *pids)
{
	int i;

	if (kind == CGROUP_KILL) {
		write_file(cgroup, "cgroup.kill", "1");
	} else {
		for (i = 0; i < TASKS; i++)
			kill(pids[i], SIGKILL);
	}
	for (i = 0; i < TASKS; i++) {
		if (!killed(pids[i]))
			errx(1, "a task did not end by the signal");
	}
}

static void play_round(const char *module, enum kind kind)
{
	pid_t pids[TASKS];
	uint64_t tries = 0;
	int i;

	load_module(module);
	if (pipe2(go, O_CLOEXEC))
		err(1, "pipe");
	for (i = 0; i < TASKS; i++)
		pids[i] = child(wait_over_and_over);
	load_programs();
	close(go[0]);
	close(go[1]); /* the tasks read the end of it */

	device = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "%s", RF_DEVICE_PATH);
	until_pending(TASKS);
	close(device);

	for (i = 0; i < 10; i++) {
		if (!in_use(unload()))
			errx(1, "the module was unloaded under its programs");
		n_refused++;
	}
	if (kind == ORPHANS) {
		throttle_bpf__destroy(skel);
		UNTIL(!in_use(unload()) || (tries++, false), "unloading under tasks that wait");
		n_raced += tries > 0;
		end_tasks(kind, pids);
	} else {
		end_tasks(kind, pids);
		throttle_bpf__destroy(skel);
		UNTIL(!in_use(unload()), "unloading");
	}
}

int main(int argc, char **argv)
{
	int rounds, done[KINDS] = { 0 }, i;

	if (argc != 4)
		errx(2, "usage: unload_probe MODULE CGROUP ROUNDS");
	cgroup = argv[2];
	rounds = atoi(argv[3]);
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < rounds; i++) {
		play_round(argv[1], i % KINDS);
		done[i % KINDS]++;
		if ((i + 1) % PROGRESS_EVERY == 0)
			fprintf(stderr, "# %d rounds\n", i + 1);
	}
	fprintf(stderr, "# refused %llu times under programs, in %llu rounds after them\n",
		(unsigned long long)n_refused, (unsigned long long)n_raced);
	printf("kill=%d cgroup.kill=%d orphans=%d\n", done[KILL], done[CGROUP_KILL], done[ORPHANS]);
	return 0;
}

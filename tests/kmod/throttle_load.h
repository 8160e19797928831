/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads throttle.bpf.c for one process, which is who includes this, and what
 * such processes need besides. Failures end the process.
 */
#ifndef RF_TEST_THROTTLE_LOAD_H
#define RF_TEST_THROTTLE_LOAD_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringfence/abi.h"
#include "ringfence/limits.h"
#include "tests/kmod/throttle.h"
#include "tests/kmod/throttle.skel.h"

#define LONGEST	   (RF_THROTTLE_MAX_NS / THROTTLE_MS) /* ms */
#define LIMIT_S	   20				      /* for what must come, however slow the machine */
#define LATE_LOOKS 1000

static struct throttle_bpf *skel;
static int device;
static int nothing; /* /dev/null, for the ioctl that asks */

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static inline struct rf_throttle_stat stat_now(void)
{
	struct rf_throttle_stat stat;

	if (ioctl(device, RF_IOC_THROTTLE_STAT, &stat))
		err(1, "RF_IOC_THROTTLE_STAT");
	return stat;
}

/* Looks every millisecond. After the time is up, too: the machine may have stood still for all of it. */
#define UNTIL(condition, what)                                                 \
	do {                                                                   \
		uint64_t until_end = now_ns() + LIMIT_S * 1000000000ULL;       \
		int until_late = 0;                                            \
		while (!(condition)) {                                         \
			if (now_ns() > until_end && ++until_late > LATE_LOOKS) \
				errx(1, "%s: not within %d s", what, LIMIT_S); \
			usleep(1000);                                          \
		}                                                              \
	} while (0)

static inline void until_pending(uint64_t n)
{
	UNTIL(stat_now().pending == n, "as many waits as there should be");
}

static inline void setup(void)
{
	struct rf_module_abi abi = { .size = sizeof(abi), .version = RF_MODULE_ABI };

	device = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (device < 0 || nothing < 0 || ioctl(device, RF_IOC_ABI, &abi))
		err(1, "%s", RF_DEVICE_PATH);
	skel = throttle_bpf__open();
	if (!skel)
		err(1, "the programs");
	bpf_program__set_autoload(skel->progs.from_uprobe, abi.features & RF_MODULE_F_THROTTLE_PROBES);
	if (throttle_bpf__load(skel))
		err(1, "the kernel refuses the programs");
}

static inline void attach(struct bpf_program *program)
{
	if (!bpf_program__attach(program))
		err(1, "cannot attach %s", bpf_program__name(program));
}

/* From here on whoever triggers a program that is attached asks for @ms, and then for @more_ms if that is not 0. */
static inline void arm(uint64_t ms, uint64_t more_ms)
{
	skel->bss->delay_ns[0] = ms * THROTTLE_MS;
	skel->bss->delay_ns[1] = more_ms * THROTTLE_MS;
	skel->bss->n_asks = more_ms ? 2 : 1;
}

static inline void run_program(struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		err(1, "cannot run %s", bpf_program__name(program));
}

static inline void ask_by_ioctl(void)
{
	ioctl(nothing, THROTTLE_COMMAND);
}

static inline pid_t child(void (*work)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
		_exit(0);
	}
	return pid;
}

static inline bool killed(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static inline void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

#endif

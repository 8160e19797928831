// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold_probe WHAT...: makes links and has the module hold them, and prints
 * what came of it on one line. The claims are made by test_hold.sh.
 *
 * The link is a program that denies the processes of a cgroup every socket of
 * the internet; whether it is there is seen by asking for one.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ringfence/abi.h"
#include "ringfence/limits.h"

static int device;

/* A program that returns @value and does nothing else. */
static int returning(enum bpf_prog_type type, enum bpf_attach_type attach, int value)
{
	struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value },
				   { .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);
	int fd = bpf_prog_load(type, "rf_hold", "GPL", code, 2, &opts);

	if (fd < 0)
		err(1, "cannot load a program");
	return fd;
}

static int denial(const char *cgroup)
{
	int program = returning(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0);
	int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), link;

	link = dir < 0 ? -1 : bpf_link_create(program, dir, BPF_CGROUP_INET_SOCK_CREATE, NULL);
	if (link < 0)
		err(1, "%s", cgroup);
	close(program);
	close(dir);
	return link;
}

static const char *called(unsigned long command, void *pointer)
{
	return ioctl(device, command, pointer) ? strerrorname_np(errno) : "0";
}

static const char *hold(int fd, uint64_t owner)
{
	struct rf_module_hold asked = { .fd = fd, .owner = owner };

	return called(RF_IOC_HOLD, &asked);
}

/* attach CGROUP [OWNER]...: a denial, held for each of them in turn. */
static int do_attach(int argc, char **argv)
{
	int link = denial(argv[0]), i;

	for (i = 1; i < argc; i++)
		printf("%s%s", i > 1 ? " " : "", hold(link, strtoull(argv[i], NULL, 0)));
	printf("\n");
	return 0;
}

/* try CGROUP: whether a process in it gets a socket. */
static int do_try(int argc, char **argv)
{
	char path[256];
	int fd;

	(void)argc;
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) < 0)
		err(1, "%s", path);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	printf("%s\n", fd >= 0 ? "allowed" : errno == EPERM ? "denied" : strerrorname_np(errno));
	return 0;
}

/* release KEEP */
static int do_release(int argc, char **argv)
{
	struct rf_module_release release = { .keep = strtoull(argv[0], NULL, 0), .released = ~0U, .held = ~0U };
	const char *r = called(RF_IOC_RELEASE, &release);

	(void)argc;
	printf("errno=%s released=%u held=%u\n", r, release.released, release.held);
	return 0;
}

/* refuse CGROUP: everything that is no link to hold, and in the end one that is. */
static int do_refuse(int argc, char **argv)
{
	int link = denial(argv[0]), program = returning(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);
	struct rf_module_hold reserved = { .fd = link, .reserved = 1, .owner = 1 };
	struct rf_module_hold good = { .fd = link, .owner = 1 };

	(void)argc;
	printf("owner0=%s ", hold(link, 0));
	printf("reserved=%s ", called(RF_IOC_HOLD, &reserved));
	printf("closed=%s ", hold(1000, 1));
	printf("negative=%s ", hold(-1, 1));
	printf("file=%s ", hold(device, 1));
	printf("program=%s ", hold(program, 1));
	printf("owner0_file=%s ", hold(device, 0));
	printf("pointer=%s ", called(RF_IOC_HOLD, (void *)8));
	printf("release=%s ", called(RF_IOC_RELEASE, (void *)8));
	printf("link=%s\n", called(RF_IOC_HOLD, &good));
	return 0;
}

/* fill: links until one is refused; those that are held are held once more. */
static int do_fill(int argc, char **argv)
{
	const char *r = "0", *again;
	int i, program, link = -1, last = -1;

	(void)argc, (void)argv;
	for (i = 0; i <= RF_MAX_HELD_LINKS; i++) {
		/* One each: before 6.10 a program is on a tracepoint once. */
		program = returning(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);
		link = bpf_raw_tracepoint_open("task_rename", program);
		if (link < 0)
			err(1, "cannot make link %d", i);
		close(program);
		r = hold(link, 1);
		if (strcmp(r, "0"))
			break;
		if (last >= 0)
			close(last);
		last = link;
	}
	again = hold(last, 2);
	printf("held=%d then=%s again=%s\n", i, r, again);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(int argc, char **argv);
	} operations[] = {
		{ "attach", 1, do_attach }, { "try", 1, do_try },   { "release", 1, do_release },
		{ "refuse", 1, do_refuse }, { "fill", 0, do_fill },
	};
	size_t i;

	if (argc < 2)
		errx(2, "usage: hold_probe WHAT...");
	device = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!strcmp(operations[i].name, argv[1]) && argc - 2 >= operations[i].arguments)
			return operations[i].run(argc - 2, argv + 2);
	}
	errx(2, "'%s' is nothing to do", argv[1]);
}

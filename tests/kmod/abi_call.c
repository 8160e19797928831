// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls RF_IOC_ABI once, with each member as asked for on the command line,
 * and prints what came back: the errno by name, the version, the features.
 * The claims are made by test_abi.sh.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ringfence/abi.h"

static unsigned long long number(const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		errx(2, "'%s' is no number", text);
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "version", required_argument, NULL, 'v' },
		{ "reserved", required_argument, NULL, 'r' },
		{ "command", required_argument, NULL, 'c' },
		{ "pointer", required_argument, NULL, 'p' },
		{ "hold", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct rf_module_abi abi = { .size = sizeof(abi), .version = RF_MODULE_ABI };
	unsigned long command = RF_IOC_ABI;
	void *pointer = &abi;
	bool hold = false;
	int option, fd, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			abi.size = number(optarg);
			break;
		case 'v':
			abi.version = number(optarg);
			break;
		case 'r':
			abi.reserved = number(optarg);
			break;
		case 'c':
			command = number(optarg);
			break;
		case 'p':
			pointer = (void *)(uintptr_t)number(optarg);
			break;
		case 'h':
			hold = true;
			break;
		default:
			return 2;
		}
	}

	fd = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("open=%s\n", strerrorname_np(errno));
		return 0;
	}
	r = ioctl(fd, command, pointer);
	printf("errno=%s version=%u features=%" PRIu64 "\n", r ? strerrorname_np(errno) : "0", abi.version,
	       (uint64_t)abi.features);
	/* Keep the node open until the other end closes our input. */
	if (hold) {
		fflush(stdout);
		while (read(STDIN_FILENO, &abi, sizeof(abi)) > 0)
			;
	}
	close(fd);
	return 0;
}

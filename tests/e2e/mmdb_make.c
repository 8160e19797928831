// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a MaxMind database for the scripts.
 *
 *	mmdb_make [-4] [-r 24|28|32] [-t BUILT] OUT CIDR=CC ...
 *
 * BUILT is in seconds since the epoch, now where it is not given; -4 makes a
 * database of IPv4 alone. CIDR=CC/RR has a registered country besides.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* In this translation unit, so that the build needs no rule for it. */
#include "tests/unit/collect/mmdb_write.c"

static int usage(void)
{
	fprintf(stderr, "usage: mmdb_make [-4] [-r 24|28|32] [-t BUILT] OUT CIDR=CC ...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct mmdb_options options = mmdb_options_default;
	_cleanup_free_ struct mmdb_network *networks = NULL;
	const char *path;
	int option, r;

	options.build_epoch = time(NULL);
	while ((option = getopt(argc, argv, "4r:t:")) != -1) {
		switch (option) {
		case '4':
			options.ip_version = 4;
			break;
		case 'r':
			options.record_size = strtoul(optarg, NULL, 10);
			if (options.record_size != 24 && options.record_size != 28 && options.record_size != 32)
				return usage();
			break;
		case 't':
			options.build_epoch = strtoull(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		return usage();
	path = *argv++;
	argc--;
	networks = calloc(argc + 1, sizeof(*networks));
	if (!networks)
		return 1;
	for (int i = 0; i < argc; i++) {
		if (mmdb_network_parse(argv[i], &networks[i])) {
			fprintf(stderr, "mmdb_make: '%s' is no CIDR=CC\n", argv[i]);
			return 2;
		}
	}
	r = mmdb_write(path, &options, networks, argc);
	if (r) {
		fprintf(stderr, "mmdb_make: %s: %s\n", path, strerror(-r));
		return 1;
	}
	return 0;
}

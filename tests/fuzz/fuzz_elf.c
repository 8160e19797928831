// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF files and lists of mappings, which are the workload's: read to their end, and nothing past it. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/collect/elf_functions.h"
#include "user/collect/process_maps.h"
#include "user/model/calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(const char *name, uint64_t offset, void *arg)
{
	*(uint64_t *)arg += strlen(name) + offset + rf_call_cookie(name);
	return 0;
}

static void try_maps(const char *data, size_t size)
{
	struct rf_span rest = { data, size };
	struct rf_process_map map;

	while (rf_process_maps_next(&rest, &map)) {
		assert(map.start < map.end);
		assert(map.path.s >= data && map.path.s + map.path.n <= data + size);
		assert(rest.s + rest.n == data + size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	assert(fd >= 0);
	assert(write(fd, data, size) == (ssize_t)size);
	assert(rf_elf_functions(fd, take, &sum) <= 0);
	assert(rf_elf_is_function(fd, sum % (size + 1)) <= 1);
	assert(rf_elf_is_function(fd, size / 2) <= 1);
	close(fd);
	try_maps((const char *)data, size);
	return 0;
}

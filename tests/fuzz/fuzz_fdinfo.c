// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text is some answer: names end, what was not told is nothing, and a text cut anywhere tells no more regions. */
#include <assert.h>
#include <string.h>

#include "user/collect/fdinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rf_fdinfo all, half;

	rf_fdinfo_parse((const char *)data, size, &all);
	assert(memchr(all.driver, '\0', sizeof(all.driver)) && memchr(all.pdev, '\0', sizeof(all.pdev)));
	assert(all.engines || !all.engine_ns);
	assert(all.counters || !all.cycles);
	assert(all.regions || !all.resident);
	assert(all.has_client || !all.client);
	rf_fdinfo_parse((const char *)data, size / 2, &half);
	assert(half.regions <= all.regions + 1 && half.skipped <= all.skipped + 1);
	return 0;
}

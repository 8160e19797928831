// SPDX-License-Identifier: GPL-2.0-or-later
/* Pressure files: what is refused changes nothing, and what is taken was written there. */
#include <assert.h>
#include <errno.h>

#include "user/collect/pressure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t ns = 7;
	int r = rf_pressure_parse((const char *)data, size, &ns);

	assert(r == 0 ? ns % 1000 == 0 : r == -EBADMSG && ns == 7);
	return 0;
}

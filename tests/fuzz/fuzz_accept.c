// SPDX-License-Identifier: GPL-2.0-or-later
/* The Accept header of any client: the choice is one of the formats, and asking twice gives the same. */
#include <stdint.h>
#include <stdlib.h>

#include "user/export/metrics.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *accept = malloc(size + 1);
	enum rf_metrics_format format;

	if (!accept)
		return 0;
	memcpy(accept, data, size);
	accept[size] = '\0';
	format = rf_metrics_negotiate(accept);
	if ((unsigned int)format >= RF_METRICS_FORMATS || rf_metrics_negotiate(accept) != format)
		abort();
	return 0;
}

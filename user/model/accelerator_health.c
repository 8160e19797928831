// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of the readings, and which of them somebody should look at. */
#include "user/model/accelerator_health.h"

#include <stddef.h>

#include "user/lib/util.h"

static const struct {
	const char *name, *dcgm;
} readings[] = {
#define X(id, name, type, help, dcgm) [RF_HEALTH_##id] = { name, dcgm },
	RF_HEALTH_READINGS(X)
#undef X
};

/* A link may be slower while nobody uses it, but no narrower. */
static const struct {
	enum rf_health_reading reading;
	const char *text;
} above_zero[] = {
	{ RF_HEALTH_THROTTLE_POWER, "throttled-power" },       { RF_HEALTH_THROTTLE_THERMAL, "throttled-thermal" },
	{ RF_HEALTH_THROTTLE_HARDWARE, "throttled-hardware" }, { RF_HEALTH_ECC_UNCORRECTED, "ecc-uncorrected" },
	{ RF_HEALTH_ROW_REMAP_FAILED, "row-remap-failed" },    { RF_HEALTH_NVLINK_ERRORS, "nvlink-errors" },
};

const char *rf_health_name(enum rf_health_reading reading)
{
	return (unsigned int)reading < RF_HEALTH_COUNT ? readings[reading].name : "unknown";
}

const char *rf_health_dcgm_name(enum rf_health_reading reading)
{
	return (unsigned int)reading < RF_HEALTH_COUNT ? readings[reading].dcgm : "";
}

bool rf_health_any_known(const struct rf_accel_health *h)
{
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		if (rf_health_is_known(h->value[i]))
			return true;
	return false;
}

size_t rf_health_findings(const struct rf_accel_health *h, const char *list[static RF_HEALTH_FINDINGS])
{
	size_t n = 0;

	/* What is not known is neither above nor below anything. */
	for (size_t i = 0; i < ARRAY_SIZE(above_zero); i++)
		if (h->value[above_zero[i].reading] > 0)
			list[n++] = above_zero[i].text;
	_Static_assert(ARRAY_SIZE(above_zero) + 1 <= RF_HEALTH_FINDINGS, "room for every finding");
	if (h->value[RF_HEALTH_PCIE_WIDTH] < h->value[RF_HEALTH_PCIE_WIDTH_MAX])
		list[n++] = "pcie-narrow";
	return n;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices of a host are few: a list. */
#include "user/daemon/device_health.h"

#include <errno.h>
#include <stdlib.h>

#include "user/lib/util.h"

static bool is_old(const struct rf_device_health *t, size_t i, uint64_t now_ns)
{
	return now_ns - t->rows[i].set_ns > RF_DEVICE_HEALTH_AGE_NS;
}

/* The row of @parent, else one that is old, else @t->n. */
static size_t place_find(const struct rf_device_health *t, const char *parent, uint64_t now_ns)
{
	size_t place = t->n;

	for (size_t i = 0; i < t->n; i++) {
		if (rf_streq(t->rows[i].health.parent, parent))
			return i;
		if (is_old(t, i, now_ns))
			place = i;
	}
	return place;
}

int rf_device_health_set(struct rf_device_health *t, const struct rf_accel_health *h, uint64_t now_ns)
{
	size_t at = place_find(t, h->parent, now_ns);

	if (at == RF_DEVICE_HEALTH_MAX)
		return -ENOSPC;
	if (at == t->n) {
		void *rows = reallocarray(t->rows, t->n + 1, sizeof(*t->rows));

		if (!rows)
			return -ENOMEM;
		t->rows = rows;
		t->n++;
	}
	t->rows[at].health = *h;
	t->rows[at].set_ns = now_ns;
	return 0;
}

const struct rf_accel_health *rf_device_health_find(const struct rf_device_health *t, const char *parent,
						    uint64_t now_ns)
{
	size_t at = place_find(t, parent, now_ns);

	if (at == t->n || !rf_streq(t->rows[at].health.parent, parent) || is_old(t, at, now_ns))
		return NULL;
	return &t->rows[at].health;
}

void rf_device_health_fini(struct rf_device_health *t)
{
	free(t->rows);
	*t = (struct rf_device_health){ 0 };
}

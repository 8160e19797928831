// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Idle is what has shown no work for RF_HOLD_IDLE_NS. Starved is looked at over
 * whole windows: less than half of the device's time, and tasks of the
 * workload that stood still meanwhile. The kernel's pressure figures have no
 * line for the network: of it, where threads were seen to wait is counted, and
 * asked last, as IO that goes over the network is both.
 */
#include "user/detect/accelerator_hold.h"

#include "user/lib/util.h"

static const char *const names[] = {
#define X(id, name, help) [RF_HOLD_##id] = name,
	RF_HOLD_FINDINGS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(names) == RF_HOLD_FINDING_COUNT, "a name for every finding");

const char *rf_hold_finding_name(enum rf_hold_finding f)
{
	return names[f];
}

/* In percent of @ns; 0 where it is not known, or began anew. */
static uint64_t percent(uint64_t now, uint64_t before, uint64_t ns)
{
	if (now == RF_UNKNOWN || before == RF_UNKNOWN || now < before)
		return 0;
	return now - before >= UINT64_MAX / 100 ? 100 : (now - before) * 100 / ns;
}

/* In half of the times at which it was looked, and not once or twice alone. */
static bool waited_for_network(const struct rf_hold_sample *from, const struct rf_hold_sample *to)
{
	uint64_t looks = to->network_looks - from->network_looks;
	uint64_t waits = to->network_waits - from->network_waits;

	return waits >= RF_HOLD_NETWORK_WAITS && waits >= looks - waits;
}

static enum rf_hold_finding starved_by(const struct rf_hold_sample *from, const struct rf_hold_sample *to)
{
	uint64_t ns = to->now_ns - from->now_ns;
	uint64_t cpu = percent(to->cpu_stalled_ns, from->cpu_stalled_ns, ns);
	uint64_t io = percent(to->io_stalled_ns, from->io_stalled_ns, ns);

	if (percent(to->busy_ns, from->busy_ns, ns) >= RF_HOLD_BUSY_PERCENT)
		return RF_HOLD_NONE;
	if (MAX(cpu, io) < RF_HOLD_STALLED_PERCENT)
		return waited_for_network(from, to) ? RF_HOLD_NETWORK : RF_HOLD_NONE;
	return io > cpu ? RF_HOLD_IO : RF_HOLD_CPU;
}

static enum rf_hold_finding decide(const struct rf_hold *h, const struct rf_hold_sample *s)
{
	bool idle = s->now_ns - h->work_ns >= RF_HOLD_IDLE_NS;

	if (idle && s->holders == 0)
		return RF_HOLD_NO_PROCESS;
	/* Who waits for something has a reason for doing nothing. */
	if (h->starved != RF_HOLD_NONE)
		return h->starved;
	return idle ? RF_HOLD_IDLE : RF_HOLD_NONE;
}

static uint64_t begin_of(const struct rf_hold *h, const struct rf_hold_sample *s, enum rf_hold_finding f)
{
	return f == RF_HOLD_IDLE || f == RF_HOLD_NO_PROCESS ? h->work_ns : s->now_ns - RF_HOLD_WINDOW_NS;
}

void rf_hold_step(struct rf_hold *h, const struct rf_hold_sample *s)
{
	enum rf_hold_finding now;

	if (!s->files) {
		*h = (struct rf_hold){ 0 };
		return;
	}
	if (!h->begun)
		*h = (struct rf_hold){ .window = *s, .work = s->work, .work_ns = s->now_ns, .begun = true };
	if (s->work != h->work || s->under_way)
		h->work_ns = s->now_ns;
	h->work = s->work;
	if (s->now_ns - h->window.now_ns >= RF_HOLD_WINDOW_NS) {
		h->starved = starved_by(&h->window, s);
		h->window = *s;
	}
	now = decide(h, s);
	if (now != h->finding)
		h->since_ns = now == RF_HOLD_NONE ? 0 : begin_of(h, s, now);
	h->finding = now;
}

uint64_t rf_hold_idle_ns(const struct rf_hold *h, uint64_t now_ns)
{
	return h->begun && now_ns > h->work_ns ? now_ns - h->work_ns : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The three lanes, read in turn. What arrives is validated here, once; a jump
 * in a lane's numbers becomes a gap record that goes the same way as events.
 *
 * Whoever is denied can write faster than one processor reads: a lane is read
 * TURN records at a time, so that no flood keeps the others, or a change of
 * policy, waiting.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "user/engine/internal.h"
#include "user/lib/clock.h"
#include "user/model/event.h"

#include "ringfence.skel.h"

static const char *const lane_map[RF_LANES] = {
	[RF_LANE_TELEMETRY] = "rf_telemetry_rb",
	[RF_LANE_AUDIT] = "rf_audit_rb",
	[RF_LANE_IDENTITY] = "rf_identity_rb",
};

#define TURN 2048

static void gap_report(const struct rf_gap *gap, void *arg)
{
	struct rf_lane_reader *reader = arg;
	struct rf_event_gap event = {
		.header = {
			.version = RF_EVENT_VERSION,
			.kind = RF_EVENT_GAP,
			.size = sizeof(event),
			.lane = reader->lane,
			.sequence = gap->first,
			.time_ns = gap->before_time_ns,
		},
		.lost = gap->last - gap->first + 1,
		.after_sequence = gap->first - 1,
		.before_sequence = gap->last + 1,
		.after_time_ns = gap->after_time_ns,
	};

	reader->engine->event_fn(&event.header, reader->engine->event_arg);
}

static int record_read(void *arg, void *data, size_t len)
{
	struct rf_lane_reader *reader = arg;
	const struct rf_event_header *header = data;

	/* What comes with a negative answer counts as read; what is behind it waits for the next turn. */
	reader->emptied = --reader->left > 0;
	if (rf_event_validate(data, len) < 0 || header->lane != reader->lane) {
		reader->invalid++;
		return reader->emptied ? 0 : -EAGAIN;
	}
	rf_gaps_feed(&reader->gaps, header->sequence, header->time_ns, gap_report, reader);
	reader->engine->lanes[reader->lane].consumed = reader->gaps.next - 1;
	reader->engine->event_fn(header, reader->engine->event_arg);
	return reader->emptied ? 0 : -EAGAIN;
}

int rf_engine_ring_open(struct rf_engine *e, rf_event_fn fn, void *arg)
{
	struct epoll_event readable = { .events = EPOLLIN };

	e->event_fn = fn;
	e->event_arg = arg;
	e->ring_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->ring_fd < 0)
		return -errno;
	for (int lane = 0; lane < RF_LANES; lane++) {
		struct rf_lane_reader *reader = &e->readers[lane];
		int fd = rf_engine_map_fd(e, lane_map[lane]);

		reader->engine = e;
		reader->lane = lane;
		/* From where the last daemon stopped: what was lost while nobody read is a gap too. */
		rf_gaps_init(&reader->gaps, e->lanes[lane].consumed);
		reader->ring = ring_buffer__new(fd, record_read, reader, NULL);
		if (!reader->ring || epoll_ctl(e->ring_fd, EPOLL_CTL_ADD, fd, &readable) < 0)
			return -errno;
	}
	return 0;
}

int rf_engine_flows_sweep(struct rf_engine *e)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint32_t all = RF_WORKLOAD_NONE;
	struct rf_share share;
	int r;

	if (bpf_map_lookup_elem(bpf_map__fd(e->skeleton->maps.rf_share_map), &all, &share) < 0)
		return -errno;
	if (!share.flows)
		return 0;
	r = bpf_prog_test_run_opts(bpf_program__fd(e->skeleton->progs.rf_log_sweep), &opts);
	return r < 0 ? r : 0;
}

int rf_engine_ring_fd(const struct rf_engine *e)
{
	return e->ring_fd;
}

void rf_engine_ring_consume(struct rf_engine *e)
{
	for (int lane = 0; lane < RF_LANES; lane++) {
		struct rf_lane_reader *reader = &e->readers[lane];

		reader->left = TURN;
		reader->emptied = true;
		(void)ring_buffer__consume(reader->ring);
	}
}

void rf_engine_ring_flush(struct rf_engine *e)
{
	for (int lane = 0; lane < RF_LANES; lane++) {
		struct rf_lane_reader *reader = &e->readers[lane];

		/* What waits to be read is not lost. */
		if (!reader->emptied)
			continue;
		rf_gaps_flush(&reader->gaps, __atomic_load_n(&e->lanes[lane].sequence, __ATOMIC_RELAXED),
			      rf_clock_boot(), gap_report, reader);
		e->lanes[lane].consumed = reader->gaps.next - 1;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading /dev/kmsg: one record a read, an error where some were overwritten meanwhile. */
#include "user/daemon/xid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ringfence/event.h"
#include "user/lib/span.h"
#include "user/lib/clock.h"
#include "user/lib/util.h"

#define RECORD_MAX 16384 /* the kernel's own limit is 8 KiB */
#define TURN_MAX   256	 /* records in one turn of the loop */

_Static_assert(sizeof(((struct rf_event_xid *)NULL)->device) == RF_ACCEL_DEVICE_NAME, "the name of a device");
_Static_assert(RF_XID_TOLD == RF_XID_TEXT, "what the log says");

static struct rf_xid_device *device_of(struct rf_xid_counts *c, const char *parent)
{
	for (size_t i = 0; i < c->n_devices; i++)
		if (rf_streq(c->devices[i].parent, parent))
			return &c->devices[i];
	if (c->n_devices == RF_XID_DEVICES)
		return NULL;
	memcpy(c->devices[c->n_devices].parent, parent, RF_ACCEL_DEVICE_NAME);
	return &c->devices[c->n_devices++];
}

/* The last row is of all codes beyond. */
static struct rf_xid_count *code_of(struct rf_xid_device *d, uint32_t code)
{
	for (size_t i = 0; i < d->n_codes; i++)
		if (d->codes[i].code == code || d->codes[i].code == RF_XID_OTHER)
			return &d->codes[i];
	d->codes[d->n_codes].code = d->n_codes < RF_XID_CODES ? code : RF_XID_OTHER;
	return &d->codes[d->n_codes++];
}

bool rf_xid_count(struct rf_xid_counts *c, const struct rf_xid *x, uint64_t now_ns)
{
	struct rf_xid_device *d = device_of(c, x->parent);
	struct rf_xid_count *count = d ? code_of(d, x->code) : NULL;

	if (!count) {
		c->uncounted++;
		return false;
	}
	if (!count->count++ || now_ns - count->second_ns >= RF_NSEC_PER_SEC) {
		count->second_ns = now_ns;
		count->told = 0;
	}
	if (count->told == RF_XID_TOLD_MAX)
		return false;
	count->told++;
	return true;
}

static void line_take(struct rf_xid_watch *w, const char *line, size_t len)
{
	struct rf_kmsg record;
	struct rf_xid x;

	if (rf_kmsg_parse(line, len, &record) < 0 || record.sequence <= w->sequence)
		return;
	w->sequence = record.sequence;
	if (rf_xid_parse(record.text, record.len, &x) >= 0 && rf_xid_count(&w->counts, &x, rf_clock_monotonic()))
		w->fn(&x, w->arg);
}

/* More than one where it is not the kernel's own file; what a record has besides its line is indented. */
static void records_take(struct rf_xid_watch *w, struct rf_span text)
{
	struct rf_span line;

	while (rf_span_next_line(&text, &line))
		if (line.n && *line.s != ' ')
			line_take(w, line.s, line.n);
}

static int readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_xid_watch *w = arg;
	char buffer[RECORD_MAX];

	(void)events;
	for (int i = 0; i < TURN_MAX; i++) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n > 0) {
			records_take(w, (struct rf_span){ buffer, (size_t)n });
		} else if (n < 0 && errno == EPIPE) {
			/* The next read goes on with what is there. */
			w->missed++;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			return sd_event_source_set_enabled(source, SD_EVENT_OFF);
		} else {
			break;
		}
	}
	return 0;
}

int rf_xid_start(struct rf_xid_watch *w, sd_event *event, const char *path, rf_xid_fn fn, void *arg)
{
	int r;

	w->tried = true;
	w->fn = fn;
	w->arg = arg;
	w->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (w->fd < 0)
		return -errno;
	/* What was there before the daemon is an earlier one's. */
	(void)lseek(w->fd, 0, SEEK_END);
	r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, readable, w);
	if (r < 0)
		rf_xid_stop(w);
	return r < 0 ? r : 0;
}

void rf_xid_stop(struct rf_xid_watch *w)
{
	w->source = sd_event_source_disable_unref(w->source);
	/* 0: it was never started. */
	if (w->fd > 0)
		close(w->fd);
	w->fd = -1;
}

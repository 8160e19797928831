// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Following accelerators. The kernel's uevents (lib/kobject_uevent.c) come for
 * a device that is added, removed or bound and for modules; NVIDIA's driver
 * registers its majors and devices after its module's event, so an event is
 * followed by a few more looks.
 */
#include "user/daemon/accelerators.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/collect/accelerator_scan.h"
#include "user/lib/log.h"

#define KERNEL_GROUP  1 /* the kernel's own messages; udev's are in group 2 */
#define LOOKS	      5 /* seconds */
#define RECEIVE_BYTES 1048576

/* Every subsystem: which of them is an accelerator's is for the scan to say, and events are few. */
static int event_come(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_accelerator_watch *w = arg;
	char buffer[8192];

	(void)source;
	(void)events;
	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		w->looks = LOOKS;
	return 0;
}

static int events_open(struct rf_accelerator_watch *w, sd_event *event)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int size = RECEIVE_BYTES, r;

	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (w->fd < 0)
		return -errno;
	(void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	r = bind(w->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	if (r >= 0)
		r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, event_come, w);
	if (r < 0) {
		close(w->fd);
		w->fd = -1;
	}
	return r;
}

/* 1: they are others, or it is the @first look; 0: the same. */
static int look(struct rf_accelerator_watch *w, struct rf_engine *e, bool first)
{
	struct rf_accelerators found;
	int r = rf_accelerators_scan("/sys", "/proc", &found);

	if (r < 0)
		return r;
	if (!first && rf_accelerators_equal(&w->known, &found)) {
		rf_accelerators_fini(&found);
		return 0;
	}
	rf_accelerators_fini(&w->known);
	w->known = found;
	r = rf_engine_accelerators_set(e, &w->known);
	return r < 0 ? rf_err_r(r, "the kernel cannot be told of all %zu nodes of accelerators", w->known.n_nodes) : 1;
}

/* Without it policies hold all the same. */
static void account(struct rf_engine *e)
{
	int r = rf_engine_accelerators_account(e);

	if (r < 0)
		rf_warn("accelerators are not accounted for: %s%s%s", strerror(-r),
			*rf_engine_libbpf_words() ? "; libbpf's last words:\n" : "", rf_engine_libbpf_words());
}

int rf_accelerators_start(struct rf_accelerator_watch *w, sd_event *event, struct rf_engine *e)
{
	int r = events_open(w, event);

	/* In a network namespace of its own there are none. */
	if (r < 0)
		rf_warn("no events of devices (%s): accelerators are looked for every second", strerror(-r));
	r = look(w, e, true);
	account(e);
	return r < 0 ? r : 0;
}

bool rf_accelerators_tick(struct rf_accelerator_watch *w, struct rf_engine *e)
{
	rf_engine_accelerators_sweep(e);
	if (w->fd >= 0 && !w->looks)
		return false;
	if (w->looks)
		w->looks--;
	account(e);
	return look(w, e, false) > 0;
}

void rf_accelerators_stop(struct rf_accelerator_watch *w)
{
	sd_event_source_disable_unref(w->source);
	/* 0: it was never started. */
	if (w->fd > 0)
		close(w->fd);
	rf_accelerators_fini(&w->known);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/daemon/health_sysfs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "user/collect/accelerator_sysfs.h"
#include "user/lib/cleanup.h"
#include "user/lib/log.h"
#include "user/lib/util.h"

/* A device as the child is told of it. */
struct request {
	char name[64], driver[32], parent[RF_ACCEL_DEVICE_NAME];
	uint32_t classes;
};

struct answer {
	int result; /* a negative errno */
	struct rf_accel_health health;
};

struct rf_health_turn {
	struct request device;
	uint64_t next_ns;
};

static int sysfs_read(const struct rf_accelerator *device, struct rf_accel_health *ret)
{
	return rf_accelerator_sysfs_read("/sys", device, ret);
}

static struct request request_of(const struct rf_accelerator *device)
{
	struct request ret = { .classes = device->classes };

	snprintf(ret.name, sizeof(ret.name), "%s", device->name);
	snprintf(ret.driver, sizeof(ret.driver), "%s", device->driver);
	snprintf(ret.parent, sizeof(ret.parent), "%s", device->parent);
	return ret;
}

/* Strings are @request's. */
static struct rf_accelerator device_of(struct request *request)
{
	return (struct rf_accelerator){
		.name = request->name, .driver = request->driver, .parent = request->parent, .classes = request->classes
	};
}

/* ---- the child ---- */

static void child_run(int socket, int keep, void *arg)
{
	const struct rf_health_sysfs *h = arg;
	struct request request;

	(void)keep;
	while (TEMP_FAILURE_RETRY(recv(socket, &request, sizeof(request), 0)) == sizeof(request)) {
		const struct rf_accelerator device = device_of(&request);
		struct answer answer = { 0 };

		answer.result = h->read(&device, &answer.health);
		if (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			return;
	}
}

/* ---- turns ---- */

static bool turns_are_of(const struct rf_health_sysfs *h, const struct rf_accelerators *a)
{
	if (h->n != a->n_devices)
		return false;
	for (size_t i = 0; i < h->n; i++) {
		const struct request now = request_of(&a->devices[i]);

		if (memcmp(&h->turns[i].device, &now, sizeof(now)) != 0)
			return false;
	}
	return true;
}

static struct rf_health_turn *turn_find(const struct rf_health_sysfs *h, const char *parent)
{
	for (size_t i = 0; i < h->n; i++)
		if (rf_streq(h->turns[i].device.parent, parent))
			return &h->turns[i];
	return NULL;
}

/* Devices have come or gone; those that stay keep their turns. */
static int turns_make(struct rf_health_sysfs *h, const struct rf_accelerators *a)
{
	struct rf_health_turn *turns = calloc(a->n_devices + 1, sizeof(*turns));

	if (!turns)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_devices; i++) {
		const struct rf_health_turn *before = turn_find(h, a->devices[i].parent);

		turns[i].device = request_of(&a->devices[i]);
		turns[i].next_ns = before ? before->next_ns : 0;
	}
	free(h->turns);
	h->turns = turns;
	h->n = a->n_devices;
	return 0;
}

/* Nobody asks it now, and it has something to say. */
static bool turn_is_due(const struct rf_health_sysfs *h, struct rf_health_turn *turn, uint64_t now)
{
	const struct rf_accelerator device = device_of(&turn->device);

	for (size_t i = 0; i < RF_HEALTH_READERS; i++)
		if (rf_streq(h->readers[i].parent, device.parent))
			return false;
	return turn->next_ns <= now && !rf_accelerator_is_nvml(&device);
}

/* The one that has waited longest; NULL: none is due. */
static struct rf_health_turn *turn_next(const struct rf_health_sysfs *h, uint64_t now)
{
	struct rf_health_turn *ret = NULL;

	for (size_t i = 0; i < h->n; i++)
		if (turn_is_due(h, &h->turns[i], now) && (!ret || h->turns[i].next_ns < ret->next_ns))
			ret = &h->turns[i];
	return ret;
}

/* ---- readers ---- */

/* It has answered, or has died. A device that takes its time has as much of it between two looks. */
static void reader_end(struct rf_health_reader *r, uint64_t now)
{
	struct rf_health_turn *turn = turn_find(r->of, r->parent);

	if (turn)
		turn->next_ns = now + MAX(RF_HEALTH_EVERY_NS, now - r->asked_ns);
	if (r->hung)
		rf_notice("%s: its driver answers again, after %.1f seconds", r->parent,
			  (double)(now - r->asked_ns) / RF_NSEC_PER_SEC);
	r->parent[0] = '\0';
	r->hung = false;
}

static void ask(struct rf_health_sysfs *h);

static int answered(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_health_reader *r = arg;
	struct rf_health_sysfs *h = r->of;
	uint64_t now = rf_clock_monotonic();
	struct answer answer;

	(void)source;
	(void)events;
	if (TEMP_FAILURE_RETRY(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT)) != sizeof(answer)) {
		r->source = sd_event_source_disable_unref(r->source);
		rf_child_kill(&r->child);
	} else if (!answer.result && turn_find(h, r->parent) && rf_health_any_known(&answer.health)) {
		(void)rf_device_health_set(h->told, &answer.health, now);
	}
	reader_end(r, now);
	ask(h);
	return 0;
}

static int reader_need(struct rf_health_reader *r)
{
	int result = rf_child_reap(&r->child);

	if (result < 0 || r->child.pid)
		return result;
	result = rf_child_start(&r->child, "ringfence-sysfs", -1, child_run, r->of);
	if (result < 0)
		return result;
	result = sd_event_add_io(r->of->event, &r->source, r->child.socket, EPOLLIN, answered, r);
	if (result < 0)
		rf_child_kill(&r->child);
	return result;
}

/* NULL: there is none, or one is at work that may be done in a moment. */
static struct rf_health_reader *reader_free(struct rf_health_sysfs *h, uint64_t now)
{
	for (size_t i = 0; i < RF_HEALTH_READERS; i++) {
		struct rf_health_reader *r = &h->readers[i];

		if (!*r->parent && reader_need(r) == 0)
			return r;
		if (*r->parent && now - r->asked_ns < h->slow_ns)
			return NULL;
	}
	return NULL;
}

static void ask(struct rf_health_sysfs *h)
{
	uint64_t now = rf_clock_monotonic();
	struct rf_health_turn *turn = turn_next(h, now);
	struct rf_health_reader *r = turn ? reader_free(h, now) : NULL;

	if (!r || send(r->child.socket, &turn->device, sizeof(turn->device), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
	memcpy(r->parent, turn->device.parent, sizeof(r->parent));
	r->asked_ns = now;
}

void rf_health_sysfs_start(struct rf_health_sysfs *h, sd_event *event, struct rf_device_health *told,
			   int (*read)(const struct rf_accelerator *device, struct rf_accel_health *ret))
{
	*h = (struct rf_health_sysfs){
		.event = event, .told = told, .read = read ? read : sysfs_read, .slow_ns = RF_HEALTH_SLOW_NS
	};
	for (size_t i = 0; i < RF_HEALTH_READERS; i++)
		h->readers[i].of = h;
}

void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a)
{
	uint64_t now = rf_clock_monotonic();

	if (!turns_are_of(h, a) && turns_make(h, a) < 0)
		return;
	for (size_t i = 0; i < RF_HEALTH_READERS; i++) {
		struct rf_health_reader *r = &h->readers[i];

		if (!*r->parent || r->hung || now - r->asked_ns < RF_HEALTH_HUNG_NS)
			continue;
		r->hung = true;
		rf_warn("%s: its driver has not said for %.0f seconds how it is; does its firmware hang?", r->parent,
			(double)(now - r->asked_ns) / RF_NSEC_PER_SEC);
	}
	ask(h);
}

void rf_health_sysfs_stop(struct rf_health_sysfs *h)
{
	for (size_t i = 0; i < RF_HEALTH_READERS; i++) {
		h->readers[i].source = sd_event_source_disable_unref(h->readers[i].source);
		rf_child_stop(&h->readers[i].child);
	}
	free(h->turns);
	*h = (struct rf_health_sysfs){ 0 };
}

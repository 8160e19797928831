// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One sample of each row of a workload and a device every few seconds. Work is
 * whatever grows with it: jobs and their time as BPF counts them, time and
 * cycles as the driver tells them. Where neither is told of a device, nothing
 * is said of it. Pressure is read of the cgroups of those that hold one alone,
 * and threads are looked at of those alone whose device does little.
 */
#include "user/daemon/holds.h"

#include <errno.h>
#include <fcntl.h>

#include "user/collect/pressure.h"
#include "user/daemon/clients.h"
#include "user/daemon/registry.h"
#include "user/lib/fs.h"

#define LOOK_TICKS   5
#define FORGET_TICKS 60 /* what was seen of sockets */

struct hold {
	struct rf_hold hold;
	struct rf_hold_sample last;
	unsigned int round; /* the last in which it was held */
};

struct look {
	struct rf_holds *holds;
	struct rf_engine *e;
	const struct rf_registry *registry;
	const struct rf_clients *clients;
	size_t asked;	/* holds whose threads are looked at, so far */
	size_t stopped; /* that before which there was no room any more; 0: there was */
};

static struct hold *hold_get(struct rf_holds *h, uint64_t whose)
{
	struct hold *hold = rf_hashmap_get64(h->by_whose, whose);

	if (hold)
		return hold;
	hold = calloc(1, sizeof(*hold));
	if (hold && rf_hashmap_put(h->by_whose, &whose, sizeof(whose), hold) < 0) {
		free(hold);
		return NULL;
	}
	return hold;
}

static void pressure_fill(const struct look *look, uint32_t id, struct rf_hold_sample *s)
{
	const struct rf_workload *w = id < RF_MAX_WORKLOADS ? look->registry->by_id[id] : NULL;
	const struct rf_cgroup *c = w && !w->retired ? rf_registry_cgroup_of(look->registry, w) : NULL;
	const char *path;
	int root = rf_engine_root_fd(look->e);

	s->cpu_stalled_ns = s->io_stalled_ns = RF_UNKNOWN;
	if (!c)
		return;
	path = c->path + strlen(look->registry->prefix);
	(void)rf_pressure_read(root, path, "cpu.pressure", &s->cpu_stalled_ns);
	(void)rf_pressure_read(root, path, "io.pressure", &s->io_stalled_ns);
}

/* For half of the time since the last look. */
static bool worked(const struct rf_hold_sample *last, const struct rf_hold_sample *s)
{
	uint64_t ns = s->now_ns - last->now_ns;

	/* A driver that tells cycles alone tells no time. */
	if (s->under_way || (!s->busy_ns && s->work != last->work))
		return true;
	return rf_counter_grown(s->busy_ns, last->busy_ns) >= ns / 100 * RF_HOLD_BUSY_PERCENT;
}

/* 1: none of its processes runs, and one at least waits for the network. A negative errno: it cannot be told. */
static int processes_wait(struct look *look, uint64_t whose)
{
	uint32_t pids[RF_HOLDS_PROCESSES];
	size_t n = rf_clients_holders(look->clients, look->e, whose, pids, ARRAY_SIZE(pids));
	bool waits = false, told = false;

	for (size_t i = 0; i < n; i++) {
		enum rf_task_wait wait;
		int r = rf_task_wait_look(&look->holds->waits, (pid_t)pids[i], &wait);

		if (r == -ESRCH)
			continue;
		if (r < 0)
			return r;
		if (wait == RF_TASK_WAIT_RUNS)
			return 0;
		told = true;
		waits |= wait == RF_TASK_WAIT_NETWORK;
	}
	return told ? waits : -ESRCH;
}

/* Those for which there was no room are the first of the next look. */
static void network_look(struct look *look, uint64_t whose, struct rf_hold_sample *s)
{
	size_t at = look->asked++, first = look->holds->next;
	int r;

	if (at < first || look->stopped)
		return;
	r = processes_wait(look, whose);
	/* But for one that takes all the room alone. */
	if (r == -ENOBUFS)
		look->stopped = MAX(at, first + 1);
	if (r < 0)
		return;
	s->network_looks++;
	s->network_waits += r;
}

static void network_fill(struct look *look, uint64_t whose, struct hold *hold, struct rf_hold_sample *s)
{
	s->network_looks = hold->last.network_looks;
	s->network_waits = hold->last.network_waits;
	if (!hold->last.now_ns)
		return;
	if (worked(&hold->last, s))
		s->network_looks++;
	else
		network_look(look, whose, s);
}

static int use_look(const struct rf_accel_use *use, void *arg)
{
	struct look *look = arg;
	uint32_t owner = RF_ACCEL_WHOSE_OWNER(use->whose);
	struct rf_hold_sample s = { .now_ns = rf_clock_boot(), .files = use->files, .under_way = use->under_way };
	struct hold *hold;

	if (RF_ACCEL_OWNER_LEVEL(owner) != RF_ACCEL_WORKLOAD || !use->files)
		return 0;
	if (!use->jobs && !use->under_way && !use->fdinfo_timed)
		return 0;
	hold = hold_get(look->holds, use->whose);
	if (!hold)
		return -ENOMEM;
	hold->round = look->holds->ticks;
	s.holders = rf_engine_accel_files_known(look->e) ? use->fdinfo_clients : RF_UNKNOWN;
	s.work = use->jobs + use->busy_ns + use->fdinfo_ns + use->fdinfo_cycles;
	s.busy_ns = MAX(use->busy_ns, use->fdinfo_ns);
	pressure_fill(look, RF_ACCEL_OWNER_NUMBER(owner), &s);
	network_fill(look, use->whose, hold, &s);
	hold->last = s;
	rf_hold_step(&hold->hold, &s);
	return 0;
}

/* Of containers' namespaces, too: few have another. */
static void ports_read(struct rf_port_range *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	*ret = (struct rf_port_range){ 32768, 60999 };
	if (rf_fs_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", 64, &text, &len) == 0)
		(void)rf_port_range_parse((struct rf_span){ text, len }, ret);
}

void rf_holds_tick(struct rf_holds *h, struct rf_engine *e, const struct rf_registry *registry,
		   const struct rf_clients *clients)
{
	struct look look = { .holds = h, .e = e, .registry = registry, .clients = clients };
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const void *key;
	size_t len;
	void *value;

	if (++h->ticks % LOOK_TICKS || (!h->by_whose && rf_hashmap_new(free, &h->by_whose) < 0))
		return;
	if (!h->waits.given.last)
		ports_read(&h->waits.given);
	if (h->ticks % FORGET_TICKS == 0)
		memset(h->waits.seen, 0, sizeof(h->waits.seen));
	h->waits.room = RF_TASK_WAIT_ROOM;
	(void)rf_engine_accel_uses_each(e, use_look, &look);
	h->next = look.stopped;
	while (rf_hashmap_next(h->by_whose, &it, &key, &len, &value)) {
		uint64_t whose = *(const uint64_t *)key;

		if (((struct hold *)value)->round != h->ticks)
			(void)rf_hashmap_remove(h->by_whose, &whose, sizeof(whose));
	}
}

const struct rf_hold *rf_holds_find(const struct rf_holds *h, uint64_t whose)
{
	const struct hold *hold = h->by_whose ? rf_hashmap_get64(h->by_whose, whose) : NULL;

	return hold ? &hold->hold : NULL;
}

void rf_holds_end(struct rf_holds *h)
{
	rf_hashmap_free(h->by_whose);
	h->by_whose = NULL;
}

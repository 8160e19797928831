// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The helper's life, by the second: off -> running -> ending -> waiting, and
 * from there again. One that was killed may still sit in the driver, where no
 * signal reaches it: it is asked for once a second and never waited for, and no
 * other is started until it has gone.
 */
#include "user/daemon/gpu.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "user/daemon/gpu_process.h"
#include "user/daemon/process.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"

#define HELPER	    "ringfence-gpu"
#define SILENT_NS   (10 * RF_NSEC_PER_SEC) /* so long without a word is hanging */
#define HEALTHY_NS  (60 * RF_NSEC_PER_SEC) /* who ran so long is started again at once */
#define WAIT_MIN_NS RF_NSEC_PER_SEC
#define WAIT_MAX_NS (64 * RF_NSEC_PER_SEC)
#define READ_BYTES  65536

enum phase { OFF, RUNNING, ENDING, WAITING };

struct rf_gpu {
	struct rf_gpu_options options;
	char *helper; /* its path; NULL: it is not installed */
	sd_event *event;
	struct rf_registry *registry;
	struct rf_device_health *health;
	struct rf_gpu_join *join;

	enum phase phase;
	pid_t pid;
	int fd; /* -1: none */
	sd_event_source *source;
	uint64_t started_ns, heard_ns, next_ns, wait_ns; /* CLOCK_MONOTONIC */
	uint64_t known_boot_ns;				 /* since when something is counted */
	unsigned char buffer[READ_BYTES];
	size_t len;

	enum rf_gpu_state state; /* as it said last */
	bool told;		 /* it said one */
	bool fault;		 /* it was ended for one, or ended by itself */
	char why[RF_GPU_TEXT];
	uint64_t states; /* how often it said one */
	uint64_t restarts, refused, errors, errors_before, dropped, dropped_before;
};

static int identify(uint32_t pid, struct rf_gpu_identity *ret, void *arg)
{
	const struct rf_gpu *g = arg;

	return rf_process_identify(g->registry, pid, ret);
}

int rf_gpu_new(const struct rf_gpu_options *o, sd_event *event, struct rf_registry *r, struct rf_device_health *health,
	       struct rf_gpu **ret)
{
	_cleanup_(rf_gpu_freep) struct rf_gpu *g = calloc(1, sizeof(*g));
	int result;

	if (!g)
		return -ENOMEM;
	g->options = *o;
	g->event = event;
	g->registry = r;
	g->health = health;
	g->fd = -1;
	g->wait_ns = WAIT_MIN_NS;
	g->helper = o->helper ? strdup(o->helper) : rf_helper_find(HELPER);
	result = rf_gpu_join_new(identify, g, &g->join);
	if (result < 0)
		return result;
	*ret = TAKE_PTR(g);
	return 0;
}

static void unplug(struct rf_gpu *g)
{
	g->source = sd_event_source_disable_unref(g->source);
	rf_closep(&g->fd);
	g->len = 0;
}

void rf_gpu_free(struct rf_gpu *g)
{
	if (!g)
		return;
	if (g->phase == RUNNING)
		kill(g->pid, SIGKILL);
	unplug(g);
	rf_gpu_join_free(g->join);
	free(g->helper);
	free(g);
}

/* It will say nothing more; @why for people, NULL: it has said it itself. */
static void end(struct rf_gpu *g, const char *why)
{
	if (g->phase != RUNNING)
		return;
	kill(g->pid, SIGKILL);
	unplug(g);
	g->phase = ENDING;
	rf_gpu_join_lost(g->join);
	g->errors_before += g->errors;
	g->dropped_before += g->dropped;
	g->errors = g->dropped = 0;
	g->fault = why;
	if (!why)
		return;
	g->told = false;
	snprintf(g->why, sizeof(g->why), "%s", why);
	rf_warn(HELPER " %s; it is started again", why);
}

static void state_take(struct rf_gpu *g, const struct rf_gpu_state_message *m)
{
	g->state = m->state;
	g->told = true;
	g->states++;
	snprintf(g->why, sizeof(g->why), "%s", m->text);
	if (m->state == RF_GPU_RUNNING)
		rf_info("NVML tells of %u devices, driver %s", m->devices, m->text);
	else
		rf_notice("NVIDIA's devices are not asked, %s: %s", rf_gpu_state_name(m->state), m->text);
}

static void message_take(struct rf_gpu *g, const union rf_gpu_message *m)
{
	switch ((enum rf_gpu_message_type)m->header.type) {
	case RF_GPU_STATE:
		state_take(g, &m->state);
		break;
	case RF_GPU_HEALTH:
		(void)rf_device_health_set(g->health, &m->health.health, rf_clock_monotonic());
		break;
	case RF_GPU_PROCESS:
		rf_gpu_join_process(g->join, &m->process);
		break;
	case RF_GPU_ENDED:
		rf_gpu_join_ended(g->join, &m->ended, rf_clock_real() - rf_clock_boot(), g->known_boot_ns);
		break;
	case RF_GPU_ROUND:
		g->errors = m->round.errors;
		g->dropped = m->round.dropped;
		rf_gpu_join_round(g->join);
		break;
	case RF_GPU_NOTHING:
	case RF_GPU_LIMIT:
	case RF_GPU_MESSAGE_TYPES:
		break;
	}
}

static void buffer_take(struct rf_gpu *g)
{
	union rf_gpu_message m;
	size_t at = 0;
	ssize_t n;

	while ((n = rf_gpu_message_parse(g->buffer + at, g->len - at, &m)) > 0) {
		message_take(g, &m);
		at += (size_t)n;
	}
	if (n < 0) {
		g->refused++;
		end(g, "said what is no message");
		return;
	}
	memmove(g->buffer, g->buffer + at, g->len - at);
	g->len -= at;
}

static int readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_gpu *g = arg;
	ssize_t n = read(fd, g->buffer + g->len, sizeof(g->buffer) - g->len);

	(void)source;
	(void)events;
	if (n > 0) {
		g->heard_ns = rf_clock_monotonic();
		g->len += (size_t)n;
		buffer_take(g);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* One that has said why it cannot go on ends by itself. */
		end(g, g->told && g->state != RF_GPU_RUNNING ? NULL : "ended");
	}
	return 0;
}

int rf_gpu_helper_start(const struct rf_gpu *g, const char *option, int in, pid_t *ret_pid, int *ret_fd)
{
	char parent[16], *argv[8] = { g->helper, (char *)"--parent", parent };
	int n = 3;

	snprintf(parent, sizeof(parent), "%d", getpid());
	if (g->options.library) {
		argv[n++] = (char *)"--library";
		argv[n++] = (char *)g->options.library;
	}
	if (option)
		argv[n++] = (char *)option;
	return rf_helper_start(argv, in, ret_pid, ret_fd);
}

static void helper_start(struct rf_gpu *g)
{
	int r = rf_gpu_helper_start(g, NULL, -1, &g->pid, &g->fd);

	if (r >= 0) {
		g->phase = RUNNING;
		g->started_ns = g->heard_ns = rf_clock_monotonic();
		g->known_boot_ns = g->known_boot_ns ?: rf_clock_boot();
		r = sd_event_add_io(g->event, &g->source, g->fd, EPOLLIN, readable, g);
	}
	if (r < 0) {
		rf_err_r(r, "cannot start %s", g->helper);
		end(g, NULL);
		g->phase = g->phase == OFF ? WAITING : g->phase;
		g->next_ns = rf_clock_monotonic() + WAIT_MAX_NS;
	}
}

/* It has gone: when is the next? */
static void ended(struct rf_gpu *g, uint64_t now)
{
	bool gave_up = g->told && g->state != RF_GPU_RUNNING;

	g->phase = WAITING;
	g->pid = 0;
	if (!g->fault) {
		g->next_ns = gave_up ? now + WAIT_MAX_NS : now;
		return;
	}
	if (now - g->started_ns > HEALTHY_NS)
		g->wait_ns = WAIT_MIN_NS;
	g->next_ns = now + g->wait_ns;
	g->wait_ns = MIN(g->wait_ns * 2, WAIT_MAX_NS);
	g->restarts++;
}

static bool alive(uint32_t workload, uint64_t cgroup, void *arg)
{
	const struct rf_gpu *g = arg;
	const struct rf_workload *w = g->registry->by_id[workload];

	return w && !w->retired && w->cgroup_id == cgroup;
}

bool rf_gpu_wanted(const struct rf_gpu *g, const struct rf_accelerators *known)
{
	return g->options.library || rf_accelerators_has_nvml(known);
}

void rf_gpu_tick(struct rf_gpu *g, const struct rf_accelerators *known, bool changed)
{
	uint64_t now = rf_clock_monotonic();
	bool wanted = rf_gpu_wanted(g, known);
	int status;

	rf_gpu_join_sweep(g->join, alive, g);
	/* What it says of itself may wait to be read, where the daemon was busy. */
	if (g->phase == RUNNING && now - g->heard_ns > SILENT_NS)
		(void)readable(NULL, g->fd, 0, g);
	if (g->phase == RUNNING && now - g->heard_ns > SILENT_NS)
		end(g, "was silent for ten seconds and was killed");
	if (g->phase == RUNNING && (changed || !wanted))
		end(g, NULL);
	if (g->phase == ENDING && rf_helper_ended(g->pid, &status))
		ended(g, now);
	if (g->phase == WAITING && changed)
		g->next_ns = now;
	if (!wanted)
		g->phase = g->phase == WAITING ? OFF : g->phase;
	else if (g->helper && (g->phase == OFF || (g->phase == WAITING && now >= g->next_ns)))
		helper_start(g);
}

void rf_gpu_event(struct rf_gpu *g, const struct rf_event_header *event)
{
	const struct rf_event_exit *e = (const struct rf_event_exit *)event;
	const struct rf_workload *w;
	struct rf_gpu_identity who;

	if (g->phase != RUNNING || event->kind != RF_EVENT_EXIT || event->workload >= RF_MAX_WORKLOADS)
		return;
	w = g->registry->by_id[event->workload];
	if (!w || e->lifetime_ns > event->time_ns)
		return;
	who = (struct rf_gpu_identity){ event->time_ns - e->lifetime_ns, event->workload, w->cgroup_id };
	rf_gpu_join_exited(g->join, event->tgid, &who, event->time_ns);
}

uint32_t rf_gpu_workload(const struct rf_gpu *g, uint32_t pid)
{
	struct rf_gpu_identity who;

	if (rf_process_identify(g->registry, pid, &who) >= 0)
		return who.workload;
	return rf_gpu_join_workload(g->join, pid);
}

uint64_t rf_gpu_running(const struct rf_gpu *g)
{
	return g->phase == RUNNING && g->told && g->state == RF_GPU_RUNNING ? g->states : 0;
}

void rf_gpu_each(const struct rf_gpu *g, void (*fn)(const struct rf_gpu_use *use, void *arg), void *arg)
{
	rf_gpu_join_each(g->join, fn, arg);
}

void rf_gpu_energy(struct rf_gpu *g, const char *parent, double joules, uint64_t elapsed_ns, rf_gpu_energy_fn fn,
		   void *arg)
{
	if (g)
		rf_gpu_join_energy(g->join, parent, joules, elapsed_ns, fn, arg);
}

void rf_gpu_row(const struct rf_gpu *g, struct rf_gpu_row *ret)
{
	static const char *const phases[] = {
		[OFF] = NULL, [RUNNING] = "starting", [ENDING] = "hung", [WAITING] = "restarting"
	};
	struct rf_gpu_join_stats stats;

	rf_gpu_join_stats(g->join, &stats);
	*ret = (struct rf_gpu_row){ .state = g->told && g->phase != OFF ? rf_gpu_state_name(g->state) :
									  phases[g->phase],
				    .why = g->why,
				    .restarts = g->restarts,
				    .refused = g->refused,
				    .errors = g->errors_before + g->errors,
				    .unjoined = stats.unjoined,
				    .dropped = g->dropped_before + g->dropped + stats.full };
	if (!g->helper) {
		ret->state = "not-installed";
		ret->why = "there is no " HELPER;
	}
}

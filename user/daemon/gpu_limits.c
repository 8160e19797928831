// SPDX-License-Identifier: GPL-2.0-or-later
/* The requests are in a file of memory: nothing has to be written while it reads. */
#include "user/daemon/gpu_limits.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "user/daemon/gpu_process.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"

#define OPTION	  "--set-limits"
#define HANGS_NS  (10 * RF_NSEC_PER_SEC)
#define SELDOM_NS (60 * RF_NSEC_PER_SEC) /* after one that was of no use */

void rf_gpu_limits_start(struct rf_gpu_limits *l, sd_event *event,
			 void (*answer)(const struct rf_gpu_limit_message *m, void *arg), void *arg)
{
	*l = (struct rf_gpu_limits){ .event = event, .answer = answer, .arg = arg, .fd = -1 };
}

static void unplug(struct rf_gpu_limits *l)
{
	l->source = sd_event_source_disable_unref(l->source);
	rf_closep(&l->fd);
	l->len = 0;
	l->over = true;
}

static void blame(struct rf_gpu_limits *l, const char *why)
{
	l->next_ns = rf_clock_monotonic() + SELDOM_NS;
	if (!l->failures++)
		rf_warn("ringfence-gpu " OPTION " %s; it is tried again, and that is not told again", why);
}

static void fail(struct rf_gpu_limits *l, const char *why)
{
	(void)kill(l->pid, SIGKILL);
	unplug(l);
	blame(l, why);
}

static void state_take(struct rf_gpu_limits *l, const struct rf_gpu_state_message *m)
{
	if (m->state == RF_GPU_RUNNING)
		return;
	l->useless = l->running;
	rf_notice("NVIDIA's driver is not asked to limit memory, %s: %s", rf_gpu_state_name(m->state), m->text);
}

static bool message_take(struct rf_gpu_limits *l, const union rf_gpu_message *m)
{
	if (m->header.type == RF_GPU_STATE) {
		state_take(l, &m->state);
	} else if (m->header.type == RF_GPU_LIMIT && m->limit.request < l->n && l->answers < l->n) {
		l->answers++;
		l->good += m->limit.result == 0;
		l->answer(&m->limit, l->arg);
	} else {
		return false;
	}
	return true;
}

static int readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_gpu_limits *l = arg;
	ssize_t got = read(fd, l->buffer + l->len, sizeof(l->buffer) - l->len), n;
	union rf_gpu_message m;
	size_t at = 0;

	(void)source;
	(void)events;
	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			unplug(l);
		return 0;
	}
	l->len += (size_t)got;
	while ((n = rf_gpu_message_parse(l->buffer + at, l->len - at, &m)) > 0) {
		if (!message_take(l, &m)) {
			n = -EBADMSG;
			break;
		}
		at += (size_t)n;
	}
	if (n < 0) {
		fail(l, "said what is no answer");
		return 0;
	}
	memmove(l->buffer, l->buffer + at, l->len - at);
	l->len -= at;
	return 0;
}

bool rf_gpu_limits_ready(const struct rf_gpu_limits *l, const struct rf_gpu *g)
{
	uint64_t running = g ? rf_gpu_running(g) : 0;

	return running && running != l->useless && !l->pid && rf_clock_monotonic() >= l->next_ns;
}

int rf_gpu_limits_ask(struct rf_gpu_limits *l, const struct rf_gpu *g, const struct rf_strbuf *requests, uint32_t n)
{
	_cleanup_close_ int in = memfd_create("limits", MFD_CLOEXEC);
	int r;

	if (in < 0)
		return -errno;
	if (write(in, requests->data, requests->len) != (ssize_t)requests->len || lseek(in, 0, SEEK_SET) < 0)
		return -EIO;
	r = rf_gpu_helper_start(g, OPTION, in, &l->pid, &l->fd);
	if (r < 0)
		return r;
	l->started_ns = rf_clock_monotonic();
	l->running = rf_gpu_running(g);
	l->n = n;
	l->answers = l->good = 0;
	l->over = false;
	r = sd_event_add_io(l->event, &l->source, l->fd, EPOLLIN, readable, l);
	if (r < 0)
		fail(l, "cannot be heard");
	return r < 0 ? r : 0;
}

bool rf_gpu_limits_tick(struct rf_gpu_limits *l)
{
	uint64_t now = rf_clock_monotonic();
	int status;

	if (!l->pid)
		return false;
	/* What it says may wait to be read, where the daemon was busy. */
	for (int i = 0; i < 64 && !l->over && now - l->started_ns > HANGS_NS; i++)
		(void)readable(NULL, l->fd, 0, l);
	if (!l->over && now - l->started_ns > HANGS_NS)
		fail(l, "took more than ten seconds and was killed");
	if (!l->over || !rf_helper_ended(l->pid, &status))
		return false;
	l->pid = 0;
	if (status && now >= l->next_ns)
		blame(l, "ended with a failure");
	else if (!l->good)
		l->next_ns = MAX(l->next_ns, now + SELDOM_NS);
	return true;
}

void rf_gpu_limits_stop(struct rf_gpu_limits *l)
{
	if (!l->event)
		return;
	if (l->pid)
		(void)kill(l->pid, SIGKILL);
	unplug(l);
	l->event = NULL;
}

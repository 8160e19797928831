/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of memory that NVIDIA's driver keeps: ringfence-gpu --set-limits, run
 * once for all that is to be set or to be read back. One at a time; it is never
 * waited for, and one that takes longer than ten seconds is killed.
 */
#ifndef RF_DAEMON_GPU_LIMITS_H
#define RF_DAEMON_GPU_LIMITS_H

#include <systemd/sd-event.h>

#include "user/daemon/gpu.h"
#include "user/lib/strbuf.h"
#include "user/model/gpu_message.h"

struct rf_gpu_limits {
	sd_event *event;
	/* An answer to one of the requests, by its number. */
	void (*answer)(const struct rf_gpu_limit_message *m, void *arg);
	void *arg;

	pid_t pid; /* 0: none runs */
	int fd;
	sd_event_source *source;
	uint64_t started_ns, next_ns;
	uint32_t n;		/* requests that it was given */
	uint32_t answers, good; /* that it gave */
	bool over;		/* it says nothing more, and has yet to end */
	uint64_t running;	/* rf_gpu_running() then */
	uint64_t useless;	/* likewise: that driver, or its library, sets none */
	uint64_t failures;	/* runs that hung, crashed or said nonsense */
	unsigned char buffer[4096];
	size_t len;
};

void rf_gpu_limits_start(struct rf_gpu_limits *l, sd_event *event,
			 void (*answer)(const struct rf_gpu_limit_message *m, void *arg), void *arg);
/* Can it be asked now? It cannot while it runs, and where this driver is known to set none. */
bool rf_gpu_limits_ready(const struct rf_gpu_limits *l, const struct rf_gpu *g);
/* @requests: of rf_memory_request_format(), @n of them. */
int rf_gpu_limits_ask(struct rf_gpu_limits *l, const struct rf_gpu *g, const struct rf_strbuf *requests, uint32_t n);
/* Once a second. True: one has ended since. */
bool rf_gpu_limits_tick(struct rf_gpu_limits *l);
void rf_gpu_limits_stop(struct rf_gpu_limits *l);

#endif

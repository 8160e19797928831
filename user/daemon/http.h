/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTTP listener for a monitoring system: GET and HEAD of /metrics,
 * /healthz and /. The one owner of libmicrohttpd, which runs without threads
 * inside the daemon's event loop:
 *
 *	watch rf_http_fd() for input; when it has some, or when
 *	rf_http_timeout_ns() has passed, call rf_http_run(); then ask for the
 *	timeout again.
 *
 * Whoever can connect can read, so it listens on a loopback address unless
 * told otherwise, and what a client can take is bounded: connections, memory
 * a connection, idle time, renderings a second.
 */
#ifndef RF_DAEMON_HTTP_H
#define RF_DAEMON_HTTP_H

#include <stdint.h>

#include "user/export/metrics.h"
#include "user/lib/strbuf.h"

#define RF_HTTP_CONNECTIONS_MAX	  32
#define RF_HTTP_CONNECTION_MEMORY (16 * 1024) /* bytes: the request's header and the answer's */
#define RF_HTTP_IDLE_S		  10	      /* a connection without progress is closed */
#define RF_HTTP_TIMEOUT_NONE	  UINT64_MAX

struct rf_http_handler {
	/* Appends the exposition; a negative errno becomes a 500. */
	int (*metrics)(enum rf_metrics_format format, struct rf_strbuf *out, void *arg);
	/* 0: healthy. Otherwise @reason, one line of text, becomes the body of a 503. */
	int (*health)(struct rf_strbuf *reason, void *arg);
	void *arg;
	/*
	 * An exposition this young is sent again instead of rendered anew (0: never), so that many requests cost no
	 * more than few.
	 */
	uint64_t metrics_max_age_ns;
};

struct rf_http;

/*
 * @listen: "127.0.0.1:9464", "[::1]:9464", "0.0.0.0:9464", "[::]:9464" (both families), or "9464", ":9464" and
 * "localhost:9464" for 127.0.0.1. Port 0: the kernel chooses. @h is copied. -EINVAL: no such address; -EADDRINUSE:
 * another listener has the port; -EACCES, -EADDRNOTAVAIL, ... as bind(2) tells; -ENOMEM.
 */
int rf_http_start(const char *listen, const struct rf_http_handler *h, struct rf_http **ret);
void rf_http_free(struct rf_http *h); /* closes the connections too */
RF_DEFINE_CLEANUP(struct rf_http, rf_http_free)
#define _cleanup_http_ _cleanup_(rf_http_freep)

int rf_http_fd(const struct rf_http *h);
/* Does what can be done without waiting. 0, or -EIO when the listener is of no further use. */
int rf_http_run(struct rf_http *h);
/* How long may be waited before rf_http_run() is due, whatever the descriptor says; RF_HTTP_TIMEOUT_NONE. */
uint64_t rf_http_timeout_ns(struct rf_http *h);
uint16_t rf_http_port(const struct rf_http *h);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's end of the control protocol: connect, send one line, read
 * lines. It knows nothing of what the lines mean.
 */
#ifndef RF_CLI_CLIENT_H
#define RF_CLI_CLIENT_H

#include "ringfence/control.h"
#include "user/lib/strbuf.h"

/* A host full of workloads does not fit into RF_CONTROL_LINE_MAX; this bounds what a broken daemon makes us hold. */
#define RF_CLIENT_REPLY_MAX (64u * RF_CONTROL_LINE_MAX)

struct rf_client {
	int fd;
	struct rf_strbuf buffer;
	size_t consumed; /* bytes of @buffer that were given out */
	size_t scanned;	 /* bytes after @consumed known to hold no newline */
	bool end;
};

#define RF_CLIENT_INIT	 { .fd = -1, .buffer = RF_STRBUF_INIT }
#define _cleanup_client_ _cleanup_(rf_client_fini)

/* Where the daemon listens: @option, else $RINGFENCE_SOCKET, else the default. */
const char *rf_client_socket(const char *option);

/* -ENAMETOOLONG when @path does not fit a socket address; else what connect(2) says. */
int rf_client_connect(struct rf_client *c, const char *path);
/* Sends @line and a newline. -EPIPE when the daemon hung up. */
int rf_client_send(struct rf_client *c, const char *line, size_t len);
/*
 * The next line, NUL-terminated, without its newline, good until the next call. 1; 0 at the end; -EPROTO when the end
 * came inside a line; -EMSGSIZE past RF_CLIENT_REPLY_MAX; -ETIMEDOUT when nothing came for @timeout_ms (-1: no limit).
 */
int rf_client_next(struct rf_client *c, int timeout_ms, const char **ret_line, size_t *ret_len);
void rf_client_fini(struct rf_client *c);

#endif

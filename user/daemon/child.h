/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child of the daemon that does what the daemon must not wait for: it reads
 * files that others can keep from being read. Requests and answers go by a
 * socket, one message each.
 */
#ifndef RF_DAEMON_CHILD_H
#define RF_DAEMON_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* All 0: there is none. */
struct rf_child {
	pid_t pid;   /* 0: none */
	int socket;  /* to it, while it was not killed */
	bool killed; /* and not gone yet */
};

/* What the child does, with its end of the socket; when it returns, the child ends. @keep: as rf_child_start()'s. */
typedef void (*rf_child_fn)(int socket, int keep, void *arg);

/* 0: there is one, or a place for one; -EBUSY: one that was killed is not gone yet. */
int rf_child_reap(struct rf_child *c);
/* Where there is none. Of the daemon it holds open but stderr and @keep (-1: nothing), by another number. */
int rf_child_start(struct rf_child *c, const char *name, int keep, rf_child_fn fn, void *arg);
/* What it has not answered is not answered any more. It may take its time to go. */
void rf_child_kill(struct rf_child *c);
/* Kills it where it lives, and is rid of it. */
void rf_child_stop(struct rf_child *c);

#endif

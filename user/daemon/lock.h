/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --lock: the daemon lets nobody but itself end or change enforcement. The way
 * out is a token in the state directory that only root can read; and
 * "ringfence.lock=0" on the kernel's command line, with which nothing is locked.
 */
#ifndef RF_DAEMON_LOCK_H
#define RF_DAEMON_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "ringfence/guard_map.h"

struct rf_app;

struct rf_lock {
	uint8_t token[RF_GUARD_TOKEN];
	bool wanted;  /* this daemon locks */
	bool claimed; /* an earlier one did, and let us through */
	unsigned int ticks;
};

/* Before the engine is made. What is wrong was logged. */
int rf_app_lock_prepare(struct rf_app *app);
/* When the first policy is in force, and after each change of what is ours. */
int rf_app_lock_refresh(struct rf_app *app);
/* Once a second. */
void rf_app_lock_tick(struct rf_app *app);
/* @token in hexadecimal. -EACCES: it is another; -ENOENT: nothing is locked. */
int rf_app_lock_open(struct rf_app *app, const char *token, uint32_t for_s);
int rf_app_lock_close(struct rf_app *app);
/* Locked, and not open now. */
bool rf_app_is_locked(const struct rf_app *app);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event loop runs: rings, the one-second tick, signals, HTTP. */
#ifndef RF_DAEMON_LOOP_H
#define RF_DAEMON_LOOP_H

#include "user/daemon/app.h"

/* Opens the rings and adds the loop's sources; events are handled from the first turn of the loop on. */
int rf_app_loop_prepare(struct rf_app *app);
/* Remembers the event and tells those who follow: one of the kernel's, or of the daemon's own making. */
void rf_app_event(struct rf_app *app, const struct rf_event_header *event);
void rf_app_loop_end(struct rf_app *app);
/* A listener that cannot start is an error in the log and in health, not the end of enforcement. */
void rf_app_http_start(struct rf_app *app);

#endif

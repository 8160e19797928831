/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each command of the control protocol does. */
#ifndef RF_DAEMON_COMMANDS_H
#define RF_DAEMON_COMMANDS_H

#include "user/daemon/app.h"
#include "user/daemon/request.h"

/* Appends the answer's lines. */
void rf_command_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out);
/* The last line of a failure; @diags may be NULL. */
void rf_command_fail(struct rf_strbuf *out, int error, const char *text, const char *diags);
void rf_command_event_line(struct rf_strbuf *out, const struct rf_record *record, bool json);

#endif

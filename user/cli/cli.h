/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every subcommand shares: where output goes and how, one call to the
 * daemon, and the errors that are said once, in one line.
 *
 * A subcommand is a row of the table in main.c (or of its group) and a
 * function in a file of its own; it returns the exit status.
 */
#ifndef RF_CLI_CLI_H
#define RF_CLI_CLI_H

#include "user/cli/options.h"
#include "user/cli/render.h"
#include "user/cli/table.h"
#include "user/lib/json.h"
#include "user/lib/json_in.h"

enum rf_exit { RF_EXIT_OK = 0, RF_EXIT_FAILURE = 1, RF_EXIT_USAGE = 2, RF_EXIT_DENY = 3 };

struct rf_command;

struct rf_cli {
	const char *socket;	/* --socket, or NULL */
	bool color;		/* of stdout */
	bool color_error;	/* of stderr */
	unsigned int width;	/* of stdout; 0: no terminal, no limit */
	struct rf_strbuf *held; /* where errors wait while a screen is drawn that would swallow them; NULL: stderr */
	const struct rf_command *command; /* the one that runs */
};

struct rf_command {
	const char *name; /* as typed: "status", "policy check" */
	const char *operands;
	const char *summary;				       /* one line, no full stop */
	const char *help;				       /* more, or NULL */
	int (*run)(struct rf_cli *cli, int argc, char **argv); /* argv without the command's name */
};

int rf_command_status(struct rf_cli *cli, int argc, char **argv);
int rf_command_workloads(struct rf_cli *cli, int argc, char **argv);
int rf_command_top(struct rf_cli *cli, int argc, char **argv);
int rf_command_events(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_check(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_explain(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_reference(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_list(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_show(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_test(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_learn(struct rf_cli *cli, int argc, char **argv);
int rf_command_policy_diff(struct rf_cli *cli, int argc, char **argv);
int rf_command_apply(struct rf_cli *cli, int argc, char **argv);
int rf_command_confirm(struct rf_cli *cli, int argc, char **argv);
int rf_command_rollback(struct rf_cli *cli, int argc, char **argv);
int rf_command_reload(struct rf_cli *cli, int argc, char **argv);
int rf_command_unlock(struct rf_cli *cli, int argc, char **argv);
int rf_command_lock(struct rf_cli *cli, int argc, char **argv);
int rf_command_accel(struct rf_cli *cli, int argc, char **argv);
int rf_command_lineage(struct rf_cli *cli, int argc, char **argv);
int rf_command_detach(struct rf_cli *cli, int argc, char **argv);

/* Finds @name among @commands (compared with the last word of each) and runs it; else says what is near. */
int rf_cli_dispatch(struct rf_cli *cli, const struct rf_command *commands, size_t n, const char *group, int argc,
		    char **argv);

/*
 * Reads the command's options, --socket and --help. true: go on with *ret_n operands in @argv, of which there are
 * @min..@max (-1: any number). false: return *ret_exit.
 */
bool rf_cli_options(struct rf_cli *cli, const struct rf_option *options, size_t n, int argc, char **argv, int min,
		    int max, int *ret_n, int *ret_exit);

/* "ringfence: " and one line to stderr. The text is escaped. */
void rf_cli_error(const struct rf_cli *cli, const char *fmt, ...) RF_PRINTF(2, 3);
/* The same with "Try: ringfence COMMAND --help"; RF_EXIT_USAGE. */
int rf_cli_usage(const struct rf_cli *cli, const char *fmt, ...) RF_PRINTF(2, 3);
/* Writes @text to stdout; RF_EXIT_OK, or RF_EXIT_FAILURE when it could not be built (-ENOMEM). */
int rf_cli_print(const struct rf_cli *cli, const struct rf_strbuf *text);

/* Opens the object {"v", "cmd"}; the caller adds members and rf_cli_call() closes it. */
void rf_cli_request(struct rf_json *j, struct rf_strbuf *out, const char *command);

/* A member (or, with @key NULL, an element) that names a file for the daemon. A path that is not there is said. */
int rf_cli_add_path(const struct rf_cli *cli, struct rf_json *j, const char *key, const char *path);

struct rf_reply {
	struct rf_strbuf line; /* the last line as it came */
	struct rf_jin *root;
};

#define RF_REPLY_INIT	{ .line = RF_STRBUF_INIT }
#define _cleanup_reply_ _cleanup_(rf_reply_fini)
void rf_reply_fini(struct rf_reply *r);

#define RF_CLI_TIMEOUT_MS (60 * 1000)

/* A line before the last one. Non-zero ends the call, which returns it. */
typedef int (*rf_cli_line_fn)(struct rf_cli *cli, const struct rf_jin *line, const char *text, size_t len, void *arg);

/*
 * One request and its reply. 0: the last line said ok. Negative: an error was said on stderr ("diags" of the reply
 * before it). @each may be NULL. @timeout_ms between lines, -1: none.
 */
int rf_cli_call(struct rf_cli *cli, struct rf_json *j, const struct rf_strbuf *request, rf_cli_line_fn each, void *arg,
		int timeout_ms, struct rf_reply *ret);
/* The same, of a command that takes no members and answers in one line. */
int rf_cli_ask(struct rf_cli *cli, const char *command, struct rf_reply *ret);
/* What --json prints: the reply as it came, safe for a terminal, and a newline. */
int rf_cli_print_json(const struct rf_cli *cli, const char *text, size_t len);

#endif

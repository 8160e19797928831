// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence: asks and tells the daemon; checks and explains policies without
 * it. A row of the table is a subcommand.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "user/cli/cli.h"

static int command_help(struct rf_cli *cli, int argc, char **argv);
static int command_version(struct rf_cli *cli, int argc, char **argv);

static const struct rf_command commands[] = {
	{ "status", NULL, "what the daemon does, can do, and lost", NULL, rf_command_status },
	{ "workloads", NULL, "the workloads and what is in force for each", NULL, rf_command_workloads },
	{ "top", NULL, "what the workloads take and are denied, per second",
	  "Keys: q quits; c, m, n, d sort by CPU, memory, network, denials.", rf_command_top },
	{ "events", NULL, "what happened, and with -f what happens", NULL, rf_command_events },
	{ "accel", NULL, "the accelerators, who uses them, and how much",
	  "Of workloads: jobs that ended, what they took and waited, their share of what all of them took of the\n"
	  "device, and memory.",
	  rf_command_accel },
	{ "lineage", "[DATASET|MODEL|WORKLOAD]", "where data came from and where it went",
	  "What workloads read of labelled trees and wrote, through as many steps as were seen. Without an argument,\n"
	  "what there is to ask about.",
	  rf_command_lineage },
	{ "policy", "COMMAND", "check, explain, list, show, test policies", NULL, rf_command_policy },
	{ "apply", "PATH...", "put policy files or directories in force",
	  "All of them or none: with an error anywhere, what was in force stays. A file replaces the one of the same\n"
	  "name; the others stay unless --replace is given. What was applied is written to the policy directory,\n"
	  "with --confirm once it is confirmed.",
	  rf_command_apply },
	{ "confirm", NULL, "keep what \"apply --confirm\" put in force", NULL, rf_command_confirm },
	{ "rollback", NULL, "put the policies before the last apply back in force", NULL, rf_command_rollback },
	{ "reload", NULL, "read the policy directory again", NULL, rf_command_reload },
	{ "detach", NULL, "end all enforcement and the daemon", "Every workload of this host is then without policy.",
	  rf_command_detach },
	{ "unlock", NULL, "let others end or change enforcement for a while",
	  "Of a daemon that was started with --lock.", rf_command_unlock },
	{ "lock", NULL, "end what \"unlock\" began", NULL, rf_command_lock },
	{ "version", NULL, "print the version", NULL, command_version },
	{ "help", "[COMMAND]", "show what the commands are", NULL, command_help },
};

static int overview(const struct rf_cli *cli)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_strbuf_adds(&out, "usage: ringfence [--socket PATH] COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		rf_strbuf_addf(&out, "  %-10s  %s\n", commands[i].name, commands[i].summary);
	rf_strbuf_adds(&out, "\n\"ringfence COMMAND --help\" tells a command's options; ringfence(1) tells it all.\n");
	return rf_cli_print(cli, &out);
}

static int command_help(struct rf_cli *cli, int argc, char **argv)
{
	char *option = (char[]){ "--help" };
	int n, status;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 2, &n, &status))
		return status;
	if (n == 0)
		return overview(cli);
	if (n == 2) /* "help policy check" */
		return rf_cli_dispatch(cli, commands, ARRAY_SIZE(commands), "", 3,
				       (char *[]){ argv[0], argv[1], option, NULL });
	return rf_cli_dispatch(cli, commands, ARRAY_SIZE(commands), "", 2, (char *[]){ argv[0], option, NULL });
}

static int command_version(struct rf_cli *cli, int argc, char **argv)
{
	int n, status;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 0, &n, &status))
		return status;
	puts("ringfence " RF_VERSION);
	return RF_EXIT_OK;
}

/* Colour only for a person who has not said no (https://no-color.org). */
static bool want_color(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && !(no && *no) && !(term && rf_streq(term, "dumb"));
}

static unsigned int terminal_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static int run(struct rf_cli *cli, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (*word != '-')
			return rf_cli_dispatch(cli, commands, ARRAY_SIZE(commands), "", argc - i, argv + i);
		if (rf_streq(word, "--help") || rf_streq(word, "-h"))
			return overview(cli);
		if (rf_streq(word, "--version"))
			return command_version(cli, 0, argv);
		if (rf_strprefix(word, "--socket=")) {
			cli->socket = word + strlen("--socket=");
			continue;
		}
		if (!rf_streq(word, "--socket")) {
			rf_cli_error(cli, "unknown option \"%s\" before the command (try \"ringfence help\")", word);
			return RF_EXIT_USAGE;
		}
		if (++i == argc) {
			rf_cli_error(cli, "--socket needs PATH (try \"ringfence help\")");
			return RF_EXIT_USAGE;
		}
		cli->socket = argv[i];
	}
	rf_cli_error(cli, "no command (try \"ringfence help\")");
	return RF_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct rf_cli cli = {
		.color = want_color(stdout),
		.color_error = want_color(stderr),
		.width = terminal_width(),
	};
	int status;

	/* "ringfence events -f | head" ends without a word, whatever the parent made of SIGPIPE. */
	signal(SIGPIPE, SIG_DFL);
	status = run(&cli, argc, argv);
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
		rf_cli_error(&cli, "cannot write the output: %s", strerror(errno));
		return RF_EXIT_FAILURE;
	}
	return status;
}

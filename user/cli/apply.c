// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What changes the policy in force: apply, and the four that only name a
 * command: confirm, rollback, reload, detach.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ringfence/limits.h"
#include "user/cli/cli.h"

static int print_applied(const struct rf_cli *cli, const struct rf_jin *root)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	const struct rf_jin *a = rf_jin_get(root, "applied");
	int64_t confirm = rf_jin_i64(a, "confirm_s", 0);

	rf_strbuf_addf(&out, "generation %" PRId64 " is in force: %" PRId64 " policies, %" PRId64 " workloads\n",
		       rf_jin_i64(a, "generation", 0), rf_jin_i64(a, "policies", 0), rf_jin_i64(a, "workloads", 0));
	if (confirm > 0)
		rf_strbuf_addf(&out,
			       "run \"ringfence confirm\" within %" PRId64 "s, or the former policies come back\n",
			       confirm);
	return rf_cli_print(cli, &out);
}

static int add_paths(const struct rf_cli *cli, struct rf_json *j, char **paths, int n)
{
	rf_json_array(j, "paths");
	for (int i = 0; i < n; i++) {
		int r = rf_cli_add_path(cli, j, NULL, paths[i]);

		if (r < 0)
			return r;
	}
	rf_json_array_end(j);
	return 0;
}

int rf_command_apply(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	unsigned int confirm = 0;
	bool replace = false, force = false;
	const struct rf_option options[] = {
		{ "confirm", 0, "TIME", "undo unless \"ringfence confirm\" comes within TIME (60s, 10m)",
		  RF_OPTION_DURATION, &confirm, RF_CONFIRM_MIN_S, RF_CONFIRM_MAX_S },
		{ "replace", 0, NULL, "drop the policies that PATH does not hold", RF_OPTION_FLAG, &replace, 0, 0 },
		{ "force", 0, NULL, "even what covers the host's own management (sshd, systemd, ...)", RF_OPTION_FLAG,
		  &force, 0, 0 },
	};
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 1, -1, &n, &status))
		return status;
	rf_cli_request(&j, &request, "apply");
	if (add_paths(cli, &j, argv, n) < 0)
		return RF_EXIT_FAILURE;
	if (confirm)
		rf_json_u64(&j, "confirm_s", confirm);
	rf_json_bool(&j, "replace", replace);
	rf_json_bool(&j, "force", force);
	if (rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	return print_applied(cli, reply.root);
}

int rf_command_confirm(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	int n, status;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 0, &n, &status))
		return status;
	if (rf_cli_ask(cli, "confirm", &reply) < 0)
		return RF_EXIT_FAILURE;
	puts("confirmed: what is in force stays");
	return RF_EXIT_OK;
}

int rf_command_rollback(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	int n, status;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 0, &n, &status))
		return status;
	if (rf_cli_ask(cli, "rollback", &reply) < 0)
		return RF_EXIT_FAILURE;
	return print_applied(cli, reply.root);
}

int rf_command_reload(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	bool force = false;
	const struct rf_option options[] = {
		{ "force", 0, NULL, "even what is unchanged, was rolled back, or covers the host's own management",
		  RF_OPTION_FLAG, &force, 0, 0 },
	};
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	rf_cli_request(&j, &request, "reload");
	rf_json_bool(&j, "force", force);
	if (rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	return print_applied(cli, reply.root);
}

/* A person is asked; a script has already decided. */
static bool agreed(void)
{
	char answer[8];

	if (!isatty(STDIN_FILENO))
		return true;
	fputs("Every workload of this host will be without policy. Go on? [y/N] ", stderr);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

int rf_command_detach(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	bool yes = false;
	const struct rf_option options[] = {
		{ "yes", 'y', NULL, "do not ask", RF_OPTION_FLAG, &yes, 0, 0 },
	};
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	if (!yes && !agreed())
		return RF_EXIT_FAILURE;
	if (rf_cli_ask(cli, "detach", &reply) < 0)
		return RF_EXIT_FAILURE;
	printf("detached: %" PRId64 " links, maps and programs removed; ringfenced ends\n",
	       rf_jin_i64(reply.root, "removed", 0));
	return RF_EXIT_OK;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence unlock, lock: the way out of ringfenced --lock, by the token that root alone can read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "ringfence/limits.h"
#include "user/cli/cli.h"
#include "user/lib/fs.h"

#define TOKEN_PATH "/var/lib/ringfence/lock.token"

int rf_command_unlock(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	_cleanup_free_ char *token = NULL;
	const char *path = TOKEN_PATH;
	unsigned int time_s = RF_UNLOCK_S;
	const struct rf_option options[] = {
		{ "for", 0, "TIME", "how long it is open (60s, 10m; 10m)", RF_OPTION_DURATION, &time_s, 1,
		  RF_UNLOCK_MAX_S },
		{ "token", 0, "FILE", "where the token is (" TOKEN_PATH ")", RF_OPTION_STRING, &path, 0, 0 },
	};
	struct rf_json j;
	size_t len;
	int n, status, r;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	r = rf_fs_read(AT_FDCWD, path, 4096, &token, &len);
	if (r < 0) {
		rf_cli_error(cli, "cannot read the token of the lock in %s: %s", path, strerror(-r));
		return RF_EXIT_FAILURE;
	}
	token[strcspn(token, "\n")] = '\0';
	rf_cli_request(&j, &request, "unlock");
	rf_json_string(&j, "token", token);
	rf_json_u64(&j, "for_s", time_s);
	explicit_bzero(token, len);
	r = rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply);
	if (r < 0)
		return RF_EXIT_FAILURE;
	printf("unlocked for %u s; \"ringfence lock\" ends it\n", time_s);
	return RF_EXIT_OK;
}

int rf_command_lock(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	int n, status;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 0, &n, &status))
		return status;
	if (rf_cli_ask(cli, "lock", &reply) < 0)
		return RF_EXIT_FAILURE;
	puts("locked");
	return RF_EXIT_OK;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence policy explain and reference: the schema, told from the table that the parser uses. */
#include "user/policy/explain.h"

#include <errno.h>
#include <stdio.h>

#include "user/cli/cli.h"
#include "user/policy/reference.h"

int rf_command_policy_explain(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT, escaped = RF_STRBUF_INIT;
	int n, status, r;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 1, &n, &status))
		return status;
	r = rf_policy_explain(n ? argv[0] : "", &out);
	if (r == -ENOENT) {
		/* the nearest names are already in it */
		rf_render_escape(&escaped, rf_strbuf_str(&out), true);
		fputs(rf_strbuf_str(&escaped), stderr);
		if (escaped.len && escaped.data[escaped.len - 1] != '\n')
			fputc('\n', stderr);
		return RF_EXIT_FAILURE;
	}
	if (r < 0) {
		rf_cli_error(cli, "cannot explain it: %s", strerror(-r));
		return RF_EXIT_FAILURE;
	}
	return rf_cli_print(cli, &out);
}

int rf_command_policy_reference(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	int n, status, r;

	if (!rf_cli_options(cli, NULL, 0, argc, argv, 0, 0, &n, &status))
		return status;
	r = rf_policy_reference(&out);
	if (r < 0) {
		rf_cli_error(cli, "cannot write the reference: %s", strerror(-r));
		return RF_EXIT_FAILURE;
	}
	return rf_cli_print(cli, &out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence policy list and show: what is in force, for the host and for one workload. */
#include <inttypes.h>

#include "user/cli/cli.h"

int rf_command_policy_list(struct rf_cli *cli, int argc, char **argv)
{
	static const struct rf_column columns[] = {
		{ "POLICY", RF_FIT_CUT },      { "MODE", RF_FIT_LEFT },	 { "PRIORITY", RF_FIT_RIGHT },
		{ "WORKLOADS", RF_FIT_RIGHT }, { "PLACE", RF_FIT_WRAP },
	};
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	const struct rf_jin *list;
	bool json = false;
	const struct rf_option options[] = {
		{ "json", 0, NULL, "print the daemon's reply as it is, one line of JSON", RF_OPTION_FLAG, &json, 0, 0 },
	};
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	if (rf_cli_ask(cli, "policies", &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return rf_cli_print_json(cli, reply.line.data, reply.line.len);
	list = rf_jin_get(reply.root, "policies");
	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *p = rf_jin_at(list, i);
		const char *mode = rf_jin_string(p, "mode", "?");

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(p, "name", "?"));
		rf_table_add(&t, rf_streq(mode, "enforce") ? RF_COLOR_GREEN : RF_COLOR_YELLOW, mode);
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, rf_jin_i64(p, "priority", 0));
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, rf_jin_i64(p, "workloads", 0));
		rf_table_addf(&t, RF_COLOR_NONE, "%s:%" PRId64, rf_jin_string(p, "file", "?"),
			      rf_jin_i64(p, "line", 0));
	}
	if (t.n_cells || t.error)
		rf_table_print(&t, &out, cli->width, cli->color);
	else
		rf_strbuf_adds(&out, "No policy is in force.\n");
	return rf_cli_print(cli, &out);
}

int rf_command_policy_show(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT, out = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	bool json = false;
	const struct rf_option options[] = {
		{ "json", 0, NULL, "print the daemon's reply as it is, one line of JSON", RF_OPTION_FLAG, &json, 0, 0 },
	};
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 1, 1, &n, &status))
		return status;
	rf_cli_request(&j, &request, "policy-show");
	rf_json_string(&j, "workload", argv[0]);
	if (rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return rf_cli_print_json(cli, reply.line.data, reply.line.len);
	rf_render_escape(&out, rf_jin_string(reply.root, "text", ""), true);
	if (out.len && out.data[out.len - 1] != '\n')
		rf_strbuf_adds(&out, "\n");
	return rf_cli_print(cli, &out);
}

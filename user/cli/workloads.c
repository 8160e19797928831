// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence workloads: who is managed, and by what. */
#include <inttypes.h>

#include "user/cli/cli.h"

/* The sum of the counters that are told; "-" when none is. */
static void add_denied(struct rf_table *t, const struct rf_jin *counters)
{
	static const char *const keys[] = { "egress_deny", "ingress_deny",   "device_deny",
					    "socket_deny", "isolation_deny", "kernel_deny",
					    "file_deny",   "exec_deny",	     "accel_deny" };
	int64_t sum = 0;
	bool told = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t n = rf_jin_i64(counters, keys[i], -1);

		if (n >= 0) {
			sum += n;
			told = true;
		}
	}
	if (told)
		rf_table_addf(t, sum ? RF_COLOR_RED : RF_COLOR_NONE, "%" PRId64, sum);
	else
		rf_table_add(t, RF_COLOR_NONE, "-");
}

static void add_row(struct rf_table *t, const struct rf_jin *w)
{
	const struct rf_jin *policies = rf_jin_get(w, "policies");
	_cleanup_strbuf_ struct rf_strbuf names = RF_STRBUF_INIT;
	int64_t tasks = rf_jin_i64(w, "tasks", -1), memory = rf_jin_i64(w, "memory_bytes", -1);
	const char *mode = rf_jin_string(w, "mode", "?");
	char text[RF_RENDER_MAX] = "-";
	enum rf_color c = RF_COLOR_NONE;

	if (memory >= 0)
		rf_render_bytes(text, (uint64_t)memory);
	for (size_t i = 0; i < rf_jin_len(policies); i++)
		rf_strbuf_addf(&names, "%s%s", i ? ", " : "", rf_jin_as_string(rf_jin_at(policies, i), "?"));
	if (rf_streq(mode, "enforce"))
		c = RF_COLOR_GREEN;
	else if (!rf_streq(mode, "none"))
		c = RF_COLOR_YELLOW;
	rf_table_add(t, RF_COLOR_NONE, rf_jin_string(w, "name", "?"));
	rf_table_add(t, RF_COLOR_NONE, rf_jin_string(rf_jin_get(w, "identity"), "manager", "-"));
	rf_table_add(t, c, mode);
	if (tasks >= 0)
		rf_table_addf(t, RF_COLOR_NONE, "%" PRId64, tasks);
	else
		rf_table_add(t, RF_COLOR_NONE, "-");
	rf_table_add(t, RF_COLOR_NONE, text);
	add_denied(t, rf_jin_get(w, "counters"));
	rf_table_add(t, RF_COLOR_NONE, rf_strbuf_error(&names) ? NULL : rf_strbuf_str(&names));
}

int rf_command_workloads(struct rf_cli *cli, int argc, char **argv)
{
	static const struct rf_column columns[] = {
		{ "WORKLOAD", RF_FIT_CUT },  { "MANAGER", RF_FIT_LEFT }, { "MODE", RF_FIT_LEFT },
		{ "TASKS", RF_FIT_RIGHT },   { "MEMORY", RF_FIT_RIGHT }, { "DENIED", RF_FIT_RIGHT },
		{ "POLICIES", RF_FIT_WRAP },
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
	if (rf_cli_ask(cli, "workloads", &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return rf_cli_print_json(cli, reply.line.data, reply.line.len);
	list = rf_jin_get(reply.root, "workloads");
	for (size_t i = 0; i < rf_jin_len(list); i++)
		add_row(&t, rf_jin_at(list, i));
	if (t.n_cells || t.error)
		rf_table_print(&t, &out, cli->width, cli->color);
	else
		rf_strbuf_adds(&out, "No workload is selected by a policy.\n");
	return rf_cli_print(cli, &out);
}

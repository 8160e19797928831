// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence lineage: where data came from and where it went. */
#include "user/cli/lineage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ringfence/limits.h"

/* The edges, as they came. */
static int take_line(struct rf_cli *cli, const struct rf_jin *line, const char *text, size_t len, void *arg)
{
	struct rf_strbuf *edges = arg;

	(void)cli;
	if (!rf_jin_get(line, "edge"))
		return 0; /* a kind of line that a later daemon may send */
	rf_strbuf_adds(edges, edges->len ? "," : "");
	rf_strbuf_add(edges, text, len);
	return 0;
}

/* What the answer does not cover, on stderr. */
static void add_notes(const struct rf_jin *s)
{
	int64_t left_out = rf_jin_i64(s, "left_out", 0), dropped = rf_jin_i64(s, "dropped", 0);

	if (left_out)
		fprintf(stderr, "note: the graph is cut: %" PRId64 " more than the %d edges that are shown\n", left_out,
			RF_LINEAGE_EDGES);
	if (dropped)
		fprintf(stderr, "note: %" PRId64 " rows were forgotten, for there is room for %d\n", dropped,
			RF_MAX_LINEAGE);
	if (rf_jin_get(s, "missing"))
		fprintf(stderr, "note: nothing new is recorded on this host: %s\n", rf_jin_string(s, "missing", "?"));
}

/* Which labels and workloads can be asked about. */
static void known_text(const struct rf_cli *cli, const struct rf_jin *s, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = { { "KIND", RF_FIT_LEFT },
						    { "NAME", RF_FIT_CUT },
						    { "TENANT", RF_FIT_LEFT } };
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	const struct rf_jin *labels = rf_jin_get(s, "labels"), *workloads = rf_jin_get(s, "workloads");

	for (size_t i = 0; i < rf_jin_len(labels); i++) {
		const struct rf_jin *label = rf_jin_at(labels, i);

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(label, "kind", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(label, "name", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(label, "tenant", NULL));
	}
	for (size_t i = 0; i < rf_jin_len(workloads); i++) {
		rf_table_add(&t, RF_COLOR_NONE, "workload");
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_as_string(rf_jin_at(workloads, i), "?"));
		rf_table_add(&t, RF_COLOR_NONE, NULL);
	}
	if (t.n_cells || t.error)
		rf_table_print(&t, out, cli->width, cli->color);
	else
		rf_strbuf_adds(out, "No workload has read of a label or written to one.\n");
}

static int print_json(const struct rf_cli *cli, const struct rf_strbuf *edges, const struct rf_reply *reply)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	/* {"edges":[...],"ok":true,"lineage":{...}}: the daemon's last line with the others put into it. */
	rf_strbuf_addf(&out, "{\"edges\":[%s],", rf_strbuf_str(edges));
	rf_strbuf_adds(&out, rf_strbuf_str(&reply->line) + 1);
	if (rf_strbuf_error(edges) || rf_strbuf_error(&out)) {
		rf_cli_error(cli, "out of memory");
		return RF_EXIT_FAILURE;
	}
	return rf_cli_print_json(cli, out.data, out.len);
}

static int print_graph(const struct rf_cli *cli, const char *subject, bool dot, const struct rf_strbuf *edges,
		       const struct rf_jin *summary)
{
	_cleanup_strbuf_ struct rf_strbuf list = RF_STRBUF_INIT, out = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;
	int r, status;

	rf_strbuf_addf(&list, "[%s]", rf_strbuf_str(edges));
	r = rf_strbuf_error(edges) ? rf_strbuf_error(edges) : rf_strbuf_error(&list);
	if (r >= 0)
		r = rf_jin_parse(list.data, list.len, &root, NULL);
	if (r < 0) {
		rf_cli_error(cli, "reading the graph: %s", strerror(-r));
		return RF_EXIT_FAILURE;
	}
	if (!subject)
		known_text(cli, summary, &out);
	else if (dot)
		rf_lineage_dot(root, summary, &out);
	else
		rf_lineage_text(root, summary, cli->width, &out);
	status = rf_cli_print(cli, &out);
	fflush(stdout);
	add_notes(summary);
	return status;
}

int rf_command_lineage(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT, edges = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	const char *output = "text";
	bool json = false;
	const struct rf_option options[] = {
		{ "output", 'o', "FORMAT", "text, json or dot (for Graphviz)", RF_OPTION_STRING, &output, 0, 0 },
		{ "json", 0, NULL, "the same as --output json: one JSON object", RF_OPTION_FLAG, &json, 0, 0 },
	};
	struct rf_json j;
	int n, status;
	bool dot;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 1, &n, &status))
		return status;
	dot = rf_streq(output, "dot");
	if (!dot && !rf_streq(output, "json") && !rf_streq(output, "text"))
		return rf_cli_usage(cli, "--output is text, json or dot, not \"%s\"", output);
	if (dot && !n)
		return rf_cli_usage(cli, "--output dot needs a label or a workload");
	json |= rf_streq(output, "json");
	rf_cli_request(&j, &request, "lineage");
	if (n)
		rf_json_string(&j, "subject", argv[0]);
	if (rf_cli_call(cli, &j, &request, take_line, &edges, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return print_json(cli, &edges, &reply);
	return print_graph(cli, n ? argv[0] : NULL, dot, &edges, rf_jin_get(reply.root, "lineage"));
}

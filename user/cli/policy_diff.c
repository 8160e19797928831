// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence policy diff: which of the recorded flows two policy sets judge
 * differently. Two lines below each row say by what rule, because a row of 80
 * columns has no room for it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "ringfence/control.h"
#include "user/cli/cli.h"

/* As those of diff(1). */
enum { EXIT_SAME = 0, EXIT_DIFFERS = 1, EXIT_TROUBLE = 2 };

#define INDENT "  "

struct diff {
	bool json;
	struct rf_table table;
	struct rf_strbuf flows;	  /* JSON: the lines, with commas between */
	struct rf_strbuf details; /* text: what stands below each row, ended by a NUL */
};

static enum rf_color verdict_color(const char *verdict)
{
	if (rf_streq(verdict, "allow"))
		return RF_COLOR_GREEN;
	return rf_streq(verdict, "deny") ? RF_COLOR_RED : RF_COLOR_YELLOW;
}

/* @text, broken at spaces where it passes @width (0: nowhere), and a newline; what goes on is indented twice. */
static void wrapped(struct rf_strbuf *out, const char *text, unsigned int width)
{
	size_t column = 0;

	rf_strbuf_adds(out, INDENT);
	for (column = strlen(INDENT); *text;) {
		size_t bytes = strcspn(text, " ");
		_cleanup_free_ char *word = strndup(text, bytes);
		size_t columns = word ? rf_render_width(word) : bytes;

		if (width && column > 2 * strlen(INDENT) && column + 1 + columns > width) {
			rf_strbuf_adds(out, "\n" INDENT INDENT INDENT);
			column = 3 * strlen(INDENT);
		} else if (column > strlen(INDENT)) {
			rf_strbuf_addc(out, ' ');
			column++;
		}
		rf_strbuf_add(out, text, bytes);
		column += columns;
		text += bytes;
		text += strspn(text, " ");
	}
	rf_strbuf_addc(out, '\n');
}

static void add_rule(struct rf_strbuf *out, const char *label, const struct rf_jin *answer, unsigned int width)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, escaped = RF_STRBUF_INIT;
	const char *policy = rf_jin_string(answer, "policy", NULL);

	rf_strbuf_addf(&text, "%s: ", label);
	if (policy)
		rf_strbuf_addf(&text, "policy %s, rule \"%s\" (%s:%" PRId64 ")", policy,
			       rf_jin_string(answer, "rule", "?"), rf_jin_string(answer, "file", "?"),
			       rf_jin_i64(answer, "line", 0));
	else
		rf_strbuf_adds(&text, "no policy speaks of it");
	rf_render_escape(&escaped, rf_strbuf_str(&text), false);
	wrapped(out, rf_strbuf_str(&escaped), width);
}

/* Who it is where the row shows another of its names, or too little of it. */
static void add_peer(struct rf_strbuf *out, const struct rf_jin *peer, unsigned int width)
{
	const char *address = rf_jin_string(peer, "address", "?"), *workload = rf_jin_string(peer, "workload", NULL),
		   *name = rf_jin_string(peer, "name", NULL);
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, escaped = RF_STRBUF_INIT;

	if (!workload && !name && !strchr(address, ':'))
		return;
	rf_strbuf_addf(&text, "peer: %s%s%s%s%s", address, workload ? ", " : "", workload ? workload : "",
		       name ? ", " : "", name ? name : "");
	rf_render_escape(&escaped, rf_strbuf_str(&text), false);
	wrapped(out, rf_strbuf_str(&escaped), width);
}

static void add_row(struct diff *d, const struct rf_jin *flow, unsigned int width)
{
	const struct rf_jin *peer = rf_jin_get(flow, "peer"), *old = rf_jin_get(flow, "old"),
			    *new = rf_jin_get(flow, "new");
	const char *was = rf_jin_string(old, "verdict", "?"), *now = rf_jin_string(new, "verdict", "?"),
		   *protocol = rf_jin_string(flow, "protocol", "?"), *who = rf_jin_string(peer, "workload", NULL);
	uint64_t bytes = (uint64_t)rf_jin_i64(flow, "tx_bytes", 0) + (uint64_t)rf_jin_i64(flow, "rx_bytes", 0);
	int64_t last = rf_jin_i64(flow, "last_s", 0), port = rf_jin_i64(flow, "port", 0);
	char number[RF_RENDER_MAX];
	struct rf_table *t = &d->table;

	rf_table_add(t, verdict_color(was), was);
	rf_table_add(t, verdict_color(now), now);
	rf_table_add(t, RF_COLOR_NONE, rf_jin_string(flow, "workload", "?"));
	rf_table_addf(t, RF_COLOR_NONE, "%s %s",
		      rf_streq(rf_jin_string(flow, "direction", ""), "ingress") ? "from" : "to",
		      who ? who : rf_jin_string(peer, "address", "?"));
	if (port)
		rf_table_addf(t, RF_COLOR_NONE, "%" PRId64 "/%s", port, protocol);
	else
		rf_table_add(t, RF_COLOR_NONE, protocol);
	rf_render_short(number, (double)rf_jin_i64(flow, "times", 0), 1000);
	rf_table_add(t, RF_COLOR_NONE, number);
	/* Connects, accepts and denials tell no bytes. */
	rf_render_short(number, (double)bytes, 1024);
	rf_table_add(t, RF_COLOR_NONE, bytes ? number : "-");
	/* Its largest unit alone. */
	rf_render_duration(number, last < 0 ? 0 : (uint64_t)last);
	number[strcspn(number, " ")] = '\0';
	rf_table_add(t, RF_COLOR_NONE, number);

	add_peer(&d->details, peer, width);
	add_rule(&d->details, "was", old, width);
	add_rule(&d->details, "now", new, width);
	rf_strbuf_addc(&d->details, '\0');
}

static int take_line(struct rf_cli *cli, const struct rf_jin *line, const char *text, size_t len, void *arg)
{
	struct diff *d = arg;

	if (!rf_jin_get(line, "change"))
		return 0; /* a kind of line that a later daemon may send */
	if (!d->json) {
		add_row(d, line, cli->width);
		return 0;
	}
	if (d->flows.len)
		rf_strbuf_addc(&d->flows, ',');
	rf_strbuf_add(&d->flows, text, len);
	return 0;
}

/* {"flows":[...],"ok":true,"summary":{...}}: the daemon's last line with the others put into it. */
static int print_json(const struct rf_cli *cli, const struct diff *d, const struct rf_reply *reply)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_strbuf_addf(&out, "{\"flows\":[%s],", rf_strbuf_str(&d->flows));
	rf_strbuf_adds(&out, rf_strbuf_str(&reply->line) + 1);
	if (rf_strbuf_error(&d->flows) || rf_strbuf_error(&out)) {
		rf_cli_error(cli, "out of memory");
		return RF_EXIT_FAILURE;
	}
	return rf_cli_print_json(cli, out.data, out.len);
}

/* The rows of the table, each with its details below it. */
static void add_flows(const struct rf_cli *cli, const struct diff *d, struct rf_strbuf *out)
{
	_cleanup_strbuf_ struct rf_strbuf rows = RF_STRBUF_INIT;
	const char *row, *details = rf_strbuf_str(&d->details);

	if (!d->table.n_cells && !d->table.error)
		return;
	rf_table_print(&d->table, &rows, cli->width, cli->color);
	if (rf_strbuf_error(&rows) || rf_strbuf_error(&d->details)) {
		out->error = rf_strbuf_error(&rows) ? rf_strbuf_error(&rows) : rf_strbuf_error(&d->details);
		return;
	}
	row = rf_strbuf_str(&rows);
	for (bool title = true; *row; title = false) {
		size_t len = strcspn(row, "\n") + 1;

		rf_strbuf_add(out, row, len);
		row += len;
		if (title)
			continue;
		rf_strbuf_adds(out, details);
		details += strlen(details) + 1;
	}
	rf_strbuf_addc(out, '\n');
}

static void add_count(struct rf_strbuf *out, const struct rf_jin *summary, const char *key, const char *text,
		      bool always)
{
	int64_t n = rf_jin_i64(summary, key, 0);

	if (n || always)
		rf_strbuf_addf(out, ", %" PRId64 " %s", n, text);
}

static void add_summary(const struct rf_jin *s, struct rf_strbuf *out)
{
	int64_t flows = rf_jin_i64(s, "flows", 0), since = rf_jin_i64(s, "since_s", 0);
	char time[RF_RENDER_MAX];

	rf_render_duration(time, since < 0 ? 0 : (uint64_t)since);
	rf_strbuf_addf(out, "%" PRId64 " flow%s of the last %s: %" PRId64 " newly denied", flows, flows == 1 ? "" : "s",
		       since == RF_FLOW_HISTORY_S ? "24 h" : time, rf_jin_i64(s, "newly_denied", 0));
	add_count(out, s, "newly_allowed", "newly allowed", true);
	add_count(out, s, "newly_reported", "newly reported by mode audit", false);
	add_count(out, s, "no_longer_reported", "no longer reported", false);
	add_count(out, s, "unchanged", "unchanged", true);
	rf_strbuf_adds(out, "\n");
}

/* What the answer does not cover, on stderr. */
static void add_notes(const struct rf_jin *s)
{
	int64_t missing = rf_jin_i64(s, "policies_missing", 0), silent = rf_jin_i64(s, "workloads_silent", 0),
		left_out = rf_jin_i64(s, "left_out", 0), dropped = rf_jin_i64(s, "dropped", 0);

	if (missing)
		fprintf(stderr,
			"note: %" PRId64 " polic%s of OLD %s not in NEW (--overlay keeps what NEW does not replace)\n",
			missing, missing == 1 ? "y" : "ies", missing == 1 ? "is" : "are");
	if (silent)
		fprintf(stderr,
			"note: %" PRId64 " of %" PRId64
			" workloads report no flows (spec.telemetry): only what was denied is known of them\n",
			silent, rf_jin_i64(s, "workloads", 0));
	if (left_out)
		fprintf(stderr, "note: %" PRId64 " flows left out: what their workloads were is not known\n", left_out);
	if (dropped)
		fprintf(stderr, "note: the history is full (%d flows): %" PRId64 " were forgotten early\n",
			RF_MAX_FLOW_HISTORY, dropped);
	if (!rf_jin_bool(s, "stored", true))
		fputs("note: the history is not kept on disk, and begins where ringfenced was started (see its log)\n",
		      stderr);
}

static int print_text(const struct rf_cli *cli, const struct diff *d, const struct rf_jin *summary)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	int status;

	add_flows(cli, d, &out);
	add_summary(summary, &out);
	status = rf_cli_print(cli, &out);
	fflush(stdout);
	add_notes(summary);
	return status;
}

static int add_side(const struct rf_cli *cli, struct rf_json *j, const char *key, const char *path)
{
	if (!rf_streq(path, "-") && !rf_streq(path, RF_POLICY_CURRENT))
		return rf_cli_add_path(cli, j, key, path);
	rf_json_string(j, key, RF_POLICY_CURRENT);
	return 0;
}

static bool differs(const struct rf_jin *s)
{
	return rf_jin_i64(s, "flows", 0) != rf_jin_i64(s, "unchanged", 0);
}

int rf_command_policy_diff(struct rf_cli *cli, int argc, char **argv)
{
	static const struct rf_column columns[] = {
		{ "OLD", RF_FIT_LEFT },	   { "NEW", RF_FIT_LEFT },   { "WORKLOAD", RF_FIT_CUT },
		{ "PEER", RF_FIT_CUT },	   { "PORT", RF_FIT_LEFT },  { "TIMES", RF_FIT_RIGHT },
		{ "BYTES", RF_FIT_RIGHT }, { "LAST", RF_FIT_RIGHT },
	};
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	struct diff d = { .table = RF_TABLE_INIT(columns), .flows = RF_STRBUF_INIT, .details = RF_STRBUF_INIT };
	const char *output = NULL, *workload = NULL;
	unsigned int since = RF_FLOW_HISTORY_S;
	bool all = false, overlay = false;
	const struct rf_option options[] = {
		{ "since", 's', "TIME", "only flows seen in the last TIME (10m, 24h: the default and the most)",
		  RF_OPTION_DURATION, &since, 1, RF_FLOW_HISTORY_S },
		{ "workload", 'w', "GLOB", "only workloads whose full name matches", RF_OPTION_STRING, &workload, 0,
		  0 },
		{ "overlay", 0, NULL, "NEW is laid over OLD, as \"ringfence apply\" lays files over those in force",
		  RF_OPTION_FLAG, &overlay, 0, 0 },
		{ "all", 'a', NULL, "show flows whose verdict stays, too", RF_OPTION_FLAG, &all, 0, 0 },
		{ "output", 'o', "FORMAT", "text or json", RF_OPTION_STRING, &output, 0, 0 },
		{ "json", 0, NULL, "the same as --output json: one JSON object", RF_OPTION_FLAG, &d.json, 0, 0 },
	};
	const struct rf_jin *summary;
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 2, 2, &n, &status))
		return status == RF_EXIT_OK ? EXIT_SAME : EXIT_TROUBLE;
	if (output && !rf_streq(output, "json") && !rf_streq(output, "text"))
		return rf_cli_usage(cli, "--output is text or json, not \"%s\"", output);
	d.json |= output && rf_streq(output, "json");
	rf_cli_request(&j, &request, "policy-diff");
	if (add_side(cli, &j, "old", argv[0]) < 0 || add_side(cli, &j, "new", argv[1]) < 0)
		return EXIT_TROUBLE;
	rf_json_u64(&j, "since_s", since);
	if (workload)
		rf_json_string(&j, "workload", workload);
	rf_json_bool(&j, "all", all);
	rf_json_bool(&j, "overlay", overlay);
	status = EXIT_TROUBLE;
	if (rf_cli_call(cli, &j, &request, take_line, &d, RF_CLI_TIMEOUT_MS, &reply) == 0) {
		summary = rf_jin_get(reply.root, "summary");
		if ((d.json ? print_json(cli, &d, &reply) : print_text(cli, &d, summary)) == RF_EXIT_OK)
			status = differs(summary) ? EXIT_DIFFERS : EXIT_SAME;
	}
	rf_table_fini(&d.table);
	rf_strbuf_fini(&d.flows);
	rf_strbuf_fini(&d.details);
	return status;
}

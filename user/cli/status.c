// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence status: the truth about this host. What cannot be enforced and
 * what was lost is shown first, in colour, with the reason.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "user/cli/cli.h"
#include "user/model/snapshot.h"

static void title(const struct rf_cli *cli, struct rf_strbuf *out, const char *text)
{
	rf_strbuf_adds(out, "\n");
	rf_render_color(out, RF_COLOR_BOLD, cli->color);
	rf_strbuf_adds(out, text);
	rf_render_color(out, RF_COLOR_NONE, cli->color);
	rf_strbuf_adds(out, "\n");
}

/* A number of the reply; "-" where the host does not tell it. */
static void count(struct rf_table *t, const struct rf_jin *row, const char *key, bool bad)
{
	int64_t n = rf_jin_i64(row, key, -1);

	if (n < 0)
		rf_table_add(t, RF_COLOR_NONE, "-");
	else
		rf_table_addf(t, bad && n ? RF_COLOR_RED : RF_COLOR_NONE, "%" PRId64, n);
}

static void bytes(char out[static RF_RENDER_MAX], const struct rf_jin *object, const char *key)
{
	int64_t n = rf_jin_i64(object, key, -1);

	if (n < 0)
		snprintf(out, RF_RENDER_MAX, "-");
	else
		rf_render_bytes(out, (uint64_t)n);
}

/* "1 workload", "2 workloads". */
static void counted(struct rf_strbuf *out, const struct rf_jin *object, const char *key, const char *noun)
{
	int64_t n = rf_jin_i64(object, key, 0);

	rf_strbuf_addf(out, "%" PRId64 " %s%s", n, noun, n == 1 ? "" : "s");
}

static void escaped(struct rf_strbuf *out, const struct rf_jin *object, const char *key)
{
	rf_render_escape(out, rf_jin_string(object, key, "?"), false);
}

static const char *source_text(const char *source)
{
	if (rf_streq(source, "rollback"))
		return "put back by a rollback";
	if (rf_streq(source, "confirm-pending"))
		return "waiting for \"ringfence confirm\"";
	return "from the policy directory";
}

static const char *level_text(int64_t level)
{
	static const char *const text[] = { "cgroup hooks", "cgroup hooks and BPF LSM",
					    "cgroup hooks, BPF LSM and the module" };

	return level >= 0 && level < (int64_t)ARRAY_SIZE(text) ? text[level] : "?";
}

/* A daemon of before has no such thing. */
static void recorded(const struct rf_cli *cli, const struct rf_jin *h, const char *title, const char *what,
		     const char *instead, struct rf_strbuf *out)
{
	bool stored = rf_jin_bool(h, "stored", true);
	int64_t dropped = rf_jin_i64(h, "dropped", 0), lost = rf_jin_i64(h, "lost", 0);
	char disk[RF_RENDER_MAX];

	if (!h)
		return;
	bytes(disk, h, "bytes");
	rf_strbuf_addf(out, "%-9s %" PRId64 " of at most %" PRId64 " %s", title, rf_jin_i64(h, "rows", 0),
		       rf_jin_i64(h, "max_rows", 0), what);
	if (stored)
		rf_strbuf_addf(out, ", %s on disk", disk);
	if (dropped)
		rf_strbuf_addf(out, ", %" PRId64 " forgotten early", dropped);
	if (lost)
		rf_strbuf_addf(out, ", %" PRId64 " lost", lost);
	rf_strbuf_adds(out, "\n");
	if (stored)
		return;
	rf_render_color(out, RF_COLOR_YELLOW, cli->color);
	rf_strbuf_addf(out, "          %s: ", instead);
	escaped(out, h, "why");
	rf_render_color(out, RF_COLOR_NONE, cli->color);
	rf_strbuf_adds(out, "\n");
}

static void gpu(const struct rf_jin *g, struct rf_strbuf *out)
{
	if (!rf_jin_is_object(g))
		return;
	rf_strbuf_adds(out, "NVML      ");
	escaped(out, g, "state");
	if (*rf_jin_string(g, "why", "")) {
		rf_strbuf_adds(out, ", ");
		escaped(out, g, "why");
	}
	if (rf_jin_i64(g, "restarts", 0))
		rf_strbuf_addf(out, "; started again %" PRId64 " times", rf_jin_i64(g, "restarts", 0));
	if (rf_jin_i64(g, "errors", 0))
		rf_strbuf_addf(out, "; %" PRId64 " calls failed", rf_jin_i64(g, "errors", 0));
	rf_strbuf_addc(out, '\n');
}

static void summary(const struct rf_cli *cli, const struct rf_jin *s, struct rf_strbuf *out)
{
	const struct rf_jin *cost = rf_jin_get(s, "cost"), *error = rf_jin_get(s, "last_error");
	char up[RF_RENDER_MAX], rss[RF_RENDER_MAX], maps[RF_RENDER_MAX], left[RF_RENDER_MAX];
	int64_t confirm = rf_jin_i64(s, "confirm_left_s", -1), level = rf_jin_i64(s, "level", -1);
	const char *source = rf_jin_string(s, "source", "directory");
	int64_t uptime = rf_jin_i64(s, "uptime_s", 0), run_ns = rf_jin_i64(cost, "bpf_run_ns", -1);

	rf_render_duration(up, uptime < 0 ? 0 : (uint64_t)uptime);
	bytes(rss, cost, "rss_bytes");
	bytes(maps, cost, "bpf_bytes");
	rf_strbuf_adds(out, "Daemon    ringfenced ");
	escaped(out, s, "version");
	rf_strbuf_addf(out, ", pid %" PRId64 ", up %s\n", rf_jin_i64(s, "pid", 0), up);
	rf_strbuf_addf(out, "Level     %" PRId64 " (%s)\n", level, level_text(level));
	rf_strbuf_adds(out, "Attached  ");
	escaped(out, s, "root");
	rf_strbuf_adds(out, ", pinned in ");
	escaped(out, s, "bpffs");
	rf_strbuf_adds(out, rf_jin_bool(s, "adopted", false) ? " (adopted from an earlier daemon)\n" : "\n");
	rf_strbuf_addf(out, "Policies  %" PRId64 ", generation %" PRId64 ", %s\n", rf_jin_i64(s, "policies", 0),
		       rf_jin_i64(s, "generation", 0), source_text(source));
	rf_strbuf_adds(out, "Applies   to ");
	counted(out, s, "workloads", "workload");
	rf_strbuf_adds(out, " in ");
	counted(out, s, "cgroups", "cgroup");
	rf_strbuf_adds(out, ", by ");
	counted(out, s, "rulesets", "rule set");
	rf_strbuf_adds(out, "\n");
	rf_strbuf_addf(out, "Cost      %.1f s CPU, %s memory, %s BPF memory", rf_jin_double(cost, "cpu_s", 0), rss,
		       maps);
	if (run_ns >= 0)
		rf_strbuf_addf(out, ", %.1f s in BPF programs", (double)run_ns / 1e9);
	rf_strbuf_adds(out, "\n");
	recorded(cli, rf_jin_get(s, "flow_history"), "Recorded", "flows", "in memory alone", out);
	recorded(cli, rf_jin_get(s, "lineage"), "Lineage", "rows", "waits in the kernel", out);
	gpu(rf_jin_get(s, "gpu"), out);
	if (confirm >= 0) {
		rf_render_duration(left, (uint64_t)confirm);
		rf_render_color(out, RF_COLOR_YELLOW, cli->color);
		rf_strbuf_addf(out, "Pending   the former policies come back in %s unless \"ringfence confirm\" is run",
			       left);
		rf_render_color(out, RF_COLOR_NONE, cli->color);
		rf_strbuf_adds(out, "\n");
	}
	if (error) {
		rf_render_color(out, RF_COLOR_RED, cli->color);
		rf_strbuf_adds(out, "Failed    the last apply, at ");
		escaped(out, error, "time");
		rf_strbuf_adds(out, "; what was in force before stays:");
		rf_render_color(out, RF_COLOR_NONE, cli->color);
		rf_strbuf_adds(out, "\n");
		rf_render_escape(out, rf_jin_string(error, "text", "?"), true);
		rf_strbuf_adds(out, "\n");
	}
}

static void features(const struct rf_cli *cli, const struct rf_jin *list, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "FEATURE", RF_FIT_LEFT },
		{ "SUPPORT", RF_FIT_LEFT },
		{ "SECTION", RF_FIT_CUT },
		{ "WHY", RF_FIT_WRAP },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *f = rf_jin_at(list, i);
		const char *support = rf_jin_string(f, "support", "?");
		enum rf_color c = RF_COLOR_YELLOW;

		if (rf_streq(support, "enforced"))
			c = RF_COLOR_GREEN;
		else if (rf_streq(support, "unavailable"))
			c = RF_COLOR_RED;
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(f, "name", "?"));
		rf_table_add(&t, c, support);
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(f, "section", ""));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(f, "why", ""));
	}
	title(cli, out, "Features");
	rf_table_print(&t, out, cli->width, cli->color);
}

/* That the host lacks something for it is told once for all that lack it. */
static bool is_left_out(const struct rf_jin *hook)
{
	return rf_strprefix(rf_jin_string(hook, "why", ""), RF_HOOK_NOT_LOADED);
}

static void left_out(const struct rf_jin *list, struct rf_strbuf *out)
{
	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const char *why = rf_jin_string(rf_jin_at(list, i), "why", "");
		size_t n = 0;

		if (!is_left_out(rf_jin_at(list, i)))
			continue;
		for (size_t k = 0; k < rf_jin_len(list); k++) {
			if (!rf_streq(rf_jin_string(rf_jin_at(list, k), "why", ""), why))
				continue;
			/* An earlier one has told of it. */
			if (k < i)
				break;
			n++;
		}
		if (!n)
			continue;
		rf_strbuf_addf(out, "%zu more: ", n);
		rf_render_escape(out, why, true);
		rf_strbuf_adds(out, " (--hooks lists them)\n");
	}
}

static void hooks(const struct rf_cli *cli, const struct rf_jin *list, bool all, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "HOOK", RF_FIT_LEFT },    { "ATTACHED", RF_FIT_LEFT }, { "SELF-TEST", RF_FIT_LEFT },
		{ "ERRORS", RF_FIT_RIGHT }, { "REPAIRS", RF_FIT_RIGHT }, { "NS/RUN", RF_FIT_RIGHT },
		{ "WHY", RF_FIT_WRAP },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *h = rf_jin_at(list, i);
		const char *test = rf_jin_string(h, "self_test", "?");
		bool attached = rf_jin_bool(h, "attached", false);
		int64_t runs = rf_jin_i64(h, "run_count", -1), ns = rf_jin_i64(h, "run_ns", -1);
		enum rf_color c = RF_COLOR_NONE;

		if (!all && is_left_out(h))
			continue;
		if (rf_streq(test, "failed"))
			c = RF_COLOR_RED;
		else if (rf_streq(test, "ok"))
			c = RF_COLOR_GREEN;
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(h, "name", "?"));
		rf_table_add(&t, attached ? RF_COLOR_GREEN : RF_COLOR_YELLOW, attached ? "yes" : "no");
		rf_table_add(&t, c, test);
		count(&t, h, "errors", true);
		count(&t, h, "repairs", true);
		if (runs > 0 && ns >= 0)
			rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, ns / runs);
		else
			rf_table_add(&t, RF_COLOR_NONE, "-");
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(h, "why", ""));
	}
	title(cli, out, "Hooks");
	rf_table_print(&t, out, cli->width, cli->color);
	if (!all)
		left_out(list, out);
}

static void lanes(const struct rf_cli *cli, const struct rf_jin *list, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "LANE", RF_FIT_LEFT },  { "SENT", RF_FIT_RIGHT }, { "SHED", RF_FIT_RIGHT },
		{ "LOST", RF_FIT_RIGHT }, { "GAPS", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *l = rf_jin_at(list, i);

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(l, "name", "?"));
		count(&t, l, "submitted", false);
		count(&t, l, "shed", true);
		count(&t, l, "lost", true);
		count(&t, l, "gaps", true);
	}
	title(cli, out, "Events (shed: over a workload's share; lost: the ring was full)");
	rf_table_print(&t, out, cli->width, cli->color);
}

static void errors(const struct rf_cli *cli, const struct rf_jin *list, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "ERROR", RF_FIT_LEFT },
		{ "COUNT", RF_FIT_RIGHT },
		{ "MEANS", RF_FIT_WRAP },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *e = rf_jin_at(list, i);

		if (rf_jin_i64(e, "count", 0) == 0)
			continue;
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(e, "name", "?"));
		count(&t, e, "count", true);
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(e, "help", ""));
	}
	title(cli, out, "Errors");
	if (!t.n_cells && !t.error)
		rf_strbuf_adds(out, "none\n");
	else
		rf_table_print(&t, out, cli->width, cli->color);
}

/* One line for all maps, and a row for each that is nearly full: that is where policy or events would be lost next. */
static void maps(const struct rf_cli *cli, const struct rf_jin *list, bool all, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "MAP", RF_FIT_LEFT },	  { "ENTRIES", RF_FIT_RIGHT }, { "MAX", RF_FIT_RIGHT },
		{ "FULL", RF_FIT_RIGHT }, { "MEMORY", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	char text[RF_RENDER_MAX];
	uint64_t total = 0;

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *m = rf_jin_at(list, i);
		int64_t entries = rf_jin_i64(m, "entries", -1), max = rf_jin_i64(m, "max_entries", 0);
		double full = entries >= 0 && max > 0 ? 100.0 * (double)entries / (double)max : NAN;

		total += (uint64_t)MAX(rf_jin_i64(m, "bytes", 0), (int64_t)0);
		if (!all && !(full >= 80))
			continue;
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(m, "name", "?"));
		count(&t, m, "entries", false);
		count(&t, m, "max_entries", false);
		if (isnan(full))
			rf_table_add(&t, RF_COLOR_NONE, "-");
		else
			rf_table_addf(&t, full >= 80 ? RF_COLOR_RED : RF_COLOR_NONE, "%.0f%%", full);
		bytes(text, m, "bytes");
		rf_table_add(&t, RF_COLOR_NONE, text);
	}
	title(cli, out, "Maps");
	rf_render_bytes(text, total);
	rf_strbuf_addf(out, "%zu maps, %s%s\n", rf_jin_len(list), text,
		       all || t.n_cells ? "" : ", none more than 80% full (--maps lists them)");
	if (t.n_cells || t.error)
		rf_table_print(&t, out, cli->width, cli->color);
}

int rf_command_status(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	const struct rf_jin *s;
	bool json = false, all_hooks = false, all_maps = false;
	const struct rf_option options[] = {
		{ "json", 0, NULL, "print the daemon's reply as it is, one line of JSON", RF_OPTION_FLAG, &json, 0, 0 },
		{ "hooks", 0, NULL, "list every hook, also those that are not loaded", RF_OPTION_FLAG, &all_hooks, 0,
		  0 },
		{ "maps", 0, NULL, "list every BPF map", RF_OPTION_FLAG, &all_maps, 0, 0 },
	};
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	if (rf_cli_ask(cli, "status", &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return rf_cli_print_json(cli, reply.line.data, reply.line.len);
	s = rf_jin_get(reply.root, "status");
	summary(cli, s, &out);
	features(cli, rf_jin_get(s, "features"), &out);
	hooks(cli, rf_jin_get(s, "hooks"), all_hooks, &out);
	lanes(cli, rf_jin_get(s, "lanes"), &out);
	errors(cli, rf_jin_get(s, "errors"), &out);
	maps(cli, rf_jin_get(s, "maps"), all_maps, &out);
	return rf_cli_print(cli, &out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence accel: the accelerators of this host, who uses them, and how much. */
#include <inttypes.h>
#include <math.h>

#include "user/cli/accel_sums.h"
#include "user/cli/cli.h"
#include "user/lib/clock.h"

/* Sums of a device over all workloads, that shares are of. */
static int64_t busy_of(const struct rf_jin *uses, const char *device)
{
	int64_t sum = 0;

	for (size_t i = 0; i < rf_jin_len(uses); i++) {
		const struct rf_jin *use = rf_jin_at(uses, i);

		if (rf_streq(rf_jin_string(use, "device", ""), device))
			sum += rf_jin_i64(use, "busy_ns", 0);
	}
	return sum;
}

static void add_seconds(struct rf_table *t, int64_t ns)
{
	rf_table_addf(t, RF_COLOR_NONE, "%.3f", ns / 1e9);
}

static void add_bytes(struct rf_table *t, const struct rf_jin *use, const char *key)
{
	char text[RF_RENDER_MAX];

	rf_render_bytes(text, rf_jin_i64(use, key, 0));
	rf_table_add(t, RF_COLOR_NONE, text);
}

static void add_use(struct rf_table *t, const struct rf_jin *use, int64_t all)
{
	int64_t busy = rf_jin_i64(use, "busy_ns", 0);
	const char *device = rf_jin_string(use, "device", "");

	rf_table_add(t, RF_COLOR_NONE, *device ? device : "(shared)");
	rf_table_add(t, RF_COLOR_NONE, rf_jin_string(use, "workload", "?"));
	rf_table_addf(t, RF_COLOR_NONE, "%" PRId64, rf_jin_i64(use, "jobs", 0));
	add_seconds(t, busy);
	if (all)
		rf_table_addf(t, RF_COLOR_NONE, "%.0f%%", 100.0 * busy / all);
	else
		rf_table_add(t, RF_COLOR_NONE, "-");
	add_seconds(t, rf_jin_i64(use, "queued_ns", 0));
	add_seconds(t, rf_jin_i64(use, "waited_ns", 0));
	add_bytes(t, use, "bytes");
}

static void uses_text(const struct rf_cli *cli, const struct rf_jin *uses, struct rf_strbuf *out)
{
	/* The peak of memory and open files are left to --json and the metrics: they would not fit in 80 columns. */
	static const struct rf_column columns[] = {
		{ "DEVICE", RF_FIT_LEFT },    { "WORKLOAD", RF_FIT_CUT }, { "JOBS", RF_FIT_RIGHT },
		{ "BUSY s", RF_FIT_RIGHT },   { "SHARE", RF_FIT_RIGHT },  { "QUEUED s", RF_FIT_RIGHT },
		{ "WAITED s", RF_FIT_RIGHT }, { "MEMORY", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(uses); i++) {
		const struct rf_jin *use = rf_jin_at(uses, i);

		add_use(&t, use, busy_of(uses, rf_jin_string(use, "device", "")));
	}
	if (t.n_cells || t.error)
		rf_table_print(&t, out, cli->width, cli->color);
	else
		rf_strbuf_adds(out, "No workload has used one.\n");
}

static int sums_text(const struct rf_cli *cli, const struct rf_jin *uses, enum rf_accel_sum_by by,
		     struct rf_strbuf *out)
{
	static const char *const titles[] = {
		[RF_ACCEL_BY_TENANT] = "TENANT",
		[RF_ACCEL_BY_DEVICE] = "DEVICE",
		[RF_ACCEL_BY_WORKLOAD] = "WORKLOAD",
	};
	const struct rf_column columns[] = {
		{ titles[by], RF_FIT_CUT },   { "JOBS", RF_FIT_RIGHT },	    { "BUSY s", RF_FIT_RIGHT },
		{ "FDINFO s", RF_FIT_RIGHT }, { "QUEUED s", RF_FIT_RIGHT }, { "WAITED s", RF_FIT_RIGHT },
		{ "MEMORY", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	struct rf_accel_sum *sums;
	size_t n;
	int r = rf_accel_sums_compute(uses, by, &sums, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		char memory[RF_RENDER_MAX];

		rf_render_bytes(memory, sums[i].bytes);
		rf_table_add(&t, RF_COLOR_NONE, *sums[i].name ? sums[i].name : "(shared)");
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, sums[i].jobs);
		add_seconds(&t, sums[i].busy_ns);
		add_seconds(&t, sums[i].engine_ns);
		add_seconds(&t, sums[i].queued_ns);
		add_seconds(&t, sums[i].waited_ns);
		rf_table_add(&t, RF_COLOR_NONE, memory);
	}
	rf_accel_sums_free(sums, n);
	rf_table_print(&t, out, cli->width, cli->color);
	return 0;
}

/* Who holds one for nothing, or waits for something else: nothing where nobody does. */
static void held_text(const struct rf_cli *cli, const struct rf_jin *uses, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = { { "DEVICE", RF_FIT_LEFT },
						    { "HELD BY", RF_FIT_CUT },
						    { "FINDING", RF_FIT_LEFT },
						    { "FOR", RF_FIT_RIGHT } };
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(uses); i++) {
		const struct rf_jin *use = rf_jin_at(uses, i);
		const char *finding = rf_jin_string(use, "finding", NULL), *device = rf_jin_string(use, "device", "");
		char since[RF_RENDER_MAX];

		if (!finding)
			continue;
		rf_render_duration(since, rf_jin_i64(use, "finding_ns", 0) / (int64_t)RF_NSEC_PER_SEC);
		rf_table_add(&t, RF_COLOR_NONE, *device ? device : "(shared)");
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(use, "workload", "?"));
		rf_table_add(&t, RF_COLOR_YELLOW, finding);
		rf_table_add(&t, RF_COLOR_NONE, since);
	}
	if (!t.n_cells && !t.error)
		return;
	rf_strbuf_addc(out, '\n');
	rf_table_print(&t, out, cli->width, cli->color);
}

/* A reading, or "-". */
static void add_reading(struct rf_table *t, const struct rf_jin *health, const char *key, double times,
			const char *unit)
{
	double value = rf_jin_double(health, key, NAN);

	if (isfinite(value))
		rf_table_addf(t, RF_COLOR_NONE, "%.0f%s", value * times, unit);
	else
		rf_table_add(t, RF_COLOR_NONE, NULL);
}

static void add_memory(struct rf_table *t, const struct rf_jin *health)
{
	double used = rf_jin_double(health, "memory_used_bytes", NAN);
	char text[RF_RENDER_MAX];

	if (isfinite(used) && used >= 0)
		rf_render_bytes(text, (uint64_t)used);
	rf_table_add(t, RF_COLOR_NONE, isfinite(used) && used >= 0 ? text : NULL);
}

static void add_findings(struct rf_table *t, const struct rf_jin *findings)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	for (size_t i = 0; i < rf_jin_len(findings); i++)
		rf_strbuf_addf(&text, "%s%s", i ? " " : "", rf_jin_as_string(rf_jin_at(findings, i), "?"));
	rf_table_add(t, text.len ? RF_COLOR_YELLOW : RF_COLOR_NONE, text.len ? rf_strbuf_str(&text) : NULL);
}

/* Of those that somebody tells any of: nothing where nobody does. */
static void health_text(const struct rf_cli *cli, const struct rf_jin *devices, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "DEVICE", RF_FIT_LEFT }, { "TEMP", RF_FIT_RIGHT },	 { "POWER", RF_FIT_RIGHT },
		{ "UTIL", RF_FIT_RIGHT },  { "MEM USED", RF_FIT_RIGHT }, { "FINDINGS", RF_FIT_WRAP },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(devices); i++) {
		const struct rf_jin *device = rf_jin_at(devices, i), *health = rf_jin_get(device, "health");

		if (!rf_jin_is_object(health))
			continue;
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(device, "name", "?"));
		add_reading(&t, health, "temperature_celsius", 1, " C");
		add_reading(&t, health, "power_watts", 1, " W");
		add_reading(&t, health, "utilization_ratio", 100, "%");
		add_memory(&t, health);
		add_findings(&t, rf_jin_get(device, "findings"));
	}
	if (!t.n_cells && !t.error)
		return;
	rf_table_print(&t, out, cli->width, cli->color);
	rf_strbuf_addc(out, '\n');
}

static void devices_text(const struct rf_cli *cli, const struct rf_jin *devices, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "DEVICE", RF_FIT_LEFT }, { "DRIVER", RF_FIT_LEFT }, { "ADDRESS", RF_FIT_LEFT }, { "UUID", RF_FIT_CUT }
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(devices); i++) {
		const struct rf_jin *device = rf_jin_at(devices, i);

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(device, "name", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(device, "driver", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(device, "parent", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(device, "uuid", NULL));
	}
	rf_table_print(&t, out, cli->width, cli->color);
	rf_strbuf_addc(out, '\n');
}

/* The end of the bucket that the slowest of a hundred is in, in microseconds; -1: it is in the last, which has none. */
static int64_t slow_us(const struct rf_jin *buckets, int64_t calls)
{
	int64_t sum = 0;
	size_t n = rf_jin_len(buckets);

	for (size_t i = 0; i + 1 < n; i++) {
		sum += rf_jin_as_i64(rf_jin_at(buckets, i), 0);
		if (sum * 100 >= calls * 99)
			return 1LL << (2 * i);
	}
	return -1;
}

static void add_us(struct rf_table *t, double us, const char *prefix)
{
	if (us >= 1e6)
		rf_table_addf(t, RF_COLOR_NONE, "%s%.1f s", prefix, us / 1e6);
	else if (us >= 1e3)
		rf_table_addf(t, RF_COLOR_NONE, "%s%.1f ms", prefix, us / 1e3);
	else
		rf_table_addf(t, RF_COLOR_NONE, "%s%.1f us", prefix, us);
}

static void calls_text(const struct rf_cli *cli, const struct rf_jin *calls, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "WORKLOAD", RF_FIT_CUT }, { "CALL", RF_FIT_LEFT },  { "CALLS", RF_FIT_RIGHT },
		{ "FAILED", RF_FIT_RIGHT }, { "MEAN", RF_FIT_RIGHT }, { "99 OF 100", RF_FIT_RIGHT },
		{ "BYTES", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(calls); i++) {
		const struct rf_jin *call = rf_jin_at(calls, i);
		int64_t n = rf_jin_i64(call, "calls", 0), slow = slow_us(rf_jin_get(call, "buckets"), n);

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(call, "workload", "?"));
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(call, "call", "?"));
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, n);
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, rf_jin_i64(call, "failures", 0));
		add_us(&t, n ? rf_jin_i64(call, "ns", 0) / 1e3 / n : 0, "");
		if (slow < 0)
			rf_table_add(&t, RF_COLOR_NONE, "> 1 s");
		else
			add_us(&t, slow, "< ");
		add_bytes(&t, call, "bytes");
	}
	if (t.n_cells || t.error)
		rf_table_print(&t, out, cli->width, cli->color);
	else
		rf_strbuf_adds(
			out, "No call was counted: userModeSubmission of a policy's accelerators has them counted.\n");
}

/* What NVML tells of processes, where there are any. */
static void nvml_text(const struct rf_cli *cli, const struct rf_jin *list, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "DEVICE", RF_FIT_LEFT }, { "MIG", RF_FIT_LEFT },     { "WORKLOAD", RF_FIT_CUT },
		{ "PROCS", RF_FIT_RIGHT }, { "BUSY s", RF_FIT_RIGHT }, { "MEMORY", RF_FIT_RIGHT },
		{ "PEAK", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *use = rf_jin_at(list, i);
		const char *instance = rf_jin_string(use, "instance", "");

		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(use, "device", "?"));
		rf_table_add(&t, RF_COLOR_NONE, *instance ? instance : NULL);
		rf_table_add(&t, RF_COLOR_NONE, rf_jin_string(use, "workload", "?"));
		rf_table_addf(&t, RF_COLOR_NONE, "%" PRId64, rf_jin_i64(use, "processes", 0));
		add_seconds(&t, rf_jin_i64(use, "busy_ns", 0));
		add_bytes(&t, use, "bytes");
		add_bytes(&t, use, "bytes_peak");
	}
	if (!t.n_cells && !t.error)
		return;
	rf_strbuf_adds(out, "\nBy NVML:\n");
	rf_table_print(&t, out, cli->width, cli->color);
}

/* Who keeps quotas of memory, for how many workloads on each device: nothing where there are none. */
static void limits_text(const struct rf_cli *cli, const struct rf_jin *list, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = { { "DEVICE", RF_FIT_LEFT },
						    { "MEMORY LIMITS BY", RF_FIT_LEFT },
						    { "WORKLOADS", RF_FIT_RIGHT } };
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	_cleanup_free_ bool *counted = calloc(rf_jin_len(list) + 1, sizeof(*counted));

	for (size_t i = 0; counted && i < rf_jin_len(list); i++) {
		const char *device = rf_jin_string(rf_jin_at(list, i), "device", "?"),
			   *method = rf_jin_string(rf_jin_at(list, i), "method", "?");
		unsigned int n = 0;

		for (size_t k = i; !counted[i] && k < rf_jin_len(list); k++) {
			const struct rf_jin *other = rf_jin_at(list, k);

			if (!rf_streq(rf_jin_string(other, "device", "?"), device) ||
			    !rf_streq(rf_jin_string(other, "method", "?"), method))
				continue;
			counted[k] = k > i;
			n++;
		}
		if (!n)
			continue;
		rf_table_add(&t, RF_COLOR_NONE, device);
		rf_table_add(&t, rf_streq(method, "none") ? RF_COLOR_YELLOW : RF_COLOR_NONE, method);
		rf_table_addf(&t, RF_COLOR_NONE, "%u", n);
	}
	if (!t.n_cells && !t.error)
		return;
	rf_strbuf_addc(out, '\n');
	rf_table_print(&t, out, cli->width, cli->color);
}

int rf_command_accel(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	const struct rf_jin *devices, *uses;
	const char *word = NULL;
	bool json = false, calls = false;
	const struct rf_option options[] = {
		{ "by", 0, "WHAT", "sums over each tenant, device or workload", RF_OPTION_STRING, &word, 0, 0 },
		{ "calls", 0, NULL, "what workloads call of the libraries of accelerators", RF_OPTION_FLAG, &calls, 0,
		  0 },
		{ "json", 0, NULL, "print the daemon's reply as it is, one line of JSON", RF_OPTION_FLAG, &json, 0, 0 },
	};
	int n, status, by;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	by = word ? rf_accel_sum_by_parse(word) : 0;
	if (by < 0)
		return rf_cli_usage(cli, "--by is tenant, device or workload, not \"%s\"", word);
	if (word && calls)
		return rf_cli_usage(cli, "--by sums up what was taken of devices, --calls shows calls: one of them");
	if (word && json)
		return rf_cli_usage(cli, "--json has the rows that --by sums up: one of them");
	if (rf_cli_ask(cli, "accelerators", &reply) < 0)
		return RF_EXIT_FAILURE;
	if (json)
		return rf_cli_print_json(cli, reply.line.data, reply.line.len);
	if (calls) {
		calls_text(cli, rf_jin_get(reply.root, "calls"), &out);
		return rf_cli_print(cli, &out);
	}
	devices = rf_jin_get(reply.root, "accelerators");
	uses = rf_jin_get(reply.root, "uses");
	if (word) {
		if (sums_text(cli, uses, by, &out) < 0) {
			rf_cli_error(cli, "out of memory");
			return RF_EXIT_FAILURE;
		}
		return rf_cli_print(cli, &out);
	}
	if (rf_jin_len(devices))
		devices_text(cli, devices, &out);
	else
		rf_strbuf_adds(&out, "This host has no accelerator that is known.\n");
	/* Libraries are called where there is none, too. */
	if (!rf_jin_len(devices) && !rf_jin_len(uses))
		return rf_cli_print(cli, &out);
	health_text(cli, devices, &out);
	uses_text(cli, uses, &out);
	held_text(cli, uses, &out);
	nvml_text(cli, rf_jin_get(reply.root, "nvml"), &out);
	limits_text(cli, rf_jin_get(reply.root, "memory_limits"), &out);
	return rf_cli_print(cli, &out);
}

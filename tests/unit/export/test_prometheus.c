// SPDX-License-Identifier: GPL-2.0-or-later
/* A snapshot in both formats: the form of the exposition, its values, and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/export/sample_snapshot.h"
#include "user/export/prometheus.h"

#define LINES_MAX 4096

static char *render(const struct rf_snapshot *s, enum rf_metrics_format f, size_t max)
{
	struct rf_strbuf out = RF_STRBUF_INIT;
	char *text;

	assert_int_equal(rf_prometheus_render_max(s, f, max, &out), 0);
	text = rf_strbuf_take(&out);
	assert_non_null(text);
	return text;
}

static char *render_sample(enum rf_metrics_format f)
{
	struct sample sample;

	sample_fill(&sample);
	return render(&sample.snapshot, f, RF_METRICS_WORKLOADS);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += len)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void assert_line(const char *text, const char *line)
{
	if (!has_line(text, line))
		fail_msg("no line '%s'", line);
}

/* ---- form ---- */

static size_t split(char *text, char **lines)
{
	size_t n = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(n < LINES_MAX);
		lines[n++] = line;
	}
	return n;
}

#define FAMILIES (RF_METRIC_COUNT + RF_COUNTER_COUNT + RF_HEALTH_COUNT)

static const struct rf_metric_family *family_at(unsigned int i)
{
	if (i < RF_METRIC_COUNT)
		return rf_metric_family(i);
	i -= RF_METRIC_COUNT;
	return i < RF_COUNTER_COUNT ? rf_metric_counter(i) : rf_metric_health(i - RF_COUNTER_COUNT);
}

/* What a sample's name may end in, after its family's. */
static bool is_suffix(const struct rf_metric_family *f, const char *rest, size_t len)
{
	static const char *const parts[] = { "_bucket", "_sum", "_count" };

	for (size_t i = 0; f->type == RF_METRIC_HISTOGRAM && i < ARRAY_SIZE(parts); i++)
		if (len == strlen(parts[i]) && !strncmp(rest, parts[i], len))
			return true;
	return f->type != RF_METRIC_HISTOGRAM && len == strlen(rf_metric_suffix(f->type)) &&
	       !strncmp(rest, rf_metric_suffix(f->type), len);
}

static const struct rf_metric_family *find_family(const char *name, size_t len, bool with_suffix)
{
	const struct rf_metric_family *f;

	for (unsigned int i = 0; i < FAMILIES; i++) {
		size_t n;

		f = family_at(i);
		n = strlen(f->name);
		if (len >= n && !strncmp(name, f->name, n) &&
		    (with_suffix ? is_suffix(f, name + n, len - n) || (len == n && f->type == RF_METRIC_HISTOGRAM) :
				   len == n))
			return f;
	}
	return NULL;
}

/* name{label="value",...} number; returns the length of the name, *ret_series that of name and labels. */
static size_t check_sample(const char *line, size_t *ret_series)
{
	size_t name = strcspn(line, "{ "), at = name;

	assert_int_equal(strspn(line, "abcdefghijklmnopqrstuvwxyz_"), name);
	if (line[at] == '{') {
		do {
			size_t len = strspn(line + at + 1, "abcdefghijklmnopqrstuvwxyz_");

			assert_true(len > 0);
			at += 1 + len;
			assert_memory_equal(line + at, "=\"", 2);
			for (at += 2; line[at] != '"'; at++) {
				assert_true(line[at] != '\0');
				if (line[at] == '\\')
					assert_non_null(strchr("\\\"n", line[++at]));
			}
			at++;
		} while (line[at] == ',');
		assert_int_equal(line[at], '}');
		at++;
	}
	*ret_series = at;
	assert_int_equal(line[at], ' ');
	at++;
	assert_true(strlen(line + at) > 0);
	assert_int_equal(strspn(line + at, "0123456789."), strlen(line + at));
	return name;
}

static void check_form(char *text, enum rf_metrics_format f)
{
	static char *lines[LINES_MAX], *series[LINES_MAX];
	const struct rf_metric_family *family = NULL, *seen[FAMILIES];
	bool om = f == RF_METRICS_OPENMETRICS;
	size_t n, n_series = 0, n_seen = 0;

	assert_int_equal(text[strlen(text) - 1], '\n');
	n = split(text, lines);
	if (om)
		assert_string_equal(lines[--n], "# EOF");
	for (size_t i = 0; i < n; i++) {
		const char *first = om ? "# TYPE " : "# HELP ";
		size_t len;

		if (rf_strprefix(lines[i], first)) {
			const char *name = lines[i] + strlen(first);
			char expected[300];

			family = find_family(name, strcspn(name, " "), !om);
			assert_non_null(family);
			for (size_t k = 0; k < n_seen; k++)
				assert_string_not_equal(seen[k]->name, family->name);
			seen[n_seen++] = family;
			snprintf(expected, sizeof(expected), "# TYPE %s%s %s", family->name,
				 om ? "" : rf_metric_suffix(family->type), rf_metric_type_name(family->type, f));
			assert_string_equal(lines[om ? i : i + 1], expected);
			i++;
			if (om && rf_metric_unit(family->name)) {
				snprintf(expected, sizeof(expected), "# UNIT %s %s", family->name,
					 rf_metric_unit(family->name));
				assert_string_equal(lines[i++], expected);
			}
			if (om) {
				snprintf(expected, sizeof(expected), "# HELP %s ", family->name);
				assert_true(rf_strprefix(lines[i], expected));
			}
			assert_true(i + 1 < n && lines[i + 1][0] != '#'); /* no family without a sample */
			continue;
		}
		assert_int_not_equal(lines[i][0], '#');
		assert_non_null(family);
		len = check_sample(lines[i], &len);
		assert_ptr_equal(find_family(lines[i], len, true),
				 find_family(family->name, strlen(family->name), false));
		check_sample(lines[i], &len);
		lines[i][len] = '\0';
		for (size_t k = 0; k < n_series; k++)
			assert_string_not_equal(series[k], lines[i]);
		series[n_series++] = lines[i];
	}
	assert_true(n_series > 100);
}

static void text_is_well_formed_and_every_series_is_unique(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);

	(void)state;
	check_form(text, RF_METRICS_TEXT);
}

static void openmetrics_is_well_formed_and_every_series_is_unique(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_OPENMETRICS);

	(void)state;
	check_form(text, RF_METRICS_OPENMETRICS);
}

static void the_formats_have_the_same_samples(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);
	_cleanup_free_ char *om = render_sample(RF_METRICS_OPENMETRICS);
	static char *a[LINES_MAX], *b[LINES_MAX];
	size_t n = split(text, a), m = split(om, b), i = 0, k = 0;

	(void)state;
	for (;; i++, k++) {
		while (i < n && a[i][0] == '#')
			i++;
		while (k < m && b[k][0] == '#')
			k++;
		if (i == n || k == m)
			break;
		assert_string_equal(a[i], b[k]);
	}
	assert_true(i == n && k == m);
}

static void every_family_is_rendered_when_all_is_known(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	sample.snapshot.bpf_run_ns = 1;
	sample.snapshot.confirm_left_s = 30;
	sample.snapshot.hooks[0].run_count = 1;
	sample.snapshot.hooks[0].run_ns = 1500000000;
	text = render(&sample.snapshot, RF_METRICS_TEXT, 10);
	for (unsigned int i = 0; i < FAMILIES; i++) {
		const struct rf_metric_family *f = family_at(i);
		char line[300];

		snprintf(line, sizeof(line), "# TYPE %s%s %s", f->name, rf_metric_suffix(f->type),
			 rf_metric_type_name(f->type, RF_METRICS_TEXT));
		assert_line(text, line);
	}
	assert_line(text, "ringfence_hook_run_seconds_total{hook=\"cgroup_mkdir\"} 1.500000000");
	assert_line(text, "ringfence_policy_confirm_remaining_seconds 30");
	assert_line(text, "ringfence_workload_accelerator_busy_seconds_total{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",device=\"accel/accel0\"} 2.000000001");
	assert_line(text, "ringfence_workload_accelerator_nvml_busy_seconds_total{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",device=\"accel/accel0\",mig=\"1/0\"} 1.500000000");
	assert_line(text, "ringfence_workload_accelerator_nvml_energy_joules_total{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",device=\"accel/accel0\",mig=\"1/0\"} 2.500000");
	assert_line(text, "ringfence_workload_accelerator_jobs_total{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",device=\"accel/accel0\"} 7");
	assert_line(text, "ringfence_workload_accelerator_memory_limit_bytes{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",device=\"accel/accel0\",method=\"ioctl\"} 512");
	assert_line(text, "ringfence_accelerator_memory_limit_failures_total 9");
	assert_line(text, "ringfence_accelerator_xid_errors_total{device=\"nvidia0\",code=\"79\"} 3");
	assert_line(text, "ringfence_accelerator_xid_errors_total{device=\"nvidia0\",code=\"other\"} 4");
	assert_line(text, "ringfence_gpu_helper_state{state=\"running\"} 1");
}

static void a_histogram_adds_up(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);

	(void)state;
#define CALL(part)                                                   \
	"ringfence_workload_accelerator_call_duration_seconds_" part \
	"{tenant=\"acme\",namespace=\"prod\",workload=\"web\",call=\"launch\""
	assert_line(text, CALL("bucket") ",le=\"1e-06\"} 3");
	assert_line(text, CALL("bucket") ",le=\"4e-06\"} 3");
	assert_line(text, CALL("bucket") ",le=\"0.262144\"} 3");
	assert_line(text, CALL("bucket") ",le=\"+Inf\"} 5");
	assert_line(text, CALL("sum") "} 9.000000001");
	assert_line(text, CALL("count") "} 5");
#undef CALL
	assert_line(text, "ringfence_workload_accelerator_call_failures_total{tenant=\"acme\",namespace=\"prod\","
			  "workload=\"web\",call=\"launch\"} 1");
}

/* ---- values ---- */

static void numbers_are_exact_and_in_base_units(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);

	(void)state;
#define WEB "tenant=\"acme\",namespace=\"prod\",workload=\"web\""
	assert_line(text, "ringfence_workload_cpu_seconds_total{" WEB "} 12.345678");
	assert_line(text, "ringfence_workload_memory_bytes{" WEB "} 1048576");
	assert_line(text, "ringfence_workload_tasks{" WEB "} 6");
#define TRAFFIC(direction, peer, verdict) WEB ",direction=\"" direction "\",peer=\"" peer "\",verdict=\"" verdict "\"}"
	assert_line(text,
		    "ringfence_workload_network_bytes_total{" TRAFFIC("egress", "public", "allow") " 9007199254740993");
	assert_line(text, "ringfence_workload_network_bytes_total{" TRAFFIC("ingress", "public", "allow") " 2003");
	assert_line(text, "ringfence_workload_network_packets_total{" TRAFFIC("egress", "public", "deny") " 2007");
	assert_line(text,
		    "ringfence_workload_network_connections_total{" TRAFFIC("ingress", "public", "would-deny") " 2017");
	assert_line(text, "ringfence_workload_network_retransmits_total{" WEB ",peer=\"public\"} 2018");
	assert_line(text, "ringfence_workload_network_rtt_seconds_total{" WEB ",peer=\"public\"} 1.500001");
	assert_line(text, "ringfence_workload_network_rtt_samples_total{" WEB ",peer=\"public\"} 2020");
	assert_line(text,
		    "ringfence_workload_network_dns_messages_total{" WEB ",kind=\"refused\",peer=\"public\"} 2023");
	assert_line(text, "ringfence_workload_info{" WEB ",manager=\"systemd\",mode=\"enforce\",policies=\"2\"} 1");
	assert_line(text, "ringfence_policy_last_apply_timestamp_seconds 1700000000.123456789");
	assert_line(text, "ringfence_policy_last_error_timestamp_seconds 0.000000000");
	assert_line(text, "process_cpu_seconds_total 1.500000000");
	assert_line(text, "ringfence_process_cpu_seconds_total 1.500000000");
	assert_line(text, "process_open_fds 33");
	assert_line(text, "ringfence_children_cpu_seconds_total 0.250000000");
	assert_line(text, "ringfence_children_resident_memory_bytes 4194304");
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void an_account_that_is_empty_has_no_series(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);

	(void)state;
	/* Five of six: nothing would have been denied on its way out. */
	assert_int_equal(count(text, "\nringfence_workload_network_bytes_total{"), 5);
	assert_int_equal(count(text, "\nringfence_workload_network_packets_total{"), 6);
	assert_int_equal(count(text, "\nringfence_workload_network_retransmits_total{"), 1);
}

static void the_accounts_of_workloads_beyond_the_limit_are_summed(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	/* The one with the lowest id has series of its own: that is the web. */
	sample.rows[0].account = sample.rows[2].account = sample.web;
	text = render(&sample.snapshot, RF_METRICS_TEXT, 1);
	assert_line(text, "ringfence_workload_network_retransmits_total{tenant=\"_other\",namespace=\"_other\","
			  "workload=\"_other\",peer=\"public\"} 4036");
	assert_line(text, "ringfence_workload_network_retransmits_total{" WEB ",peer=\"public\"} 2018");
}

static void states_are_numbers(void **state)
{
	struct sample sample;
	_cleanup_free_ char *good = NULL, *bad = NULL;

	(void)state;
	sample_fill(&sample);
	good = render(&sample.snapshot, RF_METRICS_TEXT, 10);
	assert_line(good, "ringfence_policy_last_apply_success 1");
	assert_line(good, "ringfence_policy_applies_total{result=\"success\"} 16");
	assert_line(good, "ringfence_policy_applies_total{result=\"failure\"} 2");
	assert_line(good, "ringfence_policy_source{source=\"directory\"} 1");
	assert_line(good, "ringfence_policy_source{source=\"rollback\"} 0");
	assert_line(good, "ringfence_feature_support{feature=\"identity\"} 0");
	assert_line(good, "ringfence_feature_support{feature=\"network-ingress\"} 2");
	assert_line(good, "ringfence_hook_attached{hook=\"connect4\"} 1");
	assert_line(good, "ringfence_hook_attached{hook=\"lsm_probe\"} 0");
	assert_line(good, "ringfence_hook_self_test{hook=\"lsm_probe\",result=\"not run\"} 1");
	assert_line(good, "ringfence_hook_self_test{hook=\"lsm_probe\",result=\"ok\"} 0");
	assert_line(good, "ringfence_lane_events_shed_total{lane=\"audit\"} 11");
	assert_line(good, "ringfence_errors_total{error=\"packet_short\"} 2");
	sample.snapshot.last_error = (char *)"no";
	bad = render(&sample.snapshot, RF_METRICS_TEXT, 10);
	assert_line(bad, "ringfence_policy_last_apply_success 0");
}

static void what_is_not_known_has_no_sample(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);

	(void)state;
	assert_null(strstr(text, "18446744073709551615"));
	assert_null(strstr(text, "ringfence_hook_runs_total"));
	assert_null(strstr(text, "ringfence_bpf_run_seconds"));
	assert_null(strstr(text, "ringfence_policy_confirm_remaining_seconds"));
	assert_null(strstr(text, "ringfence_map_entries{map=\"rf_cgroup_map\"}"));
	assert_null(
		strstr(text, "ringfence_workload_memory_bytes{tenant=\"acme\",namespace=\"prod\",workload=\"db\"}"));
	/* The twins that are known. */
	assert_line(text, "ringfence_map_entries{map=\"rf_peer4_map\"} 40");
	assert_line(text, "ringfence_workload_tasks{tenant=\"acme\",namespace=\"prod\",workload=\"db\"} 7");
}

static void a_cpu_time_that_is_no_number_has_no_sample(void **state)
{
	static const double bad[] = { __builtin_nan(""), __builtin_inf(), -1.0, 1e300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = NULL;
		struct sample sample;

		sample_fill(&sample);
		sample.snapshot.cpu_s = bad[i];
		text = render(&sample.snapshot, RF_METRICS_TEXT, 10);
		assert_null(strstr(text, "process_cpu_seconds"));
	}
}

static void label_values_are_escaped(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	sample.rows[1].short_name = (char *)"a\"b\\c\nd";
	text = render(&sample.snapshot, RF_METRICS_TEXT, 10);
	assert_line(text,
		    "ringfence_workload_tasks{tenant=\"acme\",namespace=\"prod\",workload=\"a\\\"b\\\\c\\nd\"} 6");
}

static void label_values_are_made_valid_utf8(void **state)
{
#define BAD "\xef\xbf\xbd"
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x92", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x92" },
		{ "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf" },
		{ "a\xff"
		  "b",
		  "a" BAD "b" },
		{ "\x80", BAD },
		{ "\xc0\xaf", BAD BAD },	 /* overlong */
		{ "\xe0\x9f\xbf", BAD BAD BAD }, /* overlong */
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD },	 /* a surrogate */
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD }, /* past U+10FFFF */
		{ "\xe2\x82", BAD BAD },		 /* cut short */
		{ "\xf0\x9f\x94", BAD BAD BAD },
		{ "\xc3\"", BAD "\\\"" }, /* the next byte is judged alone */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;
		struct sample sample;
		char line[200];

		sample_fill(&sample);
		sample.rows[1].short_name = (char *)cases[i].in;
		text = render(&sample.snapshot, RF_METRICS_OPENMETRICS, 10);
		snprintf(line, sizeof(line),
			 "ringfence_workload_tasks{tenant=\"acme\",namespace=\"prod\",workload=\"%s\"} 6",
			 cases[i].out);
		assert_line(text, line);
	}
}

static void help_is_escaped_as_each_format_wants(void **state)
{
	_cleanup_free_ char *text = render_sample(RF_METRICS_TEXT);
	_cleanup_free_ char *om = render_sample(RF_METRICS_OPENMETRICS);

	(void)state;
	assert_non_null(strstr(text, "summed under workload=\"_other\".\n"));
	assert_non_null(strstr(om, "summed under workload=\\\"_other\\\".\n"));
}

/* ---- bounds ---- */

static void all_workloads_have_series_at_the_limit(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	text = render(&sample.snapshot, RF_METRICS_TEXT, SAMPLE_WORKLOADS);
	assert_null(strstr(text, "\"_other\"} "));
	assert_line(text, "ringfence_workloads 3");
	assert_line(text, "ringfence_workloads_other 0");
}

static void one_past_the_limit_the_highest_ids_are_summed(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	text = render(&sample.snapshot, RF_METRICS_TEXT, SAMPLE_WORKLOADS - 1);
#define OTHER "tenant=\"_other\",namespace=\"_other\",workload=\"_other\""
	assert_line(text, "ringfence_workloads 3");
	assert_line(text, "ringfence_workloads_other 1");
	assert_line(text, "ringfence_workload_tasks{" OTHER "} 8");
	assert_line(text, "ringfence_workload_exec_total{" OTHER "} 4000");
	assert_null(strstr(text, "workload=\"batch\""));
	assert_non_null(strstr(text, "workload=\"web\""));
	assert_non_null(strstr(text, "workload=\"db\""));
	assert_null(strstr(text, "ringfence_workload_info{" OTHER));
	check_form(text, RF_METRICS_TEXT);
}

static void a_sum_leaves_out_what_is_not_known(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	text = render(&sample.snapshot, RF_METRICS_TEXT, 0);
	assert_line(text, "ringfence_workloads_other 3");
	assert_line(text, "ringfence_workload_memory_bytes{" OTHER "} 2097152");
	assert_line(text, "ringfence_workload_cpu_seconds_total{" OTHER "} 37.037034");
	assert_line(text, "ringfence_workload_exec_total{" OTHER "} 9000");
}

static void what_a_device_says_of_itself_is_shown_as_far_as_it_is_known(void **state)
{
#define DEVICE "{device=\"accel/accel0\",address=\"rf-testaccel.0\"} "
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 41, "41" },
		{ 0.07, "0.07" },
		{ -3.5, "-3.5" },
		{ 0, "0" },
		{ 1e15, "1000000000000000" },
		{ 0.9999999, "1" },
		{ 300.25, "300.25" },
		{ 1.000001, "1.000001" },
	};
	char line[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;
		struct sample sample;

		sample_fill(&sample);
		rf_accel_health_init(&sample.health);
		sample.health.value[RF_HEALTH_TEMPERATURE] = cases[i].value;
		sample.health.value[RF_HEALTH_POWER] = INFINITY;
		text = render(&sample.snapshot, RF_METRICS_TEXT, 10);
		snprintf(line, sizeof(line), "ringfence_accelerator_temperature_celsius" DEVICE "%s", cases[i].text);
		assert_line(text, line);
		assert_null(strstr(text, "ringfence_accelerator_power_watts"));
		sample.accelerator.health = NULL;
		free(text);
		text = render(&sample.snapshot, RF_METRICS_TEXT, 10);
		assert_null(strstr(text, "ringfence_accelerator_temperature_celsius"));
	}
}

static void a_host_without_workloads_has_only_host_metrics(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct sample sample;

	(void)state;
	sample_fill(&sample);
	sample.snapshot.workloads = NULL;
	sample.snapshot.n_workloads = 0;
	sample.snapshot.n_accelerator_uses = 0;
	sample.snapshot.n_calls = 0;
	sample.snapshot.n_nvml_uses = 0;
	sample.snapshot.n_memory_limits = 0;
	text = render(&sample.snapshot, RF_METRICS_OPENMETRICS, 10);
	assert_null(strstr(text, "ringfence_workload_"));
	assert_line(text, "ringfence_workloads 0");
	assert_line(text, "ringfence_workloads_other 0");
}

static void the_default_limit_holds(void **state)
{
	struct rf_strbuf out = RF_STRBUF_INIT;
	struct sample sample;
	size_t n = RF_METRICS_WORKLOADS + 1;
	struct rf_workload_row *rows = calloc(n, sizeof(*rows));

	(void)state;
	assert_non_null(rows);
	sample_fill(&sample);
	for (size_t i = 0; i < n; i++)
		sample_row(&rows[i], (uint32_t)i + 2, "acme/prod/web", "prod", "web");
	sample.snapshot.workloads = rows;
	sample.snapshot.n_workloads = n;
	assert_int_equal(rf_prometheus_render(&sample.snapshot, RF_METRICS_TEXT, &out), 0);
	assert_line(rf_strbuf_str(&out), "ringfence_workloads_other 1");
	sample.snapshot.n_workloads = n - 1;
	rf_strbuf_reset(&out);
	assert_int_equal(rf_prometheus_render(&sample.snapshot, RF_METRICS_TEXT, &out), 0);
	assert_line(rf_strbuf_str(&out), "ringfence_workloads_other 0");
	rf_strbuf_fini(&out);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_well_formed_and_every_series_is_unique),
		cmocka_unit_test(openmetrics_is_well_formed_and_every_series_is_unique),
		cmocka_unit_test(the_formats_have_the_same_samples),
		cmocka_unit_test(every_family_is_rendered_when_all_is_known),
		cmocka_unit_test(a_histogram_adds_up),
		cmocka_unit_test(numbers_are_exact_and_in_base_units),
		cmocka_unit_test(an_account_that_is_empty_has_no_series),
		cmocka_unit_test(the_accounts_of_workloads_beyond_the_limit_are_summed),
		cmocka_unit_test(states_are_numbers),
		cmocka_unit_test(what_is_not_known_has_no_sample),
		cmocka_unit_test(a_cpu_time_that_is_no_number_has_no_sample),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(label_values_are_made_valid_utf8),
		cmocka_unit_test(help_is_escaped_as_each_format_wants),
		cmocka_unit_test(all_workloads_have_series_at_the_limit),
		cmocka_unit_test(one_past_the_limit_the_highest_ids_are_summed),
		cmocka_unit_test(a_sum_leaves_out_what_is_not_known),
		cmocka_unit_test(what_a_device_says_of_itself_is_shown_as_far_as_it_is_known),
		cmocka_unit_test(a_host_without_workloads_has_only_host_metrics),
		cmocka_unit_test(the_default_limit_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

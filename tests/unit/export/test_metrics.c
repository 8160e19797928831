// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of metrics, the choice of the format, and that
 * Documentation/metrics.md shows the table.
 *
 *	test_metrics --table
 *	test_metrics --dcgm
 *
 * print what belongs into the document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/export/metrics.h"
#include "user/lib/strbuf.h"

/* A counter "x" owns x_total and x_created, an info "x" owns x_info. */
static void no_family_can_be_taken_for_a_sample_of_another(void **state)
{
	static const char *const suffixes[] = { "_total", "_created", "_info", "_count", "_sum", "_bucket" };

	(void)state;
	for (unsigned int i = 0; i < RF_METRIC_COUNT; i++) {
		const char *name = rf_metric_family(i)->name;

		for (size_t k = 0; k < ARRAY_SIZE(suffixes); k++) {
			size_t len = strlen(name), suffix = strlen(suffixes[k]);

			assert_true(len < suffix || strcmp(name + len - suffix, suffixes[k]));
		}
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(name, rf_metric_family(k)->name);
		for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
			assert_string_not_equal(name, rf_metric_counter(c)->name);
		for (unsigned int r = 0; r < RF_HEALTH_COUNT; r++)
			assert_string_not_equal(name, rf_metric_health(r)->name);
	}
}

/* ---- negotiation ---- */

static void the_accept_header_chooses_the_format(void **state)
{
	static const struct {
		const char *accept;
		enum rf_metrics_format format;
	} cases[] = {
		{ NULL, RF_METRICS_TEXT },
		{ "", RF_METRICS_TEXT },
		{ "*/*", RF_METRICS_TEXT },
		{ "text/plain", RF_METRICS_TEXT },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", RF_METRICS_TEXT },
		/* Prometheus 2.30, 2.42, 3 */
		{ "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  RF_METRICS_OPENMETRICS },
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  RF_METRICS_OPENMETRICS },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
		  "application/openmetrics-text;version=0.0.1;q=0.4,"
		  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
		  "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		  RF_METRICS_OPENMETRICS },
		{ "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
		  "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  RF_METRICS_OPENMETRICS },
		/* scrape_protocols: [PrometheusText0.0.4, OpenMetricsText1.0.0] */
		{ "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.4",
		  RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=0.4,text/plain;q=0.5", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=0.5,text/plain;q=0.4", RF_METRICS_OPENMETRICS },
		{ "application/openmetrics-text;q=0.501,text/plain;q=0.5", RF_METRICS_OPENMETRICS },
		/* equal: the first */
		{ "application/openmetrics-text,text/plain", RF_METRICS_OPENMETRICS },
		{ "text/plain,application/openmetrics-text", RF_METRICS_TEXT },
		/* by name before by wildcard */
		{ "*/*,application/openmetrics-text", RF_METRICS_OPENMETRICS },
		{ "*/*,application/openmetrics-text;q=0.9", RF_METRICS_TEXT },
		{ "text/*,application/openmetrics-text", RF_METRICS_OPENMETRICS },
		{ "application/*", RF_METRICS_OPENMETRICS },
		{ "text/*;q=0.2,application/*;q=0.3", RF_METRICS_OPENMETRICS },
		/* refused */
		{ "application/openmetrics-text;q=0", RF_METRICS_TEXT },
		{ "text/plain;q=0,*/*", RF_METRICS_OPENMETRICS },
		{ "text/plain;q=0,application/openmetrics-text;q=0.000", RF_METRICS_TEXT },
		{ "application/json", RF_METRICS_TEXT },
		/* versions that we do not speak */
		{ "application/openmetrics-text;version=2.0.0", RF_METRICS_TEXT },
		{ "application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.1", RF_METRICS_TEXT },
		/* form */
		{ "Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1.000", RF_METRICS_OPENMETRICS },
		{ "\tapplication/openmetrics-text\t;q=0.9 , text/plain;q=0.8", RF_METRICS_OPENMETRICS },
		{ ",,;q=1,application/openmetrics-text,", RF_METRICS_OPENMETRICS },
		{ "foo/bar;x=\"a,application/openmetrics-text\"", RF_METRICS_TEXT },
		{ "foo/bar;x=\"\\\",application/openmetrics-text", RF_METRICS_TEXT },
		{ "application/openmetrics-textual", RF_METRICS_TEXT },
		/* weights that are none: the range does not count */
		{ "application/openmetrics-text;q=1.001", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=2", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=-1", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=0.1234", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=", RF_METRICS_TEXT },
		{ "application/openmetrics-text;q=nan", RF_METRICS_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (rf_metrics_negotiate(cases[i].accept) != cases[i].format)
			fail_msg("wrong format for '%s'", cases[i].accept);
}

static void the_content_types_are_those_of_the_standards(void **state)
{
	(void)state;
	assert_string_equal(rf_metrics_content_type(RF_METRICS_TEXT), "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(rf_metrics_content_type(RF_METRICS_OPENMETRICS),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

/* ---- documentation ---- */

static void table_row(struct rf_strbuf *out, const struct rf_metric_family *f, const char *fixed_values)
{
	const char *unit = rf_metric_unit(f->name);

	rf_strbuf_addf(out, "| `%s%s` | %s | %s | ", f->name, rf_metric_suffix(f->type),
		       rf_metric_type_name(f->type, RF_METRICS_OPENMETRICS), unit ? unit : "");
	for (const char *at = f->labels; *at;) {
		size_t len = strcspn(at, ",");

		rf_strbuf_addf(out, "%s`%.*s`", at == f->labels ? "" : ", ", (int)len, at);
		at += len + (at[len] == ',');
	}
	rf_strbuf_addf(out, "%s | %s |\n", fixed_values, f->help);
}

/* The label names of `a="x",b="y"`. */
static void fixed_names(struct rf_strbuf *out, const char *fixed)
{
	while (*fixed) {
		size_t len = strcspn(fixed, "=");

		rf_strbuf_addf(out, ", `%.*s`", (int)len, fixed);
		fixed += len + strcspn(fixed + len, ",");
		fixed += *fixed == ',';
	}
}

static void table(struct rf_strbuf *out)
{
	rf_strbuf_adds(out, "| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
	for (unsigned int i = 0; i < RF_METRIC_COUNT; i++)
		table_row(out, rf_metric_family(i), "");
	for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++) {
		_cleanup_strbuf_ struct rf_strbuf names = RF_STRBUF_INIT;

		if (!rf_metric_counter_leads(c))
			continue;
		fixed_names(&names, rf_metric_counter(c)->fixed);
		table_row(out, rf_metric_counter(c), rf_strbuf_str(&names));
	}
	for (unsigned int r = 0; r < RF_HEALTH_COUNT; r++)
		table_row(out, rf_metric_health(r), "");
}

/* The names that dashboards made for DCGM's exporter ask for, and ours. */
static void dcgm_table(struct rf_strbuf *out)
{
	rf_strbuf_adds(out, "| DCGM exporter | here |\n|---|---|\n");
	for (unsigned int r = 0; r < RF_HEALTH_COUNT; r++) {
		const struct rf_metric_family *f = rf_metric_health(r);

		if (*rf_health_dcgm_name(r))
			rf_strbuf_addf(out, "| `%s` | `%s%s` |\n", rf_health_dcgm_name(r), f->name,
				       rf_metric_suffix(f->type));
	}
}

static void document_read(struct rf_strbuf *text)
{
	_cleanup_fclose_ FILE *file = NULL;
	const char *source = getenv("RF_SRC");
	char path[4096], buffer[4096];
	size_t n;

	snprintf(path, sizeof(path), "%s/Documentation/metrics.md", source ? source : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		rf_strbuf_add(text, buffer, n);
}

static void the_document_shows_every_metric(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf expected = RF_STRBUF_INIT, text = RF_STRBUF_INIT;

	(void)state;
	document_read(&text);
	table(&expected);
	if (!strstr(rf_strbuf_str(&text), rf_strbuf_str(&expected)))
		fail_msg("Documentation/metrics.md is not up to date: put the output of test_metrics --table there");
}

static void the_document_shows_what_dcgm_calls_every_reading(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf expected = RF_STRBUF_INIT, text = RF_STRBUF_INIT;

	(void)state;
	document_read(&text);
	dcgm_table(&expected);
	if (!strstr(rf_strbuf_str(&text), rf_strbuf_str(&expected)))
		fail_msg("Documentation/metrics.md is not up to date: put the output of test_metrics --dcgm there");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_family_can_be_taken_for_a_sample_of_another),
		cmocka_unit_test(the_accept_header_chooses_the_format),
		cmocka_unit_test(the_content_types_are_those_of_the_standards),
		cmocka_unit_test(the_document_shows_every_metric),
		cmocka_unit_test(the_document_shows_what_dcgm_calls_every_reading),
	};

	if (argc > 1 && (rf_streq(argv[1], "--table") || rf_streq(argv[1], "--dcgm"))) {
		_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

		if (rf_streq(argv[1], "--table"))
			table(&out);
		else
			dcgm_table(&out);
		fputs(rf_strbuf_str(&out), stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which sample of a snapshot stands where in the exposition.
 *
 * Ten thousand workloads make some 200,000 samples, so the labels of a
 * workload are escaped once and copied after that.
 */
#include "user/export/prometheus.h"

#include <errno.h>
#include <math.h>

#include "ringfence/abi.h"
#include "user/export/exposition.h"
#include "user/export/prometheus_accel.h"
#include "user/model/event.h"

/* A workload that has series, or the sum of those that have none. */
struct row {
	const struct rf_workload_row *workload;
	size_t labels_at, labels_len; /* in writer.rows_labels */
};

struct writer {
	struct rf_exposition x;
	struct rf_strbuf rows_labels; /* of all rows, one after another */
	struct row *rows;
	size_t n_rows;
	struct rf_workload_row other;
	struct rf_account other_account[RF_PEER_CLASSES];
};

static void writer_fini(struct writer *w)
{
	rf_exposition_fini(&w->x);
	rf_strbuf_fini(&w->rows_labels);
	free(w->rows);
}

static void begin(struct writer *w, enum rf_metric m)
{
	rf_exposition_begin(&w->x, rf_metric_family(m));
}

static void label(struct writer *w, const char *name, const char *value)
{
	rf_exposition_label(&w->x, name, value);
}

static void sample(struct writer *w, uint64_t value)
{
	rf_exposition_u64(&w->x, value);
}

static void sample_fixed(struct writer *w, uint64_t value, unsigned int decimals)
{
	rf_exposition_fixed(&w->x, value, decimals);
}

static void single(struct writer *w, enum rf_metric m, uint64_t value)
{
	begin(w, m);
	sample(w, value);
}

static void single_fixed(struct writer *w, enum rf_metric m, uint64_t value, unsigned int decimals)
{
	begin(w, m);
	sample_fixed(w, value, decimals);
}

static void render_host(struct writer *w, const struct rf_snapshot *s)
{
	char number[16];

	begin(w, RF_METRIC_BUILD);
	label(w, "version", RF_VERSION);
	snprintf(number, sizeof(number), "%d", RF_MAP_ABI);
	label(w, "map_abi", number);
	snprintf(number, sizeof(number), "%d", RF_MODULE_ABI);
	label(w, "module_abi", number);
	snprintf(number, sizeof(number), "%d", RF_CONTROL_ABI);
	label(w, "control_abi", number);
	sample(w, 1);
	single(w, RF_METRIC_UPTIME, s->uptime_s);
	single(w, RF_METRIC_LEVEL, s->level);
	single(w, RF_METRIC_ADOPTED, s->adopted);
	begin(w, RF_METRIC_FEATURE_SUPPORT);
	for (size_t i = 0; i < s->n_features; i++) {
		label(w, "feature", rf_feature_name(s->features[i].feature));
		sample(w, s->features[i].support);
	}
}

static void render_policy(struct writer *w, const struct rf_snapshot *s)
{
	static const char *const sources[] = { "directory", "rollback", "confirm-pending" };

	single(w, RF_METRIC_POLICIES, s->policies);
	single(w, RF_METRIC_POLICY_GENERATION, s->generation);
	begin(w, RF_METRIC_POLICY_SOURCE);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		label(w, "source", sources[i]);
		sample(w, s->source && rf_streq(s->source, sources[i]));
	}
	single(w, RF_METRIC_POLICY_CONFIRM, s->confirm_left_s);
	single(w, RF_METRIC_APPLY_SUCCESS, !s->last_error);
	single_fixed(w, RF_METRIC_APPLY_TIME, s->last_apply_real_ns, 9);
	single_fixed(w, RF_METRIC_APPLY_ERROR_TIME, s->last_error_real_ns, 9);
	begin(w, RF_METRIC_APPLIES);
	label(w, "result", "success");
	sample(w, s->applies_ok);
	label(w, "result", "failure");
	sample(w, s->applies_failed);
	single(w, RF_METRIC_ROLLBACKS, s->rollbacks);
	single(w, RF_METRIC_RULESETS, s->rulesets);
	single(w, RF_METRIC_WORKLOADS, s->n_workloads);
	single(w, RF_METRIC_WORKLOADS_OTHER, s->n_workloads - (w->n_rows - (w->other.short_name != NULL)));
	single(w, RF_METRIC_CGROUPS, s->n_cgroups);
}

static void hook_family(struct writer *w, const struct rf_snapshot *s, enum rf_metric m)
{
	begin(w, m);
	for (size_t i = 0; i < s->n_hooks; i++) {
		const struct rf_hook_row *h = &s->hooks[i];

		label(w, "hook", rf_hook_name(h->hook));
		switch (m) {
		case RF_METRIC_HOOK_WANTED:
			sample(w, h->wanted);
			break;
		case RF_METRIC_HOOK_ATTACHED:
			sample(w, h->attached);
			break;
		case RF_METRIC_HOOK_PROBE_HITS:
			sample(w, h->probe_hits);
			break;
		case RF_METRIC_HOOK_ERRORS:
			sample(w, h->errors);
			break;
		case RF_METRIC_HOOK_REPAIRS:
			sample(w, h->repairs);
			break;
		case RF_METRIC_HOOK_RUNS:
			sample(w, h->run_count);
			break;
		case RF_METRIC_HOOK_RUN_TIME:
			sample_fixed(w, h->run_ns, 9);
			break;
		default:
			sample(w, h->recursion_misses);
		}
	}
}

static void render_hooks(struct writer *w, const struct rf_snapshot *s)
{
	static const char *const results[] = { "ok", "failed", "not run" };

	hook_family(w, s, RF_METRIC_HOOK_WANTED);
	hook_family(w, s, RF_METRIC_HOOK_ATTACHED);
	begin(w, RF_METRIC_HOOK_SELF_TEST);
	for (size_t i = 0; i < s->n_hooks; i++) {
		const char *result = s->hooks[i].self_test ? s->hooks[i].self_test : "not run";

		for (size_t k = 0; k < ARRAY_SIZE(results); k++) {
			label(w, "hook", rf_hook_name(s->hooks[i].hook));
			label(w, "result", results[k]);
			sample(w, rf_streq(result, results[k]));
		}
	}
	hook_family(w, s, RF_METRIC_HOOK_PROBE_HITS);
	hook_family(w, s, RF_METRIC_HOOK_ERRORS);
	hook_family(w, s, RF_METRIC_HOOK_REPAIRS);
	hook_family(w, s, RF_METRIC_HOOK_RUNS);
	hook_family(w, s, RF_METRIC_HOOK_RUN_TIME);
	hook_family(w, s, RF_METRIC_HOOK_RECURSION);
}

/* @offset: of a uint64_t in the row. */
static void lane_family(struct writer *w, const struct rf_snapshot *s, enum rf_metric m, size_t offset)
{
	begin(w, m);
	for (unsigned int i = 0; i < RF_LANES; i++) {
		label(w, "lane", rf_lane_name(i));
		sample(w, *(const uint64_t *)((const char *)&s->lanes[i] + offset));
	}
}

static void map_family(struct writer *w, const struct rf_snapshot *s, enum rf_metric m, size_t offset)
{
	begin(w, m);
	for (size_t i = 0; i < s->n_maps; i++) {
		label(w, "map", s->maps[i].name);
		sample(w, *(const uint64_t *)((const char *)&s->maps[i] + offset));
	}
}

static void render_tables(struct writer *w, const struct rf_snapshot *s)
{
	lane_family(w, s, RF_METRIC_LANE_SUBMITTED, offsetof(struct rf_lane_row, submitted));
	lane_family(w, s, RF_METRIC_LANE_SHED, offsetof(struct rf_lane_row, shed));
	lane_family(w, s, RF_METRIC_LANE_LOST, offsetof(struct rf_lane_row, lost));
	lane_family(w, s, RF_METRIC_LANE_GAPS, offsetof(struct rf_lane_row, gaps));
	lane_family(w, s, RF_METRIC_LANE_RING, offsetof(struct rf_lane_row, ring_bytes));
	lane_family(w, s, RF_METRIC_LANE_RING_USED, offsetof(struct rf_lane_row, ring_used));
	begin(w, RF_METRIC_ERRORS);
	for (unsigned int i = 0; i < RF_ERROR_COUNT; i++) {
		label(w, "error", rf_error_name(i));
		sample(w, s->errors[i]);
	}
	single(w, RF_METRIC_GUARD_LOCKED, s->guard.locked && !s->guard.open_s);
	begin(w, RF_METRIC_GUARD_REFUSED);
	for (unsigned int i = 0; i < RF_GUARD_COUNT; i++) {
		label(w, "operation", rf_guard_operation_name(i));
		sample(w, s->guard.refused[i]);
	}
	map_family(w, s, RF_METRIC_MAP_ENTRIES, offsetof(struct rf_map_row, entries));
	map_family(w, s, RF_METRIC_MAP_MAX_ENTRIES, offsetof(struct rf_map_row, max_entries));
	map_family(w, s, RF_METRIC_MAP_BYTES, offsetof(struct rf_map_row, bytes));
}

/* Through an integer: printf would write a double with the decimal point of the locale. */
static uint64_t nanoseconds(double s)
{
	return isfinite(s) && s >= 0 && s < 1e10 ? (uint64_t)(s * 1e9) : RF_UNKNOWN;
}

static void render_cost(struct writer *w, const struct rf_snapshot *s)
{
	uint64_t cpu_ns = nanoseconds(s->cpu_s);

	single(w, RF_METRIC_FLOW_ROWS, s->flows.rows);
	single(w, RF_METRIC_FLOW_MAX, s->flows.max);
	single(w, RF_METRIC_FLOW_DROPPED, s->flows.dropped);
	single(w, RF_METRIC_FLOW_LOST, s->flows.lost);
	single(w, RF_METRIC_FLOW_STORED, s->flows.stored);
	single(w, RF_METRIC_FLOW_BYTES, s->flows.bytes);
	single(w, RF_METRIC_LINEAGE_ROWS, s->lineage.rows);
	single(w, RF_METRIC_LINEAGE_MAX, s->lineage.max);
	single(w, RF_METRIC_LINEAGE_DROPPED, s->lineage.dropped);
	single(w, RF_METRIC_LINEAGE_LOST, s->lineage.lost);
	single(w, RF_METRIC_LINEAGE_STORED, s->lineage.stored);
	single(w, RF_METRIC_LINEAGE_BYTES, s->lineage.bytes);
	single(w, RF_METRIC_BPF_MEMORY, s->bpf_bytes);
	single_fixed(w, RF_METRIC_BPF_RUN_TIME, s->bpf_run_ns, 9);
	single_fixed(w, RF_METRIC_OWN_CPU, cpu_ns, 9);
	single(w, RF_METRIC_OWN_MEMORY, s->rss_bytes);
	single_fixed(w, RF_METRIC_CHILDREN_CPU, nanoseconds(s->children_cpu_s), 9);
	single(w, RF_METRIC_CHILDREN_MEMORY, s->children_rss_bytes);
	single(w, RF_METRIC_OWN_FDS, s->open_fds);
	single_fixed(w, RF_METRIC_PROCESS_CPU, cpu_ns, 9);
	single(w, RF_METRIC_PROCESS_MEMORY, s->rss_bytes);
	single(w, RF_METRIC_PROCESS_FDS, s->open_fds);
}

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->workload->id > y->workload->id) - (x->workload->id < y->workload->id);
}

static void add_known(uint64_t *sum, uint64_t value)
{
	if (value == RF_UNKNOWN)
		return;
	*sum = *sum == RF_UNKNOWN ? value : *sum + value;
}

/* Chooses the rows, sums the rest, and writes the labels of each once. */
static int rows_prepare(struct writer *w, const struct rf_snapshot *s, size_t max)
{
	struct rf_workload_row *other = &w->other;
	size_t n = MIN(s->n_workloads, max);

	w->rows = calloc(s->n_workloads + 1, sizeof(*w->rows));
	if (!w->rows)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_workloads; i++)
		w->rows[i].workload = &s->workloads[i];
	qsort(w->rows, s->n_workloads, sizeof(*w->rows), row_compare);

	if (n < s->n_workloads) {
		static char name[] = RF_METRICS_OTHER;

		other->tenant = other->namespace = other->short_name = name;
		other->tasks = other->cpu_usec = other->memory_bytes = RF_UNKNOWN;
		other->account = w->other_account;
		for (size_t i = n; i < s->n_workloads; i++) {
			const struct rf_workload_row *row = w->rows[i].workload;

			for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
				other->counter[c] += row->counter[c];
			for (unsigned int class = 0; row->account && class < RF_PEER_CLASSES; class ++)
				rf_account_add(&w->other_account[class], &row->account[class]);
			add_known(&other->tasks, row->tasks);
			add_known(&other->cpu_usec, row->cpu_usec);
			add_known(&other->memory_bytes, row->memory_bytes);
		}
		w->rows[n++].workload = other;
	}
	w->n_rows = n;

	for (size_t i = 0; i < n; i++) {
		struct row *row = &w->rows[i];

		label(w, "tenant", row->workload->tenant);
		label(w, "namespace", row->workload->namespace);
		label(w, "workload", row->workload->short_name);
		row->labels_at = w->rows_labels.len;
		row->labels_len = rf_exposition_labels_take(&w->x, &w->rows_labels);
	}
	return rf_strbuf_error(&w->rows_labels);
}

static void row_labels(struct writer *w, const struct row *row)
{
	rf_exposition_labels(&w->x, rf_strbuf_str(&w->rows_labels) + row->labels_at, row->labels_len);
}

static void render_workloads(struct writer *w)
{
	begin(w, RF_METRIC_WORKLOAD);
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct rf_workload_row *row = w->rows[i].workload;
		char count[24];

		if (row == &w->other) /* a sum has no manager */
			continue;
		row_labels(w, &w->rows[i]);
		label(w, "manager", row->manager);
		label(w, "mode", row->mode);
		snprintf(count, sizeof(count), "%zu", row->n_policies);
		label(w, "policies", count);
		sample(w, 1);
	}
	begin(w, RF_METRIC_WORKLOAD_CPU);
	for (size_t i = 0; i < w->n_rows; i++) {
		row_labels(w, &w->rows[i]);
		sample_fixed(w, w->rows[i].workload->cpu_usec, 6);
	}
	begin(w, RF_METRIC_WORKLOAD_MEMORY);
	for (size_t i = 0; i < w->n_rows; i++) {
		row_labels(w, &w->rows[i]);
		sample(w, w->rows[i].workload->memory_bytes);
	}
	begin(w, RF_METRIC_WORKLOAD_TASKS);
	for (size_t i = 0; i < w->n_rows; i++) {
		row_labels(w, &w->rows[i]);
		sample(w, w->rows[i].workload->tasks);
	}
}

/* @offset: of a counter in struct rf_traffic. */
static void traffic_family(struct writer *w, enum rf_metric m, size_t offset)
{
	begin(w, m);
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct rf_account *rows = w->rows[i].workload->account;

		for (unsigned int n = 0; rows && n < RF_DIRECTIONS * RF_PEER_CLASSES * RF_VERDICTS; n++) {
			unsigned int verdict = n % RF_VERDICTS, class = n / RF_VERDICTS % RF_PEER_CLASSES;
			unsigned int direction = n / RF_VERDICTS / RF_PEER_CLASSES;
			const char *traffic = (const char *)&rows[class].traffic[verdict][direction];
			uint64_t value = *(const uint64_t *)(traffic + offset);

			if (!value)
				continue;
			row_labels(w, &w->rows[i]);
			label(w, "direction", direction == RF_EGRESS ? "egress" : "ingress");
			label(w, "peer", rf_peer_class_name(class));
			label(w, "verdict", rf_verdict_name(verdict));
			sample(w, value);
		}
	}
}

/* What a class of peers has one of. @offset: of a counter in struct rf_account. */
static void peer_family(struct writer *w, enum rf_metric m, size_t offset, unsigned int decimals)
{
	begin(w, m);
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct rf_account *rows = w->rows[i].workload->account;

		for (unsigned int class = 0; rows && class < RF_PEER_CLASSES; class ++) {
			uint64_t value = *(const uint64_t *)((const char *)&rows[class] + offset);

			if (!value)
				continue;
			row_labels(w, &w->rows[i]);
			label(w, "peer", rf_peer_class_name(class));
			if (decimals)
				sample_fixed(w, value, decimals);
			else
				sample(w, value);
		}
	}
}

static void dns_family(struct writer *w)
{
	static const struct {
		const char *kind;
		size_t offset;
	} kinds[] = { { "query", offsetof(struct rf_account, dns_queries) },
		      { "answer", offsetof(struct rf_account, dns_answers) },
		      { "refused", offsetof(struct rf_account, dns_refused) } };

	begin(w, RF_METRIC_NETWORK_DNS);
	for (size_t i = 0; i < w->n_rows; i++) {
		const struct rf_account *rows = w->rows[i].workload->account;

		for (unsigned int n = 0; rows && n < ARRAY_SIZE(kinds) * RF_PEER_CLASSES; n++) {
			const char *row = (const char *)&rows[n % RF_PEER_CLASSES];
			uint64_t value = *(const uint64_t *)(row + kinds[n / RF_PEER_CLASSES].offset);

			if (!value)
				continue;
			row_labels(w, &w->rows[i]);
			label(w, "kind", kinds[n / RF_PEER_CLASSES].kind);
			label(w, "peer", rf_peer_class_name(n % RF_PEER_CLASSES));
			sample(w, value);
		}
	}
}

/* Series that are 0 are left out: most workloads talk to few classes of peers, and few are denied anything. */
static void render_accounts(struct writer *w)
{
	traffic_family(w, RF_METRIC_NETWORK_BYTES, offsetof(struct rf_traffic, bytes));
	traffic_family(w, RF_METRIC_NETWORK_PACKETS, offsetof(struct rf_traffic, packets));
	traffic_family(w, RF_METRIC_NETWORK_CONNECTIONS, offsetof(struct rf_traffic, connections));
	peer_family(w, RF_METRIC_NETWORK_RETRANSMITS, offsetof(struct rf_account, retransmits), 0);
	peer_family(w, RF_METRIC_NETWORK_RTT, offsetof(struct rf_account, rtt_us), 6);
	peer_family(w, RF_METRIC_NETWORK_RTT_SAMPLES, offsetof(struct rf_account, rtt_samples), 0);
	dns_family(w);
}

/* The counters that share @lead's family, beside one another for each workload. */
static void render_counter_family(struct writer *w, enum rf_counter lead)
{
	const struct rf_metric_family *members[RF_COUNTER_COUNT];
	enum rf_counter counter[RF_COUNTER_COUNT];
	size_t n = 0;

	rf_exposition_begin(&w->x, rf_metric_counter(lead));
	for (unsigned int c = lead; c < RF_COUNTER_COUNT; c++) {
		if (!rf_streq(rf_metric_counter(c)->name, rf_metric_counter(lead)->name))
			continue;
		members[n] = rf_metric_counter(c);
		counter[n++] = c;
	}
	for (size_t i = 0; i < w->n_rows; i++) {
		for (size_t k = 0; k < n; k++) {
			row_labels(w, &w->rows[i]);
			rf_exposition_labels(&w->x, members[k]->fixed, strlen(members[k]->fixed));
			sample(w, w->rows[i].workload->counter[counter[k]]);
		}
	}
}

int rf_prometheus_render_max(const struct rf_snapshot *s, enum rf_metrics_format f, size_t max_workloads,
			     struct rf_strbuf *out)
{
	_cleanup_(writer_fini) struct writer w = { .rows_labels = RF_STRBUF_INIT };
	int r;

	rf_exposition_init(&w.x, f, out);
	r = rows_prepare(&w, s, max_workloads);
	if (r)
		return r;
	render_host(&w, s);
	render_policy(&w, s);
	render_hooks(&w, s);
	render_tables(&w, s);
	render_cost(&w, s);
	render_workloads(&w);
	render_accounts(&w);
	r = rf_prometheus_accelerators(&w.x, s, max_workloads);
	if (r < 0)
		return r;
	for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
		if (rf_metric_counter_leads(c))
			render_counter_family(&w, c);
	return rf_exposition_end(&w.x);
}

int rf_prometheus_render(const struct rf_snapshot *s, enum rf_metrics_format f, struct rf_strbuf *out)
{
	return rf_prometheus_render_max(s, f, RF_METRICS_WORKLOADS, out);
}

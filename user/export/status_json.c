// SPDX-License-Identifier: GPL-2.0-or-later
/* Snapshot -> the STATUS and WORKLOAD objects of the control protocol. */
#include "user/export/status_json.h"

#include "user/export/metrics.h"
#include "user/model/event.h"

static void number(struct rf_json *j, const char *key, uint64_t value)
{
	if (value == RF_UNKNOWN)
		rf_json_null(j, key);
	else
		rf_json_u64(j, key, value);
}

static void last_error(const struct rf_snapshot *s, struct rf_json *j)
{
	if (!s->last_error) {
		rf_json_null(j, "last_error");
		return;
	}
	rf_json_object(j, "last_error");
	rf_json_time(j, "time", s->last_error_real_ns);
	rf_json_string(j, "text", s->last_error);
	rf_json_object_end(j);
}

static void features(const struct rf_snapshot *s, struct rf_json *j)
{
	rf_json_array(j, "features");
	for (size_t i = 0; i < s->n_features; i++) {
		const struct rf_feature_row *f = &s->features[i];

		rf_json_object(j, NULL);
		rf_json_string(j, "name", rf_feature_name(f->feature));
		rf_json_string(j, "support", rf_support_name(f->support));
		rf_json_string(j, "why", f->why);
		rf_json_string(j, "section", rf_feature_section(f->feature));
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
}

static void hooks(const struct rf_snapshot *s, struct rf_json *j)
{
	rf_json_array(j, "hooks");
	for (size_t i = 0; i < s->n_hooks; i++) {
		const struct rf_hook_row *h = &s->hooks[i];

		rf_json_object(j, NULL);
		rf_json_string(j, "name", rf_hook_name(h->hook));
		rf_json_bool(j, "attached", h->attached);
		rf_json_string(j, "self_test", h->self_test ? h->self_test : "not run");
		number(j, "probe_hits", h->probe_hits);
		number(j, "errors", h->errors);
		rf_json_string(j, "why", h->why);
		number(j, "run_count", h->run_count);
		number(j, "run_ns", h->run_ns);
		number(j, "recursion_misses", h->recursion_misses);
		number(j, "repairs", h->repairs);
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
}

static void tables(const struct rf_snapshot *s, struct rf_json *j)
{
	rf_json_array(j, "lanes");
	for (unsigned int i = 0; i < RF_LANES; i++) {
		rf_json_object(j, NULL);
		rf_json_string(j, "name", rf_lane_name(i));
		number(j, "submitted", s->lanes[i].submitted);
		number(j, "shed", s->lanes[i].shed);
		number(j, "lost", s->lanes[i].lost);
		number(j, "gaps", s->lanes[i].gaps);
		rf_json_object_end(j);
	}
	rf_json_array_end(j);

	rf_json_array(j, "errors");
	for (unsigned int i = 0; i < RF_ERROR_COUNT; i++) {
		rf_json_object(j, NULL);
		rf_json_string(j, "name", rf_error_name(i));
		number(j, "count", s->errors[i]);
		rf_json_string(j, "help", rf_error_help(i));
		rf_json_object_end(j);
	}
	rf_json_array_end(j);

	rf_json_object(j, "guard");
	rf_json_bool(j, "locked", s->guard.locked);
	rf_json_u64(j, "open_s", s->guard.open_s);
	rf_json_array(j, "refused");
	for (unsigned int i = 0; i < RF_GUARD_COUNT; i++) {
		rf_json_object(j, NULL);
		rf_json_string(j, "name", rf_guard_operation_name(i));
		number(j, "count", s->guard.refused[i]);
		rf_json_string(j, "help", rf_guard_operation_help(i));
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
	rf_json_object_end(j);

	rf_json_array(j, "maps");
	for (size_t i = 0; i < s->n_maps; i++) {
		rf_json_object(j, NULL);
		rf_json_string(j, "name", s->maps[i].name);
		number(j, "entries", s->maps[i].entries);
		number(j, "max_entries", s->maps[i].max_entries);
		number(j, "bytes", s->maps[i].bytes);
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
}

static void recorded(const struct rf_recorded_row *row, struct rf_json *j, const char *key)
{
	rf_json_object(j, key);
	rf_json_u64(j, "rows", row->rows);
	rf_json_u64(j, "max_rows", row->max);
	rf_json_u64(j, "dropped", row->dropped);
	rf_json_u64(j, "lost", row->lost);
	rf_json_bool(j, "stored", row->stored);
	rf_json_u64(j, "bytes", row->bytes);
	rf_json_string(j, "why", row->trouble);
	rf_json_object_end(j);
}

static void gpu(const struct rf_gpu_row *g, struct rf_json *j)
{
	if (!g->state) {
		rf_json_null(j, "gpu");
		return;
	}
	rf_json_object(j, "gpu");
	rf_json_string(j, "state", g->state);
	rf_json_string(j, "why", g->why);
	rf_json_u64(j, "restarts", g->restarts);
	rf_json_u64(j, "refused", g->refused);
	rf_json_u64(j, "errors", g->errors);
	rf_json_u64(j, "unjoined", g->unjoined);
	rf_json_u64(j, "dropped", g->dropped);
	rf_json_object_end(j);
}

void rf_status_json(const struct rf_snapshot *s, struct rf_json *j, const char *key)
{
	rf_json_object(j, key);
	rf_json_string(j, "version", RF_VERSION);
	rf_json_u64(j, "pid", s->pid);
	rf_json_u64(j, "uptime_s", s->uptime_s);
	rf_json_u64(j, "level", s->level);
	rf_json_string(j, "root", s->root);
	rf_json_string(j, "bpffs", s->bpffs);
	rf_json_bool(j, "adopted", s->adopted);
	rf_json_u64(j, "generation", s->generation);
	number(j, "policies", s->policies);
	rf_json_u64(j, "workloads", s->n_workloads);
	number(j, "cgroups", s->n_cgroups);
	number(j, "rulesets", s->rulesets);
	rf_json_string(j, "source", s->source);
	number(j, "confirm_left_s", s->confirm_left_s);
	last_error(s, j);
	features(s, j);
	hooks(s, j);
	tables(s, j);
	recorded(&s->flows, j, "flow_history");
	recorded(&s->lineage, j, "lineage");
	gpu(&s->gpu, j);
	rf_json_object(j, "cost");
	rf_json_double(j, "cpu_s", s->cpu_s);
	number(j, "rss_bytes", s->rss_bytes);
	rf_json_double(j, "children_cpu_s", s->children_cpu_s);
	number(j, "children_rss_bytes", s->children_rss_bytes);
	number(j, "bpf_bytes", s->bpf_bytes);
	number(j, "bpf_run_ns", s->bpf_run_ns);
	rf_json_object_end(j);
	rf_json_object_end(j);
}

static void traffic(const struct rf_account *row, struct rf_json *j)
{
	rf_json_array(j, "traffic");
	for (unsigned int v = 0; v < RF_VERDICTS; v++) {
		for (unsigned int d = 0; d < RF_DIRECTIONS; d++) {
			const struct rf_traffic *t = &row->traffic[v][d];

			if (!t->packets && !t->connections)
				continue;
			rf_json_object(j, NULL);
			rf_json_string(j, "verdict", rf_verdict_name(v));
			rf_json_string(j, "direction", d == RF_EGRESS ? "egress" : "ingress");
			number(j, "bytes", t->bytes);
			number(j, "packets", t->packets);
			number(j, "connections", t->connections);
			rf_json_object_end(j);
		}
	}
	rf_json_array_end(j);
}

/* Those classes of peers alone with which there was something. */
static void peers(const struct rf_workload_row *w, struct rf_json *j)
{
	rf_json_array(j, "peers");
	for (unsigned int class = 0; w->account && class < RF_PEER_CLASSES; class ++) {
		const struct rf_account *row = &w->account[class];

		if (!rf_account_used(row))
			continue;
		rf_json_object(j, NULL);
		rf_json_string(j, "peer", rf_peer_class_name(class));
		traffic(row, j);
		number(j, "retransmits", row->retransmits);
		number(j, "rtt_us", row->rtt_us);
		number(j, "rtt_samples", row->rtt_samples);
		number(j, "dns_queries", row->dns_queries);
		number(j, "dns_answers", row->dns_answers);
		number(j, "dns_refused", row->dns_refused);
		rf_json_object_end(j);
	}
	rf_json_array_end(j);
}

static void workload(const struct rf_workload_row *w, struct rf_json *j)
{
	rf_json_object(j, NULL);
	rf_json_u64(j, "id", w->id);
	rf_json_string(j, "name", w->name);
	rf_json_string(j, "path", w->path);
	rf_json_object(j, "identity");
	rf_json_string(j, "manager", w->manager);
	rf_json_string(j, "tenant", w->tenant);
	rf_json_string(j, "namespace", w->namespace);
	rf_json_string(j, "workload", w->short_name);
	rf_json_object_end(j);
	rf_json_string(j, "mode", w->mode);
	rf_json_array(j, "policies");
	for (size_t i = 0; i < w->n_policies; i++)
		rf_json_string(j, NULL, w->policies[i]);
	rf_json_array_end(j);
	number(j, "tasks", w->tasks);
	number(j, "cpu_usec", w->cpu_usec);
	number(j, "memory_bytes", w->memory_bytes);
	rf_json_object(j, "counters");
	for (unsigned int c = 0; c < RF_COUNTER_COUNT; c++)
		number(j, rf_counter_key(c), w->counter[c]);
	for (unsigned int sum = 0; sum < RF_SUM_COUNT; sum++)
		number(j, rf_account_sum_key(sum), rf_account_sum(w->account, sum));
	rf_json_object_end(j);
	peers(w, j);
	rf_json_object_end(j);
}

void rf_workloads_json(const struct rf_snapshot *s, struct rf_json *j)
{
	rf_json_u64(j, "time_ns", s->boot_ns);
	rf_json_array(j, "workloads");
	for (size_t i = 0; i < s->n_workloads; i++)
		workload(&s->workloads[i], j);
	rf_json_array_end(j);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The control command "lineage"; include/ringfence/control.h has the shapes. */
#include <errno.h>

#include "user/daemon/commands.h"
#include "user/daemon/lineage.h"
#include "user/lib/json.h"
#include "user/model/label.h"
#include "user/store/lineage_graph.h"

/* One that the file knows. */
struct label {
	char *name, *kind, *tenant;
};

static void label_free(void *p)
{
	struct label *label = p;

	free(label->name);
	free(label->kind);
	free(label->tenant);
	free(label);
}

static int label_take(const struct rf_lineage_label *l, void *arg)
{
	struct rf_hashmap *by_id = arg;
	struct label *label = calloc(1, sizeof(*label));
	int r = -ENOMEM;

	if (!label)
		return r;
	label->name = strdup(l->name);
	label->kind = strdup(l->kind);
	label->tenant = l->tenant ? strdup(l->tenant) : NULL;
	if (label->name && label->kind && (label->tenant || !l->tenant))
		r = rf_hashmap_put(by_id, &l->id, sizeof(l->id), label);
	if (r < 0)
		label_free(label);
	return r;
}

static void label_json(struct rf_json *j, const char *key, const struct label *label)
{
	rf_json_object(j, key);
	rf_json_string(j, "name", label ? label->name : NULL);
	rf_json_string(j, "kind", label ? label->kind : NULL);
	rf_json_string(j, "tenant", label ? label->tenant : NULL);
	rf_json_object_end(j);
}

static void edge_json(struct rf_strbuf *out, const struct rf_lineage_edge *e, const struct rf_hashmap *labels)
{
	struct rf_json j;

	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_object(&j, "edge");
	rf_json_string(&j, "side", e->side == RF_LINEAGE_UPSTREAM ? "upstream" : "downstream");
	rf_json_u64(&j, "depth", e->depth);
	rf_json_string(&j, "workload", e->workload);
	rf_json_string(&j, "access", e->writes ? "write" : "read");
	if (e->label)
		label_json(&j, "label", rf_hashmap_get64(labels, e->label));
	else
		rf_json_null(&j, "label");
	rf_json_u64(&j, "bytes", e->bytes);
	rf_json_u64(&j, "mapped_bytes", e->mapped_bytes);
	rf_json_u64(&j, "renames", e->changes);
	rf_json_time(&j, "first", e->first_ns);
	rf_json_time(&j, "last", e->last_ns);
	rf_json_array(&j, "processes");
	for (size_t i = 0; i < MIN(e->n_processes, (size_t)RF_LINEAGE_PROCESSES); i++) {
		rf_json_object(&j, NULL);
		rf_json_string(&j, "name", e->processes[i].name);
		rf_json_u64(&j, "pid", e->processes[i].tgid);
		rf_json_u64(&j, "uid", e->processes[i].uid);
		rf_json_object_end(&j);
	}
	rf_json_array_end(&j);
	rf_json_u64(&j, "process_count", e->n_processes);
	rf_json_array(&j, "files");
	for (size_t i = 0; i < MIN(e->n_paths, (size_t)RF_LINEAGE_PATHS); i++)
		rf_json_string(&j, NULL, e->paths[i]);
	rf_json_array_end(&j);
	rf_json_u64(&j, "file_count", e->n_paths);
	rf_json_object_end(&j);
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
}

static int workload_json(const char *workload, void *arg)
{
	rf_json_string(arg, NULL, workload);
	return 0;
}

static int label_entry_json(const struct rf_lineage_label *l, void *arg)
{
	label_json(arg, NULL, &(struct label){ (char *)l->name, (char *)l->kind, (char *)l->tenant });
	return 0;
}

static int known_json(struct rf_lineage *l, struct rf_json *j, char **error)
{
	int r;

	rf_json_array(j, "labels");
	r = rf_lineage_db_labels(l->db, label_entry_json, j, error);
	rf_json_array_end(j);
	rf_json_array(j, "workloads");
	if (r >= 0)
		r = rf_lineage_db_workloads(l->db, workload_json, j, error);
	rf_json_array_end(j);
	return r;
}

static void missing_json(struct rf_json *j, const struct rf_engine *e)
{
	_cleanup_free_ char *why = rf_engine_support_why(e, RF_FEATURE_LINEAGE);

	rf_json_string(j, "missing", why);
}

/* The lines, or what is wrong; -ENOENT: neither a label nor a workload has that name. */
static int answer(struct rf_lineage *l, struct rf_registry *r, const char *subject, struct rf_strbuf *out, char **error)
{
	_cleanup_(rf_lineage_graph_fini) struct rf_lineage_graph graph = { 0 };
	_cleanup_hashmap_ struct rf_hashmap *labels = NULL;
	uint64_t label = subject ? rf_file_label_id(subject) : RF_LABEL_NONE;
	struct rf_json j;
	int e;

	e = rf_hashmap_new(label_free, &labels);
	if (e >= 0)
		e = rf_lineage_db_labels(l->db, label_take, labels, error);
	/* A label comes before a workload: the names of those have slashes. */
	if (e >= 0 && !rf_hashmap_get64(labels, label))
		label = RF_LABEL_NONE;
	if (e >= 0 && subject)
		e = rf_lineage_graph_make(l->db, label, subject, &graph, error);
	if (e < 0)
		return e;
	/* A workload that is in the file has edges; one that runs may have done nothing yet that would be told. */
	if (subject && !label && !graph.n && !rf_registry_by_name(r, subject))
		return -ENOENT;
	for (size_t i = 0; i < graph.n; i++)
		edge_json(out, &graph.edges[i], labels);
	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_bool(&j, "ok", true);
	rf_json_object(&j, "lineage");
	if (subject && label)
		label_json(&j, "label", rf_hashmap_get64(labels, label));
	else if (subject)
		rf_json_string(&j, "workload", subject);
	else
		e = known_json(l, &j, error);
	rf_json_u64(&j, "edges", graph.n);
	rf_json_u64(&j, "left_out", graph.left_out);
	rf_json_u64(&j, "rows", l->stats.rows);
	rf_json_u64(&j, "dropped", l->stats.dropped);
	if (rf_engine_support(r->engine, RF_FEATURE_LINEAGE) == RF_SUPPORT_UNAVAILABLE)
		missing_json(&j, r->engine);
	rf_json_object_end(&j);
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
	return e;
}

void rf_lineage_run(struct rf_lineage *l, struct rf_registry *registry, const char *subject, struct rf_strbuf *out)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, lines = RF_STRBUF_INIT;
	_cleanup_free_ char *error = NULL;
	int r = -EIO;

	rf_lineage_sync(l, registry);
	if (l->db)
		r = answer(l, registry, subject, &lines, &error);
	if (r >= 0) {
		rf_strbuf_adds(out, rf_strbuf_str(&lines));
		return;
	}
	if (r == -ENOENT && !error)
		rf_strbuf_addf(&text,
			       "there is no label and no workload \"%s\" in the lineage (ringfence lineage lists them)",
			       subject);
	else
		rf_strbuf_addf(&text, "the lineage cannot be read: %s",
			       error		    ? error :
			       !l->db && l->trouble ? l->trouble :
						      strerror(-r));
	rf_command_fail(out, r, rf_strbuf_str(&text), NULL);
}

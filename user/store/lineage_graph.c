// SPDX-License-Identifier: GPL-2.0-or-later
/* One search a side; it goes over nodes in the order of their times. */
#include "user/store/lineage_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ringfence/lineage_map.h"
#include "user/lib/util.h"

struct node {
	uint64_t label; /* RF_LABEL_NONE: a workload */
	char *workload;
	uint64_t time;
	unsigned int depth;
	bool done;
};

struct search {
	struct rf_lineage_graph *graph;
	struct rf_db *db;
	enum rf_lineage_side side;
	struct node *nodes;
	size_t n, room;
	size_t at;	   /* what is gone on from */
	size_t first_edge; /* of that node */
};

static void edge_fini(struct rf_lineage_edge *edge)
{
	for (size_t i = 0; i < MIN(edge->n_processes, (size_t)RF_LINEAGE_PROCESSES); i++)
		free(edge->processes[i].name);
	for (size_t i = 0; i < MIN(edge->n_paths, (size_t)RF_LINEAGE_PATHS); i++)
		free(edge->paths[i]);
	free(edge->workload);
}

void rf_lineage_graph_fini(struct rf_lineage_graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		edge_fini(&g->edges[i]);
	free(g->edges);
	*g = (struct rf_lineage_graph){ 0 };
}

/* Could data that is here at @time of the node have been a part of the touch; and when was it there then? */
static bool time_pass(enum rf_lineage_side side, uint64_t time, const struct rf_lineage_touch *t, uint64_t *ret)
{
	if (side == RF_LINEAGE_DOWNSTREAM) {
		*ret = MAX(time, t->first_ns);
		return t->last_ns >= time;
	}
	*ret = MIN(time, t->last_ns);
	return t->first_ns <= time;
}

static bool is_better(enum rf_lineage_side side, uint64_t a, uint64_t b)
{
	return side == RF_LINEAGE_DOWNSTREAM ? a < b : a > b;
}

/* A node is known once; a better time is kept as long as nobody has gone on from it. */
static int node_add(struct search *s, uint64_t label, const char *workload, uint64_t time, unsigned int depth)
{
	for (size_t i = 0; i < s->n; i++) {
		struct node *node = &s->nodes[i];

		if (node->label != label || (!label && !rf_streq(node->workload, workload)))
			continue;
		if (!node->done && is_better(s->side, time, node->time)) {
			node->time = time;
			node->depth = depth;
		}
		return 0;
	}
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 16;
		struct node *grown = reallocarray(s->nodes, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->nodes = grown;
		s->room = room;
	}
	s->nodes[s->n] = (struct node){ .label = label, .time = time, .depth = depth };
	if (!label) {
		s->nodes[s->n].workload = strdup(workload);
		if (!s->nodes[s->n].workload)
			return -ENOMEM;
	}
	s->n++;
	return 0;
}

static int process_add(struct rf_lineage_edge *edge, const struct rf_lineage_touch *t)
{
	for (size_t i = 0; i < MIN(edge->n_processes, (size_t)RF_LINEAGE_PROCESSES); i++) {
		if (!rf_streq(edge->processes[i].name, t->process))
			continue;
		edge->processes[i].tgid = t->tgid;
		edge->processes[i].uid = t->uid;
		return 0;
	}
	if (edge->n_processes < RF_LINEAGE_PROCESSES) {
		char *name = strdup(t->process);

		if (!name)
			return -ENOMEM;
		edge->processes[edge->n_processes] = (struct rf_lineage_process){ name, t->tgid, t->uid };
	}
	edge->n_processes++;
	return 0;
}

static int path_add(struct rf_lineage_edge *edge, const char *path)
{
	for (size_t i = 0; i < MIN(edge->n_paths, (size_t)RF_LINEAGE_PATHS); i++)
		if (rf_streq(edge->paths[i], path))
			return 0;
	if (edge->n_paths < RF_LINEAGE_PATHS) {
		edge->paths[edge->n_paths] = strdup(path);
		if (!edge->paths[edge->n_paths])
			return -ENOMEM;
	}
	edge->n_paths++;
	return 0;
}

/* NULL, and *r is 0: there is no room. */
static struct rf_lineage_edge *edge_get(struct search *s, const struct rf_lineage_touch *t, bool writes, int *r)
{
	struct rf_lineage_graph *g = s->graph;
	struct rf_lineage_edge *edge;

	*r = 0;
	for (size_t i = s->first_edge; i < g->n; i++) {
		edge = &g->edges[i];
		if (edge->writes == writes && edge->label == t->label && rf_streq(edge->workload, t->workload) &&
		    (t->label || (edge->n_paths && rf_streq(edge->paths[0], t->path))))
			return edge;
	}
	if (g->n == RF_LINEAGE_EDGES) {
		g->left_out++;
		return NULL;
	}
	if ((g->n & (g->n - 1)) == 0) {
		edge = reallocarray(g->edges, g->n ? g->n * 2 : 1, sizeof(*edge));
		if (!edge) {
			*r = -ENOMEM;
			return NULL;
		}
		g->edges = edge;
	}
	edge = &g->edges[g->n];
	*edge = (struct rf_lineage_edge){ .side = s->side,
					  .depth = s->nodes[s->at].depth + 1,
					  .writes = writes,
					  .workload = strdup(t->workload),
					  .label = t->label,
					  .first_ns = t->first_ns,
					  .last_ns = t->last_ns };
	if (!edge->workload) {
		*r = -ENOMEM;
		return NULL;
	}
	g->n++;
	return edge;
}

static int edge_add(struct search *s, const struct rf_lineage_touch *t, bool writes)
{
	struct rf_lineage_edge *edge;
	int r;

	edge = edge_get(s, t, writes, &r);
	if (!edge)
		return r;
	edge->bytes += writes ? t->write_bytes : t->read_bytes;
	edge->mapped_bytes += writes ? t->share_bytes : t->map_bytes;
	edge->changes += writes ? t->changes : 0;
	edge->first_ns = MIN(edge->first_ns, t->first_ns);
	edge->last_ns = MAX(edge->last_ns, t->last_ns);
	if (t->process[0])
		r = process_add(edge, t);
	/* The writes to files that had no room each are one edge, whose path is empty. */
	if (r >= 0 && writes && (t->path[0] || !t->label))
		r = path_add(edge, t->path);
	return r;
}

/* Data goes from labels to workloads that read and from workloads to labels that they write; upstream the other way. */
static int touch_follow(const struct rf_lineage_touch *t, void *arg)
{
	struct search *s = arg;
	const struct node *node = &s->nodes[s->at];
	bool from_label = node->label != RF_LABEL_NONE;
	bool writes = from_label == (s->side == RF_LINEAGE_UPSTREAM);
	unsigned int depth = node->depth + 1;
	uint64_t time;
	int r;

	if (!(writes ? t->write_bytes || t->share_bytes || t->changes : t->read_bytes || t->map_bytes) ||
	    !time_pass(s->side, node->time, t, &time))
		return 0;
	r = edge_add(s, t, writes);
	if (r >= 0 && from_label)
		r = node_add(s, RF_LABEL_NONE, t->workload, time, depth);
	else if (r >= 0 && t->label)
		r = node_add(s, t->label, NULL, time, depth);
	return r;
}

/* The best one that is left; false: all are done. */
static bool node_choose(struct search *s)
{
	bool found = false;

	for (size_t i = 0; i < s->n; i++) {
		if (s->nodes[i].done || (found && !is_better(s->side, s->nodes[i].time, s->nodes[s->at].time)))
			continue;
		s->at = i;
		found = true;
	}
	return found;
}

static int search_run(struct search *s, uint64_t label, const char *workload, char **ret_error)
{
	int r = node_add(s, label, workload, s->side == RF_LINEAGE_DOWNSTREAM ? 0 : UINT64_MAX, 0);

	while (r >= 0 && s->graph->n < RF_LINEAGE_EDGES && node_choose(s)) {
		/* Adding may move the nodes. */
		_cleanup_free_ char *name = s->nodes[s->at].workload ? strdup(s->nodes[s->at].workload) : NULL;

		s->nodes[s->at].done = true;
		s->first_edge = s->graph->n;
		if (s->nodes[s->at].label)
			r = rf_lineage_db_of_label(s->db, s->nodes[s->at].label, touch_follow, s, ret_error);
		else
			r = name ? rf_lineage_db_of_workload(s->db, name, touch_follow, s, ret_error) : -ENOMEM;
	}
	/* What was not gone on from, because there is no room. */
	while (r >= 0 && node_choose(s)) {
		s->nodes[s->at].done = true;
		s->graph->left_out++;
	}
	for (size_t i = 0; i < s->n; i++)
		free(s->nodes[i].workload);
	free(s->nodes);
	return r;
}

static int edge_compare(const void *a, const void *b)
{
	const struct rf_lineage_edge *x = a, *y = b;

	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return strcmp(x->workload, y->workload);
}

int rf_lineage_graph_make(struct rf_db *db, uint64_t label, const char *workload, struct rf_lineage_graph *ret,
			  char **ret_error)
{
	struct rf_lineage_graph graph = { 0 };
	int r = 0;

	for (int side = 0; r >= 0 && side < RF_LINEAGE_SIDES; side++) {
		struct search search = { .graph = &graph, .db = db, .side = side };

		r = search_run(&search, label, workload, ret_error);
	}
	if (r < 0) {
		rf_lineage_graph_fini(&graph);
		return r;
	}
	if (graph.n)
		qsort(graph.edges, graph.n, sizeof(*graph.edges), edge_compare);
	*ret = graph;
	return 0;
}

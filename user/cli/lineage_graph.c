// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As text: a tree for each side, from the subject on. A place that was shown
 * is not gone on from again, so that data going round in circles ends.
 */
#include <errno.h>
#include <inttypes.h>

#include "user/cli/lineage.h"

struct walk {
	const struct rf_jin *edges;
	const char *side;
	unsigned int width;
	bool *shown; /* by edge */
	struct rf_strbuf *out;
};

static const struct rf_jin *edge_at(const struct walk *w, size_t i)
{
	return rf_jin_get(rf_jin_at(w->edges, i), "edge");
}

static bool edge_writes(const struct rf_jin *edge)
{
	return rf_streq(rf_jin_string(edge, "access", ""), "write");
}

/* Of the label; NULL: the edge is to a file without one. */
static const char *edge_label(const struct rf_jin *edge)
{
	const struct rf_jin *label = rf_jin_get(edge, "label");

	return label ? rf_jin_string(label, "name", "(a label that is no more)") : NULL;
}

static const char *edge_file(const struct rf_jin *edge)
{
	const char *file = rf_jin_as_string(rf_jin_at(rf_jin_get(edge, "files"), 0), "");

	return *file ? file : "(files there was no room for)";
}

/* "dataset corpus", "file /scratch/x" */
static void place_add(const struct rf_jin *edge, struct rf_strbuf *out)
{
	if (edge_label(edge))
		rf_strbuf_addf(out, "%s %s", rf_jin_string(rf_jin_get(edge, "label"), "kind", "label"),
			       edge_label(edge));
	else
		rf_strbuf_addf(out, "file %s", edge_file(edge));
}

static void bytes_add(int64_t bytes, const char *word, struct rf_strbuf *out)
{
	char text[RF_RENDER_MAX];

	if (bytes <= 0)
		return;
	rf_render_bytes(text, (uint64_t)bytes);
	rf_strbuf_addf(out, "%s%s %s", out->len ? ", " : "", text, word);
}

/* "2026-11-21 04:30:48" of the longer form. */
static void time_add(const char *time, struct rf_strbuf *out)
{
	if (strlen(time) < 19) {
		rf_strbuf_adds(out, "?");
		return;
	}
	rf_strbuf_add(out, time, 10);
	rf_strbuf_addc(out, ' ');
	rf_strbuf_add(out, time + 11, 8);
}

static void times_add(const struct rf_jin *edge, struct rf_strbuf *out)
{
	const char *first = rf_jin_string(edge, "first", ""), *last = rf_jin_string(edge, "last", "");

	time_add(first, out);
	if (strlen(first) < 19 || strlen(last) < 19 || !strncmp(first, last, 19))
		return;
	rf_strbuf_adds(out, " to ");
	/* The same day is not said twice. */
	if (strncmp(first, last, 10) != 0)
		time_add(last, out);
	else
		rf_strbuf_add(out, last + 11, 8);
}

static void rest_add(int64_t all, size_t told, struct rf_strbuf *out)
{
	if (all > (int64_t)told)
		rf_strbuf_addf(out, " and %" PRId64 " more", all - (int64_t)told);
}

static void processes_add(const struct rf_jin *edge, struct rf_strbuf *out)
{
	const struct rf_jin *list = rf_jin_get(edge, "processes");

	for (size_t i = 0; i < rf_jin_len(list); i++) {
		const struct rf_jin *p = rf_jin_at(list, i);

		rf_strbuf_addf(out, "%s%s (pid %" PRId64 ", uid %" PRId64 ")", i ? ", " : "",
			       rf_jin_string(p, "name", "?"), rf_jin_i64(p, "pid", 0), rf_jin_i64(p, "uid", 0));
	}
	rest_add(rf_jin_i64(edge, "process_count", 0), rf_jin_len(list), out);
}

/* Breaks at spaces; a word that is longer than the line stays whole. */
static void wrapped_add(const struct walk *w, unsigned int indent, const char *text)
{
	unsigned int at = 0;

	while (*text) {
		size_t len = strcspn(text, " ");
		_cleanup_free_ char *word = strndup(text, len);
		unsigned int wide = word ? (unsigned int)rf_render_width(word) : (unsigned int)len;

		if (at && w->width && at + 1 + wide > w->width) {
			rf_strbuf_addc(w->out, '\n');
			at = 0;
		}
		if (at)
			rf_strbuf_addc(w->out, ' ');
		else
			rf_strbuf_addf(w->out, "%*s", (int)indent, "");
		at = (at ? at + 1 : indent) + wide;
		rf_strbuf_add(w->out, text, len);
		text += len + strspn(text + len, " ");
	}
	rf_strbuf_addc(w->out, '\n');
}

static void line_add(const struct walk *w, unsigned int indent, const struct rf_strbuf *text)
{
	_cleanup_strbuf_ struct rf_strbuf escaped = RF_STRBUF_INIT;

	rf_render_escape(&escaped, rf_strbuf_str(text), false);
	wrapped_add(w, indent, rf_strbuf_str(&escaped));
}

static void details_add(const struct walk *w, const struct rf_jin *edge, unsigned int indent)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, files = RF_STRBUF_INIT;
	const struct rf_jin *list = rf_jin_get(edge, "files");
	bool writes = edge_writes(edge);
	int64_t renames = rf_jin_i64(edge, "renames", 0);

	bytes_add(rf_jin_i64(edge, "bytes", 0), writes ? "written" : "read", &text);
	bytes_add(rf_jin_i64(edge, "mapped_bytes", 0), writes ? "mapped to be written" : "mapped", &text);
	if (renames)
		rf_strbuf_addf(&text, "%s%" PRId64 " file%s renamed or linked into it", text.len ? ", " : "", renames,
			       renames == 1 ? "" : "s");
	rf_strbuf_adds(&text, "; ");
	times_add(edge, &text);
	if (rf_jin_len(rf_jin_get(edge, "processes"))) {
		rf_strbuf_adds(&text, "; ");
		processes_add(edge, &text);
	}
	line_add(w, indent, &text);
	if (!edge_label(edge) || !rf_jin_len(list))
		return;
	for (size_t i = 0; i < rf_jin_len(list); i++)
		rf_strbuf_addf(&files, "%s%s", i ? ", " : "files: ", rf_jin_as_string(rf_jin_at(list, i), "?"));
	rest_add(rf_jin_i64(edge, "file_count", 0), rf_jin_len(list), &files);
	line_add(w, indent, &files);
}

/* A label or a workload. */
struct place {
	bool is_label;
	const char *name;
};

static void place_walk(const struct walk *w, struct place place, unsigned int indent);

/* Upstream of a label and downstream of a workload are those that write. */
static bool edge_goes_on(const struct walk *w, size_t i, struct place place)
{
	const struct rf_jin *edge = edge_at(w, i);
	bool upstream = rf_streq(w->side, "upstream");

	if (!rf_streq(rf_jin_string(edge, "side", ""), w->side) || edge_writes(edge) != (place.is_label == upstream))
		return false;
	if (place.is_label)
		return edge_label(edge) && rf_streq(edge_label(edge), place.name);
	return rf_streq(rf_jin_string(edge, "workload", ""), place.name);
}

static bool place_is_shown(const struct walk *w, struct place place)
{
	for (size_t i = 0; i < rf_jin_len(w->edges); i++)
		if (w->shown[i] && edge_goes_on(w, i, place))
			return true;
	return false;
}

static void edge_walk(const struct walk *w, size_t i, bool from_label, unsigned int indent)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	const struct rf_jin *edge = edge_at(w, i);
	struct place next = { .is_label = !from_label,
			      .name = from_label ? rf_jin_string(edge, "workload", "?") : edge_label(edge) };
	bool again = next.name && place_is_shown(w, next);

	w->shown[i] = true;
	if (from_label) {
		rf_strbuf_addf(&text, "%s by %s", edge_writes(edge) ? "written" : "read", next.name);
	} else {
		rf_strbuf_addf(&text, "%s ", edge_writes(edge) ? "wrote" : "read");
		place_add(edge, &text);
	}
	if (again)
		rf_strbuf_adds(&text, " (see above)");
	line_add(w, indent, &text);
	details_add(w, edge, indent + 4);
	if (!again && next.name)
		place_walk(w, next, indent + 2);
}

static void place_walk(const struct walk *w, struct place place, unsigned int indent)
{
	for (size_t i = 0; i < rf_jin_len(w->edges); i++)
		if (!w->shown[i] && edge_goes_on(w, i, place))
			edge_walk(w, i, place.is_label, MIN(indent, 24u));
}

static void side_walk(struct walk *w, const struct rf_jin *subject, const char *side, const char *title,
		      const char *nothing)
{
	const char *workload = rf_jin_string(subject, "workload", NULL);
	size_t before;

	w->side = side;
	rf_strbuf_addf(w->out, "\n%s:\n", title);
	before = w->out->len;
	place_walk(w,
		   (struct place){ .is_label = !workload,
				   .name = workload ? workload :
						      rf_jin_string(rf_jin_get(subject, "label"), "name", "") },
		   2);
	if (w->out->len == before)
		rf_strbuf_addf(w->out, "  %s\n", nothing);
}

void rf_lineage_text(const struct rf_jin *edges, const struct rf_jin *subject, unsigned int width,
		     struct rf_strbuf *out)
{
	struct walk w = { .edges = edges, .width = width, .out = out };
	const struct rf_jin *label = rf_jin_get(subject, "label");
	_cleanup_strbuf_ struct rf_strbuf title = RF_STRBUF_INIT;

	w.shown = calloc(rf_jin_len(edges) + 1, sizeof(*w.shown));
	if (!w.shown) {
		out->error = -ENOMEM;
		return;
	}
	if (label && rf_jin_string(label, "tenant", NULL))
		rf_strbuf_addf(&title, "%s %s (tenant %s)", rf_jin_string(label, "kind", "label"),
			       rf_jin_string(label, "name", "?"), rf_jin_string(label, "tenant", "?"));
	else if (label)
		rf_strbuf_addf(&title, "%s %s", rf_jin_string(label, "kind", "label"),
			       rf_jin_string(label, "name", "?"));
	else
		rf_strbuf_addf(&title, "workload %s", rf_jin_string(subject, "workload", "?"));
	line_add(&w, 0, &title);
	side_walk(&w, subject, "upstream", "comes from", "nothing that was seen");
	side_walk(&w, subject, "downstream", "goes to", "nowhere that was seen");
	free(w.shown);
}

/* A quoted string of the DOT language: but for quotes, backslashes and newlines nothing means anything there. */
static void dot_string(struct rf_strbuf *out, const struct rf_strbuf *text)
{
	_cleanup_strbuf_ struct rf_strbuf escaped = RF_STRBUF_INIT;

	rf_render_escape(&escaped, rf_strbuf_str(text), true);
	rf_strbuf_addc(out, '"');
	for (const char *s = rf_strbuf_str(&escaped); *s; s++) {
		if (*s == '"' || *s == '\\' || *s == '\n')
			rf_strbuf_addc(out, '\\');
		rf_strbuf_addc(out, *s == '\n' ? 'n' : *s);
	}
	rf_strbuf_addc(out, '"');
}

/* "kind:name" is who it is; shown on two lines. */
static void dot_id(struct rf_strbuf *out, const char *kind, char between, const char *name)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text, "%s%c%s", kind, between, name);
	dot_string(out, &text);
}

static void dot_node(struct rf_strbuf *out, const char *kind, const char *name, const char *shape, bool bold)
{
	rf_strbuf_adds(out, "  ");
	dot_id(out, kind, ':', name);
	rf_strbuf_addf(out, " [shape=%s%s, label=", shape, bold ? ", style=bold" : "");
	dot_id(out, kind, '\n', name);
	rf_strbuf_adds(out, "];\n");
}

static const char *dot_kind(const struct rf_jin *edge)
{
	return edge_label(edge) ? rf_jin_string(rf_jin_get(edge, "label"), "kind", "label") : "file";
}

static const char *dot_name(const struct rf_jin *edge)
{
	return edge_label(edge) ? edge_label(edge) : edge_file(edge);
}

static void dot_edge(struct rf_strbuf *out, const struct rf_jin *edge)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	const char *workload = rf_jin_string(edge, "workload", "?");

	dot_node(out, "workload", workload, "box", false);
	dot_node(out, dot_kind(edge), dot_name(edge), edge_label(edge) ? "cylinder" : "note", false);
	bytes_add(rf_jin_i64(edge, "bytes", 0), edge_writes(edge) ? "written" : "read", &text);
	bytes_add(rf_jin_i64(edge, "mapped_bytes", 0), "mapped", &text);
	rf_strbuf_adds(out, "  ");
	if (edge_writes(edge)) {
		dot_id(out, "workload", ':', workload);
		rf_strbuf_adds(out, " -> ");
		dot_id(out, dot_kind(edge), ':', dot_name(edge));
	} else {
		dot_id(out, dot_kind(edge), ':', dot_name(edge));
		rf_strbuf_adds(out, " -> ");
		dot_id(out, "workload", ':', workload);
	}
	rf_strbuf_adds(out, " [label=");
	dot_string(out, &text);
	rf_strbuf_adds(out, "];\n");
}

void rf_lineage_dot(const struct rf_jin *edges, const struct rf_jin *subject, struct rf_strbuf *out)
{
	const struct rf_jin *label = rf_jin_get(subject, "label");

	/* The same edge on both sides, of data that goes round, is drawn once. */
	rf_strbuf_adds(out, "strict digraph lineage {\n  rankdir=LR;\n");
	for (size_t i = 0; i < rf_jin_len(edges); i++)
		dot_edge(out, rf_jin_get(rf_jin_at(edges, i), "edge"));
	if (label)
		dot_node(out, rf_jin_string(label, "kind", "label"), rf_jin_string(label, "name", "?"), "cylinder",
			 true);
	else
		dot_node(out, "workload", rf_jin_string(subject, "workload", "?"), "box", true);
	rf_strbuf_adds(out, "}\n");
}

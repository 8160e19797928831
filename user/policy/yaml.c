// SPDX-License-Identifier: GPL-2.0-or-later
/* libyaml's events into nodes. Recursion is bounded by RF_YAML_DEPTH_MAX. */
#include "user/policy/yaml.h"

#include <errno.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool have_event;
	const char *file, *source;
	size_t source_len;
	struct rf_diags *diags;
	bool failed; /* a diagnostic was given */
};

static void node_free(struct rf_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++) {
		if (node->keys)
			node_free(node->keys[i]);
		node_free(node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
	free(node);
}
RF_DEFINE_CLEANUP(struct rf_node, node_free)

void rf_documents_fini(struct rf_documents *d)
{
	for (size_t i = 0; i < d->n; i++)
		node_free(d->list[i]);
	free(d->list);
	*d = (struct rf_documents){ 0 };
}

static struct rf_mark mark_of(const yaml_mark_t *m)
{
	return (struct rf_mark){ .line = m->line + 1, .column = m->column + 1 };
}

#define reader_error(r, mark, length, hint, ...)                                                                   \
	do {                                                                                                       \
		(r)->failed = true;                                                                                \
		rf_diags_add((r)->diags, RF_SEVERITY_ERROR, (r)->file, mark, length, (r)->source, (r)->source_len, \
			     hint, __VA_ARGS__);                                                                   \
	} while (0)

/* Where byte @offset stands; columns count characters, as libyaml's do. */
static struct rf_mark mark_at(const struct reader *r, size_t offset)
{
	struct rf_mark mark = { 1, 1 };

	for (size_t i = 0; i < offset && i < r->source_len; i++) {
		if (r->source[i] == '\n')
			mark = (struct rf_mark){ mark.line + 1, 1 };
		else if (((unsigned char)r->source[i] & 0xc0) != 0x80)
			mark.column++;
	}
	return mark;
}

/*
 * YAML 1.1 ends a line at a lone CR, NEL, LS and PS as well, and most editors do not: what reads as the rest of a
 * comment would be a key. Escaped in a quoted string they are text.
 */
static int line_breaks_check(struct reader *r)
{
	static const struct {
		const char *bytes, *name;
	} breaks[] = { { "\r", "a carriage return without a line feed" },
		       { "\xc2\x85", "U+0085, a line break in disguise" },
		       { "\xe2\x80\xa8", "U+2028, a line break in disguise" },
		       { "\xe2\x80\xa9", "U+2029, a line break in disguise" } };

	for (size_t i = 0; i < r->source_len; i++) {
		const char *at = r->source + i;
		size_t left = r->source_len - i;

		if (*at != '\r' && *at != '\xc2' && *at != '\xe2')
			continue;
		if (*at == '\r' && left > 1 && at[1] == '\n')
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(breaks); k++) {
			size_t n = strlen(breaks[k].bytes);

			if (left < n || memcmp(at, breaks[k].bytes, n))
				continue;
			reader_error(r, mark_at(r, i), 0, "end lines with a line feed", "%s", breaks[k].name);
			return -EINVAL;
		}
	}
	return 0;
}

static int event_next(struct reader *r)
{
	if (r->have_event)
		yaml_event_delete(&r->event);
	r->have_event = false;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		const yaml_parser_t *p = &r->parser;

		if (p->error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		/* Of bytes that are no text, libyaml tells the offset alone. */
		reader_error(r,
			     p->error == YAML_READER_ERROR ? mark_at(r, p->problem_offset) : mark_of(&p->problem_mark),
			     0, p->context, "not valid YAML: %s", p->problem ? p->problem : "unreadable");
		return -EINVAL;
	}
	r->have_event = true;
	return 0;
}

static int node_new(struct reader *r, enum rf_node_kind kind, struct rf_node **ret)
{
	const yaml_event_t *e = &r->event;
	struct rf_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->mark = mark_of(&e->start_mark);
	if (e->start_mark.line == e->end_mark.line && e->end_mark.column > e->start_mark.column)
		node->length = e->end_mark.column - e->start_mark.column;
	*ret = node;
	return 0;
}

static int plain_check(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (!anchor && !tag)
		return 0;
	reader_error(r, mark_of(&r->event.start_mark), 0, "write the value out where it is used", "%s are not allowed",
		     anchor ? "anchors" : "tags");
	return -EINVAL;
}

static int node_read(struct reader *r, unsigned int depth, struct rf_node **ret);

static int scalar_read(struct reader *r, struct rf_node **ret)
{
	_cleanup_(node_freep) struct rf_node *node = NULL;
	int error;

	error = plain_check(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
	if (error < 0)
		return error;
	if (r->event.data.scalar.length > RF_STRING_MAX) {
		reader_error(r, mark_of(&r->event.start_mark), 0, NULL, "a value of more than %d bytes", RF_STRING_MAX);
		return -EINVAL;
	}
	if (memchr(r->event.data.scalar.value, '\0', r->event.data.scalar.length)) {
		reader_error(r, mark_of(&r->event.start_mark), 0, NULL, "a value with a NUL byte");
		return -EINVAL;
	}
	error = node_new(r, RF_NODE_SCALAR, &node);
	if (error < 0)
		return error;
	node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = strndup((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
	if (!node->text)
		return -ENOMEM;
	*ret = TAKE_PTR(node);
	return 0;
}

static int child_append(struct rf_node *node, struct rf_node *key, struct rf_node *item)
{
	/* Grown at each power of two. */
	if ((node->n & (node->n - 1)) == 0) {
		size_t capacity = node->n ? node->n * 2 : 1;
		struct rf_node **items = reallocarray(node->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		node->items = items;
		if (node->kind == RF_NODE_MAPPING) {
			struct rf_node **keys = reallocarray(node->keys, capacity, sizeof(*keys));

			if (!keys)
				return -ENOMEM;
			node->keys = keys;
		}
	}
	if (key)
		node->keys[node->n] = key;
	node->items[node->n++] = item;
	return 0;
}

static int sequence_read(struct reader *r, unsigned int depth, struct rf_node **ret)
{
	_cleanup_(node_freep) struct rf_node *node = NULL;
	int error = plain_check(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);

	if (error >= 0)
		error = node_new(r, RF_NODE_SEQUENCE, &node);
	while (error >= 0) {
		_cleanup_(node_freep) struct rf_node *item = NULL;

		error = event_next(r);
		if (error >= 0 && r->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (error >= 0)
			error = node_read(r, depth + 1, &item);
		if (error >= 0)
			error = child_append(node, NULL, item);
		if (error >= 0)
			TAKE_PTR(item);
	}
	if (error < 0)
		return error;
	*ret = TAKE_PTR(node);
	return 0;
}

static int key_check(struct reader *r, const struct rf_node *node, const struct rf_node *key)
{
	const struct rf_node *first = NULL;
	char hint[64];

	if (key->kind != RF_NODE_SCALAR) {
		reader_error(r, key->mark, 0, NULL, "a key must be a plain word");
		return -EINVAL;
	}
	if (!key->quoted && rf_streq(key->text, "<<")) {
		reader_error(r, key->mark, key->length, "write the keys out", "merge keys are not allowed");
		return -EINVAL;
	}
	for (size_t i = 0; i < node->n && !first; i++)
		if (rf_streq(node->keys[i]->text, key->text))
			first = node->keys[i];
	if (first) {
		snprintf(hint, sizeof(hint), "it is also on line %u", first->mark.line);
		reader_error(r, key->mark, key->length, hint, "key \"%s\" is there twice", key->text);
	}
	return 0;
}

static int mapping_read(struct reader *r, unsigned int depth, struct rf_node **ret)
{
	_cleanup_(node_freep) struct rf_node *node = NULL;
	int error = plain_check(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);

	if (error >= 0)
		error = node_new(r, RF_NODE_MAPPING, &node);
	while (error >= 0) {
		_cleanup_(node_freep) struct rf_node *key = NULL, *item = NULL;

		error = event_next(r);
		if (error >= 0 && r->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (error >= 0 && node->n == RF_MAX_KEYS) {
			reader_error(r, node->mark, 0, NULL, "more than %d keys in one mapping", RF_MAX_KEYS);
			error = -EINVAL;
		}
		if (error >= 0)
			error = node_read(r, depth + 1, &key);
		if (error >= 0)
			error = key_check(r, node, key);
		if (error >= 0)
			error = event_next(r);
		if (error >= 0)
			error = node_read(r, depth + 1, &item);
		if (error >= 0)
			error = child_append(node, key, item);
		if (error >= 0) {
			TAKE_PTR(key);
			TAKE_PTR(item);
		}
	}
	if (error < 0)
		return error;
	*ret = TAKE_PTR(node);
	return 0;
}

static int node_read(struct reader *r, unsigned int depth, struct rf_node **ret)
{
	if (depth > RF_YAML_DEPTH_MAX) {
		reader_error(r, mark_of(&r->event.start_mark), 0, NULL, "nested deeper than %d levels",
			     RF_YAML_DEPTH_MAX);
		return -EINVAL;
	}
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return scalar_read(r, ret);
	case YAML_SEQUENCE_START_EVENT:
		return sequence_read(r, depth, ret);
	case YAML_MAPPING_START_EVENT:
		return mapping_read(r, depth, ret);
	default:
		reader_error(r, mark_of(&r->event.start_mark), 0, "write the value out where it is used",
			     "aliases are not allowed");
		return -EINVAL;
	}
}

static int document_append(struct rf_documents *d, struct rf_node *node)
{
	struct rf_node **grown = reallocarray(d->list, d->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	d->list = grown;
	grown[d->n++] = node;
	return 0;
}

static int documents_read(struct reader *r, struct rf_documents *d)
{
	for (;;) {
		_cleanup_(node_freep) struct rf_node *node = NULL;
		int error = event_next(r);

		if (error < 0)
			return error;
		if (r->event.type == YAML_STREAM_END_EVENT)
			return 0;
		if (r->event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		error = event_next(r);
		if (error >= 0)
			error = node_read(r, 1, &node);
		if (error < 0)
			return error;
		if (rf_node_is_null(node))
			continue;
		error = document_append(d, node);
		if (error < 0)
			return error;
		TAKE_PTR(node);
	}
}

int rf_yaml_parse(const char *file, const char *text, size_t len, struct rf_documents *ret, struct rf_diags *diags)
{
	struct reader r = { .file = file, .source = text, .source_len = len, .diags = diags };
	struct rf_documents d = { 0 };
	int error;

	if (len > RF_POLICY_FILE_MAX) {
		reader_error(&r, ((struct rf_mark){ 0, 0 }), 0, NULL, "the file is larger than %d bytes",
			     RF_POLICY_FILE_MAX);
		return -EINVAL;
	}
	error = line_breaks_check(&r);
	if (error < 0)
		return error;
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	/* Columns are counted in what the file is: a byte order mark cannot choose another encoding. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	error = documents_read(&r, &d);
	if (r.have_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (error >= 0 && r.failed)
		error = -EINVAL;
	if (error < 0) {
		rf_documents_fini(&d);
		return error;
	}
	*ret = d;
	return 0;
}

const struct rf_node *rf_node_get(const struct rf_node *mapping, const char *key)
{
	for (size_t i = 0; mapping && mapping->kind == RF_NODE_MAPPING && i < mapping->n; i++)
		if (rf_streq(mapping->keys[i]->text, key))
			return mapping->items[i];
	return NULL;
}

bool rf_node_is_null(const struct rf_node *node)
{
	return node->kind == RF_NODE_SCALAR && !node->quoted &&
	       (node->text[0] == '\0' || rf_streq(node->text, "~") || rf_streq(node->text, "null"));
}

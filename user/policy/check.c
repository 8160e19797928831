// SPDX-License-Identifier: GPL-2.0-or-later
/* One walk over a document beside the schema. It goes on after an error, so that a file is mended in one go. */
#include "user/policy/check.h"

#include <errno.h>
#include <stdarg.h>
#include <strings.h>

#include "user/lib/clock.h"
#include "user/model/selector.h"

static void report(struct rf_checker *c, enum rf_severity severity, const struct rf_node *node, const char *hint,
		   const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_vaddf(&text, fmt, ap);
	rf_diags_add(c->diags, severity, c->file, node->mark, node->kind == RF_NODE_SCALAR ? node->length : 0,
		     c->source, c->source_len, hint, "%s", rf_strbuf_str(&text));
}

void rf_check_error(struct rf_checker *c, const struct rf_node *node, const char *hint, const char *fmt, ...)
{
	va_list ap;

	c->errors++;
	va_start(ap, fmt);
	report(c, RF_SEVERITY_ERROR, node, hint, fmt, ap);
	va_end(ap);
}

void rf_check_warning(struct rf_checker *c, const struct rf_node *node, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, RF_SEVERITY_WARNING, node, hint, fmt, ap);
	va_end(ap);
}

void rf_check_require(struct rf_checker *c, enum rf_feature feature, struct rf_mark mark)
{
	struct rf_requirement *grown;
	struct rf_policy *p = c->policy;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == feature)
			return;
	grown = reallocarray(p->requirements, p->n_requirements + 1, sizeof(*grown));
	if (!grown) {
		c->no_memory = true;
		return;
	}
	p->requirements = grown;
	grown[p->n_requirements++] = (struct rf_requirement){ .feature = feature, .mark = mark };
}

static void keys_hint(const struct rf_field *object, const char *key, struct rf_strbuf *hint)
{
	const char *nearest = rf_field_nearest(object, key);

	rf_strbuf_adds(hint, "expected one of: ");
	for (const struct rf_field *f = object->children; f && f->key; f++)
		if (!f->ignored)
			rf_strbuf_addf(hint, "%s%s", f == object->children ? "" : ", ", f->key);
	if (nearest)
		rf_strbuf_addf(hint, "; did you mean \"%s\"?", nearest);
}

static void words_hint(const struct rf_field *field, const char *word, struct rf_strbuf *hint)
{
	const char *nearest = rf_nearest(field->values, word);

	rf_strbuf_adds(hint, field->expected ? field->expected : "expected one of: ");
	for (size_t i = 0; !field->expected && field->values[i]; i++)
		rf_strbuf_addf(hint, "%s%s", i ? ", " : "", field->values[i]);
	if (nearest)
		rf_strbuf_addf(hint, "; did you mean \"%s\"?", nearest);
}

static void check_enum(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field)
{
	_cleanup_strbuf_ struct rf_strbuf hint = RF_STRBUF_INIT;

	for (size_t i = 0; field->values[i]; i++)
		if (strcasecmp(field->values[i], node->text) == 0)
			return;
	words_hint(field, node->text, &hint);
	rf_check_error(c, node, rf_strbuf_str(&hint), "\"%s\" is not known here", node->text);
}

static void check_integer(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field)
{
	char hint[96];
	int64_t value;

	snprintf(hint, sizeof(hint), "expected an integer from %lld to %lld", (long long)field->min,
		 (long long)field->max);
	if (node->quoted || rf_scalar_integer(node->text, &value) < 0)
		rf_check_error(c, node, field->expected ? field->expected : hint, "\"%s\" is no integer", node->text);
	else if (value < field->min || value > field->max)
		rf_check_error(c, node, hint, "%s is out of range", node->text);
}

/* RFC 1123 subdomain, as Kubernetes checks names. */
static bool name_is_valid(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > RF_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
		bool edge = i == 0 || i == len - 1 || s[i - 1] == '.' || s[i + 1] == '.';

		if (!alnum && (edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return true;
}

static void check_cidr(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field)
{
	char right[64], hint[128];
	struct rf_cidr cidr;
	int r = rf_scalar_cidr(node->text, &cidr);

	if (r == -ERANGE)
		rf_cidr_format(&cidr, right);
	if (r == -ERANGE && field->masked) {
		rf_check_warning(c, node, NULL, "\"%s\" has bits set past its prefix: it is taken for %s", node->text,
				 right);
	} else if (r == -ERANGE) {
		snprintf(hint, sizeof(hint), "write %s for the network, or the address alone for one host", right);
		rf_check_error(c, node, hint, "\"%s\" has bits set past its prefix", node->text);
	} else if (r < 0) {
		rf_check_error(c, node, "expected an IPv4 or IPv6 prefix such as 10.0.0.0/8 or 2001:db8::/32",
			       "\"%s\" is no CIDR", node->text);
	}
}

static void check_quantity(struct rf_checker *c, const struct rf_node *node)
{
	static const char *const suffixes[] = { "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "m" };
	const char *s = node->text;
	size_t digits = strspn(s, "0123456789"), fraction = s[digits] == '.' ? strspn(s + digits + 1, "0123456789") : 0;
	const char *suffix = s + digits + (fraction ? fraction + 1 : 0);

	for (size_t i = 0; digits && digits < 16 && i < ARRAY_SIZE(suffixes); i++)
		if (rf_streq(suffix, suffixes[i]))
			return;
	rf_check_error(c, node, "expected a number with k, M, G, T, Ki, Mi, Gi or Ti", "\"%s\" is no quantity", s);
}

static void check_glob(struct rf_checker *c, const struct rf_node *node)
{
	const char *wrong = node->text[0] ? rf_glob_check(node->text) : "it is empty";

	if (wrong)
		rf_check_error(c, node, "* any run, ? one character, [a-z] a class, \\ before a literal one of these",
			       "\"%s\" is no glob: %s", node->text, wrong);
}

/* Names, globs and paths are shown by `policy show`, events and logs, and a terminal would obey these. */
static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f ||
		    (*s == '\xc2' && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0))
			return true;
	return false;
}

static void check_scalar(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field)
{
	uint64_t ns;
	int64_t value;
	bool b;

	if (has_control(node->text)) {
		rf_check_error(c, node, "one line of text", "the value has a control character");
		return;
	}
	switch (field->type) {
	case RF_TYPE_NAME:
		if (!name_is_valid(node->text))
			rf_check_error(
				c, node,
				"lower case letters, digits, '-' and '.', beginning and ending with a letter or digit, "
				"at most 253",
				"\"%s\" is no valid name", node->text);
		break;
	case RF_TYPE_GLOB:
		check_glob(c, node);
		break;
	case RF_TYPE_INTEGER:
		check_integer(c, node, field);
		break;
	case RF_TYPE_BOOLEAN:
		if (node->quoted || rf_scalar_boolean(node->text, &b) < 0)
			rf_check_error(c, node, "expected true or false", "\"%s\" is neither", node->text);
		break;
	case RF_TYPE_ENUM:
		check_enum(c, node, field);
		break;
	case RF_TYPE_CIDR:
		check_cidr(c, node, field);
		break;
	case RF_TYPE_DURATION:
		if (rf_duration_parse(node->text, 366ULL * 86400 * RF_NSEC_PER_SEC, &ns) < 0)
			rf_check_error(c, node, "expected a number and a unit: 500ms, 60s, 10m, 1h, 7d",
				       "\"%s\" is no duration", node->text);
		break;
	case RF_TYPE_QUANTITY:
		check_quantity(c, node);
		break;
	case RF_TYPE_NUMBER_OR_ANY:
		if (!rf_streq(node->text, "*") &&
		    (rf_scalar_integer(node->text, &value) < 0 || value < 0 || value > 0xfffffffeLL))
			rf_check_error(c, node, "expected a number, or \"*\" for any", "\"%s\" is neither", node->text);
		break;
	case RF_TYPE_ABSPATH:
		if (node->text[0] != '/')
			rf_check_error(c, node, "expected a path that starts with /", "\"%s\" is no absolute path",
				       node->text);
		break;
	default:
		if (!node->text[0] && !field->empty)
			rf_check_error(c, node, NULL, "the string is empty");
		break;
	}
}

static void check_labels(struct rf_checker *c, const struct rf_node *node)
{
	for (size_t i = 0; i < node->n; i++)
		if (node->items[i]->kind != RF_NODE_SCALAR)
			rf_check_error(c, node->items[i], "quote it if it is a string", "expected a string");
}

static void check_object(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field,
			 const char *path)
{
	for (size_t i = 0; i < node->n; i++) {
		const struct rf_field *child = rf_field_child(field, node->keys[i]->text);
		_cleanup_strbuf_ struct rf_strbuf at = RF_STRBUF_INIT, hint = RF_STRBUF_INIT;

		if (!child) {
			keys_hint(field, node->keys[i]->text, &hint);
			rf_check_error(c, node->keys[i], rf_strbuf_str(&hint), "unknown key \"%s\"%s%s",
				       node->keys[i]->text, *path ? " in " : "", path);
			continue;
		}
		if (child->ignored || (child->nullable && rf_node_is_null(node->items[i])))
			continue;
		rf_strbuf_addf(&at, "%s%s%s", path, *path ? "." : "", child->key);
		if (child->needs)
			rf_check_require(c, child->needs - 1, node->keys[i]->mark);
		rf_check_node(c, node->items[i], child, rf_strbuf_str(&at));
	}
	for (const struct rf_field *f = field->children; f && f->key; f++)
		if (f->required && !rf_node_get(node, f->key))
			rf_check_error(c, node, f->text, "\"%s\" is missing%s%s", f->key, *path ? " in " : "", path);
}

static const char *kind_name(const struct rf_node *node)
{
	if (node->kind == RF_NODE_SCALAR)
		return rf_node_is_null(node) ? "nothing" : "a single value";
	return node->kind == RF_NODE_SEQUENCE ? "a list" : "a mapping";
}

static void check_item(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field, const char *path)
{
	enum rf_node_kind wanted = field->type == RF_TYPE_OBJECT || field->type == RF_TYPE_LABELS ? RF_NODE_MAPPING :
												    RF_NODE_SCALAR;

	if (node->kind != wanted || (wanted == RF_NODE_SCALAR && rf_node_is_null(node))) {
		struct rf_field one = *field;

		one.list = false;
		rf_check_error(c, node, field->text, "%s: expected a %s, found %s", path, rf_type_name(&one),
			       kind_name(node));
		return;
	}
	if (field->type == RF_TYPE_OBJECT)
		check_object(c, node, field, path);
	else if (field->type == RF_TYPE_LABELS)
		check_labels(c, node);
	else
		check_scalar(c, node, field);
}

void rf_check_node(struct rf_checker *c, const struct rf_node *node, const struct rf_field *field, const char *path)
{
	if (!field->list) {
		check_item(c, node, field, path);
		return;
	}
	if (node->kind != RF_NODE_SEQUENCE) {
		rf_check_error(c, node, "begin each entry with \"- \"", "%s: expected a %s, found %s", path,
			       rf_type_name(field), kind_name(node));
		return;
	}
	if ((int64_t)node->n > field->max)
		rf_check_error(c, node, NULL, "%s: %zu entries, at most %lld are allowed", path, node->n,
			       (long long)field->max);
	if ((int64_t)node->n < field->min)
		rf_check_error(c, node, field->text, "%s: %zu entries, at least %lld are needed", path, node->n,
			       (long long)field->min);
	for (size_t i = 0; i < node->n; i++) {
		char at[512];

		snprintf(at, sizeof(at), "%.480s[%zu]", path, i);
		check_item(c, node->items[i], field, at);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Label selectors as manifests write them. Total: nothing here relies on a node's kind. */
#include "user/policy/label_selector.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

const struct rf_node *rf_node_of(const struct rf_node *mapping, const char *key, enum rf_node_kind kind)
{
	const struct rf_node *node = rf_node_get(mapping, key);

	return node && node->kind == kind && !rf_node_is_null(node) ? node : NULL;
}

/* Upstream's rule for a label's value, and for its name. */
static bool is_label_text(const char *s)
{
	size_t len = strlen(s);

	if (len > 63)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i == len - 1;

		if (!isalnum((unsigned char)s[i]) && (edge || !strchr("-_.", s[i])))
			return false;
	}
	return true;
}

/* "name" or "example.com/name". */
static bool is_label_key(const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
	size_t prefix = slash ? (size_t)(slash - key) : 0;

	if (slash && (prefix == 0 || prefix > RF_NAME_MAX))
		return false;
	for (size_t i = 0; i < prefix; i++)
		if (!isalnum((unsigned char)key[i]) && key[i] != '-' && key[i] != '.')
			return false;
	return *name && is_label_text(name);
}

static void key_check(struct rf_checker *c, const struct rf_node *key)
{
	if (!is_label_key(key->text))
		rf_check_error(c, key, "a name such as app or example.com/app", "\"%s\" is no name of a label",
			       key->text);
}

static void value_check(struct rf_checker *c, const struct rf_node *value)
{
	if (value->kind != RF_NODE_SCALAR)
		return;
	if (rf_node_is_null(value))
		rf_check_error(c, value, "write \"\" for an empty value", "expected a string, found nothing");
	else if (!is_label_text(value->text))
		rf_check_error(
			c, value,
			"letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, at most 63",
			"\"%s\" is no value of a label", value->text);
}

int rf_match_labels_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label **ret, size_t *ret_n)
{
	const struct rf_node *labels = rf_node_of(selector, "matchLabels", RF_NODE_MAPPING);

	if (!labels || !labels->n)
		return 0;
	*ret = calloc(labels->n, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < labels->n; i++) {
		const struct rf_node *value = labels->items[i];
		struct rf_label *label = &(*ret)[(*ret_n)++];

		key_check(c, labels->keys[i]);
		value_check(c, value);
		label->key = strdup(labels->keys[i]->text);
		label->value = strdup(value->kind == RF_NODE_SCALAR ? value->text : "");
		if (!label->key || !label->value)
			return -ENOMEM;
	}
	return 0;
}

static int values_parse(struct rf_checker *c, const struct rf_node *values, const char *key,
			enum rf_label_operator operator, struct rf_label_matches * m)
{
	_cleanup_free_ const char **texts = calloc(values->n, sizeof(*texts));
	size_t n = 0;

	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < values->n; i++) {
		if (values->items[i]->kind != RF_NODE_SCALAR || rf_node_is_null(values->items[i]))
			continue;
		value_check(c, values->items[i]);
		texts[n++] = values->items[i]->text;
	}
	return n ? rf_label_matches_add(m, key, operator, texts, n) : 0;
}

static int expression_parse(struct rf_checker *c, const struct rf_node *node, struct rf_label_matches *m)
{
	static const struct {
		const char *name;
		enum rf_label_operator operator;
		bool values;
	} operators[] = { { "In", RF_LABEL_IN, true },
			  { "NotIn", RF_LABEL_NOT_IN, true },
			  { "Exists", RF_LABEL_EXISTS, false },
			  { "DoesNotExist", RF_LABEL_ABSENT, false } };
	const struct rf_node *key = rf_node_of(node, "key", RF_NODE_SCALAR),
			     *word = rf_node_of(node, "operator", RF_NODE_SCALAR),
			     *values = rf_node_of(node, "values", RF_NODE_SEQUENCE);
	bool given = values && values->n;

	if (!key || !word)
		return 0;
	key_check(c, key);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (strcasecmp(word->text, operators[i].name))
			continue;
		if (operators[i].values && given)
			return values_parse(c, values, key->text, operators[i].operator, m);
		if (operators[i].values)
			rf_check_error(c, values ? values : word, "values: [a, b]",
				       "%s compares with values, and there are none", operators[i].name);
		else if (given)
			rf_check_error(c, values, "leave values out", "%s compares with no values", operators[i].name);
		else
			return rf_label_matches_add(m, key->text, operators[i].operator, NULL, 0);
	}
	return 0;
}

int rf_match_expressions_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label_matches *m)
{
	const struct rf_node *list = rf_node_of(selector, "matchExpressions", RF_NODE_SEQUENCE);
	int r = 0;

	for (size_t i = 0; r == 0 && list && i < list->n; i++)
		r = expression_parse(c, list->items[i], m);
	return r;
}

int rf_label_selector_parse(struct rf_checker *c, const struct rf_node *selector, struct rf_label_matches *m)
{
	const struct rf_node *labels = rf_node_of(selector, "matchLabels", RF_NODE_MAPPING);
	int r = 0;

	for (size_t i = 0; r == 0 && labels && i < labels->n; i++) {
		const struct rf_node *value = labels->items[i];
		const char *text = value->text;

		key_check(c, labels->keys[i]);
		value_check(c, value);
		if (value->kind == RF_NODE_SCALAR)
			r = rf_label_matches_add(m, labels->keys[i]->text, RF_LABEL_IN, &text, 1);
	}
	return r < 0 ? r : rf_match_expressions_parse(c, selector, m);
}

void rf_label_matches_print(const struct rf_label_matches *m, struct rf_strbuf *out)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct rf_label_match *match = &m->list[i];
		bool in = match->operator== RF_LABEL_IN, one = in && match->n_values == 1;

		rf_strbuf_addf(out, "%s%s%s", i ? "," : "", match->operator== RF_LABEL_ABSENT ? "!" : "", match->key);
		if (!match->n_values)
			continue;
		rf_strbuf_adds(out, one ? "=" : in ? " in (" : " notin (");
		for (size_t k = 0; k < match->n_values; k++)
			rf_strbuf_addf(out, "%s%s", k ? "," : "", match->values[k]);
		rf_strbuf_adds(out, one ? "" : ")");
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that may run, by path or by label. A pattern is a path of which only the end may be
 * open: the kernel asks for what begins a path, and what it finds costs the
 * same however many patterns there are. What cannot be asked so is refused.
 */
#include "user/policy/parse_process.h"

#include <errno.h>
#include <strings.h>

#include "user/policy/parse_network.h"

#define PATTERNS "a path, or one that ends with /** (all below), with /* or with a name and * (in that directory)"

/* Why the text before the wildcard is no path as the kernel has it; NULL: it is. */
static const char *text_wrong(const char *text, size_t length)
{
	if (length >= RF_EXEC_TEXT_MAX)
		return "it is longer than 255 bytes";
	if (text[0] != '/')
		return "it does not begin with /";
	for (size_t at = 0; at < length; at++) {
		const char *name = text + at + 1;
		size_t n = 0;

		if (strchr("*?[\\", text[at]))
			return "only its end may be open";
		if (text[at] != '/')
			continue;
		while (at + 1 + n < length && name[n] != '/')
			n++;
		if (n == 0 && at + 1 < length)
			return "it has an empty component";
		if ((n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.'))
			return "it has a component . or ..: the path that is judged has none";
	}
	return NULL;
}

static size_t slashes(const char *text, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += text[i] == '/';
	return n;
}

/* Takes @rule->pattern apart. NULL, or what is wrong with it. */
static const char *pattern_split(struct rf_exec_rule *rule)
{
	size_t length = strlen(rule->pattern);
	const char *end = rule->pattern + length, *slash, *wrong;

	rule->kind = RF_EXEC_FILE;
	if (length >= 3 && strcmp(end - 3, "/**") == 0) {
		rule->kind = RF_EXEC_TREE;
		length -= 2;
	} else if (length >= 1 && end[-1] == '*') {
		rule->kind = RF_EXEC_STEM;
		length -= 1;
	}
	rule->length = length;
	wrong = text_wrong(rule->pattern, length);
	if (wrong)
		return wrong;
	if (rule->kind == RF_EXEC_FILE && rule->pattern[length - 1] == '/')
		return "it ends with /";
	if (slashes(rule->pattern, length) > RF_EXEC_DEPTH_MAX)
		return "it is deeper than the 32 components that can be judged";
	if (rule->kind == RF_EXEC_TREE) {
		rule->in_last = slashes(rule->pattern, length) - 1;
		return NULL;
	}
	slash = memrchr(rule->pattern, '/', length);
	rule->in_last = rule->pattern + length - slash - 1;
	if (rule->kind == RF_EXEC_STEM && rule->in_last > RF_EXEC_STEM_MAX)
		return "more than 63 bytes of a name before the *";
	return NULL;
}

static int rule_parse(struct rf_checker *c, const struct rf_node *node, size_t index, struct rf_exec_rule *rule)
{
	const struct rf_node *path = rf_node_get(node, "path"), *interpreter = rf_node_get(node, "interpreter"),
			     *label = rf_node_get(node, "label"), *which = path ? path : interpreter;
	const char *wrong;

	rule->mark = node->mark;
	rule->place = label ? label->mark : which ? which->mark : node->mark;
	rule->name = rf_node_string(c, node, "name");
	if (!rule->name && asprintf(&rule->name, "exec[%zu]", index) < 0)
		rule->name = NULL;
	rule->action = rf_node_action(node, "action", RF_ACTION_ALLOW);
	if (label && which)
		rf_check_error(c, label, "one rule for each; a label speaks of interpreters, too",
			       "a label and %s together", path ? "a path" : "an interpreter");
	else if (path && interpreter)
		rf_check_error(c, interpreter, "two rules: one with path, one with interpreter",
			       "a path and an interpreter together");
	else if (!which && !label && node->kind == RF_NODE_MAPPING)
		rf_check_error(c, node, "path, interpreter, or label: the name of a Label",
			       "the rule names no program");
	if (label) {
		rule->kind = RF_EXEC_ZONE;
		rule->label = rf_node_string(c, node, "label");
		return rule->name ? 0 : -ENOMEM;
	}
	rule->interpreter = interpreter && !path;
	rule->pattern = rf_node_string(c, node, rule->interpreter ? "interpreter" : "path");
	/* What is no absolute path at all has been told by the schema. */
	if (rule->pattern && rule->pattern[0] == '/') {
		wrong = pattern_split(rule);
		if (wrong)
			rf_check_error(c, which, PATTERNS, "\"%s\" cannot be matched: %s", rule->pattern, wrong);
	}
	return rule->name ? 0 : -ENOMEM;
}

static void limit_parse(const struct rf_node *node, const char *key, enum rf_exec_reason which, struct rf_process *p)
{
	const struct rf_node *limit = rf_node_get(node, key);

	if (!limit)
		return;
	p->limits[which].mark = limit->mark;
	p->limits[which].deny = rf_node_is(node, key, "deny");
	p->limits[which].report = rf_node_is(node, key, "report");
}

int rf_process_parse(struct rf_checker *c, const struct rf_node *node, struct rf_process *ret)
{
	const struct rf_node *rules = rf_node_get(node, "exec");
	int r = 0;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	ret->mark = node->mark;
	ret->present = rules || rf_node_get(node, "default");
	ret->default_action = rf_node_action(node, "default", RF_ACTION_ALLOW);
	limit_parse(node, "memfd", RF_EXEC_MEMFD, ret);
	limit_parse(node, "drift", RF_EXEC_DRIFT, ret);
	if (!rules || rules->kind != RF_NODE_SEQUENCE || !rules->n)
		return 0;
	ret->rules = calloc(rules->n, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < rules->n; i++) {
		ret->n_rules = i + 1;
		r = rule_parse(c, rules->items[i], i, &ret->rules[i]);
	}
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files and labels. A path is a directory or a file and stands for all below
 * it, which is what a slash and ** at its end say, too; the kernel knows files by the
 * directories they lie in, and no other glob can be decided by those.
 */
#include "user/policy/parse_files.h"

#include <errno.h>
#include <strings.h>

#include "user/lib/hashmap.h"
#include "user/policy/parse_network.h"
#include "user/policy/schema.h"

#define PATH_HINT "an absolute path without . and ..; it stands for all below it, with or without /** at its end"

/* NULL where it is none, which has been told. */
static char *path_parse(struct rf_checker *c, const struct rf_node *node)
{
	_cleanup_free_ char *text = NULL;
	size_t len = strlen(node->text);
	char *path;

	/* What does not start with / has been told by the schema. */
	if (node->text[0] != '/')
		return NULL;
	text = strdup(node->text);
	if (!text) {
		c->no_memory = true;
		return NULL;
	}
	if (len >= 3 && rf_streq(text + len - 3, "/**"))
		text[len - 2] = '\0';
	if (strpbrk(text, "*?[")) {
		rf_check_error(c, node, PATH_HINT, "\"%s\" is a glob: files are judged by their directories",
			       node->text);
		return NULL;
	}
	path = rf_file_path_normal(text);
	if (!path)
		rf_check_error(c, node, PATH_HINT, "\"%s\" has .. in it", node->text);
	return path;
}

static uint32_t access_parse(const struct rf_node *list)
{
	uint32_t access = 0;

	if (!list || list->kind != RF_NODE_SEQUENCE)
		return RF_FILE_ALL;
	for (size_t i = 0; i < list->n; i++) {
		int bit = list->items[i]->kind == RF_NODE_SCALAR ? rf_file_access_parse(list->items[i]->text) : -1;

		if (bit >= 0)
			access |= 1u << bit;
	}
	return access;
}

static int rule_parse(struct rf_checker *c, const struct rf_node *node, size_t index, struct rf_file_rule *rule)
{
	const struct rf_node *label = rf_node_get(node, "label"), *path = rf_node_get(node, "path");

	rule->mark = node->mark;
	rule->place = label ? label->mark : path ? path->mark : node->mark;
	rule->name = rf_node_string(c, node, "name");
	if (!rule->name && asprintf(&rule->name, "files[%zu]", index) < 0)
		rule->name = NULL;
	rule->action = rf_node_action(node, "action", RF_ACTION_ALLOW);
	rule->access = access_parse(rf_node_get(node, "access"));
	if (label && path)
		rf_check_error(c, node, "one rule for each", "a label and a path together");
	else if (!label && !path && node->kind == RF_NODE_MAPPING)
		rf_check_error(c, node, "label: the name of a Label, or path: an absolute path",
			       "the rule names no files");
	else if (path && path->kind == RF_NODE_SCALAR)
		rule->path = path_parse(c, path);
	else
		rule->label = rf_node_string(c, node, "label");
	return rule->name ? 0 : -ENOMEM;
}

int rf_files_parse(struct rf_checker *c, const struct rf_node *node, struct rf_files *ret)
{
	const struct rf_node *rules = rf_node_get(node, "rules");
	int r = 0;

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

bool rf_label_is_document(const struct rf_node *root)
{
	return rf_node_is(root, "kind", "Label");
}

static const char *kind_parse(const struct rf_node *spec)
{
	static const char *const kinds[] = { "dataset", "model", "secret", "other" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (rf_node_is(spec, "kind", kinds[i]))
			return kinds[i];
	return "other";
}

static int paths_parse(struct rf_checker *c, const struct rf_node *list, struct rf_file_label *l)
{
	if (!list || list->kind != RF_NODE_SEQUENCE || !list->n)
		return 0;
	l->paths = calloc(list->n, sizeof(*l->paths));
	if (!l->paths)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		struct rf_label_path *path = &l->paths[l->n_paths];

		if (list->items[i]->kind != RF_NODE_SCALAR)
			continue;
		path->path = path_parse(c, list->items[i]);
		path->line = list->items[i]->mark.line;
		path->column = list->items[i]->mark.column;
		l->n_paths += path->path != NULL;
	}
	return 0;
}

int rf_label_fill(struct rf_checker *c, const struct rf_node *root, struct rf_file_label *l)
{
	const struct rf_node *metadata = rf_node_get(root, "metadata"), *spec = rf_node_get(root, "spec");
	const struct rf_node *access = rf_node_get(spec, "access");

	l->line = root->mark.line;
	l->column = root->mark.column;
	l->name = rf_node_string(c, metadata, "name");
	l->tenant = rf_node_string(c, metadata, "tenant");
	l->kind = kind_parse(spec);
	l->is_private = l->tenant && !rf_node_is(spec, "access", "policy");
	if (!l->tenant && rf_node_is(spec, "access", "tenant"))
		rf_check_error(c, access, "metadata.tenant: whose it is", "access: tenant of a label without a tenant");
	if (!l->name && !c->errors)
		return -ENOMEM;
	return paths_parse(c, rf_node_get(spec, "paths"), l);
}

static int names_fill(const struct rf_policy_set *set, struct rf_hashmap *names, struct rf_diags *diags)
{
	int r = 0;

	for (size_t i = 0; i < set->n_labels; i++) {
		struct rf_file_label *l = set->labels[i], *other = rf_hashmap_gets(names, l->name);
		struct rf_mark mark = { l->line, l->column };
		char hint[RF_NAME_MAX];

		if (!other) {
			if (rf_hashmap_put(names, l->name, strlen(l->name), l) < 0)
				return -ENOMEM;
			continue;
		}
		snprintf(hint, sizeof(hint), "the other one is in %.200s:%u", other->file, other->line);
		rf_diags_add(diags, RF_SEVERITY_ERROR, l->file, mark, 0, NULL, 0, hint, "label %s is there twice",
			     l->name);
		r = -EINVAL;
	}
	return r;
}

/* @label may be NULL: the rule names none. */
static int label_check(const struct rf_hashmap *names, const struct rf_policy *p, struct rf_mark place,
		       const char *label, const char *rule, struct rf_diags *diags)
{
	if (!label || rf_hashmap_gets(names, label))
		return 0;
	rf_diags_add(diags, RF_SEVERITY_ERROR, p->file, place, 0, NULL, 0,
		     "a document of kind Label with this name, in this file or another",
		     "there is no label \"%s\" (rule \"%s\" of policy \"%s\")", label, rule, p->name);
	return -EINVAL;
}

int rf_labels_check(const struct rf_policy_set *set, struct rf_diags *diags)
{
	_cleanup_hashmap_ struct rf_hashmap *names = NULL;
	int r;

	if (rf_hashmap_new(NULL, &names) < 0)
		return -ENOMEM;
	r = names_fill(set, names, diags);
	for (size_t i = 0; r != -ENOMEM && i < set->n; i++) {
		const struct rf_policy *p = set->policies[i];

		for (size_t k = 0; k < p->files.n_rules; k++) {
			const struct rf_file_rule *rule = &p->files.rules[k];

			if (label_check(names, p, rule->place, rule->label, rule->name, diags) < 0)
				r = -EINVAL;
		}
		for (size_t k = 0; k < p->process.n_rules; k++) {
			const struct rf_exec_rule *rule = &p->process.rules[k];

			if (label_check(names, p, rule->place, rule->label, rule->name, diags) < 0)
				r = -EINVAL;
		}
	}
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference page: one table an object, in the schema's order. */
#include "user/policy/reference.h"

#include "user/policy/schema.h"

static void cell(struct rf_strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			rf_strbuf_addc(out, '\\');
		rf_strbuf_addc(out, *text);
	}
}

static void field_row(const struct rf_field *f, struct rf_strbuf *out)
{
	rf_strbuf_addf(out, "| `%s` | %s%s | ", f->key, rf_type_name(f), f->required ? ", required" : "");
	if (f->dflt)
		rf_strbuf_addf(out, "`%s`", f->dflt);
	rf_strbuf_adds(out, " | ");
	cell(out, f->text);
	if (f->values) {
		rf_strbuf_adds(out, " One of");
		for (size_t i = 0; f->values[i]; i++)
			rf_strbuf_addf(out, "%s `%s`", i ? "," : "", f->values[i]);
		rf_strbuf_addc(out, '.');
	}
	if (f->type == RF_TYPE_INTEGER)
		rf_strbuf_addf(out, " From %lld to %lld.", (long long)f->min, (long long)f->max);
	if (f->list)
		rf_strbuf_addf(out, " At most %lld.", (long long)f->max);
	if (f->example)
		rf_strbuf_addf(out, " Example: `%s`.", f->example);
	if (f->needs)
		rf_strbuf_addf(out, " Needs `%s`.", rf_feature_name(f->needs - 1));
	if (!rf_field_is_enforced(f))
		rf_strbuf_adds(out, " **Not enforced yet.**");
	rf_strbuf_adds(out, " |\n");
}

/* Depth is bounded by the schema itself. */
static void object_section(const struct rf_field *f, const char *path, struct rf_strbuf *out)
{
	rf_strbuf_addf(out, "\n## %s\n\n", *path ? path : "Document");
	cell(out, f->text);
	rf_strbuf_adds(out, "\n\n| field | type | default | meaning |\n|---|---|---|---|\n");
	for (const struct rf_field *child = f->children; child->key; child++)
		if (!child->ignored)
			field_row(child, out);
	for (const struct rf_field *child = f->children; child->key; child++) {
		char at[256];

		if (!child->children)
			continue;
		snprintf(at, sizeof(at), "%.200s%s%s", path, *path ? "." : "", child->key);
		object_section(child, at, out);
	}
}

int rf_policy_reference(struct rf_strbuf *out)
{
	rf_strbuf_adds(
		out,
		"# Policy reference\n\n"
		"Written by `ringfence policy reference` from the table that the parser uses. A policy file holds\n"
		"one or more YAML documents of the kind `WorkloadPolicy` or `Label`, or Kubernetes' own\n"
		"`NetworkPolicy`, with which this page ends. Anchors, aliases, tags and merge keys are not\n"
		"allowed. Where a field *needs* a feature, `ringfence status` tells whether this host has it;\n"
		"a policy that needs more is refused, or\n"
		"loaded in mode audit with `ifUnsupported: audit`.\n\n"
		"Several policies on one workload are merged: ordered by priority, tenant, namespace and name, their\n"
		"rules are one list, the first rule that matches decides, and where none does, `deny` wins if any\n"
		"of them that has the section says so. A policy selects a cgroup and everything below it.\n");
	object_section(&rf_schema, "", out);
	object_section(&rf_schema_label, "Label", out);
	object_section(&rf_schema_kubernetes, "NetworkPolicy", out);
	return rf_strbuf_error(out);
}

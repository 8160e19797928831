// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringfence policy explain`, from the schema. */
#include "user/policy/explain.h"

#include <errno.h>
#include <strings.h>

#include "user/policy/schema.h"

static void wrapped(struct rf_strbuf *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word + strlen(indent) > 78) {
			rf_strbuf_addc(out, '\n');
			column = 0;
		}
		rf_strbuf_adds(out, column ? " " : indent);
		rf_strbuf_add(out, text, word);
		column += word + (column ? 1 : 0);
		text += word + (text[word] == ' ');
	}
	rf_strbuf_addc(out, '\n');
}

static void field_describe(const struct rf_field *f, const char *path, struct rf_strbuf *out)
{
	rf_strbuf_addf(out, "%s <%s>%s\n\n", *path ? path : "document", f->ignored ? "anything" : rf_type_name(f),
		       f->required ? " required" : "");
	wrapped(out, "  ", f->text);
	if (f->values) {
		rf_strbuf_adds(out, "\n  One of: ");
		for (size_t i = 0; f->values[i]; i++)
			rf_strbuf_addf(out, "%s%s", i ? ", " : "", f->values[i]);
		rf_strbuf_addc(out, '\n');
	}
	if (f->type == RF_TYPE_INTEGER)
		rf_strbuf_addf(out, "\n  From %lld to %lld.\n", (long long)f->min, (long long)f->max);
	if (f->list)
		rf_strbuf_addf(out, "\n  At most %lld entries.\n", (long long)f->max);
	if (f->dflt)
		rf_strbuf_addf(out, "\n  Default: %s\n", f->dflt);
	if (f->example)
		rf_strbuf_addf(out, "\n  Example: %s\n", f->example);
	if (f->needs)
		rf_strbuf_addf(out, "\n  Needs the host feature \"%s\" (ringfence status).\n",
			       rf_feature_name(f->needs - 1));
	if (!rf_field_is_enforced(f))
		rf_strbuf_adds(out, "  Checked, but not enforced by this version.\n");
	if (!f->children)
		return;
	rf_strbuf_adds(out, "\n  Fields:\n");
	for (const struct rf_field *child = f->children; child->key; child++) {
		if (child->ignored)
			continue;
		rf_strbuf_addf(out, "    %s <%s>%s\n", child->key, rf_type_name(child),
			       child->required ? " required" : "");
		wrapped(out, "      ", child->text);
	}
}

/* A path may begin with the kind of document; without one it is a WorkloadPolicy's. */
static const struct rf_field *document_take(const char **path)
{
	static const struct {
		const char *kind;
		const struct rf_field *schema;
	} documents[] = { { "WorkloadPolicy", &rf_schema },
			  { "Label", &rf_schema_label },
			  { "NetworkPolicy", &rf_schema_kubernetes } };
	size_t len = strcspn(*path, ".");

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		if (strlen(documents[i].kind) != len || strncasecmp(*path, documents[i].kind, len))
			continue;
		*path += len + ((*path)[len] == '.');
		return documents[i].schema;
	}
	return &rf_schema;
}

int rf_policy_explain(const char *field, struct rf_strbuf *out)
{
	const char *at = field;
	const struct rf_field *f = document_take(&at);

	while (*at) {
		size_t len = strcspn(at, ".");
		const struct rf_field *child;
		const char *nearest;
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)MIN(len, sizeof(key) - 1), at);
		key[strcspn(key, "[")] = '\0'; /* rules[3] is rules */
		child = rf_field_child(f, key);
		if (!child) {
			nearest = rf_field_nearest(f, key);
			rf_strbuf_addf(out, "no field \"%s\" in %s", key,
				       *f->key		     ? f->key :
				       f == &rf_schema	     ? "a document" :
				       f == &rf_schema_label ? "a Label" :
							       "a NetworkPolicy");
			if (nearest)
				rf_strbuf_addf(out, "; did you mean \"%s\"?", nearest);
			rf_strbuf_addc(out, '\n');
			return -ENOENT;
		}
		f = child;
		at += len + (at[len] == '.');
	}
	field_describe(f, field, out);
	if (!*field)
		rf_strbuf_adds(out, "\n  Of the other kinds of document, Label and Kubernetes' NetworkPolicy:\n"
				    "  ringfence policy explain Label\n"
				    "  ringfence policy explain NetworkPolicy\n");
	return rf_strbuf_error(out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References to rules. There is an image for every combination of policies, so
 * a policy's own strings stand once in the block, not once a rule.
 */
#include "user/policy/rule_refs.h"

#include <errno.h>

static size_t policy_size(const struct rf_policy *p)
{
	/* Two slashes, two NULs. */
	return strlen(p->tenant) + strlen(p->namespace) + strlen(p->name) + strlen(p->file) + 4;
}

static char *string_put(char **at, const char *s)
{
	char *start = *at;

	*at = stpcpy(start, s) + 1;
	return start;
}

static char *policy_name_put(char **at, const struct rf_policy *p)
{
	char *start = *at;

	*at = stpcpy(start, p->tenant);
	*(*at)++ = '/';
	*at = stpcpy(*at, p->namespace);
	*(*at)++ = '/';
	string_put(at, p->name);
	return start;
}

int rf_rule_refs_new(const struct rf_rule_source *sources, size_t n, struct rf_rule_ref **ret)
{
	const struct rf_policy *last = NULL;
	struct rf_rule_ref *refs;
	size_t size = n * sizeof(*refs);
	char *at;

	for (size_t i = 0; i < n; i++) {
		if (sources[i].policy != last)
			size += policy_size(sources[i].policy);
		size += strlen(sources[i].rule) + 1;
		last = sources[i].policy;
	}
	refs = malloc(size);
	if (!refs)
		return -ENOMEM;
	at = (char *)(refs + n);
	last = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = sources[i].policy;

		refs[i].policy = p == last ? refs[i - 1].policy : policy_name_put(&at, p);
		refs[i].file = p == last ? refs[i - 1].file : string_put(&at, p->file);
		refs[i].rule = string_put(&at, sources[i].rule);
		refs[i].line = sources[i].line;
		refs[i].action = sources[i].action;
		refs[i].mode = p->mode;
		last = p;
	}
	*ret = refs;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of names. Total: what has none is unknown. */
#include "user/model/isolation.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>

#include "user/lib/util.h"

const char *const rf_isolation_kind_names[] = {
#define X(id, word, text) [RF_ISOLATION_##id] = word,
	RF_ISOLATION_KINDS(X)
#undef X
		NULL,
};
static_assert(RF_ISOLATION_KIND_COUNT <= 16, "a kind of isolation has no bit");

const char *const rf_between_names[] = {
	[RF_BETWEEN_TENANTS] = "tenants",
	[RF_BETWEEN_NAMESPACES] = "namespaces",
	[RF_BETWEEN_WORKLOADS] = "workloads",
	[RF_BETWEENS] = NULL,
};

static const struct {
	enum rf_isolation_kind kind;
	const char *name;
	const char *argument;
} operations[] = {
#define X(id, of, text, what) [RF_OPERATION_##id] = { RF_ISOLATION_##of, text, what },
	RF_ISOLATION_OPERATIONS(X)
#undef X
};

static int word_parse(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcasecmp(words[i], word) == 0)
			return i;
	return -EINVAL;
}

int rf_isolation_kind_parse(const char *name)
{
	return word_parse(rf_isolation_kind_names, name);
}

int rf_between_parse(const char *name)
{
	return word_parse(rf_between_names, name);
}

const char *rf_isolation_operation_name(unsigned int operation)
{
	return operation < RF_OPERATION_COUNT ? operations[operation].name : "unknown";
}

enum rf_isolation_kind rf_isolation_operation_kind(unsigned int operation)
{
	return operation < RF_OPERATION_COUNT ? operations[operation].kind : RF_ISOLATION_KIND_COUNT;
}

const char *rf_isolation_argument_name(unsigned int operation)
{
	return operation < RF_OPERATION_COUNT && *operations[operation].argument ? operations[operation].argument :
										   NULL;
}

const char *rf_isolation_rule_name(unsigned int kind)
{
	static const char *const names[] = {
#define X(id, word, text) [RF_ISOLATION_##id] = "isolation[" word "]",
		RF_ISOLATION_KINDS(X)
#undef X
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "isolation";
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Label requirements, and whom a peer selector chooses. */
#include "user/model/peer.h"

#include <errno.h>
#include <strings.h>

#include "user/lib/util.h"
#include "user/model/selector.h"

static bool value_in(const struct rf_label_match *m, const char *value)
{
	for (size_t i = 0; i < m->n_values; i++)
		if (rf_streq(m->values[i], value))
			return true;
	return false;
}

static bool match_holds(const struct rf_label_match *m, const char *value)
{
	switch (m->operator) {
	case RF_LABEL_IN:
		return value && value_in(m, value);
	case RF_LABEL_NOT_IN:
		return !value || !value_in(m, value);
	case RF_LABEL_EXISTS:
		return value;
	case RF_LABEL_ABSENT:
		return !value;
	}
	return false;
}

bool rf_label_matches_hold(const struct rf_label_matches *m, const struct rf_label *labels, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		if (!match_holds(&m->list[i], rf_labels_get(labels, n, m->list[i].key)))
			return false;
	return true;
}

static void match_fini(struct rf_label_match *m)
{
	for (size_t i = 0; i < m->n_values; i++)
		free(m->values[i]);
	free(m->values);
	free(m->key);
}

int rf_label_matches_add(struct rf_label_matches *m, const char *key, enum rf_label_operator operator,
			 const char * const * values, size_t n_values)
{
	struct rf_label_match *grown = reallocarray(m->list, m->n + 1, sizeof(*grown)), *match;

	if (!grown)
		return -ENOMEM;
	m->list = grown;
	match = &m->list[m->n];
	*match = (struct rf_label_match){ .key = strdup(key), .operator= operator};
	match->values = calloc(n_values ? n_values : 1, sizeof(*match->values));
	for (size_t i = 0; match->values && i < n_values; i++) {
		match->values[i] = strdup(values[i]);
		if (!match->values[i])
			break;
		match->n_values++;
	}
	if (!match->key || !match->values || match->n_values != n_values) {
		match_fini(match);
		return -ENOMEM;
	}
	m->n++;
	return 0;
}

int rf_label_matches_copy(struct rf_label_matches *to, const struct rf_label_matches *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct rf_label_match *m = &from->list[i];
		int r = rf_label_matches_add(to, m->key, m->operator,(const char *const *) m->values, m->n_values);

		if (r < 0)
			return r;
	}
	return 0;
}

bool rf_label_matches_equal(const struct rf_label_matches *a, const struct rf_label_matches *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct rf_label_match *p = &a->list[i], *q = &b->list[i];

		if (p->operator!= q->operator|| p->n_values != q->n_values || !rf_streq(p->key, q->key))
			return false;
		for (size_t k = 0; k < p->n_values; k++)
			if (!rf_streq(p->values[k], q->values[k]))
				return false;
	}
	return true;
}

void rf_label_matches_fini(struct rf_label_matches *m)
{
	for (size_t i = 0; i < m->n; i++)
		match_fini(&m->list[i]);
	free(m->list);
	*m = (struct rf_label_matches){ 0 };
}

/* A pattern that is not given says nothing; one that is given never matches what is not known. */
static bool glob_holds(const char *pattern, const char *text)
{
	return !pattern || (text && rf_glob_match(pattern, text, 0));
}

/* What no file tells is not known, which is not the same as absent: no requirement holds. */
static bool labels_hold(const struct rf_label_matches *m, const struct rf_identity *id)
{
	return !m->n || (id && id->labels_known && rf_label_matches_hold(m, id->labels, id->n_labels));
}

static bool namespace_holds(const struct rf_label_matches *m, const struct rf_identity *id)
{
	char key[] = RF_NAMESPACE_NAME_LABEL;
	const struct rf_label name = { key, id ? id->namespace : NULL };

	return !m->n || (name.value && rf_label_matches_hold(m, &name, 1));
}

bool rf_peer_selector_match(const struct rf_peer_selector *s, const struct rf_peer_facts *facts)
{
	const struct rf_identity *id = facts->identity;

	if (s->pods && (!id || (!id->pod_uid && !id->pod_name)))
		return false;
	return glob_holds(s->tenant, facts->tenant) && glob_holds(s->namespace, facts->namespace) &&
	       glob_holds(s->workload, facts->workload) && labels_hold(&s->labels, id) &&
	       namespace_holds(&s->namespace_labels, id);
}

bool rf_dns_name_match(const char *pattern, const char *name)
{
	if (rf_strprefix(pattern, "*.")) {
		const char *dot = strchr(name, '.');

		return dot && dot != name && strcasecmp(pattern + 2, dot + 1) == 0;
	}
	return strcasecmp(pattern, name) == 0;
}

static int string_copy(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

int rf_peer_selector_copy(struct rf_peer_selector *to, const struct rf_peer_selector *from)
{
	struct rf_peer_selector copy = { .pods = from->pods };
	int r = string_copy(&copy.tenant, from->tenant);

	if (r == 0)
		r = string_copy(&copy.namespace, from->namespace);
	if (r == 0)
		r = string_copy(&copy.workload, from->workload);
	if (r == 0)
		r = rf_label_matches_copy(&copy.labels, &from->labels);
	if (r == 0)
		r = rf_label_matches_copy(&copy.namespace_labels, &from->namespace_labels);
	if (r < 0) {
		rf_peer_selector_fini(&copy);
		return r;
	}
	*to = copy;
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && rf_streq(a, b));
}

bool rf_peer_selector_equal(const struct rf_peer_selector *a, const struct rf_peer_selector *b)
{
	return a->pods == b->pods && same(a->tenant, b->tenant) && same(a->namespace, b->namespace) &&
	       same(a->workload, b->workload) && rf_label_matches_equal(&a->labels, &b->labels) &&
	       rf_label_matches_equal(&a->namespace_labels, &b->namespace_labels);
}

void rf_peer_selector_fini(struct rf_peer_selector *s)
{
	free(s->tenant);
	free(s->namespace);
	free(s->workload);
	rf_label_matches_fini(&s->labels);
	rf_label_matches_fini(&s->namespace_labels);
	*s = (struct rf_peer_selector){ 0 };
}

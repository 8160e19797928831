// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of metrics as data, and the choice of the format by HTTP content
 * negotiation (RFC 9110, 12.5.1). Nothing here allocates.
 */
#include "user/export/metrics.h"

#include <strings.h>

#include "user/lib/util.h"

static const struct rf_metric_family families[] = {
#define X(id, name, type, labels, help) [RF_METRIC_##id] = { name, RF_METRIC_##type, labels, "", help },
	RF_METRICS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(families) == RF_METRIC_COUNT, "a family for every metric");

static const struct rf_metric_family counters[] = {
#define X(id, name, labels, help)                                                                                     \
	[RF_COUNTER_##id] = { RF_METRICS_WORKLOAD_PREFIX name, RF_METRIC_COUNTER, RF_METRICS_WORKLOAD_LABELS, labels, \
			      help "." },
	RF_COUNTERS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(counters) == RF_COUNTER_COUNT, "a family for every counter");

static const struct rf_metric_family health[] = {
#define X(id, name, type, help, dcgm) \
	[RF_HEALTH_##id] = { RF_METRICS_HEALTH_PREFIX name, RF_METRIC_##type, RF_METRICS_HEALTH_LABELS, "", help },
	RF_HEALTH_READINGS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(health) == RF_HEALTH_COUNT, "a family for every reading");

const struct rf_metric_family *rf_metric_family(enum rf_metric m)
{
	return &families[m];
}

const struct rf_metric_family *rf_metric_counter(enum rf_counter c)
{
	return &counters[c];
}

const struct rf_metric_family *rf_metric_health(enum rf_health_reading r)
{
	return &health[r];
}

bool rf_metric_counter_leads(enum rf_counter c)
{
	for (unsigned int i = 0; i < (unsigned int)c; i++)
		if (rf_streq(counters[i].name, counters[c].name))
			return false;
	return true;
}

const char *rf_metric_type_name(enum rf_metric_type t, enum rf_metrics_format f)
{
	switch (t) {
	case RF_METRIC_COUNTER:
		return "counter";
	case RF_METRIC_INFO: /* the older format has no such type */
		return f == RF_METRICS_OPENMETRICS ? "info" : "gauge";
	case RF_METRIC_HISTOGRAM:
		return "histogram";
	default:
		return "gauge";
	}
}

const char *rf_metric_suffix(enum rf_metric_type t)
{
	switch (t) {
	case RF_METRIC_COUNTER:
		return "_total";
	case RF_METRIC_INFO:
		return "_info";
	default:
		return "";
	}
}

const char *rf_metric_unit(const char *family_name)
{
	static const char *const units[] = { "bytes", "seconds", "celsius", "watts", "joules", "hertz", "ratio" };
	const char *last = strrchr(family_name, '_');

	for (size_t i = 0; last && i < ARRAY_SIZE(units); i++)
		if (rf_streq(last + 1, units[i]))
			return units[i];
	return NULL;
}

const char *rf_metrics_content_type(enum rf_metrics_format f)
{
	if (f == RF_METRICS_OPENMETRICS)
		return "application/openmetrics-text; version=1.0.0; charset=utf-8";
	return "text/plain; version=0.0.4; charset=utf-8";
}

/* A stretch of the header. */
struct span {
	const char *at;
	size_t len;
};

static struct span trim(struct span s)
{
	while (s.len && (*s.at == ' ' || *s.at == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(s.at, text, s.len);
}

/* Cuts what stands before the next @separator that is not inside a quoted string. */
static bool next(struct span *rest, char separator, struct span *ret)
{
	bool quoted = false;
	size_t i;

	if (!rest->at)
		return false;
	for (i = 0; i < rest->len; i++) {
		char c = rest->at[i];

		if (quoted && c == '\\' && i + 1 < rest->len)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == separator && !quoted)
			break;
	}
	*ret = trim((struct span){ rest->at, i });
	if (i < rest->len)
		*rest = (struct span){ rest->at + i + 1, rest->len - i - 1 };
	else
		rest->at = NULL;
	return true;
}

/* "0", "1", "0.d", "1.0" with up to three digits -> thousandths; -1: malformed. */
static int weight(struct span s)
{
	int value, scale = 100;

	if (s.len < 1 || s.len > 5 || (s.at[0] != '0' && s.at[0] != '1') || (s.len > 1 && s.at[1] != '.'))
		return -1;
	value = (s.at[0] - '0') * 1000;
	for (size_t i = 2; i < s.len; i++, scale /= 10) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return -1;
		value += (s.at[i] - '0') * scale;
	}
	return value <= 1000 ? value : -1;
}

/* One member of the list: what it asks for, and how much. */
struct range {
	struct span type;
	struct span version; /* empty: any */
	int weight;
};

static bool range_parse(struct span member, struct range *ret_range)
{
	struct range range = { .weight = 1000 };
	struct span param;

	if (!next(&member, ';', &range.type) || !range.type.len)
		return false;
	while (next(&member, ';', &param)) {
		struct span value = param, key;

		if (!next(&value, '=', &key) || !value.at)
			continue;
		value = trim(value);
		if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
			value = (struct span){ value.at + 1, value.len - 2 };
		if (span_is(key, "q"))
			range.weight = weight(value);
		else if (span_is(key, "version"))
			range.version = value;
	}
	if (range.weight < 0)
		return false;
	*ret_range = range;
	return true;
}

/*
 * How closely the range names the format: 3 by type and subtype, 2 by type, 1 by "*", 0 not at all. OpenMetrics 0.0.1
 * is what older scrapers call 1.0.0; the text is the same.
 */
static int range_match(const struct range *r, enum rf_metrics_format f)
{
	if (span_is(r->type, "*/*"))
		return 1;
	if (f == RF_METRICS_TEXT) {
		if (span_is(r->type, "text/*"))
			return 2;
		if (!span_is(r->type, "text/plain"))
			return 0;
		return !r->version.len || span_is(r->version, "0.0.4") ? 3 : 0;
	}
	if (span_is(r->type, "application/*"))
		return 2;
	if (!span_is(r->type, "application/openmetrics-text"))
		return 0;
	return !r->version.len || span_is(r->version, "1.0.0") || span_is(r->version, "0.0.1") ? 3 : 0;
}

enum rf_metrics_format rf_metrics_negotiate(const char *accept)
{
	struct {
		int closeness, weight;
		size_t position;
	} found[RF_METRICS_FORMATS] = { 0 };
	enum rf_metrics_format best = RF_METRICS_TEXT;
	struct span rest = { accept, accept ? strlen(accept) : 0 };
	struct span member;

	for (size_t position = 0; next(&rest, ',', &member); position++) {
		struct range range;

		if (!range_parse(member, &range))
			continue;
		for (unsigned int f = 0; f < RF_METRICS_FORMATS; f++) {
			int closeness = range_match(&range, f);

			if (!closeness || closeness < found[f].closeness ||
			    (closeness == found[f].closeness && range.weight <= found[f].weight))
				continue;
			found[f].closeness = closeness;
			found[f].weight = range.weight;
			found[f].position = position;
		}
	}
	for (unsigned int f = 0; f < RF_METRICS_FORMATS; f++) {
		if (found[f].weight != found[best].weight) {
			if (found[f].weight > found[best].weight)
				best = f;
		} else if (found[f].closeness != found[best].closeness) {
			/* At weight 0 neither is wanted, and text it stays. */
			if (found[f].weight && found[f].closeness > found[best].closeness)
				best = f;
		} else if (found[f].position < found[best].position) {
			best = f;
		}
	}
	return best;
}

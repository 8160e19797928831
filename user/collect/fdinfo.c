// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A line is "key:\tvalue[ unit]". Memory of a region NAME is drm-resident-NAME,
 * in older drivers drm-memory-NAME, and in some both; bytes, KiB or MiB. Time
 * is drm-engine-NAME in ns, cycles drm-cycles-NAME of drm-total-cycles-NAME.
 * drm-engine-capacity-NAME is a number of equal engines, whose time is in the
 * sum already.
 */
#include "user/collect/fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "user/lib/span.h"
#include "user/lib/util.h"

#define REGIONS_MAX 16
#define TEXT_MAX    8192

struct region {
	struct rf_span name;
	uint64_t resident;
	bool is_new; /* told by drm-resident- */
};

struct parse {
	struct rf_fdinfo *to;
	struct region regions[REGIONS_MAX];
};

static struct rf_span blanks_trim(struct rf_span s)
{
	while (s.n && (*s.s == ' ' || *s.s == '\t'))
		s = (struct rf_span){ s.s + 1, s.n - 1 };
	while (s.n && (s.s[s.n - 1] == ' ' || s.s[s.n - 1] == '\t' || s.s[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static bool value_take(struct rf_span value, const char *unit, uint64_t *ret)
{
	uint64_t n;

	if (!rf_span_take_u64(&value, &n) || !rf_span_eq(blanks_trim(value), unit))
		return false;
	*ret = n;
	return true;
}

static bool bytes_take(struct rf_span value, uint64_t *ret)
{
	unsigned int shift = 0;
	uint64_t n;

	if (!rf_span_take_u64(&value, &n))
		return false;
	value = blanks_trim(value);
	if (rf_span_eq(value, "KiB"))
		shift = 10;
	else if (rf_span_eq(value, "MiB"))
		shift = 20;
	else if (value.n)
		return false;
	if (n > UINT64_MAX >> shift)
		return false;
	*ret = n << shift;
	return true;
}

/* What has grown past the end stays there. */
static void sum_add(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

static bool name_copy(char *to, struct rf_span value)
{
	if (!value.n || value.n >= RF_FDINFO_NAME || memchr(value.s, '\0', value.n))
		return false;
	if (*to)
		return true;
	memcpy(to, value.s, value.n);
	to[value.n] = '\0';
	return true;
}

static struct region *region_get(struct parse *p, struct rf_span name)
{
	struct region *r = p->regions;

	for (unsigned int i = 0; i < p->to->regions; i++, r++)
		if (r->name.n == name.n && !memcmp(r->name.s, name.s, name.n))
			return r;
	if (p->to->regions == REGIONS_MAX)
		return NULL;
	p->to->regions++;
	*r = (struct region){ .name = name };
	return r;
}

static bool region_told(struct parse *p, struct rf_span name, struct rf_span value, bool is_new)
{
	struct region *region;
	uint64_t bytes;

	if (!bytes_take(value, &bytes))
		return false;
	region = region_get(p, name);
	if (!region)
		return false;
	if (is_new || !region->is_new)
		region->resident = bytes;
	region->is_new |= is_new;
	return true;
}

/* 1: it is told; 0: of a key that is none of ours; -1: it makes no sense. */
static int line_take(struct parse *p, struct rf_span key, struct rf_span value)
{
	struct rf_fdinfo *to = p->to;
	struct rf_span name;
	uint64_t n;
	bool ok;

	if (rf_span_cut_prefix(key, "engine-", &name)) {
		if (rf_span_cut_prefix(name, "capacity-", &name))
			return 0;
		ok = value_take(value, "ns", &n);
		if (ok)
			sum_add(&to->engine_ns, n);
		to->engines += ok;
	} else if (rf_span_cut_prefix(key, "cycles-", &name)) {
		ok = value_take(value, "", &n);
		if (ok)
			sum_add(&to->cycles, n);
		to->counters += ok;
	} else if (rf_span_cut_prefix(key, "total-cycles-", &name)) {
		ok = value_take(value, "", &n);
		if (ok)
			sum_add(&to->total_cycles, n);
	} else if (rf_span_cut_prefix(key, "resident-", &name)) {
		ok = region_told(p, name, value, true);
	} else if (rf_span_cut_prefix(key, "memory-", &name)) {
		ok = region_told(p, name, value, false);
	} else if (rf_span_eq(key, "client-id")) {
		ok = value_take(value, "", &to->client);
		to->has_client |= ok;
	} else if (rf_span_eq(key, "driver")) {
		ok = name_copy(to->driver, value);
	} else if (rf_span_eq(key, "pdev")) {
		ok = name_copy(to->pdev, value);
	} else {
		return 0;
	}
	return ok ? 1 : -1;
}

void rf_fdinfo_parse(const char *text, size_t len, struct rf_fdinfo *ret)
{
	struct parse p = { .to = ret };
	struct rf_span rest = { text, len }, line;

	*ret = (struct rf_fdinfo){ 0 };
	while (rf_span_next_line(&rest, &line)) {
		struct rf_span key, value;
		const char *colon;

		if (!rf_span_cut_prefix(line, "drm-", &key))
			continue;
		colon = memchr(key.s, ':', key.n);
		if (!colon)
			continue;
		value = blanks_trim((struct rf_span){ colon + 1, key.n - (colon + 1 - key.s) });
		key.n = colon - key.s;
		if (line_take(&p, key, value) < 0)
			ret->skipped++;
	}
	for (unsigned int i = 0; i < ret->regions; i++)
		sum_add(&ret->resident, p.regions[i].resident);
}

int rf_fdinfo_open(const char *proc, uint32_t tgid, uint32_t fd)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%.4000s/%u/fdinfo/%u", proc, tgid, fd);
	r = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return r < 0 ? -errno : r;
}

int rf_fdinfo_read(int fd, struct rf_fdinfo *ret)
{
	char text[TEXT_MAX];
	ssize_t n;

	/* From the start, the kernel renders it anew. What is longer loses its end: no driver's is. */
	do
		n = pread(fd, text, sizeof(text), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	rf_fdinfo_parse(text, n, ret);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of device memory: words and numbers in lines, and whose a limit is. */
#include "user/model/memory_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

static const char *const method_names[] = {
#define X(id, name) [RF_MEMORY_##id] = name,
	RF_MEMORY_METHODS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(method_names) == RF_MEMORY_METHOD_COUNT, "a name for every method");

const char *rf_memory_method_name(enum rf_memory_method m)
{
	return (unsigned int)m < RF_MEMORY_METHOD_COUNT ? method_names[m] : "unknown";
}

enum rf_memory_method rf_memory_method_choose(uint32_t can)
{
	for (int m = 0; m < RF_MEMORY_NONE; m++)
		if (can & 1u << m)
			return m;
	return RF_MEMORY_NONE;
}

/* ---- lines ---- */

struct text {
	const char *at, *end;
};

/* The next word of the line, which spaces end; false: there is none, or it does not fit. */
static bool word_take(struct text *line, char *ret, size_t size)
{
	size_t n = 0;

	while (line->at < line->end && *line->at == ' ')
		line->at++;
	while (line->at + n < line->end && line->at[n] != ' ')
		n++;
	if (!n || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (line->at[i] < ' ' || line->at[i] > '~')
			return false;
	memcpy(ret, line->at, n);
	ret[n] = '\0';
	line->at += n;
	return true;
}

static bool bytes_take(struct text *line, uint64_t *ret)
{
	uint64_t value = 0;
	char word[32];

	if (!word_take(line, word, sizeof(word)))
		return false;
	if (rf_streq(word, "max")) {
		*ret = RF_MEMORY_MAX;
		return true;
	}
	for (const char *c = word; *c; c++) {
		if (*c < '0' || *c > '9' || value > (RF_MEMORY_MAX - 10) / 10)
			return false;
		value = value * 10 + (uint64_t)(*c - '0');
	}
	*ret = value;
	return true;
}

static bool is_over(const struct text *line)
{
	for (const char *c = line->at; c < line->end; c++)
		if (*c != ' ')
			return false;
	return true;
}

/* 1: the next line that is not empty, 0: there is none. */
static int line_take(struct text *text, struct text *ret)
{
	while (text->at < text->end) {
		const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));

		*ret = (struct text){ text->at, end ? end : text->end };
		text->at = end ? end + 1 : text->end;
		if (!is_over(ret))
			return 1;
	}
	return 0;
}

int rf_dmem_parse(const char *text, size_t len, struct rf_dmem *ret)
{
	struct text all = { text, text + len }, line;
	struct rf_dmem d = { .n = 0 };

	while (line_take(&all, &line)) {
		struct rf_dmem_region *r = &d.regions[d.n];

		if (d.n == RF_DMEM_REGIONS)
			return -E2BIG;
		if (!word_take(&line, r->name, sizeof(r->name)) || !bytes_take(&line, &r->bytes) || !is_over(&line))
			return -EBADMSG;
		d.n++;
	}
	*ret = d;
	return 0;
}

const struct rf_dmem_region *rf_dmem_find(const struct rf_dmem *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (rf_streq(d->regions[i].name, name))
			return &d->regions[i];
	return NULL;
}

bool rf_dmem_is_vram(const char *region, const char *parent)
{
	const char *device = strchr(region, '/');
	size_t n = strlen(parent);

	return n && device && strncmp(device + 1, parent, n) == 0 && rf_strprefix(device + 1 + n, "/vram");
}

/* ---- claims ---- */

static void own(struct rf_memory_claim *c, uint64_t bytes, uint64_t before)
{
	c->asked = c->ours = bytes;
	c->before = before;
}

bool rf_memory_claim_step(struct rf_memory_claim *c, uint64_t wanted, uint64_t present, uint64_t *ret_write)
{
	bool mine = c->asked != RF_MEMORY_MAX && present == c->ours;
	uint64_t before = mine ? c->before : present;

	if (mine && c->asked == wanted)
		return false;
	/* Written by a daemon that was killed before it could say so. */
	if (!mine && wanted != RF_MEMORY_MAX && present == wanted) {
		own(c, wanted, RF_MEMORY_MAX);
		return false;
	}
	/* What was there is as strict. */
	if (wanted >= before) {
		own(c, RF_MEMORY_MAX, RF_MEMORY_MAX);
		*ret_write = before;
		return present != before;
	}
	own(c, wanted, before);
	*ret_write = wanted;
	return true;
}

void rf_memory_claims_fini(struct rf_memory_claims *claims)
{
	free(claims->list);
	*claims = (struct rf_memory_claims){ NULL, 0 };
}

struct rf_memory_claim *rf_memory_claims_get(struct rf_memory_claims *claims, const char *name)
{
	struct rf_memory_claim *list;

	for (size_t i = 0; i < claims->n; i++)
		if (rf_streq(claims->list[i].name, name))
			return &claims->list[i];
	if (claims->n == RF_DMEM_REGIONS || strlen(name) >= RF_DMEM_NAME)
		return NULL;
	list = reallocarray(claims->list, claims->n + 1, sizeof(*list));
	if (!list)
		return NULL;
	claims->list = list;
	own(&list[claims->n], RF_MEMORY_MAX, RF_MEMORY_MAX);
	snprintf(list[claims->n].name, RF_DMEM_NAME, "%s", name);
	return &list[claims->n++];
}

static bool claim_take(struct text *line, struct rf_memory_claim *ret)
{
	return word_take(line, ret->name, sizeof(ret->name)) && bytes_take(line, &ret->asked) &&
	       bytes_take(line, &ret->ours) && bytes_take(line, &ret->before);
}

int rf_memory_claims_parse(const char *text, size_t len, struct rf_memory_claims *ret)
{
	_cleanup_(rf_memory_claims_fini) struct rf_memory_claims claims = { NULL, 0 };
	struct text all = { text, text + len }, line;

	while (line_take(&all, &line)) {
		struct rf_memory_claim c, *to;

		if (claims.n == RF_DMEM_REGIONS)
			return -E2BIG;
		if (!claim_take(&line, &c) || !is_over(&line))
			return -EBADMSG;
		to = rf_memory_claims_get(&claims, c.name);
		if (!to)
			return -ENOMEM;
		*to = c;
	}
	*ret = claims;
	claims = (struct rf_memory_claims){ NULL, 0 };
	return 0;
}

static void bytes_format(uint64_t bytes, struct rf_strbuf *out)
{
	if (bytes == RF_MEMORY_MAX)
		rf_strbuf_adds(out, " max");
	else
		rf_strbuf_addf(out, " %" PRIu64, bytes);
}

static void claim_format(const struct rf_memory_claim *c, struct rf_strbuf *out)
{
	rf_strbuf_adds(out, c->name);
	bytes_format(c->asked, out);
	bytes_format(c->ours, out);
	bytes_format(c->before, out);
}

void rf_memory_claims_format(const struct rf_memory_claims *claims, struct rf_strbuf *out)
{
	for (size_t i = 0; i < claims->n; i++) {
		if (claims->list[i].asked == RF_MEMORY_MAX)
			continue;
		claim_format(&claims->list[i], out);
		rf_strbuf_addc(out, '\n');
	}
}

/* ---- requests ---- */

int rf_memory_request_parse(const char *line, size_t len, struct rf_memory_request *ret)
{
	struct text text = { line, line + len };
	struct rf_memory_request r;
	size_t n;

	if (len && line[len - 1] == '\n')
		text.end--;
	if (!claim_take(&text, &r.claim) || !bytes_take(&text, &r.wanted) || text.at == text.end)
		return -EBADMSG;
	text.at++;
	n = (size_t)(text.end - text.at);
	if (!n || n >= sizeof(r.path) || *text.at != '/' || memchr(text.at, '\0', n) || memchr(text.at, '\n', n))
		return -EBADMSG;
	memcpy(r.path, text.at, n);
	r.path[n] = '\0';
	*ret = r;
	return 0;
}

void rf_memory_request_format(const struct rf_memory_claim *claim, uint64_t wanted, const char *path,
			      struct rf_strbuf *out)
{
	claim_format(claim, out);
	bytes_format(wanted, out);
	rf_strbuf_addf(out, " %s\n", path);
}

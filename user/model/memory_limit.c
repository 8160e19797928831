// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of device memory: words and numbers in lines, and whose a limit is. */
#include "user/model/memory_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/cleanup.h"
#include "user/lib/span.h"
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

/* The next word of the line; false: there is none, or it does not fit. */
static bool word_take(struct rf_span *line, char *ret, size_t size)
{
	struct rf_span word;

	if (!rf_span_take_word(line, &word) || word.n >= size)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.s[i] < ' ' || word.s[i] > '~')
			return false;
	memcpy(ret, word.s, word.n);
	ret[word.n] = '\0';
	return true;
}

static bool bytes_take(struct rf_span *line, uint64_t *ret)
{
	struct rf_span word;

	if (!rf_span_take_word(line, &word))
		return false;
	if (!rf_span_eq(word, "max"))
		return rf_span_u64(word, ret) && *ret != RF_MEMORY_MAX;
	*ret = RF_MEMORY_MAX;
	return true;
}

static bool is_over(struct rf_span line)
{
	struct rf_span word;

	return !rf_span_take_word(&line, &word);
}

/* The next line that is not empty. */
static bool line_take(struct rf_span *text, struct rf_span *ret)
{
	while (rf_span_next_line(text, ret))
		if (!is_over(*ret))
			return true;
	return false;
}

int rf_dmem_parse(const char *text, size_t len, struct rf_dmem *ret)
{
	struct rf_span all = { text, len }, line;
	struct rf_dmem d = { .n = 0 };

	while (line_take(&all, &line)) {
		struct rf_dmem_region *r = &d.regions[d.n];

		if (d.n == RF_DMEM_REGIONS)
			return -E2BIG;
		if (!word_take(&line, r->name, sizeof(r->name)) || !bytes_take(&line, &r->bytes) || !is_over(line))
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

void rf_memory_claim_adopt(struct rf_memory_claim *c, uint64_t wanted, uint64_t present)
{
	bool mine = c->asked != RF_MEMORY_MAX && present == c->ours;

	if (!mine && wanted != RF_MEMORY_MAX && present == wanted)
		own(c, wanted, RF_MEMORY_MAX);
}

bool rf_memory_claim_step(struct rf_memory_claim *c, uint64_t wanted, uint64_t present, uint64_t *ret_write)
{
	bool mine = c->asked != RF_MEMORY_MAX && present == c->ours;
	uint64_t before = mine ? c->before : present;

	if (mine && c->asked == wanted)
		return false;
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

static bool claim_take(struct rf_span *line, struct rf_memory_claim *ret)
{
	return word_take(line, ret->name, sizeof(ret->name)) && bytes_take(line, &ret->asked) &&
	       bytes_take(line, &ret->ours) && bytes_take(line, &ret->before);
}

int rf_memory_claims_parse(const char *text, size_t len, struct rf_memory_claims *ret)
{
	_cleanup_(rf_memory_claims_fini) struct rf_memory_claims claims = { NULL, 0 };
	struct rf_span all = { text, len }, line;

	while (line_take(&all, &line)) {
		struct rf_memory_claim c, *to;

		if (claims.n == RF_DMEM_REGIONS)
			return -E2BIG;
		if (!claim_take(&line, &c) || !is_over(line))
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
	struct rf_span text = { line, len && line[len - 1] == '\n' ? len - 1 : len };
	struct rf_memory_request r;

	if (!claim_take(&text, &r.claim) || !bytes_take(&text, &r.wanted) || !text.n)
		return -EBADMSG;
	/* The rest but for the blank, which may have more of them. */
	text = (struct rf_span){ text.s + 1, text.n - 1 };
	if (!text.n || text.n >= sizeof(r.path) || *text.s != '/' || memchr(text.s, '\0', text.n) ||
	    memchr(text.s, '\n', text.n))
		return -EBADMSG;
	memcpy(r.path, text.s, text.n);
	r.path[text.n] = '\0';
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

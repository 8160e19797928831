// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS over TCP, by the source that BPF programs run. The first byte says how the rest is cut into segments, and which
 * of them come twice. What comes out is what a reading of the whole gives, up to the first message that is refused.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/lib/dns_stream.bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the reading of the whole stands. */
struct whole {
	const uint8_t *bytes;
	size_t len, at;
};

static void check_message(struct whole *w, const struct rf_dns_stream *s, size_t len)
{
	assert(w->len - w->at >= len + 2);
	assert((size_t)(w->bytes[w->at] << 8 | w->bytes[w->at + 1]) == len);
	assert(memcmp(w->bytes + w->at + 2, s->byte, len) == 0);
	w->at += len + 2;
}

/* It is lost where the whole has a length that is none. */
static void check_lost(const struct whole *w)
{
	size_t len;

	assert(w->len - w->at >= 2);
	len = w->bytes[w->at] << 8 | w->bytes[w->at + 1];
	assert(len < RF_DNS_HEADER || len > RF_DNS_MESSAGE_MAX);
}

/* False: a message was refused. @n bytes at @at of the whole, in memory of their own. */
static bool segment_take(struct whole *w, struct rf_dns_stream *s, size_t at, size_t n)
{
	struct rf_dns_segment g = { .end = n, .sequence = UINT32_MAX - 100 + at };
	uint8_t *copy = malloc(n);
	int len;

	assert(copy);
	memcpy(copy, w->bytes + at, n);
	while ((len = rf_dns_stream_take(copy, &g, s)) > 0) {
		check_message(w, s, len);
		rf_dns_stream_begin(s);
	}
	free(copy);
	if (len < 0)
		check_lost(w);
	else
		assert(g.at == g.end);
	return len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rf_dns_stream s;
	struct whole w = { .bytes = data + 1, .len = size ? size - 1 : 0 };
	uint32_t cut = size ? data[0] * 2654435761u + 1 : 0;

	rf_dns_stream_begin(&s);
	for (size_t at = 0; at < w.len;) {
		size_t n;

		cut = cut * 1664525u + 1013904223u;
		n = 1 + (cut >> 16) % (cut >> 31 ? 4 : 700);
		if (n > w.len - at)
			n = w.len - at;
		if (!segment_take(&w, &s, at, n))
			return 0;
		/* Bytes of a message that is whole would be taken for those of another. */
		if ((cut >> 8 & 3) == 0 && s.n_length && !segment_take(&w, &s, at, n))
			return 0;
		at += n;
	}
	/* What is left over is less than a message. */
	assert(w.len - w.at < 2 || w.len - w.at < 2u + (w.bytes[w.at] << 8 | w.bytes[w.at + 1]));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The growing string. Invariant: @data is NULL, or @len < @capacity and
 * data[len] is NUL. After an error the buffer keeps what it held before it.
 */
#include "user/lib/strbuf.h"

#include <errno.h>
#include <stdint.h>

#define MIN_CAPACITY 64

void rf_strbuf_fini(struct rf_strbuf *b)
{
	free(b->data);
	*b = (struct rf_strbuf)RF_STRBUF_INIT;
}

void rf_strbuf_reset(struct rf_strbuf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

/* Room for @extra bytes and the NUL. */
static bool reserve(struct rf_strbuf *b, size_t extra)
{
	size_t capacity = MAX(b->capacity, (size_t)MIN_CAPACITY);
	char *data;

	if (b->error)
		return false;
	/* Half of the address space is the limit, so that doubling cannot overflow. */
	if (extra >= SIZE_MAX / 2 - b->len) {
		b->error = -ENOMEM;
		return false;
	}
	if (b->len + extra < b->capacity)
		return true;
	while (capacity <= b->len + extra)
		capacity *= 2;
	data = realloc(b->data, capacity);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

void rf_strbuf_add(struct rf_strbuf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void rf_strbuf_adds(struct rf_strbuf *b, const char *s)
{
	rf_strbuf_add(b, s, strlen(s));
}

void rf_strbuf_addc(struct rf_strbuf *b, char c)
{
	rf_strbuf_add(b, &c, 1);
}

void rf_strbuf_addf(struct rf_strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rf_strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

void rf_strbuf_vaddf(struct rf_strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (!reserve(b, 0))
		return;
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, b->capacity - b->len, fmt, again);
	va_end(again);
	if (n >= 0 && (size_t)n >= b->capacity - b->len && reserve(b, n))
		n = vsnprintf(b->data + b->len, b->capacity - b->len, fmt, ap);
	if (n < 0)
		b->error = -ENOMEM;
	if (!b->error)
		b->len += n;
	b->data[b->len] = '\0';
}

int rf_strbuf_error(const struct rf_strbuf *b)
{
	return b->error;
}

const char *rf_strbuf_str(const struct rf_strbuf *b)
{
	return b->data ?: "";
}

char *rf_strbuf_take(struct rf_strbuf *b)
{
	char *data = NULL;

	/* An empty result is still a string of its own. */
	if (reserve(b, 0)) {
		b->data[b->len] = '\0';
		data = TAKE_PTR(b->data);
	}
	rf_strbuf_fini(b);
	return data;
}

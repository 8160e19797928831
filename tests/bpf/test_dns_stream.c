// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS over TCP put together from segments, in user space by the source that the kernel runs: whatever the cuts, the
 * same messages come out; what is seen again changes nothing; what is missing is told and ends with the message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/lib/dns_stream.bpf.h"
#include "user/lib/util.h"

#define SENT_MAX (4 * (RF_DNS_MESSAGE_MAX + 2))

struct stream {
	struct rf_dns_stream state;
	uint8_t got[SENT_MAX]; /* messages, each with its length before it */
	uint32_t n_got, lost;
};

static struct stream *stream_new(void)
{
	struct stream *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	rf_dns_stream_begin(&s->state);
	return s;
}

/* As bpf/lib/names.bpf.h does it. The bytes are in memory of their own: a sanitizer sees who reads past them. */
static void segment_take(struct stream *s, const uint8_t *bytes, uint32_t n, uint32_t sequence)
{
	struct rf_dns_segment g = { .at = 0, .end = n, .sequence = sequence };
	uint8_t *copy = malloc(n ? n : 1);
	int len;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	while ((len = rf_dns_stream_take(copy, &g, &s->state)) > 0) {
		assert_true(s->n_got + len + 2 <= sizeof(s->got));
		s->got[s->n_got++] = len >> 8;
		s->got[s->n_got++] = len & 0xff;
		memcpy(s->got + s->n_got, s->state.byte, len);
		s->n_got += len;
		rf_dns_stream_begin(&s->state);
	}
	if (len < 0) {
		s->lost++;
		rf_dns_stream_begin(&s->state);
	} else {
		assert_int_equal(g.at, g.end);
	}
	free(copy);
}

/* A message of @len bytes, unlike any other, behind its length. */
static uint32_t message_put(uint8_t *to, uint32_t len, uint8_t salt)
{
	to[0] = len >> 8;
	to[1] = len & 0xff;
	for (uint32_t i = 0; i < len; i++)
		to[2 + i] = i * 7 + salt;
	return len + 2;
}

static void assert_got(const struct stream *s, const uint8_t *sent, uint32_t n)
{
	assert_int_equal(s->lost, 0);
	assert_int_equal(s->n_got, n);
	assert_memory_equal(s->got, sent, n);
}

static void any_two_cuts_give_the_same_messages(void **state)
{
	uint8_t sent[128];
	uint32_t n = message_put(sent, 12, 1);

	(void)state;
	n += message_put(sent + n, 31, 2);
	for (uint32_t i = 0; i <= n; i++) {
		for (uint32_t k = i; k <= n; k++) {
			/* The numbers wrap on the way. */
			uint32_t first = 0U - k;
			struct stream *s = stream_new();

			segment_take(s, sent, i, first);
			segment_take(s, sent + i, k - i, first + i);
			segment_take(s, sent + k, n - k, first + k);
			assert_got(s, sent, n);
			assert_int_equal(s->state.n_length, 0);
			free(s);
		}
	}
}

static void byte_by_byte_gives_the_same(void **state)
{
	static uint8_t sent[SENT_MAX];
	struct stream *s = stream_new();
	uint32_t n = message_put(sent, RF_DNS_MESSAGE_MAX, 3);

	(void)state;
	n += message_put(sent + n, 500, 4);
	for (uint32_t i = 0; i < n; i++)
		segment_take(s, sent + i, 1, 1000 + i);
	assert_got(s, sent, n);
	free(s);
}

static void what_is_seen_again_changes_nothing(void **state)
{
	uint8_t sent[128];
	uint32_t n = message_put(sent, 40, 5);

	(void)state;
	/* All that came is sent again with what is new; then only a part of it. */
	for (uint32_t i = 1; i < n; i++) {
		struct stream *s = stream_new();

		segment_take(s, sent, i, 77);
		segment_take(s, sent, i, 77);
		segment_take(s, sent, i / 2, 77);
		segment_take(s, sent + i / 2, n - i / 2, 77 + i / 2);
		assert_got(s, sent, n);
		free(s);
	}
}

static void what_is_missing_ends_the_message_and_no_other(void **state)
{
	uint8_t sent[128], more[64];
	uint32_t n = message_put(sent, 60, 6), n_more = message_put(more, 20, 7);

	(void)state;
	for (uint32_t i = 1; i + 2 < n; i++) {
		struct stream *s = stream_new();

		segment_take(s, sent, i, 5000);
		segment_take(s, sent + i + 1, n - i - 1, 5000 + i + 1);
		assert_int_equal(s->lost, 1);
		assert_int_equal(s->n_got, 0);
		segment_take(s, more, n_more, 5000 + n);
		assert_int_equal(s->lost, 1);
		assert_int_equal(s->n_got, n_more);
		assert_memory_equal(s->got, more, n_more);
		free(s);
	}
}

static void a_length_at_its_limits_is_taken_and_none_past_them(void **state)
{
	static const struct {
		uint32_t len;
		bool taken;
	} rows[] = { { 0, false },
		     { RF_DNS_HEADER - 1, false },
		     { RF_DNS_HEADER, true },
		     { RF_DNS_MESSAGE_MAX, true },
		     { RF_DNS_MESSAGE_MAX + 1, false },
		     { 65535, false } };
	static uint8_t sent[65537];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t n = message_put(sent, rows[i].len, 8);

		for (uint32_t first = 1; first <= 3 && first < n; first++) {
			struct stream *s = stream_new();

			segment_take(s, sent, first, 9);
			/* Once it is lost, what follows of it is no begin. */
			if (!s->lost)
				segment_take(s, sent + first, n - first, 9 + first);
			assert_int_equal(s->lost, !rows[i].taken);
			assert_int_equal(s->n_got, rows[i].taken ? n : 0);
			free(s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_two_cuts_give_the_same_messages),
		cmocka_unit_test(byte_by_byte_gives_the_same),
		cmocka_unit_test(what_is_seen_again_changes_nothing),
		cmocka_unit_test(what_is_missing_ends_the_message_and_no_other),
		cmocka_unit_test(a_length_at_its_limits_is_taken_and_none_past_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

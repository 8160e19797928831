/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS messages made by a test: piece by piece, or at random together with what a parser must find in them. Knows
 * nothing of the parser but its limits and the struct of an address.
 */
#ifndef RF_TEST_DNS_ENCODER_H
#define RF_TEST_DNS_ENCODER_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/lib/dns.bpf.h"
#include "tests/unit/policy/random_policy.h"

#define WRITER_MAX	(4 * RF_DNS_MESSAGE_MAX)
#define WRITER_LABELS	512
#define MESSAGE_RECORDS 128
#define MESSAGE_NAMES	(2 + RF_DNS_CHAIN_MAX + 8) /* the question's, one more than a chain may have, others */

struct dns_name {
	uint8_t wire[RF_DNS_NAME_MAX]; /* lower case */
	uint32_t len;
};

/* Where a name, or the rest of one, can be pointed at. */
struct dns_label {
	uint32_t at;
	const uint8_t *wire;
	uint32_t len;
};

struct dns_writer {
	uint8_t byte[WRITER_MAX];
	uint32_t len;
	struct dns_label label[WRITER_LABELS];
	uint32_t n_labels;
};

struct dns_record {
	const struct dns_name *owner;
	const struct dns_name *target; /* of a CNAME, which has no other data */
	uint16_t type, class;
	uint32_t ttl;
	uint16_t size;
	uint8_t data[32];
};

struct dns_message {
	struct dns_writer w;
	struct dns_name names[MESSAGE_NAMES];
	struct dns_record records[MESSAGE_RECORDS];
	uint32_t n_records;
	/* What there is to find. */
	enum rf_dns_status status;
	struct rf_dns_address expected[MESSAGE_RECORDS];
	uint32_t n_expected;
};

static inline void dns_put(struct dns_writer *w, const void *bytes, uint32_t n)
{
	if (w->len + n > WRITER_MAX)
		abort();
	memcpy(w->byte + w->len, bytes, n);
	w->len += n;
}

static inline void dns_put_u16(struct dns_writer *w, uint16_t value)
{
	uint16_t wire = htons(value);

	dns_put(w, &wire, sizeof(wire));
}

static inline void dns_put_u32(struct dns_writer *w, uint32_t value)
{
	uint32_t wire = htonl(value);

	dns_put(w, &wire, sizeof(wire));
}

static inline void dns_put_header(struct dns_writer *w, uint16_t flags, uint16_t questions, uint16_t answers)
{
	w->len = 0;
	w->n_labels = 0;
	dns_put_u16(w, 0x1234);
	dns_put_u16(w, flags);
	dns_put_u16(w, questions);
	dns_put_u16(w, answers);
	dns_put_u32(w, 0);
}

/* All of a record but its owner. */
static inline void dns_put_record(struct dns_writer *w, uint16_t type, uint32_t ttl, const void *data, uint16_t size)
{
	dns_put_u16(w, type);
	dns_put_u16(w, RF_DNS_CLASS_IN);
	dns_put_u32(w, ttl);
	dns_put_u16(w, size);
	dns_put(w, data, size);
}

static inline void dns_put_label(struct dns_writer *w, uint8_t letter, uint8_t n)
{
	dns_put(w, &n, 1);
	for (uint8_t i = 0; i < n; i++)
		dns_put(w, &letter, 1);
}

static inline bool dns_point(struct dns_writer *w, struct random *r, const uint8_t *wire, uint32_t len)
{
	for (uint32_t i = 0; i < w->n_labels; i++) {
		const struct dns_label *label = &w->label[i];

		if (label->len != len || memcmp(label->wire, wire, len) != 0 || random_one_in(r, 4))
			continue;
		dns_put_u16(w, 0xc000 | label->at);
		return true;
	}
	return false;
}

/* In any case, and with what was written before used again or not. @name stays where it is. */
static inline void dns_put_name(struct dns_writer *w, struct random *r, const struct dns_name *name)
{
	for (uint32_t at = 0; name->wire[at];) {
		uint8_t n = name->wire[at];

		if (dns_point(w, r, name->wire + at, name->len - at))
			return;
		if (w->n_labels < WRITER_LABELS)
			w->label[w->n_labels++] = (struct dns_label){ w->len, name->wire + at, name->len - at };
		dns_put(w, &n, 1);
		for (uint32_t end = ++at + n; at < end; at++) {
			uint8_t byte = name->wire[at];

			if (byte >= 'a' && byte <= 'z' && random_one_in(r, 4))
				byte -= 0x20;
			dns_put(w, &byte, 1);
		}
	}
	dns_put(w, "", 1);
}

/* "c3.<a label of any bytes>.example.com": no two with the same @kind and @number. */
static inline void dns_name_random(struct random *r, char kind, unsigned int number, struct dns_name *ret)
{
	static const char *const suffixes[] = { "\7example\3com", "\3net", "\1a\1b\1c\1d", "" };
	const char *suffix = suffixes[random_below(r, 4)];
	uint8_t n = random_one_in(r, 50) ? 63 : random_below(r, 12);
	uint32_t len = 0;

	memset(ret, 0, sizeof(*ret));
	ret->wire[len++] = 2;
	ret->wire[len++] = kind;
	ret->wire[len++] = 'a' + number;
	if (n)
		ret->wire[len++] = n;
	for (uint8_t i = 0; i < n; i++) {
		uint8_t byte = random_one_in(r, 8) ? random_next(r) : 'a' + random_below(r, 3);

		ret->wire[len++] = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
	}
	memcpy(ret->wire + len, suffix, strlen(suffix));
	ret->len = len + strlen(suffix) + 1;
}

static inline uint32_t dns_ttl_random(struct random *r)
{
	return random_one_in(r, 10) ? 0x80000000U | random_next(r) : random_below(r, 100000);
}

static inline uint32_t dns_ttl_min(uint32_t a, uint32_t wire)
{
	uint32_t b = wire >> 31 ? 0 : wire;

	return a < b ? a : b;
}

static inline struct dns_record *dns_record_new(struct dns_message *m, struct random *r, const struct dns_name *owner,
						uint16_t type, uint16_t size)
{
	struct dns_record *record = &m->records[m->n_records++];

	*record = (struct dns_record){ owner, NULL, type, RF_DNS_CLASS_IN, dns_ttl_random(r), size, { 0 } };
	for (uint16_t i = 0; i < size; i++)
		record->data[i] = random_next(r);
	return record;
}

static inline void dns_address_random(struct dns_message *m, struct random *r, const struct dns_name *owner,
				      uint32_t owner_ttl)
{
	bool v6 = random_one_in(r, 3);
	const struct dns_record *record =
		dns_record_new(m, r, owner, v6 ? RF_DNS_TYPE_AAAA : RF_DNS_TYPE_A, v6 ? 16 : 4);
	struct rf_dns_address *expected = &m->expected[m->n_expected++];

	memset(expected, 0, sizeof(*expected));
	memcpy(expected->addr, record->data, record->size);
	expected->family = v6 ? AF_INET6 : AF_INET;
	expected->ttl = dns_ttl_min(owner_ttl, record->ttl);
}

/* What a resolver may add and a parser must pass over. */
static inline void dns_noise_random(struct dns_message *m, struct random *r)
{
	static const uint16_t types[] = { 16, 46, 65, 2, 6 }; /* TXT, RRSIG, HTTPS, NS, SOA */
	const struct dns_name *stranger = &m->names[2 + RF_DNS_CHAIN_MAX + random_below(r, 8)];

	switch (random_below(r, 4)) {
	case 0: /* of the right name, but of another type */
		dns_record_new(m, r, &m->names[0], types[random_below(r, ARRAY_SIZE(types))], random_below(r, 32));
		break;
	case 1: /* another class */
		dns_record_new(m, r, &m->names[0], RF_DNS_TYPE_A, 4)->class = 3;
		break;
	case 2: /* another name */
		dns_record_new(m, r, stranger, RF_DNS_TYPE_A, 4);
		break;
	default: /* from another name to ours */
		dns_record_new(m, r, stranger, RF_DNS_TYPE_CNAME, 0)->target = &m->names[0];
	}
}

static inline void dns_records_random(struct dns_message *m, struct random *r)
{
	/* A long chain in disorder may be more work than a parser is ready to do: that would be no expectation. */
	bool large = random_one_in(r, 20), shuffle = !large && random_one_in(r, 3);
	uint32_t ttl = ~0U, chain = random_one_in(r, 2) ? 0 : random_below(r, large ? 2 + RF_DNS_CHAIN_MAX : 4);
	uint32_t addresses = random_below(r, large ? 3 + RF_DNS_ADDRESSES_MAX : 6), noise = random_below(r, 4);

	for (uint32_t i = 0; i < chain; i++) {
		struct dns_record *record = dns_record_new(m, r, &m->names[i], RF_DNS_TYPE_CNAME, 0);

		record->target = &m->names[i + 1];
		ttl = dns_ttl_min(ttl, record->ttl);
	}
	for (uint32_t i = 0; i < addresses; i++)
		dns_address_random(m, r, &m->names[chain], ttl);
	for (uint32_t i = 0; i < noise; i++)
		dns_noise_random(m, r);
	if (chain > RF_DNS_CHAIN_MAX || addresses > RF_DNS_ADDRESSES_MAX)
		m->status = RF_DNS_TOO_MANY;
	for (uint32_t i = m->n_records; i > 1 && shuffle; i--) {
		uint32_t k = random_below(r, i);
		struct dns_record record = m->records[k];

		m->records[k] = m->records[i - 1];
		m->records[i - 1] = record;
	}
}

static inline void dns_put_answer(struct dns_writer *w, struct random *r, const struct dns_record *record)
{
	uint32_t size_at;
	uint16_t size;

	dns_put_name(w, r, record->owner);
	dns_put_u16(w, record->type);
	dns_put_u16(w, record->class);
	dns_put_u32(w, record->ttl);
	size_at = w->len;
	dns_put_u16(w, record->size);
	if (!record->target) {
		dns_put(w, record->data, record->size);
		return;
	}
	dns_put_name(w, r, record->target);
	size = htons(w->len - size_at - 2);
	memcpy(w->byte + size_at, &size, sizeof(size));
}

/* As a client or a resolver would write it. */
static inline void dns_message_random(struct random *r, struct dns_message *m)
{
	bool query = random_one_in(r, 8), error = random_one_in(r, 16);
	struct dns_writer *w = &m->w;

	m->n_records = 0;
	m->n_expected = 0;
	m->status = RF_DNS_OK;
	for (unsigned int i = 0; i < MESSAGE_NAMES; i++)
		dns_name_random(r, i < 2 + RF_DNS_CHAIN_MAX ? 'c' : 'n', i, &m->names[i]);
	if (!query)
		dns_records_random(m, r);
	dns_put_header(w, (query ? 0x0100 : 0x8180) | (random_one_in(r, 8) ? 0x0200 : 0) | (error ? 3 : 0), 1,
		       m->n_records);
	dns_put_name(w, r, &m->names[0]);
	dns_put_u16(w, random_one_in(r, 2) ? RF_DNS_TYPE_A : RF_DNS_TYPE_AAAA);
	dns_put_u16(w, RF_DNS_CLASS_IN);
	for (uint32_t i = 0; i < m->n_records; i++)
		dns_put_answer(w, r, &m->records[i]);
	/* An address and EDNS in the additional section. */
	if (random_one_in(r, 2)) {
		w->byte[11] = 2;
		dns_put_name(w, r, &m->names[0]);
		dns_put_record(w, RF_DNS_TYPE_A, 60, "\x7f\0\0\1", 4);
		dns_put(w, "", 1);
		dns_put_u16(w, 41);
		dns_put_u16(w, 1232);
		dns_put_u32(w, 0);
		dns_put_u16(w, 0);
	}
	if (error) {
		m->status = RF_DNS_OK;
		m->n_expected = 0;
	}
	if (m->status)
		m->n_expected = 0;
	/* Whatever else it is. */
	if (w->len > RF_DNS_MESSAGE_MAX) {
		m->status = RF_DNS_LONG;
		m->n_expected = 0;
	}
}

/* A few of the things that go wrong on the way, or on purpose. */
static inline void dns_message_mutate(struct random *r, struct dns_writer *w)
{
	static const uint8_t bytes[] = { 0, 1, 5, 0x1c, 0x3f, 0x40, 0x80, 0xc0, 0xff, 12 };

	for (uint32_t n = 1 + random_below(r, 4); n > 0 && w->len; n--) {
		uint32_t at = random_below(r, random_one_in(r, 2) && w->len > 64 ? 64 : w->len);

		switch (random_below(r, 6)) {
		case 0:
			w->byte[at] = random_next(r);
			break;
		case 1:
			w->byte[at] = bytes[random_below(r, ARRAY_SIZE(bytes))];
			break;
		case 2:
			w->byte[at] ^= 1 << random_below(r, 8);
			break;
		case 3: /* a pointer to anywhere */
			if (at + 1 < w->len) {
				w->byte[at] = 0xc0 | random_below(r, 2);
				w->byte[at + 1] = random_below(r, w->len < 256 ? w->len : 256);
			}
			break;
		case 4:
			if (random_one_in(r, 2))
				w->len = at;
			break;
		default: /* a piece of it moves */
			if (at + 24 < w->len)
				memmove(w->byte + at, w->byte + at + 1 + random_below(r, 12), 12);
		}
	}
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS messages, by the parser that BPF programs run. Nothing past the message is read; a refusal leaves nothing; and
 * what is accepted holds the very addresses that a second, slower reading by the C library's functions finds.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bpf/lib/dns.bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record of the answer section as the C library sees it; names in wire format, lower case. */
struct record {
	uint8_t owner[RF_DNS_NAME_MAX], target[RF_DNS_NAME_MAX];
	uint16_t type, size;
	uint32_t ttl;
	const uint8_t *data;
	bool reached;
};

/*
 * What the parser accepted, this does too. The library takes a name for a loop once it has passed as many bytes as the
 * message has, which labels that overlap do without one; so it is told of the whole buffer, longer than any name.
 */
static void name_expand(const uint8_t *message, const uint8_t *at, uint8_t *ret)
{
	size_t n = 0;

	memset(ret, 0, RF_DNS_NAME_MAX);
	assert(ns_name_unpack(message, message + RF_DNS_MESSAGE_MAX, at, ret, RF_DNS_NAME_MAX) > 0);
	while (ret[n]) {
		for (size_t end = n + 1 + ret[n]; ++n < end;) {
			if (ret[n] >= 'A' && ret[n] <= 'Z')
				ret[n] += 'a' - 'A';
		}
	}
}

static size_t records_read(const uint8_t *message, size_t len, struct record *records, uint8_t *ret_name)
{
	const uint8_t *at = message + 12, *end = message + len;
	size_t n = message[6] << 8 | message[7], count = 0;

	name_expand(message, at, ret_name);
	assert(ns_name_skip(&at, end) == 0);
	at += 4;
	for (size_t i = 0; i < n; i++) {
		struct record *record = &records[count];

		assert(count < RF_DNS_RECORDS_MAX);
		name_expand(message, at, record->owner);
		assert(ns_name_skip(&at, end) == 0 && end - at >= 10);
		record->type = ns_get16(at);
		record->ttl = ns_get32(at + 4) >> 31 ? 0 : ns_get32(at + 4);
		record->size = ns_get16(at + 8);
		record->data = at + 10;
		record->reached = false;
		assert(end - record->data >= record->size);
		if (ns_get16(at + 2) == ns_c_in)
			count++;
		at = record->data + record->size;
	}
	return count;
}

/* Until nothing more is reached: what follows from @name marks its records, and so on from each CNAME. */
static void records_reach(const uint8_t *message, struct record *records, size_t n, const uint8_t *name)
{
	for (size_t i = 0; i < n; i++) {
		struct record *record = &records[i];

		if (record->reached || memcmp(record->owner, name, RF_DNS_NAME_MAX) != 0)
			continue;
		record->reached = true;
		if (record->type != ns_t_cname)
			continue;
		name_expand(message, record->data, record->target);
		records_reach(message, records, n, record->target);
	}
}

static bool is_in(const struct rf_dns_address *address, const struct record *record)
{
	uint16_t type = address->family == AF_INET6 ? ns_t_aaaa : ns_t_a;

	/* Where several ways lead to a name the TTL depends on their order; it is never more than the record's own. */
	return record->reached && record->type == type && memcmp(address->addr, record->data, record->size) == 0 &&
	       address->ttl <= record->ttl;
}

static void check_answer(const uint8_t *message, size_t len, const struct rf_dns_message *m)
{
	static struct record records[RF_DNS_RECORDS_MAX];
	uint8_t name[RF_DNS_NAME_MAX];
	size_t n = records_read(message, len, records, name), expected = 0;

	assert(memcmp(name, m->name, sizeof(name)) == 0);
	records_reach(message, records, n, name);
	for (size_t i = 0; i < n; i++)
		expected += records[i].reached && (records[i].type == ns_t_a || records[i].type == ns_t_aaaa);
	assert(m->n_addresses == expected);
	for (size_t i = 0; i < m->n_addresses; i++) {
		bool found = false;

		for (size_t k = 0; k < n && !found; k++)
			found = is_in(&m->addresses[i], &records[k]);
		assert(found);
	}
}

static void check_message(const struct rf_dns_message *m)
{
	static const uint8_t nothing[RF_DNS_NAME_MAX];
	uint32_t at = 0;

	assert(m->n_addresses <= RF_DNS_ADDRESSES_MAX);
	assert(m->name_len >= 1 && m->name_len <= RF_DNS_WIRE_NAME);
	while (m->name[at]) {
		assert(m->name[at] <= 63);
		at += 1 + m->name[at];
		assert(at < m->name_len);
	}
	assert(at + 1 == m->name_len);
	assert(memcmp(m->name + m->name_len, nothing, RF_DNS_NAME_MAX - m->name_len) == 0);
	assert((m->response && !m->rcode) || !m->n_addresses);
	for (uint32_t i = 0; i < m->n_addresses; i++) {
		const struct rf_dns_address *address = &m->addresses[i];

		assert(address->family == AF_INET || address->family == AF_INET6);
		assert(address->family == AF_INET6 || memcmp(address->addr + 4, nothing, 12) == 0);
		assert(address->ttl <= INT32_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rf_dns_message nothing;
	static struct rf_dns_work work;
	struct rf_dns_message m;
	size_t len = size < RF_DNS_MESSAGE_MAX ? size : RF_DNS_MESSAGE_MAX;
	/* The parser is owed the whole buffer; what of it is not the message, it must not touch. */
	static uint8_t message[RF_DNS_MESSAGE_MAX] __attribute__((aligned(8)));
	int status;

	memcpy(message, data, len);
	ASAN_POISON_MEMORY_REGION(message + len, RF_DNS_MESSAGE_MAX - len);
	memset(&work, 0xaa, sizeof(work)); /* it needs no initialisation */
	memset(&m, 0xaa, sizeof(m));
	status = rf_dns_parse(message, size, &work, &m);
	ASAN_UNPOISON_MEMORY_REGION(message, RF_DNS_MESSAGE_MAX);
	assert(status >= 0 && status < RF_DNS_STATUS_COUNT);
	assert(size <= RF_DNS_MESSAGE_MAX || status == RF_DNS_LONG);
	if (status) {
		assert(memcmp(&m, &nothing, sizeof(m)) == 0);
		return 0;
	}
	check_message(&m);
	if (m.response && !m.rcode)
		check_answer(message, len, &m);
	return 0;
}

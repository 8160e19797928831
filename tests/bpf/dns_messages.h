/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handwritten DNS messages with what they mean, and those that meet each limit of the parser. */
#ifndef RF_TEST_DNS_MESSAGES_H
#define RF_TEST_DNS_MESSAGES_H

#include "tests/bpf/dns_encoder.h"

#define HEADER(flags, questions, answers) "\x12\x34" flags "\0" questions "\0" answers "\0\0\0\0"
#define QUERY				  "\1\0"
#define ANSWER				  "\x81\x80"
/* At 12; example.com at 16, com at 24. What follows the question is at 33. */
#define NAME				  "\3www\7example\3com\0"
#define QUESTION			  NAME "\0\1\0\1"
#define SELF				  "\xc0\x0c"
#define PARENT				  "\xc0\x10"
#define FIRST_DATA			  "\xc0\x2d" /* of the first record, when that is SELF's */
#define A				  "\0\1\0\1"
#define AAAA				  "\0\x1c\0\1"
#define CNAME				  "\0\5\0\1"
#define TTL_300				  "\0\0\1\x2c"
#define TTL_60				  "\0\0\0\x3c"
#define TTL_TOP				  "\x80\0\0\1"
#define ADDRESS_1			  "\0\4\xc0\0\2\1"
#define ADDRESS_2			  "\0\4\xc0\0\2\2"
#define ADDRESS_V6			  "\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define ROOT_A				  "\1a\0"
#define ROOT_B				  "\1b\0"
#define TO_A				  "\0\3" ROOT_A
#define TO_B				  "\0\3" ROOT_B
#define EDNS				  "\0\0\x29\x04\xd0\0\0\0\0\0\0"

struct handwritten {
	const char *claim, *bytes;
	size_t len;
	const char *expected;
};

#define M(claim, bytes, expected) { claim, bytes, sizeof(bytes) - 1, expected }

static const struct handwritten handwritten[] = {
	M("a query", HEADER(QUERY, "\1", "\0") QUESTION, "ok query 1 www.example.com"),
	M("a query with EDNS", HEADER(QUERY, "\1", "\0") QUESTION EDNS, "ok query 1 www.example.com"),
	M("the root", HEADER(QUERY, "\1", "\0") "\0\0\2\0\1", "ok query 2 ."),
	M("what a query brings as an answer", HEADER(QUERY, "\1", "\1") QUESTION SELF A TTL_300 ADDRESS_1,
	  "ok query 1 www.example.com"),
	M("bytes that are no letters", HEADER(QUERY, "\1", "\0") "\4@[`{\2.\0\0\0\1\0\1", "ok query 1 @[`{..\\000"),
	M("one address", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/300"),
	M("an IPv6 address", HEADER(ANSWER, "\1", "\1") NAME AAAA SELF AAAA TTL_60 ADDRESS_V6,
	  "ok answer 28 www.example.com 2001:db8::1/60"),
	M("several answers",
	  HEADER(ANSWER, "\1", "\3")
		  QUESTION SELF A TTL_300 ADDRESS_1 SELF A TTL_60 ADDRESS_2 SELF AAAA TTL_60 ADDRESS_V6,
	  "ok answer 1 www.example.com 192.0.2.1/300 192.0.2.2/60 2001:db8::1/60"),
	M("no answer", HEADER(ANSWER, "\1", "\0") QUESTION, "ok answer 1 www.example.com"),
	M("an owner written in full and in upper case",
	  HEADER(ANSWER, "\1", "\1") QUESTION "\3WWW\7eXample\3coM\0" A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/300"),
	M("a question in upper case", HEADER(ANSWER, "\1", "\1") "\3WwW\0" A "\3wWw\0" A TTL_300 ADDRESS_1,
	  "ok answer 1 www 192.0.2.1/300"),
	M("an owner written half as a pointer", HEADER(ANSWER, "\1", "\1") QUESTION "\3www" PARENT A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/300"),
	M("a pointer to a pointer",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF "\0\x10\0\1" TTL_60 "\0\0\xc0\x21" A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/300"),
	M("a TTL with its top bit set", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_TOP ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/0"),
	M("a chain, whose shorter TTL counts",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF CNAME TTL_60 "\0\6\3cdn" PARENT FIRST_DATA A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/60"),
	M("a chain to a parent",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF CNAME TTL_300 "\0\2" PARENT PARENT A TTL_60 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/60"),
	M("a chain with its owner in full",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF CNAME TTL_60 "\0\5\3cdn\0\3CDN\0" A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/60"),
	M("a chain told backwards",
	  HEADER(ANSWER, "\1", "\3")
		  QUESTION ROOT_B A TTL_300 ADDRESS_1 ROOT_A CNAME TTL_300 TO_B SELF CNAME TTL_60 TO_A,
	  "ok answer 1 www.example.com 192.0.2.1/60"),
	M("a chain whose TTL has its top bit set",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF CNAME TTL_TOP TO_A ROOT_A A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/0"),
	M("a chain that bites its tail",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF CNAME TTL_60 TO_A ROOT_A CNAME TTL_60 "\0\2" SELF,
	  "ok answer 1 www.example.com"),
	M("an address of another name",
	  HEADER(ANSWER, "\1", "\2") QUESTION PARENT A TTL_300 ADDRESS_1 SELF A TTL_300 ADDRESS_2,
	  "ok answer 1 www.example.com 192.0.2.2/300"),
	M("an address of a longer name", HEADER(ANSWER, "\1", "\1") QUESTION "\1a" SELF A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com"),
	M("an address of a name that differs near its end",
	  HEADER(ANSWER, "\1", "\1") QUESTION "\3www\7example\3net\0" A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com"),
	M("a CNAME to us is none from us",
	  HEADER(ANSWER, "\1", "\2") QUESTION ROOT_A CNAME TTL_300 "\0\2" SELF ROOT_A A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com"),
	M("a record of another class", HEADER(ANSWER, "\1", "\1") QUESTION SELF "\0\1\0\3" TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com"),
	M("a record of another type",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF "\0\x10\0\1" TTL_300 "\0\2\1x" SELF A TTL_300 ADDRESS_1,
	  "ok answer 1 www.example.com 192.0.2.1/300"),
	M("an address in the additional section", HEADER(ANSWER, "\1", "\0") QUESTION SELF A TTL_300 ADDRESS_1 EDNS,
	  "ok answer 1 www.example.com"),
	M("an address beside an error", HEADER("\x81\x83", "\1", "\1") QUESTION SELF A TTL_300 ADDRESS_1,
	  "ok answer rcode 3 1 www.example.com"),
	M("a truncated answer", HEADER("\x83\x80", "\1", "\1") QUESTION SELF A TTL_300 ADDRESS_1,
	  "ok answer truncated 1 www.example.com 192.0.2.1/300"),
	M("a truncated answer that announces more", HEADER("\x83\x80", "\1", "\2") QUESTION SELF A TTL_300 ADDRESS_1,
	  "short"),

	/* Refused. */
	M("nothing", "", "short"),
	M("half a header", "\x12\x34\1\0\0\1\0\0\0\0\0", "short"),
	M("a header alone", HEADER(QUERY, "\1", "\0"), "short"),
	M("a name without an end", HEADER(QUERY, "\1", "\0") "\3www", "short"),
	M("a label that is longer than the message", HEADER(QUERY, "\1", "\0") "\x3fwww\0\0\1\0\1", "short"),
	M("a question without a class", HEADER(QUERY, "\1", "\0") NAME "\0\1\0", "short"),
	M("half a pointer", HEADER(ANSWER, "\1", "\1") QUESTION "\xc0", "short"),
	M("an owner and no more", HEADER(ANSWER, "\1", "\1") QUESTION SELF, "short"),
	M("a record without its size", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_300 "\0", "short"),
	M("a record without all its data", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_300 "\0\4\xc0\0\2", "short"),
	M("a second record cut off", HEADER(ANSWER, "\1", "\2") QUESTION SELF A TTL_300 ADDRESS_1 SELF A, "short"),
	M("an update", HEADER("\x28\0", "\1", "\0") QUESTION, "opcode"),
	M("no question", HEADER(ANSWER, "\0", "\1") SELF A TTL_300 ADDRESS_1, "no_question"),
	M("two questions", HEADER(QUERY, "\2", "\0") QUESTION QUESTION, "too_many"),
	M("a question of another class", HEADER(QUERY, "\1", "\0") NAME "\0\1\0\3", "class"),
	M("a pointer to itself", HEADER(QUERY, "\1", "\0") SELF A, "malformed"),
	M("a pointer loop", HEADER(QUERY, "\1", "\0") "\1a" SELF A, "malformed"),
	M("two pointers at each other", HEADER(ANSWER, "\1", "\1") QUESTION "\xc0\x23\xc0\x21" A TTL_300 ADDRESS_1,
	  "malformed"),
	M("a forward pointer", HEADER(QUERY, "\1", "\0") PARENT "\0\0\1a\0\0\1\0\1", "malformed"),
	M("a pointer past the end", HEADER(QUERY, "\1", "\0") "\xff\xff" A, "malformed"),
	M("a pointer into the header", HEADER(ANSWER, "\1", "\1") QUESTION "\xc0\x0b" A TTL_300 ADDRESS_1, "malformed"),
	M("a label of type 01", HEADER(QUERY, "\1", "\0") "\x41\x61\0" A, "malformed"),
	M("a label of type 10", HEADER(QUERY, "\1", "\0") "\x81\x61\0" A, "malformed"),
	M("an A record of 5 bytes", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_300 "\0\5\xc0\0\2\1\0", "malformed"),
	M("an A record of 16 bytes", HEADER(ANSWER, "\1", "\1") QUESTION SELF A TTL_300 ADDRESS_V6, "malformed"),
	M("an AAAA record of 4 bytes", HEADER(ANSWER, "\1", "\1") QUESTION SELF AAAA TTL_300 ADDRESS_1, "malformed"),
	M("good addresses before a bad one",
	  HEADER(ANSWER, "\1", "\2") QUESTION SELF A TTL_300 ADDRESS_1 SELF A TTL_300 "\0\1\0", "malformed"),
	M("a CNAME longer than its data", HEADER(ANSWER, "\1", "\1") QUESTION SELF CNAME TTL_300 "\0\2\3cdn\0",
	  "malformed"),
	M("a CNAME shorter than its data", HEADER(ANSWER, "\1", "\1") QUESTION SELF CNAME TTL_300 "\0\6\3cdn\0\0",
	  "malformed"),
	M("a CNAME without data", HEADER(ANSWER, "\1", "\1") QUESTION SELF CNAME TTL_300 "\0\0", "short"),
};

/* Each limit, and one past it. */

static void question_put(struct dns_writer *w, uint16_t answers)
{
	dns_put_header(w, answers ? 0x8180 : 0x0100, 1, answers);
	dns_put(w, QUESTION, sizeof(QUESTION) - 1);
}

static void make_name(struct dns_writer *w, uint32_t n)
{
	/* Labels of 63 bytes, and one of what is left before the root. */
	dns_put_header(w, 0x0100, 1, 0);
	for (n--; n > 64; n -= 64)
		dns_put_label(w, 'a', 63);
	dns_put_label(w, 'b', n - 1);
	dns_put(w, "\0" A, 5);
}

static void make_label(struct dns_writer *w, uint32_t n)
{
	dns_put_header(w, 0x0100, 1, 0);
	dns_put_label(w, 'a', n);
	dns_put(w, "\0" A, 5);
}

static void make_addresses(struct dns_writer *w, uint32_t n)
{
	question_put(w, n);
	for (uint32_t i = 0; i < n; i++) {
		dns_put(w, SELF, 2);
		dns_put_record(w, RF_DNS_TYPE_A, 60, &i, 4);
	}
}

static void make_records(struct dns_writer *w, uint32_t n)
{
	question_put(w, n);
	for (uint32_t i = 0; i < n; i++) {
		dns_put(w, SELF, 2);
		dns_put_record(w, 16, 60, "\1x", 2);
	}
}

/* a, b, c... each reached from the one before. */
static void make_chain(struct dns_writer *w, uint32_t n)
{
	uint8_t name[3] = { 1, 'a', 0 };

	question_put(w, n);
	dns_put(w, SELF, 2);
	dns_put_record(w, RF_DNS_TYPE_CNAME, 60, name, 3);
	for (uint32_t i = 1; i < n; i++) {
		dns_put(w, name, 3);
		name[1]++;
		dns_put_record(w, RF_DNS_TYPE_CNAME, 60, name, 3);
	}
}

/* The last record's first, so that every link costs a pass. */
static void make_chain_backwards(struct dns_writer *w, uint32_t n)
{
	uint8_t name[3] = { 1, 'a', 0 };

	question_put(w, n);
	name[1] += n - 1;
	for (uint32_t i = 1; i < n; i++) {
		uint8_t from[3] = { 1, name[1] - 1, 0 };

		dns_put(w, from, 3);
		dns_put_record(w, RF_DNS_TYPE_CNAME, 60, name, 3);
		name[1]--;
	}
	dns_put(w, SELF, 2);
	dns_put_record(w, RF_DNS_TYPE_CNAME, 60, name, 3);
}

/* The data of a TXT record is a flight of pointers, each to the one before it; the last is an owner. */
static void make_hops(struct dns_writer *w, uint32_t n)
{
	uint8_t flight[2 * 64];
	uint32_t data = 33 + 2 + RF_DNS_RECORD_FIXED;

	for (uint32_t i = 0; i < n - 1; i++) {
		flight[2 * i] = 0xc0;
		flight[2 * i + 1] = i ? data + 2 * (i - 1) : 12;
	}
	question_put(w, 2);
	dns_put(w, SELF, 2);
	dns_put_record(w, 16, 60, flight, 2 * (n - 1));
	dns_put_u16(w, 0xc000 | (data + 2 * (n - 2)));
	dns_put_record(w, RF_DNS_TYPE_A, 60, "\xc0\0\2\1", 4);
}

static void make_length(struct dns_writer *w, uint32_t n)
{
	question_put(w, 1);
	dns_put(w, SELF, 2);
	dns_put_record(w, RF_DNS_TYPE_A, 60, "\xc0\0\2\1", 4);
	while (w->len < n)
		dns_put(w, "", 1);
}

/* The question has 253 bytes; each record's owner is a longer name that ends in it, so that its 255 are read. */
static void make_work(struct dns_writer *w, uint32_t n)
{
	dns_put_header(w, 0x8180, 1, n);
	for (int i = 0; i < 3; i++)
		dns_put_label(w, 'a', 63);
	dns_put_label(w, 'b', 59);
	dns_put(w, "\0" A, 5);
	for (uint32_t i = 0; i < n; i++) {
		dns_put(w, "\1x\xc0\x0c", 4);
		dns_put_record(w, 16, 60, "", 0);
	}
}

/* A chain of @n told backwards after strangers, who are looked at again on every pass. */
static void make_passes(struct dns_writer *w, uint32_t n)
{
	static struct dns_writer chain;

	make_chain_backwards(&chain, n);
	question_put(w, RF_DNS_RECORDS_MAX);
	for (uint32_t i = n; i < RF_DNS_RECORDS_MAX; i++) {
		dns_put(w, "\xc0\x1c", 2); /* the root, at the end of the question's name */
		dns_put_record(w, RF_DNS_TYPE_A, 60, &i, 4);
	}
	dns_put(w, chain.byte + 33, chain.len - 33);
}

static const struct {
	const char *what;
	void (*make)(struct dns_writer *w, uint32_t n);
	uint32_t limit;
	enum rf_dns_status past;
} limits[] = {
	{ "bytes of a name", make_name, RF_DNS_WIRE_NAME, RF_DNS_MALFORMED },
	{ "bytes of a label", make_label, 63, RF_DNS_MALFORMED },
	{ "addresses", make_addresses, RF_DNS_ADDRESSES_MAX, RF_DNS_TOO_MANY },
	{ "records", make_records, RF_DNS_RECORDS_MAX, RF_DNS_TOO_MANY },
	{ "CNAMEs", make_chain, RF_DNS_CHAIN_MAX, RF_DNS_TOO_MANY },
	{ "CNAMEs told backwards", make_chain_backwards, RF_DNS_CHAIN_MAX, RF_DNS_TOO_MANY },
	{ "CNAMEs told backwards after strangers", make_passes, RF_DNS_CHAIN_MAX, RF_DNS_TOO_MANY },
	{ "pointers in a name", make_hops, RF_DNS_HOPS_MAX, RF_DNS_MALFORMED },
	{ "bytes", make_length, RF_DNS_MESSAGE_MAX, RF_DNS_LONG },
	/* A pointer is a step too: 253 for the question, 256 for each owner, 256 * 31 + 253 <= 8192. */
	{ "long names that must be read", make_work, 31, RF_DNS_TOO_MANY },
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS messages (RFC 1035): what a query asks for, and which addresses an answer gives to the name that was asked for.
 * One source for BPF programs and for user space, so that a fuzzer and a sanitizer see the code that the kernel runs.
 *
 * What is believed:
 *
 *   one question, class IN, opcode QUERY
 *   A and AAAA records of the answer section whose owner is the question's name or is reached from it over CNAMEs of
 *   the same section. Resolvers tell a chain from its start, and then one pass is enough; otherwise what was met before
 *   the CNAME that leads to it is looked at again, as long as the budget below lasts.
 *   An address lives as long as the smallest TTL on the way to it; a TTL with its top bit set is 0 (RFC 2181).
 *
 * What is passed over: records of other types, classes and owners; answers in a query or beside an error (rcode); the
 * authority and additional sections, EDNS included, which are not even read. A truncated answer (TC) is taken like any
 * other: all the records that it announces must be there. A CNAME back to a name that was reached adds nothing.
 *
 * Everything else is refused as a whole: there are no addresses then, and the result is all zero. A compression pointer
 * leads back before the labels it continues, and never into the header.
 *
 * Work is bounded, whatever the message: RF_DNS_BUDGET steps over bytes of names (comparing two names costs as much as
 * reading RF_DNS_COMPARE_COST bytes) and RF_DNS_VISITS_MAX looks at a record, each of which asks every name of the
 * chain at most twice whether it is the owner. Nothing at or past the length is read.
 */
#ifndef RF_BPF_DNS_H
#define RF_BPF_DNS_H

#ifdef __bpf__
#include "common.bpf.h"
#else
#include <linux/types.h>
#include <stddef.h>
#endif

#define RF_DNS_MESSAGE_MAX   4096 /* bytes looked at; a power of two */
#define RF_DNS_NAME_MAX	     256
#define RF_DNS_ADDRESSES_MAX 32
#define RF_DNS_CHAIN_MAX     8	/* CNAMEs followed */
#define RF_DNS_RECORDS_MAX   64 /* in the answer section: as many as fit a word of pending ones */
#define RF_DNS_HOPS_MAX	     32 /* compression pointers in one name */

#define RF_DNS_COMPARE_COST 32 /* the words of a name */
#define RF_DNS_BUDGET	    (2 * RF_DNS_MESSAGE_MAX)
/* Every pass but the last reaches another name; each ends with a look at no record. */
#define RF_DNS_VISITS_MAX   ((RF_DNS_RECORDS_MAX + 1) * (1 + RF_DNS_CHAIN_MAX))

#define RF_DNS_HEADER	    12 /* bytes */
#define RF_DNS_WIRE_NAME    255
#define RF_DNS_RECORD_FIXED 10 /* bytes of a record between its owner and its data */

#define RF_DNS_CLASS_IN	  1
#define RF_DNS_TYPE_A	  1
#define RF_DNS_TYPE_CNAME 5
#define RF_DNS_TYPE_AAAA  28

/* What became of a message. */
#define RF_DNS_STATUSES(X)                                                 \
	X(OK, "ok")                                                        \
	X(SHORT, "short")	  /* ends before what it announces */      \
	X(LONG, "long")		  /* more than RF_DNS_MESSAGE_MAX bytes */ \
	X(MALFORMED, "malformed") /* a name or a record that cannot be */  \
	X(OPCODE, "opcode")	  /* no QUERY */                           \
	X(NO_QUESTION, "no_question")                                      \
	X(CLASS, "class")	/* the question is not of the Internet */  \
	X(TOO_MANY, "too_many") /* questions, records, addresses, CNAMEs, or bytes of names */

#define RF_DNS_STATUS_ENUM(name, text) RF_DNS_##name,
enum rf_dns_status { RF_DNS_STATUSES(RF_DNS_STATUS_ENUM) RF_DNS_STATUS_COUNT };
#undef RF_DNS_STATUS_ENUM

struct rf_dns_address {
	__u8 addr[16]; /* network order, IPv4 in the first four, the rest zero */
	__u8 family;   /* AF_INET or AF_INET6 */
	__u8 pad[3];
	__u32 ttl;	       /* seconds; the smallest along the chain */
} __attribute__((aligned(8))); /* so that it is cleared by words */

struct rf_dns_message {
	__u16 id;   /* host order */
	__u16 type; /* of the question */
	__u8 response;
	__u8 rcode;
	__u8 truncated;
	__u8 pad;
	__u16 name_len; /* the root's zero byte included */
	__u8 pad2[2];
	__u32 n_addresses;
	/* The question's, wire format, lower case, zero padded, so that it can be a hash key. */
	__u8 name[RF_DNS_NAME_MAX] __attribute__((aligned(8)));
	struct rf_dns_address addresses[RF_DNS_ADDRESSES_MAX];
};

struct rf_dns_name {
	union {
		__u8 byte[RF_DNS_NAME_MAX];
		__u64 word[RF_DNS_NAME_MAX / 8]; /* zero padded, so that names are compared a word at a time */
	};
	__u32 len;
	__u32 at; /* where its first label is: what lies at the same place is the same name */
};

struct rf_dns_reached {
	struct rf_dns_name name;
	__u32 ttl;
	__u32 pad;
};

/*
 * What changes while a message is parsed. All of it is in memory that the verifier does not track, and nothing in
 * registers: the body of a loop looks the same on every turn and is verified once.
 */
struct rf_dns_work {
	__u32 len;
	__u32 status;
	__u32 budget;
	/* The name being read. */
	__u32 at;
	__u32 next; /* where what follows it begins; 0 until that is known */
	__u32 run;  /* where the labels being read began: a pointer leads before them */
	__u32 left; /* bytes of the label */
	__u32 hops;
	/* The answer section. */
	__u32 n_records;
	__u32 record; /* the one to look at next */
	__u32 n_reached;
	__u32 n_before; /* of those, when this pass began */
	__u32 match;	/* which of them has the name, or RF_DNS_NO_MATCH */
	__u32 ttl;	/* its TTL: no index is carried on, lest the verifier forgets its bound */
	__u64 pending;	/* a bit a record that may still turn out to count */
	__u32 record_at[RF_DNS_RECORDS_MAX + 1];
	__u32 pad2;
	struct rf_dns_name name; /* the last one read */
	struct rf_dns_reached reached[1 + RF_DNS_CHAIN_MAX];
};

#define RF_DNS_NO_MATCH (1 + RF_DNS_CHAIN_MAX)

/* On the stack, because older kernels take no other context for bpf_loop(). */
struct rf_dns_context {
	const __u8 *message;
	struct rf_dns_work *work;
	struct rf_dns_message *ret;
};

/* Inlined unless said otherwise: there are eight frames, and our callers need some. */
#ifdef __bpf__
#define rf_dns_loop(n, step, context) bpf_loop(n, step, context, 0)
#define rf_dns_inline		      __always_inline
#define rf_dns_noinline		      __noinline
#else
#define rf_dns_inline	inline
#define rf_dns_noinline inline

/* As bpf_loop(): up to @n steps until one returns 1; how many there were. */
static inline __u32 rf_dns_loop(__u32 n, int (*step)(__u32 i, void *context), void *context)
{
	for (__u32 i = 0; i < n; i++) {
		if (step(i, context))
			return i + 1;
	}
	return n;
}
#endif

/* The mask is for the verifier: whoever calls has compared @at with the length. */
static rf_dns_inline __u32 rf_dns_u8(const struct rf_dns_context *c, __u32 at)
{
	return c->message[at & (RF_DNS_MESSAGE_MAX - 1)];
}

static rf_dns_inline __u32 rf_dns_u16(const struct rf_dns_context *c, __u32 at)
{
	return rf_dns_u8(c, at) << 8 | rf_dns_u8(c, at + 1);
}

/* Ends the loop it is returned from. */
static rf_dns_inline int rf_dns_fail(struct rf_dns_work *work, enum rf_dns_status status)
{
	work->status = status;
	return 1;
}

static rf_dns_inline int rf_dns_pointer_follow(const struct rf_dns_context *c, __u32 at)
{
	struct rf_dns_work *work = c->work;
	__u32 target;

	if (at + 2 > work->len)
		return rf_dns_fail(work, RF_DNS_SHORT);
	target = rf_dns_u16(c, at) & 0x3fff;
	if (target < RF_DNS_HEADER || target >= work->run || work->hops >= RF_DNS_HOPS_MAX)
		return rf_dns_fail(work, RF_DNS_MALFORMED);
	if (!work->next)
		work->next = at + 2;
	work->hops++;
	work->run = target;
	work->at = target;
	return 0;
}

/* One byte of a name, or one pointer. */
static int rf_dns_name_step(__u32 i, void *context)
{
	const struct rf_dns_context *c = context;
	struct rf_dns_work *work = c->work;
	__u32 at = work->at, n = work->name.len, left = work->left, byte;

	(void)i;
	if (at >= work->len)
		return rf_dns_fail(work, RF_DNS_SHORT);
	byte = rf_dns_u8(c, at);
	if (!left && byte >= 0xc0)
		return rf_dns_pointer_follow(c, at);
	/* 01 and 10 in the top bits were never put to use. */
	if (n >= RF_DNS_WIRE_NAME || (!left && byte >= 0x40))
		return rf_dns_fail(work, RF_DNS_MALFORMED);
	if (left && byte >= 'A' && byte <= 'Z')
		byte |= 0x20;
	if (!n)
		work->name.at = at;
	work->name.byte[n & (RF_DNS_NAME_MAX - 1)] = byte;
	work->name.len = n + 1;
	work->at = at + 1;
	work->left = left ? left - 1 : byte;
	if (left || byte)
		return 0;
	if (!work->next)
		work->next = at + 1;
	work->status = RF_DNS_OK;
	return 1;
}

/* The name at @at goes to @work->name; @work->next is behind it. */
static rf_dns_noinline int rf_dns_name_read(struct rf_dns_context *c, __u32 at)
{
	struct rf_dns_work *work = c->work;

	__builtin_memset(&work->name, 0, sizeof(work->name));
	work->at = at;
	work->run = at;
	work->next = 0;
	work->left = 0;
	work->hops = 0;
	work->status = RF_DNS_TOO_MANY; /* unless it ends, well or not, within the budget */
	work->budget -= rf_dns_loop(work->budget, rf_dns_name_step, c);
	return work->status;
}

static int rf_dns_reached_step(__u32 i, void *context)
{
	const struct rf_dns_context *c = context;
	struct rf_dns_work *work = c->work;
	const struct rf_dns_name *a = &work->name, *b;
	__u64 difference = 0;

	if (i >= RF_DNS_NO_MATCH)
		return 1;
	b = &work->reached[i].name;
	if (a->at != b->at) {
		/* What tells nearly all names apart costs nothing of the budget. */
		if (a->len != b->len || a->word[0] != b->word[0])
			return 0;
		if (work->budget < RF_DNS_COMPARE_COST)
			return rf_dns_fail(work, RF_DNS_TOO_MANY);
		work->budget -= RF_DNS_COMPARE_COST;
		/* To the end, because every way out is another one for the verifier. */
		for (__u32 k = 1; k < RF_DNS_NAME_MAX / 8; k++)
			difference |= a->word[k] ^ b->word[k];
		if (difference)
			return 0;
	}
	work->match = i;
	work->ttl = work->reached[i].ttl;
	return 1;
}

/* @work->match: which name of the chain @work->name is. */
static rf_dns_noinline int rf_dns_reached_find(struct rf_dns_context *c)
{
	struct rf_dns_work *work = c->work;

	work->match = RF_DNS_NO_MATCH;
	rf_dns_loop(work->n_reached, rf_dns_reached_step, c);
	return work->status;
}

/* Whose record it is. Nearly always a pointer to where a name of the chain was read: then nothing is read again. */
static rf_dns_inline int rf_dns_owner_find(struct rf_dns_context *c, __u32 at)
{
	struct rf_dns_work *work = c->work;

	if (at + 2 <= work->len && rf_dns_u8(c, at) >= 0xc0) {
		work->name.at = rf_dns_u16(c, at) & 0x3fff;
		work->name.len = 0; /* which no name has: the place alone decides */
		work->next = at + 2;
		rf_dns_reached_find(c);
		if (work->match != RF_DNS_NO_MATCH)
			return 0;
	}
	if (rf_dns_name_read(c, at))
		return 1;
	return rf_dns_reached_find(c);
}

/* The name that a CNAME's data holds joins the chain. */
static rf_dns_inline int rf_dns_cname_follow(struct rf_dns_context *c, __u32 at, __u32 end, __u32 ttl)
{
	struct rf_dns_work *work = c->work;
	__u32 n;

	if (rf_dns_name_read(c, at))
		return 1;
	if (work->next != end)
		return rf_dns_fail(work, RF_DNS_MALFORMED);
	if (rf_dns_reached_find(c))
		return 1;
	if (work->match != RF_DNS_NO_MATCH)
		return 0;
	n = work->n_reached;
	if (n >= RF_DNS_NO_MATCH)
		return rf_dns_fail(work, RF_DNS_TOO_MANY);
	work->reached[n].name = work->name;
	work->reached[n].ttl = ttl;
	work->n_reached = n + 1;
	return 0;
}

static rf_dns_inline int rf_dns_address_add(struct rf_dns_context *c, __u32 at, __u32 size, __u32 ttl)
{
	struct rf_dns_address *address;
	__u32 n = c->ret->n_addresses;

	if (n >= RF_DNS_ADDRESSES_MAX)
		return rf_dns_fail(c->work, RF_DNS_TOO_MANY);
	address = &c->ret->addresses[n];
	for (__u32 k = 0; k < 4; k++)
		address->addr[k] = rf_dns_u8(c, at + k);
	for (__u32 k = 4; k < 16 && size == 16; k++)
		address->addr[k] = rf_dns_u8(c, at + k);
	address->family = size == 16 ? 10 : 2; /* AF_*, which are macros of other headers on either side */
	address->ttl = ttl;
	c->ret->n_addresses = n + 1;
	return 0;
}

/* @work->next is behind the owner of record @index, which is name @work->match of the chain or none. */
static rf_dns_inline int rf_dns_record_take(struct rf_dns_context *c, __u32 index)
{
	struct rf_dns_work *work = c->work;
	__u32 at = work->next, type, class, ttl, size, end;

	if (at + RF_DNS_RECORD_FIXED > work->len)
		return rf_dns_fail(work, RF_DNS_SHORT);
	type = rf_dns_u16(c, at);
	class = rf_dns_u16(c, at + 2);
	ttl = rf_dns_u16(c, at + 4) << 16 | rf_dns_u16(c, at + 6);
	size = rf_dns_u16(c, at + 8);
	at += RF_DNS_RECORD_FIXED;
	end = at + size;
	if (end > work->len)
		return rf_dns_fail(work, RF_DNS_SHORT);
	work->record_at[index + 1] = end;
	if (class != RF_DNS_CLASS_IN ||
	    (type != RF_DNS_TYPE_A && type != RF_DNS_TYPE_AAAA && type != RF_DNS_TYPE_CNAME)) {
		work->pending &= ~(1ULL << index);
		return 0;
	}
	if ((type == RF_DNS_TYPE_A && size != 4) || (type == RF_DNS_TYPE_AAAA && size != 16))
		return rf_dns_fail(work, RF_DNS_MALFORMED);
	if (work->match == RF_DNS_NO_MATCH)
		return 0;
	work->pending &= ~(1ULL << index);
	if (ttl >> 31)
		ttl = 0;
	if (ttl > work->ttl)
		ttl = work->ttl;
	if (type == RF_DNS_TYPE_CNAME)
		return rf_dns_cname_follow(c, at, end, ttl);
	return rf_dns_address_add(c, at, size, ttl);
}

/* Looks at the next record that is pending. The first pass finds where each begins. */
static int rf_dns_record_step(__u32 i, void *context)
{
	struct rf_dns_context *c = context;
	struct rf_dns_work *work = c->work;
	__u32 index = work->record;

	(void)i;
	if (index >= work->n_records || index >= RF_DNS_RECORDS_MAX) {
		/* Another pass finds more only if there are names that this one did not have from its start. */
		if (!work->pending || work->n_reached == work->n_before)
			return 1;
		work->n_before = work->n_reached;
		work->record = 0;
		return 0;
	}
	work->record = index + 1;
	if (!(work->pending >> index & 1))
		return 0;
	if (rf_dns_owner_find(c, work->record_at[index]))
		return 1;
	/* Not what it returned: to the verifier that is any number, and a step returns 0 or 1. */
	if (rf_dns_record_take(c, index))
		return 1;
	return 0;
}

static rf_dns_inline int rf_dns_answers_read(struct rf_dns_context *c, __u32 at, __u32 n)
{
	struct rf_dns_work *work = c->work;

	if (n > RF_DNS_RECORDS_MAX)
		return RF_DNS_TOO_MANY;
	if (!n)
		return RF_DNS_OK;
	work->reached[0].name = work->name;
	work->reached[0].ttl = ~0U;
	work->n_reached = 1;
	work->n_before = 1;
	work->n_records = n;
	work->record = 0;
	work->record_at[0] = at;
	work->pending = ~0ULL >> ((RF_DNS_RECORDS_MAX - n) & (RF_DNS_RECORDS_MAX - 1));
	rf_dns_loop(RF_DNS_VISITS_MAX, rf_dns_record_step, c);
	return work->status;
}

static rf_dns_inline int rf_dns_message_read(struct rf_dns_context *c, __u32 len)
{
	struct rf_dns_work *work = c->work;
	struct rf_dns_message *ret = c->ret;
	__u32 flags, questions, at;

	if (len > RF_DNS_MESSAGE_MAX)
		return RF_DNS_LONG;
	if (len < RF_DNS_HEADER)
		return RF_DNS_SHORT;
	work->len = len;
	work->budget = RF_DNS_BUDGET;
	flags = rf_dns_u16(c, 2);
	if (flags >> 11 & 15)
		return RF_DNS_OPCODE;
	questions = rf_dns_u16(c, 4);
	if (questions != 1)
		return questions ? RF_DNS_TOO_MANY : RF_DNS_NO_QUESTION;
	if (rf_dns_name_read(c, RF_DNS_HEADER))
		return work->status;
	at = work->next;
	if (at + 4 > len)
		return RF_DNS_SHORT;
	if (rf_dns_u16(c, at + 2) != RF_DNS_CLASS_IN)
		return RF_DNS_CLASS;
	ret->id = rf_dns_u16(c, 0);
	ret->type = rf_dns_u16(c, at);
	ret->response = flags >> 15;
	ret->rcode = flags & 15;
	ret->truncated = flags >> 9 & 1;
	ret->name_len = work->name.len;
	__builtin_memcpy(ret->name, work->name.byte, RF_DNS_NAME_MAX);
	if (!ret->response || ret->rcode)
		return RF_DNS_OK;
	return rf_dns_answers_read(c, at + 4, rf_dns_u16(c, 6));
}

/* In two parts, because the compiler for BPF writes out no more than a kilobyte at a time. */
static rf_dns_noinline int rf_dns_message_clear(struct rf_dns_message *ret)
{
	__builtin_memset(ret, 0, offsetof(struct rf_dns_message, addresses));
	asm volatile("" ::: "memory"); /* or the two become one again */
	__builtin_memset(ret->addresses, 0, sizeof(ret->addresses));
	return 0;
}

/*
 * A status; @ret is all zero unless it is RF_DNS_OK. @message has RF_DNS_MESSAGE_MAX readable bytes, of which the first
 * @len are looked at. @work needs no initialisation. In BPF all three are values of maps, and whoever may interrupt the
 * caller on its CPU (a softirq does, in the middle of a send) needs others: two parses in one @work mix their messages.
 */
static rf_dns_noinline int rf_dns_parse(const __u8 *message, __u32 len, struct rf_dns_work *work,
					struct rf_dns_message *ret)
{
	struct rf_dns_context context = { message, work, ret };
	int status;

	rf_dns_message_clear(ret);
	status = rf_dns_message_read(&context, len);
	if (status)
		rf_dns_message_clear(ret);
	return status;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 ...": place,
 * local end, remote end, state, queues, timer, retransmits, user, timeout, inode.
 */
#include "user/collect/socket_table.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "user/lib/inet.h"

#define WORD_DIGITS    8 /* of four bytes of an address, as the host has them in memory */
#define PORT_DIGITS    4
#define WORDS_TO_INODE 5 /* between the state and it */

/* All of @s, of at most eight digits. */
static bool parse_hex(struct rf_span s, uint32_t *ret)
{
	uint32_t value = 0;

	if (!s.n || s.n > WORD_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return true;
}

static bool parse_end(struct rf_span s, struct rf_socket_end *ret)
{
	struct rf_socket_end end = { .family = AF_INET };
	size_t digits = s.n - 1 - PORT_DIGITS;
	uint32_t word;

	if (s.n != WORD_DIGITS + 1 + PORT_DIGITS && s.n != 4 * WORD_DIGITS + 1 + PORT_DIGITS)
		return false;
	if (s.s[digits] != ':' || !parse_hex((struct rf_span){ s.s + digits + 1, PORT_DIGITS }, &word))
		return false;
	end.port = (uint16_t)word;
	if (digits != WORD_DIGITS)
		end.family = AF_INET6;
	for (size_t i = 0; i < digits / WORD_DIGITS; i++) {
		if (!parse_hex((struct rf_span){ s.s + i * WORD_DIGITS, WORD_DIGITS }, &word))
			return false;
		memcpy(end.addr + i * sizeof(word), &word, sizeof(word));
	}
	*ret = end;
	return true;
}

static bool parse_line(struct rf_span line, struct rf_socket_row *ret)
{
	struct rf_span word;

	if (!rf_span_take_word(&line, &word) || word.s[word.n - 1] != ':')
		return false;
	if (!rf_span_take_word(&line, &word) || !parse_end(word, &ret->local))
		return false;
	if (!rf_span_take_word(&line, &word) || !parse_end(word, &ret->remote))
		return false;
	if (!rf_span_take_word(&line, &word) || !parse_hex(word, &ret->state))
		return false;
	for (int i = 0; i < WORDS_TO_INODE; i++)
		if (!rf_span_take_word(&line, &word))
			return false;
	return rf_span_take_word(&line, &word) && rf_span_u64(word, &ret->inode);
}

bool rf_socket_table_next(struct rf_span *text, struct rf_socket_row *ret)
{
	struct rf_socket_row row;
	struct rf_span line;

	while (rf_span_next_line(text, &line)) {
		if (!parse_line(line, &row))
			continue;
		*ret = row;
		return true;
	}
	return false;
}

static bool is_elsewhere(const struct rf_socket_end *end)
{
	const uint8_t *mapped = rf_inet_mapped(end->family, end->addr);

	if (!end->port)
		return false;
	return mapped ? !rf_inet_is_loopback(AF_INET, mapped) : !rf_inet_is_loopback(end->family, end->addr);
}

static bool is_listened_on(struct rf_span text, uint16_t port)
{
	struct rf_socket_row row;

	while (rf_socket_table_next(&text, &row))
		if (row.state == TCP_LISTEN && row.local.port == port)
			return true;
	return false;
}

int rf_socket_table_opened(struct rf_span text, uint64_t inode, const struct rf_port_range *given)
{
	struct rf_span rest = text;
	struct rf_socket_row row;

	while (inode && rf_socket_table_next(&rest, &row)) {
		if (row.inode != inode)
			continue;
		if (!is_elsewhere(&row.remote) || row.local.port < given->first || row.local.port > given->last)
			return 0;
		return !is_listened_on(text, row.local.port);
	}
	return -ENOENT;
}

int rf_port_range_parse(struct rf_span text, struct rf_port_range *ret)
{
	struct rf_span line, word;
	uint64_t first, last;

	if (!rf_span_next_line(&text, &line) || !rf_span_take_word(&line, &word) || !rf_span_u64(word, &first) ||
	    !rf_span_take_word(&line, &word) || !rf_span_u64(word, &last))
		return -EBADMSG;
	if (!first || last > UINT16_MAX || first > last || rf_span_take_word(&line, &word))
		return -EBADMSG;
	*ret = (struct rf_port_range){ (uint16_t)first, (uint16_t)last };
	return 0;
}

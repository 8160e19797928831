// SPDX-License-Identifier: GPL-2.0-or-later
/* "7f5c8a000000-7f5c8a028000 r-xp 00028000 08:02 1311 /usr/lib/libc.so.6": what is not followed by a path has none. */
#include "user/collect/process_maps.h"

#include <inttypes.h>
#include <stdio.h>

/* The digits at the front of @s, hexadecimal, with @end behind them, which goes too. */
static bool take_hex(struct rf_span *s, char end, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < s->n && i < 16; i++) {
		char c = s->s[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (digit < 0)
			break;
		value = value << 4 | (uint64_t)digit;
	}
	if (!i || i == s->n || s->s[i] != end)
		return false;
	s->s += i + 1;
	s->n -= i + 1;
	*ret = value;
	return true;
}

/* The number at the front of @s; with none it is 0. */
static void take_number(struct rf_span *s, uint64_t *ret)
{
	for (*ret = 0; s->n && *s->s >= '0' && *s->s <= '9'; s->s++, s->n--)
		*ret = *ret * 10 + (uint64_t)(*s->s - '0');
}

static bool parse_line(struct rf_span line, struct rf_process_map *m)
{
	uint64_t major, minor;

	if (!take_hex(&line, '-', &m->start) || !take_hex(&line, ' ', &m->end) || m->end <= m->start)
		return false;
	/* "r-xp " */
	if (line.n < 5 || line.s[4] != ' ')
		return false;
	m->executable = line.s[2] == 'x';
	line.s += 5;
	line.n -= 5;
	if (!take_hex(&line, ' ', &m->offset) || !take_hex(&line, ':', &major) || !take_hex(&line, ' ', &minor))
		return false;
	m->device = (uint32_t)(major << 20 | minor);
	take_number(&line, &m->inode);
	while (line.n && *line.s == ' ') {
		line.s++;
		line.n--;
	}
	m->path = line;
	return true;
}

bool rf_process_maps_next(struct rf_span *text, struct rf_process_map *ret)
{
	struct rf_span line;

	while (rf_span_next_line(text, &line))
		if (parse_line(line, ret))
			return true;
	return false;
}

void rf_process_map_link(pid_t pid, const struct rf_process_map *map, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start, map->end);
}

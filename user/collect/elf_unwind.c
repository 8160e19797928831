// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where functions begin, by .eh_frame_hdr and .eh_frame: a sorted table of the
 * places that a frame's description begins at. A part of a function that the
 * compiler has put elsewhere (foo.cold) has a description of its own, which
 * begins by saying that the stack is not as at a call: that is none here.
 */
#include "user/collect/elf_functions.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX 256U /* bytes of a description that are looked at */

/* DW_EH_PE_*: how pointers are written. */
#define PCREL_SDATA4   0x1b
#define UDATA4	       0x03
#define DATAREL_SDATA4 0x3b

struct index_head {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
};

struct index_row {
	int32_t begins, frame; /* from the head's address on */
};

struct cursor {
	const uint8_t *at, *end;
};

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX - size && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool address_of(const struct rf_elf_segments *s, uint64_t offset, uint64_t *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		const Elf64_Phdr *p = &s->list[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || offset < p->p_offset ||
		    offset - p->p_offset >= p->p_filesz)
			continue;
		*ret = offset - p->p_offset + p->p_vaddr;
		return true;
	}
	return false;
}

/* 1: it is in the index; @ret is the address of the frame's description. */
static int index_find(int fd, const Elf64_Phdr *index, uint64_t address, uint64_t *ret)
{
	struct index_head head;
	uint32_t low = 0, high;

	if (!read_at(fd, &head, sizeof(head), index->p_offset) || head.version != 1 ||
	    head.frame_encoding != PCREL_SDATA4 || head.count_encoding != UDATA4 ||
	    head.table_encoding != DATAREL_SDATA4)
		return 0;
	high = head.count;
	if (index->p_filesz < sizeof(head) || (index->p_filesz - sizeof(head)) / sizeof(struct index_row) < high)
		return 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct index_row row;
		uint64_t begins;

		if (!read_at(fd, &row, sizeof(row), index->p_offset + sizeof(head) + (uint64_t)middle * sizeof(row)))
			return -EIO;
		begins = index->p_vaddr + (uint64_t)(int64_t)row.begins;
		if (begins == address) {
			*ret = index->p_vaddr + (uint64_t)(int64_t)row.frame;
			return 1;
		}
		if (begins < address)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static bool take(struct cursor *c, void *to, size_t size)
{
	if ((size_t)(c->end - c->at) < size)
		return false;
	memcpy(to, c->at, size);
	c->at += size;
	return true;
}

/* A LEB128 number of either kind: what it is does not matter. */
static bool skip_number(struct cursor *c)
{
	while (c->at < c->end)
		if (!(*c->at++ & 0x80))
			return true;
	return false;
}

/* A length that fits into a byte, and so much. */
static bool skip_sized(struct cursor *c)
{
	uint8_t size;

	if (!take(c, &size, 1) || size & 0x80 || (size_t)(c->end - c->at) < size)
		return false;
	c->at += size;
	return true;
}

/* As much of the entry as is looked at, behind its length. */
static bool entry_read(int fd, const struct rf_elf_segments *s, uint64_t address, uint8_t text[static FRAME_MAX],
		       struct cursor *ret)
{
	const Elf64_Phdr *segment = rf_elf_segment_at(s, address, 0);
	uint64_t offset = segment ? address - segment->p_vaddr + segment->p_offset : 0, left;
	uint32_t size;

	if (!segment || !read_at(fd, &size, sizeof(size), offset) || size < 4 || size >= 0xfffffff0)
		return false;
	left = segment->p_filesz - (address - segment->p_vaddr);
	size = MIN(size, FRAME_MAX);
	if (left < sizeof(size) + size || !read_at(fd, text, size, offset + sizeof(size)))
		return false;
	*ret = (struct cursor){ text, text + size };
	return true;
}

/* What all frames of its kind begin with: is it what the machine's calls leave, and are pointers written as is known
 * here? */
static bool common_is_usual(struct cursor c)
{
#ifdef __x86_64__
	/* The frame is where the stack pointer is, and 8; the return address is on top. */
	static const uint8_t usual[] = { 0x0c, 0x07, 0x08, 0x90, 0x01 };
#else
	static const uint8_t usual[] = { 0x0c, 0x1f, 0x00 };
#endif
	char augmentation[8];
	uint8_t version, size, encoding;
	uint32_t id;
	size_t n = 0;

	if (!take(&c, &id, sizeof(id)) || id || !take(&c, &version, 1) || version != 1)
		return false;
	do {
		if (n == sizeof(augmentation) || !take(&c, &augmentation[n], 1))
			return false;
	} while (augmentation[n++]);
	if (*augmentation != 'z' || !skip_number(&c) || !skip_number(&c) || !take(&c, &version, 1) ||
	    !take(&c, &size, 1))
		return false;
	for (const char *a = augmentation + 1; *a; a++) {
		uint32_t personality;

		if (*a == 'P') {
			/* Relative to itself, perhaps through a pointer. */
			if (!take(&c, &encoding, 1) || (encoding & 0x7f) != PCREL_SDATA4 ||
			    !take(&c, &personality, sizeof(personality)))
				return false;
		} else if (*a == 'L') {
			if (!take(&c, &encoding, 1))
				return false;
		} else if (*a != 'R' || !take(&c, &encoding, 1) || encoding != PCREL_SDATA4) {
			/* Also where a signal was caught. */
			return false;
		}
	}
	if ((size_t)(c.end - c.at) < sizeof(usual) || memcmp(c.at, usual, sizeof(usual)) != 0)
		return false;
	/* Nothing more: assemblers move what a frame begins with up here. */
	for (c.at += sizeof(usual); c.at < c.end; c.at++)
		if (*c.at)
			return false;
	return true;
}

/* Nothing is said of the stack before the first instruction has run. */
static bool begins_as_called(struct cursor c)
{
	while (c.at < c.end && *c.at == 0)
		c.at++;
	/* DW_CFA_advance_loc, and 1, 2, 4. */
	return c.at == c.end || (*c.at & 0xc0) == 0x40 || (*c.at >= 2 && *c.at <= 4);
}

static bool frame_is_function(int fd, const struct rf_elf_segments *s, uint64_t frame, uint64_t address)
{
	uint8_t text[FRAME_MAX], common[FRAME_MAX];
	struct cursor c, above;
	uint32_t back, length;
	int32_t begins;

	if (!entry_read(fd, s, frame, text, &c) || !take(&c, &back, sizeof(back)) || !back || back > frame + 4 ||
	    !entry_read(fd, s, frame + 4 - back, common, &above) || !common_is_usual(above))
		return false;
	if (!take(&c, &begins, sizeof(begins)) || frame + 8 + (uint64_t)(int64_t)begins != address ||
	    !take(&c, &length, sizeof(length)) || !length || !skip_sized(&c))
		return false;
	return begins_as_called(c);
}

int rf_elf_is_function(int fd, uint64_t offset)
{
	struct rf_elf_segments segments;
	uint64_t address, frame;
	Elf64_Ehdr header;
	int r = rf_elf_header_read(fd, &header);

	if (r >= 0)
		r = rf_elf_segments_read(fd, &header, &segments);
	if (r < 0)
		return r;
	if (!address_of(&segments, offset, &address))
		return 0;
	for (size_t i = 0; i < segments.n; i++) {
		if (segments.list[i].p_type != PT_GNU_EH_FRAME)
			continue;
		r = index_find(fd, &segments.list[i], address, &frame);
		return r <= 0 ? r : frame_is_function(fd, &segments, frame, address);
	}
	return 0;
}

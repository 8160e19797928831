// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every value takes at least one byte and one of a budget, so that a walk ends
 * whatever sizes and pointers the file claims.
 */
#include "user/collect/mmdb_check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "user/lib/util.h"

/* Data types of the format, as far as they are told apart here. */
enum type {
	TYPE_EXTENDED = 0, /* the next byte has the type, less 7 */
	TYPE_POINTER = 1,
	TYPE_STRING = 2,
	TYPE_MAP = 7,
	TYPE_ARRAY = 11,
	TYPE_CACHE_CONTAINER = 12, /* never inside a value */
	TYPE_END_MARKER = 13,	   /* likewise */
	TYPE_BOOLEAN = 14,
	TYPE_FLOAT = 15
};

struct field {
	unsigned int type;
	uint32_t size;	  /* bytes of it; elements of an array, pairs of a map */
	uint32_t pointer; /* of a pointer: the offset that it names */
	size_t payload;
	size_t next; /* behind the payload; of a map or an array, its first element */
};

/* @n bytes at @offset, most significant first. */
static int read_number(const struct rf_mmdb_section *s, size_t offset, size_t n, uint32_t *ret)
{
	uint32_t value = 0;

	if (offset > s->size || n > s->size - offset)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | s->data[offset + i];
	*ret = value;
	return 0;
}

static int decode_pointer(const struct rf_mmdb_section *s, size_t offset, uint32_t control, struct field *ret)
{
	/* What the shorter forms could name already is not in the range of the longer. */
	static const uint32_t base[] = { 0, 2048, 526336, 0 };
	unsigned int form = control >> 3 & 3;
	uint32_t value;

	if (read_number(s, offset, form + 1, &value))
		return -EBADMSG;
	if (form < 3)
		value += (control & 7) << (8 * (form + 1));
	*ret = (struct field){
		.type = TYPE_POINTER, .pointer = value + base[form], .payload = offset, .next = offset + form + 1
	};
	return 0;
}

static int decode(const struct rf_mmdb_section *s, size_t offset, struct field *ret)
{
	static const uint32_t base[] = { 29, 285, 65821 };
	struct field f = { 0 };
	uint32_t control, more;
	size_t n;

	if (read_number(s, offset++, 1, &control))
		return -EBADMSG;
	f.type = control >> 5;
	if (f.type == TYPE_POINTER)
		return decode_pointer(s, offset, control, ret);
	if (f.type == TYPE_EXTENDED) {
		if (read_number(s, offset++, 1, &more))
			return -EBADMSG;
		f.type = more + 7;
		if (f.type <= TYPE_MAP || f.type > TYPE_FLOAT)
			return -EBADMSG;
	}
	if (f.type == TYPE_CACHE_CONTAINER || f.type == TYPE_END_MARKER)
		return -EBADMSG;

	f.size = control & 31;
	if (f.size >= 29) {
		n = f.size - 28;
		if (read_number(s, offset, n, &more))
			return -EBADMSG;
		offset += n;
		f.size = base[n - 1] + more;
	}
	f.payload = offset;
	f.next = offset;
	/* A boolean's size is its value. */
	if (f.type != TYPE_MAP && f.type != TYPE_ARRAY && f.type != TYPE_BOOLEAN) {
		if (f.size > s->size - offset)
			return -EBADMSG;
		f.next += f.size;
	}
	*ret = f;
	return 0;
}

/* The value at @offset, or the one that a pointer there names. A pointer to a pointer is illegal. */
static int resolve(const struct rf_mmdb_section *s, size_t offset, struct field *ret)
{
	struct field f;

	if (decode(s, offset, &f))
		return -EBADMSG;
	if (f.type == TYPE_POINTER && (decode(s, f.pointer, &f) || f.type == TYPE_POINTER))
		return -EBADMSG;
	*ret = f;
	return 0;
}

static uint64_t children(const struct field *f)
{
	return f->type == TYPE_MAP ? 2 * (uint64_t)f->size : f->type == TYPE_ARRAY ? f->size : 0;
}

/* Moves @offset behind the value. */
static int walk(const struct rf_mmdb_section *s, size_t *offset, unsigned int depth, bool follow, uint64_t *budget)
{
	struct field f;
	size_t inside;

	if (depth > RF_MMDB_DEPTH_MAX || !*budget)
		return -EBADMSG;
	--*budget;
	if (decode(s, *offset, &f))
		return -EBADMSG;
	*offset = f.next;
	if (f.type == TYPE_POINTER) {
		inside = f.pointer;
		if (follow && (decode(s, inside, &f) || f.type == TYPE_POINTER))
			return -EBADMSG;
		return follow ? walk(s, &inside, depth + 1, follow, budget) : 0;
	}
	for (uint64_t n = children(&f); n; n--) {
		if (walk(s, offset, depth + 1, follow, budget))
			return -EBADMSG;
	}
	return 0;
}

int rf_mmdb_find_metadata(const uint8_t *tail, size_t size, size_t *ret_offset)
{
	static const size_t marker_size = sizeof(RF_MMDB_MARKER) - 1;
	const uint8_t *end = tail + size, *from = tail, *found;

	/* The last one counts: data may contain the marker. */
	while ((found = memmem(from, end - from, RF_MMDB_MARKER, marker_size)))
		from = found + marker_size;
	if (from == tail)
		return -EBADMSG;
	*ret_offset = from - tail;
	return 0;
}

static bool is_key(const struct rf_mmdb_section *s, const struct field *f, const char *name)
{
	return f->size == strlen(name) && memcmp(s->data + f->payload, name, f->size) == 0;
}

static int check_strings(const struct rf_mmdb_section *s, const struct field *container)
{
	size_t offset = container->next;
	struct field f;

	for (uint64_t n = children(container); n; n--) {
		if (resolve(s, offset, &f) || f.type != TYPE_STRING || decode(s, offset, &f))
			return -EBADMSG;
		offset = f.next;
	}
	return 0;
}

/* The first of that name is the one that the library takes. */
static int note_number(const struct rf_mmdb_section *s, const struct field *value, uint64_t *number)
{
	uint32_t first;

	if (*number)
		return 0;
	if (value->size > sizeof(first) || read_number(s, value->payload, value->size, &first))
		return -EBADMSG;
	*number = first;
	return 0;
}

int rf_mmdb_check_metadata(const struct rf_mmdb_section *s, uint64_t *ret_tree_size)
{
	uint64_t budget = RF_MMDB_METADATA_VALUES_MAX, node_count = 0, record_size = 0;
	struct field top, key, value;
	size_t offset = 0;
	int r = 0;

	if (decode(s, 0, &top) || top.type != TYPE_MAP || walk(s, &offset, 0, true, &budget))
		return -EBADMSG;
	offset = top.next;
	for (uint32_t i = 0; i < top.size && !r; i++) {
		if (resolve(s, offset, &key) || key.type != TYPE_STRING || walk(s, &offset, 0, false, &budget) ||
		    resolve(s, offset, &value) || walk(s, &offset, 0, false, &budget))
			return -EBADMSG;
		if (is_key(s, &key, "languages") || is_key(s, &key, "description"))
			r = check_strings(s, &value);
		else if (is_key(s, &key, "node_count"))
			r = note_number(s, &value, &node_count);
		else if (is_key(s, &key, "record_size"))
			r = note_number(s, &value, &record_size);
	}
	if (!r)
		*ret_tree_size = node_count * (record_size * 2 / 8);
	return r;
}

int rf_mmdb_check_value(const struct rf_mmdb_section *s, size_t offset, uint64_t *budget)
{
	struct field f;

	if (decode(s, offset, &f))
		return -EBADMSG;
	if (f.type == TYPE_POINTER) {
		offset = f.pointer;
		if (decode(s, offset, &f) || f.type == TYPE_POINTER)
			return -EBADMSG;
	}
	return walk(s, &offset, 0, false, budget);
}

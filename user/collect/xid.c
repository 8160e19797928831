// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading NVIDIA's errors, as far as they have a form. */
#include "user/collect/xid.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/lib/util.h"

#define CODE_MAX 9999
#define PID_MAX	 (4u << 20)

/* What is left of a line. */
struct rest {
	const char *at;
	size_t len;
};

static bool skip(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if (r->len < len || memcmp(r->at, text, len) != 0)
		return false;
	r->at += len;
	r->len -= len;
	return true;
}

/* Behind the first @text in it. */
static bool skip_to(struct rest *r, const char *text)
{
	const char *found = r->len ? memmem(r->at, r->len, text, strlen(text)) : NULL;

	if (!found)
		return false;
	r->len -= (size_t)(found - r->at);
	r->at = found;
	return skip(r, text);
}

static int digit(char c, unsigned int base)
{
	int value = c >= '0' && c <= '9' ? c - '0' :
		    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
					   99;

	return value < (int)base ? value : -1;
}

static bool number(struct rest *r, unsigned int base, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < r->len && digit(r->at[n], base) >= 0; n++) {
		value = value * base + (uint64_t)digit(r->at[n], base);
		if (value > max)
			return false;
	}
	if (!n)
		return false;
	r->at += n;
	r->len -= n;
	*ret = (uint32_t)value;
	return true;
}

/* "(PCI:0000:3b:00 GPU-I:05 GPU-CI:02)", and older, "(0000:3b:00)"; a function may follow the device. */
static bool address(struct rest *r, struct rf_xid *x)
{
	uint32_t domain, bus, device, function = 0;

	if (!skip(r, "("))
		return false;
	(void)skip(r, "PCI:");
	if (!number(r, 16, UINT32_MAX, &domain) || !skip(r, ":") || !number(r, 16, 0xff, &bus) || !skip(r, ":") ||
	    !number(r, 16, 0x1f, &device))
		return false;
	if (skip(r, ".") && !number(r, 16, 7, &function))
		return false;
	snprintf(x->parent, sizeof(x->parent), "%04x:%02x:%02x.%x", domain, bus, device, function);
	if (skip(r, " GPU-I:") && !number(r, 10, 255, &x->gpu_instance))
		return false;
	if (skip(r, " GPU-CI:") && !number(r, 10, 255, &x->compute_instance))
		return false;
	return skip(r, "): ");
}

static void text_copy(char *to, size_t size, const char *from, size_t len)
{
	len = MIN(len, size - 1);
	memset(to, 0, size);
	for (size_t i = 0; i < len; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
}

/* "pid=1234, name=python, ", each where it is told; a name ends at the first ", ". */
static void process(struct rest *r, struct rf_xid *x)
{
	struct rest before = *r;
	const char *end;

	if (skip(r, "pid=") && !number(r, 10, PID_MAX, &x->pid)) {
		(void)skip_to(r, ", ");
	} else if (!skip(r, ", ") && r->len) {
		/* It was no number after all. */
		*r = before;
		x->pid = 0;
	}
	if (!skip(r, "name="))
		return;
	end = r->len ? memmem(r->at, r->len, ", ", 2) : NULL;
	if (!end)
		end = r->at + r->len;
	text_copy(x->comm, sizeof(x->comm), r->at, (size_t)(end - r->at));
	if (rf_streq(x->comm, "<unknown>"))
		x->comm[0] = '\0';
	r->len -= (size_t)(end - r->at);
	r->at = end;
	(void)skip(r, ", ");
}

int rf_xid_parse(const char *line, size_t len, struct rf_xid *ret)
{
	struct rf_xid x = { .gpu_instance = RF_XID_INSTANCE, .compute_instance = RF_XID_INSTANCE };
	struct rest r = { line, len };

	if (!skip(&r, "NVRM: Xid ") || !address(&r, &x) || !number(&r, 10, CODE_MAX, &x.code))
		return -ENOENT;
	if (r.len && !skip(&r, ",") && !skip(&r, "."))
		return -ENOENT;
	(void)skip(&r, " ");
	process(&r, &x);
	text_copy(x.text, sizeof(x.text), r.at, r.len);
	*ret = x;
	return 0;
}

/* "6,1234,98765,-[,...];text\n KEY=value\n": the priority with the facility, the number, the time. */
int rf_kmsg_parse(const char *record, size_t len, struct rf_kmsg *ret)
{
	struct rest r = { record, len };
	uint32_t priority;
	uint64_t sequence = 0;
	size_t digits = 0;
	const char *end;

	if (!number(&r, 10, 0xffff, &priority) || !skip(&r, ","))
		return -EBADMSG;
	for (; digits < r.len && digits < 19 && digit(r.at[digits], 10) >= 0; digits++)
		sequence = sequence * 10 + (uint64_t)digit(r.at[digits], 10);
	if (!digits || !skip_to(&r, ";"))
		return -EBADMSG;
	/* Whoever may write to the log is of another facility than the kernel. */
	if (priority >> 3)
		return -ENOENT;
	end = r.len ? memchr(r.at, '\n', r.len) : NULL;
	*ret = (struct rf_kmsg){ sequence, r.at, end ? (size_t)(end - r.at) : r.len };
	return 0;
}

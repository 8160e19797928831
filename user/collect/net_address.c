// SPDX-License-Identifier: GPL-2.0-or-later
/* fib_trie: "|-- ADDRESS" lines, and below each what it is; ours are "/32 host LOCAL". */
#include "user/collect/net_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/lib/span.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define PROC_FILE_MAX (4 * 1024 * 1024)
#define LEAF	      "|-- "
#define LOCAL	      "/32 host LOCAL"

static void address_add(struct rf_net_addresses *a, uint8_t family, const uint8_t *addr)
{
	size_t size = family == AF_INET6 ? 16 : 4;

	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].family == family && !memcmp(a->list[i].addr, addr, size))
			return;
	if (a->n == RF_NET_ADDRESSES_MAX)
		return;
	a->list[a->n] = (struct rf_net_address){ .family = family };
	memcpy(a->list[a->n++].addr, addr, size);
}

/* One line of @text, without spaces at its start; false at the end. */
static bool line_next(const char **text, const char *end, struct rf_span *ret)
{
	const char *line = *text, *stop;

	if (line >= end)
		return false;
	stop = memchr(line, '\n', end - line);
	*text = stop ? stop + 1 : end;
	stop = stop ? stop : end;
	while (line < stop && *line == ' ')
		line++;
	*ret = (struct rf_span){ line, stop - line };
	return true;
}

/* @text of at most @size - 1 bytes as a string. */
static bool span_copy(struct rf_span span, char *text, size_t size)
{
	if (span.n >= size)
		return false;
	memcpy(text, span.s, span.n);
	text[span.n] = '\0';
	return true;
}

void rf_net_fib_trie_parse(const char *text, size_t len, struct rf_net_addresses *a)
{
	const char *end = text + len;
	struct rf_span line, rest;
	uint8_t addr[4] = { 0 };
	bool known = false;

	while (line_next(&text, end, &line)) {
		char word[INET_ADDRSTRLEN];

		if (rf_span_cut_prefix(line, LEAF, &rest))
			known = span_copy(rest, word, sizeof(word)) && inet_pton(AF_INET, word, addr) == 1;
		else if (known && rf_span_eq(line, LOCAL) && addr[0] != 127 && addr[0] < 224 &&
			 !(addr[0] == 169 && addr[1] == 254))
			address_add(a, AF_INET, addr);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "fd000009000000000000000000000001 01 80 00 80       lo" */
void rf_net_if_inet6_parse(const char *text, size_t len, struct rf_net_addresses *a)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	const char *end = text + len;
	struct rf_span line;

	while (line_next(&text, end, &line)) {
		uint8_t addr[16];
		size_t i = 0;

		if (line.n < 33 || line.s[32] != ' ')
			continue;
		for (; i < 16; i++) {
			int high = hex_value(line.s[2 * i]), low = hex_value(line.s[2 * i + 1]);

			if (high < 0 || low < 0)
				break;
			addr[i] = high << 4 | low;
		}
		if (i < 16 || !memcmp(addr, loopback, sizeof(addr)) || addr[0] == 0xff ||
		    (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80))
			continue;
		address_add(a, AF_INET6, addr);
	}
}

static int file_parse(int pid, const char *file, void (*parse)(const char *, size_t, struct rf_net_addresses *),
		      struct rf_net_addresses *a)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, file);
	r = rf_fs_read(AT_FDCWD, path, PROC_FILE_MAX, &text, &len);
	if (r == -ENOENT) {
		/* The process, or only the family? */
		snprintf(path, sizeof(path), "/proc/%d/net", pid);
		return access(path, F_OK) == 0 ? 0 : -ESRCH;
	}
	if (r < 0)
		return r;
	parse(text, len, a);
	return 0;
}

int rf_net_addresses_read(int pid, struct rf_net_addresses *ret)
{
	int r;

	ret->n = 0;
	r = file_parse(pid, "fib_trie", rf_net_fib_trie_parse, ret);
	return r < 0 ? r : file_parse(pid, "if_inet6", rf_net_if_inet6_parse, ret);
}

int rf_net_namespace_read(int pid, uint64_t *ret_inode)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &st) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return 0;
}

int rf_cgroup_first_process(int fd, int *ret_pid)
{
	_cleanup_close_ int procs = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n;
	long pid;

	if (procs < 0)
		return -errno;
	n = read(procs, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid <= 0)
		return -ESRCH;
	*ret_pid = pid;
	return 0;
}

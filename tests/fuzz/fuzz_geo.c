// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A database file of any bytes. What opens has a country; every country's
 * prefixes are valid, sorted, disjoint and joined, whatever the tree looks like.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "user/collect/geo.h"
#include "user/lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool bit(const struct rf_cidr *c, unsigned int i)
{
	return c->addr[i / 8] >> (7 - i % 8) & 1;
}

static unsigned int common_bits(const struct rf_cidr *a, const struct rf_cidr *b)
{
	unsigned int i = 0;

	while (i < a->prefix && i < b->prefix && bit(a, i) == bit(b, i))
		i++;
	return i;
}

static void check_answer(const struct rf_cidr *cidrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rf_cidr *c = &cidrs[i], *before = c - 1;
		unsigned int common;

		assert(c->family == AF_INET ? c->prefix <= 32 : c->family == AF_INET6 && c->prefix <= 128);
		for (unsigned int k = c->prefix; k < 128; k++)
			assert(!bit(c, k));
		if (!i)
			continue;
		assert(before->family == c->family || before->family == AF_INET);
		if (before->family != c->family)
			continue;
		common = common_bits(before, c);
		assert(common < before->prefix && common < c->prefix);
		assert(!bit(before, common) && bit(c, common));
		assert(before->prefix != c->prefix || common + 1 < c->prefix);
	}
}

/* The number of prefixes; 0 when the database does not have the country. */
static size_t ask(struct rf_geo *g, const char (*codes)[3], size_t n_codes)
{
	_cleanup_free_ struct rf_cidr *cidrs = NULL;
	size_t n = 0, unknown = n_codes;
	int r;

	r = rf_geo_countries(g, codes, n_codes, &cidrs, &n, &unknown);
	assert(r == 0 || (r == -ENOENT && unknown < n_codes && !n));
	check_answer(cidrs, n);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char pair[][3] = { "DE", "FR" };
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_geo_ struct rf_geo *g = NULL;
	_cleanup_free_ char *error = NULL;
	char path[32], code[1][3] = { "" };
	size_t any = 0;
	int r;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = rf_geo_open(path, &g, &error);
	assert(r ? r == -EINVAL && error && !g : g && !error);
	if (r)
		return 0;
	assert(rf_geo_type(g) && rf_geo_built(g));
	ask(g, pair, ARRAY_SIZE(pair));
	for (code[0][0] = 'A'; code[0][0] <= 'Z'; code[0][0]++)
		for (code[0][1] = 'A'; code[0][1] <= 'Z'; code[0][1]++)
			any += ask(g, (const char(*)[3])code, 1);
	assert(any);
	return 0;
}

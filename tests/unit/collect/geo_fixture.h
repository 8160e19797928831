/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database in a temporary directory, and what is asked of it; for the tests of geo.c alone. */
#ifndef RF_TESTS_COLLECT_GEO_FIXTURE_H
#define RF_TESTS_COLLECT_GEO_FIXTURE_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/collect/geo.h"
#include "user/lib/fs.h"
#include "user/lib/strbuf.h"

/* In this translation unit, so that the build needs no rule for it. */
#include "tests/unit/collect/mmdb_write.c"

struct fixture {
	char dir[64], path[80];
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/rf-geo-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/country.mmdb", f->dir);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rf_fs_remove_tree(f->dir), 0);
	free(f);
	return 0;
}

static inline size_t parse_networks(const char *list, struct mmdb_network *networks, size_t max)
{
	_cleanup_free_ char *text = strdup(list);
	size_t n = 0;
	char *save;

	assert_non_null(text);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(n < max);
		assert_int_equal(mmdb_network_parse(word, &networks[n++]), 0);
	}
	return n;
}

/* "10.0.0.0/8=DE 2001:db8::/32=FR" */
static inline void write_list(const struct fixture *f, const struct mmdb_options *options, const char *list)
{
	struct mmdb_network networks[32];
	size_t n = parse_networks(list, networks, ARRAY_SIZE(networks));

	assert_int_equal(mmdb_write(f->path, options, networks, n), 0);
}

static inline struct rf_geo *open_database(const struct fixture *f)
{
	struct rf_geo *g = NULL;
	char *error = NULL;

	if (rf_geo_open(f->path, &g, &error))
		fail_msg("%s", error);
	assert_null(error);
	return g;
}

static inline void render(struct rf_strbuf *out, const struct rf_cidr *cidr)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(cidr->family, cidr->addr, text, sizeof(text)));
	rf_strbuf_addf(out, "%s%s/%u", out->len ? " " : "", text, cidr->prefix);
}

/* @countries: "DE FR"; @want: the prefixes, as they come. */
static inline void check_countries(struct rf_geo *g, const char *countries, const char *want)
{
	_cleanup_strbuf_ struct rf_strbuf got = RF_STRBUF_INIT;
	_cleanup_free_ struct rf_cidr *cidrs = NULL;
	char codes[16][3] = { 0 };
	size_t n = 0, unknown = 99, n_codes = 0;

	for (const char *c = countries; *c; c += c[2] ? 3 : 2)
		memcpy(codes[n_codes++], c, 2);
	assert_int_equal(rf_geo_countries(g, codes, n_codes, &cidrs, &n, &unknown), 0);
	for (size_t i = 0; i < n; i++)
		render(&got, &cidrs[i]);
	assert_string_equal(rf_strbuf_str(&got), want);
	assert_int_equal(unknown, 99);
}

static inline void check_list(const struct fixture *f, const struct mmdb_options *options, const char *list,
			      const char *countries, const char *want)
{
	_cleanup_geo_ struct rf_geo *g = NULL;

	write_list(f, options, list);
	g = open_database(f);
	check_countries(g, countries, want);
}

static inline void check_default(void **state, const char *list, const char *countries, const char *want)
{
	check_list(*state, &mmdb_options_default, list, countries, want);
}

#endif

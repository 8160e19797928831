// SPDX-License-Identifier: GPL-2.0-or-later
/* Databases that are written here, and what is read of them; libmaxminddb's own lookup is the second opinion. */
#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/collect/geo_fixture.h"
#include "user/lib/clock.h"

#define ENTRIES	  200000
#define ADDRESSES 10000
/* Seconds for what takes a tenth of one; far above, for sanitizers and a busy machine. */
#define SANE_TIME 5

static void what_was_written_is_read_at_every_record_size(void **state)
{
	static const unsigned int sizes[] = { 24, 28, 32 };
	struct mmdb_options options = mmdb_options_default;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		options.record_size = sizes[i];
		options.ip_version = 6;
		check_list(*state, &options, "192.0.2.0/24=DE 2001:db8::/32=DE 198.51.100.0/24=FR", "DE",
			   "192.0.2.0/24 2001:db8::/32");
		options.ip_version = 4;
		check_list(*state, &options, "192.0.2.0/24=DE 203.0.113.7/32=DE 198.51.100.0/24=FR", "DE",
			   "192.0.2.0/24 203.0.113.7/32");
	}
}

static void siblings_are_joined_as_far_up_as_it_goes(void **state)
{
	check_default(state, "10.0.0.0/10=DE 10.64.0.0/10=DE 10.128.0.0/9=DE", "DE", "10.0.0.0/8");
	check_default(state, "0.0.0.0/1=DE 128.0.0.0/1=DE", "DE", "0.0.0.0/0");
	check_default(state, "2a00::/17=DE 2a00:8000::/17=FR", "DE FR", "2a00::/16");
	/* Neighbours that are no siblings. */
	check_default(state, "10.64.0.0/10=DE 10.128.0.0/10=DE", "DE", "10.64.0.0/10 10.128.0.0/10");
}

static void a_country_inside_another_is_cut_out_of_it(void **state)
{
	const char *list = "10.0.0.0/8=DE 10.1.0.0/16=FR";

	check_default(state, list, "DE",
		      "10.0.0.0/16 10.2.0.0/15 10.4.0.0/14 10.8.0.0/13 10.16.0.0/12 10.32.0.0/11 10.64.0.0/10 "
		      "10.128.0.0/9");
	check_default(state, list, "FR", "10.1.0.0/16");
	check_default(state, list, "FR DE", "10.0.0.0/8");
	check_default(state, list, "DE DE FR", "10.0.0.0/8");
}

static void aliases_of_ipv4_are_left_out(void **state)
{
	struct mmdb_options options = mmdb_options_default;
	const char *list = "192.0.2.0/24=DE 198.51.100.0/24=FR 2001:db8::/32=DE";

	check_list(*state, &options, list, "DE", "192.0.2.0/24 2001:db8::/32");
	check_list(*state, &options, "0.0.0.0/0=DE 2a00::/16=FR", "DE", "0.0.0.0/0");
	/* What really is there is no alias. */
	options.aliases = false;
	check_list(*state, &options, "192.0.2.0/24=DE 2002:c000:200::/40=DE 2001::/32=DE", "DE",
		   "192.0.2.0/24 2001::/32 2002:c000:200::/40");
	/* But ::ffff:0:0/96 is IPv4, of which ::/96 tells. */
	check_list(*state, &options, "192.0.2.0/24=DE ::ffff:198.51.100.0/120=DE", "DE", "192.0.2.0/24");
}

static void an_ipv6_prefix_around_ipv4_is_both(void **state)
{
	struct mmdb_options options = mmdb_options_default;

	options.aliases = false;
	check_list(*state, &options, "::/32=DE 2a00::/16=FR", "DE", "0.0.0.0/0 ::/32");
	check_list(*state, &options, "::/0=DE", "DE", "0.0.0.0/0 ::/0");
	check_list(*state, &options, "::/96=DE", "DE", "0.0.0.0/0");
	check_list(*state, &options, "::1:0:0/96=DE", "DE", "::1:0:0/96");
}

static void hosts_are_prefixes_too(void **state)
{
	check_default(state, "192.0.2.1/32=DE 2a00::1/128=DE", "DE", "192.0.2.1/32 2a00::1/128");
	check_default(state, "255.255.255.254/32=DE 255.255.255.255/32=DE", "DE", "255.255.255.254/31");
}

static void registered_country_counts_only_without_country(void **state)
{
	const char *list = "192.0.2.0/24=DE/FR 198.51.100.0/24=/FR 203.0.113.0/24=";

	check_default(state, list, "DE", "192.0.2.0/24");
	check_default(state, list, "FR", "198.51.100.0/24");
}

static void a_code_that_is_none_is_no_country(void **state)
{
	check_default(state, "192.0.2.0/24=DE 198.51.100.0/24=de 203.0.113.0/24=1A", "DE", "192.0.2.0/24");
}

static void no_countries_have_no_prefixes(void **state)
{
	_cleanup_geo_ struct rf_geo *g = NULL;

	write_list(*state, &mmdb_options_default, "192.0.2.0/24=DE");
	g = open_database(*state);
	check_countries(g, "", "");
}

static void an_unknown_country_is_named(void **state)
{
	static const char codes[][3] = { "DE", "XX", "ZZ" }, lower[][3] = { "de" }, empty[][3] = { "" },
			  unended[][3] = { "DE", { 'D', 'E', 'X' } };
	_cleanup_geo_ struct rf_geo *g = NULL;
	struct rf_cidr *cidrs = (void *)&g;
	size_t n = 7, unknown = 99;

	write_list(*state, &mmdb_options_default, "192.0.2.0/24=DE 198.51.100.0/24=ZZ");
	g = open_database(*state);
	assert_int_equal(rf_geo_countries(g, codes, 3, &cidrs, &n, &unknown), -ENOENT);
	assert_int_equal(unknown, 1);
	assert_int_equal(rf_geo_countries(g, unended, 2, &cidrs, &n, &unknown), -ENOENT);
	assert_int_equal(unknown, 1);
	assert_int_equal(rf_geo_countries(g, lower, 1, &cidrs, &n, &unknown), -ENOENT);
	assert_int_equal(unknown, 0);
	assert_int_equal(rf_geo_countries(g, empty, 1, &cidrs, &n, &unknown), -ENOENT);
	assert_ptr_equal(cidrs, &g);
	assert_int_equal(n, 7);
}

static void age_and_type_are_told(void **state)
{
	struct mmdb_options options = mmdb_options_default;
	_cleanup_geo_ struct rf_geo *g = NULL;

	options.build_epoch = 1234567890123;
	options.type = "DBIP-Country-Lite";
	write_list(*state, &options, "192.0.2.0/24=DE");
	g = open_database(*state);
	assert_int_equal(rf_geo_built(g), 1234567890123);
	assert_string_equal(rf_geo_type(g), "DBIP-Country-Lite");
}

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_network(uint64_t *seed, struct mmdb_network *network)
{
	static const char codes[][3] = { "DE", "FR", "US", "CN", "BR", "" };
	bool ipv4 = random_next(seed) % 2;
	unsigned int bits = ipv4 ? 32 : 128;
	struct rf_cidr *c = &network->cidr;

	memset(network, 0, sizeof(*network));
	c->family = ipv4 ? AF_INET : AF_INET6;
	c->prefix = ipv4 ? 4 + random_next(seed) % 25 : 16 + random_next(seed) % 49;
	for (unsigned int i = 0; i < bits / 8; i++)
		c->addr[i] = random_next(seed) >> 24;
	if (!ipv4)
		c->addr[0] = 0x2a;
	for (unsigned int i = c->prefix; i < bits; i++)
		c->addr[i / 8] &= ~(0x80 >> i % 8);
	memcpy(network->country, codes[random_next(seed) % ARRAY_SIZE(codes)], 3);
	if (random_next(seed) % 4 == 0)
		memcpy(network->registered, codes[random_next(seed) % ARRAY_SIZE(codes)], 3);
}

static struct mmdb_network *random_networks(size_t n)
{
	struct mmdb_network *networks = calloc(n, sizeof(*networks));
	uint64_t seed = 88172645463325252ULL;

	assert_non_null(networks);
	for (size_t i = 0; i < n; i++)
		random_network(&seed, &networks[i]);
	return networks;
}

static bool covers(const struct rf_cidr *cidr, unsigned int family, const uint8_t *addr)
{
	if (cidr->family != family)
		return false;
	for (unsigned int i = 0; i < cidr->prefix; i++) {
		if (((cidr->addr[i / 8] ^ addr[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	}
	return true;
}

/* By the order of the prefixes: the last one that does not begin after @addr. */
static bool any_covers(const struct rf_cidr *cidrs, size_t n, unsigned int family, const uint8_t *addr)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		bool after = cidrs[middle].family != family ?
				     cidrs[middle].family > family :
				     memcmp(cidrs[middle].addr, addr, family == AF_INET ? 4 : 16) > 0;

		if (after)
			high = middle;
		else
			low = middle + 1;
	}
	return low && covers(&cidrs[low - 1], family, addr);
}

/* What the library finds for the address, by the same rule. */
static void library_lookup(MMDB_s *mmdb, unsigned int family, const uint8_t *addr, char ret[3])
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	MMDB_lookup_result_s result;
	MMDB_entry_data_s value;
	int error;

	memcpy(&six.sin6_addr, addr, 16);
	memcpy(&four.sin_addr, addr, 4);
	result = MMDB_lookup_sockaddr(mmdb, family == AF_INET ? (void *)&four : (void *)&six, &error);
	assert_int_equal(error, MMDB_SUCCESS);
	*ret = '\0';
	if (!result.found_entry)
		return;
	error = MMDB_get_value(&result.entry, &value, "country", NULL);
	error = MMDB_get_value(&result.entry, &value, error ? "registered_country" : "country", "iso_code", NULL);
	if (error || value.type != MMDB_DATA_TYPE_UTF8_STRING)
		return;
	assert_int_equal(value.data_size, 2);
	memcpy(ret, value.utf8_string, 2);
	ret[2] = '\0';
}

static void the_library_finds_the_same_for_random_addresses(void **state)
{
	static const char codes[][3] = { "DE", "FR", "US", "CN", "BR" };
	const struct fixture *f = *state;
	_cleanup_free_ struct mmdb_network *networks = random_networks(20000);
	_cleanup_geo_ struct rf_geo *g = NULL;
	uint64_t seed = 362436069;
	unsigned int hits = 0;
	MMDB_s mmdb;

	assert_int_equal(mmdb_write(f->path, &mmdb_options_default, networks, 20000), 0);
	g = open_database(f);
	assert_int_equal(MMDB_open(f->path, MMDB_MODE_MMAP, &mmdb), MMDB_SUCCESS);
	for (size_t c = 0; c < ARRAY_SIZE(codes); c++) {
		_cleanup_free_ struct rf_cidr *cidrs = NULL;
		size_t n, unknown;

		assert_int_equal(rf_geo_countries(g, &codes[c], 1, &cidrs, &n, &unknown), 0);
		for (size_t i = 0; i < ADDRESSES; i++) {
			const struct mmdb_network *near = &networks[random_next(&seed) % 20000];
			unsigned int family = near->cidr.family;
			uint8_t addr[16];
			char country[3];
			bool got;

			/* Most of IPv6 is empty; so stay near what is not. */
			memcpy(addr, near->cidr.addr, sizeof(addr));
			for (unsigned int k = near->cidr.prefix / 8; k < (family == AF_INET ? 4 : 16); k++)
				addr[k] ^= random_next(&seed) >> 24;
			library_lookup(&mmdb, family, addr, country);
			got = any_covers(cidrs, n, family, addr);
			assert_int_equal(got, rf_streq(country, codes[c]));
			hits += got;
		}
	}
	MMDB_close(&mmdb);
	/* Neither nothing nor everything. */
	assert_in_range(hits, ADDRESSES / 2, ADDRESSES * 4);
}

static void answers_are_sorted_and_cannot_be_shorter(void **state)
{
	static const char codes[][3] = { "DE", "US" };
	const struct fixture *f = *state;
	_cleanup_free_ struct mmdb_network *networks = random_networks(20000);
	_cleanup_free_ struct rf_cidr *cidrs = NULL;
	_cleanup_geo_ struct rf_geo *g = NULL;
	size_t n, unknown;

	assert_int_equal(mmdb_write(f->path, &mmdb_options_default, networks, 20000), 0);
	g = open_database(f);
	assert_int_equal(rf_geo_countries(g, codes, 2, &cidrs, &n, &unknown), 0);
	assert_in_range(n, 1000, 1000000);
	for (size_t i = 1; i < n; i++) {
		const struct rf_cidr *a = &cidrs[i - 1], *b = &cidrs[i];
		uint8_t sibling[16];

		assert_true(a->family == b->family ? memcmp(a->addr, b->addr, 16) < 0 : a->family == AF_INET);
		assert_false(covers(a, b->family, b->addr));
		if (a->family != b->family || a->prefix != b->prefix)
			continue;
		memcpy(sibling, a->addr, 16);
		sibling[(a->prefix - 1) / 8] ^= 0x80 >> (a->prefix - 1) % 8;
		assert_true(memcmp(a->addr, sibling, 16) > 0 || memcmp(b->addr, sibling, 16) != 0);
	}
}

/* @n networks of which no two are siblings; the last one is French. */
static struct mmdb_network *lone_networks(size_t n)
{
	struct mmdb_network *networks = calloc(n, sizeof(*networks));

	assert_non_null(networks);
	for (size_t i = 0; i < n; i++) {
		uint32_t addr = htonl(i << 7);

		networks[i].cidr = (struct rf_cidr){ .family = AF_INET, .prefix = 26 };
		memcpy(networks[i].cidr.addr, &addr, sizeof(addr));
		strcpy(networks[i].country, i + 1 < n ? "DE" : "FR");
	}
	return networks;
}

static void many_prefixes_take_little_time(void **state)
{
	static const char codes[][3] = { "DE" };
	const struct fixture *f = *state;
	_cleanup_free_ struct mmdb_network *networks = lone_networks(ENTRIES);
	_cleanup_free_ struct rf_cidr *cidrs = NULL;
	_cleanup_geo_ struct rf_geo *g = NULL;
	uint64_t begin, opened, done;
	size_t n, unknown;

	assert_int_equal(mmdb_write(f->path, &mmdb_options_default, networks, ENTRIES), 0);
	begin = rf_clock_monotonic();
	g = open_database(f);
	opened = rf_clock_monotonic();
	assert_int_equal(rf_geo_countries(g, codes, 1, &cidrs, &n, &unknown), 0);
	done = rf_clock_monotonic();
	assert_int_equal(n, ENTRIES - 1);
	print_message("%zu prefixes: opened in %.1f ms, read in %.1f ms\n", n, (opened - begin) / 1e6,
		      (done - opened) / 1e6);
	assert_true(done - begin < SANE_TIME * RF_NSEC_PER_SEC);
}

static void answers_end_at_the_limit(void **state)
{
	static const char codes[][3] = { "DE", "FR" };
	const struct fixture *f = *state;
	_cleanup_free_ struct mmdb_network *networks = lone_networks(RF_GEO_PREFIXES_MAX + 1);
	struct mmdb_options options = mmdb_options_default;
	struct rf_cidr *cidrs = NULL;
	_cleanup_geo_ struct rf_geo *g = NULL;
	size_t n = 0, unknown = 99;

	options.ip_version = 4;
	assert_int_equal(mmdb_write(f->path, &options, networks, RF_GEO_PREFIXES_MAX + 1), 0);
	g = open_database(f);
	assert_int_equal(rf_geo_countries(g, codes, 2, &cidrs, &n, &unknown), -E2BIG);
	assert_null(cidrs);
	assert_int_equal(n, 0);
	assert_int_equal(unknown, 99);
	assert_int_equal(rf_geo_countries(g, codes, 1, &cidrs, &n, &unknown), 0);
	assert_int_equal(n, RF_GEO_PREFIXES_MAX);
	free(cidrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_at_every_record_size),
		cmocka_unit_test(siblings_are_joined_as_far_up_as_it_goes),
		cmocka_unit_test(a_country_inside_another_is_cut_out_of_it),
		cmocka_unit_test(aliases_of_ipv4_are_left_out),
		cmocka_unit_test(an_ipv6_prefix_around_ipv4_is_both),
		cmocka_unit_test(hosts_are_prefixes_too),
		cmocka_unit_test(registered_country_counts_only_without_country),
		cmocka_unit_test(a_code_that_is_none_is_no_country),
		cmocka_unit_test(no_countries_have_no_prefixes),
		cmocka_unit_test(an_unknown_country_is_named),
		cmocka_unit_test(age_and_type_are_told),
		cmocka_unit_test(the_library_finds_the_same_for_random_addresses),
		cmocka_unit_test(answers_are_sorted_and_cannot_be_shorter),
		cmocka_unit_test(many_prefixes_take_little_time),
		cmocka_unit_test(answers_end_at_the_limit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

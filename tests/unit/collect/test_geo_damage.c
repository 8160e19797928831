// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are no database, or one that was damaged: an error that says so, and nothing else happens. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/collect/geo_fixture.h"
#include "user/collect/mmdb_check.h"

static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void check_refused(const char *path, int want, const char *said)
{
	struct rf_geo *g = (void *)&want;
	_cleanup_free_ char *error = NULL;
	int r;

	r = rf_geo_open(path, &g, &error);
	if (r != want)
		fail_msg("%d, not %d: %s", r, want, error ? error : "opened");
	assert_ptr_equal(g, &want);
	assert_non_null(error);
	assert_true(rf_strprefix(error, path));
	if (!strstr(error, said))
		fail_msg("no '%s' in: %s", said, error);
}

static void what_is_no_database_is_refused(void **state)
{
	const struct fixture *f = *state;
	char missing[100], fifo[100];

	snprintf(missing, sizeof(missing), "%s/missing", f->dir);
	check_refused(missing, -ENOENT, "No such file or directory; it should be");
	check_refused(f->dir, -EINVAL, "no regular file");
	snprintf(fifo, sizeof(fifo), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	check_refused(fifo, -EINVAL, "no regular file");
	write_bytes(f->path, "", 0);
	check_refused(f->path, -EINVAL, "no MaxMind database");
	write_bytes(f->path, "country,DE\n", 11);
	check_refused(f->path, -EINVAL, "no MaxMind database");
	write_bytes(f->path, RF_MMDB_MARKER, 14);
	check_refused(f->path, -EINVAL, "damaged metadata");
	write_bytes(f->path, RF_MMDB_MARKER "\xe0", 15);
	check_refused(f->path, -EINVAL, "damaged");
	assert_int_equal(truncate(f->path, (off_t)RF_GEO_FILE_MAX + 1), 0);
	check_refused(f->path, -EFBIG, "512 MiB");
}

static void a_marker_that_ends_a_page_is_refused(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *page = calloc(1, 4096);

	assert_non_null(page);
	memcpy(page + 4096 - 14, RF_MMDB_MARKER, 14);
	write_bytes(f->path, page, 4096);
	check_refused(f->path, -EINVAL, "damaged metadata");
}

static void a_file_cut_short_anywhere_is_refused(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *data = NULL;
	size_t size;

	write_list(f, &mmdb_options_default, "192.0.2.0/24=DE 2001:db8::/32=FR");
	assert_int_equal(rf_fs_read(AT_FDCWD, f->path, 1 << 20, &data, &size), 0);
	for (size_t i = 0; i < size; i++) {
		write_bytes(f->path, data, i);
		check_refused(f->path, -EINVAL, "atabase");
	}
}

static void a_file_without_its_beginning_is_refused(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *data = NULL;
	size_t size;

	write_list(f, &mmdb_options_default, "192.0.2.0/24=DE 2001:db8::/32=FR");
	assert_int_equal(rf_fs_read(AT_FDCWD, f->path, 1 << 20, &data, &size), 0);
	for (size_t i = 1; i < size; i++) {
		struct rf_geo *g = NULL;
		_cleanup_free_ char *error = NULL;

		/* A node that is cut in two may still read as one: any answer but a crash will do. */
		write_bytes(f->path, data + i, size - i);
		if (!rf_geo_open(f->path, &g, &error))
			rf_geo_free(g);
	}
}

static void no_country_in_any_record_is_refused(void **state)
{
	const struct fixture *f = *state;

	write_list(f, &mmdb_options_default, "192.0.2.0/24= 2001:db8::/32=");
	check_refused(f->path, -EINVAL, "without country.iso_code");
	/* Only where nobody is asked to look. */
	write_list(f, &mmdb_options_default, "::ffff:192.0.2.0/120=DE 10.0.0.0/8=");
	check_refused(f->path, -EINVAL, "without country.iso_code");
}

/* The database with one record of its first nodes replaced; 32 bits, so that a record is a word. */
static void write_record(const struct fixture *f, size_t node, unsigned int side, uint32_t value)
{
	struct mmdb_options options = mmdb_options_default;
	uint32_t word = htonl(value);
	FILE *file;

	options.record_size = 32;
	options.ip_version = 4;
	write_list(f, &options, "192.0.2.0/24=DE");
	file = fopen(f->path, "r+e");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)(node * 8 + side * 4), SEEK_SET), 0);
	assert_int_equal(fwrite(&word, sizeof(word), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

static void a_damaged_tree_is_refused(void **state)
{
	const struct fixture *f = *state;
	_cleanup_geo_ struct rf_geo *g = NULL;
	/* 192.0.2.0/24 takes a node for each of its bits. */
	const uint32_t nodes = 24;

	write_record(f, 0, 0, nodes);
	g = open_database(f);
	check_countries(g, "DE", "192.0.2.0/24");
	write_record(f, 5, 0, 0);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, 5);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, 3);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, nodes + 1);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, nodes + 15);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, nodes + 16 + 1000);
	check_refused(f->path, -EINVAL, "damaged");
	write_record(f, 5, 0, UINT32_MAX);
	check_refused(f->path, -EINVAL, "damaged");
}

static void a_tree_that_comes_to_its_nodes_again_and_again_is_refused(void **state)
{
	struct mmdb_options options = mmdb_options_default;
	const struct fixture *f = *state;
	_cleanup_free_ uint8_t *data = NULL;
	struct mmdb_network network;
	size_t size;

	/* A node for each of 100 bits, and both sides of one lead to the next: 2^100 ways down. */
	options.record_size = 32;
	options.aliases = false;
	assert_int_equal(mmdb_network_parse("2a00::/100=DE", &network), 0);
	assert_int_equal(mmdb_make(&options, &network, 1, &data, &size), 0);
	for (uint32_t i = 0; i < 99; i++) {
		const uint32_t both[2] = { htonl(i + 1), htonl(i + 1) };

		memcpy(data + i * sizeof(both), both, sizeof(both));
	}
	write_bytes(f->path, data, size);
	check_refused(f->path, -EINVAL, "damaged");
}

/* Makes "node_count" and other keys of the metadata say something else. */
static void patch(const struct fixture *f, const char *key, size_t skip, const void *bytes, size_t n)
{
	_cleanup_free_ char *data = NULL;
	size_t size;
	char *at;

	write_list(f, &mmdb_options_default, "192.0.2.0/24=DE 198.51.100.0/24=DE 203.0.113.0/24=DE");
	assert_int_equal(rf_fs_read(AT_FDCWD, f->path, 1 << 20, &data, &size), 0);
	at = memmem(data, size, key, strlen(key));
	assert_non_null(at);
	memcpy(at + strlen(key) + skip, bytes, n);
	write_bytes(f->path, data, size);
}

static void metadata_that_do_not_fit_are_refused(void **state)
{
	const struct fixture *f = *state;

	patch(f, "binary_format_major_version", 1, "\x03", 1);
	check_refused(f->path, -EINVAL, "format other than 2");
	patch(f, "record_size", 1, "\x19", 1);
	check_refused(f->path, -EINVAL, "format other than 2");
	patch(f, "ip_version", 1, "\x05", 1);
	check_refused(f->path, -EINVAL, "metadata");
	patch(f, "node_count", 1, "\xff", 1);
	check_refused(f->path, -EINVAL, "damaged");
	patch(f, "node_count", -10, "x", 1);
	check_refused(f->path, -EINVAL, "incomplete metadata");
	patch(f, "languages", 2, "\xc2", 1);
	check_refused(f->path, -EINVAL, "damaged metadata");
}

static void a_record_nested_without_end_is_refused(void **state)
{
	const struct fixture *f = *state;
	const size_t levels = 8 << 20;
	_cleanup_free_ uint8_t *data = NULL, *bomb = NULL;
	struct mmdb_options options = mmdb_options_default;
	struct mmdb_network network;
	const size_t tree = 7;
	size_t size;
	uint8_t *at;

	/* One node; its data begin with arrays of one array, deep enough for any stack. */
	options.ip_version = 4;
	assert_int_equal(mmdb_network_parse("0.0.0.0/1=DE", &network), 0);
	assert_int_equal(mmdb_make(&options, &network, 1, &data, &size), 0);
	bomb = malloc(size + 2 * levels);
	assert_non_null(bomb);
	at = mempcpy(bomb, data, tree + 16);
	for (size_t i = 0; i < levels; i++)
		at = mempcpy(at, "\x01\x04", 2);
	memcpy(at, data + tree + 16, size - tree - 16);
	/* The record is the first of the node; 1 + 16 is where the data begin. */
	memcpy(bomb, "\x00\x00\x11", 3);
	write_bytes(f->path, bomb, size + 2 * levels);
	check_refused(f->path, -EINVAL, "damaged");
}

static void a_file_that_changes_later_changes_nothing(void **state)
{
	const struct fixture *f = *state;
	_cleanup_geo_ struct rf_geo *g = NULL;

	write_list(f, &mmdb_options_default, "192.0.2.0/24=DE");
	g = open_database(f);
	assert_int_equal(truncate(f->path, 0), 0);
	check_countries(g, "DE", "192.0.2.0/24");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_database_is_refused),
		cmocka_unit_test(a_marker_that_ends_a_page_is_refused),
		cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
		cmocka_unit_test(a_file_without_its_beginning_is_refused),
		cmocka_unit_test(no_country_in_any_record_is_refused),
		cmocka_unit_test(a_damaged_tree_is_refused),
		cmocka_unit_test(a_tree_that_comes_to_its_nodes_again_and_again_is_refused),
		cmocka_unit_test(metadata_that_do_not_fit_are_refused),
		cmocka_unit_test(a_record_nested_without_end_is_refused),
		cmocka_unit_test(a_file_that_changes_later_changes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tree of a database is walked twice: once when it is opened, which finds
 * damage before anybody relies on the answer, and once for the prefixes that
 * are asked for. A walk goes by ascending addresses, so what it finds is sorted
 * and disjoint, and joining siblings needs no more than the last prefix.
 *
 * The library maps the file that it is given. It is given a copy, so that
 * cutting the file short cannot raise SIGBUS, and what was checked is what is
 * read. Before it reads any value, mmdb_check.c has.
 */
#include "user/collect/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "user/collect/mmdb_check.h"
#include "user/lib/util.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define LETTERS	  ('Z' - 'A' + 1)
#define COUNTRIES (LETTERS * LETTERS)

#define ADDRESS_BITS 128
#define IPV4_BITS    96 /* of ::/96, below which the IPv4 addresses are */
/* Zero bytes between the tree and the data; records count them. */
#define SEPARATOR    16
/*
 * Visits of a node on average, and values walked for a byte of data. A database that is not damaged needs 1, aliases
 * being left out, and a few; one that is could make a walk of a small file endless.
 */
#define NODE_VISITS  4
#define BYTE_VALUES  16

/* What is known of a record; and from RECORD_COUNTRY on, the index of its country. */
enum record { RECORD_NEW, RECORD_NO_COUNTRY, RECORD_COUNTRY };

struct rf_geo {
	MMDB_s mmdb;
	bool is_open;
	struct rf_mmdb_section data;
	uint16_t *records; /* by offset in the data; untouched pages of it take no memory */
	uint64_t budget;   /* values that may still be walked */
	bool known[COUNTRIES];
};

struct subtree {
	uint8_t type; /* MMDB_RECORD_TYPE_* */
	uint64_t record;
	unsigned int depth;
	uint8_t addr[16];
};

struct prefixes {
	const bool *wanted;
	struct rf_cidr *items;
	size_t n, capacity;
};

typedef int (*found_fn)(void *arg, const struct rf_cidr *cidr, unsigned int country);

/* The index of "DE"; -1 when that is no country code. */
static int country_index(const char *code, size_t len)
{
	if (len != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z')
		return -1;
	return (code[0] - 'A') * LETTERS + (code[1] - 'A');
}

/* -ENOENT: there is no such key, or what is at @offset is no map. */
static int map_get(struct rf_geo *g, uint32_t offset, const char *key, MMDB_entry_data_s *ret)
{
	MMDB_entry_s entry = { .mmdb = &g->mmdb, .offset = offset };
	const char *const path[] = { key, NULL };
	int r;

	r = rf_mmdb_check_value(&g->data, offset, &g->budget);
	if (r)
		return r;
	r = MMDB_aget_value(&entry, ret, path);
	if (r == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
		return -ENOENT;
	return r == MMDB_SUCCESS ? 0 : -EBADMSG;
}

static int record_decide(struct rf_geo *g, uint32_t offset)
{
	MMDB_entry_data_s value;
	int r, country;

	r = map_get(g, offset, "country", &value);
	if (r == -ENOENT)
		r = map_get(g, offset, "registered_country", &value);
	if (!r)
		r = map_get(g, value.offset, "iso_code", &value);
	if (r && r != -ENOENT)
		return r;
	country = !r && value.type == MMDB_DATA_TYPE_UTF8_STRING ? country_index(value.utf8_string, value.data_size) :
								   -1;
	g->records[offset] = country < 0 ? RECORD_NO_COUNTRY : RECORD_COUNTRY + country;
	return 0;
}

static bool is_below_ipv4(const struct subtree *t)
{
	static const uint8_t zero[IPV4_BITS / 8];

	return t->depth >= IPV4_BITS && memcmp(t->addr, zero, sizeof(zero)) == 0;
}

static bool is_below_mapped(const struct subtree *t)
{
	static const uint8_t mapped[IPV4_BITS / 8] = { [10] = 0xff, [11] = 0xff };

	return t->depth >= IPV4_BITS && memcmp(t->addr, mapped, sizeof(mapped)) == 0;
}

/* The node of the IPv4 addresses, come upon elsewhere; and ::ffff:0:0/96, which is IPv4 to the kernel, never IPv6. */
static bool is_alias(const struct rf_geo *g, const struct subtree *t)
{
	const MMDB_ipv4_start_node_s *ipv4 = &g->mmdb.ipv4_start_node;

	if (is_below_mapped(t))
		return true;
	return g->mmdb.metadata.ip_version == 6 && t->type == MMDB_RECORD_TYPE_SEARCH_NODE &&
	       ipv4->netmask == IPV4_BITS && t->record == ipv4->node_value && !is_below_ipv4(t);
}

static int found(const struct subtree *t, unsigned int country, found_fn fn, void *arg)
{
	static const struct rf_cidr all_ipv4 = { .family = AF_INET };
	static const uint8_t zero[16];
	struct rf_cidr cidr = { .family = AF_INET6, .prefix = t->depth };
	int r = 0;

	if (is_below_ipv4(t)) {
		cidr.family = AF_INET;
		cidr.prefix -= IPV4_BITS;
		memcpy(cidr.addr, t->addr + IPV4_BITS / 8, 4);
		return fn(arg, &cidr, country);
	}
	memcpy(cidr.addr, t->addr, sizeof(cidr.addr));
	/* ::/64 and the like have all of IPv4 inside. */
	if (t->depth < IPV4_BITS && memcmp(t->addr, zero, sizeof(zero)) == 0)
		r = fn(arg, &all_ipv4, country);
	return r ? r : fn(arg, &cidr, country);
}

static int visit_data(struct rf_geo *g, const struct subtree *t, found_fn fn, void *arg)
{
	/* Not the entry's offset of the library, which wraps around where a record points into the separator. */
	uint64_t offset = t->record - g->mmdb.metadata.node_count - SEPARATOR;
	int r;

	if (offset >= g->data.size)
		return -EBADMSG;
	if (g->records[offset] == RECORD_NEW) {
		r = record_decide(g, offset);
		if (r)
			return r;
	}
	if (g->records[offset] == RECORD_NO_COUNTRY)
		return 0;
	return found(t, g->records[offset] - RECORD_COUNTRY, fn, arg);
}

static struct subtree child(const struct subtree *t, uint8_t type, uint64_t record, unsigned int bit)
{
	struct subtree c = *t;

	c.type = type;
	c.record = record;
	c.addr[t->depth / 8] |= bit << (7 - t->depth % 8);
	c.depth++;
	return c;
}

/* Calls @fn for every prefix that has a country, by ascending address. -EBADMSG: the file is damaged. */
static int walk(struct rf_geo *g, found_fn fn, void *arg)
{
	uint64_t visits = (uint64_t)g->mmdb.metadata.node_count * NODE_VISITS;
	struct subtree todo[ADDRESS_BITS + 2]; /* every level leaves one behind */
	size_t n = 0;
	int r;

	todo[n++] = (struct subtree){ .type = MMDB_RECORD_TYPE_SEARCH_NODE,
				      .depth = g->mmdb.metadata.ip_version == 4 ? IPV4_BITS : 0 };
	while (n) {
		struct subtree t = todo[--n];
		MMDB_search_node_s node;

		if (t.type == MMDB_RECORD_TYPE_EMPTY || is_alias(g, &t))
			continue;
		if (t.type == MMDB_RECORD_TYPE_DATA) {
			r = visit_data(g, &t, fn, arg);
			if (r)
				return r;
			continue;
		}
		if (t.type != MMDB_RECORD_TYPE_SEARCH_NODE || t.depth == ADDRESS_BITS || !visits--)
			return -EBADMSG;
		if (MMDB_read_node(&g->mmdb, t.record, &node) != MMDB_SUCCESS)
			return -EBADMSG;
		todo[n++] = child(&t, node.right_record_type, node.right_record, 1);
		todo[n++] = child(&t, node.left_record_type, node.left_record, 0);
	}
	return 0;
}

static int note_country(void *arg, const struct rf_cidr *cidr, unsigned int country)
{
	struct rf_geo *g = arg;

	(void)cidr;
	g->known[country] = true;
	return 0;
}

static int memory_file(void)
{
	int fd = memfd_create("ringfence-geo", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* Before Linux 6.3 there is no such flag; since then, vm.memfd_noexec may ask for it. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ringfence-geo", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A file in memory that nobody else has. */
static int file_copy(const char *path, int *ret_fd, const char **ret_what)
{
	/* Not blocking: somebody may have made a FIFO of that name. */
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_close_ int to = -1;
	struct stat st;
	ssize_t n;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		*ret_what = "is no regular file; name a country database";
		return -EINVAL;
	}
	if (st.st_size > RF_GEO_FILE_MAX) {
		*ret_what = "is larger than 512 MiB; use a country database rather than one with more detail";
		return -EFBIG;
	}
	to = memory_file();
	if (to < 0)
		return to;
	for (off_t left = st.st_size; left > 0; left -= n) {
		do
			n = sendfile(to, from, NULL, left);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
		if (n == 0) /* it was cut short meanwhile, which shows in what is left of it */
			break;
	}
	*ret_fd = TAKE_FD(to);
	return 0;
}

static int metadata_check(int fd, const char **ret_what)
{
	_cleanup_free_ uint8_t *tail = NULL;
	struct rf_mmdb_section section;
	uint64_t tree_size;
	size_t size, offset;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = MIN(st.st_size, (off_t)RF_MMDB_METADATA_MAX);
	tail = malloc(size + 1);
	if (!tail)
		return -ENOMEM;
	n = pread(fd, tail, size, st.st_size - (off_t)size);
	if (n != (ssize_t)size)
		return n < 0 ? -errno : -EIO;
	if (rf_mmdb_find_metadata(tail, size, &offset)) {
		*ret_what =
			"is no MaxMind database, or its end is missing (there are no metadata in its last 128 KiB); "
			"download a country database, such as GeoLite2-Country.mmdb, again";
		return -EINVAL;
	}
	section = (struct rf_mmdb_section){ tail + offset, size - offset };
	if (rf_mmdb_check_metadata(&section, &tree_size)) {
		*ret_what = "is a MaxMind database with damaged metadata; download it again";
		return -EINVAL;
	}
	/* The marker is behind the tree; what comes between is found when the library has said the same. */
	return tree_size < (uint64_t)st.st_size - section.size ? 0 : -EBADMSG;
}

static int library_open(struct rf_geo *g, int fd, const char **ret_what)
{
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	errno = 0;
	r = MMDB_open(path, MMDB_MODE_MMAP, &g->mmdb);
	switch (r) {
	case MMDB_SUCCESS:
		g->is_open = true;
		return 0;
	case MMDB_OUT_OF_MEMORY_ERROR:
		return -ENOMEM;
	case MMDB_FILE_OPEN_ERROR:
	case MMDB_IO_ERROR:
		return errno ? -errno : -EIO;
	case MMDB_UNKNOWN_DATABASE_FORMAT_ERROR:
		*ret_what = "is a MaxMind database of a format other than 2; use one of format 2";
		return -EINVAL;
	default:
		*ret_what = "is a MaxMind database with damaged or incomplete metadata; download it again";
		return -EINVAL;
	}
}

/* Not by the library's size of the data, which has the metadata in it. */
static int data_find(struct rf_geo *g)
{
	uint64_t tree = (uint64_t)g->mmdb.metadata.node_count * g->mmdb.full_record_byte_size;
	uint64_t end = g->mmdb.metadata_section - g->mmdb.file_content - (sizeof(RF_MMDB_MARKER) - 1);

	if (tree + SEPARATOR >= end)
		return -EBADMSG;
	g->data.data = g->mmdb.file_content + tree + SEPARATOR;
	g->data.size = end - tree - SEPARATOR;
	g->budget = (uint64_t)g->data.size * BYTE_VALUES;
	g->records = calloc(g->data.size, sizeof(*g->records));
	return g->records ? 0 : -ENOMEM;
}

static int open_file(struct rf_geo *g, const char *path, const char **ret_what)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = file_copy(path, &fd, ret_what);
	if (!r)
		r = metadata_check(fd, ret_what);
	if (!r)
		r = library_open(g, fd, ret_what);
	if (!r)
		r = data_find(g);
	if (!r)
		r = walk(g, note_country, g);
	if (r == -EBADMSG) {
		*ret_what = "is a damaged MaxMind database; download it again";
		return -EINVAL;
	}
	if (!r && !memchr(g->known, true, sizeof(g->known))) {
		*ret_what = "is a MaxMind database without country.iso_code in any record; "
			    "use a country or city database, such as GeoLite2-Country.mmdb";
		return -EINVAL;
	}
	return r;
}

int rf_geo_open(const char *path, struct rf_geo **ret, char **ret_error)
{
	_cleanup_geo_ struct rf_geo *g = calloc(1, sizeof(*g));
	const char *what = NULL;
	char *error;
	int r;

	r = g ? open_file(g, path, &what) : -ENOMEM;
	if (!r) {
		*ret = TAKE_PTR(g);
		return 0;
	}
	if ((what ? asprintf(&error, "%s %s", path, what) :
		    asprintf(&error, "%s: %s; it should be a country database, such as GeoLite2-Country.mmdb", path,
			     strerror(-r))) < 0)
		return -ENOMEM;
	*ret_error = error;
	return r;
}

void rf_geo_free(struct rf_geo *g)
{
	if (!g)
		return;
	if (g->is_open)
		MMDB_close(&g->mmdb);
	free(g->records);
	free(g);
}

uint64_t rf_geo_built(const struct rf_geo *g)
{
	return g->mmdb.metadata.build_epoch;
}

const char *rf_geo_type(const struct rf_geo *g)
{
	return g->mmdb.metadata.database_type;
}

/* @b is what @a would be with its last bit set. */
static bool are_siblings(const struct rf_cidr *a, const struct rf_cidr *b)
{
	struct rf_cidr sibling = *a;
	unsigned int last = a->prefix - 1U;

	if (!a->prefix || a->family != b->family || a->prefix != b->prefix)
		return false;
	sibling.addr[last / 8] |= 0x80 >> last % 8;
	return memcmp(a->addr, b->addr, sizeof(a->addr)) != 0 &&
	       memcmp(sibling.addr, b->addr, sizeof(sibling.addr)) == 0;
}

static int prefixes_add(void *arg, const struct rf_cidr *found_cidr, unsigned int country)
{
	struct rf_cidr cidr = *found_cidr, *items;
	struct prefixes *p = arg;
	size_t capacity;

	if (!p->wanted[country])
		return 0;
	while (p->n && are_siblings(&p->items[p->n - 1], &cidr)) {
		cidr = p->items[--p->n];
		cidr.prefix--;
	}
	if (p->n == RF_GEO_PREFIXES_MAX)
		return -E2BIG;
	if (p->n == p->capacity) {
		capacity = p->capacity ? p->capacity * 2 : 1024;
		items = reallocarray(p->items, capacity, sizeof(*items));
		if (!items)
			return -ENOMEM;
		p->items = items;
		p->capacity = capacity;
	}
	p->items[p->n++] = cidr;
	return 0;
}

static void prefixes_fini(struct prefixes *p)
{
	free(p->items);
}

int rf_geo_countries(struct rf_geo *g, const char (*countries)[3], size_t n_countries, struct rf_cidr **ret,
		     size_t *ret_n, size_t *ret_unknown)
{
	bool wanted[COUNTRIES] = { 0 };
	_cleanup_(prefixes_fini) struct prefixes p = { .wanted = wanted };
	int r, country;

	for (size_t i = 0; i < n_countries; i++) {
		country = country_index(countries[i], strnlen(countries[i], sizeof(countries[i])));
		if (country < 0 || !g->known[country]) {
			*ret_unknown = i;
			return -ENOENT;
		}
		wanted[country] = true;
	}
	if (n_countries) {
		r = walk(g, prefixes_add, &p);
		if (r)
			return r;
	}
	*ret = TAKE_PTR(p.items);
	*ret_n = p.n;
	return 0;
}

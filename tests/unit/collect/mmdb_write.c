// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tree of nodes with two records each, filled from the shortest prefix to the
 * longest, then written with the data section and the metadata behind it.
 */
#include "tests/unit/collect/mmdb_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "user/lib/strbuf.h"

enum data_type {
	DATA_POINTER = 1,
	DATA_STRING = 2,
	DATA_UINT16 = 5,
	DATA_UINT32 = 6,
	DATA_MAP = 7,
	DATA_UINT64 = 9,
	DATA_ARRAY = 11,
	DATA_BOOLEAN = 14
};

enum kind { KIND_EMPTY, KIND_NODE, KIND_DATA };

struct entry {
	enum kind kind;
	uint32_t value; /* number of the node; offset in the data */
};

struct node {
	struct entry side[2];
};

struct tree {
	struct node *nodes;
	size_t n, capacity;
};

/* What was written already: records and countries are shared, as in real files. */
struct seen {
	char country[3], registered[3];
	uint32_t offset;
};

struct data {
	struct rf_strbuf out;
	struct seen *records, *countries;
	size_t n_records, n_countries;
};

const struct mmdb_options mmdb_options_default = {
	.record_size = 28,
	.ip_version = 6,
	.aliases = true,
	.build_epoch = 1700000000,
	.type = "Ringfence-Test-Country",
};

static void put_number(struct rf_strbuf *out, uint64_t value, unsigned int bytes)
{
	while (bytes--)
		rf_strbuf_addc(out, (char)(value >> (8 * bytes)));
}

/* Sizes up to 284 are all that is needed. */
static void put_control(struct rf_strbuf *out, enum data_type type, unsigned int size)
{
	unsigned int low = size < 29 ? size : 29;

	if (type > DATA_MAP) {
		rf_strbuf_addc(out, (char)low);
		rf_strbuf_addc(out, (char)(type - 7));
	} else {
		rf_strbuf_addc(out, (char)(type << 5 | low));
	}
	if (low == 29)
		rf_strbuf_addc(out, (char)(size - 29));
}

static void put_string(struct rf_strbuf *out, const char *s)
{
	put_control(out, DATA_STRING, strlen(s));
	rf_strbuf_adds(out, s);
}

static void put_integer(struct rf_strbuf *out, enum data_type type, uint64_t value)
{
	unsigned int bytes = 0;

	while (bytes < 8 && value >> (8 * bytes))
		bytes++;
	put_control(out, type, bytes);
	put_number(out, value, bytes);
}

static void put_pointer(struct rf_strbuf *out, uint32_t offset)
{
	if (offset < 2048) {
		rf_strbuf_addc(out, (char)(DATA_POINTER << 5 | offset >> 8));
		put_number(out, offset & 0xff, 1);
	} else if (offset < 526336) {
		offset -= 2048;
		rf_strbuf_addc(out, (char)(DATA_POINTER << 5 | 1 << 3 | offset >> 16));
		put_number(out, offset & 0xffff, 2);
	} else {
		rf_strbuf_addc(out, (char)(DATA_POINTER << 5 | 3 << 3));
		put_number(out, offset, 4);
	}
}

/* Fields before the code, and one that has to be skipped as a whole. */
static uint32_t put_country(struct data *d, const char *code)
{
	struct seen *s;

	for (size_t i = 0; i < d->n_countries; i++) {
		if (rf_streq(d->countries[i].country, code))
			return d->countries[i].offset;
	}
	s = reallocarray(d->countries, d->n_countries + 1, sizeof(*s));
	if (!s)
		abort();
	d->countries = s;
	s = &d->countries[d->n_countries++];
	*s = (struct seen){ .offset = d->out.len };
	strcpy(s->country, code);

	put_control(&d->out, DATA_MAP, 4);
	put_string(&d->out, "geoname_id");
	put_integer(&d->out, DATA_UINT32, 2000000 + d->n_countries);
	put_string(&d->out, "names");
	put_control(&d->out, DATA_MAP, 1);
	put_string(&d->out, "en");
	put_string(&d->out, code);
	put_string(&d->out, "is_in_european_union");
	put_control(&d->out, DATA_BOOLEAN, 1);
	put_string(&d->out, "iso_code");
	put_string(&d->out, code);
	return s->offset;
}

static uint32_t put_record(struct data *d, const struct mmdb_network *network)
{
	uint32_t country = 0, registered = 0;
	struct seen *s;

	for (size_t i = 0; i < d->n_records; i++) {
		if (rf_streq(d->records[i].country, network->country) &&
		    rf_streq(d->records[i].registered, network->registered))
			return d->records[i].offset;
	}
	if (*network->country)
		country = put_country(d, network->country);
	if (*network->registered)
		registered = put_country(d, network->registered);
	s = reallocarray(d->records, d->n_records + 1, sizeof(*s));
	if (!s)
		abort();
	d->records = s;
	s = &d->records[d->n_records++];
	*s = (struct seen){ .offset = d->out.len };
	strcpy(s->country, network->country);
	strcpy(s->registered, network->registered);

	put_control(&d->out, DATA_MAP, 1 + !!*network->country + !!*network->registered);
	put_string(&d->out, "continent");
	put_control(&d->out, DATA_MAP, 1);
	put_string(&d->out, "code");
	put_string(&d->out, "AN");
	if (*network->registered) {
		put_string(&d->out, "registered_country");
		put_pointer(&d->out, registered);
	}
	if (*network->country) {
		put_string(&d->out, "country");
		put_pointer(&d->out, country);
	}
	return s->offset;
}

/* Makes a node of @e, both of whose sides are what it was. */
static uint32_t split(struct tree *t, struct entry e)
{
	if (t->n == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : 1024;
		t->nodes = reallocarray(t->nodes, t->capacity, sizeof(*t->nodes));
		if (!t->nodes)
			abort();
	}
	t->nodes[t->n] = (struct node){ { e, e } };
	return t->n++;
}

static unsigned int bit_of(const uint8_t *addr, unsigned int depth)
{
	return addr[depth / 8] >> (7 - depth % 8) & 1;
}

/* The node at depth @depth - 1 on the way to @addr, splitting what is above. */
static struct entry *reach(struct tree *t, const uint8_t *addr, unsigned int depth)
{
	uint32_t at = 0, next;

	for (unsigned int i = 0; i + 1 < depth; i++) {
		unsigned int bit = bit_of(addr, i);

		if (t->nodes[at].side[bit].kind != KIND_NODE) {
			next = split(t, t->nodes[at].side[bit]);
			t->nodes[at].side[bit] = (struct entry){ KIND_NODE, next };
		}
		at = t->nodes[at].side[bit].value;
	}
	return &t->nodes[at].side[bit_of(addr, depth - 1)];
}

static void add_aliases(struct tree *t)
{
	static const struct {
		uint8_t addr[16];
		unsigned int prefix;
	} aliases[] = { { { [10] = 0xff, [11] = 0xff }, 96 }, { { 0x20, 0x01 }, 32 }, { { 0x20, 0x02 }, 16 } };
	static const uint8_t zero[16];
	struct entry ipv4;

	reach(t, zero, 97);
	ipv4 = *reach(t, zero, 96);
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		*reach(t, aliases[i].addr, aliases[i].prefix) = ipv4;
}

/* The address as the tree has it, and how much of it counts. */
static unsigned int tree_address(const struct mmdb_options *options, const struct rf_cidr *cidr, uint8_t addr[16])
{
	unsigned int shift = options->ip_version == 6 && cidr->family == AF_INET ? 96 : 0;

	memset(addr, 0, 16);
	memcpy(addr + shift / 8, cidr->addr, cidr->family == AF_INET ? 4 : 16);
	return cidr->prefix + shift;
}

static int insert_all(struct tree *t, struct data *d, const struct mmdb_options *options,
		      const struct mmdb_network *networks, size_t n)
{
	uint8_t addr[16];

	split(t, (struct entry){ KIND_EMPTY, 0 });
	for (unsigned int length = 0; length <= 128; length++) {
		for (size_t i = 0; i < n; i++) {
			struct entry e = { KIND_DATA, 0 };

			if (options->ip_version == 4 && networks[i].cidr.family != AF_INET)
				return -EINVAL;
			if (tree_address(options, &networks[i].cidr, addr) != length)
				continue;
			e.value = put_record(d, &networks[i]);
			if (length == 0)
				t->nodes[0] = (struct node){ { e, e } };
			else
				*reach(t, addr, length) = e;
		}
	}
	if (options->ip_version == 6 && options->aliases)
		add_aliases(t);
	return 0;
}

static void put_node(struct rf_strbuf *out, const struct tree *t, const struct node *node, unsigned int record_size)
{
	uint64_t record[2];

	for (unsigned int i = 0; i < 2; i++) {
		const struct entry *e = &node->side[i];

		record[i] = e->kind == KIND_NODE ? e->value : e->kind == KIND_EMPTY ? t->n : t->n + 16 + e->value;
	}
	if (record_size == 28) {
		put_number(out, record[0] & 0xffffff, 3);
		put_number(out, (record[0] >> 24) << 4 | record[1] >> 24, 1);
		put_number(out, record[1] & 0xffffff, 3);
	} else {
		put_number(out, record[0], record_size / 8);
		put_number(out, record[1], record_size / 8);
	}
}

static void put_metadata(struct rf_strbuf *out, const struct mmdb_options *options, size_t node_count)
{
	rf_strbuf_adds(out, "\xab\xcd\xefMaxMind.com");
	put_control(out, DATA_MAP, 9);
	put_string(out, "binary_format_major_version");
	put_integer(out, DATA_UINT16, 2);
	put_string(out, "binary_format_minor_version");
	put_integer(out, DATA_UINT16, 0);
	put_string(out, "build_epoch");
	put_integer(out, DATA_UINT64, options->build_epoch);
	put_string(out, "database_type");
	put_string(out, options->type);
	put_string(out, "description");
	put_control(out, DATA_MAP, 1);
	put_string(out, "en");
	put_string(out, "A database for tests");
	put_string(out, "ip_version");
	put_integer(out, DATA_UINT16, options->ip_version);
	put_string(out, "languages");
	put_control(out, DATA_ARRAY, 1);
	put_string(out, "en");
	put_string(out, "node_count");
	put_integer(out, DATA_UINT32, node_count);
	put_string(out, "record_size");
	put_integer(out, DATA_UINT16, options->record_size);
}

int mmdb_make(const struct mmdb_options *options, const struct mmdb_network *networks, size_t n, uint8_t **ret_data,
	      size_t *ret_size)
{
	struct rf_strbuf out = RF_STRBUF_INIT;
	struct data d = { .out = RF_STRBUF_INIT };
	struct tree t = { 0 };
	int r;

	r = insert_all(&t, &d, options, networks, n);
	if (!r && t.n + 16 + d.out.len >= 1ULL << options->record_size)
		r = -E2BIG;
	if (!r) {
		for (size_t i = 0; i < t.n; i++)
			put_node(&out, &t, &t.nodes[i], options->record_size);
		put_number(&out, 0, 8);
		put_number(&out, 0, 8);
		rf_strbuf_add(&out, d.out.data, d.out.len);
		put_metadata(&out, options, t.n);
		r = rf_strbuf_error(&out);
	}
	if (!r) {
		*ret_size = out.len;
		*ret_data = (uint8_t *)rf_strbuf_take(&out);
	}
	rf_strbuf_fini(&out);
	rf_strbuf_fini(&d.out);
	free(d.records);
	free(d.countries);
	free(t.nodes);
	return r;
}

int mmdb_write(const char *path, const struct mmdb_options *options, const struct mmdb_network *networks, size_t n)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	FILE *f;
	int r;

	r = mmdb_make(options, networks, n, &data, &size);
	if (r)
		return r;
	f = fopen(path, "we");
	if (!f)
		return -errno;
	r = fwrite(data, 1, size, f) == size ? 0 : -EIO;
	return fclose(f) && !r ? -errno : r;
}

static int code_parse(const char *text, size_t len, char ret[3])
{
	if (len != 0 && len != 2)
		return -EINVAL;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}

int mmdb_network_parse(const char *text, struct mmdb_network *ret)
{
	struct mmdb_network network = { 0 };
	char addr[INET6_ADDRSTRLEN];
	unsigned int prefix, most;
	const char *codes;
	int end = 0;
	size_t len;

	if (sscanf(text, "%45[0-9a-fA-F:.]/%u=%n", addr, &prefix, &end) != 2 || !end)
		return -EINVAL;
	network.cidr.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	most = network.cidr.family == AF_INET ? 32 : 128;
	if (prefix > most || inet_pton(network.cidr.family, addr, network.cidr.addr) != 1)
		return -EINVAL;
	network.cidr.prefix = prefix;
	for (unsigned int i = prefix; i < most; i++) {
		if (bit_of(network.cidr.addr, i))
			return -EINVAL;
	}
	codes = text + end;
	len = strcspn(codes, "/");
	if (code_parse(codes, len, network.country))
		return -EINVAL;
	codes += len;
	if (*codes && code_parse(codes + 1, strlen(codes + 1), network.registered))
		return -EINVAL;
	*ret = network;
	return 0;
}

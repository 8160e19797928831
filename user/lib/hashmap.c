// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open addressing with linear probing over pointers to entries; the key is
 * kept in the entry. A removed entry leaves a grave, so that an iterator's
 * position stays good. Entries and graves together fill at most 3/4 of the
 * slots, so a probe always ends. SipHash-1-3 (Aumasson, Bernstein, 2012).
 */
#include "user/lib/hashmap.h"

#include <errno.h>
#include <sys/random.h>

#define MIN_SLOTS 16

struct entry {
	uint64_t hash;
	void *value;
	size_t len;
	char key[];
};

struct rf_hashmap {
	struct entry **slots;
	size_t n_slots; /* a power of two, or 0 before the first entry */
	size_t size;
	size_t graves;
	uint64_t seed[2];
	void (*free_value)(void *);
};

static struct entry grave;

static inline uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t hash_key(const struct rf_hashmap *m, const void *key, size_t len)
{
	uint64_t v[4] = {
		m->seed[0] ^ 0x736f6d6570736575ULL,
		m->seed[1] ^ 0x646f72616e646f6dULL,
		m->seed[0] ^ 0x6c7967656e657261ULL,
		m->seed[1] ^ 0x7465646279746573ULL,
	};
	const unsigned char *p = key;
	size_t left = len;
	uint64_t word = 0;

	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)p[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int rf_hashmap_new(void (*free_value)(void *), struct rf_hashmap **ret)
{
	_cleanup_hashmap_ struct rf_hashmap *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->free_value = free_value;
	/* Never waits for entropy at boot: the seed only has to be hard to guess for a tenant. */
	if (getrandom(m->seed, sizeof(m->seed), GRND_INSECURE) != sizeof(m->seed))
		return -EIO;
	*ret = TAKE_PTR(m);
	return 0;
}

void rf_hashmap_free(struct rf_hashmap *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_slots; i++) {
		struct entry *e = m->slots[i];

		if (!e || e == &grave)
			continue;
		if (m->free_value)
			m->free_value(e->value);
		free(e);
	}
	free(m->slots);
	free(m);
}

size_t rf_hashmap_size(const struct rf_hashmap *m)
{
	return m->size;
}

/* The slot of the key, or NULL. *ret_free, if asked for, is the slot where it would go. */
static struct entry **find(const struct rf_hashmap *m, uint64_t hash, const void *key, size_t len,
			   struct entry ***ret_free)
{
	struct entry **vacant = NULL;
	size_t mask = m->n_slots - 1;

	for (size_t i = hash & mask; m->n_slots; i = (i + 1) & mask) {
		struct entry *e = m->slots[i];

		if (!e || e == &grave) {
			if (!vacant)
				vacant = &m->slots[i];
			if (!e)
				break;
		} else if (e->hash == hash && e->len == len && (len == 0 || memcmp(e->key, key, len) == 0)) {
			return &m->slots[i];
		}
	}
	if (ret_free)
		*ret_free = vacant;
	return NULL;
}

/* Makes room for one more; drops the graves. */
static int make_room(struct rf_hashmap *m)
{
	size_t n_slots = MIN_SLOTS;
	struct entry **slots;

	if ((m->size + m->graves + 1) * 4 <= m->n_slots * 3)
		return 0;
	while ((m->size + 1) * 2 > n_slots)
		n_slots *= 2;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_slots; i++) {
		struct entry *e = m->slots[i];
		size_t to;

		if (!e || e == &grave)
			continue;
		for (to = e->hash & (n_slots - 1); slots[to]; to = (to + 1) & (n_slots - 1))
			;
		slots[to] = e;
	}
	free(m->slots);
	m->slots = slots;
	m->n_slots = n_slots;
	m->graves = 0;
	return 0;
}

static int insert(struct rf_hashmap *m, uint64_t hash, const void *key, size_t len, void *value)
{
	struct entry *e, **slot = NULL;

	if (len > SIZE_MAX - sizeof(*e))
		return -ENOMEM;
	e = malloc(sizeof(*e) + len);
	if (!e)
		return -ENOMEM;
	if (make_room(m)) {
		free(e);
		return -ENOMEM;
	}
	e->hash = hash;
	e->value = value;
	e->len = len;
	if (len)
		memcpy(e->key, key, len);
	find(m, hash, key, len, &slot);
	if (*slot == &grave)
		m->graves--;
	*slot = e;
	m->size++;
	return 0;
}

int rf_hashmap_put(struct rf_hashmap *m, const void *key, size_t len, void *value)
{
	uint64_t hash = hash_key(m, key, len);

	if (find(m, hash, key, len, NULL))
		return -EEXIST;
	return insert(m, hash, key, len, value);
}

int rf_hashmap_set(struct rf_hashmap *m, const void *key, size_t len, void *value)
{
	uint64_t hash = hash_key(m, key, len);
	struct entry **slot = find(m, hash, key, len, NULL);

	if (!slot)
		return insert(m, hash, key, len, value);
	if (m->free_value && (*slot)->value != value)
		m->free_value((*slot)->value);
	(*slot)->value = value;
	return 0;
}

void *rf_hashmap_get(const struct rf_hashmap *m, const void *key, size_t len)
{
	struct entry **slot = find(m, hash_key(m, key, len), key, len, NULL);

	return slot ? (*slot)->value : NULL;
}

/* Empties the slot; true and the value when there was one. */
static bool extract(struct rf_hashmap *m, const void *key, size_t len, void **ret_value)
{
	struct entry **slot = find(m, hash_key(m, key, len), key, len, NULL);
	size_t next;

	if (!slot)
		return false;
	*ret_value = (*slot)->value;
	free(*slot);
	m->size--;
	/* Where the next slot is free no probe goes on, and no grave is needed. */
	next = (slot - m->slots + 1) & (m->n_slots - 1);
	if (m->slots[next]) {
		*slot = &grave;
		m->graves++;
	} else {
		*slot = NULL;
	}
	return true;
}

void *rf_hashmap_take(struct rf_hashmap *m, const void *key, size_t len)
{
	void *value = NULL;

	extract(m, key, len, &value);
	return value;
}

bool rf_hashmap_remove(struct rf_hashmap *m, const void *key, size_t len)
{
	void *value;

	if (!extract(m, key, len, &value))
		return false;
	if (m->free_value)
		m->free_value(value);
	return true;
}

bool rf_hashmap_next(const struct rf_hashmap *m, struct rf_hashmap_iter *it, const void **ret_key, size_t *ret_len,
		     void **ret_value)
{
	while (it->position < m->n_slots) {
		struct entry *e = m->slots[it->position++];

		if (!e || e == &grave)
			continue;
		if (ret_key)
			*ret_key = e->key;
		if (ret_len)
			*ret_len = e->len;
		if (ret_value)
			*ret_value = e->value;
		return true;
	}
	return false;
}

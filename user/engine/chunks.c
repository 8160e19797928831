// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunks of maps. The outer map holds them: a daemon that dies leaves them to
 * programs and to the next one. Each new one waits for the programs that run,
 * as any update of an array of maps does: they are large for that reason.
 */
#include "user/engine/chunks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void rf_chunks_declare(struct rf_chunks *c, struct bpf_map *map)
{
	/* libbpf forgets the inner map once it has made the outer one. */
	const struct bpf_map *inner = bpf_map__inner_map(map);

	*c = (struct rf_chunks){
		.map = map,
		.type = bpf_map__type(inner),
		.key_size = bpf_map__key_size(inner),
		.value_size = bpf_map__value_size(inner),
		.entries = bpf_map__max_entries(inner),
		.flags = bpf_map__map_flags(inner),
		.n = bpf_map__max_entries(map),
	};
}

static size_t chunk_bytes(const struct rf_chunks *c)
{
	return (size_t)c->entries * c->value_size;
}

/* Takes @fd, whatever comes of it. */
static int chunk_take(struct rf_chunks *c, uint32_t chunk, int fd)
{
	char *at = c->memory ? c->memory + chunk * chunk_bytes(c) : NULL;

	if (at && mmap(at, chunk_bytes(c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
		int r = -errno;

		close(fd);
		return r;
	}
	c->fds[chunk] = fd;
	return 0;
}

int rf_chunks_open(struct rf_chunks *c)
{
	int outer = bpf_map__fd(c->map), r = 0;

	c->fds = malloc(c->n * sizeof(*c->fds));
	if (!c->fds)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		c->fds[i] = -1;
	if (c->flags & BPF_F_MMAPABLE) {
		/* Side by side: a chunk is a whole number of pages. */
		if (chunk_bytes(c) % sysconf(_SC_PAGESIZE))
			return -EINVAL;
		c->memory = mmap(NULL, c->n * chunk_bytes(c), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
		if (c->memory == MAP_FAILED) {
			c->memory = NULL;
			return -errno;
		}
	}
	for (uint32_t i = 0; r >= 0 && i < c->n; i++) {
		uint32_t id;
		int fd;

		if (bpf_map_lookup_elem(outer, &i, &id) < 0)
			continue;
		fd = bpf_map_get_fd_by_id(id);
		r = fd < 0 ? -errno : chunk_take(c, i, fd);
	}
	return r;
}

void rf_chunks_close(struct rf_chunks *c)
{
	if (c->memory)
		munmap(c->memory, c->n * chunk_bytes(c));
	for (uint32_t i = 0; c->fds && i < c->n; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	free(c->fds);
	*c = (struct rf_chunks){ 0 };
}

int rf_chunks_need(struct rf_chunks *c, uint32_t index)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = c->flags);
	uint32_t chunk = index / c->entries;
	int fd, r;

	if (chunk >= c->n)
		return -ERANGE;
	if (c->fds[chunk] >= 0)
		return 0;
	fd = bpf_map_create(c->type, bpf_map__name(c->map), c->key_size, c->value_size, c->entries, &opts);
	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(bpf_map__fd(c->map), &chunk, &fd, BPF_ANY) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	r = chunk_take(c, chunk, fd);
	if (r < 0)
		bpf_map_delete_elem(bpf_map__fd(c->map), &chunk);
	return r;
}

int rf_chunks_fd(const struct rf_chunks *c, uint32_t chunk)
{
	return c->fds && chunk < c->n ? c->fds[chunk] : -1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps that take memory once it is asked for: in the kernel an array of maps,
 * whose inner maps, the chunks, are made here as bpf/lib/maps.bpf.h declares
 * them. A chunk that was made stays, with the outer map's pin, and a daemon
 * that comes later finds it.
 *
 * Of an mmapable array the chunks lie side by side in memory, so that what is
 * in several of them reads as one array; what has no chunk yet reads as zero.
 *
 *	rf_chunks_declare()	before the skeleton is loaded
 *	rf_chunks_open()	after
 *	rf_chunks_need()	before programs or we write to it
 *	rf_chunks_close()
 */
#ifndef RF_ENGINE_CHUNKS_H
#define RF_ENGINE_CHUNKS_H

#include <bpf/libbpf.h>
#include <stddef.h>
#include <stdint.h>

struct rf_chunks {
	struct bpf_map *map; /* the outer one, borrowed */
	enum bpf_map_type type;
	uint32_t key_size, value_size, entries, flags; /* of a chunk */
	uint32_t n;				       /* chunks that there can be */
	int *fds;				       /* -1: not made */
	char *memory;				       /* of all chunks; NULL: not mapped */
};

void rf_chunks_declare(struct rf_chunks *c, struct bpf_map *map);
/* Those that an earlier daemon made are there. */
int rf_chunks_open(struct rf_chunks *c);
void rf_chunks_close(struct rf_chunks *c);

/* Entry @index may be used. */
int rf_chunks_need(struct rf_chunks *c, uint32_t index);
/* The chunk's file descriptor; -1: not made. */
int rf_chunks_fd(const struct rf_chunks *c, uint32_t chunk);

#endif

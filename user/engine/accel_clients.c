// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open files of accelerators: which there are, from the map that opening and
 * closing keep, and who has them open, from the iterator in accel_drm.bpf.c.
 */
#include <errno.h>

#include "user/engine/internal.h"

#define BATCH 512

bool rf_engine_accel_files_known(const struct rf_engine *e)
{
	return e->accel_holders >= 0;
}

uint64_t rf_engine_accel_files_changes(const struct rf_engine *e)
{
	return __atomic_load_n(&e->config->accel_files, __ATOMIC_ACQUIRE);
}

int rf_accel_rows_each(int fd, size_t value_size, rf_accel_row_fn fn, void *arg)
{
	_cleanup_free_ uint64_t *addresses = NULL;
	_cleanup_free_ char *values = NULL;
	uint32_t cursor, n, room = BATCH;
	bool first = true;
	int r;

	do {
		/* A batch is whole buckets of the hash; more room where one does not fit. */
		values = values ? values : calloc(room, value_size);
		addresses = addresses ? addresses : calloc(room, sizeof(*addresses));
		if (!values || !addresses)
			return -ENOMEM;
		n = room;
		r = bpf_map_lookup_batch(fd, first ? NULL : &cursor, &cursor, addresses, values, &n, NULL);
		if (r < 0 && errno == ENOSPC && room < RF_MAX_ACCEL_OBJECTS) {
			rf_freep(&values);
			rf_freep(&addresses);
			room *= 2;
			r = 0;
			continue;
		}
		if (r < 0 && errno != ENOENT)
			return -errno;
		first = false;
		for (uint32_t i = 0; i < n; i++)
			fn(addresses[i], values + i * value_size, arg);
	} while (r == 0);
	return 0;
}

struct files_walk {
	rf_accel_file_fn fn;
	void *arg;
};

static void file_tell(uint64_t address, const void *value, void *arg)
{
	const struct rf_accel_file *file = value;
	const struct rf_accel_file_key key = { address, file->opened_ns };
	const struct files_walk *walk = arg;

	walk->fn(&key, file, walk->arg);
}

int rf_engine_accel_files_each(const struct rf_engine *e, rf_accel_file_fn fn, void *arg)
{
	struct files_walk walk = { fn, arg };

	return rf_accel_rows_each(rf_engine_map_fd(e, "rf_accel_file_map"), sizeof(struct rf_accel_file), file_tell,
				  &walk);
}

/* Whole records: the iterator puts out no part of one. */
static int holders_read(int fd, rf_accel_holder_fn fn, void *arg)
{
	struct rf_accel_holder holders[128];
	ssize_t n;

	while ((n = read(fd, holders, sizeof(holders)))) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		for (size_t i = 0; i < n / sizeof(*holders); i++)
			fn(&holders[i], arg);
	}
	return 0;
}

int rf_engine_accel_holders_each(const struct rf_engine *e, uint32_t tgid, rf_accel_holder_fn fn, void *arg)
{
	union bpf_iter_link_info of = { .task = { .pid = tgid } };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &of, .iter_info_len = sizeof(of));
	_cleanup_close_ int link = -1, iter = -1;

	if (e->accel_holders < 0)
		return -EOPNOTSUPP;
	link = bpf_link_create(e->accel_holders, 0, BPF_TRACE_ITER, tgid ? &opts : NULL);
	if (link < 0)
		return -errno;
	iter = bpf_iter_create(link);
	return iter < 0 ? -errno : holders_read(iter, fn, arg);
}

void rf_engine_accel_told_get(const struct rf_engine *e, const struct rf_accel_file_key *key, struct rf_accel_told *ret)
{
	if (bpf_map_lookup_elem(rf_engine_map_fd(e, "rf_accel_told_map"), key, ret) < 0)
		*ret = (struct rf_accel_told){ 0 };
}

int rf_engine_accel_told_set(const struct rf_engine *e, const struct rf_accel_file_key *key,
			     const struct rf_accel_told *told)
{
	return bpf_map_update_elem(rf_engine_map_fd(e, "rf_accel_told_map"), key, told, BPF_ANY) < 0 ? -errno : 0;
}

void rf_engine_accel_told_delete(const struct rf_engine *e, const struct rf_accel_file_key *key)
{
	(void)bpf_map_delete_elem(rf_engine_map_fd(e, "rf_accel_told_map"), key);
}

/* A key goes on to the next before it is deleted: one that is gone would begin anew. */
void rf_engine_accel_told_sweep(const struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_accel_told_map"), files = rf_engine_map_fd(e, "rf_accel_file_map");
	struct rf_accel_file_key key, next;
	struct rf_accel_file file;
	int r = bpf_map_get_next_key(fd, NULL, &key);

	while (r == 0) {
		r = bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(files, &key.address, &file) < 0 || file.opened_ns != key.opened_ns)
			bpf_map_delete_elem(fd, &key);
		key = next;
	}
}

struct rf_accel_use *rf_engine_accel_use(const struct rf_engine *e, uint32_t at)
{
	return at && at < RF_MAX_ACCEL_USES && __atomic_load_n(&e->accel_uses[at].whose, __ATOMIC_ACQUIRE) ?
		       &e->accel_uses[at] :
		       NULL;
}

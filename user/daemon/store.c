// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generations on disk. One is written under a temporary name and renamed when
 * it is whole, so that a crash leaves the old ones and at most a ".new".
 */
#include "user/daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "user/lib/fs.h"
#include "user/lib/strbuf.h"

static char *store_path(const char *state_dir, const char *rest)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	rf_strbuf_addf(&b, "%s/%s", state_dir, rest);
	return rf_strbuf_take(&b);
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Numbers of the whole generations, ascending. */
static int generations_list(const char *state_dir, unsigned long **ret, size_t *ret_n)
{
	_cleanup_free_ char *dir = store_path(state_dir, "generations");
	_cleanup_free_ unsigned long *numbers = NULL;
	size_t n, count = 0;
	char **names;
	int r;

	if (!dir)
		return -ENOMEM;
	r = rf_fs_list(AT_FDCWD, dir, 4096, &names, &n);
	if (r < 0)
		return r;
	numbers = calloc(n ? n : 1, sizeof(*numbers));
	for (size_t i = 0; numbers && i < n; i++) {
		char *end;
		unsigned long number = strtoul(names[i], &end, 10);

		if (number && !*end)
			numbers[count++] = number;
	}
	rf_fs_names_free(names, n);
	if (!numbers)
		return -ENOMEM;
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	*ret = TAKE_PTR(numbers);
	*ret_n = count;
	return 0;
}

static char *generation_path(const char *state_dir, unsigned long number, const char *suffix)
{
	char rest[64];

	snprintf(rest, sizeof(rest), "generations/%lu%s", number, suffix);
	return store_path(state_dir, rest);
}

int rf_store_load(const char *state_dir, unsigned int back, struct rf_sources *ret)
{
	_cleanup_free_ unsigned long *numbers = NULL;
	_cleanup_free_ char *dir = NULL;
	size_t n;
	int r;

	r = generations_list(state_dir, &numbers, &n);
	if (r < 0)
		return r;
	if (back >= n)
		return -ENOENT;
	dir = generation_path(state_dir, numbers[n - 1 - back], "");
	return dir ? rf_sources_read_dir(ret, dir, NULL) : -ENOMEM;
}

int rf_store_add(const char *state_dir, const struct rf_sources *s)
{
	_cleanup_sources_ struct rf_sources newest = RF_SOURCES_INIT;
	_cleanup_free_ char *dir = NULL, *fresh = NULL, *parent = store_path(state_dir, "generations");
	_cleanup_free_ unsigned long *numbers = NULL;
	size_t n = 0;
	int r;

	if (!parent)
		return -ENOMEM;
	r = rf_fs_mkdir_p(parent, 0700);
	if (r < 0)
		return r;
	if (rf_store_load(state_dir, 0, &newest) == 0 && rf_sources_hash(&newest) == rf_sources_hash(s))
		return 0;
	r = generations_list(state_dir, &numbers, &n);
	if (r < 0)
		return r;
	dir = generation_path(state_dir, n ? numbers[n - 1] + 1 : 1, "");
	fresh = generation_path(state_dir, n ? numbers[n - 1] + 1 : 1, ".new");
	if (!dir || !fresh)
		return -ENOMEM;
	r = rf_fs_remove_tree(fresh);
	if (r >= 0)
		r = rf_sources_write_dir(s, fresh);
	if (r >= 0 && rename(fresh, dir) < 0)
		r = -errno;
	for (size_t i = 0; r >= 0 && n >= RF_STORE_KEEP && i <= n - RF_STORE_KEEP; i++) {
		_cleanup_free_ char *old = generation_path(state_dir, numbers[i], "");

		if (old)
			(void)rf_fs_remove_tree(old);
	}
	return r < 0 ? r : 0;
}

int rf_store_drop_newest(const char *state_dir)
{
	_cleanup_free_ unsigned long *numbers = NULL;
	_cleanup_free_ char *dir = NULL;
	size_t n;
	int r = generations_list(state_dir, &numbers, &n);

	if (r < 0 || n == 0)
		return r < 0 ? r : -ENOENT;
	dir = generation_path(state_dir, numbers[n - 1], "");
	return dir ? rf_fs_remove_tree(dir) : -ENOMEM;
}

int rf_store_hold_set(const char *state_dir, uint64_t hash)
{
	_cleanup_free_ char *path = store_path(state_dir, "hold");
	char text[32];
	int n = snprintf(text, sizeof(text), "%016" PRIx64 "\n", hash);

	return path ? rf_fs_write_atomic(AT_FDCWD, path, text, n, 0600) : -ENOMEM;
}

void rf_store_hold_clear(const char *state_dir)
{
	_cleanup_free_ char *path = store_path(state_dir, "hold");

	if (path)
		unlink(path);
}

bool rf_store_held(const char *state_dir, uint64_t hash)
{
	_cleanup_free_ char *path = store_path(state_dir, "hold"), *text = NULL;
	size_t len;

	return path && rf_fs_read(AT_FDCWD, path, 64, &text, &len) == 0 && strtoull(text, NULL, 16) == hash;
}

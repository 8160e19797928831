// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files in the maps: what is denied where (file sets, one for each content, as
 * device sets are), and where zones begin.
 *
 * The beginnings have a bank as workloads do: those of the next generation are
 * written beside the ones in force, and the flip is that of all the rest.
 */
#include <errno.h>

#include "user/engine/internal.h"

struct rf_installed_files {
	uint32_t id;
	const struct rf_file_set *set; /* NULL: adopted */
	struct rf_image *owner;	       /* keeps @set alive */
	uint32_t *zones;
	uint32_t n_zones;
	uint64_t made, used; /* apply counts */
};

static void files_uninstall(struct rf_engine *e, struct rf_installed_files *in)
{
	int fd = rf_engine_map_fd(e, "rf_file_map");

	for (uint32_t i = 0; i < in->n_zones; i++) {
		struct rf_file_key key = { .set = in->id, .zone = in->zones[i] };

		bpf_map_delete_elem(fd, &key);
	}
	free(in->zones);
	rf_image_unref(in->owner);
	*in = e->file_sets[--e->n_file_sets];
}

void rf_files_free(struct rf_engine *e)
{
	for (size_t i = 0; i < e->n_file_sets; i++) {
		free(e->file_sets[i].zones);
		rf_image_unref(e->file_sets[i].owner);
	}
	free(e->file_sets);
}

static struct rf_installed_files *files_of(struct rf_engine *e, uint32_t id)
{
	for (size_t i = 0; i < e->n_file_sets; i++)
		if (e->file_sets[i].id == id)
			return &e->file_sets[i];
	return NULL;
}

/* Grows when the count is a power of two. */
static struct rf_installed_files *files_new(struct rf_engine *e, uint32_t id)
{
	size_t n = e->n_file_sets;

	if ((n & (n - 1)) == 0) {
		struct rf_installed_files *grown = reallocarray(e->file_sets, n ? n * 2 : 1, sizeof(*grown));

		if (!grown)
			return NULL;
		e->file_sets = grown;
	}
	e->file_sets[n] = (struct rf_installed_files){ .id = id, .made = e->applies };
	return &e->file_sets[e->n_file_sets++];
}

static int files_write(struct rf_engine *e, struct rf_installed_files *in, const struct rf_file_set *set,
		       char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_file_map");

	in->zones = calloc(set->n, sizeof(*in->zones));
	if (!in->zones)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->n; i++) {
		struct rf_file_key key = { .set = in->id, .zone = set->entries[i].zone };

		in->zones[in->n_zones++] = key.zone;
		if (bpf_map_update_elem(fd, &key, &set->entries[i].deny, BPF_ANY) < 0)
			return rf_engine_format_error(ret_error, -errno,
						      "cannot write the rules of %u zones of files (the map holds %d)",
						      set->n, RF_MAX_FILE_ENTRIES);
	}
	return 0;
}

int rf_install_files(struct rf_engine *e, struct rf_image *image, enum rf_tier tier, uint32_t *ret_set,
		     char **ret_error)
{
	const struct rf_file_set *set = &image->files->set[tier];
	struct rf_installed_files *in;
	int r;

	for (size_t i = 0; i < e->n_file_sets; i++) {
		in = &e->file_sets[i];
		if (!in->set || !rf_file_set_equal(in->set, set))
			continue;
		in->used = e->applies;
		*ret_set = in->id;
		return 0;
	}
	while (!e->file_cursor || files_of(e, e->file_cursor))
		e->file_cursor++;
	in = files_new(e, e->file_cursor++);
	if (!in)
		return -ENOMEM;
	r = files_write(e, in, set, ret_error);
	if (r < 0) {
		files_uninstall(e, in);
		return r;
	}
	in->set = set;
	in->owner = rf_image_ref(image);
	in->used = e->applies;
	*ret_set = in->id;
	return 0;
}

void rf_files_keep(struct rf_engine *e, const struct rf_workload_bank *live)
{
	for (int tier = 0; tier < RF_TIERS; tier++) {
		struct rf_installed_files *in = files_of(e, live->file_set[tier]);

		if (in)
			in->used = e->applies;
	}
}

void rf_files_undo(struct rf_engine *e)
{
	for (size_t i = 0; i < e->n_file_sets;) {
		if (e->file_sets[i].made == e->applies)
			files_uninstall(e, &e->file_sets[i]);
		else
			i++;
	}
}

/* Calls @fn for each entry, which may write or delete it: the key of the next is fetched before. */
static int trees_each(struct rf_engine *e,
		      int (*fn)(int fd, struct rf_tree_key *key, struct rf_tree_value *value, uint32_t bank),
		      uint32_t bank)
{
	int fd = rf_engine_map_fd(e, "rf_tree_map"), r = 0;
	struct rf_tree_key key, next;
	struct rf_tree_value value;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more && r >= 0) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (bpf_map_lookup_elem(fd, &key, &value) == 0)
			r = fn(fd, &key, &value, bank);
	}
	return r;
}

static int tree_clear(int fd, struct rf_tree_key *key, struct rf_tree_value *value, uint32_t bank)
{
	if (value->zone[bank] == RF_ZONE_NONE)
		return 0;
	value->zone[bank] = RF_ZONE_NONE;
	return bpf_map_update_elem(fd, key, value, BPF_EXIST);
}

/* @bank is the one in force: where no zone of it begins, none does. */
static int tree_drop(int fd, struct rf_tree_key *key, struct rf_tree_value *value, uint32_t bank)
{
	if (value->zone[bank] == RF_ZONE_NONE)
		bpf_map_delete_elem(fd, key);
	return 0;
}

void rf_files_sweep(struct rf_engine *e)
{
	for (size_t i = 0; i < e->n_file_sets;) {
		if (e->file_sets[i].used < e->applies)
			files_uninstall(e, &e->file_sets[i]);
		else
			i++;
	}
	(void)trees_each(e, tree_drop, rf_engine_generation(e) & 1);
}

static int tree_put(struct rf_engine *e, const struct rf_tree *tree, uint32_t bank)
{
	struct rf_tree_key key = { .inode = tree->inode, .device = tree->device };
	struct rf_tree_value value = { 0 };
	int fd = rf_engine_map_fd(e, "rf_tree_map");

	(void)bpf_map_lookup_elem(fd, &key, &value);
	if (value.zone[bank] == tree->zone)
		return 0;
	if (value.zone[bank] != RF_ZONE_NONE)
		return -EEXIST;
	__atomic_fetch_or(&e->config->zone_devices[bank], RF_DEVICE_BIT(tree->device), __ATOMIC_RELAXED);
	if (e->labels[RF_LABEL_AT(bank, tree->zone)] != RF_LABEL_NONE)
		__atomic_fetch_or(&e->config->label_devices[bank], RF_DEVICE_BIT(tree->device), __ATOMIC_RELAXED);
	value.zone[bank] = tree->zone;
	return bpf_map_update_elem(fd, &key, &value, BPF_ANY) < 0 ? -errno : 0;
}

int rf_engine_trees_stage(struct rf_engine *e, const struct rf_tree *trees, size_t n, char **ret_error)
{
	uint32_t bank = !(rf_engine_generation(e) & 1);
	int r = trees_each(e, tree_clear, bank);

	e->config->zone_devices[bank] = e->config->label_devices[bank] = 0;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = tree_put(e, &trees[i], bank);
		/* The first is that of the zone's own path; the caller has said what it means. */
		if (r == -EEXIST)
			r = 0;
	}
	return r < 0 ? rf_engine_format_error(ret_error, r,
					      "cannot write where %zu labelled trees begin (the map holds %d)", n,
					      RF_MAX_TREES) :
		       0;
}

int rf_engine_tree_add(struct rf_engine *e, const struct rf_tree *tree)
{
	int r = tree_put(e, tree, rf_engine_generation(e) & 1);

	/* What is below may be remembered to be in another zone. */
	__atomic_fetch_add(&e->config->file_epoch, 1, __ATOMIC_SEQ_CST);
	return r;
}

/* Sets that an earlier daemon left: whose they are is told by the banks, and the first apply removes them. */
int rf_files_adopt(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_file_map");
	struct rf_file_key key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct rf_installed_files *in = files_of(e, key.set);
		uint32_t *grown;

		if (!in)
			in = files_new(e, key.set);
		if (!in)
			return -ENOMEM;
		if ((in->n_zones & (in->n_zones - 1)) == 0) {
			grown = reallocarray(in->zones, in->n_zones ? in->n_zones * 2 : 1, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			in->zones = grown;
		}
		in->zones[in->n_zones++] = key.zone;
		if (key.set >= e->file_cursor)
			e->file_cursor = key.set + 1;
		previous = &key;
	}
	return 0;
}

bool rf_files_are_supported(const struct rf_engine *e)
{
	for (int hook = RF_HOOK_FILES_OPEN; hook <= RF_HOOK_FILES_MOVE; hook++) {
		/* Older kernels set access lists through inode_setxattr. Nothing is mapped from an overlay in the test.
		 */
		bool may_lack = hook == RF_HOOK_FILES_SET_ACL || hook == RF_HOOK_FILES_RM_ACL;

		if (hook == RF_HOOK_FILES_BACKING || (may_lack && !e->hooks[hook].loaded && e->lsm_runs))
			continue;
		if (!rf_hook_can_run(e, hook))
			return false;
	}
	return rf_hook_can_run(e, RF_HOOK_FILES_NOTIFY);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets of programs in the maps: written beside what is in force, and taken out
 * when nobody names them any more. A set that no bank names is never looked up.
 */
#include <errno.h>

#include "user/engine/internal.h"

void rf_installed_exec_free(struct rf_installed_exec *installed)
{
	if (!installed)
		return;
	free(installed->keys);
	rf_image_unref(installed->owner);
	free(installed);
}

RF_DEFINE_CLEANUP(struct rf_installed_exec, rf_installed_exec_free)

static struct rf_installed_exec *exec_by_id(const struct rf_engine *e, uint32_t id)
{
	for (size_t i = 0; i < e->n_execs; i++)
		if (e->execs[i]->id == id)
			return e->execs[i];
	return NULL;
}

static struct rf_installed_exec *exec_by_image(const struct rf_engine *e, const struct rf_exec_image *image)
{
	for (size_t i = 0; i < e->n_execs; i++)
		if (e->execs[i]->image && rf_exec_image_equal(e->execs[i]->image, image))
			return e->execs[i];
	return NULL;
}

static int exec_add(struct rf_engine *e, struct rf_installed_exec *in)
{
	if (e->n_execs == e->execs_capacity) {
		size_t capacity = e->execs_capacity ? e->execs_capacity * 2 : 64;
		struct rf_installed_exec **grown = reallocarray(e->execs, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		e->execs = grown;
		e->execs_capacity = capacity;
	}
	e->execs[e->n_execs++] = in;
	return 0;
}

static void exec_erase(struct rf_engine *e, struct rf_installed_exec *in)
{
	int fd = rf_engine_map_fd(e, "rf_exec_map");

	/* The set first: whoever still asks for it is denied, not given half of it. */
	bpf_map_delete_elem(rf_engine_map_fd(e, "rf_exec_set_map"), &in->id);
	while (in->n_keys)
		bpf_map_delete_elem(fd, &in->keys[--in->n_keys]);
}

void rf_uninstall_exec(struct rf_engine *e, struct rf_installed_exec *in)
{
	exec_erase(e, in);
	for (size_t i = 0; i < e->n_execs; i++) {
		if (e->execs[i] == in) {
			e->execs[i] = e->execs[--e->n_execs];
			break;
		}
	}
	rf_installed_exec_free(in);
}

static int exec_write(struct rf_engine *e, struct rf_installed_exec *in, const struct rf_exec_image *image,
		      char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_exec_map"), r;

	for (uint32_t i = 0; i < image->n_entries; i++) {
		in->keys[i] = image->entries[i].key;
		in->keys[i].set = in->id;
		r = bpf_map_update_elem(fd, &in->keys[i], &image->entries[i].value, BPF_ANY);
		if (r < 0)
			return rf_engine_format_error(ret_error, r,
						      "cannot write %u paths and labelled trees of programs (the map "
						      "holds %u)",
						      image->n_entries, RF_MAX_EXEC_TEXTS);
		in->n_keys++;
	}
	r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_exec_set_map"), &in->id, &image->set, BPF_ANY);
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot write a set of programs (the map holds %u)",
					      RF_MAX_EXEC_SETS) :
		       0;
}

int rf_install_exec(struct rf_engine *e, struct rf_image *owner, const struct rf_exec_image *image,
		    struct rf_installed_exec **ret, char **ret_error)
{
	_cleanup_(rf_installed_exec_freep) struct rf_installed_exec *in = NULL;
	struct rf_installed_exec *found = exec_by_image(e, image);
	int r;

	if (found) {
		*ret = found;
		return 0;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->keys = calloc(image->n_entries ? image->n_entries : 1, sizeof(*in->keys));
	if (!in->keys)
		return -ENOMEM;
	do {
		in->id = e->exec_cursor++;
	} while (in->id == 0 || exec_by_id(e, in->id));
	r = exec_write(e, in, image, ret_error);
	if (r >= 0)
		r = exec_add(e, in);
	if (r < 0) {
		exec_erase(e, in);
		return r;
	}
	in->image = image;
	in->owner = rf_image_ref(owner);
	*ret = TAKE_PTR(in);
	return 0;
}

/* A set that an earlier daemon wrote, whole or not. */
static int exec_adopt(struct rf_engine *e, uint32_t id, struct rf_installed_exec **ret)
{
	_cleanup_(rf_installed_exec_freep) struct rf_installed_exec *in = NULL;
	struct rf_installed_exec *known = exec_by_id(e, id);
	int r;

	if (known) {
		*ret = known;
		return 0;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->id = id;
	r = exec_add(e, in);
	if (r < 0)
		return r;
	if (id >= e->exec_cursor)
		e->exec_cursor = id + 1;
	*ret = TAKE_PTR(in);
	return 0;
}

int rf_execs_adopt(struct rf_engine *e)
{
	int sets = rf_engine_map_fd(e, "rf_exec_set_map"), texts = rf_engine_map_fd(e, "rf_exec_map"), r;
	uint32_t id, *previous_id = NULL;
	struct rf_exec_key key, *previous = NULL;
	struct rf_installed_exec *in;

	for (; bpf_map_get_next_key(sets, previous_id, &id) == 0; previous_id = &id) {
		r = exec_adopt(e, id, &in);
		if (r < 0)
			return r;
	}
	for (; bpf_map_get_next_key(texts, previous, &key) == 0; previous = &key) {
		r = exec_adopt(e, key.set, &in);
		if (r < 0)
			return r;
		/* Capacity is the next power of two, so that no count of it is kept. */
		if ((in->n_keys & (in->n_keys - 1)) == 0) {
			struct rf_exec_key *grown =
				reallocarray(in->keys, in->n_keys ? in->n_keys * 2 : 1, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			in->keys = grown;
		}
		in->keys[in->n_keys++] = key;
	}
	return 0;
}

void rf_execs_keep(struct rf_engine *e, const struct rf_workload_bank *live)
{
	for (int tier = 0; tier < RF_TIERS; tier++) {
		struct rf_installed_exec *in = exec_by_id(e, live->exec[tier].set);

		if (in)
			in->used = e->applies;
	}
}

void rf_execs_sweep(struct rf_engine *e, uint64_t keep)
{
	for (size_t i = 0; i < e->n_execs;) {
		if (e->execs[i]->used < keep)
			rf_uninstall_exec(e, e->execs[i]);
		else
			i++;
	}
}

void rf_execs_free(struct rf_engine *e)
{
	for (size_t i = 0; i < e->n_execs; i++)
		rf_installed_exec_free(e->execs[i]);
	free(e->execs);
}

int rf_exec_fill(struct rf_engine *e, struct rf_image *image, enum rf_tier tier, struct rf_exec_limits *ret,
		 char **ret_error)
{
	const struct rf_process_image *process = image->process;
	struct rf_installed_exec *in;
	int r;

	*ret = (struct rf_exec_limits){ .deny = process ? process->deny[tier] : 0 };
	if (!process || !process->exec[tier])
		return 0;
	r = rf_install_exec(e, image, process->exec[tier], &in, ret_error);
	if (r < 0)
		return r;
	in->used = e->applies;
	ret->set = in->id;
	return 0;
}

/* Sets with the same content are one: whose rule it is, the workload's own image says. */
const struct rf_rule_ref *rf_engine_exec_ref(const struct rf_engine *e, const struct rf_image *image,
					     const struct rf_event_exec_deny *event)
{
	const struct rf_process_image *process = image ? image->process : NULL;
	const struct rf_installed_exec *in;

	if (event->reason == RF_EXEC_RULE || event->reason == RF_EXEC_DEFAULT) {
		in = exec_by_id(e, event->set);
		if (!in || !in->image || !process || !rf_exec_image_equal(in->image, process->exec[event->tier]))
			return NULL;
	}
	return rf_process_ref(process, event->tier, event->reason, event->rule);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links: attach, adopt, replace, watch, remove. Every link is pinned, so that
 * it outlives the daemon. A cgroup link is updated in place (no moment without
 * a program); a tracing link cannot be, so the new one is attached before the
 * old one goes.
 */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "user/engine/rate.h"
#include "user/lib/fs.h"

#include "ringfence.skel.h"

static void pin_path(const struct rf_engine *e, enum rf_hook hook, const char *suffix, char path[RF_PATH_SIZE])
{
	snprintf(path, RF_PATH_SIZE, "%.3800s/links/%s%s", e->bpffs, rf_hook_table[hook].program, suffix);
}

static struct bpf_program *hook_program(const struct rf_engine *e, enum rf_hook hook)
{
	return bpf_object__find_program_by_name(e->skeleton->obj, rf_hook_table[hook].program);
}

static int program_info(int fd, struct bpf_prog_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, size);
	return bpf_obj_get_info_by_fd(fd, info, &size);
}

static int link_info(const struct bpf_link *link, struct bpf_link_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, size);
	return bpf_obj_get_info_by_fd(bpf_link__fd(link), info, &size);
}

bool rf_link_is_current(const struct rf_engine *e, const struct bpf_link *link, struct bpf_program *program)
{
	struct bpf_prog_info theirs, ours;
	struct bpf_link_info info;
	int fd, r;

	if (!e->maps_adopted || link_info(link, &info) < 0)
		return false;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		return false;
	r = program_info(fd, &theirs);
	close(fd);
	return r >= 0 && program_info(bpf_program__fd(program), &ours) >= 0 &&
	       memcmp(theirs.tag, ours.tag, sizeof(ours.tag)) == 0;
}

static int link_attach(struct rf_engine *e, enum rf_hook hook, struct bpf_link **ret)
{
	struct bpf_program *program = hook_program(e, hook);
	struct bpf_link *link = TAKE_PTR(e->hooks[hook].probe);

	if (!link && rf_hook_table[hook].cgroup) {
		link = bpf_program__attach_cgroup(program, e->root_fd);
	} else if (!link) {
		link = rf_link_take_back(e, hook);
		link = link ? link : bpf_program__attach(program);
	}
	if (!link)
		return -errno;
	*ret = link;
	return 0;
}

static int links_dir_make(const struct rf_engine *e)
{
	char path[RF_PATH_SIZE];

	snprintf(path, sizeof(path), "%.3800s/links", e->bpffs);
	return rf_fs_mkdir_p(path, 0700);
}

/*
 * Pins @link under the hook's name; an older pin is replaced in one step. A bpffs takes no dots in names. Not by
 * bpf_link__pin(): libbpf would remember the name, and refuse to pin again what somebody unpinned.
 */
static int link_pin(struct rf_engine *e, enum rf_hook hook, struct bpf_link *link)
{
	char path[RF_PATH_SIZE], fresh[RF_PATH_SIZE];
	int r;

	pin_path(e, hook, "", path);
	pin_path(e, hook, "_new", fresh);
	r = links_dir_make(e);
	if (r < 0)
		return r;
	unlink(fresh);
	r = bpf_obj_pin(bpf_link__fd(link), fresh);
	if (r < 0)
		return r;
	if (rename(fresh, path) < 0) {
		r = -errno;
		unlink(fresh);
	}
	return r;
}

static void link_remember(struct rf_engine *e, enum rf_hook hook, struct bpf_link *link)
{
	struct bpf_link_info info;

	e->hooks[hook].link = link;
	e->hooks[hook].program_id = link_info(link, &info) < 0 ? 0 : info.prog_id;
}

/* Takes over the pinned link of @hook: as it is, or updated to our program. -ENOENT when there is none worth it. */
static int link_adopt(struct rf_engine *e, enum rf_hook hook)
{
	struct bpf_program *program = hook_program(e, hook);
	struct bpf_link_info info;
	char path[RF_PATH_SIZE];
	struct bpf_link *link;

	pin_path(e, hook, "", path);
	link = access(path, F_OK) == 0 ? bpf_link__open(path) : NULL;
	if (!link)
		return -ENOENT;
	if (link_info(link, &info) < 0)
		goto stale;
	/* Somebody detached it, or it hangs on another cgroup than the one we were given. */
	if (rf_hook_table[hook].cgroup && info.cgroup.cgroup_id != e->root_id)
		goto stale;
	if (!rf_link_is_current(e, link, program)) {
		if (!rf_hook_table[hook].cgroup || bpf_link__update_program(link, program) < 0)
			goto stale;
	}
	link_remember(e, hook, link);
	e->hooks[hook].adopted = true;
	return 0;
stale:
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	return -ENOENT;
}

static int hook_attach(struct rf_engine *e, enum rf_hook hook)
{
	struct bpf_link *link;
	int r = link_adopt(e, hook);

	if (r != -ENOENT)
		return r;
	r = link_attach(e, hook, &link);
	if (r < 0) {
		snprintf(e->hooks[hook].why, sizeof(e->hooks[hook].why), "cannot attach: %s", strerror(-r));
		return r;
	}
	/* The rename drops the old tracing link's pin, and with it the last reference to that link. */
	r = link_pin(e, hook, link);
	if (r < 0) {
		bpf_link__destroy(link);
		snprintf(e->hooks[hook].why, sizeof(e->hooks[hook].why), "cannot pin: %s", strerror(-r));
		return r;
	}
	link_remember(e, hook, link);
	return 0;
}

static int hooks_attach(struct rf_engine *e, bool identity, char **ret_error)
{
	int r = links_dir_make(e);

	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot make %s/links", e->bpffs);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		if (!rf_hook_table[hook].program || rf_hook_table[hook].identity != identity ||
		    rf_hook_table[hook].on_demand || rf_hook_table[hook].when_asked)
			continue;
		r = hook_attach(e, hook);
		if (r < 0)
			return rf_engine_format_error(ret_error, r, "%s: %s", rf_hook_table[hook].program,
						      e->hooks[hook].why);
	}
	return 0;
}

int rf_engine_attach_identity(struct rf_engine *e, char **ret_error)
{
	return hooks_attach(e, true, ret_error);
}

int rf_engine_attach_verdicts(struct rf_engine *e, char **ret_error)
{
	return hooks_attach(e, false, ret_error);
}

void rf_engine_hooks_begin(struct rf_engine *e)
{
	e->hooks_plan++;
}

int rf_hook_want(struct rf_engine *e, enum rf_hook hook, char **ret_error)
{
	struct rf_hook_state *state = &e->hooks[hook];
	int r = 0;

	/* A policy in audit mode that this host could not enforce has nothing that could report. */
	if (!state->loaded)
		return 0;
	if (!state->link)
		r = links_dir_make(e);
	if (r >= 0 && !state->link)
		r = hook_attach(e, hook);
	/* It decides nothing, and status tells. */
	if (r < 0 && rf_hook_table[hook].traces)
		return 0;
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "%s: %s", rf_hook_table[hook].program, state->why);
	state->wanted = e->hooks_plan;
	return 0;
}

/* Also what an earlier daemon left pinned, and nobody asks for now. */
void rf_engine_hooks_trim(struct rf_engine *e)
{
	char path[RF_PATH_SIZE];

	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct rf_hook_state *state = &e->hooks[hook];

		if (!rf_hook_table[hook].when_asked || (state->link && state->wanted == e->hooks_plan))
			continue;
		if (state->link && rf_hook_table[hook].traces)
			__atomic_fetch_add(&e->config->lineage_turn, 1, __ATOMIC_RELAXED);
		pin_path(e, hook, "", path);
		unlink(path);
		rf_link_leaves(e, hook, TAKE_PTR(state->link));
	}
	rf_links_leave(e);
}

/* One that an earlier daemon left in force is taken as it is: a second one would report everything twice. */
void rf_hooks_probe(struct rf_engine *e, int cgroup_fd, bool attach)
{
	rf_links_leave_wait(e);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct rf_hook_state *state = &e->hooks[hook];

		if (!rf_hook_table[hook].when_asked || !state->loaded)
			continue;
		if (!attach && rf_hook_table[hook].cgroup) {
			bpf_link__destroy(state->probe);
			state->probe = NULL;
		} else if (attach && !state->link && link_adopt(e, hook) < 0) {
			state->probe = rf_hook_table[hook].cgroup ?
					       bpf_program__attach_cgroup(hook_program(e, hook), cgroup_fd) :
					       bpf_program__attach(hook_program(e, hook));
		}
	}
}

void rf_engine_probes_end(struct rf_engine *e)
{
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++)
		rf_link_leaves(e, hook, TAKE_PTR(e->hooks[hook].probe));
	rf_links_leave(e);
}

/* 1: was put back (why says what happened), 0: is well, negative: cannot. */
static int hook_verify(struct rf_engine *e, enum rf_hook hook)
{
	struct rf_hook_state *state = &e->hooks[hook];
	struct bpf_link_info info;
	struct bpf_link *link;
	char path[RF_PATH_SIZE];
	struct stat st;
	int r;

	r = state->link ? link_info(state->link, &info) : -ENOENT;
	if (r < 0 || (rf_hook_table[hook].cgroup && info.cgroup.cgroup_id != e->root_id)) {
		r = link_attach(e, hook, &link);
		if (r < 0)
			return r;
		r = link_pin(e, hook, link);
		if (r < 0) {
			bpf_link__destroy(link);
			return r;
		}
		if (state->link) {
			bpf_link__disconnect(state->link);
			bpf_link__destroy(state->link);
		}
		link_remember(e, hook, link);
		snprintf(state->why, sizeof(state->why), "was detached; attached again");
		return 1;
	}
	if (info.prog_id != state->program_id) {
		r = bpf_link__update_program(state->link, hook_program(e, hook));
		if (r < 0)
			return r;
		link_remember(e, hook, state->link);
		snprintf(state->why, sizeof(state->why), "its program was replaced by id %u; ours put back",
			 info.prog_id);
		return 1;
	}
	pin_path(e, hook, "", path);
	if (stat(path, &st) < 0 && errno == ENOENT) {
		r = link_pin(e, hook, state->link);
		if (r < 0)
			return r;
		snprintf(state->why, sizeof(state->why), "its pin was removed; pinned again");
		return 1;
	}
	return 0;
}

int rf_engine_verify(struct rf_engine *e, struct rf_strbuf *report)
{
	int repaired = 0;

	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		int r;

		if (!rf_hook_table[hook].program || rf_hook_table[hook].on_demand ||
		    (rf_hook_table[hook].when_asked && !e->hooks[hook].link))
			continue;
		r = hook_verify(e, hook);
		if (r == 0)
			continue;
		if (r > 0) {
			e->hooks[hook].repairs++;
			repaired++;
			rf_strbuf_addf(report, "hook %s %s\n", rf_hook_table[hook].program, e->hooks[hook].why);
		} else {
			snprintf(e->hooks[hook].why, sizeof(e->hooks[hook].why), "is gone and cannot be put back: %s",
				 strerror(-r));
			rf_strbuf_addf(report, "hook %s %s\n", rf_hook_table[hook].program, e->hooks[hook].why);
		}
	}
	return repaired + rf_rate_links_verify(e, report);
}

void rf_engine_links_free(struct rf_engine *e)
{
	(void)rf_rate_links_free(e);
	rf_engine_probes_end(e);
	rf_links_leave_wait(e);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		if (!e->hooks[hook].link)
			continue;
		bpf_link__disconnect(e->hooks[hook].link);
		bpf_link__destroy(e->hooks[hook].link);
		e->hooks[hook].link = NULL;
	}
}

int rf_engine_detach(struct rf_engine *e)
{
	int removed = rf_rate_links_free(e);
	char path[RF_PATH_SIZE];

	rf_engine_let_go();
	rf_links_leave_wait(e);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct bpf_link *link = e->hooks[hook].link;

		if (!link)
			continue;
		pin_path(e, hook, "", path);
		unlink(path);
		/* Not disconnected: closing the last reference detaches. */
		bpf_link__destroy(link);
		e->hooks[hook].link = NULL;
		removed++;
	}
	snprintf(path, sizeof(path), "%.3800s/links", e->bpffs);
	rf_fs_remove_tree(path);
	snprintf(path, sizeof(path), "%.3800s/maps_%u", e->bpffs, RF_MAP_ABI);
	rf_fs_remove_tree(path);
	/* The bpffs that was made for us alone goes too; on the host's own this is no mount point and fails. */
	if (!rf_strprefix(e->bpffs, "/sys/fs/bpf"))
		(void)umount2(e->bpffs, MNT_DETACH);
	else
		(void)rmdir(e->bpffs);
	return removed;
}

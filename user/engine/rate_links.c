// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links of programs that are attached on demand: to the cgroups of workloads
 * that have a rate, and those that see connections close while somebody counts
 * them. Pinned like all others, as rate_ID_egress, rate_ID_ingress,
 * rate_sockets and rate_sockets_again, so that they outlive the daemon; the next one takes them over.
 *
 * A cgroup that is removed takes its links with it once its last socket is
 * gone; then the pins are removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "user/engine/rate.h"
#include "user/lib/fs.h"

#include "ringfence.skel.h"

/* How many are looked at a second: with thousands, each has its turn within some. */
#define VERIFY_MAX 512

struct rf_rate_link {
	uint64_t cgroup_id; /* 0: not of a cgroup, a tracing program */
	char *path;	    /* of the cgroup below the attach point; NULL: adopted, and not yet asked for */
	enum rf_hook hook;
	struct bpf_link *link;
	uint32_t program_id;
	uint64_t wanted; /* the apply that wanted it last */
};

static const enum rf_hook hooks_of_cgroup[] = { RF_HOOK_RATE_EGRESS, RF_HOOK_RATE_INGRESS };
static const enum rf_hook hooks_of_sockets[] = { RF_HOOK_SOCKET_STATE, RF_HOOK_SOCKET_AGAIN };

static struct bpf_program *program_of(const struct rf_engine *e, enum rf_hook hook)
{
	return bpf_object__find_program_by_name(e->skeleton->obj, rf_hook_table[hook].program);
}

static void pin_path(const struct rf_engine *e, const struct rf_rate_link *l, const char *suffix,
		     char path[RF_PATH_SIZE])
{
	if (!l->cgroup_id)
		snprintf(path, RF_PATH_SIZE, "%.3800s/links/rate_sockets%s%s", e->bpffs,
			 l->hook == RF_HOOK_SOCKET_AGAIN ? "_again" : "", suffix);
	else
		snprintf(path, RF_PATH_SIZE, "%.3800s/links/rate_%llu_%s%s", e->bpffs, (unsigned long long)l->cgroup_id,
			 l->hook == RF_HOOK_RATE_EGRESS ? "egress" : "ingress", suffix);
}

static int info_of(const struct bpf_link *link, struct bpf_link_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, size);
	return bpf_obj_get_info_by_fd(bpf_link__fd(link), info, &size);
}

/* The cgroup of that id and no other; -ENOENT: it is gone. */
static int cgroup_open(const struct rf_engine *e, const struct rf_rate_link *l)
{
	unsigned long long id;
	int fd, r;

	if (!l->path)
		return -ENOENT;
	fd = openat(e->root_fd, l->path + strspn(l->path, "/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rf_fs_cgroup_id(fd, "", &id);
	if (r >= 0 && id != l->cgroup_id)
		r = -ENOENT;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int link_make(const struct rf_engine *e, const struct rf_rate_link *l, struct bpf_link **ret)
{
	struct bpf_program *program = program_of(e, l->hook);
	struct bpf_link *link;
	int fd, r = 0;

	if (!l->cgroup_id) {
		link = bpf_program__attach(program);
		if (!link)
			return -errno;
		*ret = link;
		return 0;
	}
	fd = cgroup_open(e, l);
	if (fd < 0)
		return fd;
	link = bpf_program__attach_cgroup(program, fd);
	if (!link)
		r = -errno;
	else
		*ret = link;
	close(fd);
	return r;
}

/* As in attach.c: the rename drops what was pinned under the name before. */
static int link_pin(const struct rf_engine *e, const struct rf_rate_link *l, const struct bpf_link *link)
{
	char path[RF_PATH_SIZE], fresh[RF_PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "%.3800s/links", e->bpffs);
	r = rf_fs_mkdir_p(path, 0700);
	if (r < 0)
		return r;
	pin_path(e, l, "", path);
	pin_path(e, l, "_new", fresh);
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

static void link_close(struct bpf_link *link)
{
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
}

static int link_attach(struct rf_engine *e, struct rf_rate_link *l)
{
	struct bpf_link_info info;
	struct bpf_link *link = NULL;
	int r = link_make(e, l, &link);

	if (r < 0)
		return r;
	r = link_pin(e, l, link);
	if (r >= 0)
		r = info_of(link, &info);
	if (r < 0) {
		bpf_link__destroy(link);
		return r;
	}
	if (l->link)
		link_close(l->link);
	l->link = link;
	l->program_id = info.prog_id;
	return 0;
}

static struct rf_rate_link *link_find(const struct rf_engine *e, uint64_t cgroup_id, enum rf_hook hook)
{
	for (size_t i = 0; i < e->n_rate_links; i++)
		if (e->rate_links[i].cgroup_id == cgroup_id && e->rate_links[i].hook == hook)
			return &e->rate_links[i];
	return NULL;
}

/* Good until the next one is added. */
static struct rf_rate_link *link_add(struct rf_engine *e, uint64_t cgroup_id, enum rf_hook hook)
{
	struct rf_rate_link *l;

	/* Grows when their number is a power of two. */
	if ((e->n_rate_links & (e->n_rate_links - 1)) == 0) {
		l = reallocarray(e->rate_links, e->n_rate_links ? e->n_rate_links * 2 : 1, sizeof(*l));
		if (!l)
			return NULL;
		e->rate_links = l;
	}
	l = &e->rate_links[e->n_rate_links++];
	*l = (struct rf_rate_link){ .cgroup_id = cgroup_id, .hook = hook };
	return l;
}

static void link_remove(struct rf_engine *e, struct rf_rate_link *l)
{
	char path[RF_PATH_SIZE];

	pin_path(e, l, "", path);
	unlink(path);
	if (l->link)
		bpf_link__destroy(l->link);
	free(l->path);
	*l = e->rate_links[--e->n_rate_links];
}

/* Runs our program; else it is given it. */
static int link_adopt(struct rf_engine *e, struct rf_rate_link *l, const char *pin)
{
	struct bpf_program *program = program_of(e, l->hook);
	struct bpf_link *link = bpf_link__open(pin);
	struct bpf_link_info info;
	int r;

	if (!link)
		return -errno;
	r = info_of(link, &info);
	if (r >= 0 && l->cgroup_id && info.cgroup.cgroup_id != l->cgroup_id)
		r = -ENOENT;
	if (r >= 0 && !rf_link_is_current(e, link, program)) {
		r = l->cgroup_id ? bpf_link__update_program(link, program) : -ENOENT;
		if (r >= 0)
			r = info_of(link, &info);
	}
	if (r < 0) {
		link_close(link);
		return r;
	}
	l->link = link;
	l->program_id = info.prog_id;
	return 0;
}

/* What an earlier daemon left pinned. One that is no good any more is known all the same, so that its pin goes. */
static void links_adopt(struct rf_engine *e)
{
	char dir[RF_PATH_SIZE], pin[RF_PATH_SIZE + 256];
	struct dirent *entry;
	DIR *d;

	if (e->rate_links_adopted)
		return;
	e->rate_links_adopted = true;
	snprintf(dir, sizeof(dir), "%.3800s/links", e->bpffs);
	d = opendir(dir);
	while (d && (entry = readdir(d))) {
		enum rf_hook hook = RF_HOOK_SOCKET_STATE;
		unsigned long long id = 0;
		struct rf_rate_link *l;
		char way[16];

		if (sscanf(entry->d_name, "rate_%llu_%15s", &id, way) == 2 && id)
			hook = rf_streq(way, "egress")	? RF_HOOK_RATE_EGRESS :
			       rf_streq(way, "ingress") ? RF_HOOK_RATE_INGRESS :
							  RF_HOOK_COUNT;
		else if (rf_streq(entry->d_name, "rate_sockets_again"))
			hook = RF_HOOK_SOCKET_AGAIN;
		else if (!rf_streq(entry->d_name, "rate_sockets"))
			continue;
		snprintf(pin, sizeof(pin), "%s/%s", dir, entry->d_name);
		l = hook == RF_HOOK_COUNT ? NULL : link_add(e, id, hook);
		if (!l)
			unlink(pin); /* half made */
		else
			(void)link_adopt(e, l, pin);
	}
	if (d)
		closedir(d);
}

static int link_want(struct rf_engine *e, uint64_t cgroup_id, const char *path, enum rf_hook hook, char **ret_error)
{
	struct rf_rate_link *l;
	int r;

	links_adopt(e);
	l = link_find(e, cgroup_id, hook);
	if (!l)
		l = link_add(e, cgroup_id, hook);
	if (l && path && !l->path)
		l->path = strdup(path);
	if (!l || (path && !l->path))
		return -ENOMEM;
	l->wanted = e->rate_links_wanted;
	if (l->link)
		return 0;
	r = link_attach(e, l);
	/* It went while we planned for it: there is nobody to hold back. */
	if (r == -ENOENT || r == -ENODEV) {
		link_remove(e, l);
		return 0;
	}
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot attach %s to the cgroup %s",
					      rf_hook_table[hook].program, path ? path : "root") :
		       0;
}

int rf_engine_rates_add(struct rf_engine *e, uint64_t cgroup_id, const char *path, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(hooks_of_cgroup); i++)
		r = link_want(e, cgroup_id, path, hooks_of_cgroup[i], ret_error);
	return r;
}

int rf_engine_connections_watch(struct rf_engine *e, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(hooks_of_sockets); i++)
		r = link_want(e, 0, NULL, hooks_of_sockets[i], ret_error);
	return r;
}

void rf_engine_rates_begin(struct rf_engine *e)
{
	e->rate_links_wanted++;
}

/* The cgroup is removed, and sockets of its live on under what was last in force for them. */
static bool is_lingering(const struct rf_engine *e, const struct rf_rate_link *l)
{
	struct bpf_link_info info;
	int fd;

	if (!l->cgroup_id || !l->path || !l->link || info_of(l->link, &info) < 0 || !info.cgroup.cgroup_id)
		return false;
	fd = cgroup_open(e, l);
	if (fd >= 0)
		close(fd);
	return fd == -ENOENT;
}

void rf_engine_rates_trim(struct rf_engine *e)
{
	links_adopt(e);
	for (size_t i = 0; i < e->n_rate_links;) {
		struct rf_rate_link *l = &e->rate_links[i];

		if (l->wanted == e->rate_links_wanted || is_lingering(e, l))
			i++;
		else
			link_remove(e, l);
	}
}

/* 1: put back, @why says what; 0: well, or gone for good. */
static int link_verify(struct rf_engine *e, struct rf_rate_link *l, bool *ret_gone, const char **why)
{
	struct bpf_link_info info;
	char path[RF_PATH_SIZE];
	struct stat st;
	int r = l->link ? info_of(l->link, &info) : -ENOENT;

	if (r < 0 || (l->cgroup_id && info.cgroup.cgroup_id != l->cgroup_id)) {
		r = link_attach(e, l);
		*ret_gone = r == -ENOENT || r == -ENODEV;
		*why = "was detached; attached again";
		return *ret_gone ? 0 : r < 0 ? r : 1;
	}
	if (info.prog_id != l->program_id) {
		*why = "its program was replaced; ours put back";
		return bpf_link__update_program(l->link, program_of(e, l->hook)) < 0 ? -EIO : 1;
	}
	pin_path(e, l, "", path);
	if (stat(path, &st) < 0 && errno == ENOENT) {
		*why = "its pin was removed; pinned again";
		r = link_pin(e, l, l->link);
		return r < 0 ? r : 1;
	}
	return 0;
}

int rf_rate_links_verify(struct rf_engine *e, struct rf_strbuf *report)
{
	size_t turn = MIN(e->n_rate_links, (size_t)VERIFY_MAX);
	int repaired = 0;

	while (turn-- && e->n_rate_links) {
		size_t at = e->rate_links_cursor++ % e->n_rate_links;
		struct rf_rate_link *l = &e->rate_links[at];
		const char *why = "";
		bool gone = false;
		int r = link_verify(e, l, &gone, &why);

		if (gone) {
			link_remove(e, l);
			continue;
		}
		if (r == 0)
			continue;
		if (r > 0) {
			repaired++;
			e->hooks[l->hook].repairs++;
		} else {
			why = "is gone and cannot be put back";
		}
		rf_strbuf_addf(report, "hook %s of cgroup %s %s\n", rf_hook_table[l->hook].program,
			       l->path ? l->path : "/", why);
	}
	return repaired;
}

int rf_rate_links_free(struct rf_engine *e)
{
	int n = 0;

	for (size_t i = 0; i < e->n_rate_links; i++) {
		if (e->rate_links[i].link) {
			link_close(e->rate_links[i].link);
			n++;
		}
		free(e->rate_links[i].path);
	}
	free(e->rate_links);
	e->rate_links = NULL;
	e->n_rate_links = 0;
	return n;
}

void rf_rate_links_probe(struct rf_engine *e, int cgroup_fd, bool attach)
{
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct rf_hook_state *state = &e->hooks[hook];

		if (!rf_hook_table[hook].on_demand)
			continue;
		if (attach) {
			state->link = rf_hook_table[hook].cgroup ?
					      bpf_program__attach_cgroup(program_of(e, hook), cgroup_fd) :
					      bpf_program__attach(program_of(e, hook));
		} else {
			bpf_link__destroy(state->link);
			state->link = NULL;
		}
	}
}

bool rf_rate_is_attached(const struct rf_engine *e, enum rf_hook hook)
{
	for (size_t i = 0; i < e->n_rate_links; i++)
		if (e->rate_links[i].hook == hook && e->rate_links[i].link)
			return true;
	return false;
}

enum rf_support rf_rate_support(const struct rf_engine *e)
{
	for (int hook = 0; e->self_tested && hook < RF_HOOK_COUNT; hook++)
		if (rf_hook_table[hook].on_demand && e->hooks[hook].self_test < 0)
			return RF_SUPPORT_UNAVAILABLE;
	return RF_SUPPORT_ENFORCED;
}

char *rf_rate_why(const struct rf_engine *e)
{
	size_t cgroups = 0;
	char *why;

	for (size_t i = 0; i < e->n_rate_links; i++)
		cgroups += e->rate_links[i].hook == RF_HOOK_RATE_EGRESS && e->rate_links[i].link;
	if (asprintf(&why,
		     "the hooks ran in the self-test; attached where a workload has a rate: %zu cgroups. Packets wait "
		     "where the device has the qdisc fq and are dropped elsewhere",
		     cgroups) < 0)
		return NULL;
	return why;
}

size_t rf_rate_links_count(const struct rf_engine *e)
{
	return e->n_rate_links;
}

int rf_rate_link_fd(const struct rf_engine *e, size_t i)
{
	return e->rate_links[i].link ? bpf_link__fd(e->rate_links[i].link) : -1;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What cuGetProcAddress() gave: as programs say it, and so not believed. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/collect/elf_functions.h"
#include "user/daemon/library.h"
#include "user/lib/clock.h"

struct sites {
	struct rf_library_look look;
	/* Mappings of the process that was asked for last. */
	pid_t pid;
	char *text;
	size_t len;
	bool late;			  /* they could not be read now */
	uint16_t right[RF_MAX_WORKLOADS]; /* how many of each there are */
	bool open;			  /* there are others */
};

static int site_count(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct sites *s = arg;

	if (key->workload < RF_MAX_WORKLOADS)
		s->right[key->workload] += site->seen;
	s->open |= !site->seen;
	return RF_CALL_SITE_OPEN;
}

/* What the process has at that address; false: nothing that is executed. */
static bool site_find(struct sites *s, const struct rf_call_site *site, struct rf_process_map *ret)
{
	struct rf_span rest;
	int r;

	if (s->pid != (pid_t)site->tgid) {
		rf_freep(&s->text);
		s->pid = (pid_t)site->tgid;
		r = rf_library_reader_maps(&s->look.l->reader, s->pid, &s->text, &s->len);
		if (r < 0)
			s->text = NULL;
		s->late = r == -ETIMEDOUT || r == -EBUSY;
	}
	rest = (struct rf_span){ s->text, s->text ? s->len : 0 };
	while (rf_process_maps_next(&rest, ret))
		if (site->address >= ret->start && site->address < ret->end)
			return ret->executable;
	return false;
}

/* In a library that is probed already, for its name: a program may lead to any file, where it likes. */
static enum rf_call_site_is site_judge(struct sites *s, const struct rf_call_site_key *key,
				       const struct rf_call_site *site)
{
	struct rf_call_probe probe;
	struct rf_library *library;
	struct rf_process_map map;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!site_find(s, site, &map))
		return s->late ? RF_CALL_SITE_LATE : RF_CALL_SITE_WRONG;
	s->look.process = (struct rf_library_process){ s->pid, key->workload };
	fd = rf_library_mapped_open(&s->look, &map, "what cuGetProcAddress() gave");
	if (fd == -EAGAIN)
		return RF_CALL_SITE_LATE;
	if (fd < 0 || fstat(fd, &st) < 0)
		return RF_CALL_SITE_WRONG;
	library = rf_library_find(s->look.l, st.st_dev, st.st_ino);
	probe = (struct rf_call_probe){ site->address - map.start + map.offset, RF_CALL_AT(key->place) };
	/* It may have mapped something else there since it was told. */
	if (!library || probe.offset != site->offset || rf_elf_is_function(fd, site->offset) <= 0)
		return RF_CALL_SITE_WRONG;
	library->seen = s->look.l->round;
	library->told_inode = site->inode;
	library->told_device = site->device;
	rf_library_probe(&s->look, library, fd, &probe);
	return RF_CALL_SITE_RIGHT;
}

static int site_look(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct sites *s = arg;
	enum rf_call_site_is is;

	if (site->seen)
		return RF_CALL_SITE_RIGHT;
	if (rf_clock_monotonic() >= s->look.until_ns)
		return -ECANCELED;
	if (key->workload >= RF_MAX_WORKLOADS || s->right[key->workload] >= RF_MAX_CALL_PROBES)
		return RF_CALL_SITE_WRONG;
	is = site_judge(s, key, site);
	s->right[key->workload] += is == RF_CALL_SITE_RIGHT;
	return is;
}

void rf_library_sites_look(struct rf_library_look *look)
{
	struct sites *s = look->l->n ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return;
	s->look = *look;
	if (rf_engine_call_sites_each(look->e, site_count, s) == 0 && s->open)
		(void)rf_engine_call_sites_each(look->e, site_look, s);
	free(s->text);
	free(s);
}

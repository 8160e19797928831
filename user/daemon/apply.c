// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policy from files to force: read -> parse -> check against the host -> plan
 * -> flip, all or nothing. What failed changes nothing and is remembered for
 * status and metrics. Commit-confirm and rollback are the same road with other
 * sources.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "user/daemon/app.h"
#include "user/daemon/require.h"
#include "user/daemon/store.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define DEBOUNCE_USEC 100000

static void apply_failed(struct rf_app *app, const char *text)
{
	app->applies_failed++;
	app->last_error_real_ns = rf_clock_real();
	free(app->last_error);
	app->last_error = strdup(text);
}

static void apply_succeeded(struct rf_app *app)
{
	app->applies_ok++;
	app->last_apply_real_ns = rf_clock_real();
	free(app->last_error);
	app->last_error = NULL;
}

static void sources_replace(struct rf_sources *to, struct rf_sources *from)
{
	rf_sources_fini(to);
	*to = *from;
	*from = (struct rf_sources)RF_SOURCES_INIT;
}

/* The steps after the texts are in memory; @text collects what people must read, warnings included. */
static int sources_apply(struct rf_app *app, const struct rf_sources *s, bool force, struct rf_strbuf *text)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	_cleanup_(rf_labels_fini) struct rf_labels labels = { 0 };
	_cleanup_free_ char *error = NULL;
	int r;

	r = rf_sources_parse(s, &app->sources, app->registry->set, &set, &diags);
	if (r >= 0)
		r = rf_require_check(app->engine, set, s, &diags);
	if (r >= 0)
		r = rf_geo_resolve(&app->geo, app->options.geo_database, set, s, &diags);
	if (r >= 0)
		r = rf_labels_resolve(&labels, app->engine, set, &diags, &error);
	if (r >= 0)
		r = rf_registry_apply(app->registry, set, rf_app_protect, &force, &diags, &error);
	if (r >= 0) {
		rf_labels_fini(&app->labels);
		app->labels = labels;
		labels = (struct rf_labels){ 0 };
		TAKE_PTR(set);
	}
	if (diags.n)
		rf_diags_print(&diags, text, false);
	if (error)
		rf_strbuf_addf(text, "%s\n", error);
	else if (r < 0 && !diags.n_errors)
		rf_strbuf_addf(text, "cannot apply: %s\n", strerror(-r));
	return r;
}

void rf_app_hold(struct rf_app *app)
{
	int r = rf_engine_hold(app->engine);

	if (r < 0)
		rf_warn("ringfence.ko does not hold all that is attached: %s", strerror(-r));
}

int rf_app_apply(struct rf_app *app, struct rf_sources *s, enum rf_source_kind kind, bool force, bool keep,
		 char **ret_text)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	uint64_t begin = rf_clock_monotonic();
	int r = sources_apply(app, s, force, &text);

	if (r < 0) {
		apply_failed(app, rf_strbuf_str(&text));
		rf_err("policy not applied, the old one stays in force:\n%s", rf_strbuf_str(&text));
	} else {
		apply_succeeded(app);
		app->sources_hash = rf_sources_hash(s);
		sources_replace(&app->sources, s);
		app->source_kind = kind;
		app->in_force = true;
		/* The old set may have been as large as the new one: do not keep its memory. */
		(void)malloc_trim(0);
		rf_notice("policy in force: %zu policies, %zu workloads, generation %u, %llu ms", app->registry->set->n,
			  app->registry->n_workloads, rf_engine_generation(app->engine),
			  (unsigned long long)((rf_clock_monotonic() - begin) / RF_NSEC_PER_MSEC));
		if (text.len)
			rf_warn("%s", rf_strbuf_str(&text));
		rf_app_hold(app);
		/* The first one is followed by the start. */
		if (app->lock.wanted && app->applies_ok > 1)
			(void)rf_app_lock_refresh(app);
		if (keep) {
			int kept = rf_store_add(app->options.state_dir, &app->sources);

			if (kept < 0)
				rf_err_r(kept, "cannot keep the policy below %s: no rollback to it",
					 app->options.state_dir);
		}
	}
	if (ret_text)
		*ret_text = rf_strbuf_take(&text);
	return r;
}

static void confirm_forget(struct rf_app *app)
{
	app->confirm_timer = sd_event_source_disable_unref(app->confirm_timer);
	rf_sources_fini(&app->before);
}

static bool confirm_pending(const struct rf_app *app)
{
	return app->confirm_timer != NULL;
}

int rf_app_reload(struct rf_app *app, bool force, char **ret_text)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;
	_cleanup_free_ char *error = NULL;
	uint64_t hash;
	int r;

	if (confirm_pending(app)) {
		app->dir_dirty = true;
		*ret_text = strdup("an apply waits for its confirmation; the directory is read after that\n");
		return -EBUSY;
	}
	app->dir_dirty = false;
	r = rf_sources_read_dir(&s, app->options.policy_dir, &error);
	app->dir_missing = r == -ENOENT;
	if (r < 0) {
		apply_failed(app, error ? error : strerror(-r));
		rf_err("policy not applied, the old one stays in force: %s", error ? error : strerror(-r));
		*ret_text = error ? TAKE_PTR(error) : NULL;
		return r;
	}
	hash = rf_sources_hash(&s);
	/* After a rollback the directory waits until somebody changes it, or asks for it by force. */
	if (app->source_kind == RF_SOURCE_ROLLBACK && !force && rf_store_held(app->options.state_dir, hash)) {
		*ret_text = strdup("rolled back: the directory is as it was then and is not applied again "
				   "(change it, or reload --force)\n");
		return -EALREADY;
	}
	if (app->in_force && !force && hash == app->sources_hash && !app->last_error) {
		app->source_kind = RF_SOURCE_DIRECTORY;
		return 0;
	}
	r = rf_app_apply(app, &s, RF_SOURCE_DIRECTORY, force, true, ret_text);
	if (r >= 0)
		rf_store_hold_clear(app->options.state_dir);
	return r;
}

/* At start: the directory, or what was rolled back to; where the directory is broken, the last good one. */
int rf_app_start_policy(struct rf_app *app)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT, kept = RF_SOURCES_INIT;
	_cleanup_free_ char *error = NULL, *text = NULL;
	int r = rf_sources_read_dir(&s, app->options.policy_dir, &error);

	if (r >= 0 && rf_store_held(app->options.state_dir, rf_sources_hash(&s)) &&
	    rf_store_load(app->options.state_dir, 0, &kept) == 0 &&
	    rf_app_apply(app, &kept, RF_SOURCE_ROLLBACK, app->options.force, false, &text) == 0)
		return 0;
	if (r >= 0) {
		free(TAKE_PTR(text));
		text = NULL;
		r = rf_app_apply(app, &s, RF_SOURCE_DIRECTORY, app->options.force, true, &text);
		if (r >= 0)
			return 0;
	} else {
		app->dir_missing = r == -ENOENT;
		apply_failed(app, error ? error : strerror(-r));
		rf_err("%s", error ? error : strerror(-r));
	}
	rf_sources_fini(&kept);
	if (rf_store_load(app->options.state_dir, 0, &kept) == 0) {
		_cleanup_free_ char *reason = app->last_error ? strdup(app->last_error) : NULL;

		free(TAKE_PTR(text));
		text = NULL;
		rf_warn("using the last good policy, kept below %s", app->options.state_dir);
		r = rf_app_apply(app, &kept, RF_SOURCE_ROLLBACK, app->options.force, false, &text);
		/* In force again, but the directory is still wrong: status goes on saying so. */
		if (r >= 0 && reason)
			apply_failed(app, reason);
		if (r >= 0)
			return 0;
	}
	/* Nothing good anywhere: an empty set, or what an earlier daemon left in force. */
	if (rf_engine_adopted(app->engine)) {
		rf_warn("what the earlier daemon put in force stays in force");
		return 0;
	}
	rf_sources_fini(&kept);
	free(TAKE_PTR(text));
	text = NULL;
	error = error ? error : app->last_error ? strdup(app->last_error) : NULL;
	r = rf_app_apply(app, &kept, RF_SOURCE_DIRECTORY, true, false, &text);
	if (error)
		apply_failed(app, error);
	return r;
}

static int confirm_expired(sd_event_source *source, uint64_t usec, void *arg)
{
	struct rf_app *app = arg;
	_cleanup_sources_ struct rf_sources before = app->before;
	enum rf_source_kind kind = app->before_kind;
	_cleanup_free_ char *text = NULL;

	(void)source;
	(void)usec;
	app->before = (struct rf_sources)RF_SOURCES_INIT;
	confirm_forget(app);
	rf_warn("not confirmed in time: going back to the policy before");
	app->rollbacks++;
	(void)rf_app_apply(app, &before, kind, true, false, &text);
	if (app->dir_dirty) {
		free(TAKE_PTR(text));
		text = NULL;
		(void)rf_app_reload(app, false, &text);
	}
	return 0;
}

int rf_app_apply_paths(struct rf_app *app, char **paths, size_t n, uint32_t confirm_s, bool replace, bool force,
		       char **ret_text)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT, before = RF_SOURCES_INIT;
	enum rf_source_kind before_kind = app->source_kind;
	char *error = NULL;
	int r = 0;

	if (confirm_pending(app)) {
		*ret_text = strdup("an earlier apply waits for its confirmation (ringfence confirm, or rollback)\n");
		return -EBUSY;
	}
	if (!replace)
		r = rf_sources_copy(&s, &app->sources);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = rf_sources_overlay(&s, paths[i], &error);
	if (r >= 0)
		r = rf_sources_copy(&before, &app->sources);
	if (r < 0) {
		*ret_text = error;
		return r;
	}
	r = rf_app_apply(app, &s, confirm_s ? RF_SOURCE_CONFIRM : RF_SOURCE_DIRECTORY, force, !confirm_s, ret_text);
	if (r < 0)
		return r;
	if (!confirm_s) {
		rf_store_hold_clear(app->options.state_dir);
		return rf_sources_write_dir(&app->sources, app->options.policy_dir);
	}
	sources_replace(&app->before, &before);
	app->before_kind = before_kind;
	app->confirm_deadline_ns = rf_clock_monotonic() + confirm_s * RF_NSEC_PER_SEC;
	r = sd_event_add_time_relative(app->event, &app->confirm_timer, CLOCK_BOOTTIME, confirm_s * 1000000ULL, 1000,
				       confirm_expired, app);
	if (r < 0) {
		/* Without the timer there is no way back: take it back now. */
		app->before_kind = before_kind;
		(void)confirm_expired(NULL, 0, app);
	}
	return r;
}

int rf_app_confirm(struct rf_app *app, char **ret_text)
{
	int r;

	if (!confirm_pending(app)) {
		*ret_text = strdup("nothing waits for a confirmation\n");
		return -ENOENT;
	}
	confirm_forget(app);
	app->source_kind = RF_SOURCE_DIRECTORY;
	rf_store_hold_clear(app->options.state_dir);
	r = rf_store_add(app->options.state_dir, &app->sources);
	if (r >= 0)
		r = rf_sources_write_dir(&app->sources, app->options.policy_dir);
	if (r < 0 &&
	    asprintf(ret_text, "in force, but not written to %s: %s\n", app->options.policy_dir, strerror(-r)) < 0)
		*ret_text = NULL;
	rf_notice("policy confirmed");
	return r;
}

int rf_app_rollback(struct rf_app *app, char **ret_text)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT, dir = RF_SOURCES_INIT;
	int r;

	if (confirm_pending(app)) {
		app->rollbacks++;
		s = app->before;
		app->before = (struct rf_sources)RF_SOURCES_INIT;
		confirm_forget(app);
		return rf_app_apply(app, &s, app->before_kind, true, false, ret_text);
	}
	r = rf_store_load(app->options.state_dir, 1, &s);
	if (r < 0) {
		*ret_text = strdup("there is no earlier policy to go back to\n");
		return r;
	}
	r = rf_app_apply(app, &s, RF_SOURCE_ROLLBACK, true, false, ret_text);
	if (r < 0)
		return r;
	app->rollbacks++;
	(void)rf_store_drop_newest(app->options.state_dir);
	if (rf_sources_read_dir(&dir, app->options.policy_dir, NULL) == 0)
		(void)rf_store_hold_set(app->options.state_dir, rf_sources_hash(&dir));
	return 0;
}

static int debounce_over(sd_event_source *source, uint64_t usec, void *arg)
{
	struct rf_app *app = arg;
	_cleanup_free_ char *text = NULL;

	(void)source;
	(void)usec;
	app->debounce = sd_event_source_disable_unref(app->debounce);
	(void)rf_app_reload(app, false, &text);
	return 0;
}

static void reload_soon(struct rf_app *app)
{
	app->debounce = sd_event_source_disable_unref(app->debounce);
	if (sd_event_add_time_relative(app->event, &app->debounce, CLOCK_MONOTONIC, DEBOUNCE_USEC, 1000, debounce_over,
				       app) < 0)
		rf_err("cannot wait for the policy directory to settle; use \"ringfence reload\"");
}

static int watch_fired(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct rf_app *app = arg;

	(void)source;
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) {
		app->watch = sd_event_source_disable_unref(app->watch);
		if (!app->dir_missing) {
			app->dir_missing = true;
			apply_failed(app, "the policy directory is gone; what is in force stays");
			rf_err("%s is gone; what is in force stays", app->options.policy_dir);
		}
		return 0;
	}
	/* Editors' and our own temporary files. */
	if (event->len && (event->name[0] == '.' && !rf_strprefix(event->name, "..data")))
		return 0;
	reload_soon(app);
	return 0;
}

int rf_app_watch_start(struct rf_app *app)
{
	if (!app->options.watch)
		return 0;
	return sd_event_add_inotify(app->event, &app->watch, app->options.policy_dir,
				    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
					    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
				    watch_fired, app);
}

/* Once a second: is a directory that was gone back? */
void rf_app_watch_tick(struct rf_app *app)
{
	struct stat st;

	if (!app->options.watch || app->watch || stat(app->options.policy_dir, &st) < 0)
		return;
	if (rf_app_watch_start(app) >= 0)
		reload_soon(app);
}

#define GEO_TICKS 10

void rf_app_geo_tick(struct rf_app *app)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;
	_cleanup_free_ char *text = NULL;

	if (++app->geo_ticks % GEO_TICKS || confirm_pending(app) ||
	    !rf_geo_changed(&app->geo, app->options.geo_database))
		return;
	rf_notice("%s changed: the policies are applied again", app->options.geo_database);
	if (rf_sources_copy(&s, &app->sources) == 0)
		(void)rf_app_apply(app, &s, app->source_kind, true, false, &text);
}

void rf_app_accelerators_tick(struct rf_app *app)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;
	_cleanup_free_ char *text = NULL;

	bool changed = rf_accelerators_tick(&app->accelerators, app->engine);

	if (app->gpu)
		rf_gpu_tick(app->gpu, &app->accelerators.known, changed);
	if (!changed || !app->in_force)
		return;
	rf_notice("accelerators have come or gone (%zu now): the policies are applied again",
		  app->accelerators.known.n_devices);
	if (rf_sources_copy(&s, &app->sources) == 0)
		(void)rf_app_apply(app, &s, app->source_kind, true, false, &text);
}

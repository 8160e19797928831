/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's parts in one place. Only user/daemon/ knows this struct. */
#ifndef RF_DAEMON_APP_H
#define RF_DAEMON_APP_H

#include <systemd/sd-event.h>

#include "ringfence/control.h"
#include "user/daemon/accelerators.h"
#include "user/daemon/clients.h"
#include "user/daemon/device_health.h"
#include "user/daemon/energy.h"
#include "user/daemon/flows.h"
#include "user/daemon/freeze.h"
#include "user/daemon/geo.h"
#include "user/daemon/health_sysfs.h"
#include "user/daemon/gpu.h"
#include "user/daemon/history.h"
#include "user/daemon/holds.h"
#include "user/daemon/http.h"
#include "user/daemon/kfd.h"
#include "user/daemon/lock.h"
#include "user/daemon/labels.h"
#include "user/daemon/libraries.h"
#include "user/daemon/lineage.h"
#include "user/daemon/memory_limits.h"
#include "user/daemon/registry.h"
#include "user/daemon/sources.h"
#include "user/daemon/xid.h"
#include "user/engine/engine.h"

#define RF_POLICY_DIR "/etc/ringfence/policies.d"
#define RF_STATE_DIR  "/var/lib/ringfence"
#define RF_BPFFS_DIR  "/sys/fs/bpf/ringfence"
#define RF_LISTEN     "127.0.0.1:9642"
#define RF_GEO_PATH   "/var/lib/GeoIP/GeoLite2-Country.mmdb" /* where geoipupdate puts it */

struct rf_options {
	const char *policy_dir, *state_dir, *socket, *bpffs, *listen, *geo_database;
	const char *kernel_log; /* NULL: the kernel's own, on a host with devices of NVIDIA's */
	char *cgroup_root;	/* owned */
	bool watch, verbose;
	struct rf_gpu_options gpu;
	bool pods_open; /* see pods.h */
	bool lock;	/* see lock.h */
	bool force;	/* the start-up apply may cover the host's own management */
};

enum rf_source_kind { RF_SOURCE_DIRECTORY, RF_SOURCE_ROLLBACK, RF_SOURCE_CONFIRM };

struct rf_control;

struct rf_app {
	struct rf_options options;
	sd_event *event;
	struct rf_engine *engine;
	struct rf_registry *registry;
	struct rf_history *history;
	struct rf_flows flows;
	struct rf_lineage lineage;
	struct rf_lock lock;
	struct rf_http *http;
	struct rf_control *control;
	uint64_t started_ns;
	bool exiting;

	/* policy: what is in force and where it came from */
	struct rf_sources sources;
	uint64_t sources_hash;
	bool in_force;
	enum rf_source_kind source_kind;
	struct rf_sources before; /* what an unconfirmed apply goes back to */
	enum rf_source_kind before_kind;
	sd_event_source *confirm_timer;
	uint64_t confirm_deadline_ns;
	struct rf_geo_state geo;
	struct rf_labels labels;
	struct rf_accelerator_watch accelerators;
	bool accelerators_changed; /* what is applied is in force, and its warnings have been told */
	struct rf_libraries libraries;
	struct rf_freeze freeze;
	struct rf_clients clients;
	struct rf_device_health device_health;
	struct rf_health_sysfs health_sysfs;
	struct rf_energy energy;
	struct rf_holds holds;
	struct rf_kfd_watch kfd;
	struct rf_gpu *gpu;
	struct rf_memory_limits memory_limits;
	struct rf_xid_watch xid;
	unsigned int geo_ticks;
	char *last_error;
	uint64_t last_error_real_ns, last_apply_real_ns, applies_ok, applies_failed, rollbacks;

	/* watching */
	sd_event_source *watch, *debounce;
	sd_event_source *http_timer;
	bool dir_missing, dir_dirty;

	bool rescan; /* an identity event was lost or cut */
};

/* apply.c */
/*
 * Puts @s in force or says why not: @ret_text (caller frees) has the diagnostics for people. Takes @s's content on
 * success. Keeps it on disk when @keep.
 */
int rf_app_apply(struct rf_app *app, struct rf_sources *s, enum rf_source_kind kind, bool force, bool keep,
		 char **ret_text);
/* After a change of what is attached. */
void rf_app_hold(struct rf_app *app);
int rf_app_reload(struct rf_app *app, bool force, char **ret_text);
int rf_app_start_policy(struct rf_app *app);
int rf_app_apply_paths(struct rf_app *app, char **paths, size_t n, uint32_t confirm_s, bool replace, bool force,
		       char **ret_text);
int rf_app_confirm(struct rf_app *app, char **ret_text);
int rf_app_rollback(struct rf_app *app, char **ret_text);
int rf_app_watch_start(struct rf_app *app);
void rf_app_watch_tick(struct rf_app *app);
/* Once a second: does the country database have to be read again? */
void rf_app_geo_tick(struct rf_app *app);
/* Likewise: have accelerators come or gone? Then what is in force is applied again. */
void rf_app_accelerators_tick(struct rf_app *app);

/* xid_event.c: follows the kernel's log as soon as there is a device of NVIDIA's */
void rf_app_xid_tick(struct rf_app *app);

/* memory_tick.c: quotas of device memory, from what policies say and what the host has */
int rf_app_memory_start(struct rf_app *app);
void rf_app_memory_tick(struct rf_app *app);
/* Workloads and accelerators of @s are there. */
int rf_app_memory_view(const struct rf_app *app, struct rf_snapshot *s);

/* protect.c: refuses a plan that would put the host's own management under enforcement */
int rf_app_protect(struct rf_registry *r, const struct rf_policy_set *set, void *arg, char **ret_error);

/* view.c */
int rf_app_snapshot(struct rf_app *app, bool workload_usage, struct rf_snapshot *s);

/* control.c */
int rf_control_start(struct rf_app *app, struct rf_control **ret);
void rf_control_free(struct rf_control *c);
/* A live event: to those who follow. */
void rf_control_event(struct rf_control *c, const struct rf_record *record);

#endif

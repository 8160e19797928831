// SPDX-License-Identifier: GPL-2.0-or-later
/* Sources of the event loop. Each does its work and returns; nothing waits. */
#include "user/daemon/loop.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "user/daemon/labels.h"
#include "user/daemon/peers.h"
#include "user/export/prometheus.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"

#define TICK_USEC  1000000ULL
/* Telemetry does not wake us (bpf/lib/submit.bpf.h): it is read this often. */
#define DRAIN_USEC 100000ULL

/* NULL: no accelerator's, or of several. */
static const char *device_name(const struct rf_app *app, uint32_t type, uint32_t major, uint32_t minor)
{
	const struct rf_accelerators *known = &app->accelerators.known;
	const struct rf_accelerator_node *node = type == 2 ? rf_accelerators_find(known, major, minor) : NULL;

	return node && node->part == RF_PART_DEVICE ? known->devices[node->device].name : NULL;
}

static void event_names(struct rf_app *app, const struct rf_event_header *event, struct rf_event_names *names)
{
	const struct rf_workload *w = event->workload < RF_MAX_WORKLOADS ? app->registry->by_id[event->workload] : NULL;
	const struct rf_image *image = w ? w->image : NULL;
	const struct rf_rule_ref *ref = NULL;

	*names = (struct rf_event_names){ .workload = rf_registry_name(app->registry, event->workload) };
	if (event->kind == RF_EVENT_FLOW_DENY) {
		const struct rf_event_flow *flow = (const struct rf_event_flow *)event;

		ref = rf_engine_rule_ref(app->engine, image, flow->direction, flow->tier, flow->ruleset, flow->rule);
	} else if (event->kind == RF_EVENT_FLOW_START || event->kind == RF_EVENT_FLOW_END) {
		const struct rf_event_flow_record *flow = (const struct rf_event_flow_record *)event;

		ref = rf_engine_rule_ref(app->engine, image, flow->direction, flow->tier, flow->ruleset, flow->rule);
	} else if (event->kind == RF_EVENT_DEVICE_DENY) {
		const struct rf_event_device *device = (const struct rf_event_device *)event;

		names->device = device_name(app, device->type, device->major, device->minor);
		ref = rf_engine_device_ref(app->engine, image, device->device_set, device->rule);
	} else if (event->kind == RF_EVENT_QUOTA) {
		const struct rf_event_quota *quota = (const struct rf_event_quota *)event;

		names->device = quota->major ? device_name(app, 2, quota->major, quota->minor) : RF_ACCELERATOR_LIBRARY;
		ref = rf_quotas_ref(image ? image->quotas : NULL, quota->level);
	} else if (event->kind == RF_EVENT_ACCEL_OPEN) {
		const struct rf_event_accel_open *open = (const struct rf_event_accel_open *)event;

		names->device = device_name(app, 2, open->major, open->minor);
	} else if (event->kind == RF_EVENT_XID) {
		names->device =
			rf_accelerators_name(&app->accelerators.known, ((const struct rf_event_xid *)event)->device);
	} else if (event->kind == RF_EVENT_SOCKET_DENY) {
		const struct rf_event_socket *socket = (const struct rf_event_socket *)event;

		names->peer = rf_registry_name(app->registry, socket->peer_workload);
		ref = rf_sockets_ref(image ? image->sockets : NULL, socket->tier, socket->rule);
	} else if (event->kind == RF_EVENT_ISOLATION) {
		const struct rf_event_isolation *isolation = (const struct rf_event_isolation *)event;

		names->peer = rf_registry_name(app->registry, isolation->peer_workload);
		ref = rf_isolation_ref(image ? image->isolation : NULL, isolation->tier, isolation->between,
				       isolation->operation);
	} else if (event->kind == RF_EVENT_KERNEL_DENY) {
		const struct rf_event_kernel *kernel = (const struct rf_event_kernel *)event;

		ref = rf_kernel_ref(image ? image->kernel : NULL, kernel->tier, kernel->rule);
	} else if (event->kind == RF_EVENT_FILE_DENY) {
		const struct rf_event_file *file = (const struct rf_event_file *)event;

		names->label = rf_labels_zone_name(app->registry->set, file->zone);
		ref = rf_files_ref(image ? image->files : NULL, file->tier, file->zone, file->denied);
	} else if (event->kind == RF_EVENT_EXEC_DENY) {
		ref = rf_engine_exec_ref(app->engine, image, (const struct rf_event_exec_deny *)event);
	}
	if (!ref)
		return;
	names->policy = ref->policy;
	names->rule = ref->rule;
	names->file = ref->file;
	names->line = ref->line;
}

/* A cut path is no identity: the scan reads the whole one. */
static bool path_is_whole(const struct rf_event_cgroup *event)
{
	return event->path[0] == '/' && event->path_len < RF_PATH_MAX - 1;
}

/* The self-test's own cgroups are no news. */
static bool is_probe(const struct rf_event_header *event)
{
	if (event->workload == RF_WORKLOAD_PROBE)
		return true;
	return (event->kind == RF_EVENT_CGROUP_NEW || event->kind == RF_EVENT_CGROUP_GONE) &&
	       strstr(((const struct rf_event_cgroup *)event)->path, "/" RF_PROBE_CGROUP);
}

static void identity_handle(struct rf_app *app, const struct rf_event_header *event)
{
	const struct rf_event_cgroup *cgroup = (const struct rf_event_cgroup *)event;
	_cleanup_free_ char *error = NULL;
	int r;

	if (event->kind == RF_EVENT_CGROUP_GONE) {
		rf_registry_cgroup_gone(app->registry, event->cgroup_id);
		return;
	}
	if (!path_is_whole(cgroup)) {
		app->rescan = true;
		return;
	}
	r = rf_registry_cgroup_new(app->registry, event->cgroup_id, cgroup->parent_id, cgroup->path, &error);
	if (r < 0)
		rf_err("cgroup %s stays under its parent's policy: %s", cgroup->path, error ? error : strerror(-r));
}

void rf_app_event(struct rf_app *app, const struct rf_event_header *event)
{
	const struct rf_record *record;
	struct rf_event_names names;

	event_names(app, event, &names);
	record = rf_history_add(app->history, event, &names);
	if (record && app->control)
		rf_control_event(app->control, record);
}

static void event_handle(const struct rf_event_header *event, void *arg)
{
	struct rf_app *app = arg;

	if (is_probe(event))
		return;
	if (event->kind == RF_EVENT_CGROUP_NEW || event->kind == RF_EVENT_CGROUP_GONE)
		identity_handle(app, event);
	else if (event->kind == RF_EVENT_QUOTA && !((const struct rf_event_quota *)event)->major)
		rf_freeze_look(&app->freeze);
	else if (event->kind == RF_EVENT_GAP && event->lane == RF_LANE_IDENTITY)
		app->rescan = true;
	/* Cgroups that have nothing to do with us are no news. */
	if (event->lane == RF_LANE_IDENTITY && event->kind != RF_EVENT_GAP && !event->workload &&
	    !rf_hashmap_get64(app->registry->cgroups, event->cgroup_id))
		return;
	rf_flows_event(&app->flows, app->registry, event);
	if (app->gpu)
		rf_gpu_event(app->gpu, event);
	rf_app_event(app, event);
}

static int ring_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_app *app = arg;

	(void)source;
	(void)fd;
	(void)events;
	rf_engine_ring_consume(app->engine);
	return 0;
}

static int drain(sd_event_source *source, uint64_t usec, void *arg)
{
	struct rf_app *app = arg;

	(void)usec;
	rf_engine_ring_consume(app->engine);
	(void)sd_event_source_set_time_relative(source, DRAIN_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* What the kernel could not tell us is found by walking. */
static void rescan_if_due(struct rf_app *app)
{
	int r;

	if (!app->rescan)
		return;
	app->rescan = false;
	r = rf_registry_scan(app->registry);
	if (r < 0)
		rf_err_r(r, "scanning cgroups again failed");
	else
		rf_notice("cgroups were scanned again, because the kernel could not report them all");
}

static int tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct rf_app *app = arg;
	_cleanup_strbuf_ struct rf_strbuf report = RF_STRBUF_INIT;

	(void)usec;
	if (app->exiting)
		return 0;
	(void)rf_engine_flows_sweep(app->engine);
	rf_engine_ring_consume(app->engine);
	rf_engine_ring_flush(app->engine);
	(void)rf_engine_verify(app->engine, &report);
	if (report.len) {
		rf_warn("tampering: %s", rf_strbuf_str(&report));
		rf_app_hold(app);
	}
	if (report.len && app->lock.wanted)
		(void)rf_app_lock_refresh(app);
	rf_app_lock_tick(app);
	rf_lineage_tick(&app->lineage, app->registry);
	rf_registry_reap(app->registry);
	rf_peers_refresh(app->registry, false);
	rescan_if_due(app);
	rf_app_watch_tick(app);
	rf_app_geo_tick(app);
	rf_app_accelerators_tick(app);
	rf_libraries_tick(&app->libraries, app->registry);
	rf_clients_look(&app->clients, app->engine);
	rf_kfd_tick(&app->kfd, app->registry, "/sys");
	rf_holds_tick(&app->holds, app->engine, app->registry, &app->clients);
	rf_health_sysfs_tick(&app->health_sysfs, &app->accelerators.known);
	rf_energy_tick(&app->energy, app->engine, &app->device_health, app->gpu);
	rf_app_memory_tick(app);
	rf_app_xid_tick(app);
	rf_labels_tick(&app->labels, app->engine, app->registry->set);
	rf_flows_tick(&app->flows);
	(void)sd_event_source_set_time_relative(source, TICK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int signal_end(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct rf_app *app = arg;

	(void)source;
	rf_notice("signal %u: ending; enforcement stays in force", info->ssi_signo);
	return sd_event_exit(app->event, 0);
}

static int signal_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct rf_app *app = arg;
	_cleanup_free_ char *text = NULL;

	(void)source;
	(void)info;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(rf_clock_monotonic() / RF_NSEC_PER_USEC));
	(void)rf_app_reload(app, false, &text);
	sd_notify(0, "READY=1");
	return 0;
}

int rf_app_loop_prepare(struct rf_app *app)
{
	static const int ends[] = { SIGTERM, SIGINT };
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = rf_engine_ring_open(app->engine, event_handle, app);
	if (r >= 0)
		r = sd_event_add_io(app->event, NULL, rf_engine_ring_fd(app->engine), EPOLLIN, ring_io, app);
	if (r >= 0)
		r = sd_event_add_time_relative(app->event, NULL, CLOCK_MONOTONIC, DRAIN_USEC, 1000, drain, app);
	if (r >= 0)
		r = sd_event_add_time_relative(app->event, NULL, CLOCK_MONOTONIC, TICK_USEC, 1000, tick, app);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(ends); i++)
		r = sd_event_add_signal(app->event, NULL, ends[i], signal_end, app);
	if (r >= 0)
		r = sd_event_add_signal(app->event, NULL, SIGHUP, signal_reload, app);
	if (r >= 0)
		r = sd_event_set_watchdog(app->event, true);
	return r < 0 ? r : 0;
}

void rf_app_loop_end(struct rf_app *app)
{
	/* The last events before the end: a later daemon starts behind them. */
	if (app->engine && !app->exiting && app->history)
		rf_engine_ring_consume(app->engine);
}

static int metrics_render(enum rf_metrics_format format, struct rf_strbuf *out, void *arg)
{
	_cleanup_(rf_snapshot_fini) struct rf_snapshot s = { 0 };
	int r = rf_app_snapshot(arg, true, &s);

	return r < 0 ? r : rf_prometheus_render(&s, format, out);
}

static int health(struct rf_strbuf *reason, void *arg)
{
	struct rf_app *app = arg;

	for (int feature = RF_FEATURE_IDENTITY; feature <= RF_FEATURE_DEVICES; feature++) {
		if (rf_engine_support(app->engine, feature) == RF_SUPPORT_UNAVAILABLE) {
			rf_strbuf_addf(reason, "%s is not enforced", rf_feature_name(feature));
			return -EIO;
		}
	}
	return 0;
}

static int http_turn(struct rf_app *app, sd_event_source *timer)
{
	uint64_t timeout;
	int r = rf_http_run(app->http);

	if (r < 0)
		return rf_err_r(r, "the metrics listener stopped");
	timeout = rf_http_timeout_ns(app->http);
	if (timeout == RF_HTTP_TIMEOUT_NONE)
		return 0;
	(void)sd_event_source_set_time_relative(timer, timeout / RF_NSEC_PER_USEC);
	return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int http_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)usec;
	(void)http_turn(arg, source);
	return 0;
}

static int http_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_app *app = arg;

	(void)fd;
	(void)events;
	(void)http_turn(app, app->http_timer);
	(void)source;
	return 0;
}

void rf_app_http_start(struct rf_app *app)
{
	const struct rf_http_handler handler = {
		.metrics = metrics_render, .health = health, .arg = app, .metrics_max_age_ns = RF_NSEC_PER_SEC
	};
	int r;

	if (rf_streq(app->options.listen, "none"))
		return;
	r = rf_http_start(app->options.listen, &handler, &app->http);
	if (r >= 0)
		r = sd_event_add_time(app->event, &app->http_timer, CLOCK_MONOTONIC, 0, 1000, http_timer, app);
	if (r >= 0)
		r = sd_event_add_io(app->event, NULL, rf_http_fd(app->http), EPOLLIN, http_io, app);
	if (r < 0)
		rf_err_r(r, "no metrics: cannot listen on %s", app->options.listen);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfenced: options, the staircase of start-up, and one loop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "user/collect/mountinfo.h"
#include "user/daemon/app.h"
#include "user/daemon/loop.h"
#include "user/export/prometheus.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

static const char usage[] = "usage: ringfenced [options]\n"
			    "\n"
			    "  --policy-dir DIR    policy files, *.yaml (" RF_POLICY_DIR ")\n"
			    "  --state-dir DIR     what must survive a restart (" RF_STATE_DIR ")\n"
			    "  --socket PATH       control socket (" RF_CONTROL_SOCKET ")\n"
			    "  --bpffs DIR         where programs and maps are pinned (" RF_BPFFS_DIR ")\n"
			    "  --cgroup-root DIR   cgroup v2 directory to attach to (the mount found)\n"
			    "  --listen ADDR:PORT  /metrics and /healthz, or \"none\" (" RF_LISTEN ")\n"
			    "  --geo-database FILE country database in MaxMind's format\n"
			    "                      (" RF_GEO_PATH ")\n"
			    "  --log-level LEVEL   err, warning, notice, info, debug (info)\n"
			    "  --pods-accelerators WORD\n"
			    "                      accelerators for pods that no policy selects: deny, allow (deny)\n"
			    "  --gpu-helper FILE   ringfence-gpu (beside ringfenced, or in ../libexec/ringfence)\n"
			    "  --gpu-library FILE  what it asks in NVML's place, on any host\n"
			    "  --kernel-log FILE   where errors of NVIDIA's devices are read (/dev/kmsg)\n"
			    "  --no-watch          do not watch the policy directory\n"
			    "  --lock              let nobody but itself end or change enforcement\n"
			    "  --force             apply at start even what covers the host's own management\n"
			    "  --version, --help\n"
			    "\n"
			    "It leaves enforcement in force when it ends; \"ringfence detach\" removes it.\n";

static int options_parse(int argc, char **argv, struct rf_options *o, bool *ret_done)
{
	enum {
		POLICY_DIR = 256,
		STATE_DIR,
		SOCKET,
		BPFFS,
		CGROUP_ROOT,
		LISTEN,
		GEO_DATABASE,
		LOG_LEVEL,
		PODS_ACCELERATORS,
		GPU_HELPER,
		GPU_LIBRARY,
		KERNEL_LOG,
		NO_WATCH,
		LOCK,
		FORCE,
		VERSION,
		HELP
	};
	static const struct option table[] = {
		{ "policy-dir", required_argument, NULL, POLICY_DIR },
		{ "state-dir", required_argument, NULL, STATE_DIR },
		{ "socket", required_argument, NULL, SOCKET },
		{ "bpffs", required_argument, NULL, BPFFS },
		{ "cgroup-root", required_argument, NULL, CGROUP_ROOT },
		{ "listen", required_argument, NULL, LISTEN },
		{ "geo-database", required_argument, NULL, GEO_DATABASE },
		{ "log-level", required_argument, NULL, LOG_LEVEL },
		{ "pods-accelerators", required_argument, NULL, PODS_ACCELERATORS },
		{ "gpu-helper", required_argument, NULL, GPU_HELPER },
		{ "gpu-library", required_argument, NULL, GPU_LIBRARY },
		{ "kernel-log", required_argument, NULL, KERNEL_LOG },
		{ "no-watch", no_argument, NULL, NO_WATCH },
		{ "lock", no_argument, NULL, LOCK },
		{ "force", no_argument, NULL, FORCE },
		{ "version", no_argument, NULL, VERSION },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	enum rf_log_level level;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case POLICY_DIR:
			o->policy_dir = optarg;
			break;
		case STATE_DIR:
			o->state_dir = optarg;
			break;
		case SOCKET:
			o->socket = optarg;
			break;
		case BPFFS:
			o->bpffs = optarg;
			break;
		case CGROUP_ROOT:
			free(o->cgroup_root);
			o->cgroup_root = strdup(optarg);
			break;
		case LISTEN:
			o->listen = optarg;
			break;
		case GEO_DATABASE:
			o->geo_database = optarg;
			break;
		case PODS_ACCELERATORS:
			if (!rf_streq(optarg, "deny") && !rf_streq(optarg, "allow")) {
				fprintf(stderr, "ringfenced: --pods-accelerators takes deny or allow, not \"%s\"\n",
					optarg);
				return -EINVAL;
			}
			o->pods_open = rf_streq(optarg, "allow");
			break;
		case GPU_HELPER:
			o->gpu.helper = optarg;
			break;
		case GPU_LIBRARY:
			o->gpu.library = optarg;
			break;
		case KERNEL_LOG:
			o->kernel_log = optarg;
			break;
		case NO_WATCH:
			o->watch = false;
			break;
		case LOCK:
			o->lock = true;
			break;
		case FORCE:
			o->force = true;
			break;
		case LOG_LEVEL:
			if (rf_log_level_parse(optarg, &level) < 0) {
				fprintf(stderr,
					"ringfenced: unknown log level \"%s\": err, warning, notice, info or debug\n",
					optarg);
				return -EINVAL;
			}
			rf_log_set_level(level);
			o->verbose = level == RF_LOG_DEBUG;
			break;
		case VERSION:
			printf("ringfenced %s\n", RF_VERSION);
			*ret_done = true;
			return 0;
		case HELP:
			fputs(usage, stdout);
			*ret_done = true;
			return 0;
		default:
			fprintf(stderr, "Try \"ringfenced --help\".\n");
			return -EINVAL;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "ringfenced: unexpected argument \"%s\"; try --help\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

/* Path of the attach point below the v2 root: what cgroup paths in events begin with. */
static char *prefix_find(const char *root)
{
	_cleanup_free_ char *mount = NULL, *real = realpath(root, NULL);
	size_t len;

	if (!real || rf_cgroup2_mount_find(&mount) < 0)
		return strdup("");
	len = strlen(mount);
	if (strncmp(real, mount, len) != 0 || (real[len] != '/' && real[len] != '\0'))
		return strdup("");
	return strdup(real + len);
}

/* Each step needs the ones before; what fails is said once, here. */
static int start(struct rf_app *app)
{
	struct rf_engine_options options = { .bpffs = app->options.bpffs,
					     .cgroup_root = app->options.cgroup_root,
					     .verbose = app->options.verbose };
	_cleanup_free_ char *error = NULL, *prefix = NULL;
	int r;

	r = rf_fs_mkdir_p(app->options.state_dir, 0700);
	if (r < 0)
		return rf_err_r(r, "cannot make the state directory %s", app->options.state_dir);
	/* First of all: two daemons on one socket would fight over the same pins. */
	r = rf_control_start(app, &app->control);
	if (r == -EADDRINUSE)
		return rf_err_r(r, "another ringfenced answers on %s", app->options.socket);
	if (r < 0)
		return rf_err_r(r, "cannot listen on %s", app->options.socket);
	r = rf_app_lock_prepare(app);
	if (r < 0)
		return r;
	r = rf_engine_new(&options, &app->engine, &error);
	if (r >= 0)
		r = rf_engine_attach_identity(app->engine, &error);
	if (r < 0) {
		rf_err("%s", error ? error : strerror(-r));
		return r;
	}
	prefix = prefix_find(app->options.cgroup_root);
	r = prefix ? rf_registry_new(app->engine, prefix, &app->registry) : -ENOMEM;
	if (r >= 0)
		r = rf_history_new(&app->history);
	if (r >= 0)
		r = rf_flows_start(&app->flows, app->options.state_dir);
	if (r >= 0)
		r = rf_lineage_start(&app->lineage, app->options.state_dir);
	if (r < 0)
		return r;
	r = rf_app_loop_prepare(app);
	if (r < 0)
		return rf_err_r(r, "cannot read the event rings");
	r = rf_registry_scan(app->registry);
	if (r < 0)
		rf_err_r(r, "some cgroups could not be read");
	/* A new host has no hooks yet that could be tested: attach them empty, test, then decide what policies may ask.
	 */
	r = rf_engine_attach_verdicts(app->engine, &error);
	if (r < 0) {
		rf_err("%s", error ? error : strerror(-r));
		return r;
	}
	r = rf_engine_self_test(app->engine);
	if (r < 0)
		rf_err_r(r, "the self-test could not run");
	r = rf_accelerators_start(&app->accelerators, app->event, app->engine);
	if (r < 0)
		return rf_err_r(r, "cannot tell the kernel of the accelerators");
	app->registry->accelerators = &app->accelerators.known;
	r = rf_gpu_new(&app->options.gpu, app->event, app->registry, &app->device_health, &app->gpu);
	if (r < 0)
		return rf_err_r(r, "cannot prepare to ask NVML");
	rf_health_sysfs_start(&app->health_sysfs, app->event, &app->device_health, NULL);
	r = rf_app_memory_start(app);
	if (r < 0)
		return rf_err_r(r, "cannot prepare to limit memory of devices");
	app->registry->guarded = app->lock.wanted;
	app->registry->pods_open = app->options.pods_open;
	r = rf_freeze_start(&app->freeze, app->event, app->registry);
	if (r < 0)
		return rf_err_r(r, "no workload can be frozen");
	r = rf_app_start_policy(app);
	rf_engine_probes_end(app->engine);
	if (r >= 0)
		r = rf_app_lock_refresh(app);
	if (r < 0)
		return r;
	r = rf_app_watch_start(app);
	if (r < 0 && !app->dir_missing)
		rf_err_r(r, "cannot watch %s", app->options.policy_dir);
	return 0;
}

static void stop(struct rf_app *app)
{
	rf_app_loop_end(app);
	rf_xid_stop(&app->xid);
	rf_health_sysfs_stop(&app->health_sysfs);
	rf_memory_limits_stop(&app->memory_limits);
	rf_gpu_free(app->gpu);
	rf_control_free(app->control);
	rf_http_free(app->http);
	rf_history_free(app->history);
	rf_flows_end(&app->flows);
	rf_lineage_end(&app->lineage, app->registry);
	rf_libraries_stop(&app->libraries);
	rf_freeze_stop(&app->freeze);
	rf_registry_free(app->registry);
	rf_engine_free(app->engine);
	sd_event_source_disable_unref(app->watch);
	sd_event_source_disable_unref(app->debounce);
	sd_event_source_disable_unref(app->confirm_timer);
	sd_event_unref(app->event);
	rf_sources_fini(&app->sources);
	rf_sources_fini(&app->before);
	rf_geo_state_fini(&app->geo);
	rf_labels_fini(&app->labels);
	rf_kfd_end(&app->kfd);
	rf_holds_end(&app->holds);
	rf_energy_end(&app->energy);
	rf_clients_end(&app->clients);
	rf_accelerators_stop(&app->accelerators);
	rf_device_health_fini(&app->device_health);
	free(app->last_error);
	free(app->options.cgroup_root);
}

int main(int argc, char **argv)
{
	struct rf_app app = { .options = { .policy_dir = RF_POLICY_DIR,
					   .state_dir = RF_STATE_DIR,
					   .socket = RF_CONTROL_SOCKET,
					   .bpffs = RF_BPFFS_DIR,
					   .listen = RF_LISTEN,
					   .geo_database = RF_GEO_PATH,
					   .watch = true } };
	bool done = false;
	int r;

	r = options_parse(argc, argv, &app.options, &done);
	if (r < 0 || done) {
		free(app.options.cgroup_root);
		return r < 0 ? 2 : 0;
	}
	if (!app.options.cgroup_root && rf_cgroup2_mount_find(&app.options.cgroup_root) < 0) {
		rf_err("no cgroup v2 mount found; mount one (mount -t cgroup2 none /sys/fs/cgroup/unified) or name a "
		       "directory with --cgroup-root");
		return 1;
	}
	/* Whoever reads a pipe of ours may die. */
	(void)signal(SIGPIPE, SIG_IGN);
	app.started_ns = rf_clock_monotonic();
	r = sd_event_default(&app.event);
	if (r >= 0)
		r = start(&app);
	if (r >= 0) {
		rf_app_http_start(&app);
		rf_notice("ringfenced %s ready at %s%s", RF_VERSION, app.options.cgroup_root,
			  rf_engine_adopted(app.engine) ? ", took over what an earlier daemon left" : "");
		sd_notify(0, "READY=1");
		r = sd_event_loop(app.event);
		sd_notify(0, "STOPPING=1");
	}
	stop(&app);
	return r < 0 ? 1 : 0;
}

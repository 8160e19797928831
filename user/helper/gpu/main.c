// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence-gpu: asks NVML once a second and tells ringfenced, on stdout. A
 * process of its own, because a call into NVIDIA's library may hang or crash,
 * and because it needs none of the daemon's rights. The daemon ends it, when
 * it was silent for too long, and starts it again. Another of it sets limits,
 * which needs those rights, and ends.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <time.h>

#include "user/helper/gpu/gpu.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"
#include "user/lib/util.h"

#define LIBRARY	     "libnvidia-ml.so.1"
#define INTERVAL_MIN 100
#define INTERVAL_MAX 60000
#define DEVICES_MAX  256

static const char usage[] = "usage: ringfence-gpu [options]\n"
			    "\n"
			    "  --library PATH   NVIDIA's management library (" LIBRARY ")\n"
			    "  --interval MS    between two rounds, 100 to 60000 (1000)\n"
			    "  --parent PID     ends unless it was started by that process\n"
			    "  --set-limits     sets limits of memory as stdin asks for, and ends\n"
			    "  --version, --help\n"
			    "\n"
			    "ringfenced starts it, and reads what it writes to its standard output.\n";

struct options {
	const char *library;
	unsigned long interval_ms;
	pid_t parent;
	bool set_limits;
};

static bool number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

/* -ECANCELED: all was said. */
static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "library", required_argument, NULL, 'l' },
		{ "interval", required_argument, NULL, 'i' },
		{ "parent", required_argument, NULL, 'p' },
		{ "set-limits", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long number;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 'l') {
			o->library = optarg;
		} else if (option == 'i' && number_parse(optarg, INTERVAL_MIN, INTERVAL_MAX, &number)) {
			o->interval_ms = number;
		} else if (option == 'p' && number_parse(optarg, 1, RF_GPU_PID_MAX, &number)) {
			o->parent = (pid_t)number;
		} else if (option == 's') {
			o->set_limits = true;
		} else if (option == 'v') {
			puts("ringfence-gpu " RF_VERSION);
			return -ECANCELED;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return -ECANCELED;
		} else {
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

void gpu_send(struct gpu *g, enum rf_gpu_message_type type, union rf_gpu_message *m)
{
	m->header = (struct rf_gpu_header){ RF_GPU_MESSAGE_VERSION, type, (uint32_t)rf_gpu_message_size(type) };
	rf_strbuf_add(&g->out, (const char *)m, m->header.length);
}

int gpu_flush(struct gpu *g)
{
	int r = rf_strbuf_error(&g->out);

	for (size_t at = 0; !r && at < g->out.len;) {
		ssize_t n = write(STDOUT_FILENO, g->out.data + at, g->out.len - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	rf_strbuf_reset(&g->out);
	return r;
}

static void state_send(struct gpu *g, enum rf_gpu_state state, const char *text)
{
	union rf_gpu_message m = { .state = { .state = state, .devices = g->n_devices } };

	for (size_t i = 0; text && text[i] && i < sizeof(m.state.text) - 1; i++)
		m.state.text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	gpu_send(g, RF_GPU_STATE, &m);
}

static void device_add(struct gpu *g, unsigned int index)
{
	struct gpu_device *d = &g->devices[g->n_devices];
	struct nvml_pci pci = { 0 };
	char name[16];

	snprintf(name, sizeof(name), "device %u", index);
	if (!nvml_good(&g->nvml, NVML_HANDLE, NVML(&g->nvml, HANDLE, (unsigned int, nvml_device *), index, &d->handle),
		       name) ||
	    !nvml_good(&g->nvml, NVML_PCI, NVML(&g->nvml, PCI, (nvml_device, struct nvml_pci *), d->handle, &pci),
		       name))
		return;
	snprintf(d->name, sizeof(d->name), "%04x:%02x:%02x.0", pci.domain, pci.bus & 0xff, pci.device & 0x1f);
	g->n_devices++;
}

static enum rf_gpu_state start(struct gpu *g, const char *library, char text[static RF_GPU_TEXT])
{
	unsigned int n = 0;
	const char *why = NULL;
	int result = nvml_open(&g->nvml, library, &why);

	if (result < 0) {
		snprintf(text, RF_GPU_TEXT, "%s", why);
		return result == -ENOENT ? RF_GPU_NO_LIBRARY : RF_GPU_OLD_LIBRARY;
	}
	result = NVML(&g->nvml, INIT, (void));
	snprintf(text, RF_GPU_TEXT, "nvmlInit_v2 answers %d", result);
	if (result == NVML_DRIVER_NOT_LOADED)
		return RF_GPU_NO_DRIVER;
	if (result == NVML_NO_PERMISSION)
		return RF_GPU_NO_PERMISSION;
	if (result != NVML_SUCCESS)
		return RF_GPU_FAILED;
	if (!nvml_good(&g->nvml, NVML_COUNT, NVML(&g->nvml, COUNT, (unsigned int *), &n), "the host"))
		return RF_GPU_FAILED;
	g->devices = calloc(MIN(n, (unsigned int)DEVICES_MAX) + 1, sizeof(*g->devices));
	if (!g->devices)
		return RF_GPU_FAILED;
	for (unsigned int i = 0; i < MIN(n, (unsigned int)DEVICES_MAX); i++)
		device_add(g, i);
	text[0] = '\0';
	result = NVML(&g->nvml, DRIVER_VERSION, (char *, unsigned int), text, RF_GPU_TEXT);
	(void)nvml_good(&g->nvml, NVML_DRIVER_VERSION, result, "the host");
	return RF_GPU_RUNNING;
}

static void round_send(struct gpu *g)
{
	union rf_gpu_message m = { 0 };

	for (unsigned int i = 0; i < g->n_devices; i++) {
		gpu_health(g, &g->devices[i]);
		gpu_processes(g, &g->devices[i]);
	}
	m.round.errors = g->nvml.errors;
	m.round.dropped = g->dropped;
	gpu_send(g, RF_GPU_ROUND, &m);
}

/* Until nobody reads any more. */
static int rounds(struct gpu *g)
{
	uint64_t next = rf_clock_monotonic();
	int r;

	for (;;) {
		struct timespec at;

		round_send(g);
		r = gpu_flush(g);
		if (r < 0)
			return r;
		/* What took too long is not made up for. */
		next = MAX(next + g->interval_ns, rf_clock_monotonic());
		at.tv_sec = (time_t)(next / RF_NSEC_PER_SEC);
		at.tv_nsec = (long)(next % RF_NSEC_PER_SEC);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
			;
	}
}

/* Once, with all rights: the driver takes a limit from root alone. */
static int limits(struct gpu *g, enum rf_gpu_state state, char text[static RF_GPU_TEXT])
{
	const char *missing = state == RF_GPU_RUNNING ? gpu_limits(g) : NULL;

	if (missing) {
		state = RF_GPU_OLD_LIBRARY;
		snprintf(text, RF_GPU_TEXT, "it has no %s", missing);
	}
	state_send(g, state, text);
	return gpu_flush(g);
}

static int watch(struct gpu *g, enum rf_gpu_state state, const char *text)
{
	int r;

	state_send(g, state, text);
	r = gpu_flush(g);
	return r >= 0 && state == RF_GPU_RUNNING ? rounds(g) : r;
}

int main(int argc, char **argv)
{
	struct options o = { .library = LIBRARY, .interval_ms = 1000 };
	struct gpu g = { .out = RF_STRBUF_INIT };
	char text[RF_GPU_TEXT] = "";
	enum rf_gpu_state state;
	int r = options_parse(argc, argv, &o);

	if (r < 0)
		return r == -ECANCELED ? 0 : 2;
	r = o.set_limits ? gpu_end_with(o.parent) : gpu_confine(o.parent);
	if (r < 0) {
		rf_err_r(r, "ringfence-gpu: cannot give up its rights");
		return 1;
	}
	g.interval_ns = o.interval_ms * RF_NSEC_PER_MSEC;
	state = start(&g, o.library, text);
	r = o.set_limits ? limits(&g, state, text) : watch(&g, state, text);
	return r < 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is on a device. NVML lists those that have a context, by device or by
 * instance of MIG, tells in samples of utilization what they took (not with
 * MIG), and, where accounting mode is on, what one has taken that has ended.
 */
#include <errno.h>

#include "user/helper/gpu/gpu.h"
#include "user/lib/cleanup.h"
#include "user/lib/clock.h"
#include "user/lib/util.h"
#include "user/model/gpu_samples.h"

#define TRIES  3  /* a list may grow between two calls */
#define SLACK  16 /* processes */
#define MIG_ON 1u /* NVML_DEVICE_MIG_ENABLE */

struct list {
	struct nvml_process *items;
	size_t n;
};

typedef int (*running_fn)(nvml_device, unsigned int *, struct nvml_process *);

static int running_get(running_fn get, nvml_device handle, struct nvml_process **items, unsigned int *n)
{
	int result = NVML_INSUFFICIENT_SIZE;

	*n = SLACK;
	for (int try = 0; try < TRIES && result == NVML_INSUFFICIENT_SIZE; try++) {
		unsigned int room = MIN(*n + SLACK, (unsigned int)GPU_PROCESSES_MAX);

		free(*items);
		*items = calloc(room, sizeof(**items));
		if (!*items)
			return NVML_NOT_FOUND;
		*n = room;
		result = get(handle, n, *items);
		if (result == NVML_SUCCESS)
			*n = MIN(*n, room);
	}
	return result;
}

/* Those of one kind on @handle, added to @list. */
static void running_add(struct gpu *g, const struct gpu_device *d, nvml_device handle, enum nvml_call call,
			struct list *list)
{
	_cleanup_free_ struct nvml_process *items = NULL;
	running_fn get = (running_fn)g->nvml.function[call];
	unsigned int n = 0;
	size_t room;
	void *more;

	if (!get || !nvml_good(&g->nvml, call, running_get(get, handle, &items, &n), d->name) || !n)
		return;
	room = GPU_PROCESSES_MAX - list->n;
	g->dropped += n - MIN((size_t)n, room);
	n = (unsigned int)MIN((size_t)n, room);
	more = reallocarray(list->items, list->n + n + 1, sizeof(*items));
	if (!more) {
		g->dropped += n;
		return;
	}
	list->items = more;
	memcpy(list->items + list->n, items, n * sizeof(*items));
	list->n += n;
}

static int process_compare(const void *a, const void *b)
{
	const struct nvml_process *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->gpu_instance != y->gpu_instance)
		return x->gpu_instance < y->gpu_instance ? -1 : 1;
	return (x->compute_instance > y->compute_instance) - (x->compute_instance < y->compute_instance);
}

/* One may have contexts of several kinds, and is then in several lists with what it has in all. */
static void list_merge(struct list *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), process_compare);
	for (size_t i = 0; i < list->n; i++) {
		struct nvml_process *p = &list->items[i], *last = n ? &list->items[n - 1] : NULL;

		if (!last || process_compare(last, p))
			list->items[n++] = *p;
		else if (last->bytes == RF_GPU_UNKNOWN || (p->bytes != RF_GPU_UNKNOWN && p->bytes > last->bytes))
			last->bytes = p->bytes;
	}
	list->n = n;
}

static void handle_list(struct gpu *g, const struct gpu_device *d, nvml_device handle, struct list *list)
{
	running_add(g, d, handle, NVML_COMPUTE, list);
	running_add(g, d, handle, NVML_GRAPHICS, list);
	running_add(g, d, handle, NVML_MPS, list);
}

static void present_list(struct gpu *g, const struct gpu_device *d, struct list *list)
{
	unsigned int now = 0, pending = 0, count = 0;
	int result = NVML(&g->nvml, MIG_MODE, (nvml_device, unsigned int *, unsigned int *), d->handle, &now, &pending);

	if (!nvml_good(&g->nvml, NVML_MIG_MODE, result, d->name) || now != MIG_ON) {
		handle_list(g, d, d->handle, list);
		list_merge(list);
		return;
	}
	result = NVML(&g->nvml, MIG_COUNT, (nvml_device, unsigned int *), d->handle, &count);
	if (!nvml_good(&g->nvml, NVML_MIG_COUNT, result, d->name))
		return;
	for (unsigned int i = 0; i < MIN(count, (unsigned int)RF_GPU_INSTANCES); i++) {
		nvml_device instance = NULL;

		result =
			NVML(&g->nvml, MIG_HANDLE, (nvml_device, unsigned int, nvml_device *), d->handle, i, &instance);
		if (nvml_good(&g->nvml, NVML_MIG_HANDLE, result, d->name))
			handle_list(g, d, instance, list);
	}
	list_merge(list);
}

/* ---- samples ---- */

/* From Blackwell on there is only the newer function, and older drivers have only the older one. */
static void samples_v1(struct gpu *g, struct gpu_device *d, struct rf_gpu_sample **ret, size_t *ret_n)
{
	_cleanup_free_ struct nvml_sample_v1 *list = calloc(GPU_PROCESSES_MAX, sizeof(*list));
	_cleanup_free_ struct rf_gpu_sample *samples = NULL;
	struct nvml_samples_v1 asked = { .version = NVML_VERSION(struct nvml_samples_v1, 1),
					 .n = GPU_PROCESSES_MAX,
					 .since_us = d->seen_us,
					 .list = list };
	int result;

	if (!list)
		return;
	result = NVML(&g->nvml, SAMPLES_V1, (nvml_device, struct nvml_samples_v1 *), d->handle, &asked);
	if (!nvml_good(&g->nvml, NVML_SAMPLES_V1, result, d->name))
		return;
	asked.n = MIN(asked.n, (unsigned int)GPU_PROCESSES_MAX);
	samples = calloc(asked.n + 1, sizeof(*samples));
	for (size_t i = 0; samples && i < asked.n; i++)
		samples[i] = (struct rf_gpu_sample){ list[i].time_us, list[i].pid, list[i].sm, 0 };
	*ret_n = samples ? asked.n : 0;
	*ret = TAKE_PTR(samples);
}

static void samples_get(struct gpu *g, struct gpu_device *d, struct rf_gpu_sample **ret, size_t *ret_n)
{
	_cleanup_free_ struct nvml_sample *list = calloc(GPU_PROCESSES_MAX, sizeof(*list));
	_cleanup_free_ struct rf_gpu_sample *samples = NULL;
	unsigned int n = GPU_PROCESSES_MAX;
	int result;

	if (!list)
		return;
	result = NVML(&g->nvml, SAMPLES, (nvml_device, struct nvml_sample *, unsigned int *, unsigned long long),
		      d->handle, list, &n, d->seen_us);
	if (result == NVML_NOT_SUPPORTED || result == NVML_FUNCTION_NOT_FOUND || result == NVML_DEPRECATED) {
		samples_v1(g, d, ret, ret_n);
		return;
	}
	if (!nvml_good(&g->nvml, NVML_SAMPLES, result, d->name))
		return;
	n = MIN(n, (unsigned int)GPU_PROCESSES_MAX);
	samples = calloc(n + 1, sizeof(*samples));
	for (size_t i = 0; samples && i < n; i++)
		samples[i] = (struct rf_gpu_sample){ list[i].time_us, list[i].pid, list[i].sm, 0 };
	*ret_n = samples ? n : 0;
	*ret = TAKE_PTR(samples);
}

/* A clock that was set back must not hide all samples until it is there again. */
static void seen_check(struct gpu *g, struct gpu_device *d)
{
	uint64_t now_us = rf_clock_real() / RF_NSEC_PER_USEC;

	if (!d->seen_us || d->seen_us > now_us + g->interval_ns / RF_NSEC_PER_USEC)
		d->seen_us = now_us;
}

/* What @pid took by @samples, which are in the order of processes; taken from them. */
static uint64_t samples_take(struct rf_gpu_sample *samples, size_t n, uint32_t pid)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < n && samples[i].pid <= pid; i++) {
		if (samples[i].pid != pid)
			continue;
		ns += samples[i].busy_ns;
		samples[i].busy_ns = 0;
	}
	return MIN(ns, RF_GPU_BUSY_MAX);
}

/* ---- telling ---- */

static void process_send(struct gpu *g, const struct gpu_device *d, const struct nvml_process *p, bool present,
			 uint64_t now_ns, uint64_t busy_ns)
{
	union rf_gpu_message m = { .process = { .pid = p->pid,
						.gpu_instance = p->gpu_instance,
						.compute_instance = p->compute_instance,
						.present = present,
						.sampled_ns = now_ns,
						.bytes = p->bytes,
						.busy_ns = busy_ns } };

	memcpy(m.process.parent, d->name, sizeof(m.process.parent));
	gpu_send(g, RF_GPU_PROCESS, &m);
}

static void present_send(struct gpu *g, const struct gpu_device *d, const struct list *list,
			 struct rf_gpu_sample *samples, size_t n_samples)
{
	uint64_t now_ns = rf_clock_boot();

	for (size_t i = 0; i < list->n; i++)
		process_send(g, d, &list->items[i], true, now_ns, samples_take(samples, n_samples, list->items[i].pid));
	for (size_t i = 0; i < n_samples; i++) {
		const struct nvml_process gone = { samples[i].pid, RF_GPU_UNKNOWN, RF_GPU_INSTANCE_NONE,
						   RF_GPU_INSTANCE_NONE };
		uint64_t busy_ns = samples_take(samples, n_samples, samples[i].pid);

		if (busy_ns && gone.pid)
			process_send(g, d, &gone, false, now_ns, busy_ns);
	}
}

/* ---- what has ended ---- */

static void ended_ask(struct gpu *g, const struct gpu_device *d, unsigned int pid)
{
	struct nvml_accounting stats = { 0 };
	union rf_gpu_message m = { .ended = { .pid = pid, .bytes_peak = RF_GPU_UNKNOWN, .busy_ns = RF_GPU_UNKNOWN } };
	int result = NVML(&g->nvml, ACCOUNTING_STATS, (nvml_device, unsigned int, struct nvml_accounting *), d->handle,
			  pid, &stats);

	if (!nvml_good(&g->nvml, NVML_ACCOUNTING_STATS, result, d->name) || stats.running)
		return;
	memcpy(m.ended.parent, d->name, sizeof(m.ended.parent));
	m.ended.started_ns = stats.started_us * RF_NSEC_PER_USEC;
	if (stats.bytes_peak <= RF_GPU_BYTES_MAX)
		m.ended.bytes_peak = stats.bytes_peak;
	if (stats.gpu_percent <= 100 && stats.time_ms <= RF_GPU_BUSY_ALL_MAX / RF_NSEC_PER_MSEC)
		m.ended.busy_ns = stats.time_ms * (RF_NSEC_PER_MSEC / 100) * stats.gpu_percent;
	gpu_send(g, RF_GPU_ENDED, &m);
}

static int pid_compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

static bool has(const struct gpu_pids *pids, unsigned int pid)
{
	return pids->n && bsearch(&pid, pids->list, pids->n, sizeof(pid), pid_compare);
}

/* Empty where accounting mode is off. */
static bool accounted_get(struct gpu *g, const struct gpu_device *d, struct gpu_pids *ret)
{
	unsigned int mode = 0, n = GPU_ACCOUNTING_MAX;
	unsigned int *list;
	int result = NVML(&g->nvml, ACCOUNTING_MODE, (nvml_device, unsigned int *), d->handle, &mode);

	if (!nvml_good(&g->nvml, NVML_ACCOUNTING_MODE, result, d->name) || !mode)
		return false;
	list = calloc(n, sizeof(*list));
	if (!list)
		return false;
	result = NVML(&g->nvml, ACCOUNTING_PIDS, (nvml_device, unsigned int *, unsigned int *), d->handle, &n, list);
	if (!nvml_good(&g->nvml, NVML_ACCOUNTING_PIDS, result, d->name)) {
		free(list);
		return false;
	}
	ret->list = list;
	ret->n = MIN(n, (unsigned int)GPU_ACCOUNTING_MAX);
	qsort(list, ret->n, sizeof(*list), pid_compare);
	return true;
}

/* Those that were there and are not, and those that came and went between two rounds. */
static void ended_send(struct gpu *g, const struct gpu_device *d, const struct gpu_pids *present,
		       const struct gpu_pids *accounted)
{
	for (size_t i = 0; i < d->present.n; i++)
		if (!has(present, d->present.list[i]))
			ended_ask(g, d, d->present.list[i]);
	for (size_t i = 0; i < accounted->n && d->accounting; i++)
		if (!has(&d->accounted, accounted->list[i]) && !has(present, accounted->list[i]) &&
		    !has(&d->present, accounted->list[i]))
			ended_ask(g, d, accounted->list[i]);
}

static void present_keep(const struct list *list, struct gpu_pids *ret)
{
	ret->list = calloc(list->n + 1, sizeof(*ret->list));
	for (size_t i = 0; ret->list && i < list->n; i++)
		if (!ret->n || ret->list[ret->n - 1] != list->items[i].pid)
			ret->list[ret->n++] = list->items[i].pid;
}

static void pids_replace(struct gpu_pids *to, struct gpu_pids *from)
{
	free(to->list);
	*to = *from;
	*from = (struct gpu_pids){ 0 };
}

void gpu_processes(struct gpu *g, struct gpu_device *d)
{
	_cleanup_free_ struct rf_gpu_sample *samples = NULL;
	struct gpu_pids present = { 0 }, accounted = { 0 };
	struct list list = { 0 };
	size_t n_samples = 0;
	bool accounting;

	seen_check(g, d);
	present_list(g, d, &list);
	samples_get(g, d, &samples, &n_samples);
	rf_gpu_samples_charge(samples, n_samples, 2 * g->interval_ns / RF_NSEC_PER_USEC, &d->seen_us);
	present_send(g, d, &list, samples, n_samples);
	present_keep(&list, &present);
	free(list.items);
	accounting = accounted_get(g, d, &accounted);
	if (accounting)
		ended_send(g, d, &present, &accounted);
	d->accounting = accounting;
	pids_replace(&d->present, &present);
	pids_replace(&d->accounted, &accounted);
}
